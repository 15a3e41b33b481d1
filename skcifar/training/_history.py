"""What is kept of each epoch of training, and what follows from it."""

import math
from numbers import Real

import numpy as np

MEASURES = ("loss", "accuracy", "val_loss", "val_accuracy")  # of an epoch, the first of all


def with_epoch(history, logs):
    """Return a history with one more epoch, of which all numbers in the logs are kept."""
    numbers = {name: np.asarray(value) for name, value in logs.items()}
    return joined_histories(
        history,
        {name: [float(v)] for name, v in numbers.items() if v.ndim == 0 and v.dtype.kind in "fiu"},
    )


def joined_histories(before, now):
    """Join histories, with NaN where one of them lacks a measure that the other has."""
    lengths = [len(history.get("loss", ())) for history in (before, now)]
    names = dict.fromkeys([*MEASURES, *before, *now])
    return {
        name: [
            value
            for history, length in zip((before, now), lengths, strict=True)
            for value in history.get(name, [math.nan] * length)
        ]
        for name in names
        if name in before or name in now
    }


def is_history(value):
    """Whether a value, from a file for example, is a history."""
    return (
        isinstance(value, dict)
        and {"loss", "accuracy"} <= value.keys()
        and all(isinstance(name, str) for name in value)
        and all(isinstance(v, list) and all(map(_is_number, v)) for v in value.values())
        and len({len(v) for v in value.values()}) == 1
    )


def _is_number(value):
    return isinstance(value, Real) and not isinstance(value, bool)


def attributes_of_history(before, history):
    """Return the fitted attributes that follow from a history."""
    n_iter, n_before = len(history["loss"]), len(before["loss"])
    best_iter = best_score = None
    scores = history.get("val_accuracy", [])[n_before:]
    if scores and not np.isnan(scores).all():
        best_iter = n_before + int(np.argmax(scores)) + 1
        best_score = history["val_accuracy"][best_iter - 1]
    return {
        "history_": history,
        "best_iter_": best_iter,
        "best_validation_score_": best_score,
        "n_iter_": n_iter,
    }
