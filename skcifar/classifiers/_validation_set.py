"""Samples that a network is validated on: given by the user, or kept from training."""

import math
import warnings

import keras
import numpy as np
from sklearn.model_selection import train_test_split

from .._sklearn.validation import stacked, validate_samples
from ._labels import check_labels, combine_weights


def check_validation_set(classifier, X_val, y_val, sample_weight_val, classes):
    """Check samples to validate on, which have to be like those that are trained on."""
    if X_val is None and y_val is None and sample_weight_val is None:
        return None
    if X_val is None or y_val is None:
        given = {"X_val": X_val, "y_val": y_val, "sample_weight_val": sample_weight_val}
        there = " and ".join(name for name, value in given.items() if value is not None)
        raise ValueError(
            f"{there} cannot be used without {'X_val' if X_val is None else 'y_val'}. Give X_val"
            " and y_val, or neither."
        )
    X_val = stacked(X_val)
    shape = np.shape(X_val)[1:]
    if shape != classifier.sample_shape_:
        raise ValueError(
            f"X_val has samples of shape {shape}, but those of X are of shape"
            f" {classifier.sample_shape_}. Where the steps of a Pipeline transform X, enable"
            " metadata routing and give the Pipeline transform_input=['X_val']."
        )
    dtype = keras.config.floatx()
    try:
        X_val, y_val = validate_samples(classifier, X_val, y_val, reset=False, dtype=dtype)
    except ValueError as error:  # which names X and y
        raise ValueError(f"In X_val and y_val: {error}") from error
    check_labels(
        y_val,
        classes,
        message="`y_val` has labels {unknown} that are not in `y`, whose classes are {classes}.",
    )
    return X_val, y_val, combine_weights(y_val, classes, None, sample_weight_val)


def hold_out(y, sample_weight, *, validation_fraction, seed):
    """Choose samples that are kept from training, as far as possible the same share of each class.

    Each class keeps at least one sample to train on.
    """
    rows = np.arange(len(y)) if sample_weight is None else np.flatnonzero(sample_weight)
    classes, counts = np.unique(y[rows], return_counts=True)
    try:
        parts = train_test_split(
            rows, test_size=validation_fraction, stratify=y[rows], random_state=seed
        )
        all_have_all = all(len(np.unique(y[part])) == len(classes) for part in parts)
    except ValueError:  # a class is too small
        all_have_all = False
    held_out = parts[1] if all_have_all else _taken_in_turns(rows, y, validation_fraction, seed)
    share = f"validation_fraction={validation_fraction} of {len(rows)} samples"
    if len(held_out) == 0:
        raise ValueError(
            f"{share} holds out none: each class has to keep one sample to train on. Give more"
            " samples, or X_val and y_val."
        )
    lacking = np.setdiff1d(classes, y[held_out])
    if len(lacking) > 0:
        warnings.warn(
            f"{share} holds out none of {len(lacking)} of {len(classes)} classes: the rarest,"
            f" {classes.tolist()[counts.argmin()]!r}, has {counts.min()}. So val_accuracy says"
            " nothing of them. Give more samples, a larger validation_fraction, or X_val and"
            " y_val.",
            UserWarning,
            stacklevel=3,
        )
    is_held_out = np.zeros(len(y), dtype=bool)
    is_held_out[held_out] = True
    return is_held_out


def _taken_in_turns(rows, y, fraction, seed):
    """Take samples of all classes in turns, the more often the larger a class, yet never all."""
    rows = np.random.default_rng(seed).permutation(rows)
    places, last = np.empty(len(rows)), np.zeros(len(rows), dtype=bool)
    for label in np.unique(y[rows]):
        (of_class,) = np.nonzero(y[rows] == label)
        places[of_class] = (np.arange(len(of_class)) + 0.5) / len(of_class)
        last[of_class[-1]] = True
    n_held_out = math.ceil(fraction * len(rows))
    in_turns = np.argsort(places, kind="stable")
    return rows[in_turns[~last[in_turns]][:n_held_out]]


def without(weights, left_out):
    """Set the weights of some samples to 0, by which they count as none."""
    return np.where(left_out, 0.0, 1.0 if weights is None else weights)


def reported_samples(X, y, sample_weight, is_held_out):
    """Return what scikit-learn's callbacks get, made only where one wants it."""
    weights = None if sample_weight is None else {"sample_weight": np.asarray(sample_weight)}
    if is_held_out is None:
        return {"X": X, "y": y, "metadata": weights}

    def trained_on(array):
        return lambda: array[~is_held_out]

    return {
        "X": trained_on(X),
        "y": trained_on(y),
        "metadata": weights and (lambda: {"sample_weight": weights["sample_weight"][~is_held_out]}),
    }
