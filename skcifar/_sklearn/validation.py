"""The rules that parameters and samples obey, in scikit-learn's own words.

scikit-learn's validation of parameters is private, yet it is the only source of
``InvalidParameterError`` and of the wording that users of an estimator expect;
``_check_sample_weight`` is what scikit-learn's own template for estimators uses.
"""

from numbers import Integral

import numpy as np
from sklearn.utils import check_consistent_length, column_or_1d
from sklearn.utils._param_validation import (
    HasMethods,
    Interval,
    InvalidParameterError,
    Options,
    StrOptions,
    validate_params,
)
from sklearn.utils.validation import _check_sample_weight as check_sample_weight
from sklearn.utils.validation import validate_data

from .._lazy import LazyImages

__all__ = [
    "HasMethods",
    "Interval",
    "InvalidParameterError",
    "Options",
    "StrOptions",
    "as_sequence",
    "check_moves",
    "check_positive_integers",
    "check_sample_weight",
    "checked_probabilities",
    "columns_of",
    "is_auto",
    "stacked",
    "validate_params",
    "validate_samples",
]


def is_auto(value):
    """Whether a parameter is left to the estimator."""
    return isinstance(value, str) and value == "auto"


def check_positive_integers(values, *, name, owner):
    """Raise unless each of ``values`` is an integer of at least 1; none at all are fine."""
    is_sequence = not isinstance(values, dict | set | frozenset) and getattr(values, "ndim", 1) == 1
    if not is_sequence or not all(map(_is_positive_integer, values)):
        raise InvalidParameterError(
            f"The {name!r} parameter of {owner} must be a sequence of ints in the range [1, inf)."
            f" Got {values!r} instead."
        )


def as_sequence(value):
    """Return an integer as a sequence of one, and all else as it is."""
    return (value,) if isinstance(value, Integral) else value


def check_moves(moves, *, owner):
    """Raise unless ``moves`` are pairs of a step and a number of steps that is not below it."""
    if moves is None:
        return
    try:
        rows = np.array(moves)
    except ValueError:  # they are not equally long
        rows = np.array(None)
    is_right = rows.size == 0 or (
        rows.ndim == 2
        and rows.shape[1] == 2
        and rows.dtype.kind in "iu"
        and (rows >= 0).all()
        and (rows[:, 0] <= rows[:, 1]).all()
        and (rows[:-1, 0] <= rows[1:, 0]).all()
    )
    if not is_right:
        raise InvalidParameterError(
            f"The 'schedule_moves' parameter of {owner} must be pairs of ints, a step and the"
            f" number of steps that the schedule then has, in the order of steps. Got {moves!r}"
            " instead."
        )


def columns_of(labels, classes):
    """Return the place of each label among the classes."""
    number_of = {label: number for number, label in enumerate(np.asarray(classes).tolist())}
    labels = np.asarray(labels).tolist()
    unknown = sorted({str(label) for label in labels if label not in number_of})
    if unknown:
        raise ValueError(
            f"The classes {', '.join(unknown[:5])} are not among those that are predicted, which"
            f" begin with {', '.join(map(str, classes[:5]))}. Give labels as they were trained."
        )
    return np.array([number_of[label] for label in labels], int)


def checked_probabilities(y_true, y_proba, classes):
    """Return the column of each actual class, the probabilities, and the class of each column."""
    y_true, y_proba = column_or_1d(y_true, warn=True), np.asarray(y_proba)
    check_consistent_length(y_true, y_proba)
    classes = np.unique(y_true) if classes is None else np.asarray(classes)
    if y_proba.ndim != 2 or y_proba.shape[1] != len(classes):
        raise ValueError(
            f"Expected y_proba of shape (n_samples, {len(classes)}), a column for each class, got"
            f" {y_proba.shape}. Say which class each column is of."
        )
    return columns_of(y_true, classes), y_proba, classes


def _is_positive_integer(value):
    return isinstance(value, Integral) and not isinstance(value, bool) and value >= 1


def validate_samples(estimator, X, y="no_validation", *, reset, dtype="numeric"):
    """Check pictures or rows as scikit-learn checks rows, and compare their shape with fit's.

    Sets ``n_features_in_``, ``feature_names_in_`` where X has column names, and
    ``sample_shape_``, when ``reset=True``; compares X with them otherwise. Lazy images stay lazy.
    """
    y = _without_nullable_dtype(y)
    if isinstance(X, LazyImages):
        # bytes of the same shape, without memory: those of X are such as scikit-learn would check
        checked = np.broadcast_to(np.uint8(0), X.shape)
        checked = validate_data(estimator, checked, y, reset=reset, allow_nd=True)
        X = X if dtype == "numeric" else X.astype(dtype)
        checked = (X, checked[1]) if isinstance(checked, tuple) else X
    else:
        X = stacked(X)
        checked = validate_data(estimator, X, y, reset=reset, dtype=dtype, allow_nd=True)
    sample_shape = (checked[0] if isinstance(checked, tuple) else checked).shape[1:]
    if 0 in sample_shape:
        raise ValueError(
            f"Found array with 0 feature(s) (sample shape={sample_shape}) while a minimum of 1 is"
            f" required by {type(estimator).__name__}."
        )
    if reset:
        estimator.sample_shape_ = sample_shape
    elif sample_shape != estimator.sample_shape_:
        raise ValueError(
            f"X has samples of shape {sample_shape}, but {type(estimator).__name__} is expecting"
            f" samples of shape {estimator.sample_shape_} as seen in fit."
        )
    return checked


def _without_nullable_dtype(y):
    """Take pandas' integers and booleans as such, of which scikit-learn makes floats."""
    dtype = getattr(getattr(y, "dtype", None), "numpy_dtype", None)
    return y if dtype is None or y.isna().any() else y.to_numpy(dtype)


def stacked(X):
    """Put pictures that come one by one, as in a column of a table, into one array."""
    if getattr(X, "ndim", None) == 1 and hasattr(X, "to_numpy"):
        X = X.to_numpy()
    one_by_one = isinstance(X, np.ndarray) and X.dtype == object and X.ndim == 1
    if not one_by_one and not isinstance(X, list | tuple):
        return X
    shapes = sorted({np.shape(sample) for sample in X if one_by_one or hasattr(sample, "shape")})
    if len(shapes) > 1:
        raise ValueError(
            "All pictures must have the same shape (height, width, n_channels), got"
            f" {' and '.join(map(str, shapes[:3]))}{' and others' if shapes[3:] else ''}."
            " Resize them, or read their files by load_image_folder, which does so."
        )
    return np.stack(list(map(np.asarray, X))) if one_by_one and shapes not in ([], [()]) else X
