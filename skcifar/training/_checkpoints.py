"""What training needs to go on from an epoch: in memory for an interrupt, in a file for a kill."""

import json
import warnings
from dataclasses import dataclass, fields
from pathlib import Path

import keras
import numpy as np

from .._keras import keras_settings
from .._lazy import LazyImages
from ..files._atomic import remove_unfinished, replacing
from ..files._digests import class_digest, digest
from ..files._parts import (
    FORMAT,
    ModelFileError,
    checksum_of_array,
    decode,
    encode,
    opened_parts,
    write_parts,
)
from ..files._versions import library_versions
from ._history import is_history, with_epoch

# They change nothing of what is computed.
NO_PART_OF_TRAINING = frozenset({"callbacks", "checkpoint", "verbose", "warm_start"})

# What the callbacks of Keras that remember earlier epochs, or what they wrote, are replaced by.
REMEMBERING = {
    keras.callbacks.EarlyStopping: "set early_stopping=True",
    keras.callbacks.ReduceLROnPlateau: "set learning_rate_schedule",
    keras.callbacks.BackupAndRestore: "leave it out, as the checkpoint does that",
    keras.callbacks.ModelCheckpoint: "set early_stopping=True for the best weights",
    keras.callbacks.CSVLogger: "set append=True",
}

MOST_CHARACTERS = 10_000  # of a parameter in the file's header; longer ones have a digest there

RANDOM_WORDS = 624  # of the Mersenne Twister's state, as numpy.random.RandomState has it


@dataclass
class EpochState:
    """All that an epoch leaves to the next one."""

    history: dict  # lists of floats, of the epochs of this training so far
    variables: list  # weights and the seed states of layers
    optimizer_variables: list
    early_stopping: dict | None  # the state of StopEarly, less its weights
    best_weights: list  # empty without early stopping
    stopped: bool  # whether a callback set stop_training
    time: dict | None = None  # of a training that has a budget: what it used, and what was chosen

    @property
    def n_epochs(self):
        """How many epochs there were."""
        return len(self.history.get("loss", ()))

    @classmethod
    def of(cls, network, history=None, stop_early=None):
        """Take the state as it is now."""
        return cls(
            history=history or {},
            variables=_values(network.variables),
            optimizer_variables=_values(network.optimizer.variables),
            early_stopping=stop_early and stop_early.memory(),
            best_weights=stop_early.best_weights if stop_early else [],
            stopped=bool(network.stop_training),
        )

    def restore(self, network, stop_early=None):
        """Give it to a network that is of the same shape and compiled alike."""
        for variable, value in zip(network.variables, self.variables, strict=True):
            variable.assign(value)
        for variable, value in zip(
            network.optimizer.variables, self.optimizer_variables, strict=True
        ):
            variable.assign(value)
        if stop_early:
            stop_early.remember(self.early_stopping, self.best_weights)


class LastEpoch(keras.callbacks.Callback):
    """Keeps the state after each epoch, and writes it to a checkpoint if there is one.

    Stands behind all callbacks that change the network or stop it.
    """

    def __init__(self, *, stop_early, checkpoint, begun, budget, chosen):
        super().__init__()
        self.budget = budget
        self.chosen = chosen
        self.stop_early = stop_early
        self.checkpoint = checkpoint
        self.state = begun

    def on_epoch_end(self, epoch, logs=None):
        """Keep the state."""
        history = self.state.history if self.state else {}
        self.state = EpochState.of(self.model, with_epoch(history, logs), self.stop_early)
        if self.budget is not None:
            self.state.time = {
                "chosen": self.chosen,
                "moves": list(self.budget.moves),
                "used": self.budget.used(),
            }
        if self.checkpoint is not None:
            self.checkpoint.write(self.state)


class Checkpoint:
    """The file that a training goes on from."""

    def __init__(self, path, training, *, random_state):
        self.path = Path(path)
        self.training = training
        if not self.path.parent.is_dir():
            raise FileNotFoundError(
                f"checkpoint={str(path)!r} cannot be written: there is no folder"
                f" {self.path.parent}. Make it, or give another path."
            )
        remove_unfinished(self.path)
        self.is_there = self.path.exists()
        if self.is_there:
            with opened_parts(self.path, kind="checkpoint") as parts:
                self._check_training(parts)
                random_state = np.random.RandomState()  # not the one that others draw from
                random_state.set_state(_random_state_from(parts))
        self.random_state = random_state
        self._state_of_random = random_state.get_state()  # before anything is drawn

    def read_time(self):
        """Read what a training with a budget has chosen and used."""
        with opened_parts(self.path, kind="checkpoint") as parts:
            time = parts.description["time"]
            time = time and time | {"chosen": decode(time["chosen"], parts)}
            if not _is_time(time):
                raise parts.error("is damaged: its time is not right")
            return time

    def read(self, network, stop_early):
        """Read the state after the last epoch."""
        with opened_parts(self.path, kind="checkpoint") as parts:
            described = parts.description
            history = decode(described["history"], parts)
            early_stopping = described["early_stopping"]
            if not is_history(history) or not history["loss"]:
                raise parts.error("is damaged: its history is not right")
            if not (_is_memory(early_stopping) if stop_early else early_stopping is None):
                raise parts.error("is damaged: what early stopping remembers is not right")

            if not isinstance(described["stopped"], bool):
                raise parts.error("is damaged: whether training was stopped is not right")

            def arrays(kind, variables):
                names = _names(kind, variables)
                return parts.read_finite(names, [(tuple(v.shape), v.dtype) for v in variables])

            return EpochState(
                history=history,
                variables=arrays("variables", network.variables),
                optimizer_variables=arrays("optimizer", network.optimizer.variables),
                early_stopping=early_stopping,
                best_weights=arrays("best", network.weights) if stop_early else [],
                stopped=described["stopped"],
            )

    def write(self, state):
        """Write a state; a disk that is full costs the file, not the training."""
        name, words, *numbers = self._state_of_random
        arrays = {"random_state": words}
        description = {
            "format": FORMAT,
            "kind": "checkpoint",
            "versions": library_versions(),
            "training": self.training,
            "history": encode(state.history, "history", arrays),
            "early_stopping": state.early_stopping,
            "stopped": state.stopped,
            "time": state.time
            and state.time | {"chosen": encode(state.time["chosen"], "chosen", arrays)},
            "random_state": [name, *numbers],
        }
        for kind, values in (
            ("variables", state.variables),
            ("optimizer", state.optimizer_variables),
            ("best", state.best_weights),
        ):
            arrays |= zip(_names(kind, values), values, strict=True)
        try:
            with replacing(self.path) as unfinished:
                write_parts(unfinished, description, arrays)
        except (OSError, ModelFileError) as error:
            warnings.warn(
                f"The checkpoint {self.path} could not be written after epoch {state.n_epochs}"
                f" ({error}). Training goes on without; what was there before is still there.",
                RuntimeWarning,
                stacklevel=2,
            )

    def _check_training(self, parts):
        there = parts.description["training"]
        others = [
            f"{name} was {there['params'].get(name)!s:.100} and is {value:.100}"
            for name, value in self.training["params"].items()
            if there["params"].get(name) != value
        ]
        others += [
            f"{name} is not the same"
            for name, checksum in self.training["data"].items()
            if there["data"].get(name) != checksum
        ]
        if others:
            raise parts.error(
                f"is the checkpoint of another training: {', '.join(others)}. Delete the file, or"
                " give another path, to begin anew"
            )


def check_callbacks_can_go_on(callbacks):
    """Raise if callbacks remember what is not in a checkpoint, so that they would begin anew."""
    for callback in callbacks or ():
        for cls, remedy in REMEMBERING.items():
            if isinstance(callback, cls) and not _is_free_of_memory(callback):
                raise ValueError(
                    f"callbacks has a {type(callback).__name__}, which would begin anew when"
                    f" training goes on from the checkpoint. Instead, {remedy}, or leave out"
                    " checkpoint."
                )


def _is_free_of_memory(callback):
    """Whether a callback, of a class that may remember epochs, writes on as if it went on."""
    if isinstance(callback, keras.callbacks.ModelCheckpoint):
        return not callback.save_best_only
    return isinstance(callback, keras.callbacks.CSVLogger) and callback.append


def describe_training(classifier, *, start, classes, **data):
    """Describe what a training computes, so that another one can be distinguished from it."""
    params = {field.name: getattr(classifier, field.name) for field in fields(classifier)}
    params |= classifier.get_params(deep=False)
    if classifier._name_of_schedule() == "constant" and _is_whole(params["epochs"]):
        del params["epochs"]  # more of them only follow
    if isinstance(params["random_state"], np.random.RandomState):
        del params["random_state"]  # which the file has
    params = {name: value for name, value in params.items() if name not in NO_PART_OF_TRAINING}
    params |= {**keras_settings(), "classes": classes.tolist()}
    readable = {name: repr(value) for name, value in params.items() if _is_readable(value)}
    return {
        "params": {"class": type(classifier).__name__, **readable},
        "data": {
            **{name: "none" if v is None else _checksum(v) for name, v in data.items()},
            "the network to start from": " ".join(map(_checksum, start)) or "none",
            "the code of its class": class_digest(type(classifier)),
            **{n: digest(v, name=n) for n, v in params.items() if n not in readable},
        },
    }


def _is_whole(epochs):
    """Whether a training ends with the end of an epoch, so that more can follow."""
    return isinstance(epochs, str) or float(epochs).is_integer()


def _is_readable(value):
    """Whether a value has a text, not too long, which is the same in another process."""
    try:
        return len(json.dumps(value)) <= MOST_CHARACTERS
    except (TypeError, ValueError):
        return False


def _is_memory(value):
    """Whether a value from a file is what early stopping remembers."""
    return (
        isinstance(value, dict)
        and value.keys() == {"best", "n_epochs_without_progress"}
        and isinstance(value["best"], float)
        and 0 <= value["best"] <= 1
        and type(value["n_epochs_without_progress"]) is int
        and value["n_epochs_without_progress"] >= 0
    )


def _is_time(value):
    """Whether a value from a file is what a training has chosen and used."""
    return (
        isinstance(value, dict)
        and value.keys() == {"chosen", "moves", "used"}
        and isinstance(value["chosen"], dict)
        and isinstance(value["used"], float)
        and value["used"] >= 0
        and isinstance(value["moves"], list)
        and all(isinstance(m, list) and list(map(type, m)) == [int, int] for m in value["moves"])
    )


def _checksum(array):
    if isinstance(array, LazyImages):
        return f"{checksum_of_array(array.bytes_of(slice(None)))} / {array.max_value}"
    return checksum_of_array(np.ascontiguousarray(array))


def _values(variables):
    return [np.asarray(variable).copy() for variable in variables]


def _names(kind, values):
    return [f"{kind}/{number:04d}" for number in range(len(values))]


def _random_state_from(parts):
    name, position, has_gauss, cached = parts.description["random_state"]
    (words,) = parts.read_finite(["random_state"], [((RANDOM_WORDS,), "uint32")])
    if name != "MT19937" or not 0 <= position <= RANDOM_WORDS:  # which NumPy does not check
        raise parts.error("is damaged: its random state is none")
    return name, words, int(position), int(has_gauss), float(cached)
