"""Keys of networks: those that differ in nothing but their numbers have the same one.

Whatever was prepared for one network, such as compiled code, serves all networks of its key.
"""

import warnings

import keras

# Where a configuration refers to layers by their names.
_REFERENCES = frozenset({"input_layers", "keras_history", "output_layers"})

# What computing does not depend on: layers draw from a state, which seeds only begin.
_LEFT_OUT = frozenset({"name", "seed"})


def network_key(network):
    """Return classes, configurations and connections of all layers, hashable.

    None where a layer or a function is neither Keras' own nor this package's: its configuration
    need not say all that it does.
    """
    kind = type(network)
    if kind.__name__ not in {"Functional", "Sequential"} or not _is_known_module(kind.__module__):
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that lambdas should not be put into files
            config = network.get_config()
        if _is_known(config) and _activations_are_known(network):
            return kind.__name__, _frozen(config)
    except Exception:  # whatever keeps a layer from being described, Keras can train it
        return None
    return None


def training_key(network):
    """Return classes and configurations of optimizer and loss, less the learning rate, or None."""
    try:
        optimizer = keras.optimizers.serialize(network.optimizer)
        loss = keras.losses.serialize(network.loss)
    except Exception:  # as above
        return None
    if not (_is_known(optimizer) and _is_known(loss)):
        return None
    if "learning_rate" not in optimizer["config"]:
        return None  # one that scales the loss, around another one
    rate = optimizer["config"].pop("learning_rate")
    if isinstance(rate, dict):
        return None  # Keras' own schedules take one step at a time
    return _frozen(optimizer), _frozen(loss)


def sublayers(layer):
    """List the layers that a layer or a network holds."""
    attributes = [value for value in vars(layer).values() if isinstance(value, keras.Layer)]
    return [*getattr(layer, "layers", ()), *attributes]


def _is_known_module(name):
    return name is not None and name.partition(".")[0] in {"keras", "skcifar"}


def _activations_are_known(layer):
    """Whether activations are what their names say; configurations hold no more than the names."""
    functions = (
        value
        for name, value in vars(layer).items()
        if name.endswith("activation") and hasattr(value, "__name__")
    )
    return all(
        keras.activations.get(function.__name__) is function for function in functions
    ) and all(map(_activations_are_known, sublayers(layer)))


def _is_known(config):
    """Whether a configuration determines all that its objects do."""
    if isinstance(config, list | tuple):
        return all(map(_is_known, config))
    if not isinstance(config, dict):
        return config is None or isinstance(config, str | int | float)
    if set(config) == {"value"} and not isinstance(config["value"], int | float):
        return False  # a lambda's code, as Keras dumps it
    if "class_name" in config:
        name, module = config["class_name"], config.get("module", "keras")
        if not _is_known_module(module) or name in {"__lambda__", "function"}:
            return False
        if hasattr(getattr(keras.layers, name, None), "adapt"):
            return False
    return all(map(_is_known, config.values()))


def _frozen(config, places=None):
    """A configuration in tuples, where layers are referred to by their places in the network."""
    if isinstance(config, list | tuple):
        return tuple(_frozen(part, places) for part in config)
    if not isinstance(config, dict):
        return config
    if config.get("class_name", "").endswith("DTypePolicy"):  # which is nothing but its name
        return config["config"]["name"]
    if "layers" in config:
        layers = [layer["config"]["name"] for layer in config["layers"]]
        places = {name: place for place, name in enumerate(layers)}
    return tuple(
        (key, _by_places(value, places) if key in _REFERENCES else _frozen(value, places))
        for key, value in sorted(config.items())
        if key not in _LEFT_OUT
    )


def _by_places(reference, places):
    if isinstance(reference, list | tuple):
        return tuple(_by_places(part, places) for part in reference)
    return places[reference] if isinstance(reference, str) else reference
