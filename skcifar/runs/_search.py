"""Grids as the command takes them, and the folder that a search leaves."""

import difflib
import itertools
import json
import math
import tomllib
import warnings
from pathlib import Path

import numpy as np
from sklearn.base import clone
from sklearn.exceptions import FitFailedWarning
from sklearn.model_selection import ParameterGrid

from ..displays import candidate_labels, candidate_of, last_rows
from ..files._atomic import write_csv, write_json
from ..files._versions import library_versions
from ..model_selection._searches import ResumableGridSearchCV, ResumableHalvingGridSearchCV
from ._pictures import SEARCH
from ._training import draw

N_BEST = 5  # candidates in the ranking
FACTOR = 3  # one of so many candidates goes on to the next round, with so many times the epochs
CLASSIFIER = "classify"  # the pipeline's step that names without a step belong to
RESOURCE = f"{CLASSIFIER}__epochs"

PRESETS = {
    # a first try, which takes about a minute on the digits
    "quick": {
        "hidden_layer_sizes": [(50,), (200, 150)],
        "learning_rate": [0.0005, 0.002, 0.005],
    },
    # large networks that are kept from overfitting, and learning rates as high as they bear
    "dense": {
        "hidden_layer_sizes": [(500, 250), (1000, 500)],
        "dropout": [0.2, 0.4],
        "learning_rate": [0.001, 0.003],
        "learning_rate_schedule": ["one-cycle"],
        "batch_normalization": [True],
        "weight_decay": [0.01],
        "batch_size": [128],
    },
}


class GridError(ValueError):
    """A grid cannot be searched; the message says where it is wrong and what to do."""


def make_search(pipeline, grids, *, halving, **params):
    """Make the search that the command does."""
    if not halving:
        return ResumableGridSearchCV(pipeline, grids, **params)
    return ResumableHalvingGridSearchCV(
        pipeline,
        grids,
        resource=RESOURCE,
        max_resources=pipeline[CLASSIFIER].value_of("epochs"),
        factor=FACTOR,
        return_train_score=False,
        **params,
    )


def describe_plan(search):
    """Describe a search in a line, and count its fits, less the last one on all pictures."""
    n_candidates = len(ParameterGrid(search.param_grid))
    epochs = search.estimator[CLASSIFIER].value_of("epochs")
    what = f"{n_candidates} candidates on {search.cv} folds"
    if isinstance(search, ResumableHalvingGridSearchCV):
        rounds = plan_rounds(n_candidates, epochs)
        n_fits = search.cv * sum(n for n, _ in rounds)
        listed = ", ".join(f"{n} of {resource}" for n, resource in rounds)
        return f"{what}, by epochs: {listed}, make {n_fits} fits", n_fits
    n_fits = search.cv * n_candidates
    own = any(RESOURCE in grid for grid in search.param_grid)
    return f"{what} make {n_fits} fits" + ("" if own else f" of {epochs} epochs"), n_fits


def fit_search(search, X, y, *, on_result):
    """Fit a search without its warnings, which the progress shows."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitFailedWarning)
        warnings.filterwarnings("ignore", "Scoring failed|One or more of the .* scores are non-fin")
        search.set_params(on_result=on_result).fit(X, y)


def read_grid(path):
    """Read grids from a TOML file: lists of values by name, or several tables ``[[grid]]``."""
    path = Path(path)
    if not path.is_file():
        raise GridError(f"{path} is not a file. Give a TOML file, such as: dropout = [0.0, 0.2]")
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise GridError(f"{path} is not TOML: {error}.") from error
    grids = content.get("grid", content)
    if grids is content:
        return [content]
    if not isinstance(grids, list) or not all(isinstance(grid, dict) for grid in grids):
        raise GridError(f"{path}: several grids are tables, each of which begins with [[grid]].")
    if len(content) > 1:
        others = ", ".join(name for name in content if name != "grid")
        raise GridError(
            f"{path} has {others} outside its [[grid]] tables. Put everything into tables."
        )
    return grids


def check_grids(grids, pipeline, *, source, halving=False):
    """Return grids, or a preset, with full names, and see that every candidate can be fitted."""
    checked = []
    for grid in [PRESETS[grids]] if isinstance(grids, str) else grids:
        if not grid:
            raise GridError(f"{source} has no parameters. Give some, such as: dropout = [0.0, 0.2]")
        names = _full_names(grid, pipeline, source)
        for name, values in grid.items():
            if not isinstance(values, list) or not values:
                raise GridError(
                    f"{source}: {name} must be a list of values to try, got {_toml(values)}. Write"
                    f" {name} = [{'...' if values == [] else _toml(values)}]"
                )
        full = {names[name]: [_tuples(value) for value in grid[name]] for name in grid}
        if halving and RESOURCE in full:
            raise GridError(
                f"{source}: a halving search sets the epochs itself. Leave them out of the grid,"
                " and set their maximum with --epochs."
            )
        checked.append(full)
    seen = set()
    for params in ParameterGrid(checked):
        candidate = clone(pipeline).set_params(**params)
        (label,) = candidate_labels([params])
        try:
            for _, step in candidate.steps:
                step._validate_params()
        except (TypeError, ValueError) as error:
            hint = " A list as a value needs its own brackets: [[512, 256]]"
            hint = hint if "array-like" in str(error) else ""
            raise GridError(f"{source}: {label} cannot be fitted. {error}{hint}") from error
        text = repr(sorted(params.items()))
        if text in seen:
            raise GridError(f"{source}: {label} is there twice. Remove one of them.")
        seen.add(text)
    return checked


def plan_rounds(n_candidates, epochs):
    """Return candidates and epochs of each round of a halving search."""
    wanted = 1 + math.floor(math.log(n_candidates, FACTOR))
    least = max(1, epochs // FACTOR ** (wanted - 1))
    rounds = []
    for number in range(min(wanted, 1 + math.floor(math.log(epochs // least, FACTOR)))):
        rounds.append((n_candidates, min(epochs, least * FACTOR**number)))
        n_candidates = math.ceil(n_candidates / FACTOR)
    return rounds


def describe_ranking(search):
    """Return lines, one for each of the best candidates, and the parameters of the best."""
    results, rows = search.cv_results_, last_rows(search)
    labels = candidate_labels([candidate_of(search, row) for row in rows])
    means, stds = results["mean_test_score"], results["std_test_score"]
    lines = [
        f"{rank}.  {means[row]:.4f} ± {stds[row]:.4f}   {label}"
        for rank, (row, label) in enumerate(zip(rows, labels, strict=True), start=1)
    ]
    return lines[:N_BEST], labels[0]


def write_search(folder, search, metrics):
    """Write the files of :data:`SEARCH_FILES` that come last, and return why pictures failed."""
    metrics = metrics | {
        "n_folds": search.n_splits_,
        "epochs": search.best_estimator_[CLASSIFIER].value_of("epochs"),
        "n_parameters": search.best_estimator_[CLASSIFIER].model_.count_params(),
        "best_params": search.best_params_,
        "best_validation_score": float(search.best_score_),
        "refit_seconds": search.refit_time_,
        "versions": library_versions(),
    }
    write_json(folder / "metrics.json", metrics)
    write_csv(folder / "cv_results.csv", _results_table(search))
    write_csv(folder / "learning_curves.csv", _curves_table(search))
    return draw(folder, SEARCH, search)


def _full_names(grid, pipeline, source):
    """Return the full name of each name in a grid."""
    steps = pipeline.named_steps
    names = {}
    for name, values in grid.items():
        if isinstance(values, dict) and name in steps:
            within = next(iter(values), "dropout")
            raise GridError(
                f"{source}: {name} is a table, but a grid is flat. Write"
                f" {name}__{within} = {_toml(values.get(within, ['...']))}"
            )
        full = _full_name(name, pipeline, source)
        if full in names.values():
            (other,) = (n for n in names if names[n] == full)
            raise GridError(
                f"{source}: {other} and {name} are the same parameter. Leave one of them out."
            )
        names[name] = full
    return names


def _full_name(name, pipeline, source):
    known = [name for name in pipeline.get_params() if "__" in name]
    full = name if "__" in name else f"{CLASSIFIER}__{name}"
    if full in known:
        return full
    step = pipeline.named_steps.get(full.partition("__")[0], pipeline)
    short = {n.removeprefix(f"{CLASSIFIER}__"): n for n in known}
    near = difflib.get_close_matches(name.removeprefix(f"{CLASSIFIER}__"), short, n=1)
    hint = f"Did you mean {near[0]}?" if near else f"A grid may have {', '.join(sorted(short))}."
    raise GridError(f"{source}: {name} is not a parameter of {type(step).__name__}. {hint}")


def _tuples(value):
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


def _toml(value):
    """Write a value as it would stand in the file, as far as JSON is the same."""
    return json.dumps(value, default=str)


def _results_table(search):
    """Return rows of results below their names, with parameters and mean scores in front."""
    results = search.cv_results_
    first = ("iter", "n_resources", "param_", "mean_test_", "std_test_", "rank_test_")

    def place(name):
        return next((i for i, start in enumerate(first) if name.startswith(start)), len(first))

    names = sorted((name for name in results if name != "params"), key=place)
    columns = [[_csv(value) for value in results[name]] for name in names]
    rows = zip(_candidate_numbers(search), *columns, strict=True)
    return [["candidate", *names], *rows]


def _curves_table(search):
    histories = search.histories_
    measures = list(dict.fromkeys(name for row in histories for h in row if h for name in h))
    rounds = search.cv_results_.get("iter")  # of a halving search only
    rows = (
        [number, *([] if rounds is None else [rounds[row]]), fold, epoch, *values]
        for row, number in enumerate(_candidate_numbers(search))
        for fold, history in enumerate(histories[row])
        if history
        for epoch, values in enumerate(
            itertools.zip_longest(*(history.get(name, []) for name in measures), fillvalue=""),
            start=1,
        )
    )
    return [["candidate", *([] if rounds is None else ["iter"]), "fold", "epoch", *measures], *rows]


def _candidate_numbers(search):
    """Number the candidate of each row; in a halving search it has a row for each of its rounds."""
    numbers = {}
    candidates = [
        repr(candidate_of(search, row)) for row in range(len(search.cv_results_["params"]))
    ]
    return [numbers.setdefault(candidate, len(numbers)) for candidate in candidates]


def _csv(value):
    """Write None as such, since an empty field is a parameter that the candidate lacks."""
    if value is np.ma.masked:
        return ""
    return "None" if value is None else value
