"""Kill a training again and again, let it go on each time, and compare with one left alone.

    python fuzz/kill_training.py [N_KILLS] [SEED]

Each process is killed by SIGKILL at a random moment after its first epoch began, which may be in
the middle of an epoch or of writing the checkpoint. Prints where each one was, and whether the last
one ends with the weights of a training that nobody killed, bit for bit.
"""

import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import keras
import numpy as np

from skcifar import DenseClassifier, load_digit_images, load_model, save_model

EPOCHS = 400
LONGEST_LIFE = 8  # seconds of training, the first of which are spent on compiling


class TellBeginning(keras.callbacks.Callback):
    """Prints a line when an epoch begins."""

    def on_epoch_begin(self, epoch, logs=None):
        """Print it."""
        print("begins", flush=True)


def make_classifier(**params):
    """The article's network with all that has a state of its own."""
    return DenseClassifier(
        dropout=0.2,
        batch_normalization=True,
        learning_rate_schedule="one-cycle",
        validation_fraction=0.1,
        early_stopping=True,
        n_iter_no_change=EPOCHS,
        epochs=EPOCHS,
        random_state=0,
        **params,
    )


def train(folder):
    """Train with a checkpoint in a folder, and save the model there."""
    X, y = load_digit_images(return_X_y=True)
    classifier = make_classifier(
        checkpoint=folder / "checkpoint.safetensors", callbacks=[TellBeginning()]
    )
    classifier.fit(X / np.float32(255), y)
    save_model(classifier.set_params(callbacks=None), folder / "model.safetensors")


def n_epochs_in(path):
    """How many epochs a checkpoint holds."""
    from skcifar.files._parts import opened_parts

    if not path.exists():
        return 0
    with opened_parts(path, kind="checkpoint") as parts:
        return len(parts.description["history"]["loss"])


def main(n_kills=20, seed=0):
    """Kill so often, then compare."""
    draw = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        checkpoint, model = folder / "checkpoint.safetensors", folder / "model.safetensors"
        n_killed = 0
        while not model.exists():
            with subprocess.Popen(
                [sys.executable, __file__, "--train", str(folder)], stdout=subprocess.PIPE
            ) as process:
                process.stdout.readline()
                if n_killed < n_kills:
                    life = draw.uniform(0, LONGEST_LIFE)
                    time.sleep(life)
                    process.kill()
                process.wait()
            if n_killed < n_kills and not model.exists():
                n_killed += 1
                left = len(list(folder.glob(".checkpoint-*")))
                print(
                    f"kill {n_killed:2d} after {life:.3f} s of training: {n_epochs_in(checkpoint)}"
                    f" epochs done, {left} unfinished files"
                )
        print(f"{n_killed} kills, then {n_epochs_in(checkpoint)} epochs done")
        killed = load_model(model)

    X, y = load_digit_images(return_X_y=True)
    whole = make_classifier().fit(X / np.float32(255), y)
    pairs = zip(killed.model_.get_weights(), whole.model_.get_weights(), strict=True)
    equal = all(np.array_equal(one, other) for one, other in pairs)
    print(f"weights {'equal, bit for bit' if equal else 'DIFFERENT'}")
    print(f"histories {'equal' if killed.history_ == whole.history_ else 'DIFFERENT'}")
    return 0 if equal else 1


if __name__ == "__main__":
    if sys.argv[1:2] == ["--train"]:
        train(Path(sys.argv[2]))
    else:
        sys.exit(main(*map(int, sys.argv[1:])))
