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

RUN_FILES = (
    "model.safetensors",
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


def write_run(folder, pipeline, metrics, *, X_test, y_test, y_proba, random_state=None):
    """Write the files of :data:`RUN_FILES`, each of them whole or not at all."""
    history = pipeline[-1].history_
    predictions = PredictionGridDisplay.from_predictions(
        X_test,
        y_test,
        pipeline.classes_[y_proba.argmax(axis=1)],
        y_proba=y_proba,
        n_images=N_PICTURES,
        random_state=random_state,
    )
    curves = TrainingHistoryDisplay(history=history).plot()

    save_model(pipeline, folder / "model.safetensors")
    made_with = {"params": jsonable_params(pipeline[-1]), "versions": library_versions()}
    write_json(folder / "metrics.json", metrics | made_with)
    path = folder / "history.csv"
    with replacing(path) as unfinished, unfinished.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["epoch", *history])
        epochs = zip(*history.values(), strict=True)
        writer.writerows([number, *values] for number, values in enumerate(epochs, start=1))
    save_figure(predictions.figure_, folder / "predictions.png")
    save_figure(curves.figure_, folder / "learning_curves.png")


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
