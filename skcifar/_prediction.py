"""How a network is asked, whatever backend Keras has."""

from contextlib import contextmanager

import keras
import numpy as np

if keras.config.backend() == "tensorflow":
    from . import _engine as engine
else:
    engine = None

# Rows that go through a network at a time: enough to keep the processor busy, few enough that the
# layers' outputs stay small whatever the number of samples.
PREDICTION_ROWS = 2048


@contextmanager
def memory_error_told():
    """Turn a backend's long account of missing memory into a MemoryError with a remedy."""
    try:
        yield
    except Exception as error:
        words_of_backends = "ResourceExhausted", "RESOURCE_EXHAUSTED", "Out of memory"
        if not any(word in f"{type(error).__name__}: {error}" for word in words_of_backends):
            raise
        raise MemoryError(
            "The network and its batches do not fit into memory. Take smaller layers or a smaller"
            " batch_size."
        ) from error


def predict_probabilities(network, X, rows=None):
    """Ask a network for class probabilities, a bounded number of rows at a time.

    Parameters
    ----------
    network : keras.Model
        Ends in probabilities.

    X : ndarray of shape (n_samples, ...), dtype float
        Samples.

    rows : ndarray of int, default=None
        The samples to ask about, by default all of them.

    Returns
    -------
    probabilities : ndarray of shape (n_samples, n_classes), dtype float
    """

    def by_keras(rows):
        return keras.ops.convert_to_numpy(network(rows, training=False))

    n_samples = len(X) if rows is None else len(rows)
    parts = [
        slice(start, start + PREDICTION_ROWS) for start in range(0, n_samples, PREDICTION_ROWS)
    ]
    if rows is not None:
        parts = [rows[part] for part in parts]
    with memory_error_told():
        forward = (engine and engine.forward_pass(network, X)) or by_keras
        return np.concatenate([forward(X[part]) for part in parts])


def check_probabilities(network, sample_shape, n_classes, *, owner):
    """Raise unless a network maps samples to a probability for each class.

    Parameters
    ----------
    network : keras.Model
        What ``build_network`` returned.

    sample_shape : tuple of int
        Shape of one sample.

    n_classes : int
        Number of classes.

    owner : str
        Whose ``build_network`` it was.

    Raises
    ------
    ValueError
        If it is something else.
    """
    if not isinstance(network, keras.Model) or network.output_shape != (None, n_classes):
        raise ValueError(
            f"{owner}.build_network must return a keras.Model with output of shape (None,"
            f" {n_classes}), a probability for each class. Got"
            f" {getattr(network, 'output_shape', network)!r} instead."
        )
    total = predict_probabilities(
        network, np.zeros((1, *sample_shape), keras.config.floatx())
    ).sum()
    if not np.isclose(total, 1, atol=1e-3):
        raise ValueError(
            f"{owner}.build_network must return a network that ends in probabilities, by a"
            f" softmax. Its outputs add up to {total:.3g} instead of 1."
        )
