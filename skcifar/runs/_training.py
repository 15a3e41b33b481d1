"""The folder that a training run leaves: the model, its numbers and its pictures."""

import tempfile
from pathlib import Path

import matplotlib
import numpy as np

from ..displays import save_figure
from ..displays._mistakes import surest_mistakes, suspects
from ..files._atomic import write_csv, write_json
from ..files._versions import library_versions
from ..persistence._models import save_model
from ..training._checkpoints import NO_PART_OF_TRAINING
from ._files import EVALUATION_FILES, JOURNAL, MODEL, PAGE
from ._pictures import EVALUATION, RUN
from ._scores import score_predictions


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
    matplotlib.use("Agg")  # files only; a window would need a screen
    problems = []
    for name, picture in pictures.items():
        try:
            save_figure(picture.make_display(of).figure_, folder / name)
        except Exception as error:  # no picture is worth what was computed before
            problems.append(f"{name} could not be drawn ({type(error).__name__}: {error})")
    return problems


def write_run(folder, metrics, predictions, *, y_train):
    """Write the files of :data:`RUN_FILES` but the model, and return why pictures failed."""
    classifier = predictions.pipeline[-1]
    metrics = metrics | score_predictions(predictions, y_train=y_train)
    made_with = {"params": jsonable_params(classifier), "versions": library_versions()}
    write_json(folder / "metrics.json", metrics | made_with)
    history = classifier.history_
    epochs = enumerate(zip(*history.values(), strict=True), start=1)
    rows = [["epoch", *history], *([number, *values] for number, values in epochs)]
    write_csv(folder / "history.csv", rows)
    write_mistakes(folder / "mistakes.csv", predictions)
    return draw(folder, RUN, predictions)


def write_evaluation(folder, metrics, predictions):
    """Write the files of :data:`EVALUATION_FILES`, and return why pictures failed."""
    folder = prepare_run_folder(folder)
    remove_stale(folder, EVALUATION_FILES)
    metrics = metrics | score_predictions(predictions)
    write_json(folder / "evaluation.json", metrics | {"versions": library_versions()})
    write_mistakes(folder / "mistakes.csv", predictions)
    return draw(folder, EVALUATION, predictions)


def write_mistakes(path, predictions):
    """Write a table of the pictures that were taken for others, the surest first."""
    _, y_true, y_proba, classes, filenames, *_ = predictions
    named = filenames is not None
    y_pred = predictions.y_pred
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
