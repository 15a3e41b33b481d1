"""Learning curves of one classifier."""

from typing import TYPE_CHECKING, Any, Self

import numpy as np

from ..model_selection._comparisons import classifier_of
from ._figures import COLORS, RIGHT_COLOR, WRONG_COLOR, dress_epochs, subplots

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_MARKERS = 25  # of single epochs on a curve; more of them run into each other


class TrainingHistoryDisplay:
    """Learning curves: loss and accuracy after each epoch of training.

    It is recommended to use :meth:`from_estimator` to create one. All parameters are stored as
    attributes.

    Parameters
    ----------
    history : dict of str to list of float
        ``loss``, ``accuracy`` or both after each epoch, as in the ``history_`` of a classifier, and
        ``val_loss`` and ``val_accuracy`` if any. Values may be NaN.

    Attributes
    ----------
    axes_ : ndarray of shape (n_measures,)
        The axes of loss and of accuracy, if the history has them.

    figure_ : matplotlib Figure
        The figure that contains them.

    See Also
    --------
    ComparisonDisplay : The curves of several classifiers, and more.

    Examples
    --------
    >>> from skcifar import TrainingHistoryDisplay
    >>> history = {"loss": [2.0, 1.5], "accuracy": [0.3, 0.5]}
    >>> display = TrainingHistoryDisplay(history=history).plot()
    >>> [axes.get_ylabel() for axes in display.axes_]
    ['loss', 'accuracy']
    """

    def __init__(self, *, history: dict[str, list[float]]):
        self.history = history

    def plot(self, *, ax: "Axes | None" = None) -> Self:
        """Draw loss on the left and accuracy on the right.

        If there are validation scores, a star marks the epoch with the highest ``val_accuracy``,
        the first one if there are several.

        Parameters
        ----------
        ax : matplotlib axes, default=None
            Axes to replace with the curves. By default, a new figure is created.

        Returns
        -------
        display : :class:`TrainingHistoryDisplay`
            The display, drawn in ``axes_``.

        Raises
        ------
        ValueError
            If the history has neither loss nor accuracy.
        """
        names = measured_in([self.history])
        self.axes_ = subplots(1, len(names), cell_size=(4.5, 3.4), ax=ax).ravel()
        self.figure_ = self.axes_[0].figure
        best = _best_epoch(self.history.get("val_accuracy", []))
        for axes, name in zip(self.axes_, names, strict=True):
            lines = [draw_curve(axes, self.history[name], RIGHT_COLOR, "o", label="training")]
            if f"val_{name}" in self.history:
                values = self.history[f"val_{name}"]
                style = {"linestyle": "--", "label": "validation"}
                lines.append(draw_curve(axes, values, WRONG_COLOR, "s", **style))
                if best is not None:
                    _mark(axes, best, values[best - 1])
                axes.legend()
            _write_last_values(axes, lines)
            title = f"{name.capitalize()} while training"
            axes.set(title=title, xlabel="epoch", ylabel=name)
            dress_epochs(axes)
            left, right = axes.get_xlim()
            axes.set_xlim(left, right + 0.12 * (right - left))  # for the last values
        return self

    @classmethod
    def from_estimator(cls, estimator: Any, *, ax: "Axes | None" = None) -> Self:
        """Draw the training of a fitted estimator.

        Parameters
        ----------
        estimator : estimator instance
            A fitted classifier with ``history_``, or a Pipeline that ends in one.

        ax : matplotlib axes, default=None
            Axes to replace with the curves. By default, a new figure is created.

        Returns
        -------
        display : :class:`TrainingHistoryDisplay`
            The display, drawn in ``axes_``.

        Raises
        ------
        ValueError
            If the estimator keeps no history or is not fitted.
        """
        last = classifier_of(estimator)
        if not hasattr(last, "history_"):
            raise ValueError(
                f"{type(last).__name__} has no history_ to draw. Give a fitted classifier that"
                " keeps one, such as DenseClassifier, or a Pipeline that ends in one."
            )
        return cls(history=last.history_).plot(ax=ax)


def measured_in(histories):
    """Which of loss and accuracy there are to draw."""
    names = [name for name in ("loss", "accuracy") if any(name in h for h in histories)]
    if not names:
        raise ValueError(
            "There is no history with a loss or an accuracy to draw. Give the history_ of a"
            " classifier that keeps one, such as DenseClassifier."
        )
    return names


def draw_curve(axes, values, color, marker, **style):
    """Draw what was measured after each epoch."""
    epochs = np.arange(1, len(values) + 1)
    known = np.isfinite(np.pad(np.asarray(values, float), 1, constant_values=np.nan))
    alone = known[1:-1] & ~known[:-2] & ~known[2:]
    in_step = np.arange(len(values)) % -(-len(values) // MOST_MARKERS) == 0
    marked = {"marker": marker, "markersize": 4, "markevery": np.flatnonzero(alone | in_step)}
    return axes.plot(epochs, values, color=color, **marked, **style)[0]


def _best_epoch(scores):
    """The epoch of the highest score, counted from 1, or None if there is no score."""
    return int(np.nanargmax(scores)) + 1 if np.isfinite(scores).any() else None


def _mark(axes, epoch, value):
    style = {"marker": "*", "markersize": 15, "markeredgecolor": "white", "linestyle": "none"}
    axes.plot(epoch, value, color=COLORS[2], zorder=3, label=f"best epoch ({epoch})", **style)


def _write_last_values(axes, lines):
    """Write the last value of each curve beside it, the higher one above, the lower one below."""
    lasts = []
    for line in lines:
        known = np.flatnonzero(np.isfinite(line.get_ydata()))
        if known.size:
            lasts.append((line.get_ydata()[known[-1]], line.get_xdata()[known[-1]], line))
    for value, epoch, line in lasts:
        below = len(lasts) > 1 and line is min(lasts, key=lambda last: last[0])[2]
        axes.annotate(
            f"{value:.3f}",
            (epoch, value),
            xytext=(6, 0),
            textcoords="offset points",
            verticalalignment="top" if below else "bottom",
            color=line.get_color() if len(lines) > 1 else "black",
        )
