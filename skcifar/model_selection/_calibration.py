"""Whether a classifier is right as often as it says, and how many answers are good enough."""

from numbers import Integral

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import check_random_state

from .._sklearn.validation import Interval, checked_probabilities, validate_params
from ._comparisons import CONFIDENCE_LEVEL, CONFIDENCE_LEVELS

N_BINS = 10
N_RESAMPLES = 1000
PRECISION = 0.95  # that answers are asked to have

NUMBERS_OF_BINS = [Interval(Integral, 1, None, closed="left")]


@validate_params({"n_bins": NUMBERS_OF_BINS}, prefer_skip_nested_validation=True)
def expected_calibration_error(
    y_true: ArrayLike,
    y_proba: ArrayLike,
    *,
    labels: ArrayLike | None = None,
    n_bins: int = N_BINS,
) -> float:
    """Mean difference between how sure a classifier is and how often it is right.

    Samples are binned by confidence, the probability of the predicted class. In each bin, the mean
    confidence is compared with the accuracy; bins are weighted by their samples.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        The actual classes.

    y_proba : array-like of shape (n_samples, n_classes)
        Predicted probabilities, with columns in the order of ``labels``. The most probable class
        counts as predicted.

    labels : array-like of shape (n_classes,), default=None
        All classes, such as ``classifier.classes_``. By default, those of ``y_true``, sorted.

    n_bins : int, default=10
        Number of bins of equal width from 0 to 1.

    Returns
    -------
    error : float
        From 0 to 1; lower is better.

    See Also
    --------
    calibration_error_interval : Its confidence interval.
    ReliabilityDisplay : Draws the bins.
    sklearn.metrics.log_loss : Measures calibration and accuracy in one.

    Notes
    -----
    Chance alone makes it larger than 0, more so with fewer samples.

    References
    ----------
    Chuan Guo et al., "On Calibration of Modern Neural Networks", 2017.
    https://arxiv.org/abs/1706.04599

    Examples
    --------
    >>> from skcifar import expected_calibration_error
    >>> y_true, y_proba = [0, 1, 1, 1], [[0.9, 0.1], [0.1, 0.9], [0.6, 0.4], [0.6, 0.4]]
    >>> print(f"{expected_calibration_error(y_true, y_proba):.2f}")
    0.35
    """
    confidences, right = judge_answers(y_true, y_proba, labels)
    return _error(_bins(confidences, n_bins), confidences - right)


@validate_params(
    {
        "n_bins": NUMBERS_OF_BINS,
        "confidence_level": CONFIDENCE_LEVELS,
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def calibration_error_interval(
    y_true: ArrayLike,
    y_proba: ArrayLike,
    *,
    labels: ArrayLike | None = None,
    n_bins: int = N_BINS,
    confidence_level: float = CONFIDENCE_LEVEL,
    random_state: int | np.random.RandomState | None = None,
) -> tuple[float, float]:
    """Confidence interval of an expected calibration error, by the basic bootstrap.

    Resamples have a larger error than the sample, by about as much as the sample has a larger one
    than the population. The basic bootstrap subtracts that.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        The actual classes.

    y_proba : array-like of shape (n_samples, n_classes)
        Predicted probabilities, with columns in the order of ``labels``.

    labels : array-like of shape (n_classes,), default=None
        All classes, such as ``classifier.classes_``. By default, those of ``y_true``, sorted.

    n_bins : int, default=10
        Number of bins of equal width from 0 to 1.

    confidence_level : float, default=0.95
        As in :func:`accuracy_interval`.

    random_state : int, RandomState instance or None, default=None
        Determines the 1000 resamples. Pass an int for the same interval every time.

    Returns
    -------
    low, high : float
        From 0 to 1.

    See Also
    --------
    expected_calibration_error : The error itself.

    Examples
    --------
    >>> from skcifar import calibration_error_interval
    >>> y_true, y_proba = [0, 1] * 50, [[0.9, 0.1]] * 100  # sure, and right half the time
    >>> low, high = calibration_error_interval(y_true, y_proba, random_state=0)
    >>> print(f"{low:.1f} {high:.1f}")
    0.3 0.5
    """
    confidences, right = judge_answers(y_true, y_proba, labels)
    _, low, high = error_with_interval(confidences, right, n_bins, confidence_level, random_state)
    return low, high


def error_with_interval(
    confidences, right, n_bins=N_BINS, confidence_level=CONFIDENCE_LEVEL, random_state=0
):
    """Return the calibration error and both ends of its interval."""
    bins, gaps = _bins(confidences, n_bins), confidences - right
    random, n_samples = check_random_state(random_state), len(gaps)
    errors = np.empty(N_RESAMPLES)
    for number in range(N_RESAMPLES):
        drawn = random.randint(n_samples, size=n_samples)
        errors[number] = _error(bins[drawn], gaps[drawn])
    error, outside = _error(bins, gaps), (1 - confidence_level) / 2
    ends = 2 * error - np.quantile(errors, [1 - outside, outside])
    low, high = np.clip(ends, 0, 1).tolist()
    return error, low, high


def judge_answers(y_true, y_proba, labels):
    """Return how sure each answer is, and whether it is right."""
    actual, y_proba, _ = checked_probabilities(y_true, y_proba, labels)
    return y_proba.max(axis=1).astype(float), y_proba.argmax(axis=1) == actual


def reliability_bins(confidences, right, n_bins):
    """Return how many samples each bin has, their mean confidence, and how many are right."""
    bins = _bins(confidences, n_bins)
    counts = np.bincount(bins, minlength=n_bins)
    sums = np.bincount(bins, weights=confidences, minlength=n_bins)
    n_right = np.bincount(bins, weights=right, minlength=n_bins).astype(int)
    return counts, sums / np.maximum(counts, 1), n_right


def coverage_curve(confidences, right):
    """Return, by the least confidence that is answered: how many are, and what share is right."""
    order = np.argsort(-confidences, kind="stable")
    least = confidences[order]
    n_answered = np.arange(1, len(least) + 1)
    accuracy = np.cumsum(right[order]) / n_answered
    ends = np.append(least[1:] != least[:-1], True)  # equally sure ones are answered or are not
    return least[ends], n_answered[ends], accuracy[ends]


def answers_at_precision(confidences, right, precision):
    """Return how many answers there are if that share must be right, and the least confidence."""
    least, n_answered, accuracy = coverage_curve(confidences, right)
    enough = np.flatnonzero(accuracy >= precision)
    if not enough.size:
        return 0, None
    return int(n_answered[enough[-1]]), float(least[enough[-1]])


def _bins(confidences, n_bins):
    return np.minimum((confidences * n_bins).astype(int), n_bins - 1)


def _error(bins, gaps):
    return float(np.abs(np.bincount(bins, weights=gaps)).sum() / len(gaps))
