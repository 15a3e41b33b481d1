"""scikit-learn's searches, which can be resumed, and spread over machines."""

import copy
import os
import re
from collections.abc import Callable
from contextlib import ExitStack, closing, contextmanager
from dataclasses import KW_ONLY, dataclass
from functools import partial
from inspect import cleandoc
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from sklearn.experimental import enable_halving_search_cv  # noqa: F401 (makes the import work)
from sklearn.model_selection import GridSearchCV, HalvingGridSearchCV

from .._sklearn.html import DocumentedMixin
from .._sklearn.searching import BaseSearch
from .._sklearn.validation import HasMethods, Interval
from ..files._digests import digest
from ._dask import Cluster, connected
from ._fits import fit_candidates, run_in_processes
from ._journal import Journal, describe

OWN_CONSTRAINTS = {
    "scheduler": [str, HasMethods(["scatter", "submit"]), None],
    "retries": [Interval(Integral, 0, None, closed="left")],
    "journal": [str, os.PathLike, None],
    "on_result": [callable, None],
}

# Parameters of a search that its scores do not depend on, or that the journal has otherwise.
NOT_IN_JOURNAL = frozenset(OWN_CONSTRAINTS) | {
    *("cv", "n_jobs", "pre_dispatch", "verbose", "refit", "error_score")
}


def with_shared_documentation(cls):
    """Insert the parameters and attributes of scikit-learn's search and of ResumableSearch."""
    if cls.__base__.__doc__ is None:  # python -OO
        return cls
    own, heading, rest = f"{cleandoc(cls.__doc__)}\n".partition("See Also\n--------\n")
    for section in ("Parameters\n----------\n", "Attributes\n----------\n"):
        own += section
        for source in (cls.__base__, ResumableSearch):
            described = cleandoc(source.__doc__).partition(section)[2]
            own += re.split(r"\n\n.+\n---+\n", described)[0] + "\n\n"  # up to the next section
    cls.__doc__ = f"{own}{heading}{rest}"
    return cls


@dataclass(eq=False, repr=False)
class ResumableSearch(DocumentedMixin, BaseSearch):
    """What both searches have in common: their parameters, their journal and their workers.

    Parameters
    ----------
    scheduler : str or distributed.Client, default=None
        Address of a Dask scheduler, such as ``tcp://192.168.1.10:8786``, or a client of one. Its
        workers then do the fits, and ``n_jobs`` is ignored. If None, this machine does them. A
        Client cannot be pickled with the search.

    retries : int, default=3
        How often to resubmit fits that Dask has given up on, because worker after worker died while
        doing them, or because the last worker with their data was lost. The fits of a single lost
        worker are reassigned by Dask itself. A fit whose workers die every time counts as failed.

    journal : str or path-like, default=None
        File to record the outcome of each fit in. If it exists, only missing fits are done, and
        failed fits are tried again; the data, the grid and the estimator must be those it was
        started with, including the code of your own functions and classes. What cannot be pickled,
        such as an object that holds a lambda, is refused. Only one search at a time can use it.

    on_result : callable, default=None
        Called in this process with a dict for each finished fit: ``params``, ``fold``,
        ``test_scores``, ``train_scores``, ``fit_time``, ``score_time``, ``error`` (None or a line
        that says why the fit failed), ``score_error`` (the same for the scorers, whose scores are
        then None), ``history``, and ``from_journal``, whether it was done in an earlier run.

    Attributes
    ----------
    histories_ : list of list
        For each row of ``cv_results_``, the ``history_`` of the estimator, or of a Pipeline's last
        step, on each fold; None where there is none.
    """

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
    def _fits(self, data, split):
        with ExitStack() as stack:
            journal = None
            if self.journal is not None:
                identity = self._identify(data, split)
                journal = stack.enter_context(closing(Journal(self.journal, identity)))
            if self.scheduler is None:
                run = partial(run_in_processes, self, data)
            else:
                client = stack.enter_context(connected(self.scheduler))
                run = Cluster(client, data, retries=self.retries).run
            yield partial(fit_candidates, self, run, journal)

    def _identify(self, data, split):
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
        params = self.get_params(deep=False)
        given = {"X": data.X, "y": data.y}
        given |= {f"fit parameter {name}": value for name, value in data.fit_params.items()}
        given |= {f"score parameter {name}": value for name, value in data.score_params.items()}
        return {
            "kind": type(self).__name__,
            "folds": folds,
            **describe({name: params[name] for name in params if name not in NOT_IN_JOURNAL}),
            **{name: digest(value, name=name) for name, value in given.items()},
        }

    def __sklearn_clone__(self):
        # a connection has no copy, and who waits for results waits for the clone's too
        light = copy.copy(self)
        light.scheduler = light.on_result = None
        cloned = super(ResumableSearch, light).__sklearn_clone__()
        cloned.scheduler, cloned.on_result = self.scheduler, self.on_result
        return cloned


@with_shared_documentation
@dataclass(kw_only=True, eq=False, repr=False)
class ResumableGridSearchCV(GridSearchCV, ResumableSearch):
    """Exhaustive search over a grid, which can be resumed and spread over machines.

    Does what :class:`~sklearn.model_selection.GridSearchCV` does, with the same results. The last
    four parameters are its own.

    See Also
    --------
    ResumableHalvingGridSearchCV : Gives up weak candidates early.

    Notes
    -----
    A fit that raises loses only its own scores, and a FitFailedWarning names it. If every fit
    fails, the search raises. A scorer that raises loses only its own score, and a UserWarning names
    it.

    A clone has the same ``scheduler`` and ``on_result``, not copies of them.

    scikit-learn's callbacks are called for each finished fit, and for epochs only in the last fit,
    on all samples.

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


@with_shared_documentation
@dataclass(kw_only=True, eq=False, repr=False)
class ResumableHalvingGridSearchCV(HalvingGridSearchCV, ResumableSearch):
    """Search by successive halving, which can be resumed and spread over machines.

    Does what :class:`~sklearn.model_selection.HalvingGridSearchCV` does, with the same results: all
    candidates start with few resources, such as epochs, and only the best of each round continue
    with more. The last four parameters are its own.

    See Also
    --------
    ResumableGridSearchCV : Gives every candidate all resources.

    Notes
    -----
    Fits and scorers that raise, clones and scikit-learn's callbacks are treated as in
    :class:`ResumableGridSearchCV`; if every fit of a round fails, the search raises.

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
