"""Networks with a body that was trained before, and a new head."""

import keras

from ._layers import Dropout, dense, probabilities
from ._seeds import layer_seeds


def read_body(path, output_layer, *, owner):
    """Read the part of a network's file that a new head can be put on, up to a layer by name."""
    if path is None:
        raise ValueError(
            f"{owner} needs the file of a network, as keras.Model.save writes it. Set"
            " network='path/to/network.keras'."
        )
    try:
        network = keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # Keras raises nearly anything on a file that it cannot read
        raise ValueError(
            f"network={str(path)!r} cannot be read by Keras"
            f" ({(str(error) or type(error).__name__).splitlines()[0]}). Give a file that"
            " keras.Model.save wrote, of a network without Lambda layers."
        ) from error
    if len(getattr(network, "inputs", None) or ()) != 1:
        raise ValueError(
            f"network={str(path)!r} is no network of one input made of layers (Functional or"
            " Sequential), so that no part of it can be taken. Save such a one."
        )
    layers = [layer for layer in network.layers if not isinstance(layer, keras.layers.InputLayer)]
    if output_layer is None:
        ends = (keras.activations.softmax, keras.activations.sigmoid)
        while len(layers) > 1 and (
            getattr(layers[-1], "activation", None) in ends
            or isinstance(layers[-1], keras.layers.Dropout)
        ):
            layers.pop()
        last = layers[-1]
    else:
        last = _layer_named(output_layer, layers, parameter="output_layer")
    return keras.Model(network.inputs[0], last.output, name="body")


def build_pretrained_network(
    body,
    input_shape,
    n_classes,
    *,
    train_from=None,
    pixel_range=(0.0, 1.0),
    hidden_layer_sizes=(),
    dropout=0.0,
    seed=None,
):
    """Build a network of a body that is there and a new head, a model itself as its last layer."""
    expected = body.inputs[0].shape[1:]
    if len(expected) != len(input_shape) or any(
        size not in (None, given) for size, given in zip(expected, input_shape, strict=True)
    ):
        raise ValueError(
            f"The network in the file takes samples of shape {tuple(expected)}, and those of X have"
            f" {tuple(input_shape)}. Give pictures of that size and number of channels."
        )
    body.trainable = train_from is not None
    if train_from is not None:
        layers = list(body.layers)
        first = layers.index(_layer_named(train_from, layers, parameter="train_from"))
        for layer in layers[:first]:
            layer.trainable = False

    low, high = pixel_range
    inputs = keras.Input(input_shape, name="pixels")
    x = inputs
    if (low, high) != (0, 1):
        x = keras.layers.Rescaling(high - low, offset=low, name="pixel_range")(x)
    x = body(x)
    is_map = len(x.shape) == 4
    pool = keras.layers.GlobalAveragePooling2D if is_map else keras.layers.Flatten
    x = pool(name="pool")(x)
    head = _build_classes(x.shape[1:], n_classes, hidden_layer_sizes, dropout, layer_seeds(seed))
    return keras.Model(inputs, head(x), name="pretrained")


def split_at_head(network):
    """Return what comes before the head of such a network, and the head, with the same weights."""
    *_, last_before, head = network.layers
    return keras.Model(network.input, last_before.output), head


def _build_classes(input_shape, n_classes, hidden_layer_sizes, dropout, seeds):
    inputs = x = keras.Input(input_shape, name="features")
    for number, size in enumerate(hidden_layer_sizes):
        if dropout:
            x = Dropout(dropout, seed=next(seeds), name=f"dropout_{number}")(x)
        x = dense(size, f"hidden_{number}", next(seeds), activation="relu")(x)
    if dropout:
        x = Dropout(dropout, seed=next(seeds), name="dropout")(x)
    return keras.Model(inputs, probabilities(n_classes, next(seeds))(x), name="head")


def _layer_named(name, layers, *, parameter):
    for layer in layers:
        if layer.name == name:
            return layer
    names = ", ".join(layer.name for layer in layers[-10:])
    raise ValueError(f"{parameter}={name!r} is no layer of the network. Its last ones are {names}.")
