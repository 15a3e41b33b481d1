"""One training of a classifier: where it begins, what it goes through, and what it leaves."""

import math
import warnings
from dataclasses import replace
from time import monotonic

import keras
import numpy as np

from ..training._callbacks import StopEarly, Validation
from ..training._checkpoints import (
    Checkpoint,
    EpochState,
    LastEpoch,
    check_callbacks_can_go_on,
    describe_training,
)
from ..training._fit import Training, train_network
from ..training._history import attributes_of_history, joined_histories
from ..training._predict import predict_outputs
from ._labels import one_hot

STEPS_MEASURED = 2
TIMES_MEASURED = 3


def open_checkpoint(classifier, X, y, weights, validation, *, classes, continues):
    """Return the checkpoint of a training, if it has one, and let it draw from where that began."""
    if classifier.checkpoint is None:
        return None
    check_callbacks_can_go_on(classifier.callbacks)
    X_val, y_val, weights_val = validation or (None, None, None)
    training = describe_training(
        classifier,
        start=classifier.model_.get_weights() if continues else (),
        classes=classes,
        samples=X,
        labels=np.searchsorted(classes, y),
        weights=weights,
        X_val=X_val,
        y_val=None if y_val is None else np.searchsorted(classes, y_val),
        weights_val=weights_val,
        **classifier._data_of_training(),
    )
    checkpoint = Checkpoint(classifier.checkpoint, training, random_state=classifier._random_state)
    classifier._random_state = checkpoint.random_state
    return checkpoint


def train(
    classifier,
    method,
    X,
    y,
    weights,
    *,
    seed,
    schedule=None,
    budget=None,
    validation=None,
    tasks=None,
    checkpoint=None,
):
    """Let the trainer train; an error leaves the classifier unfitted, an interrupt as it was."""
    trainer = classifier.keras_classifier_
    X, validation, trained_part = _pass_frozen_part(classifier, X, validation)
    stop_early = validate = None
    if classifier.early_stopping:
        stop_early = StopEarly(n_iter_no_change=classifier.n_iter_no_change, tol=classifier.tol)
    if validation is not None:
        X_val, y_val, weights_val = validation
        y_val = np.searchsorted(classifier.classes_, y_val)
        watching = classifier.callbacks or ()
        validate = Validation(trained_part, X_val, y_val, weights_val, callbacks=watching)
    begun, epochs = _resume(classifier, checkpoint, stop_early)
    if method == "partial_fit":
        epochs = 1
    last_epoch = LastEpoch(
        stop_early=stop_early,
        checkpoint=checkpoint,
        begun=begun,
        chosen=classifier.chosen_,
        budget=budget,
    )
    classifier._forget_training()

    callbacks = validate, *(classifier.callbacks or ()), stop_early, tasks, last_epoch
    trainer.set_params(
        batch_size=int(classifier.value_of("batch_size")),
        shuffle=classifier.shuffle,
        verbose=min(int(classifier.verbose), 2),
    )
    trainer.training_ = Training(
        seed=seed,
        schedule=schedule,
        moves=[] if classifier.schedule_moves is None else classifier.schedule_moves,
        budget=budget,
        epochs=epochs,
        augmentation=_seeded(classifier.augmentation(), classifier.network_seed_),
        n_epochs_done=begun.n_epochs if begun else 0,
        callbacks=[callback for callback in callbacks if callback is not None],
        trained_part=trained_part,
    )
    try:
        getattr(trainer, method)(X, one_hot(y, classifier.classes_), sample_weight=weights)
        if budget is not None:  # what repeats the training without it
            classifier.chosen_ |= {
                "max_minutes": None,
                "epochs": budget.epochs,
                "schedule_moves": [list(move) for move in budget.moves],
            }
    except KeyboardInterrupt as interrupt:
        interrupt.args = (_go_back_to(classifier, last_epoch.state),)
        raise
    finally:  # callbacks take memory, and may hold what cannot be pickled
        del trainer.training_
    vars(classifier).update(attributes_of_history(classifier.history_, trainer.history_))


def seconds_a_sample(classifier, X, y, weights):
    """Measure what training takes for each sample, by a few steps that change the network."""
    batch_size = min(int(classifier.value_of("batch_size")), len(X))
    n_batches = math.ceil(len(X) / batch_size)
    n_steps = min(STEPS_MEASURED, n_batches)
    augmentation = _seeded(classifier.augmentation(), classifier.network_seed_)
    training = Training(epochs=n_steps / n_batches, augmentation=augmentation)
    seconds = []
    for _ in range(TIMES_MEASURED):
        begin = monotonic()
        train_network(
            classifier.model_,
            X,
            one_hot(y, classifier.classes_),
            weights,
            training=training,
            batch_size=batch_size,
        )
        seconds.append(monotonic() - begin)
    # the least: the first time compiles, and what else the machine does comes and goes
    return min(seconds) / (n_steps * batch_size)


def _pass_frozen_part(classifier, X, validation):
    """Let samples pass what is not trained, once for all epochs; return the part that is, too."""
    parts = classifier._frozen_and_trained()
    if parts is None:
        return X, validation, None
    frozen, trained = parts
    network = classifier.model_
    trained.compile(network.optimizer, network.loss, metrics=["accuracy"])
    features = predict_outputs(frozen, X).astype(keras.config.floatx())
    if validation is not None:
        X_val, *others = validation
        validation = features if X_val is X else predict_outputs(frozen, X_val), *others
    return features, validation, trained


def _seeded(augmentation, seed):
    return None if augmentation is None else replace(augmentation, seed=seed)


def _resume(classifier, checkpoint, stop_early):
    """Return the state that training goes on from, if there is one, and the number of epochs."""
    if checkpoint is not None and checkpoint.is_there:
        begun = checkpoint.read(classifier.model_, stop_early)
        begun.restore(classifier.model_, stop_early)
        classifier.keras_classifier_.history_ = joined_histories(classifier.history_, begun.history)
        epochs = classifier.value_of("epochs")
        if begun.stopped or epochs <= begun.n_epochs:
            _report_nothing_left(classifier, begun.n_epochs, epochs)
            epochs = begun.n_epochs
        return begun, epochs
    fitted = classifier.__sklearn_is_fitted__()
    begun = EpochState.of(classifier.model_) if fitted else None
    return begun, classifier.value_of("epochs")


def _report_nothing_left(classifier, n_epochs, epochs):
    message = (
        f"{classifier.checkpoint} holds {n_epochs} epochs of this training with"
        f" epochs={epochs}: nothing is left to train."
    )
    if n_epochs > math.ceil(epochs):
        warnings.warn(message, UserWarning, stacklevel=2)
    elif classifier.verbose:
        print(message)


def _go_back_to(classifier, state):
    """Become as after the last epoch that was finished, and return a sentence on it."""
    whose = f"this {type(classifier).__name__}"
    if state is None:
        return f"interrupted in the first epoch, so that {whose} is not fitted"
    state.restore(classifier.model_)
    if state.best_weights:
        classifier.model_.set_weights(state.best_weights)
    history = joined_histories(classifier.history_, state.history)
    classifier.keras_classifier_.history_ = history
    vars(classifier).update(attributes_of_history(classifier.history_, history))
    of_best = f", with the weights of epoch {classifier.best_iter_}" if state.best_weights else ""
    return (
        f"interrupted in epoch {classifier.n_iter_ + 1}; {whose} is left as it was after epoch"
        f" {classifier.n_iter_}{of_best}, and can predict"
    )
