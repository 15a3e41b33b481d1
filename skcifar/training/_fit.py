"""How a network is compiled and trained, whatever backend Keras has.

Knows neither pipelines nor data sets.
"""

import gc
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import keras
import numpy as np
from scikeras.wrappers import KerasClassifier

from .._lazy import LazyImages
from ._augmentation import Augmentation
from ._batches import Epoch
from ._budget import Budget
from ._callbacks import EachStep, History, LearningRate, StopAlike, StopAtDivergence
from ._history import joined_histories
from ._optimizers import has_schedule, learning_rate_of, make_optimizer, without_loss_scaling
from ._predict import engine, memory_errors_explained
from ._schedules import Schedule
from ._steps import Steps

_BATCH_HOOKS = ("on_batch_begin", "on_batch_end", "on_train_batch_begin", "on_train_batch_end")

# Keras' own that have such a hook: whether it does nothing that an epoch's end does not do.
_ACTS_BY_EPOCH = {
    keras.callbacks.ModelCheckpoint: lambda callback: callback.save_freq == "epoch",
    keras.callbacks.ProgbarLogger: lambda callback: True,
}

BYTES_A_WEIGHT = 12  # in float32, with the two moments that Adam keeps of it
BYTES_OF_GARBAGE = 128 * 2**20  # collecting takes a fifth of a second, so not too often
_bytes_since_collection = 0


def compile_network(
    network, optimizer="adam", *, learning_rate, weight_decay=0.0, label_smoothing=0.0
):
    """Compile a network in place, with a new optimizer."""
    optimizer = make_optimizer(optimizer, learning_rate=learning_rate, weight_decay=weight_decay)
    recompile(network, optimizer, label_smoothing=label_smoothing)
    _clear_away_old_networks(network)


def recompile(network, optimizer, *, label_smoothing):
    """Compile a network with an optimizer that is there."""
    network.compile(optimizer, loss=_loss(label_smoothing), metrics=["accuracy"])
    network.optimizer.build(network.trainable_variables)


def update_compiled(network, like, *, label_smoothing):
    """Let a compiled network go on with its optimizer, and with the numbers of a like one."""
    optimizer = network.optimizer
    if not has_schedule(optimizer):
        optimizer.learning_rate = learning_rate_of(like)
    inner, decay = without_loss_scaling(optimizer), without_loss_scaling(like).weight_decay
    if inner.weight_decay != decay:
        inner.weight_decay = decay
        network.make_train_function(force=True)  # Keras keeps one that has the old decay
    if network.loss.label_smoothing != float(label_smoothing):
        network.compile(optimizer, loss=_loss(label_smoothing), metrics=["accuracy"])


def _loss(label_smoothing):
    return keras.losses.CategoricalCrossentropy(label_smoothing=float(label_smoothing))


def _clear_away_old_networks(network):
    """Collect garbage when the networks that were compiled since last time may fill much memory."""
    # A network that nobody needs any more is a cycle of a few hundred objects that holds megabytes.
    # Python counts objects, so that it would keep dozens of them.
    global _bytes_since_collection
    weights = sum(math.prod(variable.shape) for variable in network.variables)
    _bytes_since_collection += weights * BYTES_A_WEIGHT
    if _bytes_since_collection > BYTES_OF_GARBAGE:
        _bytes_since_collection = 0
        gc.collect()


@dataclass(kw_only=True)
class Training:
    """What a training of a network has beyond the parameters of scikeras."""

    epochs: float  # at most; the last one may be of a part of the samples
    seed: int = 0  # of the orders of samples
    schedule: Schedule | None = None  # None leaves the learning rate to optimizer and callbacks
    moves: Sequence[tuple[int, int]] = ()  # steps where the schedule's end moves, and where to
    budget: Budget | None = None
    augmentation: Augmentation | None = None
    n_epochs_done: int = 0  # of the same training, which was interrupted and goes on
    callbacks: Sequence[keras.callbacks.Callback] = ()
    # The end of the network, which the samples are made for, where all before it is frozen. It is
    # compiled with the network's own optimizer. None trains the whole.
    trained_part: keras.Model | None = None


def train_network(
    network,
    X,
    y,
    sample_weight=None,
    *,
    training,
    batch_size,
    initial_epoch=0,
    shuffle=True,
    verbose=0,
):
    """Train a compiled network in place, as Keras' own ``fit`` does, and return the history."""
    # Keras' own fit itself is used on other backends than TensorFlow, for callbacks that ask for
    # single batches, and for networks that are not made of Keras' own parts alone. Otherwise
    # weights and metrics that callbacks see change when an epoch is over, and training stops then.
    if sample_weight is None:
        sample_weight = np.ones(len(X))
    rows = np.flatnonzero(sample_weight)  # samples of weight 0 are left out
    arrays = (
        X if isinstance(X, LazyImages) else np.ascontiguousarray(X),
        np.ascontiguousarray(y, dtype=X.dtype),
        sample_weight.astype(X.dtype),
    )
    trained = training.trained_part or network
    batch_size = min(batch_size, len(rows))
    n_batches = math.ceil(len(rows) / batch_size)
    steps = Steps(
        max(1, round(training.epochs * n_batches)),
        n_batches=n_batches,
        n_done=training.n_epochs_done * n_batches,
        schedule=training.schedule,
        moves=training.moves,
        budget=training.budget,
    )
    passes = _epochs(arrays, rows, training, initial_epoch=initial_epoch, shuffle=shuffle)
    divergence, history = StopAtDivergence(training.schedule), History()
    rate = [LearningRate(steps)] if training.schedule or has_schedule(network.optimizer) else []
    callbacks = [divergence, *rate, *training.callbacks, history]
    if trained is not network:
        callbacks.append(StopAlike(trained))
    key = None
    if engine is not None and not any(map(_requests_batches, callbacks)):
        key = engine.training_key(trained, arrays, n_samples=len(rows), batch_size=batch_size)
    if key is None:
        callbacks.insert(0, EachStep(steps, trained))
    # a time may move the end so far
    last_epoch = initial_epoch + math.ceil(steps.most / n_batches) - training.n_epochs_done
    callback_list = keras.callbacks.CallbackList(
        callbacks,
        add_history=True,
        add_progbar=verbose != 0,
        model=network,
        verbose=verbose,
        epochs=last_epoch,
        steps=n_batches,
    )

    def train_epoch(number, epoch):
        rate = float(network.optimizer.learning_rate)

        def take(n_steps):
            rates = steps.take(n_steps)
            return rates if steps.schedule else np.full(len(rates), rate)

        def after_batches(n_batches, n_batches_here, means):
            steps.make(n_batches_here)
            divergence.check(number, means["loss"])
            # only Keras' progress bar listens
            callback_list.on_train_batch_end(n_batches - 1, means)

        return engine.train_epoch(
            key, trained, epoch, batch_size=batch_size, take=take, after_batches=after_batches
        )

    with memory_errors_explained():
        if key is None and not steps.are_over():
            trained.fit(
                (batch for epoch in passes for batch in epoch.batches(batch_size)),
                steps_per_epoch=n_batches,
                shuffle=False,  # done already
                epochs=last_epoch,
                initial_epoch=initial_epoch,
                callbacks=callback_list,
                verbose=verbose,
            )
        else:
            if not all(type(c).__module__.startswith("skcifar.") for c in callbacks):
                _make_metrics(network, arrays[1][:1])
            _fit_by_engine(train_epoch, network, passes, steps, initial_epoch, callback_list)
    return history.history


def _epochs(arrays, rows, training, *, initial_epoch, shuffle):
    """Yield the samples of each epoch, whose order and changes depend on seeds alone."""
    # unlike Keras' own order, which depends on the backend's global seed
    for k in itertools.count():
        order = rows
        if shuffle:
            seeds = [training.seed, training.n_epochs_done + k]
            order = np.random.default_rng(seeds).permutation(rows)
        yield Epoch(arrays, order, training.augmentation, number=initial_epoch + k)


def _requests_batches(callback):
    """Whether a callback does anything at single batches, by its class or by an attribute."""
    if type(callback) in _ACTS_BY_EPOCH:
        return not _ACTS_BY_EPOCH[type(callback)](callback)
    does_nothing = (getattr(keras.callbacks.Callback, hook) for hook in _BATCH_HOOKS)
    hooks = (getattr(callback, hook) for hook in _BATCH_HOOKS)
    return any(
        getattr(hook, "__func__", hook) is not nothing
        for hook, nothing in zip(hooks, does_nothing, strict=True)
    )


def _make_metrics(network, y):
    """Make the metrics that callbacks look up in a network, which its own ``fit`` makes."""
    network.compute_metrics(None, y, y)
    network.reset_metrics()


def _set_metrics(network, n_samples, *, loss, accuracy):
    """Let the metrics of a network, where they were made, be those of an epoch."""
    values = (loss * n_samples, n_samples, accuracy * n_samples, n_samples)  # sums and counts
    for variable, value in zip(network.metrics_variables, values, strict=False):
        variable.assign(value)


def _fit_by_engine(train_epoch, network, passes, steps, initial_epoch, callbacks):
    """Go through epochs as ``keras.Model.fit`` does, with batches left to the engine."""
    means = None
    network.stop_training = False
    callbacks.on_train_begin()
    for number in itertools.count(initial_epoch):
        if steps.are_over() or network.stop_training:
            break
        network.reset_metrics()
        callbacks.on_epoch_begin(number)
        steps.begin_epoch()
        epoch = next(passes)
        means = train_epoch(number, epoch)
        _set_metrics(network, len(epoch), **means)
        if steps.stop_training():
            network.stop_training = True
        callbacks.on_epoch_end(number, means)
    network.optimizer.finalize_variable_values(network.trainable_variables)
    callbacks.on_train_end(means)


class NetworkTrainer(KerasClassifier):
    """scikeras' classifier, trained by :func:`train_network` on one-hot labels.

    scikeras always trains by ``keras.Model.fit`` on arrays that it validates twice, and seeds that
    by switching TensorFlow to deterministic ops for the whole process. The one method that does is
    private and replaced here. scikeras 0.13 is its last release, so the name will not move.
    """

    def _fit(self, X, y, sample_weight, warm_start, epochs, initial_epoch):
        if not (warm_start and self.initialized_):
            self.initialize(np.asarray(X[:1]), y[:1])  # all are validated already
        history = train_network(
            self.model_,
            X,
            y,
            sample_weight,
            training=self.training_,
            batch_size=self.batch_size,
            initial_epoch=self.current_epoch,
            shuffle=self.shuffle,
            verbose=self.verbose,
        )
        self.history_ = joined_histories(self.history_, history)


def make_trainer(network, history):
    """Return a trainer of a compiled network, which goes on with a history."""
    trainer = NetworkTrainer(
        model=network, optimizer=network.optimizer, loss=network.loss, metrics=["accuracy"]
    )
    trainer.history_ = history
    return trainer
