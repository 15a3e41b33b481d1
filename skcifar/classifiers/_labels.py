"""Labels and weights in the form in which networks take them."""

import keras
import numpy as np
from sklearn.utils import compute_class_weight

from .._sklearn.validation import check_sample_weight


def one_hot(y, classes):
    """Encode labels as rows that hold 1 for their class and 0 for all others.

    Parameters
    ----------
    y : ndarray of shape (n_samples,)
        Labels, all of them in ``classes``.

    classes : ndarray of shape (n_classes,)
        The class labels, sorted.

    Returns
    -------
    rows : ndarray of shape (n_samples, n_classes), dtype float
        Of the dtype that Keras computes in.
    """
    return np.eye(len(classes), dtype=keras.config.floatx())[np.searchsorted(classes, y)]


def check_labels(y, classes, *, message):
    """Raise if there are labels that are not among the classes.

    NumPy would compare 10 with "10" as texts, so that they were the same.

    Parameters
    ----------
    y : ndarray of shape (n_samples,)
        Labels.

    classes : ndarray of shape (n_classes,)
        The class labels.

    message : str
        What to say, with ``{unknown}`` and ``{classes}`` in it.

    Raises
    ------
    ValueError
        If there are such labels.
    """
    unknown = set(np.unique(y).tolist()) - set(classes.tolist())
    if unknown:
        raise ValueError(message.format(unknown=sorted(unknown, key=str), classes=classes))


def combine_weights(y, classes, class_weight, sample_weight):
    """Multiply the weights of samples by those of their classes.

    Parameters
    ----------
    y : ndarray of shape (n_samples,)
        Labels.

    classes : ndarray of shape (n_classes,)
        The class labels, sorted.

    class_weight : dict, "balanced" or None
        As in :func:`sklearn.utils.class_weight.compute_class_weight`.

    sample_weight : array-like of shape (n_samples,) or None
        Weights of the samples.

    Returns
    -------
    weights : ndarray of shape (n_samples,), dtype float64, or None
        A new array; None if there are no weights at all.

    Raises
    ------
    ValueError
        If a weight is negative, or all of them are 0.
    """
    if sample_weight is None and class_weight is None:
        return None
    weights = check_sample_weight(sample_weight, y, dtype=np.float64, copy=True)
    if class_weight is not None:
        of_class = compute_class_weight(class_weight, classes=classes, y=y)
        weights *= of_class[np.searchsorted(classes, y)]
    return check_sample_weight(weights, y, dtype=np.float64, ensure_non_negative=True)
