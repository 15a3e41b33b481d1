"""How a network is compiled, trained and asked, whatever backend Keras has.

Knows neither pipelines nor data sets.
"""

import gc
import math
from contextlib import contextmanager
from functools import partial

import keras
import numpy as np
from scikeras.wrappers import KerasClassifier

if keras.config.backend() == "tensorflow":
    from . import _engine
else:
    _engine = None

_BATCH_HOOKS = ("on_batch_begin", "on_batch_end", "on_train_batch_begin", "on_train_batch_end")

# Rows that go through a network at a time when it predicts: enough to keep the processor busy,
# few enough that the layers' outputs stay small whatever the number of samples.
PREDICTION_ROWS = 2048

BYTES_A_WEIGHT = 12  # in float32, with the two moments that Adam keeps of it
BYTES_OF_GARBAGE = 128 * 2**20  # collecting takes a fifth of a second, so not too often
_bytes_since_collection = 0


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
        # named, since Keras would count names up, each of which costs memory for good
        optimizer=keras.optimizers.Adam(float(learning_rate), name="adam"),
        loss=keras.losses.CategoricalCrossentropy(),
        metrics=["accuracy"],
    )
    network.optimizer.build(network.trainable_variables)
    _clear_away_old_networks(network)


def _clear_away_old_networks(network):
    """Collect garbage when the networks that were compiled since last time may fill much memory.

    A network that nobody needs any more is a cycle of a few hundred objects that holds megabytes.
    Python counts objects, so that it would let dozens of them lie about.
    """
    global _bytes_since_collection
    weights = sum(math.prod(variable.shape) for variable in network.variables)
    _bytes_since_collection += weights * BYTES_A_WEIGHT
    if _bytes_since_collection > BYTES_OF_GARBAGE:
        _bytes_since_collection = 0
        gc.collect()


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
    """Train a compiled network as Keras' own ``fit`` does, and on TensorFlow several times faster.

    Keras' own ``fit`` itself is used on other backends, for callbacks that ask for single batches,
    and for networks that are not made of Keras' own parts alone. Otherwise weights, also those that
    callbacks see, change when an epoch is over, and ``network.metrics`` are not kept.

    Parameters
    ----------
    network : keras.Model
        Compiled. Trained in place.

    X : ndarray of shape (n_samples, ...), dtype float
        Samples.

    y : ndarray of shape (n_samples, n_classes), dtype float
        One-hot labels.

    sample_weight : ndarray of shape (n_samples,), default=None
        Factors of the samples' losses. A step's loss is the mean over its samples. Samples of
        weight 0 are left out.

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
    if sample_weight is None:
        sample_weight = np.ones(len(X))
    rows = np.flatnonzero(sample_weight)
    arrays = (
        np.ascontiguousarray(X),
        np.ascontiguousarray(y, dtype=X.dtype),
        sample_weight.astype(X.dtype),
    )
    batch_size = min(batch_size, len(rows))
    n_batches = math.ceil(len(rows) / batch_size)
    orders = _orders(rows, epochs=epochs, shuffle=shuffle, seed=seed)
    callbacks = [*(callbacks or ()), _StopAtDivergence()]
    key = None
    with memory_error_told():
        if _engine is not None and not any(map(_asks_for_batches, callbacks)):
            key = _engine.training_key(network, arrays, n_samples=len(rows), batch_size=batch_size)
        if key is not None:
            callbacks = keras.callbacks.CallbackList(
                callbacks,
                add_history=True,
                add_progbar=verbose != 0,
                model=network,
                verbose=verbose,
                epochs=initial_epoch + epochs,
                steps=n_batches,
            )
            epoch_of_engine = partial(
                _engine.train_epoch, key, network, arrays, batch_size=batch_size
            )
            return _fit_by_engine(epoch_of_engine, network, orders, initial_epoch, callbacks)
        return network.fit(
            _batches(arrays, orders, batch_size),
            steps_per_epoch=n_batches,
            shuffle=False,  # done already
            epochs=initial_epoch + epochs,
            initial_epoch=initial_epoch,
            callbacks=callbacks,
            verbose=verbose,
        ).history


def _orders(rows, *, epochs, shuffle, seed):
    """Yield the order of the samples in each epoch, which depends on ``seed`` alone.

    Keras' own shuffling depends on the backend's global seed.
    """
    for epoch in range(epochs):
        yield np.random.default_rng([seed, epoch]).permutation(rows) if shuffle else rows


def _asks_for_batches(callback):
    """Whether a callback does anything at single batches, by its class or by an attribute."""
    does_nothing = (getattr(keras.callbacks.Callback, hook) for hook in _BATCH_HOOKS)
    hooks = (getattr(callback, hook) for hook in _BATCH_HOOKS)
    return any(
        getattr(hook, "__func__", hook) is not nothing
        for hook, nothing in zip(hooks, does_nothing, strict=True)
    )


def _fit_by_engine(train_epoch, network, orders, initial_epoch, callbacks):
    """Go through epochs as ``keras.Model.fit`` does, with batches left to the engine."""

    def after_batches(n_batches, means):
        callbacks.on_train_batch_end(n_batches - 1, means)  # only Keras' progress bar listens

    network.stop_training = False
    callbacks.on_train_begin()
    for epoch, rows in enumerate(orders, start=initial_epoch):
        callbacks.on_epoch_begin(epoch)
        means = train_epoch(rows, after_batches=after_batches)
        callbacks.on_epoch_end(epoch, means)
        if network.stop_training:
            break
    network.optimizer.finalize_variable_values(network.trainable_variables)
    callbacks.on_train_end(means)
    return network.history.history


def _batches(arrays, orders, batch_size):
    for rows in orders:
        for start in range(0, len(rows), batch_size):
            yield tuple(array[rows[start : start + batch_size]] for array in arrays)


class _StopAtDivergence(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        if not np.isfinite(logs["loss"]):
            raise ValueError(
                f"The loss became {logs['loss']} in epoch {epoch + 1} with learning_rate="
                f"{float(self.model.optimizer.learning_rate):g}: the steps were too large. Lower"
                " the learning rate, or scale X to about 0 to 1."
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

    def by_keras(rows):
        return keras.ops.convert_to_numpy(network(rows, training=False))

    starts = range(0, len(X), PREDICTION_ROWS)
    with memory_error_told():
        forward = (_engine and _engine.forward_pass(network, X)) or by_keras
        return np.concatenate([forward(X[start : start + PREDICTION_ROWS]) for start in starts])


class NetworkTrainer(KerasClassifier):
    """scikeras' classifier, trained by :func:`train_network`.

    scikeras always trains by ``keras.Model.fit`` on arrays, and seeds that by switching
    TensorFlow to deterministic ops for the whole process. The one method that calls it is private
    and stands in for it here; no public one comes between validation and training. scikeras 0.13
    is its last release, so the name will not move. Weights come by a parameter, since scikeras
    would copy all samples that have some.
    """

    def _fit_keras_model(self, X, y, sample_weight, **epochs_as_scikeras_counts):
        history = train_network(
            self.model_,
            X,
            y,
            self.fit__sample_weight if sample_weight is None else sample_weight,
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
