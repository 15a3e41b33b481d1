"""The fits of a search, each of one candidate on one fold: resumed, and done here or elsewhere."""

import textwrap
import time
import warnings
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing

from sklearn.base import clone
from sklearn.exceptions import FitFailedWarning
from sklearn.pipeline import Pipeline
from sklearn.utils.parallel import Parallel, delayed

from ._journal import describe, digest

N_LISTED = 10  # failures that one warning names


class Fits:
    """Has fits done, as far as the journal lacks them, and keeps their histories.

    ``run(function, tasks, splits)`` calls ``function(data, splits[fold], params)`` somewhere, for
    each ``fold, params`` in the values of ``tasks``. As each is done, it yields the key, what was
    returned, and None or, of a fit that ended its workers, the error.
    """

    def __init__(self, search, run, journal):
        self.search = search
        self.run = run
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
        names = [] if self.journal is None else _fit_names(pairs, splits)
        results = [None] * len(pairs)

        def keep(number, result, *, from_journal):
            params, fold = pairs[number]
            report(number, splits[fold][0])
            found = {"params": params, "fold": fold, "from_journal": from_journal}
            results[number] = result | found
            if self.search.verbose > 1:
                seconds = result["fit_time"] + result["score_time"]
                print(f"{params} on fold {fold}: {result['test_scores']}, {seconds:.1f} s")
            if self.search.on_result is not None:
                self.search.on_result(results[number])

        for number, name in enumerate(names):
            result = self.journal.results.get(name)
            if result and result["error"] is None:
                keep(number, result, from_journal=True)
        tasks = {
            number: (fold, params)
            for number, (params, fold) in enumerate(pairs)
            if results[number] is None
        }
        with closing(self.run(fit_candidate, tasks, splits)) as outcomes:
            for number, result, error in outcomes:
                if error is not None:
                    if self.search.error_score == "raise":
                        raise error
                    result = _failed(error)
                if self.journal is not None:
                    self.journal.add(names[number], result)
                keep(number, result, from_journal=False)
        return results

    def _warn_of_failures(self, results):
        """Warn of fits and of scorers that raised; raise if there is no fit to go on with."""
        for kind, category, message in (
            ("error", FitFailedWarning, "{n_failed} of {n_fits} fits failed"),
            ("score_error", UserWarning, "Scoring failed after {n_failed} of {n_fits} fits"),
        ):
            lines = [f"{r['params']} on fold {r['fold']}: {r[kind]}" for r in results if r[kind]]
            n_failed, n_fits = len(lines), len(results)
            if n_failed > N_LISTED:
                lines[N_LISTED:] = [f"and {n_failed - N_LISTED} more"]
            listed = "\n".join(["error_score='raise' shows where.", *lines])
            if kind == "error" and n_failed == n_fits:
                raise ValueError(f"All the {n_fits} fits failed. {listed}")
            if n_failed:
                begin = message.format(n_failed=n_failed, n_fits=n_fits)
                scored = f"what is missing scores {self.search.error_score}"
                warnings.warn(f"{begin}; {scored}. {listed}", category, stacklevel=2)

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


def run_in_processes(search, data, function, tasks, splits):
    """Do the tasks of :class:`Fits` in the processes that joblib starts on this machine."""
    parallel = Parallel(
        n_jobs=search.n_jobs, pre_dispatch=search.pre_dispatch, return_as="generator_unordered"
    )
    results = parallel(
        delayed(_numbered)(number, function, data, splits[fold], params)
        for number, (fold, params) in tasks.items()
    )
    try:
        for number, result in results:
            yield number, result, None
    except BrokenProcessPool as error:
        later = f" The same search goes on from {search.journal}." if search.journal else ""
        raise OSError(
            "A worker process was ended, usually for lack of memory, or could not read its task."
            f" Use fewer jobs, or smaller networks or batches.{later}"
        ) from error
    finally:
        with warnings.catch_warnings():  # of work that an interrupted search does not wait for
            warnings.filterwarnings("ignore", r"\d+ tasks", UserWarning)
            results.close()


def fit_candidate(data, split, params):
    """Fit a candidate on a fold, score it, and return what came out in values of JSON."""
    train, test = split
    estimator = clone(data.estimator).set_params(**clone(params, safe=False))
    begin = time.time()
    try:
        data.fit(estimator, train)
    except Exception as error:
        if data.raises:
            raise
        return _failed(error, seconds=time.time() - begin)
    fitted = time.time()
    test_scores, errors = _score(data, estimator, test, train)
    scored = time.time()
    train_scores = None
    if data.return_train_score:
        train_scores, train_errors = _score(data, estimator, train)
        errors = errors | train_errors
    return {
        "test_scores": test_scores,
        "train_scores": train_scores,
        "fit_time": fitted - begin,
        "score_time": scored - fitted,
        "error": None,
        "score_error": "; ".join(errors.values()) or None,
        "history": _history(estimator),
    }


def _failed(error, *, seconds=0.0):
    """Return the result of a fit that raised."""
    result = dict.fromkeys(("test_scores", "train_scores", "score_error", "history"))
    return result | {"fit_time": seconds, "score_time": 0.0, "error": _line(error)}


def _score(data, *samples):
    """Return scores, None for what a scorer did not give, and by scorer a line that says why."""
    try:
        scores = data.score(*samples)
    except Exception as error:
        if data.raises or data.multimetric:  # several only raise what is wrong with all of them
            raise
        return None, {None: _line(error)}
    if not isinstance(scores, dict):
        return _number(scores), {}
    errors = {}
    if data.multimetric:
        errors = {name: text for name, text in scores.items() if isinstance(text, str)}
    numbers = {n: None if n in errors else _number(score) for n, score in scores.items()}
    last_lines = {name: text.strip().rpartition("\n")[-1] for name, text in errors.items()}
    return numbers, {name: _shorten(f"{name}: {line}") for name, line in last_lines.items()}


def _number(score):
    try:
        return float(score)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"scoring must return a number or a dict of them, got {score!r}."
        ) from error


def _numbered(number, function, *args):
    return number, function(*args)


def _fit_names(pairs, splits):
    """Name each fit by what distinguishes it in a journal, and raise if two have the same name."""
    digests = [digest(split, name="cv") for split in splits]
    names = {}
    for params, fold in pairs:
        described = ", ".join(f"{n}: {text}" for n, text in sorted(describe(params).items()))
        name = f"{described} on fold {fold}, {digests[fold]}"
        if name in names:
            raise ValueError(
                f"Two candidates cannot be distinguished in a journal: {params} is there twice."
                " Leave one of them out, or, if they are not the same, give functions and classes"
                " of different names at the top of a module."
            )
        names[name] = None
    return list(names)


def _line(error):
    return _shorten(f"{type(error).__name__}: {error}")


def _shorten(text):
    return textwrap.shorten(text, 500, placeholder=" ...")


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
