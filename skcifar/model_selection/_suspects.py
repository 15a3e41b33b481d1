"""Labels that are probably wrong."""

import numpy as np
from numpy.typing import ArrayLike

from .._sklearn.validation import checked_probabilities


def find_suspect_labels(
    y_true: ArrayLike, y_proba: ArrayLike, *, labels: ArrayLike | None = None
) -> np.ndarray:
    """Find samples whose label is probably wrong, from a classifier's probabilities.

    A label is suspect if another class is more probable, and at least as probable as it is on
    average for the samples labelled as that class.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        The labels.

    y_proba : array-like of shape (n_samples, n_classes)
        Probabilities from a classifier that was not trained on the same samples, such as
        :func:`~sklearn.model_selection.cross_val_predict` returns with ``method="predict_proba"``.
        Columns are in the order of ``labels``.

    labels : array-like of shape (n_classes,), default=None
        All classes, such as ``classifier.classes_``. By default, those of ``y_true``, sorted.

    Returns
    -------
    indices : ndarray of shape (n_suspects,)
        Indices of the suspect samples, those with the least probable labels first.

    See Also
    --------
    MistakesDisplay : Draws them, with ``which="suspects"``.

    Notes
    -----
    The less accurate the classifier, the more of these are its own mistakes.

    References
    ----------
    Curtis G. Northcutt et al., "Confident Learning: Estimating Uncertainty in Dataset Labels",
    2021. https://arxiv.org/abs/1911.00068

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.model_selection import cross_val_predict
    >>> from sklearn.pipeline import make_pipeline
    >>> from skcifar import ImageFlattener, PixelScaler, find_suspect_labels, load_digit_images
    >>> X, y = load_digit_images(return_X_y=True)
    >>> X, y = X[:300, ::4, ::4], y[:300].copy()
    >>> y[5] = (y[5] + 1) % 10
    >>> model = make_pipeline(PixelScaler(), ImageFlattener(), LogisticRegression())
    >>> y_proba = cross_val_predict(model, X, y, cv=3, method="predict_proba")
    >>> 5 in find_suspect_labels(y, y_proba)
    True
    """
    given, y_proba, _ = checked_probabilities(y_true, y_proba, labels)
    own, predicted = y_proba[np.arange(len(given)), given], y_proba.argmax(axis=1)
    usual = [own[given == k].mean() if k in given else np.inf for k in range(y_proba.shape[1])]
    is_suspect = (predicted != given) & (y_proba.max(axis=1) >= np.take(usual, predicted))
    suspects = np.flatnonzero(is_suspect)
    return suspects[np.argsort(own[suspects], kind="stable")]
