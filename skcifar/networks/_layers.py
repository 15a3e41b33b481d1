"""Layers and checks that several networks share."""

import math

import keras

from .._keras import check_image_data_format

if keras.config.backend() == "tensorflow":
    from ._tensorflow import BatchNormalization, Dropout
else:
    BatchNormalization, Dropout = keras.layers.BatchNormalization, keras.layers.Dropout

ACTIVATIONS = frozenset(
    {
        *("elu", "gelu", "leaky_relu", "linear", "relu", "relu6", "selu", "sigmoid", "silu"),
        *("softplus", "softsign", "tanh"),
    }
)


# Keras' default of 0.99 takes hundreds of steps to forget the first batches, more than small data
# have in an epoch: until then a network predicts much worse than it trains.
BATCH_NORMALIZATION_MOMENTUM = 0.9


def check_picture_shape(shape, *, steps):
    """Raise unless samples are pictures large enough for all steps, one by one."""
    check_image_data_format()
    if len(shape) != 3:
        raise ValueError(
            "Convolutions need pictures of shape (height, width, n_channels), got samples of shape"
            f" {tuple(shape)}. Reshape them, X.reshape(-1, height, width, n_channels); grey"
            " pictures have 1 channel, X[..., None]."
        )
    least = math.prod(steps)
    for size in shape[:2]:
        for step in steps:
            if size < step:
                raise ValueError(
                    f"Pictures of shape {tuple(shape)} are too small for this network, which"
                    f" divides height and width by {' x '.join(map(str, steps))} = {least}. Give"
                    " larger pictures, or take fewer or smaller steps."
                )
            size = math.ceil(size / step)


def dense(size, name, seed, **params):
    initializer = keras.initializers.GlorotUniform(seed)
    return keras.layers.Dense(size, kernel_initializer=initializer, name=name, **params)


def probabilities(n_classes, seed):
    """Make the last layer, which computes as exactly as weights are, also under mixed precision."""
    dtype = keras.config.dtype_policy().variable_dtype
    return dense(n_classes, "probabilities", seed, activation="softmax", dtype=dtype)


def convolution(n_filters, kernel_size, name, seed, **params):
    initializer = keras.initializers.GlorotUniform(seed)
    return keras.layers.Conv2D(
        n_filters, kernel_size, padding="same", kernel_initializer=initializer, name=name, **params
    )


def normalization(name):
    return BatchNormalization(momentum=BATCH_NORMALIZATION_MOMENTUM, name=name)


def activation_layer(activation, name):
    if activation == "leaky_relu":
        return keras.layers.LeakyReLU(name=name)
    return keras.layers.Activation(activation, name=name)
