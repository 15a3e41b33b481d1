"""A network of convolutions, then dense layers."""

from collections.abc import Sequence

import keras

from ._layers import (
    Dropout,
    activation_layer,
    check_picture_shape,
    convolution,
    dense,
    normalization,
    probabilities,
)
from ._seeds import layer_seeds


def build_convolutional_network(
    input_shape: tuple[int, ...],
    n_classes: int,
    *,
    filters: Sequence[int] = (32, 32, 64, 64),
    strides: Sequence[int] = (1, 2, 1, 2),
    kernel_size: int = 3,
    hidden_layer_sizes: Sequence[int] = (128,),
    activation: str = "leaky_relu",
    batch_normalization: bool = True,
    dropout: float = 0.5,
    seed: int | None = None,
) -> keras.Model:
    """Build a network of convolutions, then dense layers, on Keras' Functional API.

    For ``input_shape=(32, 32, 3)`` and 10 classes the defaults are the network that the article's
    sequel compares with the dense one, of 592,554 parameters.

    Parameters
    ----------
    input_shape : tuple of int
        ``(height, width, n_channels)`` of one picture.

    n_classes : int
        Number of classes, the width of the softmax layer.

    filters : sequence of int, default=(32, 32, 64, 64)
        Number of filters of each convolution.

    strides : sequence of int, default=(1, 2, 1, 2)
        By how many pixels each convolution moves on: 2 halves height and width.

    kernel_size : int, default=3
        Height and width of all filters, in pixels.

    hidden_layer_sizes : sequence of int, default=(128,)
        Number of units of each dense layer after the convolutions.

    activation : str, default="leaky_relu"
        Activation of convolutions and dense layers, by Keras' name. "leaky_relu" has the slope of
        Keras' layer LeakyReLU, 0.3.

    batch_normalization : bool, default=True
        Whether what each convolution and each dense layer sums up is normalized over the batch
        before the activation.

    dropout : float, default=0.5
        Share of each dense layer's outputs, in [0, 1), that is set to zero while training.

    seed : int, default=None
        Determines the initial weights and what Dropout leaves out. None draws seeds by Python's
        ``random``, as Keras does.

    Returns
    -------
    network : keras.Model
        Not compiled; maps ``(n_samples, height, width, n_channels)`` to probabilities of shape
        ``(n_samples, n_classes)``.

    Raises
    ------
    ValueError
        If the samples are no pictures, if there are not as many strides as filters, or if the
        strides leave nothing of the pictures.

    References
    ----------
    David Foster, "Generative Deep Learning", 2019, chapter 2, for the defaults.

    Examples
    --------
    >>> from skcifar import build_convolutional_network
    >>> build_convolutional_network((32, 32, 3), 10).count_params()
    592554
    """
    if len(filters) != len(strides):
        raise ValueError(
            f"There must be as many strides as filters, got filters={tuple(filters)!r} and"
            f" strides={tuple(strides)!r}."
        )
    check_picture_shape(input_shape, steps=strides)

    def rest_of_layer(x, name):
        if batch_normalization:
            x = normalization(f"{name}_normalization")(x)
        return activation_layer(activation, f"{name}_activation")(x)

    seeds = layer_seeds(seed)
    inputs = x = keras.Input(shape=input_shape, name="samples")
    for k, (n_filters, stride) in enumerate(zip(filters, strides, strict=True), start=1):
        name = f"convolution_{k}"
        # (n, height / stride, width / stride, n_filters), rounded up
        x = convolution(n_filters, kernel_size, name, next(seeds), strides=stride)(x)
        x = rest_of_layer(x, name)
    x = keras.layers.Flatten(name="flatten")(x)
    for k, size in enumerate(hidden_layer_sizes, start=1):
        name = f"hidden_{k}"
        x = rest_of_layer(dense(size, name, next(seeds))(x), name)
        if dropout:
            x = Dropout(dropout, seed=next(seeds), name=f"dropout_{k}")(x)
    outputs = probabilities(n_classes, next(seeds))(x)
    return keras.Model(inputs, outputs, name="convolutional_network")
