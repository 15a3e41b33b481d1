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

from ..files._digests import digest
from ._journal import describe

N_LISTED = 10  # failures that one warning names


def fit_candidates(search, run, journal, candidates, splits, report):
    """Fit each candidate on each fold, as far as the journal lacks it, and return the results.

    ``run(tasks, splits)`` has :func:`fit_candidate` called somewhere for each task, which is
    ``(params, fold)`` by number. As each is done, it yields the number, what was returned, and None
    or, of a fit that ended its workers, the error.
    """
    if not candidates or not splits:
        raise ValueError("There is nothing to fit: no candidates or no folds.")
    for params in candidates:  # a name that the estimator lacks is an error before all work
        clone(search.estimator).set_params(**clone(params, safe=False))
    pairs = [(params, fold) for params in candidates for fold in range(len(splits))]
    if search.verbose:
        print(f"{len(candidates)} candidates on {len(splits)} folds make {len(pairs)} fits")
    names = [] if journal is None else _fit_names(pairs, splits)
    results = [None] * len(pairs)

    def keep(number, result, *, from_journal):
        params, fold = pairs[number]
        report(number, splits[fold][0])
        result = result | {"params": params, "fold": fold, "from_journal": from_journal}
        results[number] = result
        if search.verbose > 1:
            seconds = result["fit_time"] + result["score_time"]
            print(f"{params} on fold {fold}: {result['test_scores']}, {seconds:.1f} s")
        if search.on_result is not None:
            search.on_result(result)

    for number, name in enumerate(names):
        result = journal.results.get(name)
        if result and result["error"] is None:
            keep(number, result, from_journal=True)
    tasks = {number: pairs[number] for number, result in enumerate(results) if result is None}
    with closing(run(tasks, splits)) as outcomes:
        for number, result, error in outcomes:
            if error is not None:
                if search.error_score == "raise":
                    raise error
                result = _failed(error)
            if journal is not None:
                journal.append({"fit": names[number], "result": result})
            keep(number, result, from_journal=False)
    _warn_of_failures(results, search.error_score)
    return _with_error_scores(results, search.error_score)


def _warn_of_failures(results, error_score):
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
            scored = f"missing scores are set to {error_score}"
            warnings.warn(f"{begin}; {scored}. {listed}", category, stacklevel=2)


def _with_error_scores(results, error_score):
    """Return results with the error's score where there is none."""
    names = next((s for r in results if isinstance(s := r["test_scores"], dict)), None)

    def completed(scores):
        if names is None:
            return error_score if scores is None else scores
        found = {name: score for name, score in (scores or {}).items() if score is not None}
        return dict.fromkeys(names, error_score) | found

    kinds = ("test_scores", "train_scores")
    return [result | {kind: completed(result[kind]) for kind in kinds} for result in results]


def run_in_processes(search, data, tasks, splits):
    """Do the tasks in the processes that joblib starts on this machine."""
    parallel = Parallel(
        n_jobs=search.n_jobs, pre_dispatch=search.pre_dispatch, return_as="generator_unordered"
    )
    results = parallel(
        delayed(_numbered)(number, data, splits[fold], params)
        for number, (params, fold) in tasks.items()
    )
    try:
        for number, result in results:
            yield number, result, None
    except BrokenProcessPool as error:
        later = f" The same search resumes from {search.journal}." if search.journal else ""
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
    missing = dict.fromkeys(("test_scores", "train_scores", "score_error", "history"))
    line = _line(type(error).__name__, error)
    return missing | {"fit_time": seconds, "score_time": 0.0, "error": line}


def _score(data, *samples):
    """Return scores, None for what a scorer did not give, and by scorer a line that says why."""
    try:
        scores = data.score(*samples)
    except Exception as error:
        if data.raises or data.multimetric:  # several only raise what is wrong with all of them
            raise
        return None, {None: _line(type(error).__name__, error)}
    if not isinstance(scores, dict):
        return _number(scores), {}
    errors = {}
    if data.multimetric:
        errors = {name: text.strip() for name, text in scores.items() if isinstance(text, str)}
    numbers = {name: None if name in errors else _number(scores[name]) for name in scores}
    return numbers, {name: _line(name, text.splitlines()[-1]) for name, text in errors.items()}


def _number(score):
    try:
        return float(score)
    except (TypeError, ValueError) as error:
        raise ValueError(f"scoring must return a number or several, got {score!r}.") from error


def _numbered(number, *args):
    return number, fit_candidate(*args)


def _fit_names(pairs, splits):
    """Name each fit by all that its outcome depends on and that differs within the search."""
    digests = [digest(split, name="cv") for split in splits]
    names = []
    for params, fold in pairs:
        texts = [f"{name}: {text}" for name, text in sorted(describe(params).items())]
        names.append(f"{', '.join(texts)} on fold {fold}, {digests[fold]}")
    return names


def _line(name, text):
    return textwrap.shorten(f"{name}: {text}", 500, placeholder=" ...")


def _history(estimator):
    """Return the history that a fitted estimator, or a Pipeline's last step, keeps."""
    while isinstance(estimator, Pipeline):
        estimator = estimator.steps[-1][1]
    try:
        items = estimator.history_.items()
        return {str(name): [float(value) for value in values] for name, values in items}
    except (AttributeError, TypeError, ValueError):  # none, or something else of this name
        return None
