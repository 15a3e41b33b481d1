"""Training within a time: the clock decides how many steps remain, and nothing else."""

import math
from time import monotonic

# The share of the budget after which a step's time counts e times less in the mean.
MEMORY = 0.15

# The share of the budget that steps between two looks at the clock may take.
LOOK_SHARE = 0.01


class Budget:
    """The time that a training may take, and what its steps have taken so far."""

    epochs = 0.0  # that the training has as it is planned now

    def __init__(self, seconds, *, begin, used=0.0, moves=()):
        self.seconds = seconds
        self.moves = [tuple(move) for move in moves]  # steps where its end moved, and where to
        # by time.monotonic, and as if a training that was interrupted had never paused
        self.begin = begin - used
        self._n_steps = self._seconds_of_steps = 0.0  # recent ones count most
        self._after_epoch = 0.0
        self._is_warm = False
        self._last = None

    def used(self):
        """Return the seconds that have passed."""
        return monotonic() - self.begin

    def begin_epoch(self):
        """Measure what came after the epoch before, and steps from here on."""
        now = monotonic()
        if self._last is not None:
            self._after_epoch = now - self._last
        self._last = now

    def measure(self, n_steps):
        """Measure steps that were made. The first ones do not count: they may have compiled."""
        now = monotonic()
        seconds, self._last = now - self._last, now
        if self._is_warm:
            kept = math.exp(-seconds / (MEMORY * self.seconds))
            self._seconds_of_steps = kept * self._seconds_of_steps + seconds
            self._n_steps = kept * self._n_steps + n_steps
        self._is_warm = True

    def steps_that_fit(self, n_epoch_ends):
        """Return how many more steps the time allows, or None if that is not known yet."""
        left = self.seconds - self.used() - n_epoch_ends * self._after_epoch
        if left <= 0:
            return 0
        return self._steps_in(left)

    def steps_to_next_look(self):
        """Return how many steps may be made before the clock is looked at again."""
        return max(1, self._steps_in(LOOK_SHARE * self.seconds) or 0)

    def _steps_in(self, seconds):
        if not self._seconds_of_steps:
            return None
        return int(seconds * self._n_steps / self._seconds_of_steps)
