"""How the learning rate changes over the steps of a training."""

from dataclasses import dataclass

import numpy as np

# L. N. Smith and N. Topin, "Super-Convergence: Very Fast Training of Neural Networks Using Large
# Learning Rates", 2018; the numbers are those that are customary since.
WARMUP_SHARE = 0.3
WARMUP_FACTOR = 25


def _cosine(shares):
    return (1 + np.cos(np.pi * shares)) / 2


def _one_cycle(shares):
    rising = 1 / WARMUP_FACTOR + (1 - 1 / WARMUP_FACTOR) * shares / WARMUP_SHARE
    falling = _cosine((shares - WARMUP_SHARE) / (1 - WARMUP_SHARE))
    return np.where(shares < WARMUP_SHARE, rising, falling)


# The factor of the learning rate after a share of the training.
SHAPES = {"linear": lambda shares: 1 - shares, "cosine": _cosine, "one-cycle": _one_cycle}


@dataclass
class Schedule:
    """The learning rate of each step.

    Parameters
    ----------
    name : {"linear", "cosine", "one-cycle"}
        A line down to 0; half a cosine down to 0; or a line up, from a 25th, over the first 30 %
        and half a cosine down to 0.

    learning_rate : float
        The largest one.

    n_steps : int
        Steps after which the schedule has come to its end.
    """

    name: str
    learning_rate: float
    n_steps: int

    def rates(self, first_step, n_steps):
        """Return the learning rates of steps, counted from 0, one after another."""
        steps = np.arange(first_step, first_step + n_steps)
        shares = np.minimum(steps / self.n_steps, 1)
        return self.learning_rate * SHAPES[self.name](shares)
