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
from ._predict import clear_memory_errors, engine
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
    network,
    optimizer="adam",
    *,
    learning_rate=None,
    weight_decay=0.0,
    label_smoothing=0.0,
):
    """Compile a network as the article does: Adam, categorical cross-entropy, accuracy.

    Parameters
    ----------
    network : keras.Model
        Ends in probabilities. Compiled in place, which gives it a new optimizer.

    optimizer : {"adam", "sgd", "muon"} or keras.optimizers.Optimizer, default="adam"
        What makes the steps. One of one's own is copied, and has its own learning rate and weight
        decay.

    learning_rate : float, default=None
        Step size. Only needed with a name.

    weight_decay : float, default=0.0
        Decoupled weight decay: the share, times the step size, that each step takes off all
        weights.

    label_smoothing : float, default=0.0
        Share of each label, in [0, 1), that the loss spreads evenly over all classes.
    """
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


def train_network(
    network,
    X,
    y,
    sample_weight=None,
    *,
    batch_size,
    epochs,
    schedule=None,
    moves=(),
    budget=None,
    augmentation=None,
    initial_epoch=0,
    n_epochs_done=0,
    shuffle=True,
    seed=0,
    callbacks=None,
    trained_part=None,
    verbose=0,
):
    """Train a compiled network as Keras' own ``fit`` does, and on TensorFlow several times faster.

    Keras' own ``fit`` itself is used on other backends, for callbacks that ask for single batches,
    and for networks that are not made of Keras' own parts alone. Otherwise weights and metrics that
    callbacks see change when an epoch is over, and training stops then.

    Parameters
    ----------
    network : keras.Model
        Compiled. Trained in place.

    X : ndarray or LazyImages of shape (n_samples, ...), dtype float
        Samples.

    y : ndarray of shape (n_samples, n_classes), dtype float
        One-hot labels.

    sample_weight : ndarray of shape (n_samples,), default=None
        Factors of the samples' losses. A step's loss is the mean over its samples. Samples of
        weight 0 are left out.

    batch_size : int
        Samples a step. The last step of an epoch takes what remains.

    epochs : float
        Number of passes over the samples, at most. The last one may be of a part of them.

    schedule : Schedule, default=None
        The learning rate of each step. None leaves it to the optimizer and to callbacks.

    moves : sequence of (int, int), default=()
        At which steps the end of the schedule is moved, and the number of steps that it is moved
        to.

    budget : Budget, default=None
        A time within which the training ends.

    augmentation : Augmentation, default=None
        How pictures are changed at random each time that they are trained on.

    initial_epoch : int, default=0
        The number of passes before this call, from which callbacks count on.

    n_epochs_done : int, default=0
        How many of these passes belong to the same training, which was interrupted and goes on.
        The random orders follow theirs.

    shuffle : bool, default=True
        Whether each epoch takes the samples in a new random order.

    seed : int, default=0
        Determines these orders.

    callbacks : list of keras.callbacks.Callback, default=None
        Called by Keras as it trains.

    trained_part : keras.Model, default=None
        The end of the network, which X is made for, where all before it is frozen. Compiled with
        the network's own optimizer. None trains the whole.

    verbose : {0, 1, 2}, default=0
        What Keras prints: nothing, a progress bar, or a line for each epoch.

    Returns
    -------
    history : dict of str to list of float
        Mean loss and accuracy of each epoch, as measured while training, the learning rate at the
        end of it if that follows a schedule, and the numbers that callbacks add to the logs.

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
        X if isinstance(X, LazyImages) else np.ascontiguousarray(X),
        np.ascontiguousarray(y, dtype=X.dtype),
        sample_weight.astype(X.dtype),
    )
    trained = network if trained_part is None else trained_part
    batch_size = min(batch_size, len(rows))
    n_batches = math.ceil(len(rows) / batch_size)
    steps = Steps(
        max(1, round(epochs * n_batches)) if epochs else 0,
        n_batches=n_batches,
        n_done=n_epochs_done * n_batches,
        schedule=schedule,
        moves=moves,
        budget=budget,
    )
    passes = _epochs(
        arrays,
        rows,
        n_epochs_done=n_epochs_done,
        initial_epoch=initial_epoch,
        shuffle=shuffle,
        augmentation=augmentation,
        seed=seed,
    )
    divergence, history = StopAtDivergence(schedule), History()
    rate = [LearningRate(steps)] if schedule or has_schedule(network.optimizer) else []
    callbacks = [divergence, *rate, *(callbacks or ()), history]
    if trained is not network:
        callbacks.append(StopAlike(trained))
    key = None
    if engine is not None and not any(map(_requests_batches, callbacks)):
        key = engine.training_key(trained, arrays, n_samples=len(rows), batch_size=batch_size)
    if key is None:
        callbacks.insert(0, EachStep(steps, trained))
    n_epochs = math.ceil(steps.most / n_batches) - n_epochs_done  # a time may move the end so far
    callback_list = keras.callbacks.CallbackList(
        callbacks,
        add_history=True,
        add_progbar=verbose != 0,
        model=network,
        verbose=verbose,
        epochs=initial_epoch + n_epochs,
        steps=n_batches,
    )
    with clear_memory_errors():
        if key is not None or steps.are_over():
            if not all(type(c).__module__.startswith("skcifar.") for c in callbacks):
                _make_metrics(network, arrays[1][:1])

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
                    key,
                    trained,
                    epoch,
                    batch_size=batch_size,
                    take=take,
                    after_batches=after_batches,
                )

            _fit_by_engine(train_epoch, network, passes, steps, initial_epoch, callback_list)
            return history.history
        trained.fit(
            (batch for epoch in passes for batch in epoch.batches(batch_size)),
            steps_per_epoch=n_batches,
            shuffle=False,  # done already
            epochs=initial_epoch + n_epochs,
            initial_epoch=initial_epoch,
            callbacks=callback_list,
            verbose=verbose,
        )
    return history.history


def _epochs(arrays, rows, *, n_epochs_done, initial_epoch, shuffle, augmentation, seed):
    """Yield the samples of each epoch, whose order and changes depend on seeds alone."""
    # unlike Keras' own order, which depends on the backend's global seed
    for k in itertools.count():
        order = rows
        if shuffle:
            order = np.random.default_rng([seed, n_epochs_done + k]).permutation(rows)
        yield Epoch(arrays, order, augmentation, number=initial_epoch + k)


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


@dataclass
class Training:
    """What one call of fit needs beyond the parameters of scikeras."""

    seed: int = 0
    n_epochs_done: int = 0  # of the same training, which was interrupted and goes on
    callbacks: Sequence[keras.callbacks.Callback] = ()
    augmentation: Augmentation | None = None
    schedule: Schedule | None = None
    moves: Sequence[tuple[int, int]] = ()
    budget: Budget | None = None
    epochs: float = 0  # scikeras takes whole ones
    trained_part: keras.Model | None = None


class NetworkTrainer(KerasClassifier):
    """scikeras' classifier, trained by :func:`train_network` on one-hot labels.

    scikeras always trains by ``keras.Model.fit`` on arrays that it validates twice, and seeds that
    by switching TensorFlow to deterministic ops for the whole process. The one method that does is
    private and replaced here. scikeras 0.13 is its last release, so the name will not move.
    """

    training_ = Training()

    def _fit(self, X, y, sample_weight, warm_start, epochs, initial_epoch):
        if not (warm_start and self.initialized_):
            self.initialize(np.asarray(X[:1]), y[:1])  # all are validated already
        history = train_network(
            self.model_,
            X,
            y,
            sample_weight,
            batch_size=self.batch_size,
            epochs=self.training_.epochs,
            initial_epoch=self.current_epoch,
            n_epochs_done=self.training_.n_epochs_done,
            shuffle=self.shuffle,
            seed=self.training_.seed,
            augmentation=self.training_.augmentation,
            schedule=self.training_.schedule,
            moves=self.training_.moves,
            budget=self.training_.budget,
            callbacks=self.training_.callbacks,
            trained_part=self.training_.trained_part,
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
