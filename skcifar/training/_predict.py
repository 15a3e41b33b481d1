"""Prediction by a network, whatever backend Keras has."""

from contextlib import contextmanager
from functools import partial

import keras
import numpy as np

from ..networks import count_views

if keras.config.backend() == "tensorflow":
    from ._tensorflow import _loops as engine
else:
    engine = None

# Rows that go through a network at a time. How a product of matrices is rounded depends on its size
# and, where rows are left over after whole blocks, on a row's place; with several threads the size
# also decides how sums are divided. So all passes are of one size, the last one filled up, and no
# prediction depends on its neighbours. 24 is a multiple of the blocks of 4, 8 and 12 rows that are
# in use; networks of rows, which are much cheaper than the call of a pass, take twice as many.
ROWS_A_PASS = 48
PICTURES_A_PASS = 24  # each view of a picture counts

# Few enough that a copy of them stays small whatever the number of samples.
ROWS_A_CALL = 40 * ROWS_A_PASS

# Of a sum of probabilities that were rounded to the 8 bits of bfloat16, in a few steps.
TOLERANCE_OF_16_BITS = 0.03


@contextmanager
def memory_errors_explained():
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
    """Predict class probabilities."""
    return _at_least_float32(predict_outputs(network, X, rows))


def predict_outputs(network, X, rows=None):
    """Compute a network's outputs, one row a sample, for a bounded number of samples at a time."""
    n_samples = len(X) if rows is None else len(rows)
    parts = [slice(start, start + ROWS_A_CALL) for start in range(0, n_samples, ROWS_A_CALL)]
    if rows is not None:
        parts = [rows[part] for part in parts]
    n_rows = ROWS_A_PASS if X.ndim == 2 else PICTURES_A_PASS // count_views(network)
    with memory_errors_explained():
        forward = engine and engine.forward_pass(network)
        forward = forward or partial(_forward_by_keras, network)
        return np.concatenate(
            [_predict_whole_passes(forward, np.asarray(X[part]), n_rows) for part in parts]
        )


def _predict_whole_passes(forward, X, n_rows):
    """Fill the last pass up with the last row, which is left out of the result."""
    n_samples, n_missing = len(X), -len(X) % n_rows
    if n_missing:
        X = np.concatenate([X, np.repeat(X[-1:], n_missing, axis=0)])
    outputs = forward(X.reshape(-1, n_rows, *X.shape[1:]))
    return outputs.reshape(-1, outputs.shape[-1])[:n_samples]


def _at_least_float32(probabilities):
    """Let what was computed in 16 bits add up to 1, unless it is far from that."""
    if probabilities.dtype.itemsize > 2:
        return probabilities
    probabilities = probabilities.astype(np.float32)
    totals = probabilities.sum(axis=1, keepdims=True)
    is_near = np.isclose(totals, 1, atol=TOLERANCE_OF_16_BITS)
    return np.where(is_near, probabilities / totals, probabilities)


def _forward_by_keras(network, passes):
    return np.stack([keras.ops.convert_to_numpy(network(rows, training=False)) for rows in passes])


def check_probabilities(network, sample_shape, n_classes, *, owner):
    """Raise unless a network maps samples to a probability for each class."""
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
