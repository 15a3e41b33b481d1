"""scikit-learn's searches, which can be resumed, and spread over machines."""

import copy
import os
from collections.abc import Callable
from contextlib import ExitStack, contextmanager
from dataclasses import KW_ONLY, dataclass
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from sklearn.experimental import enable_halving_search_cv  # noqa: F401 (makes the import work)
from sklearn.model_selection import GridSearchCV, HalvingGridSearchCV

from .._sklearn.searching import BaseSearch
from .._sklearn.validation import HasMethods, Interval
from ._dask import Cluster, connected
from ._fits import Fits, Processes
from ._journal import Journal, class_name, describe, digest, plain

OWN_CONSTRAINTS = {
    "scheduler": [str, HasMethods(["scatter", "submit"]), None],
    "retries": [Interval(Integral, 0, None, closed="left")],
    "journal": [str, os.PathLike, None],
    "on_result": [callable, None],
}

# Parameters of a search that its scores do not depend on, or that the journal has otherwise.
NOT_IN_JOURNAL = frozenset(OWN_CONSTRAINTS) | {
    *("estimator", "cv", "n_jobs", "pre_dispatch", "verbose", "refit", "error_score")
}


@dataclass(eq=False, repr=False)
class ResumableSearch(BaseSearch):
    """What both searches have in common: their parameters, their journal and their workers."""

    estimator: Any
    param_grid: dict | list
    _: KW_ONLY
    scoring: Any = None
    n_jobs: int | None = None
    refit: Any = True
    cv: Any = None
    verbose: int = 0
    error_score: Any = np.nan
    return_train_score: bool = False
    scheduler: Any = None
    retries: int = 3
    journal: str | os.PathLike | None = None
    on_result: Callable | None = None

    pre_dispatch = "2*n_jobs"

    @contextmanager
    def _fits(self, shared, split):
        with ExitStack() as stack:
            journal = None
            if self.journal is not None:
                identity = self._identify(shared, split)
                journal = stack.enter_context(Journal(self.journal, identity))
            if self.scheduler is None:
                workers = Processes(self, shared, stack)
            else:
                client = stack.enter_context(connected(self.scheduler))
                workers = Cluster(client, shared, retries=self.retries)
            fits = Fits(self, workers, journal)
            yield fits.do
        self.histories_ = fits.histories

    def _identify(self, shared, split):
        """Describe the search by all that its scores depend on."""
        folds = digest(split(), name="cv")
        subsamples = getattr(self, "resource", None) == "n_samples" and not isinstance(
            self.random_state, Integral
        )
        if subsamples or folds != digest(split(), name="cv"):
            raise ValueError(
                "A search with a journal needs the same folds each time. Give an int as"
                f" random_state to {'the search' if subsamples else 'cv'}."
            )
        fit_params = plain([shared["fit_params"], shared["score_params"]], name="fit parameters")
        params = self.get_params(deep=False)
        return {
            "kind": type(self).__name__,
            "X": {"digest": digest(shared["X"], name="X")},
            "y": {"digest": digest(shared["y"], name="y")},
            "folds": {"digest": folds},
            "fit parameters": {"digest": digest(fit_params)},
            "estimator": class_name(self.estimator),
            **{n: plain(v, name=n) for n, v in params.items() if n not in NOT_IN_JOURNAL},
            **{f"estimator {n}": v for n, v in describe(self.estimator).items()},
        }

    def __sklearn_clone__(self):
        # a connection has no copy, and who waits for results waits for the clone's too
        light = copy.copy(self)
        light.scheduler = light.on_result = None
        cloned = super(ResumableSearch, light).__sklearn_clone__()
        cloned.scheduler, cloned.on_result = self.scheduler, self.on_result
        return cloned


@dataclass(kw_only=True, eq=False, repr=False)
class ResumableGridSearchCV(GridSearchCV, ResumableSearch):
    """Exhaustive search over a grid, which can be resumed and spread over machines.

    Does what :class:`~sklearn.model_selection.GridSearchCV` does and finds the same. The last four
    parameters are its own.

    Parameters
    ----------
    estimator : estimator object
        What to find parameters for. It needs a ``score`` method unless ``scoring`` is given.

    param_grid : dict or list of dict
        Lists of values to try, by the name of the parameter; or several such grids.

    scoring : str, callable, list, tuple or dict, default=None
        How to score predictions on the left out fold. By default, by the estimator's own ``score``.

    n_jobs : int or None, default=None
        Number of fits at the same time on this machine, through joblib. None is 1 unless
        :func:`joblib.parallel_config` says otherwise, -1 is all processors. Not used with a
        ``scheduler``.

    refit : bool, str or callable, default=True
        Whether to fit the best on all samples. With several scorers, the name of the one that
        counts. Or what chooses the best, a function of ``cv_results_`` that returns its index.

    cv : int, cross-validation generator or iterable, default=None
        Folds, by default 5.

    verbose : int, default=0
        The higher, the more is printed.

    pre_dispatch : int or str, default="2*n_jobs"
        Number of fits that joblib prepares ahead.

    error_score : "raise" or float, default=nan
        Score of a candidate on a fold where it failed, or where the scorer did. "raise" ends the
        search instead.

    return_train_score : bool, default=False
        Whether to score on the training folds too.

    scheduler : str or distributed.Client, default=None
        Address of a Dask scheduler, such as ``tcp://192.168.1.10:8786``, or a client of one. Its
        workers then do the fits. None is this machine. A Client cannot be pickled with the search.

    retries : int, default=3
        How often fits are sent out again that Dask has given up, since worker after worker ended
        while doing them, or since their data went with its last holder. The fits of a single lost
        worker Dask itself gives to others. A fit that ends its workers each time is a failed one.

    journal : str or path-like, default=None
        File to keep each fit's outcome in as it comes. Where it exists already, only what it lacks
        is done, and fits that failed are tried again; the data, the grid and the estimator must be
        those that it was begun with. Functions and classes are recognized by their names, so
        lambdas and what is defined within a function are refused. One search at a time can use it.

    on_result : callable, default=None
        Called here with a dict for each fit as it is done: ``params``, ``fold``, ``test_scores``,
        ``train_scores``, ``fit_time``, ``score_time``, ``error`` (None or a line that says why the
        fit failed), ``score_error`` (the same of the scorers, whose scores are then None),
        ``history``, and ``from_journal``, whether it had been done before.

    Attributes
    ----------
    cv_results_ : dict of str to ndarray
        A row for each candidate: its parameters, scores, times and rank.

    histories_ : list of list
        For each row of ``cv_results_``, the ``history_`` of the estimator, or of a Pipeline's last
        step, on each fold; None where there is none.

    best_estimator_ : estimator
        The best candidate, fitted on all samples.

    best_score_ : float
        Its mean score.

    best_params_ : dict
        Its parameters.

    best_index_ : int
        Its row in ``cv_results_``.

    scorer_ : callable or dict
        What scored.

    n_splits_ : int
        Number of folds.

    refit_time_ : float
        Seconds that fitting the best on all samples took.

    multimetric_ : bool
        Whether there are several scores.

    classes_ : ndarray of shape (n_classes,)
        Classes of the best estimator, if it is a classifier.

    n_features_in_ : int
        Number of features of the best estimator.

    feature_names_in_ : ndarray of shape (n_features_in_,)
        Their names, where the best estimator knows them.

    See Also
    --------
    ResumableHalvingGridSearchCV : Gives up weak candidates early.

    Notes
    -----
    A fit that raises costs its own scores only, and a FitFailedWarning names it. A search that
    failed in every fit raises. A scorer that raises costs its own score, and a UserWarning
    names it.

    A clone has the same ``scheduler`` and ``on_result``, not copies of them.

    scikit-learn's callbacks get each fit as it is done, and epochs only of the last fit, on all
    samples.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from skcifar import ResumableGridSearchCV
    >>> X, y = load_iris(return_X_y=True)
    >>> tree = DecisionTreeClassifier(random_state=0)
    >>> search = ResumableGridSearchCV(tree, {"max_depth": [1, 3]}).fit(X, y)
    >>> search.best_params_
    {'max_depth': 3}
    """

    _parameter_constraints: ClassVar = GridSearchCV._parameter_constraints | OWN_CONSTRAINTS

    pre_dispatch: int | str = "2*n_jobs"


@dataclass(kw_only=True, eq=False, repr=False)
class ResumableHalvingGridSearchCV(HalvingGridSearchCV, ResumableSearch):
    """Search by successive halving, which can be resumed and spread over machines.

    Does what :class:`~sklearn.model_selection.HalvingGridSearchCV` does and finds the same: all
    candidates begin with few resources, such as epochs, and only the best of each round go on with
    more. The last four parameters are its own.

    Parameters
    ----------
    estimator, param_grid
        See :class:`ResumableGridSearchCV`.

    factor : int or float, default=3
        One of so many candidates goes on to the next round, with so many times the resources.

    resource : str, default="n_samples"
        What grows from round to round: the number of samples, or a parameter of the estimator that
        takes positive ints.

    max_resources : int or "auto", default="auto"
        What no candidate gets more of. "auto" is the number of samples.

    min_resources : {"exhaust", "smallest"} or int, default="exhaust"
        What candidates begin with. "exhaust" has the last round use ``max_resources`` as far as it
        can.

    aggressive_elimination : bool, default=False
        Whether to repeat the first round until so few candidates are left that the last one has
        fewer than ``factor``.

    cv : int, cross-validation generator or iterable, default=5
        Folds. They must be the same each time.

    scoring : str, callable or None, default=None
        How to score predictions on the left out fold. By default, by the estimator's own ``score``.

    refit : bool or callable, default=True
        Whether to fit the best on all samples.

    error_score : "raise" or float, default=nan
        Score of a candidate on a fold where it failed, or where the scorer did. "raise" ends the
        search instead.

    return_train_score : bool, default=True
        Whether to score on the training folds too.

    random_state : int, RandomState instance or None, default=None
        Determines which samples a round takes, if they are the resource.

    n_jobs, verbose, scheduler, retries, journal, on_result
        See :class:`ResumableGridSearchCV`.

    Attributes
    ----------
    n_resources_, n_candidates_ : list of int
        What each candidate got in each round, and how many there were.

    n_remaining_candidates_ : int
        How many were left after the last round.

    max_resources_, min_resources_ : int
        The most and the least that a candidate got.

    n_iterations_, n_possible_iterations_, n_required_iterations_ : int
        Rounds that there were, that resources allow, and that leave fewer than ``factor``.

    cv_results_ : dict of str to ndarray
        A row for each candidate of each round: its parameters, scores, times and rank.

    histories_, best_estimator_, best_score_, best_params_, best_index_, scorer_, n_splits_, \
    refit_time_, multimetric_, classes_, n_features_in_, feature_names_in_
        See :class:`ResumableGridSearchCV`.

    See Also
    --------
    ResumableGridSearchCV : Gives every candidate all resources.

    Notes
    -----
    Fits and scorers that raise, clones and scikit-learn's callbacks are treated as by
    :class:`ResumableGridSearchCV`; a round that failed in every fit raises.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from skcifar import ResumableHalvingGridSearchCV
    >>> X, y = load_iris(return_X_y=True)
    >>> search = ResumableHalvingGridSearchCV(
    ...     RandomForestClassifier(random_state=0),
    ...     {"max_depth": [1, 3, 5]},
    ...     resource="n_estimators",
    ...     max_resources=9,
    ... )
    >>> search.fit(X, y).n_resources_
    [3, 9]
    """

    _parameter_constraints: ClassVar = HalvingGridSearchCV._parameter_constraints | OWN_CONSTRAINTS

    factor: float = 3
    resource: str = "n_samples"
    max_resources: int | str = "auto"
    min_resources: int | str = "exhaust"
    aggressive_elimination: bool = False
    cv: Any = 5
    return_train_score: bool = True
    random_state: Any = None
