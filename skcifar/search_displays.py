"""Pictures of searches over parameters, and who did how well in them.

Any fitted search of scikit-learn's kind is enough.
"""

from contextlib import suppress
from numbers import Real

import numpy as np

from .displays import RIGHT_COLOR, WRONG_COLOR, dress_epochs, subplots

# the rest of the Okabe-Ito palette follows the two that the other pictures have
BEST_COLORS = (RIGHT_COLOR, WRONG_COLOR, "#009E73", "#CC79A7", "#E69F00")  # in order of rank
OTHER_COLOR = "0.75"
BEST_MARKERS = "osD^v"


class SearchResultsDisplay:
    """Scores of a search over parameters: how each candidate did, against each parameter.

    It is recommended to use :meth:`from_search` to create one. All parameters are stored as
    attributes.

    Parameters
    ----------
    candidates : list of dict
        Parameters of each candidate.

    means, stds : array-like of shape (n_candidates,)
        Mean and standard deviation of its scores over the folds. Those of candidates that failed
        are NaN.

    best_index : int
        Which candidate is the best.

    survived : array-like of bool of shape (n_candidates,), default=None
        Whether a candidate came into the last round of a halving search. By default, all.

    score_name : str, default="score"
        What the scores are.

    Attributes
    ----------
    axes_ : ndarray of shape (n_parameters,)
        The axes, one for each parameter that candidates differ in.

    figure_ : matplotlib Figure
        The figure that they are in.

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

    def __init__(self, *, candidates, means, stds, best_index, survived=None, score_name="score"):
        self.candidates = candidates
        self.means = means
        self.stds = stds
        self.best_index = best_index
        self.survived = survived
        self.score_name = score_name

    def plot(self, *, ax=None):
        """Draw the scores against each parameter.

        Candidates that share a value stand beside each other. A line is their mean, but for a
        halving search, whose candidates had different chances.

        Parameters
        ----------
        ax : matplotlib axes, default=None
            Axes whose place the panels take. By default a new figure is made.

        Returns
        -------
        display : :class:`SearchResultsDisplay`
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
            (handle for axes in self.axes_ for handle in _handles(axes)),
            key=lambda handle: order.index(handle.get_label().split()[0]),
        )
        handles = {handle.get_label(): handle for handle in handles}
        _put_legend(self.figure_, self.axes_[0], handles, outside=ax is None, n_columns=4)
        return self

    def _draw_panel(self, axes, name, values):
        survived = [True] * len(self.candidates) if self.survived is None else self.survived
        for position, value in enumerate(values):
            there = [
                number
                for number, params in enumerate(self.candidates)
                if name in params and _same(params[name], value)
            ]
            places = position + _spread(len(there))
            for place, number in zip(places, there, strict=True):
                mean, std = self.means[number], self.stds[number]
                best = number == self.best_index
                label = "candidate" if self.survived is None else "candidate of the last round"
                style = {"fmt": "o", "color": RIGHT_COLOR, "label": label, "markersize": 5}
                if best:
                    style = {"fmt": "*", "color": WRONG_COLOR, "label": "best", "markersize": 14}
                elif not survived[number]:
                    style |= {"fmt": "x", "color": "0.55", "label": "given up in an earlier round"}
                axes.errorbar(
                    place, mean, std, capsize=2, elinewidth=1, zorder=3 if best else 2, **style
                )
            means = np.asarray(self.means)[there]
            means = means[np.isfinite(means)]
            if not means.size:
                low = axes.get_xaxis_transform()  # places by value, heights from 0 to 1
                axes.text(position, 0.02, "failed", color="0.4", ha="center", transform=low)
            elif self.survived is None:  # scores of different rounds have no mean
                ends = position - 0.4, position + 0.4
                label = "mean of all with that value"
                axes.hlines(means.mean(), *ends, color="0.4", lw=1.2, label=label)
        names = [_short(value) for value in values]
        tilted = sum(map(len, names)) > 32
        axes.set_xticks(range(len(values)), names)
        axes.tick_params(axis="x", rotation=25 if tilted else 0)
        axes.set_xlim(-0.6, len(values) - 0.4)
        axes.grid(axis="y", alpha=0.3)

    @classmethod
    def from_search(cls, search, *, ax=None):
        """Draw the results of a fitted search.

        Parameters
        ----------
        search : GridSearchCV, HalvingGridSearchCV or another of their kind
            Fitted. If it has several scores, the one by which it chose the best is drawn. Of a
            halving search each candidate is drawn as it did in its last round.

        ax : matplotlib axes, default=None
            Axes whose place the panels take. By default a new figure is made.

        Returns
        -------
        display : :class:`SearchResultsDisplay`
        """
        results = search.cv_results_
        score_name = search.refit if search.multimetric_ else "score"
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


class SearchHistoriesDisplay:
    """Learning curves of a search's candidates, averaged over the folds.

    It is recommended to use :meth:`from_search` to create one. All parameters are stored as
    attributes.

    Parameters
    ----------
    candidates : list of dict
        Parameters of each candidate, the best first.

    histories : list of list
        For each candidate, the history of each fold, or None: ``loss`` and ``accuracy``, and
        ``val_loss`` and ``val_accuracy`` where there are any.

    Attributes
    ----------
    axes_ : ndarray of shape (2,)
        The axes of loss and of accuracy.

    figure_ : matplotlib Figure
        The figure that they are in.

    See Also
    --------
    TrainingHistoryDisplay : The curves of one classifier.
    """

    def __init__(self, *, candidates, histories):
        self.candidates = candidates
        self.histories = histories

    def plot(self, *, ax=None):
        """Draw loss on the left and accuracy on the right.

        The best candidates are in colour, the very best one in a thick line, and the rest in grey.
        Where there was something to validate on, these values are drawn, otherwise those of
        training.

        Parameters
        ----------
        ax : matplotlib axes, default=None
            Axes whose place the curves take. By default a new figure is made.

        Returns
        -------
        display : :class:`SearchHistoriesDisplay`
        """
        self.axes_ = subplots(1, 2, cell_size=(5, 4.6), ax=ax).ravel()
        self.figure_ = self.axes_[0].figure
        labels = candidate_labels(self.candidates)
        told = [[h for h in folds if h] for folds in self.histories]
        validated = all("val_loss" in history for folds in told for history in folds)
        what = "on validation samples" if validated else "while training"
        for axes, name in zip(self.axes_, ("loss", "accuracy"), strict=True):
            key = f"val_{name}" if validated else name
            for rank, (label, folds) in reversed(list(enumerate(zip(labels, told, strict=True)))):
                if not folds:
                    continue
                style = {"color": OTHER_COLOR, "lw": 1, "marker": ".", "label": "others"}
                if rank < len(BEST_COLORS):
                    style = {
                        "color": BEST_COLORS[rank],
                        "lw": 1.5 if rank else 3,
                        "marker": BEST_MARKERS[rank],
                        "markersize": 3.5 if rank else 6,
                        "label": label if rank else f"best: {label}",
                    }
                values = _mean_curve([history[key] for history in folds])
                axes.plot(np.arange(1, len(values) + 1), values, **style)
            axes.set(title=f"{name.capitalize()} {what}", xlabel="epoch", ylabel=name)
            dress_epochs(axes)
            _fit_to_best(axes)
        drawn = reversed(_handles(self.axes_[0]))  # the best first, others last
        handles = {line.get_label(): line for line in drawn}
        _put_legend(self.figure_, self.axes_[0], handles, outside=ax is None, n_columns=1)
        return self

    @classmethod
    def from_search(cls, search, *, ax=None):
        """Draw the learning curves of a fitted search.

        Parameters
        ----------
        search : DistributedGridSearchCV or DistributedHalvingGridSearchCV
            Fitted, over classifiers that keep a ``history_``.

        ax : matplotlib axes, default=None
            Axes whose place the curves take. By default a new figure is made.

        Returns
        -------
        display : :class:`SearchHistoriesDisplay`

        Raises
        ------
        ValueError
            If no candidate kept a history.
        """
        if not any(history for folds in search.histories_ for history in folds):
            raise ValueError(
                f"No candidate of this {type(search).__name__} kept a history. Search over"
                " classifiers that have a history_, such as DenseClassifier."
            )
        rows = last_rows(search)
        return cls(
            candidates=[candidate_of(search, row) for row in rows],
            histories=[search.histories_[row] for row in rows],
        ).plot(ax=ax)


def last_rows(search):
    """Tell the row of each candidate in the results of a search, the best first.

    Parameters
    ----------
    search : GridSearchCV, HalvingGridSearchCV or another of their kind
        Fitted.

    Returns
    -------
    rows : list of int
        Of a halving search, the last row of each candidate; those that came further are better.
    """
    results = search.cv_results_
    score_name = search.refit if search.multimetric_ else "score"
    means = np.nan_to_num(results[f"mean_test_{score_name}"], nan=-np.inf)
    rounds = np.asarray(results.get("iter", np.zeros(len(means), int)))
    # the chosen one is first, even if another has the same score
    order = sorted(
        range(len(means)), key=lambda row: (row != search.best_index_, -rounds[row], -means[row])
    )
    rows = {}
    for row in order:
        rows.setdefault(repr(candidate_of(search, row)), row)
    return list(rows.values())


def candidate_of(search, row):
    """Tell the parameters in a row of a search's results, less those that a round sets.

    Parameters
    ----------
    search : GridSearchCV, HalvingGridSearchCV or another of their kind
        Fitted.

    row : int
        Which row.

    Returns
    -------
    params : dict
    """
    params = search.cv_results_["params"][row]
    return {k: v for k, v in params.items() if k != getattr(search, "resource", None)}


def searched_values(candidates):
    """Tell the values of each parameter that candidates differ in.

    Parameters
    ----------
    candidates : list of dict
        Their parameters.

    Returns
    -------
    values : dict of str to list
        Numbers in their order, other values as they come first. All parameters, if none differs.
    """
    values = {}
    for params in candidates:
        for name, value in params.items():
            known = values.setdefault(name, [])
            if not any(_same(value, other) for other in known):
                known.append(value)
    for known in values.values():
        if all(isinstance(value, (Real, tuple, list)) for value in known):
            with suppress(TypeError):  # of tuples and numbers side by side
                known.sort()
    partly = {n for n in values if any(n not in params for params in candidates)}
    differing = {n: v for n, v in values.items() if len(v) > 1 or n in partly}
    return differing or values


def short_names(names):
    """Leave out the steps of a Pipeline from names of parameters, as far as they stay different.

    Parameters
    ----------
    names : iterable of str
        Such as ``classify__alpha``.

    Returns
    -------
    short : dict of str to str
        Such as ``alpha``.
    """
    names = list(names)
    ends = [name.rpartition("__")[-1] for name in names]
    return {
        name: end if ends.count(end) == 1 else name for name, end in zip(names, ends, strict=True)
    }


def candidate_labels(candidates):
    """Tell each candidate by the parameters that they differ in.

    Parameters
    ----------
    candidates : list of dict
        Their parameters.

    Returns
    -------
    labels : list of str
    """
    short = short_names(searched_values(candidates))
    return [
        ", ".join(f"{short[name]}={params[name]}" for name in short if name in params)
        for params in candidates
    ]


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
    values = np.concatenate([line.get_ydata() for line in lines])
    values = values[np.isfinite(values)]
    if values.size and np.ptp(values):
        margin = 0.15 * np.ptp(values)
        axes.set_ylim(values.min() - margin, values.max() + margin)


def _handles(axes):
    return axes.get_legend_handles_labels()[0]


def _put_legend(figure, axes, handles, *, outside, n_columns):
    """Put the legend under the panels, or into the first one where the figure is not ours."""
    if outside:
        figure.legend(
            handles.values(), handles, loc="outside lower center", ncols=n_columns, fontsize=9
        )
    else:
        axes.legend(handles.values(), handles, fontsize=8)


def _spread(n):
    """Return places for n things around 0."""
    return np.linspace(-0.3, 0.3, n) if n > 1 else np.zeros(n)


def _same(value, other):
    return type(value) is type(other) and repr(value) == repr(other)


def _short(value, width=24):
    text = str(value)
    return text if len(text) <= width else f"{text[: width - 1]}…"
