"""Keras networks in the operators of ONNX: for each kind of layer, what it computes.

The operators are kept as plain names and arrays, so nothing here needs the onnx library, and other
files than ONNX' own can be written of them.
"""

import functools
import math
from functools import partial

import keras
import numpy as np
from keras import activations, layers

from ..networks import BatchNormalization, Dropout, MeanOfViews, Views, Whitening


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
        self.nodes.append((operator, [self._name(x) for x in inputs], name, attributes))
        return name

    def _name(self, x):
        if isinstance(x, str):
            return x
        if isinstance(x, keras.KerasTensor):
            return x.name
        name = f"constant_{len(self.constants)}"
        self.constants[name] = np.asarray(x)
        return name


class _Call(keras.Operation):
    """One call of a layer, whose output has the name that it has in the graph."""

    def __init__(self, layer, given):
        super().__init__()
        self.layer, self.given = layer, given

    def compute_output_spec(self, *inputs):
        spec = self.layer.compute_output_spec(*inputs)
        return keras.KerasTensor(spec.shape, spec.dtype, name=self.given)


def add_network(graph, network, x, shape):
    """Add what a network computes when it predicts, on samples of a shape."""
    if (
        not isinstance(network, keras.Function | keras.Sequential)
        or len(network.inputs) != 1
        or len(network.outputs) != 1
    ):
        raise ExportError(
            f"The network {network.name!r} is not built with Keras' Functional API from one input"
            " to one output, so its layers cannot be followed. Build it with"
            " keras.Model(inputs, outputs)."
        )

    def add_call(layer, *inputs, **options):
        inputs += tuple(x for x in options.values() if isinstance(x, keras.KerasTensor))
        return _Call(layer, _add_layer(graph, layer, *inputs))(*inputs)

    followed = keras.models.clone_model(
        keras.Model(network.inputs, network.outputs),
        [keras.Input(shape, name=x)],
        clone_function=lambda layer: layer,
        call_function=add_call,
    )
    return followed.outputs[0].name


def _add_layer(graph, layer, *inputs):
    kind = f"{layer.name!r} of the class {type(layer).__name__}"
    inputs = keras.tree.flatten(inputs)
    if isinstance(layer, keras.Model):
        return add_network(graph, layer, inputs[0].name, inputs[0].shape[1:])
    if not isinstance(layer, layers.Layer):
        return _add_operation(graph, layer, *inputs)
    if type(layer) not in LAYERS:  # a subclass may compute something else
        raise ExportError(
            f"The layer {kind} cannot be exported. Replace it with others of keras.layers;"
            " the documentation of export_onnx lists those that can be exported."
        )
    if layer.dtype_policy.name != "float32":
        raise ExportError(
            f"The layer {kind} computes in {layer.dtype_policy.name}, but only float32 can be"
            " exported. Train with"
            ' keras.config.set_dtype_policy("float32").'
        )
    if getattr(layer, "data_format", None) == "channels_first":
        raise ExportError(
            f"The layer {kind} has data_format='channels_first', which cannot be exported. Give it"
            " pictures of shape (height, width, n_channels) and data_format='channels_last'."
        )
    return LAYERS[type(layer)](graph, layer, *inputs)


def _add_operation(graph, operation, *inputs):
    kind = type(operation).__name__
    if kind not in OPERATIONS:
        raise ExportError(
            f"The operation {operation.name!r} ({kind}) on tensors cannot be exported. Those that"
            f" can are {', '.join(sorted(OPERATIONS))}. Replace it with a layer."
        )
    inputs = [x if isinstance(x, keras.KerasTensor) else np.float32(x) for x in inputs]
    return graph.add(OPERATIONS[kind], *inputs)


def _weight(variable):
    return keras.ops.convert_to_numpy(variable)


def _weights(*variables):
    return [_weight(variable) for variable in variables if variable is not None]


def _along(values, axes, x):
    """Shape values along some axes of a tensor, to broadcast over the others."""
    shape = np.ones(len(x.shape), dtype=int)
    shape[axes] = np.shape(values)
    return np.reshape(values, shape)


def _unchanged(graph, layer, x):
    return x.name


# --- sums of products ---


def _add_dense(graph, layer, x):
    return _add_bias(graph, layer, graph.add("MatMul", x, _weight(layer.kernel)))


def _add_einsum(graph, layer, x):
    x = graph.add("Einsum", x, _weight(layer.kernel), equation=layer.equation)
    return _add_bias(graph, layer, x)


def _add_bias(graph, layer, x):
    for bias in _weights(layer.bias):
        x = graph.add("Add", x, bias)
    return _add_activation(graph, layer, x)


def _add_convolution(graph, layer, x):
    kernel = np.moveaxis(_weight(layer.kernel), (-1, -2), (0, 1))  # (n_filters, n_channels, ...)
    x = _convolve(graph, layer, x, kernel, *_weights(layer.bias), group=layer.groups)
    return _add_activation(graph, layer, x)


def _add_depthwise(graph, layer, x):
    kernel = _by_channel(layer.kernel)
    x = _convolve(graph, layer, x, kernel, *_weights(layer.bias), group=x.shape[-1])
    return _add_activation(graph, layer, x)


def _add_separable(graph, layer, x):
    x = _convolve(graph, layer, x, _by_channel(layer.depthwise_kernel), group=x.shape[-1])
    pointwise = _weight(layer.pointwise_kernel)
    x = graph.add("MatMul", x, pointwise.reshape(pointwise.shape[-2:]))
    return _add_bias(graph, layer, x)


def _by_channel(variable):
    kernel = np.moveaxis(_weight(variable), (-2, -1), (0, 1))  # (n_channels, multiplier, ...)
    return kernel.reshape(-1, 1, *kernel.shape[2:])


def _convolve(graph, layer, x, *weights, group):
    options = {
        "strides": layer.strides,
        "dilations": layer.dilation_rate,
        "group": group,
        "pads": _pads(layer, x, layer.kernel_size, layer.dilation_rate),
    }
    return _add_with_channels_first(graph, "Conv", x, *weights, **options)


def _add_pooling(graph, layer, x, *, operator):
    options = {
        "kernel_shape": layer.pool_size,
        "strides": layer.strides,
        "pads": _pads(layer, x, layer.pool_size, [1] * len(layer.pool_size)),
    }
    return _add_with_channels_first(graph, operator, x, **options)


def _pads(layer, x, window, rates):
    """Return what Keras pads before each axis of a picture, then what after each."""
    # ONNX' own auto_pad is deprecated, and not the same everywhere.
    if layer.padding == "valid":
        return [0] * 2 * len(window)
    if layer.padding == "causal":
        return (window[0] - 1) * rates[0], 0
    margins = [
        max(0, (math.ceil(size / stride) - 1) * stride + (width - 1) * rate + 1 - size)
        for size, stride, width, rate in zip(
            x.shape[1:-1], layer.strides, window, rates, strict=True
        )
    ]
    return *(margin // 2 for margin in margins), *((margin + 1) // 2 for margin in margins)


def _add_with_channels_first(graph, operator, x, *weights, **options):
    """Add an operator that has channels first, where Keras has them last."""
    last = len(x.shape) - 1
    x = graph.add("Transpose", x, perm=[0, last, *range(1, last)])
    x = graph.add(operator, x, *weights, **options)
    return graph.add("Transpose", x, perm=[0, *range(2, last + 1), 1])


def _add_global_pooling(graph, layer, x, *, operator):
    axes = np.arange(1, len(x.shape) - 1)
    return graph.add(operator, x, axes, keepdims=int(layer.keepdims))


# --- scales ---


def _add_rescaling(graph, layer, x):
    x = graph.add("Mul", x, np.float32(layer.scale))
    return graph.add("Add", x, np.float32(layer.offset))


def _add_batch_normalization(graph, layer, x):
    scale = 1 / np.sqrt(_weight(layer.moving_variance) + np.float32(layer.epsilon))
    for gamma in _weights(layer.gamma):
        scale *= gamma
    offset = -_weight(layer.moving_mean) * scale
    for beta in _weights(layer.beta):
        offset += beta
    scaled = graph.add("Mul", x, _along(scale, [layer.axis], x))
    return graph.add("Add", scaled, _along(offset, [layer.axis], x))


def _add_layer_normalization(graph, layer, x):
    mean = graph.add("ReduceMean", x, np.array(layer.axis))
    y = _add_division_by_size(graph, layer, graph.add("Sub", x, mean))
    for operator, variable in (("Mul", layer.gamma), ("Add", layer.beta)):
        for values in _weights(variable):
            y = graph.add(operator, y, _along(values, layer.axis, x))
    return y


def _add_rms_normalization(graph, layer, x):
    y = _add_division_by_size(graph, layer, x)
    return graph.add("Mul", y, _along(_weight(layer.scale), layer.axis, x))


def _add_division_by_size(graph, layer, x):
    """Add a division by the root of the mean square along a layer's axes."""
    mean = graph.add("ReduceMean", graph.add("Mul", x, x), np.array(layer.axis))
    return graph.add("Div", x, graph.add("Sqrt", graph.add("Add", mean, np.float32(layer.epsilon))))


def _add_known_normalization(graph, layer, x):
    deviation = np.maximum(np.sqrt(_weight(layer.variance)), np.float32(keras.config.epsilon()))
    if layer.invert:
        return graph.add("Add", graph.add("Mul", x, deviation), _weight(layer.mean))
    return graph.add("Div", graph.add("Sub", x, _weight(layer.mean)), deviation)


# --- pixels that move ---


def _add_flattening(graph, layer, x):
    return graph.add("Flatten", x)


def _add_reshape(graph, layer, x):
    return graph.add("Reshape", x, np.array([0, *layer.target_shape]))  # 0 keeps n_samples


def _add_permute(graph, layer, x):
    return graph.add("Transpose", x, perm=[0, *layer.dims])


def _add_repetition(graph, layer, x):
    return graph.add("Tile", graph.add("Unsqueeze", x, np.array([1])), np.array([1, layer.n, 1]))


def _add_padding(graph, layer, x):
    before, after = np.reshape(layer.padding, (-1, 2)).T
    return graph.add("Pad", x, np.array([0, *before, 0, 0, *after, 0]))


def _add_cropping(graph, layer, x):
    before, after = np.reshape(layer.cropping, (-1, 2)).T
    sizes = np.array(x.shape[1:-1])
    return graph.add("Slice", x, before, sizes - after, np.arange(1, len(sizes) + 1))


def _add_resizing(graph, layer, x):
    """Add a layer that treats each axis of a picture alone, as one matrix for each axis."""
    _, height, width, _ = x.shape
    rows = np.broadcast_to(np.eye(height)[:, :, None, None], (height, height, width, 1))
    columns = np.broadcast_to(np.eye(width)[:, None, :, None], (width, height, width, 1))
    to_rows, to_columns = _weight(layer(rows))[:, :, 0, 0].T, _weight(layer(columns))[:, 0, :, 0]
    y = graph.add("Transpose", x, perm=[0, 3, 1, 2])
    y = graph.add("MatMul", to_rows, graph.add("MatMul", y, to_columns))
    return graph.add("Transpose", y, perm=[0, 2, 3, 1])


def _add_views(graph, layer, x):
    views = [
        graph.add("Gather", graph.add("Gather", x, rows, axis=1), columns, axis=2)
        for rows, columns in layer.places(x.shape)
    ]
    return graph.add("Concat", *views, axis=0)


def _add_mean_of_views(graph, layer, x):
    shares = np.float32(layer.shares)[:, None, None]
    outputs = graph.add("Reshape", x, np.array([len(shares), -1, x.shape[-1]]))
    return graph.add("ReduceSum", graph.add("Mul", outputs, shares), np.array([0]), keepdims=0)


# --- several layers in one, and one of several inputs ---


def _add_pipeline(graph, layer, x):
    shape = x.shape[1:]
    network = keras.Sequential([keras.Input(shape), *layer.layers])
    return add_network(graph, network, x.name, shape)


def _add_wrapped(graph, layer, x):
    return _add_layer(graph, layer.layer, x)


def _add_merge(graph, layer, *inputs, operator):
    if len({len(x.shape) for x in inputs}) > 1:
        raise ExportError(
            f"The layer {layer.name!r} merges tensors with different numbers of axes, which cannot"
            " be exported. Reshape them first."
        )
    return functools.reduce(partial(graph.add, operator), inputs)


def _add_concatenation(graph, layer, *inputs):
    return graph.add("Concat", *inputs, axis=layer.axis)


def _add_average(graph, layer, *inputs):
    return graph.add("Mean", *inputs)


# --- activations ---


def _add_activation(graph, layer, x):
    activation = layer.activation
    if type(activation) in ACTIVATION_LAYERS:
        return ACTIVATION_LAYERS[type(activation)](graph, activation, x)
    if activation not in ACTIVATIONS:
        raise ExportError(
            f"The activation {activation!r} of the layer {layer.name!r} cannot be exported."
            f" Those that can are"
            f" {', '.join(sorted(function.__name__ for function in ACTIVATIONS))}."
        )
    return ACTIVATIONS[activation](graph, x)


def _add_elu(graph, layer, x):
    return graph.add("Elu", x, alpha=float(layer.alpha))


def _add_leaky_relu(graph, layer, x):
    return graph.add("LeakyRelu", x, alpha=float(layer.negative_slope))


def _add_prelu(graph, layer, x):
    return graph.add("PRelu", x, _weight(layer.alpha))


def _add_relu(graph, layer, x):
    y = graph.add("ThresholdedRelu", x, alpha=float(layer.threshold))
    if layer.max_value is not None:
        y = graph.add("Min", y, np.float32(layer.max_value))
    if layer.negative_slope:
        below = graph.add("Relu", graph.add("Sub", np.float32(layer.threshold), x))
        y = graph.add("Sub", y, graph.add("Mul", below, np.float32(layer.negative_slope)))
    return y


def _add_softmax(graph, layer, x):
    if not isinstance(layer.axis, int):
        raise ExportError(
            f"The layer {layer.name!r} has axis={layer.axis}. Only a softmax along one axis can be"
            " exported: give one number."
        )
    return graph.add("Softmax", x, axis=layer.axis)


def _add_log_sigmoid(graph, x):
    return graph.add("Neg", graph.add("Softplus", graph.add("Neg", x)))


def _by(operator, *constants, **attributes):
    return lambda graph, x: graph.add(operator, x, *constants, **attributes)


ACTIVATIONS = {
    activations.celu: _by("Celu"),
    activations.elu: _by("Elu"),
    activations.exponential: _by("Exp"),
    activations.gelu: _by("Gelu"),
    activations.hard_shrink: _by("Shrink", lambd=0.5),
    activations.hard_sigmoid: _by("HardSigmoid", alpha=1 / 6, beta=0.5),
    activations.hard_silu: _by("HardSwish"),
    activations.hard_tanh: _by("Clip", np.float32(-1), np.float32(1)),
    activations.leaky_relu: _by("LeakyRelu", alpha=0.2),
    activations.linear: lambda graph, x: x,
    activations.log_sigmoid: _add_log_sigmoid,
    activations.log_softmax: _by("LogSoftmax", axis=-1),
    activations.mish: _by("Mish"),
    activations.relu: _by("Relu"),
    activations.relu6: _by("Clip", np.float32(0), np.float32(6)),
    activations.selu: _by("Selu"),
    activations.sigmoid: _by("Sigmoid"),
    activations.silu: lambda graph, x: graph.add("Mul", x, graph.add("Sigmoid", x)),
    activations.soft_shrink: _by("Shrink", lambd=0.5, bias=0.5),
    activations.softmax: _by("Softmax", axis=-1),
    activations.softplus: _by("Softplus"),
    activations.softsign: _by("Softsign"),
    activations.tanh: _by("Tanh"),
    activations.tanh_shrink: lambda graph, x: graph.add("Sub", x, graph.add("Tanh", x)),
}

ACTIVATION_LAYERS = {
    layers.Activation: _add_activation,
    layers.ELU: _add_elu,
    layers.LeakyReLU: _add_leaky_relu,
    layers.PReLU: _add_prelu,
    layers.ReLU: _add_relu,
    layers.Softmax: _add_softmax,
}

ONLY_IN_TRAINING = (
    layers.ActivityRegularization,
    layers.AlphaDropout,
    layers.AugMix,
    layers.Dropout,
    layers.GaussianDropout,
    layers.GaussianNoise,
    layers.Identity,
    layers.RandAugment,
    layers.RandomBrightness,
    layers.RandomColorDegeneration,
    layers.RandomColorJitter,
    layers.RandomContrast,
    layers.RandomCrop,
    layers.RandomElasticTransform,
    layers.RandomErasing,
    layers.RandomFlip,
    layers.RandomGaussianBlur,
    layers.RandomGrayscale,
    layers.RandomHue,
    layers.RandomInvert,
    layers.RandomPerspective,
    layers.RandomPosterization,
    layers.RandomRotation,
    layers.RandomSaturation,
    layers.RandomSharpness,
    layers.RandomShear,
    layers.RandomTranslation,
    layers.RandomZoom,
    layers.SpatialDropout1D,
    layers.SpatialDropout2D,
    Dropout,
)

LAYERS = {
    **dict.fromkeys(ONLY_IN_TRAINING, _unchanged),
    **ACTIVATION_LAYERS,
    BatchNormalization: _add_batch_normalization,
    MeanOfViews: _add_mean_of_views,
    Views: _add_views,
    Whitening: _add_convolution,
    layers.Add: partial(_add_merge, operator="Add"),
    layers.Average: _add_average,
    layers.AveragePooling1D: partial(_add_pooling, operator="AveragePool"),
    layers.AveragePooling2D: partial(_add_pooling, operator="AveragePool"),
    layers.BatchNormalization: _add_batch_normalization,
    layers.CenterCrop: _add_resizing,
    layers.Concatenate: _add_concatenation,
    layers.Conv1D: _add_convolution,
    layers.Conv2D: _add_convolution,
    layers.Cropping1D: _add_cropping,
    layers.Cropping2D: _add_cropping,
    layers.Dense: _add_dense,
    layers.DepthwiseConv1D: _add_depthwise,
    layers.DepthwiseConv2D: _add_depthwise,
    layers.EinsumDense: _add_einsum,
    layers.Flatten: _add_flattening,
    layers.GlobalAveragePooling1D: partial(_add_global_pooling, operator="ReduceMean"),
    layers.GlobalAveragePooling2D: partial(_add_global_pooling, operator="ReduceMean"),
    layers.GlobalMaxPooling1D: partial(_add_global_pooling, operator="ReduceMax"),
    layers.GlobalMaxPooling2D: partial(_add_global_pooling, operator="ReduceMax"),
    layers.LayerNormalization: _add_layer_normalization,
    layers.Maximum: partial(_add_merge, operator="Max"),
    layers.MaxPooling1D: partial(_add_pooling, operator="MaxPool"),
    layers.MaxPooling2D: partial(_add_pooling, operator="MaxPool"),
    layers.Minimum: partial(_add_merge, operator="Min"),
    layers.Multiply: partial(_add_merge, operator="Mul"),
    layers.Normalization: _add_known_normalization,
    layers.Permute: _add_permute,
    layers.Pipeline: _add_pipeline,
    layers.RMSNormalization: _add_rms_normalization,
    layers.RepeatVector: _add_repetition,
    layers.Rescaling: _add_rescaling,
    layers.Reshape: _add_reshape,
    layers.Resizing: _add_resizing,
    layers.SeparableConv1D: _add_separable,
    layers.SeparableConv2D: _add_separable,
    layers.SpectralNormalization: _add_wrapped,
    layers.Subtract: partial(_add_merge, operator="Sub"),
    layers.UpSampling2D: _add_resizing,
    layers.ZeroPadding1D: _add_padding,
    layers.ZeroPadding2D: _add_padding,
}

# What Python's signs do with tensors, as where Keras' applications take pictures in.
OPERATIONS = {"Add": "Add", "Multiply": "Mul", "Subtract": "Sub", "TrueDivide": "Div"}
