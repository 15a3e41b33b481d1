"""Networks as text, which two networks share that differ in nothing but their numbers.

Whatever was prepared for one network, such as compiled code, serves all of its blueprint.
"""

import json
import warnings

import keras

from ...networks import seeded_layers

_MAKERS = {"Functional": keras.Model, "Sequential": keras.Sequential}


def blueprint_of(network):
    """Describe a network, less its weights.

    Networks have equal blueprints if the same code made them from the same sizes. The numbers that
    Keras appends to names do not count, but for layers inside wrappers such as Bidirectional.
    """
    kind = type(network).__name__
    if kind not in _MAKERS or not _is_module_of_keras(type(network).__module__):
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that lambdas should not be put into files
            config = network.get_config()
        if not (_is_of_keras_alone(config) and _activates_by_keras_alone(network)):
            return None
        return json.dumps({"kind": kind, "config": _with_plain_names(config)})
    except Exception:  # whatever keeps a layer from being described, Keras can train it
        return None


def sublayers(layer):
    """List the layers that a layer or a network holds."""
    attributes = [value for value in vars(layer).values() if isinstance(value, keras.Layer)]
    return [*getattr(layer, "layers", ()), *attributes]


def build_from(blueprint):
    """Build a network again, with weights of its own, of which nothing is promised."""
    described = json.loads(blueprint)
    with seeded_layers(0):  # which leaves the random state of others alone
        return _MAKERS[described["kind"]].from_config(described["config"])


def training_blueprint_of(network):
    """Describe a compiled network's optimizer and loss, less the learning rate."""
    try:
        optimizer = keras.optimizers.serialize(network.optimizer)
        described = {"optimizer": optimizer, "loss": keras.losses.serialize(network.loss)}
    except Exception:  # as above
        return None
    if not _is_of_keras_alone(described):
        return None
    optimizer["config"]["name"] = "optimizer"
    if isinstance(optimizer["config"].get("learning_rate"), float):
        optimizer["config"]["learning_rate"] = 0.0
    return json.dumps(described)


def compile_from(blueprint, network):
    """Compile a network as another one is."""
    described = json.loads(blueprint)
    network.compile(
        optimizer=keras.optimizers.deserialize(described["optimizer"]),
        loss=keras.losses.deserialize(described["loss"]),
    )
    network.optimizer.build(network.trainable_variables)


def _is_module_of_keras(name):
    return name is not None and (name == "keras" or name.startswith("keras."))


def _activates_by_keras_alone(layer):
    """Whether activations are what their names say; configurations hold no more than the names."""
    functions = (
        value
        for name, value in vars(layer).items()
        if name.endswith("activation") and hasattr(value, "__name__")
    )
    return all(
        keras.activations.get(function.__name__) is function for function in functions
    ) and all(map(_activates_by_keras_alone, sublayers(layer)))


def _is_of_keras_alone(config):
    """Whether a configuration determines all that its objects do."""
    if isinstance(config, list | tuple):
        return all(map(_is_of_keras_alone, config))
    if not isinstance(config, dict):
        return config is None or isinstance(config, str | int | float)
    if set(config) == {"value"} and not isinstance(config["value"], int | float):
        return False  # a lambda's code, as Keras dumps it
    if "class_name" in config:
        name, module = config["class_name"], config.get("module", "keras")
        if not _is_module_of_keras(module) or name in {"__lambda__", "function"}:
            return False
        if hasattr(getattr(keras.layers, name, None), "adapt"):
            return False
    return all(map(_is_of_keras_alone, config.values()))


def _with_plain_names(config):
    """Name the layers of a network, and of those inside it, by their places."""
    if "layers" not in config:
        return config
    places = {layer["config"]["name"]: f"layer_{k}" for k, layer in enumerate(config["layers"])}

    def renamed(node):
        """The same, with other names where a layer is referred to."""
        if isinstance(node, list | tuple):
            return [renamed(part) for part in node]
        if not isinstance(node, dict):
            return node
        history = node.get("keras_history")
        if history is None:
            return {key: renamed(value) for key, value in node.items()}
        return node | {"keras_history": [places[history[0]], *history[1:]]}

    def renamed_ends(ends):
        """Inputs or outputs: one ``[name, node, tensor]``, or a list of them."""
        if isinstance(ends, list | tuple) and ends and isinstance(ends[0], str):
            return [places[ends[0]], *ends[1:]]
        return [renamed_ends(end) for end in ends]

    layers = []
    for layer in config["layers"]:
        place = places[layer["config"]["name"]]
        layer = layer | {"config": _with_plain_names(layer["config"]) | {"name": place}}
        if "name" in layer:
            layer["name"] = place
        if "inbound_nodes" in layer:
            layer["inbound_nodes"] = renamed(layer["inbound_nodes"])
        layers.append(layer)
    ends = {
        key: renamed_ends(config[key]) for key in ("input_layers", "output_layers") if key in config
    }
    return config | {"name": "network", "layers": layers} | ends
