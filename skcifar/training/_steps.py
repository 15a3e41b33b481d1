"""The steps of a training: how many there are, and the learning rate of each."""

import math

import numpy as np

# What share of the planned steps the end of a training has to move for, so that it moves rarely.
LEAST_MOVE = 0.02


class Steps:
    """Counts the steps of a training, and plans those to come, within a budget if it has one."""

    def __init__(self, n_steps, *, n_batches, n_done=0, schedule=None, moves=(), budget=None):
        self.most = n_steps
        self.n_batches = n_batches  # of an epoch
        self.n_planned = self.n_made = n_done
        self.schedule = schedule
        self.budget = budget
        self.moves = budget.moves if budget else [(int(step), int(end)) for step, end in moves]
        if not self.moves:
            self.moves.append((0, n_steps))
        if budget:
            budget.epochs = self.end / n_batches

    @property
    def end(self):
        """Int: the number of steps as it is planned now."""
        return min(self.moves[-1][1], self.most)

    def take(self, n_steps):
        """Plan the next steps, ``n_steps`` at most, and return their learning rates or NaN."""
        if self.budget is not None:
            n_steps = min(n_steps, self.budget.steps_to_next_look())
        first = self.n_planned
        self.n_planned = max(first, min(first + n_steps, self.end))
        return self.rates(first, self.n_planned - first)

    def make(self, n_steps):
        """Count steps that were made."""
        self.n_made += n_steps
        if self.budget is not None:
            self.budget.measure(n_steps)
            self._move_end()

    def begin_epoch(self):
        """Let the budget, if there is one, measure from here."""
        if self.budget is not None:
            self.budget.begin_epoch()

    def are_over(self):
        """Whether all steps were made."""
        return self.n_made >= self.end

    def stop_training(self):
        """Whether all steps were made before the last one that the epochs asked for."""
        return self.are_over() and (self.n_made < self.most or self.n_made % self.n_batches > 0)

    def rates(self, first, n_steps):
        """Return the learning rates of steps, or NaN where there is no schedule."""
        if self.schedule is None:
            return np.full(n_steps, np.nan)
        return self.schedule.rates(self.shares(np.arange(first, first + n_steps)))

    def shares(self, steps):
        """Return which share of the schedule is over when a step begins."""
        shares = np.zeros(len(steps))
        done = 0.0  # up to where the end was moved
        stops = [*(step for step, _ in self.moves[1:]), math.inf]
        for (start, end), stop in zip(self.moves, stops, strict=True):
            pace = (1 - done) / max(end - start, 1)
            here = (start <= steps) & (steps < stop)
            shares[here] = done + (steps[here] - start) * pace
            done += (stop - start) * pace if stop < math.inf else 0
        return np.minimum(shares, 1)

    def _move_end(self):
        """Move the end to where the time will be over, unless that is about where it is."""
        if self.n_planned == self.end:
            return
        n_ends = math.ceil(self.end / self.n_batches) - self.n_made // self.n_batches
        n_fitting = self.budget.steps_that_fit(n_ends)
        if n_fitting is None:
            return
        end = min(max(self.n_made + n_fitting, self.n_planned, 1), self.most)
        if abs(end - self.end) > LEAST_MOVE * self.end:
            self.moves.append((self.n_planned, end))
            self.budget.epochs = end / self.n_batches
