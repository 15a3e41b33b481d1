"""The folder that a training run leaves: the model, its numbers and its pictures."""

import tempfile
from pathlib import Path

import numpy as np

from ..displays import (
    ConfidentMistakesDisplay,
    PredictionGridDisplay,
    TrainingHistoryDisplay,
    save_figure,
)
from ..displays._mistakes import surest_mistakes
from ..files._atomic import write_csv, write_json
from ..files._versions import library_versions
from ..persistence._models import save_model

N_PICTURES = 10  # in the article's row of predictions

MODEL = "model.safetensors"
JOURNAL = "journal.jsonl"  # of a search, which goes on from it
PAGE = "report.html"
RUN_FILES = (
    MODEL,
    "metrics.json",
    "history.csv",
    "mistakes.csv",
    "predictions.png",
    "mistakes.png",
    "learning_curves.png",
)

NO_PART_OF_THE_MODEL = frozenset({"callbacks", "checkpoint", "verbose"})  # they only watch


def jsonable_params(classifier):
    """Return a classifier's parameters in types that JSON knows."""
    params = classifier.get_params(deep=False)
    return {
        name: _jsonable(value) for name, value in params.items() if name not in NO_PART_OF_THE_MODEL
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


def draw(folder, pictures):
    """Write pictures, each by a function that makes its display, and return why some failed."""
    problems = []
    for name, make_display in pictures.items():
        try:
            save_figure(make_display().figure_, folder / name)
        except Exception as error:  # no picture is worth what was computed before
            problems.append(f"{name} could not be drawn ({type(error).__name__}: {error})")
    return problems


def write_run(
    folder, pipeline, metrics, *, X_test, y_test, y_proba, filenames=None, random_state=None
):
    """Write the files of :data:`RUN_FILES` but the model, and return why pictures failed.

    Each file is written whole or not at all, the pictures last.
    """
    history = pipeline[-1].history_
    made_with = {"params": jsonable_params(pipeline[-1]), "versions": library_versions()}
    write_json(folder / "metrics.json", metrics | made_with)
    epochs = enumerate(zip(*history.values(), strict=True), start=1)
    rows = [["epoch", *history], *([number, *values] for number, values in epochs)]
    write_csv(folder / "history.csv", rows)
    classes = pipeline.classes_
    write_mistakes(folder / "mistakes.csv", y_test, y_proba, classes, filenames)

    def predictions():
        return PredictionGridDisplay.from_predictions(
            X_test,
            y_test,
            classes[y_proba.argmax(axis=1)],
            y_proba=y_proba,
            filenames=filenames,
            n_images=N_PICTURES,
            random_state=random_state,
        )

    def mistakes():
        return ConfidentMistakesDisplay.from_predictions(
            X_test, y_test, y_proba, classes=classes, filenames=filenames, n_images=N_PICTURES
        )

    curves = TrainingHistoryDisplay(history=history).plot
    pictures = {"predictions.png": predictions, "mistakes.png": mistakes}
    return draw(folder, pictures | {"learning_curves.png": curves})


def write_mistakes(path, y_true, y_proba, classes, filenames):
    """Write a table of the pictures that were taken for others, the surest first."""
    named = filenames is not None
    y_pred = classes[y_proba.argmax(axis=1)]
    rows = [["index", *["file"] * named, "actual", "predicted", "probability"]]
    for row in surest_mistakes(np.searchsorted(classes, y_true), y_proba):
        name = [filenames[row]] if named else []
        rows.append([row, *name, y_true[row], y_pred[row], float(y_proba[row].max())])
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
