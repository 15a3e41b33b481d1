"""Learning curves of a search's candidates."""

from typing import TYPE_CHECKING, Any, Self

import numpy as np

from ._candidates import candidate_labels, candidate_of, last_rows
from ._figures import COLORS, MARKERS, dress_epochs, handles_of, put_legend, subplots
from ._training_history import measured_in

if TYPE_CHECKING:
    from matplotlib.axes import Axes

OTHER_COLOR = "0.75"
LINES = ("-", "--", "-.", ":", "-")  # the colour-blind take some of the colours for each other


class SearchHistoriesDisplay:
    """Learning curves of a search's candidates, averaged over the folds.

    It is recommended to use :meth:`from_search` to create one. All parameters are stored as
    attributes.

    Parameters
    ----------
    candidates : list of dict
        Parameters of each candidate, the best first.

    histories : list of list
        For each candidate, the history of each fold, or None: ``loss``, ``accuracy`` or both, and
        ``val_loss`` and ``val_accuracy`` if any.

    Attributes
    ----------
    axes_ : ndarray of shape (n_measures,)
        The axes of loss and of accuracy, if the histories have them.

    figure_ : matplotlib Figure
        The figure that contains them.

    See Also
    --------
    TrainingHistoryDisplay : The curves of one classifier.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skcifar import DenseClassifier, ResumableGridSearchCV, SearchHistoriesDisplay
    >>> classifier = DenseClassifier(hidden_layer_sizes=(8,), epochs=2, random_state=0)
    >>> search = ResumableGridSearchCV(classifier, {"learning_rate": [0.01, 0.1]}, cv=2)
    >>> search = search.fit(*load_iris(return_X_y=True))
    >>> display = SearchHistoriesDisplay.from_search(search)
    >>> [axes.get_ylabel() for axes in display.axes_]
    ['loss', 'accuracy']
    """

    def __init__(self, *, candidates: list[dict], histories: list[list]):
        self.candidates = candidates
        self.histories = histories

    def plot(self, *, ax: "Axes | None" = None) -> Self:
        """Draw loss on the left and accuracy on the right.

        The best candidates are drawn in colour, the very best with a thick line, and the rest in
        grey. Values are from validation if there was any, otherwise from training.

        Parameters
        ----------
        ax : matplotlib axes, default=None
            Axes to replace with the curves. By default, a new figure is created.

        Returns
        -------
        display : :class:`SearchHistoriesDisplay`
            The display, drawn in ``axes_``.

        Raises
        ------
        ValueError
            If no candidate has a history with a loss or an accuracy.
        """
        reported = [[h for h in folds if h] for folds in self.histories]
        every = [history for folds in reported for history in folds]
        names = measured_in(every)
        validated = all(f"val_{names[0]}" in history for history in every)
        labels = candidate_labels(self.candidates)
        self.axes_ = subplots(1, len(names), cell_size=(5, 4.6), ax=ax).ravel()
        self.figure_ = self.axes_[0].figure
        what = "on validation samples" if validated else "while training"
        for axes, name in zip(self.axes_, names, strict=True):
            key = f"val_{name}" if validated else name
            for rank, (label, folds) in reversed(
                list(enumerate(zip(labels, reported, strict=True)))
            ):
                curves = [history[key] for history in folds if key in history]
                if not curves:
                    continue
                style = {"color": OTHER_COLOR, "lw": 1, "marker": ".", "label": "others"}
                if rank < len(COLORS):
                    style = {
                        "color": COLORS[rank],
                        "lw": 1.5 if rank else 3,
                        "ls": LINES[rank],
                        "marker": MARKERS[rank],
                        "markersize": 3.5 if rank else 6,
                        "label": label if rank else f"best: {label}",
                    }
                values = _mean_curve(curves)
                axes.plot(np.arange(1, len(values) + 1), values, **style)
            axes.set(title=f"{name.capitalize()} {what}", xlabel="epoch", ylabel=name)
            dress_epochs(axes)
            _fit_to_best(axes)
        drawn = reversed(handles_of(self.axes_[0]))  # the best first, others last
        handles = {line.get_label(): line for line in drawn}
        put_legend(self.figure_, self.axes_[0], handles, outside=ax is None, n_columns=1)
        return self

    @classmethod
    def from_search(cls, search: Any, *, ax: "Axes | None" = None) -> Self:
        """Draw the learning curves of a fitted search.

        Parameters
        ----------
        search : ResumableGridSearchCV or ResumableHalvingGridSearchCV
            A fitted search over classifiers that keep a ``history_``.

        ax : matplotlib axes, default=None
            Axes to replace with the curves. By default, a new figure is created.

        Returns
        -------
        display : :class:`SearchHistoriesDisplay`
            The display, drawn in ``axes_``.

        Raises
        ------
        ValueError
            If the search is not fitted, or no candidate kept a history.
        """
        rows = last_rows(search)
        if not any(history for folds in getattr(search, "histories_", []) for history in folds):
            raise ValueError(
                f"No candidate of this {type(search).__name__} kept a history. Search with"
                " ResumableGridSearchCV or ResumableHalvingGridSearchCV over classifiers that"
                " have a history_, such as DenseClassifier."
            )
        return cls(
            candidates=[candidate_of(search, row) for row in rows],
            histories=[search.histories_[row] for row in rows],
        ).plot(ax=ax)


def _mean_curve(curves):
    """Average curves that may be of different lengths, and hold NaN."""
    table = np.full((len(curves), max(map(len, curves))), np.nan)
    for row, values in zip(table, curves, strict=True):
        row[: len(values)] = values
    known = np.isfinite(table)
    counts = known.sum(axis=0)
    return np.where(known, table, 0).sum(axis=0) / np.where(counts, counts, np.nan)


def _fit_to_best(axes):
    """Leave out of sight what the others do far away from the best, such as losses of 100."""
    lines = [line for line in axes.get_lines() if line.get_label() != "others"]
    values = np.concatenate([line.get_ydata() for line in lines] or [[]])
    values = values[np.isfinite(values)]
    if values.size and np.ptp(values):
        margin = 0.15 * np.ptp(values)
        axes.set_ylim(values.min() - margin, values.max() + margin)
