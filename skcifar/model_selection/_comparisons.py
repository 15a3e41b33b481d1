"""How good classifiers are, how sure that is, and whether one of two is the better.

Any fitted classifier of scikit-learn's kind is enough. Nothing here knows how one is trained.
"""

import time
from contextlib import contextmanager
from itertools import combinations
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import binomtest, norm
from sklearn.metrics import log_loss
from sklearn.pipeline import Pipeline
from sklearn.utils import Bunch, check_array, check_consistent_length, column_or_1d
from sklearn.utils.multiclass import unique_labels
from sklearn.utils.validation import check_is_fitted

from .._sklearn.validation import Interval, validate_params

CONFIDENCE_LEVEL = 0.95
CONFIDENCE_LEVELS = [Interval(Real, 0, 1, closed="neither")]


@validate_params(
    {"classifiers": [dict], "confidence_level": CONFIDENCE_LEVELS},
    prefer_skip_nested_validation=False,
)
def compare_classifiers(
    classifiers: dict[str, Any],
    X: ArrayLike,
    y: ArrayLike,
    *,
    X_train: ArrayLike | None = None,
    y_train: ArrayLike | None = None,
    confidence_level: float = CONFIDENCE_LEVEL,
) -> Bunch:
    """Score fitted classifiers on the same samples, and test each pair of them for a difference.

    Parameters
    ----------
    classifiers : dict of str to estimator
        Fitted classifiers with ``predict_proba``, by name.

    X : array-like of shape (n_samples, ...)
        Test samples.

    y : array-like of shape (n_samples,)
        Their classes.

    X_train : array-like of shape (n_train_samples, ...), default=None
        Training samples, to be scored as well.

    y_train : array-like of shape (n_train_samples,), default=None
        Their classes.

    confidence_level : float, default=0.95
        Confidence level of the intervals, between 0 and 1.

    Returns
    -------
    comparison : :class:`~sklearn.utils.Bunch`
        Dictionary-like object, with the following attributes.

        models : list of dict
            The ``name`` of each classifier and what was measured: parameters of the network,
            epochs, losses and accuracies with their intervals, and ``predict_seconds``.
            ``pandas.DataFrame(comparison.models)`` makes a table of it.
        predictions : dict of str to ndarray of shape (n_samples,)
            Predicted classes of the test samples, by name.
        tests : list of dict
            The names of each pair, ``models``, and what :func:`mcnemar_test` finds for it.

    Raises
    ------
    ValueError
        If there are no classifiers, if one was trained on classes other than those in ``y``, or if
        samples and classes do not match.

    TypeError
        If a classifier has no ``predict_proba``.

    NotFittedError
        If a classifier is not fitted.

    See Also
    --------
    mcnemar_test : Tests one pair.
    accuracy_interval : Confidence interval of an accuracy.
    log_loss_interval : Confidence interval of a loss.

    Notes
    -----
    The p-values are those of single tests. Among many pairs, some seem to differ by chance.

    Training pictures are scored in one view each, whatever ``n_views`` is.

    Examples
    --------
    >>> from sklearn.dummy import DummyClassifier
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.datasets import load_iris
    >>> from skcifar import compare_classifiers
    >>> X, y = load_iris(return_X_y=True)
    >>> classifiers = {
    ...     "guess": DummyClassifier().fit(X, y),
    ...     "logistic": LogisticRegression(max_iter=1000).fit(X, y),
    ... }
    >>> comparison = compare_classifiers(classifiers, X, y)
    >>> [f"{model['test_accuracy']:.2f}" for model in comparison.models]
    ['0.33', '0.97']
    >>> comparison.tests[0].pvalue < 0.001
    True
    """
    if not classifiers:
        raise ValueError("There is nothing to compare. Give at least one classifier.")
    if (X_train is None) != (y_train is None):
        raise ValueError("X_train and y_train go together. Give both or neither.")
    y = column_or_1d(y, warn=True)
    y_train = y_train if y_train is None else column_or_1d(y_train, warn=True)
    for name, classifier in classifiers.items():
        _check_classifier(name, classifier, np.union1d(y, y if y_train is None else y_train))
    models, predictions = [], {}
    for name, classifier in classifiers.items():
        measures, predictions[name] = measure_classifier(
            classifier, X, y, X_train=X_train, y_train=y_train, confidence_level=confidence_level
        )
        models.append({"name": name, **measures})
    return Bunch(models=models, predictions=predictions, tests=mcnemar_tests(y, predictions))


def measure_classifier(classifier, X, y, *, X_train, y_train, confidence_level=CONFIDENCE_LEVEL):
    """Measure what can be measured of a classifier without training it."""
    classifier.predict_proba(X[:1])  # a network is compiled for its first prediction
    begin = time.perf_counter()
    probabilities = classifier.predict_proba(X)
    predict_seconds = time.perf_counter() - begin

    network = classifier_of(classifier)
    y_pred = _predicted(classifier, X, probabilities)
    measures = {"n_parameters": None, "epochs": None}
    if _is_network(network):
        measures = {"n_parameters": network.model_.count_params(), "epochs": network.n_iter_}
    level = {"labels": classifier.classes_, "confidence_level": confidence_level}
    if X_train is not None:
        with one_view(classifier):
            train_probabilities = classifier.predict_proba(X_train)
        train_pred = _predicted(classifier, X_train, train_probabilities)
        measures |= _scores("train", y_train, train_pred, train_probabilities, **level)
    measures |= _scores("test", y, y_pred, probabilities, **level)
    measures["predict_seconds"] = predict_seconds
    return measures, y_pred


@contextmanager
def one_view(classifier):
    """Let a network look at pictures once only: those in training are many, and known anyway."""
    network = classifier_of(classifier)
    n_views = getattr(network, "n_views", None)
    if n_views is None:
        yield
        return
    network.set_params(n_views=1)
    try:
        yield
    finally:
        network.set_params(n_views=n_views)


def _is_network(classifier):
    return hasattr(getattr(classifier, "model_", None), "count_params")


def _predicted(classifier, X, probabilities):
    """Return what is predicted: of some classifiers, not the most probable class."""
    if _is_network(classifier_of(classifier)):
        return classifier.classes_[probabilities.argmax(axis=1)]
    return classifier.predict(X)


def mcnemar_test(y_true: ArrayLike, y_pred_1: ArrayLike, y_pred_2: ArrayLike) -> Bunch:
    """Test whether two classifiers are right equally often, with McNemar's exact test.

    Only the samples on which exactly one of the two is right matter. If both are equally good,
    either is equally likely to be the right one.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        The actual classes.

    y_pred_1, y_pred_2 : array-like of shape (n_samples,)
        Predictions of the first and the second classifier for the same samples.

    Returns
    -------
    test : :class:`~sklearn.utils.Bunch`
        Dictionary-like object, with the following attributes.

        n_only_first_right : int
            Number of samples on which only the first one is right.
        n_only_second_right : int
            Number of samples on which only the second one is right.
        pvalue : float
            Probability that two equally good classifiers differ this much or more, in either
            direction. 1.0 if there are no such samples.

    See Also
    --------
    compare_classifiers : Tests all pairs of several classifiers.

    References
    ----------
    .. [1] Q. McNemar, "Note on the sampling error of the difference between correlated proportions
       or percentages", Psychometrika 12, 153-157, 1947.

    Examples
    --------
    >>> from skcifar import mcnemar_test
    >>> y_true = [0, 0, 0, 1, 1, 1, 1]
    >>> mcnemar_test(y_true, [0, 0, 0, 1, 1, 1, 0], [1, 1, 1, 0, 0, 1, 0])
    {'n_only_first_right': 5, 'n_only_second_right': 0, 'pvalue': 0.0625}
    """
    y_true, y_pred_1, y_pred_2 = (column_or_1d(y) for y in (y_true, y_pred_1, y_pred_2))
    check_consistent_length(y_true, y_pred_1, y_pred_2)
    unique_labels(y_true, y_pred_1, y_pred_2)  # raises if names are mixed with numbers
    first, second = y_pred_1 == y_true, y_pred_2 == y_true
    n_first, n_second = int(np.sum(first & ~second)), int(np.sum(second & ~first))
    n_differing = n_first + n_second
    pvalue = float(binomtest(n_first, n_differing).pvalue) if n_differing else 1.0
    return Bunch(n_only_first_right=n_first, n_only_second_right=n_second, pvalue=pvalue)


def mcnemar_tests(y_true, predictions):
    """Test all pairs of classifiers by :func:`mcnemar_test`."""
    return [
        Bunch(models=list(pair), **mcnemar_test(y_true, *(predictions[name] for name in pair)))
        for pair in combinations(predictions, 2)
    ]


@validate_params({"confidence_level": CONFIDENCE_LEVELS}, prefer_skip_nested_validation=True)
def accuracy_interval(
    y_true: ArrayLike, y_pred: ArrayLike, *, confidence_level: float = CONFIDENCE_LEVEL
) -> tuple[float, float]:
    """Confidence interval of an accuracy, by Wilson's score interval.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_samples,)
        Actual and predicted classes.

    confidence_level : float, default=0.95
        Share of such intervals, each from new samples, that contain the classifier's accuracy on
        the whole population.

    Returns
    -------
    low, high : float
        Between 0 and 1.

    See Also
    --------
    log_loss_interval : The same for a loss.

    References
    ----------
    .. [1] E. B. Wilson, "Probable inference, the law of succession, and statistical inference",
       Journal of the American Statistical Association 22, 209-212, 1927.

    Examples
    --------
    >>> from skcifar import accuracy_interval
    >>> low, high = accuracy_interval([0, 1, 1, 1], [0, 1, 1, 0])
    >>> print(f"{low:.3f} {high:.3f}")
    0.301 0.954
    """
    y_true, y_pred = column_or_1d(y_true), column_or_1d(y_pred)
    check_consistent_length(y_true, y_pred)
    unique_labels(y_true, y_pred)  # raises if names are mixed with numbers
    test = binomtest(int(np.sum(y_true == y_pred)), len(y_true))
    low, high = test.proportion_ci(confidence_level, method="wilson")
    return float(low), float(high)


@validate_params({"confidence_level": CONFIDENCE_LEVELS}, prefer_skip_nested_validation=True)
def log_loss_interval(
    y_true: ArrayLike,
    y_proba: ArrayLike,
    *,
    labels: ArrayLike,
    confidence_level: float = CONFIDENCE_LEVEL,
) -> tuple[float, float]:
    """Confidence interval of a log loss, by the normal approximation of a mean.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        The actual classes.

    y_proba : array-like of shape (n_samples, n_classes)
        Predicted probabilities, whose columns are in the order of ``labels``.

    labels : array-like of shape (n_classes,)
        All classes, sorted, such as ``classifier.classes_``.

    confidence_level : float, default=0.95
        As in :func:`accuracy_interval`.

    Returns
    -------
    low, high : float
        Not below 0. For a single sample, which says nothing about how losses vary: 0 and infinity.

    See Also
    --------
    accuracy_interval : The same for an accuracy.

    Examples
    --------
    >>> from skcifar import log_loss_interval
    >>> low, high = log_loss_interval([0, 1], [[0.9, 0.1], [0.6, 0.4]], labels=[0, 1])
    >>> print(f"{low:.3f} {high:.3f}")
    0.000 1.306
    """
    y_true = column_or_1d(y_true)
    y_proba = check_array(y_proba, dtype=[np.float64, np.float32])
    check_consistent_length(y_true, y_proba)
    if len(y_true) == 1:
        return 0.0, np.inf
    mean = log_loss(y_true, y_proba, labels=labels)
    of_actual = y_proba[np.arange(len(y_true)), np.searchsorted(labels, y_true)]
    losses = -np.log(np.maximum(of_actual, np.finfo(of_actual.dtype).eps))  # as log_loss has them
    error = losses.std(ddof=1, dtype=float) / np.sqrt(len(losses))
    reach = norm.ppf((1 + confidence_level) / 2) * error
    return max(0.0, float(mean - reach)), float(mean + reach)


def classifier_of(estimator):
    """Return the last step of a Pipeline, and any other estimator as it is."""
    return estimator[-1] if isinstance(estimator, Pipeline) else estimator


def _check_classifier(name, classifier, classes):
    if not hasattr(classifier, "predict_proba"):
        raise TypeError(
            f"{name} is a {type(classifier).__name__} without predict_proba, which its loss needs."
            " Give a classifier that has it."
        )
    check_is_fitted(classifier)
    if not set(classes.tolist()) <= set(classifier.classes_.tolist()):
        raise ValueError(
            f"{name} was trained on the classes {_listed(classifier.classes_)}, but y has"
            f" {_listed(classes)}. Give classifiers that were trained on the classes of y."
        )


def _listed(classes):
    return ", ".join(map(str, classes))


def _scores(part, y_true, y_pred, y_proba, *, labels, confidence_level):
    """Return loss, accuracy and their intervals, by names that begin with the part."""
    level = {"confidence_level": confidence_level}
    return {
        f"{part}_loss": float(log_loss(y_true, y_proba, labels=labels)),
        f"{part}_loss_interval": log_loss_interval(y_true, y_proba, labels=labels, **level),
        f"{part}_accuracy": float(np.mean(y_pred == np.asarray(y_true))),
        f"{part}_accuracy_interval": accuracy_interval(y_true, y_pred, **level),
    }
