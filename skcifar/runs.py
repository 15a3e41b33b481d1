"""The folder that a training run leaves: the model, its numbers and its pictures."""

import csv
import json
import tempfile
import warnings
from pathlib import Path

from .displays import PredictionGridDisplay, TrainingHistoryDisplay
from .persistence import replacing, save_model

N_PICTURES = 10  # in the article's row of predictions

RUN_FILES = (
    "model.safetensors",
    "metrics.json",
    "history.csv",
    "predictions.png",
    "learning_curves.png",
)


def prepare_run_folder(folder):
    """Make a folder for a run and see that it can be written to, before training takes minutes.

    Parameters
    ----------
    folder : str or path-like
        Made if it is not there.

    Returns
    -------
    folder : pathlib.Path

    Raises
    ------
    OSError
        If nothing can be written there.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder):
        return folder


def write_run(folder, pipeline, metrics, *, X_test, y_test, y_pred, random_state=None):
    """Write the files of :data:`RUN_FILES`, each of them whole or not at all.

    Parameters
    ----------
    folder : pathlib.Path
        Where to write; files of an earlier run are replaced.

    pipeline : Pipeline
        Fitted; its last step has ``history_``.

    metrics : dict
        What ``metrics.json`` is to hold.

    X_test : ndarray of shape (n_samples, height, width, 3)
        Test pictures.

    y_test, y_pred : ndarray of shape (n_samples,)
        Their actual and their predicted classes.

    random_state : int or None, default=None
        Determines which test pictures are drawn.
    """
    history = pipeline[-1].history_
    predictions = PredictionGridDisplay.from_predictions(
        X_test, y_test, y_pred, n_images=N_PICTURES, random_state=random_state
    )
    curves = TrainingHistoryDisplay(history=history).plot()

    save_model(pipeline, folder / "model.safetensors")
    with replacing(folder / "metrics.json") as path:
        path.write_text(json.dumps(metrics, indent=2) + "\n", encoding="utf-8")
    with replacing(folder / "history.csv") as path, path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["epoch", *history])
        epochs = zip(*history.values(), strict=True)
        writer.writerows([number, *values] for number, values in enumerate(epochs, start=1))
    for name, display in (("predictions.png", predictions), ("learning_curves.png", curves)):
        with replacing(folder / name) as path, warnings.catch_warnings():
            # a class name may be in a script that the font lacks; the picture shows boxes then
            warnings.filterwarnings("ignore", message="Glyph .* missing from font")
            display.figure_.savefig(path, dpi=120, bbox_inches="tight")
