"""How a network is compiled, seeded, trained and asked.

The only room that knows TensorFlow, and the only one that a faster way to train has to change.
It knows neither pipelines nor data sets.
"""

import math
import random
import threading
from contextlib import contextmanager

import keras
import numpy as np
import tensorflow as tf
from scikeras.wrappers import KerasClassifier

# Keras draws the seeds of layers from Python's own random state, which all threads share.
# A build_network may build further networks, hence the R.
_random_state_lock = threading.RLock()

# Rows that go through a network at a time when it predicts: enough to keep the processor busy,
# few enough that the layers' outputs stay small whatever the number of samples.
PREDICTION_ROWS = 2048


@contextmanager
def seeded_layers(seed):
    """Make the layers that are built inside depend on ``seed`` alone.

    A layer that is given no seed asks Python's random state for one. That state is set for the
    time of building and put back, so that nobody outside notices. Threads that build networks
    wait for each other; one that draws from Python's random state in these few milliseconds, for
    whatever else, would change what the layers draw.

    Parameters
    ----------
    seed : int
        Seed of the initial weights and of layers, such as Dropout, that draw random numbers.
    """
    with _random_state_lock:
        before = random.getstate()
        random.seed(seed)
        try:
            yield
        finally:
            random.setstate(before)


@contextmanager
def memory_error_told():
    """Turn TensorFlow's long account of missing memory into a MemoryError with a remedy."""
    try:
        yield
    except tf.errors.ResourceExhaustedError as error:
        raise MemoryError(
            "The network and its batches do not fit into memory. Take smaller layers or a smaller"
            " batch_size."
        ) from error


def compile_network(network, *, learning_rate):
    """Compile a network as the article does: Adam, categorical cross-entropy, accuracy.

    Parameters
    ----------
    network : keras.Model
        Ends in probabilities. Compiled in place, which gives it a new optimizer.

    learning_rate : float
        Step size of Adam.
    """
    network.compile(
        optimizer=keras.optimizers.Adam(float(learning_rate)),
        loss=keras.losses.CategoricalCrossentropy(),
        metrics=["accuracy"],
    )


def train_network(
    network,
    X,
    y,
    sample_weight=None,
    *,
    batch_size,
    epochs,
    initial_epoch=0,
    shuffle=True,
    seed=0,
    callbacks=None,
    verbose=0,
):
    """Train a compiled network, by Keras' own ``fit``.

    Parameters
    ----------
    network : keras.Model
        Compiled. Trained in place.

    X : ndarray of shape (n_samples, ...), dtype float
        Samples.

    y : ndarray of shape (n_samples, n_classes), dtype float
        One-hot labels.

    sample_weight : ndarray of shape (n_samples,), default=None
        Factors of the samples' losses. A step's loss is the mean over its samples.

    batch_size : int
        Samples a step. The last step of an epoch takes what remains.

    epochs : int
        Number of passes over the samples.

    initial_epoch : int, default=0
        The number of passes before this call, from which callbacks count on.

    shuffle : bool, default=True
        Whether each epoch takes the samples in a new random order.

    seed : int, default=0
        Determines these orders.

    callbacks : list of keras.callbacks.Callback, default=None
        Called by Keras as it trains.

    verbose : {0, 1, 2}, default=0
        What Keras prints: nothing, a progress bar, or a line for each epoch.

    Returns
    -------
    history : dict of str to list of float
        Mean loss and accuracy of each epoch, as measured while training.

    Raises
    ------
    ValueError
        If the loss became NaN or infinite.
    MemoryError
        If network and batches do not fit into memory.
    """
    batch_size = min(batch_size, len(X))
    batches = _batches(
        *(X, y, sample_weight), batch_size=batch_size, epochs=epochs, shuffle=shuffle, seed=seed
    )
    with memory_error_told():
        return network.fit(
            batches,
            steps_per_epoch=math.ceil(len(X) / batch_size),
            epochs=initial_epoch + epochs,
            initial_epoch=initial_epoch,
            shuffle=False,  # done already
            callbacks=[*(callbacks or ()), _StopAtDivergence()],
            verbose=verbose,
        ).history


class _StopAtDivergence(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        if not np.isfinite(logs["loss"]):
            raise ValueError(
                f"The loss became {logs['loss']} in epoch {epoch + 1} with learning_rate="
                f"{float(self.model.optimizer.learning_rate):g}: the steps were too large. Lower"
                " the learning rate, or scale X to about 0 to 1."
            )


def _batches(X, y, sample_weight, *, batch_size, epochs, shuffle, seed):
    """The batches of all epochs, in an order that depends on ``seed`` alone.

    Given arrays, Keras would shuffle them by TensorFlow's global seed, as ``tf.data`` does too.
    Here each epoch is a permutation of row numbers, drawn from ``seed`` and the epoch's number.
    """
    arrays = [tf.convert_to_tensor(a) for a in (X, y, sample_weight) if a is not None]
    rows = tf.range(len(X))

    def batches_of_rows(epoch):
        order = rows
        if shuffle:
            order = tf.random.experimental.stateless_shuffle(rows, [seed, epoch])
        return tf.data.Dataset.from_tensor_slices(order).batch(batch_size)

    return (
        tf.data.Dataset.range(epochs, output_type=tf.int32)
        .flat_map(batches_of_rows)
        .map(lambda chosen: tuple(tf.gather(a, chosen) for a in arrays))
        .prefetch(tf.data.AUTOTUNE)
    )


def predict_probabilities(network, X):
    """Ask a network for class probabilities, a bounded number of rows at a time.

    Parameters
    ----------
    network : keras.Model
        Ends in probabilities.

    X : ndarray of shape (n_samples, ...), dtype float
        Samples.

    Returns
    -------
    probabilities : ndarray of shape (n_samples, n_classes), dtype float
    """
    return np.concatenate(
        [
            keras.ops.convert_to_numpy(network(X[start : start + PREDICTION_ROWS], training=False))
            for start in range(0, len(X), PREDICTION_ROWS)
        ]
    )


class NetworkTrainer(KerasClassifier):
    """scikeras' classifier, trained by :func:`train_network`.

    scikeras always trains by ``keras.Model.fit`` on arrays, and seeds that by switching
    TensorFlow to deterministic ops for the whole process. The one method that calls it is private
    and stands in for it here; no public one comes between validation and training. scikeras 0.13
    is its last release, so the name will not move.
    """

    def _fit_keras_model(self, X, y, sample_weight, **epochs_as_scikeras_counts):
        history = train_network(
            self.model_,
            X,
            y,
            sample_weight,
            batch_size=self.batch_size,
            epochs=epochs_as_scikeras_counts["epochs"],
            initial_epoch=self.current_epoch,
            shuffle=self.shuffle,
            seed=self.fit__seed,
            callbacks=self.fit__keras_callbacks,
            verbose=self.verbose,
        )
        # a callback may have added more, for some of the epochs
        self.history_ = {name: values + history[name] for name, values in self.history_.items()}
