"""Whether a classifier is right as often as it says."""

from numbers import Real
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import binomtest

from .._sklearn.validation import Interval, validate_params
from ..model_selection._calibration import (
    N_BINS,
    NUMBERS_OF_BINS,
    PRECISION,
    answers_at_precision,
    coverage_curve,
    error_with_interval,
    judge_answers,
    reliability_bins,
)
from ._figures import COLORS, RIGHT_COLOR, place_for
from ._pictures import check_has_probabilities, format_probability

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TITLE_PAD = 22  # points above the panels, with a legend between
IN_SIGHT = 0.02  # share of the samples from which on an accuracy is more than chance


class ReliabilityDisplay:
    """Accuracy against confidence, and against the share of samples that is answered.

    It is recommended to use :meth:`from_estimator` or :meth:`from_predictions` to create one. All
    parameters are stored as attributes.

    Parameters
    ----------
    confidences : ndarray of shape (n_samples,)
        The probability of each predicted class, from 0 to 1.

    right : ndarray of bool of shape (n_samples,)
        Whether that class is the actual one.

    Attributes
    ----------
    axes_ : ndarray of shape (3,)
        The axes of accuracy against confidence, of the number of samples below it, and of accuracy
        against the share of samples that is answered.

    figure_ : matplotlib Figure
        The figure that contains them.

    See Also
    --------
    expected_calibration_error : The diagram as one number.
    AbstainingClassifier : Answers only where a class is probable enough.
    sklearn.calibration.CalibrationDisplay : The same for the probability of one of two classes.

    Notes
    -----
    An overconfident classifier has points below the diagonal. Scikit-learn's
    :class:`~sklearn.calibration.CalibratedClassifierCV` corrects that, with pictures that were not
    used in training. Its temperature scaling makes all probabilities less extreme, or more, and
    leaves the predicted classes unchanged.

    Examples
    --------
    >>> from sklearn.calibration import CalibratedClassifierCV
    >>> from sklearn.frozen import FrozenEstimator
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from sklearn.pipeline import make_pipeline
    >>> from skcifar import ImageFlattener, ReliabilityDisplay, load_digit_images
    >>> X, y = load_digit_images(return_X_y=True)
    >>> X = X[:, ::4, ::4]  # 8 by 8 pixels
    >>> model = make_pipeline(ImageFlattener(), GaussianNB(var_smoothing=0.1))
    >>> model = model.fit(X[:500], y[:500])
    >>> display = ReliabilityDisplay.from_estimator(model, X[1000:], y[1000:])
    >>> calibrated = CalibratedClassifierCV(FrozenEstimator(model), method="temperature")
    >>> calibrated = calibrated.fit(X[500:1000], y[500:1000])
    >>> display_calibrated = ReliabilityDisplay.from_estimator(calibrated, X[1000:], y[1000:])
    >>> bool(display_calibrated.confidences.mean() < display.confidences.mean())
    True
    """

    def __init__(self, *, confidences: np.ndarray, right: np.ndarray):
        self.confidences = confidences
        self.right = right

    @validate_params(
        {"n_bins": NUMBERS_OF_BINS, "precision": [Interval(Real, 0, 1, closed="right")]},
        prefer_skip_nested_validation=False,
    )
    def plot(
        self, *, n_bins: int = N_BINS, precision: float = PRECISION, ax: "Axes | None" = None
    ) -> Self:
        """Draw accuracy against confidence, and against the share that is answered.

        Parameters
        ----------
        n_bins : int, default=10
            Number of bins of equal width from 0 to 1.

        precision : float, default=0.95
            Share of the answers that must be right; the number of answers this leaves is marked.

        ax : matplotlib axes, default=None
            Axes to replace with the panels. By default, a new figure is created.

        Returns
        -------
        display : :class:`ReliabilityDisplay`
            The display, drawn in ``axes_``.
        """
        confidences, right = np.asarray(self.confidences, float), np.asarray(self.right, bool)
        self.figure_, place, _ = place_for(ax, size=(10.5, 4.6))
        left, of_coverage = place.subgridspec(1, 2, wspace=0.25)
        above, below = left.subgridspec(2, 1, height_ratios=[3, 1], hspace=0.1)
        diagram = self.figure_.add_subplot(above)
        counts = self.figure_.add_subplot(below, sharex=diagram)
        coverage = self.figure_.add_subplot(of_coverage)
        self.axes_ = np.array([diagram, counts, coverage])
        _draw_bins(diagram, counts, confidences, right, n_bins)
        _draw_coverage(coverage, confidences, right, precision)
        return self

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: ArrayLike,
        y: ArrayLike,
        *,
        n_bins: int = N_BINS,
        precision: float = PRECISION,
        ax: "Axes | None" = None,
    ) -> Self:
        """Draw how reliable an estimator is.

        Parameters
        ----------
        estimator : estimator instance
            A fitted classifier with ``predict_proba``, or a Pipeline that ends in one.

        X : array-like of shape (n_samples, ...)
            Samples that it was not trained on.

        y : array-like of shape (n_samples,)
            The actual classes.

        n_bins : int, default=10
            Number of bins of equal width from 0 to 1.

        precision : float, default=0.95
            Share of the answers that must be right; the number of answers this leaves is marked.

        ax : matplotlib axes, default=None
            Axes to replace with the panels. By default, a new figure is created.

        Returns
        -------
        display : :class:`ReliabilityDisplay`
            The display, drawn in ``axes_``.

        Raises
        ------
        ValueError
            If the estimator does not predict probabilities, or does not know a class of ``y``.
        """
        check_has_probabilities(estimator)
        options = {"n_bins": n_bins, "precision": precision, "ax": ax}
        y_proba = estimator.predict_proba(X)
        return cls.from_predictions(y, y_proba, classes=estimator.classes_, **options)

    @classmethod
    def from_predictions(
        cls,
        y_true: ArrayLike,
        y_proba: ArrayLike,
        *,
        classes: ArrayLike | None = None,
        n_bins: int = N_BINS,
        precision: float = PRECISION,
        ax: "Axes | None" = None,
    ) -> Self:
        """Draw how reliable existing probabilities are.

        Parameters
        ----------
        y_true : array-like of shape (n_samples,)
            The actual classes.

        y_proba : array-like of shape (n_samples, n_classes)
            The probability of each class. The most probable one counts as predicted.

        classes : array-like of shape (n_classes,), default=None
            The class of each column of ``y_proba``. By default, those of ``y_true``, sorted.

        n_bins : int, default=10
            Number of bins of equal width from 0 to 1.

        precision : float, default=0.95
            Share of the answers that must be right; the number of answers this leaves is marked.

        ax : matplotlib axes, default=None
            Axes to replace with the panels. By default, a new figure is created.

        Returns
        -------
        display : :class:`ReliabilityDisplay`
            The display, drawn in ``axes_``.

        Raises
        ------
        ValueError
            If the columns do not match the classes, or ``y_true`` holds other classes.
        """
        confidences, right = judge_answers(y_true, y_proba, classes)
        display = cls(confidences=confidences, right=right)
        return display.plot(n_bins=n_bins, precision=precision, ax=ax)


def _draw_bins(diagram, counts, confidences, right, n_bins):
    """Draw the accuracy in each bin with its interval, and how many samples it is of."""
    in_bin, means, n_right = reliability_bins(confidences, right, n_bins)
    filled = np.flatnonzero(in_bin)
    shares = n_right[filled] / in_bin[filled]
    tests = [binomtest(int(n_right[k]), int(in_bin[k])) for k in filled]
    ends = np.array([test.proportion_ci(method="wilson") for test in tests])
    diagram.plot([0, 1], [0, 1], "--", color="0.5", label="as often right as sure")
    reach = np.abs(ends.T - shares)
    style = {"fmt": "o", "color": RIGHT_COLOR, "capsize": 2, "elinewidth": 1}
    diagram.errorbar(means[filled], shares, reach, label="with 95 % interval", **style)
    error, low, high = error_with_interval(confidences, right, n_bins)
    text = f"Calibration error {error:.3f} ({low:.3f} to {high:.3f})"
    diagram.set_title(text, pad=TITLE_PAD)
    diagram.set(ylabel="share that is right", xlim=(-0.03, 1.03), ylim=(-0.03, 1.03))
    diagram.tick_params(labelbottom=False)
    above = {"loc": "lower center", "bbox_to_anchor": (0.5, 1), "ncols": 2, "frameon": False}
    legend = diagram.legend(**above, borderaxespad=0.2, fontsize=9)  # points may be anywhere below
    legend.set_in_layout(False)  # the panel would become narrower for it
    diagram.grid(alpha=0.3)

    places = (np.arange(n_bins) + 0.5) / n_bins
    bars = counts.bar(places, in_bin, width=0.9 / n_bins, color="0.6")
    if n_bins <= N_BINS:
        counts.bar_label(bars, [f"{n:,}" if n else "" for n in in_bin], fontsize=8)
    counts.margins(y=0.3)
    counts.set(xlabel="probability of the predicted class", ylabel="samples")


def _draw_coverage(axes, confidences, right, precision):
    """Draw the accuracy of the surest answers against their share, and mark the precision."""
    n_samples = len(right)
    _, n_answered, accuracy = coverage_curve(confidences, right)
    n, needed = answers_at_precision(confidences, right, precision)
    axes.plot(n_answered / n_samples, accuracy, color=RIGHT_COLOR, label="accuracy of answers")
    axes.axhline(precision, ls="--", color="0.5", label=f"{100 * precision:g} % right")
    if n:
        share = n / n_samples
        text = f"from probability {format_probability(needed)} on"
        style = {"markersize": 15, "markeredgecolor": "white", "ls": "none", "zorder": 3}
        style["clip_on"] = False
        axes.plot(share, accuracy[n_answered == n], "*", color=COLORS[2], label=text, **style)
    in_sight = accuracy[n_answered >= IN_SIGHT * n_samples]
    low = min(in_sight.min(), precision)
    text = f"At {100 * precision:g} % right: {n:,} of {n_samples:,} answered"
    axes.set_title(text, pad=TITLE_PAD)
    axes.set(
        xlabel="share of samples that is answered, the surest first",
        ylabel="share of answers that is right",
        xlim=(0, 1),
        ylim=(low - 0.08 * (1 - low) - 0.01, 1 + 0.05 * (1 - low) + 0.002),
    )
    axes.legend(loc="lower left", fontsize=9)
    axes.grid(alpha=0.3)
