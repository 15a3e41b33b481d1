"""The folder that a training run leaves: the model, its numbers and its pictures."""

import csv
import tempfile
from pathlib import Path

import numpy as np

from ..displays import PredictionGridDisplay, TrainingHistoryDisplay, save_figure
from ..files._atomic import replacing, write_json
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
    "predictions.png",
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


def write_run(folder, pipeline, metrics, *, X_test, y_test, y_proba, random_state=None):
    """Write the files of :data:`RUN_FILES` but the model, and return why pictures failed.

    Each file is written whole or not at all, the pictures last.
    """
    history = pipeline[-1].history_
    made_with = {"params": jsonable_params(pipeline[-1]), "versions": library_versions()}
    write_json(folder / "metrics.json", metrics | made_with)
    path = folder / "history.csv"
    with replacing(path) as unfinished, unfinished.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["epoch", *history])
        epochs = zip(*history.values(), strict=True)
        writer.writerows([number, *values] for number, values in enumerate(epochs, start=1))

    def predictions():
        return PredictionGridDisplay.from_predictions(
            X_test,
            y_test,
            pipeline.classes_[y_proba.argmax(axis=1)],
            y_proba=y_proba,
            n_images=N_PICTURES,
            random_state=random_state,
        )

    curves = TrainingHistoryDisplay(history=history).plot
    return draw(folder, {"predictions.png": predictions, "learning_curves.png": curves})


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
