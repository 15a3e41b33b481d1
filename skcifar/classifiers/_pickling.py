"""Fitted classifiers in pickles and copies: a network is built again, and given its state.

So networks of one's own need nothing but their ``build_network``: Keras reads no object from text.
"""

import copy
import pickle
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from sklearn.utils import check_random_state

from .._keras import is_worker, set_keras_settings, set_policy_of_task, settings_to_send
from ..networks import variable_shapes
from ..training._checkpoints import EpochState
from ..training._fit import make_trainer, recompile


@dataclass
class NetworkState:
    """A network, taken apart."""

    values: EpochState
    optimizer: tuple[type, dict[str, Any]]  # class and configuration
    label_smoothing: float


def take_apart(state):
    """Replace network and trainer in a classifier's attributes by what they are built from."""
    network = state.pop("model_", None)
    if isinstance(state.get("callbacks"), list):
        state["callbacks"] = [_without_network(c) for c in state["callbacks"]]
    if state.pop("keras_classifier_", None) is not None:
        optimizer = network.optimizer
        state["_network_state"] = NetworkState(
            EpochState.of(network),
            (type(optimizer), optimizer.get_config()),
            network.loss.label_smoothing,
        )
        if state.get("callbacks"):
            state["callbacks"] = [c for c in state["callbacks"] if _can_be_pickled(c)]
    return state


def put_together(classifier, state):
    """Build the network of a classifier whose other attributes are there, and its trainer."""
    network = classifier.build_network_again()
    cls, config = state.optimizer
    recompile(network, cls.from_config(config), label_smoothing=state.label_smoothing)
    state.values.restore(network)
    classifier.model_ = network
    classifier.keras_classifier_ = make_trainer(network, classifier.history_)


def copied(callback):
    """Copy a callback, and of what it holds all that can be copied, but for networks."""
    callback = _without_network(callback)
    try:
        return copy.deepcopy(callback)
    except Exception:  # whatever keeps it from being copied, such as a file
        return callback


def _without_network(callback):
    """Return a callback, or a copy of it less the network that it watched."""
    networks = [name for name, value in vars(callback).items() if isinstance(value, keras.Model)]
    if networks:
        callback = copy.copy(callback)
        vars(callback).update(dict.fromkeys(networks))
    return callback


def _can_be_pickled(callback):
    try:
        pickle.dumps(callback)
    except Exception:  # whatever keeps it from being pickled
        return False
    return True


class CopyableNetworkMixin:
    """Brings a fitted classifier back from its parameters and state, in copies and from files."""

    def describe_variables(self) -> list[tuple[tuple[int, ...], str]]:
        """Describe the variables that parameters and learned state call for, without making any.

        For a classifier whose other fitted attributes were brought back, from a file for example.

        Returns
        -------
        shapes : list of (tuple of int, str)
            Shape and dtype of each of ``model_.variables``, which are weights and seed states.

        Raises
        ------
        ValueError
            If a parameter is invalid, or if such a network cannot be built.
        """
        builder = self._builder()
        builder._validate_params()
        return variable_shapes(lambda: builder._build_network(self.classes_, seed=0))

    def restore_network(self, values: list[np.ndarray]) -> None:
        """Build the network again from parameters and learned state, with given weights.

        For a classifier whose other fitted attributes were brought back, from a file for example.

        Parameters
        ----------
        values : list of ndarray
            Those of ``model_.variables``, as :meth:`describe_variables` describes them.

        Raises
        ------
        ValueError
            If the weights are not those of this network.
        """
        set_policy_of_task()
        self._validate_params()
        self._random_state = check_random_state(self.random_state)
        builder = self._builder()
        self.model_ = builder._build_network(self.classes_, seed=self.network_seed_ or 0)
        self.network_seed_ = builder.network_seed_
        self._network_params = builder._network_params
        for variable, value in zip(self.model_.variables, values, strict=True):
            variable.assign(value)
        self._compile()
        for name in ("best_iter_", "best_validation_score_"):
            vars(self).setdefault(name, None)
        self.n_iter_ = len(self.history_["loss"])

    def build_network_again(self) -> keras.Model:
        """Build another network like ``model_``, whatever parameters have changed since.

        Returns
        -------
        network : keras.Model
            Not compiled, with the weights that it began with.
        """
        return self._builder()._build_network(self.classes_, seed=self.network_seed_)

    def __sklearn_clone__(self):
        settings_to_send()  # noted here, for clones may be pickled in another thread
        callbacks = self.get_params(deep=False).get("callbacks")
        if not isinstance(callbacks, list):
            return super().__sklearn_clone__()
        without = object.__new__(type(self))
        vars(without).update(vars(self), callbacks=None)
        twin = super(CopyableNetworkMixin, without).__sklearn_clone__()
        twin.callbacks = [copied(callback) for callback in callbacks]
        return twin

    def __getstate__(self):
        return take_apart(dict(super().__getstate__())) | {"_keras_settings": settings_to_send()}

    def __setstate__(self, state):
        attributes = dict(state)
        network_state = attributes.pop("_network_state", None)
        settings = attributes.pop("_keras_settings")
        if is_worker():  # and state is its task
            set_keras_settings(settings)
        super().__setstate__(attributes)
        if network_state is not None:
            put_together(self, network_state)

    def _builder(self):
        """Return a classifier with the parameters that the network was built with."""
        builder = object.__new__(type(self))
        vars(builder).update(vars(self) | getattr(self, "_network_params", {}))
        return builder
