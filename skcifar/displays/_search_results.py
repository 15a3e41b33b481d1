"""Scores of a search against the parameters that were searched."""

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike

from ._candidates import candidate_of, last_rows, same, score_name_of, searched_values, short_names
from ._figures import RIGHT_COLOR, WRONG_COLOR, handles_of, put_legend, subplots

if TYPE_CHECKING:
    from matplotlib.axes import Axes


LONGEST_VALUE = 24  # letters


class SearchResultsDisplay:
    """Scores of a search's candidates, against each parameter.

    It is recommended to use :meth:`from_search` to create one. All parameters are stored as
    attributes.

    Parameters
    ----------
    candidates : list of dict
        Parameters of each candidate.

    means, stds : array-like of shape (n_candidates,)
        Mean and standard deviation of its scores over the folds, NaN for candidates that failed.

    best_index : int
        Index of the best candidate.

    survived : array-like of bool of shape (n_candidates,), default=None
        Whether each candidate reached the last round of a halving search. By default, all.

    score_name : str, default="score"
        Name of the scores.

    Attributes
    ----------
    axes_ : ndarray of shape (n_parameters,)
        The axes, one for each parameter that candidates differ in.

    figure_ : matplotlib Figure
        The figure that contains them.

    See Also
    --------
    SearchHistoriesDisplay : How the candidates learned.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.model_selection import GridSearchCV
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from skcifar import SearchResultsDisplay
    >>> grid = {"max_depth": [1, 2, 3], "criterion": ["gini", "entropy"]}
    >>> search = GridSearchCV(DecisionTreeClassifier(), grid).fit(*load_iris(return_X_y=True))
    >>> display = SearchResultsDisplay.from_search(search)
    >>> [axes.get_xlabel() for axes in display.axes_]
    ['criterion', 'max_depth']
    """

    def __init__(
        self,
        *,
        candidates: list[dict],
        means: ArrayLike,
        stds: ArrayLike,
        best_index: int,
        survived: ArrayLike | None = None,
        score_name: str = "score",
    ):
        self.candidates = candidates
        self.means = means
        self.stds = stds
        self.best_index = best_index
        self.survived = survived
        self.score_name = score_name

    def plot(self, *, ax: "Axes | None" = None) -> Self:
        """Draw the scores against each parameter.

        Candidates that share a value are above each other. A line shows their mean, except for a
        halving search, whose candidates had different chances.

        Parameters
        ----------
        ax : matplotlib axes, default=None
            Axes to replace with the panels. By default, a new figure is created.

        Returns
        -------
        display : :class:`SearchResultsDisplay`
            The display, drawn in ``axes_``.
        """
        values_of = searched_values(self.candidates)
        n_columns = min(len(values_of), 3)
        n_rows = -(-len(values_of) // n_columns)
        grid = subplots(n_rows, n_columns, cell_size=(4.2, 3.6), ax=ax)
        self.figure_ = grid.flat[0].figure
        self.axes_ = grid.ravel()[: len(values_of)]
        for axes in grid.ravel()[len(values_of) :]:
            axes.set_axis_off()
        for number, (axes, name) in enumerate(zip(self.axes_, values_of, strict=True)):
            self._draw_panel(axes, name, values_of[name])
            axes.set_xlabel(short_names(values_of)[name])
            if number % n_columns == 0:
                axes.set_ylabel(f"{self.score_name}, mean ± std")
            else:
                axes.tick_params(labelleft=False)
        limits = np.array([axes.get_ylim() for axes in self.axes_])
        for axes in self.axes_:
            axes.set_ylim(limits[:, 0].min(), limits[:, 1].max())
        order = ("best", "candidate", "given", "mean")
        handles = sorted(
            (handle for axes in self.axes_ for handle in handles_of(axes)),
            key=lambda handle: order.index(handle.get_label().split()[0]),
        )
        handles = {handle.get_label(): handle for handle in handles}
        put_legend(self.figure_, self.axes_[0], handles, outside=ax is None, n_columns=4)
        return self

    def _draw_panel(self, axes, name, values):
        survived = [True] * len(self.candidates) if self.survived is None else self.survived
        for position, value in enumerate(values):
            there = [
                number
                for number, params in enumerate(self.candidates)
                if name in params and same(params[name], value)
            ]
            for number in there:
                mean, std = self.means[number], self.stds[number]
                best = number == self.best_index
                label = "candidate" if self.survived is None else "candidate of the last round"
                style = {"fmt": "o", "color": RIGHT_COLOR, "label": label, "markersize": 6}
                style |= {"markerfacecolor": "white", "alpha": 0.6}
                if best:
                    style = {"fmt": "*", "color": WRONG_COLOR, "label": "best", "markersize": 14}
                elif not survived[number]:
                    style |= {"fmt": "x", "color": "0.55", "label": "given up in an earlier round"}
                axes.errorbar(position, mean, std, elinewidth=1, zorder=4 if best else 2, **style)
            means = np.asarray(self.means)[there]
            means = means[np.isfinite(means)]
            if not means.size:
                low = axes.get_xaxis_transform()  # places by value, heights from 0 to 1
                axes.text(position, 0.02, "failed", color="0.4", ha="center", transform=low)
            elif self.survived is None:  # scores of different rounds have no mean
                ends = position - 0.25, position + 0.25
                label = "mean of all with that value"
                axes.hlines(means.mean(), *ends, color="0.4", lw=1.2, label=label)
        names = [_cut(value) for value in values]
        tilted = sum(map(len, names)) > 32
        axes.set_xticks(range(len(values)), names)
        axes.tick_params(axis="x", rotation=25 if tilted else 0)
        axes.set_xlim(-0.6, len(values) - 0.4)
        axes.grid(axis="y", alpha=0.3)

    @classmethod
    def from_search(cls, search: Any, *, ax: "Axes | None" = None) -> Self:
        """Draw the results of a fitted search.

        Parameters
        ----------
        search : GridSearchCV, HalvingGridSearchCV or a similar search
            A fitted search. If it has several scores, the one it chose the best candidate by is
            drawn. For a halving search, each candidate is drawn with the score of its last round.

        ax : matplotlib axes, default=None
            Axes to replace with the panels. By default, a new figure is created.

        Returns
        -------
        display : :class:`SearchResultsDisplay`
            The display, drawn in ``axes_``.

        Raises
        ------
        ValueError
            If the search is not fitted, or has several scores and ``refit`` names none of them.
        """
        score_name = score_name_of(search)
        results = search.cv_results_
        rows = last_rows(search)
        display = cls(
            candidates=[candidate_of(search, row) for row in rows],
            means=results[f"mean_test_{score_name}"][rows],
            stds=results[f"std_test_{score_name}"][rows],
            best_index=rows.index(search.best_index_),
            survived=results["iter"][rows] == max(results["iter"]) if "iter" in results else None,
            score_name=score_name,
        )
        return display.plot(ax=ax)


def _cut(value):
    text = str(value)
    return text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 1]}…"
