"""Fitted classifiers in pickles and copies: a network is built again, and given its state.

So networks of one's own need nothing but their ``build_network``: Keras reads no object from text.
"""

import copy
import pickle
from dataclasses import dataclass
from typing import Any

import keras

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
            EpochState.of(network, {}, None),
            (type(optimizer), optimizer.get_config()),
            network.loss.label_smoothing,
        )
        if state.get("callbacks"):
            state["callbacks"] = [c for c in state["callbacks"] if _is_lasting(c)]
    return state


def put_together(classifier, state):
    """Build the network of a classifier whose other attributes are there, and its trainer."""
    network = classifier.build_network_again()
    cls, config = state.optimizer
    recompile(network, cls.from_config(config), label_smoothing=state.label_smoothing)
    state.values.restore(network, None)
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


def _is_lasting(callback):
    """Whether a callback can be pickled; one that watched a training may hold a file or network."""
    try:
        pickle.dumps(callback)
    except Exception:  # whatever keeps it from being pickled
        return False
    return True
