"""Keras networks in the operators of ONNX: for each kind of layer, what it computes.

The operators are kept as plain names and arrays, so nothing here needs the onnx library.
"""

import math
from functools import partial

import keras
import numpy as np

from ..networks import BatchNormalization, Dropout

TO_CHANNELS_FIRST = (0, 3, 1, 2)
TO_CHANNELS_LAST = (0, 2, 3, 1)
HEIGHT_AND_WIDTH = np.array([1, 2])


class ExportError(ValueError):
    """A pipeline cannot be exported; the message names what in it, and what can be."""


class Graph:
    """Operators one after another, each of which gives one tensor."""

    def __init__(self):
        self.nodes = []
        self.constants = {}

    def add(self, operator, *inputs, name=None, **attributes):
        """Add an operator, and name the tensor that it gives."""
        name = name or f"{operator}_{len(self.nodes)}"
        taken = [x if isinstance(x, str) else self._constant(x) for x in inputs]
        self.nodes.append((operator, taken, name, attributes))
        return name

    def _constant(self, value):
        name = f"constant_{len(self.constants)}"
        self.constants[name] = np.asarray(value)
        return name


def add_network(graph, network, x):
    """Add what a network computes when it predicts."""
    if not isinstance(network, keras.Function | keras.Sequential) or len(network.inputs) != 1:
        raise ExportError(
            f"The network {network.name!r} is not made with Keras' Functional API from one input,"
            " so its layers cannot be followed. Build it with keras.Model(inputs, outputs)."
        )
    names = {id(network.inputs[0]): x}
    for operation in _operations(network):
        taken, given = _tensors_around(operation)
        known = [names[id(tensor)] for tensor in taken if id(tensor) in names]
        if len(known) < len(taken):
            break
        names[id(given)] = _add_operation(graph, operation, *known)
    if id(network.outputs[0]) not in names:
        raise ExportError(
            f"What the network {network.name!r} gives cannot be followed: one of its layers has"
            " been called more than once. Make a layer for each call."
        )
    return names[id(network.outputs[0])]


def _operations(network):
    """List what a network computes, each after what it needs."""
    operations = network.operations if isinstance(network, keras.Function) else network.layers
    return [op for op in operations if not isinstance(op, keras.layers.InputLayer)]


def _tensors_around(operation):
    """Return the tensors that an operation was called on, and the one that came out."""
    # A network within a network overrides both by the tensors inside of it.
    taken = keras.Operation.input.fget(operation)
    return keras.tree.flatten(taken), keras.Operation.output.fget(operation)


def _add_operation(graph, operation, *inputs):
    if isinstance(operation, keras.Model):
        return add_network(graph, operation, *inputs)
    kind = f"{operation.name!r} of the class {type(operation).__name__}"
    if type(operation) not in LAYERS:  # a subclass may compute something else
        raise ExportError(
            f"The layer {kind} cannot be exported. Those that can are"
            f" {', '.join(sorted(layer.__name__ for layer in LAYERS))}."
        )
    if operation.dtype_policy.name != "float32":
        raise ExportError(
            f"The layer {kind} computes in {operation.dtype_policy.name}, and onnxruntime has"
            " convolutions in float32 only. Train with"
            ' keras.config.set_dtype_policy("float32").'
        )
    if getattr(operation, "data_format", None) == "channels_first":
        raise ExportError(
            f"The layer {kind} has data_format='channels_first', which cannot be exported. Give it"
            " pictures of shape (height, width, n_channels) and data_format='channels_last'."
        )
    return LAYERS[type(operation)](graph, operation, *inputs)


def _weight(variable):
    return keras.ops.convert_to_numpy(variable)


def _unchanged(graph, layer, x):
    return x


def _add_flatten(graph, layer, x):
    return graph.add("Flatten", x)


def _add_reshape(graph, layer, x):
    return graph.add("Reshape", x, np.array([0, *layer.target_shape]))  # 0 keeps n_samples


def _add_rescaling(graph, layer, x):
    x = graph.add("Mul", x, np.float32(layer.scale))
    return graph.add("Add", x, np.float32(layer.offset))


def _add_dense(graph, layer, x):
    x = graph.add("MatMul", x, _weight(layer.kernel))
    if layer.use_bias:
        x = graph.add("Add", x, _weight(layer.bias))
    return _add_activation(graph, layer, x)


def _add_convolution(graph, layer, x):
    kernel = _weight(layer.kernel).transpose(3, 2, 0, 1)  # (n_filters, n_channels, height, width)
    bias = [_weight(layer.bias)] if layer.use_bias else []
    options = {
        "strides": layer.strides,
        "dilations": layer.dilation_rate,
        "group": layer.groups,
        "pads": _pads(layer, layer.kernel_size, layer.dilation_rate),
    }
    x = _add_on_pictures(graph, "Conv", x, kernel, *bias, **options)
    return _add_activation(graph, layer, x)


def _add_pooling(graph, layer, x, *, operator):
    options = {
        "kernel_shape": layer.pool_size,
        "strides": layer.strides,
        "pads": _pads(layer, layer.pool_size),
    }
    return _add_on_pictures(graph, operator, x, **options)


def _pads(layer, window, rates=(1, 1)):
    """Return what Keras pads at the top, to the left, at the bottom and to the right."""
    # ONNX' own auto_pad is deprecated, and not the same everywhere.
    if layer.padding == "valid":
        return 0, 0, 0, 0
    sizes = layer.input.shape[1:3]
    if None in sizes:
        raise ExportError(
            f"The layer {layer.name!r} pads pictures of unknown size, which cannot be exported."
            " Give keras.Input their height and width."
        )
    margins = [
        max(0, (math.ceil(size / stride) - 1) * stride + (width - 1) * rate + 1 - size)
        for size, stride, width, rate in zip(sizes, layer.strides, window, rates, strict=True)
    ]
    return *(margin // 2 for margin in margins), *((margin + 1) // 2 for margin in margins)


def _add_on_pictures(graph, operator, x, *weights, **options):
    """Add an operator that has channels first, where Keras has them last."""
    x = graph.add("Transpose", x, perm=TO_CHANNELS_FIRST)
    x = graph.add(operator, x, *weights, **options)
    return graph.add("Transpose", x, perm=TO_CHANNELS_LAST)


def _add_global_pooling(graph, layer, x, *, operator):
    return graph.add(operator, x, HEIGHT_AND_WIDTH, keepdims=int(layer.keepdims))


def _add_normalization(graph, layer, x):
    if layer.axis not in (-1, len(layer.input.shape) - 1):
        raise ExportError(
            f"The layer {layer.name!r} normalizes axis {layer.axis}. Only the last one can be"
            " exported."
        )
    scale = 1 / np.sqrt(_weight(layer.moving_variance) + np.float32(layer.epsilon))
    if layer.scale:
        scale *= _weight(layer.gamma)
    offset = -_weight(layer.moving_mean) * scale
    if layer.center:
        offset += _weight(layer.beta)
    return graph.add("Add", graph.add("Mul", x, scale), offset)


def _add_sum(graph, layer, *inputs):
    if len({len(tensor.shape) for tensor in layer.input}) > 1:
        raise ExportError(
            f"The layer {layer.name!r} adds tensors with different numbers of axes, which cannot be"
            " exported. Reshape them before."
        )
    return graph.add("Sum", *inputs)


def _add_leaky_relu(graph, layer, x):
    return graph.add("LeakyRelu", x, alpha=layer.negative_slope)


def _add_activation(graph, layer, x):
    if layer.activation not in ACTIVATIONS:
        raise ExportError(
            f"The activation {layer.activation!r} of the layer {layer.name!r} cannot be exported."
            f" Those that can are"
            f" {', '.join(sorted(function.__name__ for function in ACTIVATIONS))}."
        )
    return ACTIVATIONS[layer.activation](graph, x)


def _by(operator, *constants, **attributes):
    return lambda graph, x: graph.add(operator, x, *constants, **attributes)


ACTIVATIONS = {
    keras.activations.elu: _by("Elu"),
    keras.activations.gelu: _by("Gelu"),
    keras.activations.leaky_relu: _by("LeakyRelu", alpha=0.2),
    keras.activations.linear: lambda graph, x: x,
    keras.activations.relu: _by("Relu"),
    keras.activations.relu6: _by("Clip", np.float32(0), np.float32(6)),
    keras.activations.selu: _by("Selu"),
    keras.activations.sigmoid: _by("Sigmoid"),
    keras.activations.silu: lambda graph, x: graph.add("Mul", x, graph.add("Sigmoid", x)),
    keras.activations.softmax: _by("Softmax", axis=-1),
    keras.activations.softplus: _by("Softplus"),
    keras.activations.softsign: _by("Softsign"),
    keras.activations.tanh: _by("Tanh"),
}

LAYERS = {
    BatchNormalization: _add_normalization,
    keras.layers.Activation: _add_activation,
    keras.layers.Add: _add_sum,
    keras.layers.AveragePooling2D: partial(_add_pooling, operator="AveragePool"),
    keras.layers.BatchNormalization: _add_normalization,
    keras.layers.Conv2D: _add_convolution,
    keras.layers.Dense: _add_dense,
    keras.layers.Dropout: _unchanged,
    Dropout: _unchanged,
    keras.layers.Flatten: _add_flatten,
    keras.layers.GlobalAveragePooling2D: partial(_add_global_pooling, operator="ReduceMean"),
    keras.layers.GlobalMaxPooling2D: partial(_add_global_pooling, operator="ReduceMax"),
    keras.layers.LeakyReLU: _add_leaky_relu,
    keras.layers.MaxPooling2D: partial(_add_pooling, operator="MaxPool"),
    keras.layers.RandomFlip: _unchanged,
    keras.layers.RandomTranslation: _unchanged,
    keras.layers.Rescaling: _add_rescaling,
    keras.layers.Reshape: _add_reshape,
}
