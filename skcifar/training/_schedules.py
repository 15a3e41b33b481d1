"""How the learning rate changes over the steps of a training."""

import math

import keras
from keras import ops

# L. N. Smith and N. Topin, "Super-Convergence: Very Fast Training of Neural Networks Using Large
# Learning Rates", 2018; the numbers are those that are customary since.
WARMUP_SHARE = 0.3
WARMUP_FACTOR = 25


@keras.saving.register_keras_serializable("skcifar")
class WarmupCosine(keras.optimizers.schedules.LearningRateSchedule):
    """A line up to the learning rate, from a 25th of it, then half a cosine down to 0.

    What Keras' CosineDecay computes, for an array of steps too.

    Parameters
    ----------
    learning_rate : float
        The largest one.

    n_steps : int
        Steps after which it is 0.

    n_warmup_steps : int, default=0
        Steps in which it rises.
    """

    def __init__(self, learning_rate, n_steps, n_warmup_steps=0):
        self.learning_rate = learning_rate
        self.n_steps = n_steps
        self.n_warmup_steps = n_warmup_steps

    def __call__(self, step):
        """Return the learning rate of a step, or of each of many."""
        step = ops.cast(step, keras.config.floatx())
        rising = 1 / WARMUP_FACTOR + (1 - 1 / WARMUP_FACTOR) * step / max(1, self.n_warmup_steps)
        n_falling = max(1, self.n_steps - self.n_warmup_steps)
        fallen = ops.minimum((step - self.n_warmup_steps) / n_falling, 1.0)
        falling = (1 + ops.cos(math.pi * fallen)) / 2
        return self.learning_rate * ops.where(step < self.n_warmup_steps, rising, falling)

    def get_config(self):
        """Return the parameters."""
        return dict(vars(self))


def make_schedule(name, learning_rate, n_steps):
    """Return the learning rate of a training of ``n_steps`` steps, as Keras' optimizers take it."""
    if name == "cosine":
        return WarmupCosine(learning_rate, n_steps)
    if name == "one-cycle":
        return WarmupCosine(learning_rate, n_steps, math.ceil(WARMUP_SHARE * n_steps))
    return learning_rate
