"""What takes its time as the commands show it: lines, and a bar where there is a terminal."""

import math
import time
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn

from .._keras import keras
from ..displays import candidate_labels
from ._terminal import write

SECONDS_BETWEEN_LINES = 10  # while pictures are read, where there is no terminal


@contextmanager
def reading_progress(n_pictures):
    """Show how many pictures are read, and the time left; where there is no terminal in lines."""
    bar = _bar("reading", "pictures   {task.fields[state]}")
    task = bar.add_task("reading", total=n_pictures, state="")
    begin = reported = time.perf_counter()

    def on_done(n_done):
        nonlocal reported
        now = time.perf_counter()
        state = f"time left {_clock((now - begin) / n_done * (n_pictures - n_done))}"
        bar.update(task, completed=n_done, state=state)
        if bar.disable and now - reported > SECONDS_BETWEEN_LINES:
            reported = now
            write(f"{n_done:,} of {n_pictures:,} pictures read   {state}")

    with bar:
        yield on_done


class EpochProgress(keras.callbacks.Callback):
    """Print loss, accuracy and time left after each epoch.

    Used as a context manager, so that the terminal is put right however training ends.
    """

    def __init__(self, classifier):
        super().__init__()
        self.minutes = classifier.max_minutes
        self.epochs = None if self.minutes else math.ceil(classifier.value_of("epochs"))
        self.n_before = None  # epochs that a checkpoint had
        self.bar = _bar("training", "epochs")
        self.task = self.bar.add_task("training", total=self.epochs)

    def __enter__(self):
        self.bar.start()
        self.begin = time.perf_counter()
        return self

    def __exit__(self, *exception):
        self.bar.stop()

    def on_epoch_begin(self, epoch, logs=None):
        if self.n_before is None:
            self.n_before = epoch
            if epoch:
                write(f"resumes after epoch {epoch}")

    def on_train_end(self, logs=None):
        if self.n_before is None:
            write("nothing is left to train: the checkpoint has all epochs")

    def on_epoch_end(self, epoch, logs=None):
        done = epoch + 1
        passed = time.perf_counter() - self.begin
        if self.minutes is None:
            left = passed / (done - self.n_before) * (self.epochs - done)
            number = f"{done:{len(str(self.epochs))}}/{self.epochs}"
        else:
            left = max(0, 60 * self.minutes - passed)
            number = f"{done}"
        self.bar.update(self.task, completed=done)
        write(
            f"epoch {number}"
            f"   loss {logs['loss']:.4f}   accuracy {logs['accuracy']:.4f}"
            f"   time left {_clock(left)}"
        )


class SearchProgress:
    """Show how far a search is: a bar where there is a terminal, a line for each fit elsewhere.

    Used as a context manager, so that the terminal is put right however the search ends. Called
    with each finished fit, as the ``on_result`` of a search.
    """

    def __init__(self, *, n_fits, n_folds):
        self.n_fits = n_fits
        self.n_folds = n_folds
        self.n_done = self.n_found = 0
        self.best = None
        self.scores = {}
        self.bar = _bar("searching", "fits   {task.fields[state]}")
        self.task = self.bar.add_task("searching", total=n_fits, state="")

    def __enter__(self):
        self.bar.start()
        self.begin = time.perf_counter()
        return self

    def __exit__(self, *exception):
        self.bar.stop()
        if self.n_found == self.n_done:  # no new fit came to report it before
            self._report_found()

    def __call__(self, result):
        if not result["from_journal"] and self.n_found == self.n_done:
            self._report_found()
        self.n_done += 1
        self.n_found += result["from_journal"]
        error = result["error"] or result["score_error"]
        state = "failed" if error else self._score(result)
        if not result["from_journal"]:
            state = f"{state}   time left {self._time_left()}"
        self.bar.update(self.task, completed=self.n_done, state=state)
        number = f"fit {self.n_done:{len(str(self.n_fits))}}/{self.n_fits}"
        if error:
            (candidate,) = candidate_labels([result["params"]])
            write(f"{number}   failed with {candidate}: {error}")
        elif not result["from_journal"] and self.bar.disable:
            write(f"{number}   {state}")

    def _report_found(self):
        if self.n_found:
            write(f"{self.n_found} of {self.n_fits} fits were already done")

    def _score(self, result):
        """Return the last score, and the best mean of a candidate whose folds are all done."""
        scores = self.scores.setdefault(repr(result["params"]), [])
        scores.append(result["test_scores"])
        if len(scores) == self.n_folds:
            mean = sum(scores) / len(scores)
            self.best = mean if self.best is None else max(self.best, mean)
        best = "" if self.best is None else f"   best mean {self.best:.4f}"
        return f"score {result['test_scores']:.4f}{best}"

    def _time_left(self):
        n_new = self.n_done - self.n_found
        left = (time.perf_counter() - self.begin) / n_new * (self.n_fits - self.n_done)
        return _clock(left)


def _clock(seconds):
    return f"{round(seconds) // 60}:{round(seconds) % 60:02d}"


def _bar(what, reported):
    """A bar that shows what is done, how far it is, and a description of the task beside it."""
    # what is printed above it holds names of files and classes, which are no markup
    console = Console(markup=False, emoji=False, highlight=False, soft_wrap=True)
    return Progress(
        SpinnerColumn(),
        TextColumn(what),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(reported),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
