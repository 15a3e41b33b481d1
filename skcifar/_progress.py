"""Training as the command shows it: a line for each epoch, and a bar where there is a terminal."""

import time

import keras
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn


class EpochProgress(keras.callbacks.Callback):
    """Print loss, accuracy and time left after each epoch.

    Used as a context manager, so that the terminal is put right however training ends.

    Parameters
    ----------
    console : rich.console.Console
        Where to print. Its bar is left out where it is no terminal.

    epochs : int
        How many epochs will come.
    """

    def __init__(self, console, epochs):
        super().__init__()
        self.console = console
        self.epochs = epochs
        self.bar = Progress(
            SpinnerColumn(),
            TextColumn("training"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("epochs"),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self.task = self.bar.add_task("training", total=epochs)

    def __enter__(self):
        self.bar.start()
        self.begin = time.perf_counter()
        return self

    def __exit__(self, *exception):
        self.bar.stop()

    def on_epoch_end(self, epoch, logs=None):
        done = epoch + 1
        left = (time.perf_counter() - self.begin) / done * (self.epochs - done)
        self.bar.advance(self.task)
        self.console.print(
            f"epoch {done:{len(str(self.epochs))}}/{self.epochs}"
            f"   loss {logs['loss']:.4f}   accuracy {logs['accuracy']:.4f}"
            f"   time left {round(left) // 60}:{round(left) % 60:02d}"
        )
