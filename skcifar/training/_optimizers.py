"""Optimizers by their names, and copies of one's own."""

from functools import partial

import keras

from ._muon import Muon

OPTIMIZERS = {
    "adam": keras.optimizers.Adam,
    "sgd": partial(keras.optimizers.SGD, momentum=0.9, nesterov=True),
    "muon": Muon,
}


def make_optimizer(optimizer, *, learning_rate, weight_decay):
    """Return a new optimizer of this name, or a copy of one's own, which has its own numbers."""
    if not isinstance(optimizer, str):
        return type(optimizer).from_config(optimizer.get_config())
    decay = float(weight_decay) or None
    # named, since Keras would count names up, each of which costs memory for good
    return OPTIMIZERS[optimizer](float(learning_rate), weight_decay=decay, name=optimizer)


def learning_rate_of(optimizer):
    """Return the learning rate as it is now."""
    return float(keras.ops.convert_to_numpy(optimizer.learning_rate))


def has_schedule(optimizer):
    """Whether the optimizer itself changes its learning rate with its steps."""
    optimizer = without_loss_scaling(optimizer)
    rate = optimizer.learning_rate
    return not any(rate is variable for variable in optimizer.variables)


def without_loss_scaling(optimizer):
    """Return the optimizer itself, which Keras wraps under the policy "mixed_float16"."""
    return getattr(optimizer, "inner_optimizer", optimizer)


def differ_in_numbers_only(first, second):
    """Whether one optimizer can go on as the other, given its learning rate and weight decay."""
    return _kind(first) == _kind(second)


def _kind(optimizer):
    optimizer = without_loss_scaling(optimizer)
    config = optimizer.get_config()
    rate = config.pop("learning_rate")
    del config["name"], config["weight_decay"]
    return type(optimizer), config, rate if isinstance(rate, dict) else None
