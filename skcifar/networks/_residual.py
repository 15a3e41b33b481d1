"""A small residual network."""

import keras

from ._layers import (
    activation_layer,
    check_picture_shape,
    convolution,
    normalization,
    probabilities,
)
from ._seeds import layer_seeds


def build_residual_network(
    input_shape,
    n_classes,
    *,
    filters=(32, 64, 128),
    activation="relu",
    seed=None,
):
    """Build a small residual network.

    A convolution, then stages of two: the first one widens and halves height and width, the second
    one adds to what it gets. All of them are 3 by 3 and normalized. The largest output of each
    filter goes to the softmax. For ``input_shape=(32, 32, 3)`` and 10 classes the defaults have
    298,986 parameters.

    Parameters
    ----------
    input_shape : tuple of int
        ``(height, width, n_channels)`` of one picture.

    n_classes : int
        Number of classes, the width of the softmax layer.

    filters : sequence of int, default=(32, 64, 128)
        Number of filters of each stage. The convolution before has as many as the first.

    activation : str, default="relu"
        Activation after each convolution, by Keras' name. "leaky_relu" has the slope of Keras'
        layer LeakyReLU, 0.3.

    seed : int, default=None
        Determines the initial weights. None draws seeds by Python's ``random``, as Keras does.

    Returns
    -------
    network : keras.Model
        Not compiled; maps ``(n_samples, height, width, n_channels)`` to probabilities of shape
        ``(n_samples, n_classes)``.

    Raises
    ------
    ValueError
        If the samples are no pictures, or if they are too small to be halved so often.

    References
    ----------
    Kaiming He, Xiangyu Zhang, Shaoqing Ren and Jian Sun, "Deep Residual Learning for Image
    Recognition", 2015. https://arxiv.org/abs/1512.03385

    Keller Jordan, "94% on CIFAR-10 in 3.29 Seconds on a Single GPU", 2024, for stages that pool
    between convolution and normalization, and the maximum at the end.
    https://arxiv.org/abs/2404.00498

    Examples
    --------
    >>> from skcifar import build_residual_network
    >>> build_residual_network((32, 32, 3), 10).count_params()
    298986
    """
    check_picture_shape(input_shape, steps=[2] * len(filters))

    seeds = layer_seeds(seed)

    def convolve(x, n_filters, name, *, pooled=False):
        x = convolution(n_filters, 3, name, next(seeds), use_bias=False)(x)
        if pooled:
            x = keras.layers.MaxPooling2D(padding="same", name=f"{name}_pooling")(x)
        x = normalization(f"{name}_normalization")(x)
        return activation_layer(activation, f"{name}_activation")(x)

    inputs = x = keras.Input(shape=input_shape, name="samples")
    x = convolve(x, filters[0], "stem")
    for k, n_filters in enumerate(filters, start=1):
        x = convolve(x, n_filters, f"stage_{k}_widening", pooled=True)
        x = keras.layers.Add(name=f"stage_{k}_sum")(
            [x, convolve(x, n_filters, f"stage_{k}_residual")]
        )
    x = keras.layers.GlobalMaxPooling2D(name="maximum")(x)  # (n, filters[-1])
    outputs = probabilities(n_classes, next(seeds))(x)
    return keras.Model(inputs, outputs, name="residual_network")
