"""What is done when an epoch of training is over, as Keras callbacks."""

import keras
import numpy as np

from .._sklearn.callbacks import FitTask
from ._history import with_epoch
from ._optimizers import learning_rate_of
from ._predict import predict_probabilities


def check_callbacks(callbacks, *, owner, learning_rate_schedule):
    """Raise if one of Keras' own callbacks cannot work in the training to come."""
    set_the_rate = keras.callbacks.LearningRateScheduler, keras.callbacks.ReduceLROnPlateau
    for callback in callbacks:
        if isinstance(callback, keras.callbacks.SwapEMAWeights):
            raise ValueError(
                "SwapEMAWeights in callbacks exchanges the weights for their moving averages while"
                f" training, which {owner} does not support. Leave it out; an optimizer of your own"
                " that has use_ema=True leaves the averages when training is over."
            )
        if isinstance(callback, set_the_rate) and learning_rate_schedule != "constant":
            raise ValueError(
                f"{type(callback).__name__} in callbacks sets the learning rate, which follows"
                f" learning_rate_schedule={learning_rate_schedule!r} already. Leave it out, or set"
                " learning_rate_schedule='constant'."
            )


class EachStep(keras.callbacks.Callback):
    """Has Keras' own ``fit`` make the steps that are planned."""

    def __init__(self, steps, trained):
        super().__init__()
        self.steps = steps
        self.trained = trained

    def on_epoch_begin(self, epoch, logs=None):
        """Begin to measure the time of steps."""
        self.steps.begin_epoch()

    def on_train_batch_begin(self, batch, logs=None):
        """Set the rate of the coming step."""
        (rate,) = self.steps.take(1)
        if np.isfinite(rate):
            if keras.config.backend() == "jax":
                self.trained.jax_state_sync()
            self.trained.optimizer.learning_rate = rate

    def on_train_batch_end(self, batch, logs=None):
        """Count the step, and stop after the last one."""
        self.steps.make(1)
        if self.steps.stop_training():
            self.model.stop_training = self.trained.stop_training = True


class LearningRate(keras.callbacks.Callback):
    """Adds ``learning_rate`` to the logs of an epoch, as Keras' callbacks that set it do."""

    def __init__(self, steps):
        super().__init__()
        self.steps = steps

    def on_epoch_end(self, epoch, logs=None):
        """Note the learning rate as it is when the epoch is over."""
        if self.steps.schedule is not None:
            (self.model.optimizer.learning_rate,) = self.steps.rates(self.steps.n_made, 1)
        logs["learning_rate"] = learning_rate_of(self.model.optimizer)


class History(keras.callbacks.Callback):
    """Keeps what the other callbacks leave in the logs of each epoch. Stands behind them all."""

    def __init__(self):
        super().__init__()
        self.history = {}

    def on_epoch_end(self, epoch, logs=None):
        """Keep the numbers in the logs."""
        self.history = with_epoch(self.history, logs)


class Validation(keras.callbacks.Callback):
    """Adds ``val_loss`` and ``val_accuracy`` to the logs of an epoch.

    Stands before all callbacks that read them, and calls what the user's do at a test.
    """

    def __init__(self, trained_part, X, classes, sample_weight, *, callbacks):
        super().__init__()
        self.trained_part = trained_part  # None where that is the whole network
        self.callbacks = callbacks
        self.X = X
        self.classes = classes
        self.rows = self.weights = None
        if sample_weight is not None:
            self.rows = np.flatnonzero(sample_weight)
            self.classes = self.classes[self.rows]
            self.weights = sample_weight[self.rows]

    def on_epoch_end(self, epoch, logs=None):
        """Score the network as it is now."""
        for callback in self.callbacks:
            callback.on_test_begin()
        probabilities = predict_probabilities(self.trained_part or self.model, self.X, self.rows)
        right = probabilities.argmax(axis=1) == self.classes
        of_actual_class = np.take_along_axis(probabilities, self.classes[:, None], axis=1)[:, 0]
        # Keras' loss keeps away from the logarithm of 0 by the same little
        losses = -np.log(np.maximum(of_actual_class.astype(np.float64), keras.config.epsilon()))
        means = {
            "loss": float(np.average(losses, weights=self.weights)),
            "accuracy": float(np.average(right, weights=self.weights)),
        }
        for callback in self.callbacks:
            callback.on_test_end(means)
        logs |= {f"val_{name}": mean for name, mean in means.items()}


class StopEarly(keras.callbacks.Callback):
    """Stops training that makes no progress, and brings the weights of the best epoch back.

    Keras' own EarlyStopping takes an epoch for the best only if it was better by ``min_delta``.
    """

    def __init__(self, *, n_iter_no_change, tol):
        super().__init__()
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.best = -np.inf
        self.n_epochs_without_progress = 0

    def memory(self):
        """Return the state after the epochs so far, less the best weights."""
        return {
            "best": self.best,
            "n_epochs_without_progress": self.n_epochs_without_progress,
        }

    def remember(self, memory, best_weights):
        """Go on from the epochs of an earlier training."""
        self.best = float(memory["best"])
        self.n_epochs_without_progress = int(memory["n_epochs_without_progress"])
        self.best_weights = best_weights

    def on_epoch_end(self, epoch, logs=None):
        """Keep the weights if they are the best, and see whether to go on."""
        score = logs["val_accuracy"]
        if score <= self.best + self.tol:
            self.n_epochs_without_progress += 1
        else:
            self.n_epochs_without_progress = 0
        if score > self.best:
            self.best = score
            self.best_weights = self.model.get_weights()
        if self.n_epochs_without_progress >= self.n_iter_no_change:
            self.model.stop_training = True

    def on_train_end(self, logs=None):
        """Bring the best weights back."""
        self.model.set_weights(self.best_weights)


class StopAlike(keras.callbacks.Callback):
    """Stops the training of a part of the network when that of the whole is stopped."""

    def __init__(self, part):
        super().__init__()
        self.part = part

    def on_train_begin(self, logs=None):
        """Begin both; Keras' fit returns the history of what it trains."""
        self.model.stop_training = False
        self.part.history = self.model.history

    def on_epoch_end(self, epoch, logs=None):
        """Stop the part, too."""
        self.part.stop_training = self.model.stop_training


class StopAtDivergence(keras.callbacks.Callback):
    """Raises a ValueError when the loss or a weight is no number any more."""

    def __init__(self, schedule):
        super().__init__()
        self.schedule = schedule

    def on_epoch_end(self, epoch, logs=None):
        """Check the loss, and the weights that the last steps left."""
        self.check(epoch, logs["loss"])
        if not all(np.isfinite(np.asarray(weight)).all() for weight in self.model.weights):
            raise self._error(epoch, "Weights became NaN or infinite")

    def check(self, epoch, loss):
        """Check the loss."""
        if not np.isfinite(loss):
            raise self._error(epoch, f"The loss became {loss}")

    def _error(self, epoch, what):
        return ValueError(
            f"{what} in epoch {epoch + 1} with learning_rate={self._largest_step():g}: the steps"
            " were too large. Lower the learning rate, scale X to about 0 to 1 as PixelScaler does,"
            " or set batch_normalization=True if the network has that."
        )

    def _largest_step(self):
        if self.schedule is not None:
            return self.schedule.learning_rate
        return learning_rate_of(self.model.optimizer)


class EpochTasks(keras.callbacks.Callback):
    """Reports each epoch to scikit-learn's callbacks, as a task within ``fit``.

    Stands behind all callbacks that change the network.
    """

    def __init__(self, classifier, *, epochs, fitted_attributes, **task):
        super().__init__()
        self.classifier = classifier
        self.epochs = epochs
        self.fitted_attributes = fitted_attributes
        self.task_params = task

    def on_train_begin(self, logs=None):
        """Begin the task of fitting."""
        self.history = {}
        self.task = FitTask(self.classifier, n_subtasks=self.epochs, **self.task_params)

    def on_epoch_begin(self, epoch, logs=None):
        """Begin the task of an epoch."""
        self.task.begin_subtask("epoch")

    def on_epoch_end(self, epoch, logs=None):
        """End the task of an epoch, and the training if a callback requests it."""
        self.history = with_epoch(self.history, logs)
        if self.task.end_subtask(lambda: self.fitted_attributes(self.history)):
            self.model.stop_training = True

    def on_train_end(self, logs=None):
        """End the task of fitting."""
        self.task.end()
