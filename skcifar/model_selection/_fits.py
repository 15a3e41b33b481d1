"""The fits of a search, each of one candidate on one fold: resumed, and done here or elsewhere."""

import textwrap
import time
import warnings
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing

import numpy as np
from sklearn.base import clone
from sklearn.exceptions import FitFailedWarning
from sklearn.pipeline import Pipeline
from sklearn.utils.parallel import Parallel, delayed

from .._sklearn.searching import fit_and_score, is_multimetric
from ._journal import digest, plain, text_of

N_LISTED = 10  # failures that one warning names


class Fits:
    """Has fits done, as far as the journal lacks them, and keeps their histories."""

    def __init__(self, search, workers, journal):
        self.search = search
        self.workers = workers
        self.journal = journal
        self.histories = []

    def do(self, candidates, splits, report):
        """Fit each candidate on each fold, and return scores and times as scikit-learn does."""
        if not candidates or not splits:
            raise ValueError("There is nothing to fit: no candidates or no folds.")
        for params in candidates:  # a name that the estimator lacks is an error before all work
            clone(self.search.estimator).set_params(**clone(params, safe=False))
        n_folds = len(splits)
        if self.search.verbose:
            n_fits = len(candidates) * n_folds
            print(f"{len(candidates)} candidates on {n_folds} folds make {n_fits} fits")
        results = self._results(candidates, splits, report)
        self._warn_of_failures(results)
        histories = [result["history"] for result in results]
        rows = range(0, len(results), n_folds)
        self.histories += [histories[row : row + n_folds] for row in rows]
        return self._with_error_scores(results)

    def _results(self, candidates, splits, report):
        """Return what came out of each fit, candidate by candidate."""
        pairs = [(params, fold) for params in candidates for fold in range(len(splits))]
        keys = [] if self.journal is None else _journal_keys(pairs, splits)
        results = [None] * len(pairs)

        def keep(number, result, *, from_journal):
            params, fold = pairs[number]
            report(number, splits[fold][0])
            found = {"params": params, "fold": fold, "from_journal": from_journal}
            results[number] = result | found
            if self.search.on_result is not None:
                self.search.on_result(results[number])

        for number, key in enumerate(keys):
            result = self.journal.find(key)
            if result and result["error"] is None:
                keep(number, result, from_journal=True)
        tasks = {}
        for number, (params, fold) in enumerate(pairs):
            if results[number] is None:
                tasks[number] = (
                    fold,
                    {
                        "parameters": params,
                        "split_progress": (fold, len(splits)),
                        "candidate_progress": (number // len(splits), len(candidates)),
                    },
                )
        if not tasks:
            return results
        with closing(self.workers.run(_fit_candidate, tasks, splits)) as outcomes:
            for number, outcome, error in outcomes:
                if error is not None and self.search.error_score == "raise":
                    raise error
                result = _failed(error) if outcome is None else outcome
                if self.journal is not None:
                    self.journal.append(keys[number], result)
                keep(number, result, from_journal=False)
        return results

    def _warn_of_failures(self, results):
        """Warn of fits and of scorers that raised; raise if there is no fit to go on with."""
        n_fits, scored = len(results), f"scores {self.search.error_score}"
        hint = "error_score='raise' shows where.\n"
        n_failed, lines = _list_errors(results, "error")
        if n_failed == n_fits:
            raise ValueError(f"All the {n_fits} fits failed. {hint}{lines}")
        if n_failed:
            message = f"{n_failed} of {n_fits} fits failed; each {scored}. {hint}{lines}"
            warnings.warn(message, FitFailedWarning, stacklevel=2)
        n_failed, lines = _list_errors(results, "score_error")
        if n_failed:
            message = f"Scoring failed after {n_failed} of {n_fits} fits; what is missing {scored}."
            warnings.warn(f"{message} {hint}{lines}", UserWarning, stacklevel=2)

    def _with_error_scores(self, results):
        """Return times and scores, with the error's score where there is none."""
        kinds = ["test_scores", *(["train_scores"] if self.search.return_train_score else [])]
        names = next((list(s) for r in results if isinstance(s := r["test_scores"], dict)), None)

        def filled(score):
            return self.search.error_score if score is None else score

        def completed(scores):
            if names is None:
                return filled(scores)
            return {name: filled(scores and scores[name]) for name in names}

        return [
            {name: result[name] for name in ("fit_time", "score_time")}
            | {kind: completed(result[kind]) for kind in kinds}
            for result in results
        ]


class Processes:
    """The workers that joblib starts on this machine; in the shape of :class:`Cluster`."""

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
        """Do tasks, and yield number, result and None as each is done."""
        results = self.parallel(
            delayed(_numbered)(number, function, self.shared, groups[group], options)
            for number, (group, options) in tasks.items()
        )
        try:
            for number, result in results:
                yield number, result, None
        except BrokenProcessPool as error:
            later = f" The same search goes on from {self.journal}." if self.journal else ""
            raise OSError(
                "A worker process was ended, usually for lack of memory, or could not read its"
                f" task. Use fewer jobs, or smaller networks or batches.{later}"
            ) from error
        finally:
            with warnings.catch_warnings():  # of work that an interrupted search does not wait for
                warnings.filterwarnings("ignore", r"\d+ tasks", UserWarning)
                results.close()


class _Scorer:
    """Scores as the search's own scorer does, and keeps what it raises apart from failed fits."""

    def __init__(self, scorer, *, raises):
        self.scorer = scorer
        self.raises = raises
        self.errors = []  # of each call, lines by the name of the scorer, which may be None

    def __call__(self, estimator, *data, **params):
        errors = {}
        self.errors.append(errors)
        several = is_multimetric(self.scorer)
        try:
            scores = self.scorer(estimator, *data, **params)
        except Exception as error:
            if self.raises or several:  # several only raise what is wrong with all of them
                raise
            errors[None] = _line(error)
            return np.nan
        if several:
            for name, score in scores.items():
                if isinstance(score, str):  # a traceback
                    errors[name] = _shorten(score.strip().rpartition("\n")[-1])
                    scores[name] = np.nan
        return scores


def _journal_keys(pairs, splits):
    """Describe each fit in JSON, and raise if two could be taken for each other."""
    digests = [digest(split, name="cv") for split in splits]
    keys = {}
    for params, fold in pairs:
        described = {name: plain(value, name=name) for name, value in params.items()}
        key = {"params": described, "fold": fold, "split": digests[fold]}
        if keys.setdefault(text_of(key), key) is not key:
            raise ValueError(
                f"Two candidates cannot be distinguished in a journal: {text_of(described)} is"
                " there twice. Leave one of them out, or, if they are not the same, give functions"
                " and classes of different names at the top of a module."
            )
    return list(keys.values())


def _numbered(number, function, shared, group, options):
    return number, function(shared, group, **options)


def _fit_candidate(shared, split, **options):
    """Fit one candidate on one fold, score it, and return what came out in values of JSON."""
    raises = shared["error_score"] == "raise"
    scorer = _Scorer(shared["scorer"], raises=raises)
    own = {"scorer": scorer, "error_score": "raise", "estimator": clone(shared["estimator"])}
    returned = {"return_times": True, "return_estimator": True}
    begin = time.time()
    try:
        done = fit_and_score(**shared | own | options, **returned, train=split[0], test=split[1])
    except Exception as error:
        if raises or scorer.errors:  # what scorers do wrong beyond raising is no failed fit
            raise
        return _failed(error, seconds=time.time() - begin)
    test_errors, *train_errors = scorer.errors
    lines = [
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
        "score_error": "; ".join(dict.fromkeys(lines)) or None,
        "history": _history(done["estimator"]),
    }


def _failed(error, *, seconds=0.0):
    """Return the result of a fit that raised."""
    result = dict.fromkeys(("test_scores", "train_scores", "score_error", "history"))
    return result | {"fit_time": seconds, "score_time": 0.0, "error": _line(error)}


def _line(error):
    return _shorten(f"{type(error).__name__}: {error}")


def _shorten(text):
    return textwrap.shorten(text, 500, placeholder=" ...")


def _list_errors(results, kind):
    """Count the errors of a kind, and list the first of them."""
    lines = [f"{r['params']} on fold {r['fold']}: {r[kind]}" for r in results if r[kind]]
    more = [f"and {len(lines) - N_LISTED} more"] if len(lines) > N_LISTED else []
    return len(lines), "\n".join(lines[:N_LISTED] + more)


def _floats(scores, errors):
    """Return scores in values of JSON, and None for those that could not be had."""
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
