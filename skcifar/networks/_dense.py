"""A network of dense layers."""

from collections.abc import Sequence

import keras

from .._keras import check_image_data_format
from ._layers import Dropout, dense, normalization, probabilities
from ._seeds import layer_seeds


def build_dense_network(
    input_shape: tuple[int, ...],
    n_classes: int,
    *,
    hidden_layer_sizes: Sequence[int] = (200, 150),
    activation: str = "relu",
    batch_normalization: bool = False,
    dropout: float = 0.0,
    seed: int | None = None,
) -> keras.Model:
    """Build a network of dense layers on Keras' Functional API.

    For ``input_shape=(32, 32, 3)`` and 10 classes the defaults are the article's network:
    Flatten to 3,072, Dense 200, Dense 150, softmax over 10, which is 646,260 parameters.

    Parameters
    ----------
    input_shape : tuple of int
        Shape of one sample: ``(height, width, n_channels)``, or ``(n_features,)`` for samples that
        are flat already, which leaves out the Flatten layer.

    n_classes : int
        Number of classes, the width of the softmax layer.

    hidden_layer_sizes : sequence of int, default=(200, 150)
        Number of units of each hidden layer.

    activation : str, default="relu"
        Activation of the hidden layers, by Keras' name.

    batch_normalization : bool, default=False
        Whether each hidden layer's sums are normalized over the batch before the activation.

    dropout : float, default=0.0
        Share of each hidden layer's outputs, in [0, 1), that is set to zero while training.

    seed : int, default=None
        Determines the initial weights and what Dropout leaves out. None draws seeds by Python's
        ``random``, as Keras does.

    Returns
    -------
    network : keras.Model
        Not compiled; maps ``(n_samples, *input_shape)`` to probabilities of shape
        ``(n_samples, n_classes)``.

    References
    ----------
    "A simple neural network for image classification", 2020, for the defaults.

    Sergey Ioffe and Christian Szegedy, "Batch Normalization: Accelerating Deep Network Training by
    Reducing Internal Covariate Shift", 2015. https://arxiv.org/abs/1502.03167

    Examples
    --------
    >>> from skcifar import build_dense_network
    >>> build_dense_network((32, 32, 3), 10).count_params()
    646260
    """
    check_image_data_format()
    seeds = layer_seeds(seed)
    # TensorFlow keeps 35 kB for every name that a variable ever had, so names that Keras counts up
    # would make memory grow with each network.
    inputs = x = keras.Input(shape=input_shape, name="samples")
    if len(input_shape) > 1:
        x = keras.layers.Flatten(name="flatten")(x)  # (n, height * width * n_channels)
    for k, size in enumerate(hidden_layer_sizes, start=1):
        if batch_normalization:
            x = dense(size, f"hidden_{k}", next(seeds), use_bias=False)(x)
            x = normalization(f"normalization_{k}")(x)
            x = keras.layers.Activation(activation, name=f"activation_{k}")(x)
        else:
            x = dense(size, f"hidden_{k}", next(seeds), activation=activation)(x)
        if dropout:
            x = Dropout(dropout, seed=next(seeds), name=f"dropout_{k}")(x)
    outputs = probabilities(n_classes, next(seeds))(x)
    return keras.Model(inputs, outputs, name="dense_network")
