"""The folder that a training run leaves: the model, its numbers and its pictures."""

import tempfile
from pathlib import Path

import numpy as np

from ..displays import save_figure
from ..displays._mistakes import surest_mistakes, suspects
from ..files._atomic import write_csv, write_json
from ..files._versions import library_versions
from ..persistence._models import save_model
from ..training._checkpoints import NO_PART_OF_TRAINING
from ._scores import class_scores, reliability_scores
from .report._pictures import EVALUATION, RUN, Predictions

MODEL = "model.safetensors"
JOURNAL = "journal.jsonl"  # of a search, which goes on from it
PAGE = "report.html"
RUN_FILES = (MODEL, "metrics.json", "history.csv", "mistakes.csv", *RUN)
EVALUATION_FILES = ("evaluation.json", "mistakes.csv", *EVALUATION)


def jsonable_params(classifier):
    """Return a classifier's parameters in types that JSON knows."""
    params = classifier.get_params(deep=False)
    return {
        name: _jsonable(value) for name, value in params.items() if name not in NO_PART_OF_TRAINING
    }


def prepare_run_folder(folder):
    """Make a folder for a run and see that it can be written to, before training takes minutes."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder):
        return folder


def save_first(model, folder, files):
    """Save a model before all else, and remove what an earlier one of the same kind left."""
    save_model(model, folder / MODEL)
    remove_stale(folder, [name for name in files if name not in (MODEL, JOURNAL)])


def remove_stale(folder, files):
    """Remove files that are written next, and the page that showed the old ones."""
    for name in (*files, PAGE):
        (folder / name).unlink(missing_ok=True)


def draw(folder, pictures, of):
    """Draw pictures of predictions, a comparison or a search, and return why some failed."""
    problems = []
    for name, picture in pictures.items():
        try:
            save_figure(picture.make_display(of).figure_, folder / name)
        except Exception as error:  # no picture is worth what was computed before
            problems.append(f"{name} could not be drawn ({type(error).__name__}: {error})")
    return problems


def write_run(
    folder,
    pipeline,
    metrics,
    *,
    y_train,
    X_test,
    y_test,
    y_proba,
    filenames=None,
    random_state=None,
):
    """Write the files of :data:`RUN_FILES` but the model, and return why pictures failed.

    Each file is written whole or not at all, the pictures last.
    """
    history = pipeline[-1].history_
    classes = pipeline.classes_
    y_pred = classes[y_proba.argmax(axis=1)]
    metrics = metrics | reliability_scores(y_test, y_proba, classes)
    metrics["by_class"] = class_scores(y_train, y_test, y_pred, classes)
    made_with = {"params": jsonable_params(pipeline[-1]), "versions": library_versions()}
    write_json(folder / "metrics.json", metrics | made_with)
    epochs = enumerate(zip(*history.values(), strict=True), start=1)
    rows = [["epoch", *history], *([number, *values] for number, values in epochs)]
    write_csv(folder / "history.csv", rows)
    write_mistakes(folder / "mistakes.csv", y_test, y_proba, classes, filenames)
    of = Predictions(X_test, y_test, y_proba, classes, filenames, random_state, pipeline)
    return draw(folder, RUN, of)


def write_evaluation(folder, metrics, *, X, y, y_proba, classes, filenames=None):
    """Write the files of :data:`EVALUATION_FILES`, and return why pictures failed."""
    folder = prepare_run_folder(folder)
    remove_stale(folder, EVALUATION_FILES)
    metrics = metrics | reliability_scores(y, y_proba, classes)
    metrics["by_class"] = class_scores(None, y, classes[y_proba.argmax(axis=1)], classes)
    write_json(folder / "evaluation.json", metrics | {"versions": library_versions()})
    write_mistakes(folder / "mistakes.csv", y, y_proba, classes, filenames)
    return draw(folder, EVALUATION, Predictions(X, y, y_proba, classes, filenames))


def write_mistakes(path, y_true, y_proba, classes, filenames):
    """Write a table of the pictures that were taken for others, the surest first."""
    named = filenames is not None
    y_pred = classes[y_proba.argmax(axis=1)]
    actual = np.searchsorted(classes, y_true)
    suspect = set(suspects(actual, y_proba).tolist())
    columns = ("actual", "predicted", "probability", "probability of actual", "suspect label")
    rows = [["index", *["file"] * named, *columns]]
    for row in surest_mistakes(actual, y_proba).tolist():
        name = [filenames[row]] if named else []
        both = float(y_proba[row].max()), float(y_proba[row, actual[row]])
        is_suspect = "yes" if row in suspect else "no"
        rows.append([row, *name, y_true[row], y_pred[row], *both, is_suspect])
    write_csv(path, rows)


def _jsonable(value):
    match value:
        case np.generic() | np.ndarray():
            return _jsonable(value.tolist())
        case None | bool() | int() | float() | str():
            return value
        case list() | tuple():
            return [_jsonable(v) for v in value]
        case dict():
            return {str(k): _jsonable(v) for k, v in value.items()}
    return repr(value)
