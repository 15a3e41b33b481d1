"""How the learning rate changes over a training."""

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
    """How the learning rate changes."""

    name: str  # of SHAPES
    learning_rate: float  # the largest one

    def rates(self, shares):
        """Return the learning rates after these shares of a training."""
        return self.learning_rate * SHAPES[self.name](shares)
