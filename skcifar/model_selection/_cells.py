"""Searches over parameters that may be interrupted, gone on with, and spread over machines.

They are scikit-learn's own searches, with another way to get the fits done: grids, halving, tables
of results and ranks stay scikit-learn's. Which fits are done when, where and whether at all cannot
be reached in a public way, so this is the one room that uses private names of scikit-learn's model
selection: those that ``BaseSearchCV.fit`` itself consists of, and ``_fit_and_score``, which alone
takes parameters that were routed before, with the little that both of them call. The version of
scikit-learn is pinned for this too.
"""

import copy
import os
import textwrap
import time
import warnings
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, closing
from numbers import Integral
from types import SimpleNamespace

import numpy as np
from joblib.externals.loky.process_executor import TerminatedWorkerError
from sklearn.base import _fit_context, clone, is_classifier
from sklearn.exceptions import FitFailedWarning
from sklearn.metrics._scorer import _MultimetricScorer
from sklearn.model_selection import check_cv
from sklearn.model_selection._search import BaseSearchCV
from sklearn.model_selection._validation import _fit_and_score
from sklearn.pipeline import Pipeline
from sklearn.utils import indexable
from sklearn.utils.metaestimators import _safe_split
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import _check_method_params

from .._sklearn.callbacks import AutoPropagatedCallback
from .._sklearn.validation import HasMethods, Interval
from ._dask import Cluster, connected
from ._journal import Journal, describe, digest, plain

N_TOLD = 10  # failures that one warning names

# Parameters of a search that its scores do not depend on, or that the journal tells otherwise.
NOT_IN_JOURNAL = frozenset(
    {
        *("estimator", "cv", "n_jobs", "pre_dispatch", "verbose", "refit", "error_score"),
        *("scheduler", "retries", "journal", "on_result"),
    }
)


class CellSearch(BaseSearchCV):
    """Does the cells of a search, which are one candidate on one fold each, as they come.

    Stands behind scikit-learn's classes of searches and before their base, whose ``fit`` it
    replaces.
    """

    own_constraints: dict = {  # noqa: RUF012 (scikit-learn's convention)
        "scheduler": [str, HasMethods(["scatter", "submit"]), None],
        "retries": [Interval(Integral, 0, None, closed="left")],
        "journal": [str, os.PathLike, None],
        "on_result": [callable, None],
    }

    @_fit_context(prefer_skip_nested_validation=False)  # the estimator's parameters are not valid
    def fit(self, X, y=None, **params):
        """Fit and score every candidate on every fold, then fit the best on all samples.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Training samples.

        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            Targets.

        **params : dict of str -> object
            Passed to the ``fit`` of the estimator, to the scorer and to the splitter, as
            scikit-learn's searches do it.

        Returns
        -------
        self : object
            The fitted search.
        """
        self._check_callbacks()
        scorer, refit_metric = self._get_scorers()
        X, y = indexable(X, y)
        params = _check_method_params(X, params=params)
        routed = self._get_routed_params_for_fit(params)
        # scikit-learn's callbacks hear of fits where the search runs, not where the fits do
        told = {"estimator": self, "X": X, "y": y, "metadata": _weights_among(params)}
        task = self._init_callback_context(max_subtasks=2 if self.refit else 1)
        task.call_on_fit_task_begin(**told)
        self._checked_cv_orig = check_cv(self.cv, y, classifier=is_classifier(self.estimator))
        self._check_input_parameters(X=X, y=y, split_params=routed.splitter.split)
        self.n_splits_ = self._checked_cv_orig.get_n_splits(X, y, **routed.splitter.split)

        with ExitStack() as stack:
            cells = _Cells(self, X, y, scorer, routed, stack)
            self._run_search(cells.evaluate, callback_ctx=task)
        results = cells.results
        first_scores = cells.outcomes[0]["test_scores"]
        self.multimetric_ = isinstance(first_scores, dict)
        if callable(self.scoring) and self.multimetric_:  # known only from what it returned
            self._check_refit_for_multimetric(first_scores)
            refit_metric = self.refit

        if self.refit or not self.multimetric_:
            self.best_index_ = self._select_best_index(self.refit, refit_metric, results)
            self.best_params_ = results["params"][self.best_index_]
            if not callable(self.refit):
                self.best_score_ = results[f"mean_test_{refit_metric}"][self.best_index_]
        if self.refit:
            self._refit(X, y, routed.estimator.fit, task, told)
        # of several scorers, a dict
        self.scorer_ = getattr(scorer, "_scorers", scorer)
        self.cv_results_ = results
        self.histories_ = cells.histories
        task.call_on_fit_task_end(**told)
        return self

    def __sklearn_clone__(self):
        # a connection has no copy, and who waits for results waits for the clone's too
        light = copy.copy(self)
        light.scheduler = light.on_result = None
        cloned = super(CellSearch, light).__sklearn_clone__()
        cloned.scheduler, cloned.on_result = self.scheduler, self.on_result
        return cloned

    def _check_callbacks(self):
        """Raise in scikit-learn's words where it would only do so within each fit."""
        wrong = [
            type(callback).__name__
            for callback in getattr(self.estimator, "_skl_callbacks", [])
            if isinstance(callback, AutoPropagatedCallback)
        ]
        if wrong:
            raise TypeError(
                f"The sub-estimator ({type(self.estimator).__name__}) of a meta-estimator"
                f" ({type(self).__name__}) can't have auto-propagated callbacks ({wrong})."
                " Register them directly on the meta-estimator."
            )

    def _refit(self, X, y, fit_params, task, told):
        # values of parameters may be estimators, which must not be those of the results
        best = clone(self.estimator).set_params(**clone(self.best_params_, safe=False))
        subtask = task.subcontext(task_name="refit-with-best-params")
        with subtask.propagate_callback_context(best):
            subtask.call_on_fit_task_begin(**told)
            begin = time.time()
            best.fit(*((X,) if y is None else (X, y)), **fit_params)
            self.refit_time_ = time.time() - begin
        subtask.call_on_fit_task_end(**told)
        self.best_estimator_ = best
        if hasattr(best, "feature_names_in_"):
            self.feature_names_in_ = best.feature_names_in_


class _Cells:
    """All cells of one search: has them done, and keeps what came out.

    Parameters
    ----------
    search : CellSearch
        Being fitted.

    X, y : array-like
        What it is fitted on.

    scorer : callable
        What scores.

    routed : Bunch
        Parameters for the estimator, the scorer and the splitter.

    stack : contextlib.ExitStack
        Closes what is opened here.
    """

    def __init__(self, search, X, y, scorer, routed, stack):
        self.search = search
        self.X = X
        self.y = y
        self.split_params = routed.splitter.split
        self.fit_params = routed.estimator.fit
        self.candidates = []
        self.outcomes = []
        self.histories = []
        self.more_results = {}
        self.results = {}
        shared = SimpleNamespace(
            X=X,
            y=y,
            fit_params=routed.estimator.fit,
            score_params=routed.scorer.score,
            estimator=clone(search.estimator),
            scorer=scorer,
            return_train_score=search.return_train_score,
            raises=search.error_score == "raise",
            verbose=search.verbose,
        )
        self.journal = None
        if search.journal is not None:
            self.journal = stack.enter_context(Journal(search.journal, self._identify(shared)))
        if search.scheduler is None:
            self.workplace = _ThisMachine(search, shared, stack)
        else:
            client = stack.enter_context(connected(search.scheduler))
            self.workplace = Cluster(client, shared, retries=search.retries)

    def evaluate(self, candidate_params, cv=None, more_results=None, callback_ctx=None):
        """Do each candidate on each fold; see ``BaseSearchCV._run_search``.

        Parameters
        ----------
        candidate_params : iterable of dict
            The candidates.

        cv : cross-validation generator, default=None
            Folds, by default the search's own.

        more_results : dict of str to list, default=None
            More columns of the table.

        callback_ctx : CallbackContext, default=None
            The task that these are subtasks of.

        Returns
        -------
        results : dict of str to ndarray
            What all calls so far have brought, in the form of ``cv_results_``.
        """
        candidates = list(candidate_params)
        splits = self._split(cv or self.search._checked_cv_orig)
        if not candidates or not splits:
            raise ValueError("There is nothing to fit: no candidates or no folds.")
        for params in candidates:  # a name that the estimator lacks is told before all work
            clone(self.search.estimator).set_params(**clone(params, safe=False))
        if self.search.verbose:
            n_cells = len(candidates) * len(splits)
            print(f"{len(candidates)} candidates on {len(splits)} folds make {n_cells} fits")
        cells = self._do(candidates, splits, callback_ctx)

        self._tell_failures(cells)
        self.candidates += candidates
        self.outcomes += self._with_error_scores(cells)
        histories = [cell["history"] for cell in cells]
        rows = range(0, len(cells), len(splits))
        self.histories += [histories[row : row + len(splits)] for row in rows]
        for name, values in (more_results or {}).items():
            self.more_results.setdefault(name, []).extend(values)
        self.results = self.search._format_results(
            self.candidates, len(splits), self.outcomes, self.more_results
        )
        return self.results

    def _split(self, cv):
        splits = list(cv.split(self.X, self.y, **self.split_params))
        if len(splits) != self.search.n_splits_:
            raise ValueError(
                f"cv announced {self.search.n_splits_} folds and made {len(splits)}. Both numbers"
                " must be the same."
            )
        return splits

    def _do(self, candidates, splits, task):
        """Return what came out of each cell, candidate by candidate."""
        places = [(params, fold) for params in candidates for fold in range(len(splits))]
        cells = [None] * len(places)
        keys = self._keys(places, splits)
        for number, key in enumerate(keys):
            found = self.journal.find(key)
            if found and found["error"] is None:
                cells[number] = found | {"from_journal": True}
                self._tell(number, places, cells, splits, task)
        missing = [number for number, cell in enumerate(cells) if cell is None]
        tasks = [
            (
                places[number][1],
                {
                    "params": places[number][0],
                    "split_progress": (places[number][1], len(splits)),
                    "candidate_progress": (number // len(splits), len(candidates)),
                },
            )
            for number in missing
        ]
        if not tasks:
            return cells
        with closing(self.workplace.run(_fit_cell, tasks, splits)) as outcomes:
            for position, cell, error in outcomes:
                number = missing[position]
                if error is not None and self.search.error_score == "raise":
                    raise error
                cell = _failed(error) if cell is None else cell
                if self.journal is not None:
                    self.journal.append(keys[number], cell)
                cells[number] = cell | {"from_journal": False}
                self._tell(number, places, cells, splits, task)
        return cells

    def _keys(self, places, splits):
        """Tell each cell in JSON; none are needed without a journal."""
        if self.journal is None:
            return []
        digests = [digest(split, name="cv") for split in splits]
        keys = [
            {
                "params": {name: plain(value, name=name) for name, value in params.items()},
                "fold": fold,
                "split": digests[fold],
            }
            for params, fold in places
        ]
        self.journal.check_keys(keys)
        return keys

    def _identify(self, shared):
        """Describe the search by all that its scores depend on."""
        cv = self.search._checked_cv_orig
        folds = {"digest": digest(self._split(cv), name="cv")}
        subsamples = getattr(self.search, "resource", None) == "n_samples" and not isinstance(
            self.search.random_state, Integral
        )
        if subsamples or folds != {"digest": digest(self._split(cv), name="cv")}:
            raise ValueError(
                "A search with a journal needs the same folds each time. Give an int as"
                f" random_state to {'the search' if subsamples else 'cv'}."
            )
        params = self.search.get_params(deep=False)
        return {
            "kind": type(self.search).__name__,
            "X": {"digest": digest(self.X, name="X")},
            "y": {"digest": digest(self.y, name="y")},
            "folds": folds,
            "fit parameters": {
                "digest": digest([shared.fit_params, shared.score_params], name="fit parameters")
            },
            "estimator": plain(type(self.search.estimator), name="estimator"),
            **{n: plain(v, name=n) for n, v in params.items() if n not in NOT_IN_JOURNAL},
            **{f"estimator {n}": v for n, v in describe(self.search.estimator).items()},
        }

    def _tell(self, number, places, cells, splits, task):
        params, fold = places[number]
        if task is not None:
            train, _ = splits[fold]
            told = {
                "estimator": self.search,
                # cut out only for callbacks that ask
                "X": lambda: _safe_split(self.search.estimator, self.X, self.y, train)[0],
                "y": lambda: _safe_split(self.search.estimator, self.X, self.y, train)[1],
                "metadata": lambda: _weights_among(
                    _check_method_params(self.X, params=self.fit_params, indices=train)
                ),
            }
            subtask = task.subcontext(task_name="candidate-split-evaluation", task_id=number)
            subtask.call_on_fit_task_begin(**told)
            subtask.call_on_fit_task_end(**told)
        cells[number] |= {"params": params, "fold": fold}
        if self.search.on_result is not None:
            self.search.on_result(cells[number])

    def _tell_failures(self, cells):
        """Warn of fits and of scorers that raised; raise if there is no fit to go on with."""
        n_failed, told = _list_errors(cells, "error")
        if n_failed == len(cells):
            raise ValueError(
                f"All the {len(cells)} fits failed. error_score='raise' shows where.\n{told}"
            )
        if n_failed:
            warnings.warn(
                f"{n_failed} of {len(cells)} fits failed and score"
                f" {self.search.error_score}. error_score='raise' shows where.\n{told}",
                FitFailedWarning,
                stacklevel=2,
            )
        n_failed, told = _list_errors(cells, "score_error")
        if n_failed:
            warnings.warn(
                f"Scoring failed after {n_failed} of {len(cells)} fits; what is missing scores"
                f" {self.search.error_score}. error_score='raise' shows where.\n{told}",
                UserWarning,
                stacklevel=2,
            )

    def _with_error_scores(self, cells):
        """Return what makes the table of results, with a score where there is none."""
        kinds = ["test_scores", *(["train_scores"] if self.search.return_train_score else [])]
        scorers = next((list(s) for c in cells if isinstance(s := c["test_scores"], dict)), None)

        def filled(score):
            return self.search.error_score if score is None else score

        def completed(scores):
            if scorers is None:
                return filled(scores)
            return {name: filled(scores and scores[name]) for name in scorers}

        return [
            {name: cell[name] for name in ("fit_time", "score_time")}
            | {kind: completed(cell[kind]) for kind in kinds}
            for cell in cells
        ]


class _ThisMachine:
    """The workers that joblib finds here; in the shape of :class:`Cluster`."""

    def __init__(self, search, shared, stack):
        self.shared = shared
        self.journal = search.journal
        self.parallel = stack.enter_context(
            Parallel(
                n_jobs=search.n_jobs,
                pre_dispatch=search.pre_dispatch,
                return_as="generator_unordered",
            )
        )

    def run(self, function, tasks, groups):
        work = (
            delayed(_numbered)(number, function, self.shared, groups[group], options)
            for number, (group, options) in enumerate(tasks)
        )
        results = self.parallel(work)
        try:
            for number, result in results:
                yield number, result, None
        except BrokenProcessPool as error:
            why = "was ended, usually for lack of memory"
            if not isinstance(error, TerminatedWorkerError):
                why = f"broke down ({' '.join(str(error).split())})"
            later = f" The same search goes on from {self.journal}." if self.journal else ""
            raise OSError(
                f"A worker process {why}. Use fewer jobs, or smaller networks or batches.{later}"
            ) from error
        finally:
            with warnings.catch_warnings():  # of work that an interrupted search does not wait for
                warnings.filterwarnings("ignore", r"\d+ tasks", UserWarning)
                results.close()


def _numbered(number, function, shared, group, options):
    return number, function(shared, group, **options)


def _fit_cell(shared, split, *, params, **progress):
    """Fit one candidate on one fold and score it.

    Parameters
    ----------
    shared : SimpleNamespace
        What is the same for all cells.

    split : tuple of ndarray
        Samples to train on and to score on.

    params : dict
        The candidate.

    **progress
        Numbers for what is printed.

    Returns
    -------
    cell : dict
        What came out, in values that JSON knows.
    """
    train, test = split
    scorer = _Scorer(shared.scorer, raises=shared.raises)
    begin = time.time()
    try:
        done = _fit_and_score(
            clone(shared.estimator),
            shared.X,
            shared.y,
            scorer=scorer,
            train=train,
            test=test,
            verbose=shared.verbose,
            parameters=params,
            fit_params=shared.fit_params,
            score_params=shared.score_params,
            return_train_score=shared.return_train_score,
            return_times=True,
            return_estimator=True,
            error_score="raise",
            **progress,
        )
    except Exception as error:
        if shared.raises or scorer.errors:  # what scorers do wrong beyond raising is no failed fit
            raise
        return _failed(error, seconds=time.time() - begin)
    test_errors, *train_errors = scorer.errors
    told = [
        f"{name}: {line}" if name else line
        for errors in scorer.errors
        for name, line in errors.items()
    ]
    return {
        "test_scores": _floats(done["test_scores"], test_errors),
        "train_scores": _floats(done["train_scores"], *train_errors) if train_errors else None,
        "fit_time": done["fit_time"],
        "score_time": done["score_time"],
        "error": None,
        "score_error": "; ".join(dict.fromkeys(told)) or None,
        "history": _history(done["estimator"]),
    }


class _Scorer:
    """Scores as the search's own scorer does, and keeps what it raises apart from failed fits.

    Parameters
    ----------
    scorer : callable
        The search's own.

    raises : bool
        Whether to let it raise.
    """

    def __init__(self, scorer, *, raises):
        self.scorer = scorer
        self.raises = raises
        self.errors = []  # of each call, lines by the name of the scorer, which may be None

    def __call__(self, estimator, *data, **params):
        errors = {}
        self.errors.append(errors)
        several = isinstance(self.scorer, _MultimetricScorer)
        try:
            scores = self.scorer(estimator, *data, **params)
        except Exception as error:
            if self.raises or several:  # several only raise what is wrong with all of them
                raise
            errors[None] = _line(error)
            return np.nan
        if several:
            for name, score in scores.items():
                if isinstance(score, str):  # a traceback, which is how they tell an error
                    errors[name] = _shorten(score.strip().rpartition("\n")[-1])
                    scores[name] = np.nan
        return scores


def _failed(error, *, seconds=0.0):
    """Return what a cell is that raised."""
    return {
        "test_scores": None,
        "train_scores": None,
        "fit_time": seconds,
        "score_time": 0.0,
        "error": _line(error),
        "score_error": None,
        "history": None,
    }


def _line(error):
    return _shorten(f"{type(error).__name__}: {error}")


def _shorten(text):
    return textwrap.shorten(text, 500, placeholder=" ...")


def _list_errors(cells, kind):
    """Count what went wrong, and tell the first of it, a line for each cell."""
    lines = [f"{c['params']} on fold {c['fold']}: {c[kind]}" for c in cells if c[kind] is not None]
    more = [f"and {len(lines) - N_TOLD} more"] if len(lines) > N_TOLD else []
    return len(lines), "\n".join(lines[:N_TOLD] + more)


def _weights_among(params):
    """Return what scikit-learn's callbacks are told of the parameters of a fit."""
    weights = params.get("sample_weight")
    return None if weights is None else {"sample_weight": weights}


def _floats(scores, errors):
    """Return scores in values that JSON knows, and None for those that could not be had."""
    if isinstance(scores, dict):
        return {n: None if n in errors else float(score) for n, score in scores.items()}
    return None if errors else float(scores)


def _history(estimator):
    """Return the history that a fitted estimator, or a Pipeline's last step, keeps."""
    while isinstance(estimator, Pipeline):
        estimator = estimator.steps[-1][1]
    history = getattr(estimator, "history_", None)
    if not isinstance(history, dict):
        return None
    try:
        return {str(name): [float(v) for v in values] for name, values in history.items()}
    except (TypeError, ValueError):  # something else that goes by this name
        return None
