"""Samples that a network is validated on: given by the user, or kept from training."""

import keras
import numpy as np
from sklearn.model_selection import train_test_split

from .._sklearn.validation import validate_samples
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
    """Choose samples that are kept from training, the same share of each class."""
    rows = np.arange(len(y)) if sample_weight is None else np.flatnonzero(sample_weight)
    classes, counts = np.unique(y[rows], return_counts=True)
    try:
        parts = train_test_split(
            rows, test_size=validation_fraction, stratify=y[rows], random_state=seed
        )
        all_have_all = all(len(np.unique(y[part])) == len(classes) for part in parts)
    except ValueError:  # which names train_test_split's own parameters
        all_have_all = False
    if not all_have_all:
        raise ValueError(
            f"validation_fraction={validation_fraction} of {len(rows)} samples would leave a class"
            f" with no sample to train or to validate on: the rarest of {len(classes)} classes,"
            f" {classes[counts.argmin()]!r}, has {counts.min()}. Give more samples, another"
            " validation_fraction, or X_val and y_val."
        )
    is_held_out = np.zeros(len(y), dtype=bool)
    is_held_out[parts[1]] = True
    return is_held_out


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
