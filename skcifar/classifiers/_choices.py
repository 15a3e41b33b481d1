"""What parameters stand for that are left to a classifier, and what a time chooses for them."""

from typing import Any, ClassVar

from .._sklearn.validation import is_auto
from ..training._budget import Budget
from ..training._schedules import Schedule

# With a time and more of it, further passes bring nothing.
MOST_EPOCHS = 100


class ChosenParametersMixin:
    """Chooses what "auto" stands for."""

    _learning_rates: ClassVar[dict] = {"adam": 5e-4, "sgd": 0.01, "muon": 0.01}
    # what "auto" stands for without a time
    _auto: ClassVar[dict] = {
        "batch_size": 32,
        "epochs": 10,
        "learning_rate_schedule": "constant",
    }

    def value_of(self, name: str) -> Any:
        """Return the value of a parameter, or what "auto" stands for.

        Parameters
        ----------
        name : str
            The parameter's.

        Returns
        -------
        value : object
            What ``fit`` uses.
        """
        value = getattr(self, name)
        if not is_auto(value):
            return value
        return vars(self).get("chosen_", {}).get(name, self._auto_values().get(name))

    def _auto_values(self):
        """Return what "auto" stands for without a time."""
        values = self._auto | {"learning_rate_schedule": self._name_of_schedule()}
        if isinstance(self.optimizer, str):
            values["learning_rate"] = self._learning_rates[self.optimizer]
        return values

    def _name_of_schedule(self):
        if not is_auto(self.learning_rate_schedule):
            return self.learning_rate_schedule
        if not isinstance(self.optimizer, str):
            return "constant"  # but for that of the optimizer
        return self._auto["learning_rate_schedule"] if self.max_minutes is None else "linear"

    def _choose(self, n_samples, begin, checkpoint):
        """Choose what "auto" stands for, and return the time for training if there is one."""
        if self.max_minutes is None:
            self.chosen_ = self._chosen_of(self._auto_values())
            return None
        seconds = 60 * self.max_minutes
        if checkpoint is not None and checkpoint.is_there:
            time = checkpoint.read_time()
            self.chosen_ = time["chosen"]
            return Budget(seconds, begin=begin, used=time["used"], moves=time["moves"])
        self.chosen_ = self._chosen_of(self._plan(n_samples, seconds))
        return Budget(seconds, begin=begin)

    def _plan(self, n_samples, seconds):
        """Return what "auto" stands for where there is so much time."""
        return self._auto_values() | {"epochs": MOST_EPOCHS}

    def _choose_again(self, X, y, weights):
        """Choose by the time that the first steps take; return whether the network has changed."""
        return False

    def _chosen_of(self, values):
        return {name: value for name, value in values.items() if is_auto(getattr(self, name))}

    def _schedule(self):
        """Return how the learning rate falls, or None where the optimizer's stays."""
        name = self.value_of("learning_rate_schedule")
        if name == "constant":
            return None
        return Schedule(name, float(self.value_of("learning_rate")))

    def _params_of_optimizer(self):
        """What the optimizer is made of."""
        return {
            "optimizer": self.optimizer,
            "learning_rate": self.value_of("learning_rate"),
            "weight_decay": self.weight_decay,
        }
