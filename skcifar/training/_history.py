"""What is kept of each epoch of training, and what follows from it."""

import math
from numbers import Real

import numpy as np

MEASURES = ("loss", "accuracy", "val_loss", "val_accuracy")  # of an epoch


def joined_histories(before, now):
    """Put histories together. What one of them lacks is NaN there, so that all lists are as long.

    Parameters
    ----------
    before, now : dict of str to list of float
        Each with ``loss`` at least, unless it is of no epochs. Only :data:`MEASURES` count:
        callbacks may have added more.

    Returns
    -------
    history : dict of str to list of float
    """
    lengths = len(before["loss"]), len(now.get("loss", ()))
    return {
        name: [
            value
            for history, length in zip((before, now), lengths, strict=True)
            for value in history.get(name, [math.nan] * length)
        ]
        for name in MEASURES
        if name in before or name in now
    }


def is_history(value):
    """Whether a value, from a file for example, is a history.

    Parameters
    ----------
    value : object
        Whatever it is.

    Returns
    -------
    is_one : bool
    """
    return (
        isinstance(value, dict)
        and {"loss", "accuracy"} <= value.keys() <= set(MEASURES)
        and all(isinstance(v, list) and all(map(_is_number, v)) for v in value.values())
        and len({len(v) for v in value.values()}) == 1
    )


def _is_number(value):
    return isinstance(value, Real) and not isinstance(value, bool)


def attributes_of_history(before, history):
    """Tell what a classifier learned from a history.

    Parameters
    ----------
    before : dict of str to list of float
        The part that was there before the last fit.

    history : dict of str to list of float
        All of it.

    Returns
    -------
    attributes : dict
        ``history_``, ``n_iter_``, and of the last fit ``best_iter_`` and
        ``best_validation_score_``, None where nothing was validated.
    """
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
