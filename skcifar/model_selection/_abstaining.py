"""A classifier that says so when it is not sure, and a score that knows of it."""

import warnings
from numbers import Real
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone
from sklearn.metrics import accuracy_score
from sklearn.utils import get_tags
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from .._sklearn.html import DocumentedMixin
from .._sklearn.validation import HasMethods, Interval

UNKNOWN = {"U": "unknown", "O": "unknown", "i": -1, "u": -1, "f": -1.0}  # by the kind of labels


def is_sure(probabilities, min_probability):
    """Return for which rows of probabilities the class is said."""
    return probabilities.max(axis=1) >= min_probability


class AbstainingClassifier(DocumentedMixin, MetaEstimatorMixin, ClassifierMixin, BaseEstimator):
    """Classifier that answers "unknown" where no class is probable enough.

    Parameters
    ----------
    estimator : estimator
        A classifier with ``predict_proba``, or a Pipeline that ends in one. If it is fitted, so is
        this one: ``fit`` need not be called.

    min_probability : float, default=0.5
        Least probability at which the most probable class is predicted.

    unknown_label : str, int or float, default=None
        Label predicted for other samples. If None, "unknown" where labels are strings, and -1 where
        they are numbers.

    Attributes
    ----------
    estimator_ : estimator
        The fitted classifier.

    classes_ : ndarray of shape (n_classes,)
        The class labels, sorted, without the one for unknown.

    See Also
    --------
    sklearn.model_selection.FixedThresholdClassifier : Changes the threshold between two classes.

    Notes
    -----
    Passed as ``scoring`` to scikit-learn's searches and cross-validation, the function
    ``AbstainingClassifier.score_answers`` gives two scores.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skcifar import AbstainingClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> model = AbstainingClassifier(LogisticRegression(max_iter=200), min_probability=0.9)
    >>> scores = model.fit(X, y).score_answers(X, y)
    >>> scores["accuracy"] > 0.99, 0.5 < scores["share_answered"] < 1
    (True, True)
    """

    _parameter_constraints: ClassVar[dict] = {
        "estimator": [HasMethods(["fit", "predict_proba"])],
        "min_probability": [Interval(Real, 0, 1, closed="both")],
        "unknown_label": [str, Real, None],
    }

    def __init__(
        self,
        estimator: Any,
        *,
        min_probability: float = 0.5,
        unknown_label: str | float | None = None,
    ):
        self.estimator = estimator
        self.min_probability = min_probability
        self.unknown_label = unknown_label

    def fit(self, X: ArrayLike, y: ArrayLike, **fit_params: Any) -> Self:
        """Fit a copy of the classifier.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Training samples.

        y : array-like of shape (n_samples,)
            Class labels.

        **fit_params
            Passed to the classifier's ``fit``.

        Returns
        -------
        self : object
            The fitted classifier.
        """
        self._validate_params()
        self.estimator_ = clone(self.estimator).fit(X, y, **fit_params)
        self._unknown()
        return self

    @property
    def classes_(self) -> np.ndarray:
        """The class labels, sorted."""
        return self._fitted().classes_

    @property
    def n_features_in_(self) -> int:
        """Number of features seen during fit."""
        return self._fitted().n_features_in_

    def predict(self, X: ArrayLike) -> np.ndarray:
        """Predict the class of each sample, or that it is unknown.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Samples.

        Returns
        -------
        y_pred : ndarray of shape (n_samples,)
            Class labels, and the one for unknown.
        """
        probabilities = self.predict_proba(X)
        labels = self.classes_[probabilities.argmax(axis=1)]
        # as an array of its own dtype, for -1 is none of the integers from 0 to 255
        unknown = np.asarray(self._unknown())
        return np.where(is_sure(probabilities, self.min_probability), labels, unknown)

    def predict_proba(self, X: ArrayLike) -> np.ndarray:
        """Predict the probability of each class for each sample, sure or not.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Samples.

        Returns
        -------
        y_proba : ndarray of shape (n_samples, n_classes)
            Columns in the order of ``classes_``.
        """
        return self._fitted().predict_proba(X)

    def score(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Return the accuracy on answered samples, NaN if there are none.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Samples.

        y : array-like of shape (n_samples,)
            Their classes.

        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples.

        Returns
        -------
        score : float
            The accuracy, NaN if no sample is answered.
        """
        return self.score_answers(X, y, sample_weight)["accuracy"]

    def score_answers(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> dict[str, float]:
        """Return the accuracy on answered samples, and the share of samples answered.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Samples.

        y : array-like of shape (n_samples,)
            Their classes.

        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples.

        Returns
        -------
        scores : dict of str to float
            "accuracy", NaN if no sample is answered, and "share_answered".
        """
        probabilities = self.predict_proba(X)
        y, labels = np.asarray(y), self.classes_[probabilities.argmax(axis=1)]
        check_consistent_length(labels, y, sample_weight)
        weights = np.ones(len(y)) if sample_weight is None else np.asarray(sample_weight)
        sure = is_sure(probabilities, self.min_probability)
        answered = {"share_answered": float(np.average(sure, weights=weights))}
        if not answered["share_answered"]:
            warnings.warn(
                f"No sample has a class of probability {self.min_probability:g} or more, so"
                " there is no accuracy. Lower min_probability.",
                UserWarning,
                stacklevel=2,
            )
            return {"accuracy": np.nan} | answered
        right = accuracy_score(y[sure], labels[sure], sample_weight=weights[sure])
        return {"accuracy": float(right)} | answered

    def _fitted(self):
        estimator = getattr(self, "estimator_", self.estimator)
        check_is_fitted(estimator)
        return estimator

    def _unknown(self):
        """Return the label that stands for unknown, if it is like those of classes and is none."""
        classes, label = self.classes_, self.unknown_label
        if label is None:
            label = UNKNOWN.get(classes.dtype.kind)
        is_alike = isinstance(label, str) == isinstance(classes[0], str) and label is not None
        if not is_alike or label in classes:
            raise ValueError(
                f"unknown_label={label!r} does not go with the classes {classes.tolist()}. Give"
                " another label of their kind, a string or a number, as unknown_label."
            )
        return label

    def __sklearn_is_fitted__(self):
        try:
            self._fitted()
        except ValueError:  # NotFittedError
            return False
        return True

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags = get_tags(self.estimator).input_tags
        tags.classifier_tags.multi_class = get_tags(self.estimator).classifier_tags.multi_class
        return tags
