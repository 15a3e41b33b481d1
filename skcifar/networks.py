"""Networks as pure functions: shapes and sizes in, an uncompiled ``keras.Model`` out.

Nothing here knows of scikit-learn, of training or of data.
"""

import math
import random
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import keras

# A build_network may build further networks, hence the R.
_random_module_lock = threading.RLock()

# The functions of Python's random module that draw from the state that all threads share.
_DRAWING = [
    name
    for name in random.__all__
    if isinstance(getattr(getattr(random, name), "__self__", None), random.Random)
]

ACTIVATIONS = frozenset(
    {
        *("elu", "gelu", "leaky_relu", "linear", "relu", "relu6", "selu", "sigmoid", "silu"),
        *("softplus", "softsign", "tanh"),
    }
)


# Keras' default of 0.99 takes hundreds of steps to forget the first batches, more than small data
# have in an epoch: until then a network predicts much worse than it trains.
BATCH_NORMALIZATION_MOMENTUM = 0.9


def build_dense_network(
    input_shape,
    n_classes,
    *,
    hidden_layer_sizes=(200, 150),
    activation="relu",
    batch_normalization=False,
    dropout=0.0,
):
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
    # TensorFlow keeps 35 kB for every name that a variable ever had, so names that Keras counts up
    # would make memory grow with each network.
    inputs = x = keras.Input(shape=input_shape, name="samples")
    if len(input_shape) > 1:
        x = keras.layers.Flatten(name="flatten")(x)  # (n, height * width * n_channels)
    for k, size in enumerate(hidden_layer_sizes, start=1):
        if batch_normalization:
            x = keras.layers.Dense(size, use_bias=False, name=f"hidden_{k}")(x)
            x = _normalization(f"normalization_{k}")(x)
            x = keras.layers.Activation(activation, name=f"activation_{k}")(x)
        else:
            x = keras.layers.Dense(size, activation=activation, name=f"hidden_{k}")(x)
        if dropout:
            x = keras.layers.Dropout(dropout, name=f"dropout_{k}")(x)
    outputs = keras.layers.Dense(n_classes, activation="softmax", name="probabilities")(x)
    return keras.Model(inputs, outputs, name="dense_network")


def build_convolutional_network(
    input_shape,
    n_classes,
    *,
    filters=(32, 32, 64, 64),
    strides=(1, 2, 1, 2),
    kernel_size=3,
    hidden_layer_sizes=(128,),
    activation="leaky_relu",
    batch_normalization=True,
    dropout=0.5,
):
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
    _check_picture_shape(input_shape, steps=strides)

    def rest_of_layer(x, name):
        if batch_normalization:
            x = _normalization(f"{name}_normalization")(x)
        return _activation(activation, f"{name}_activation")(x)

    inputs = x = keras.Input(shape=input_shape, name="samples")
    for k, (n_filters, stride) in enumerate(zip(filters, strides, strict=True), start=1):
        name = f"convolution_{k}"
        x = keras.layers.Conv2D(n_filters, kernel_size, strides=stride, padding="same", name=name)(
            x
        )  # (n, height / stride, width / stride, n_filters), rounded up
        x = rest_of_layer(x, name)
    x = keras.layers.Flatten(name="flatten")(x)
    for k, size in enumerate(hidden_layer_sizes, start=1):
        name = f"hidden_{k}"
        x = rest_of_layer(keras.layers.Dense(size, name=name)(x), name)
        if dropout:
            x = keras.layers.Dropout(dropout, name=f"dropout_{k}")(x)
    outputs = keras.layers.Dense(n_classes, activation="softmax", name="probabilities")(x)
    return keras.Model(inputs, outputs, name="convolutional_network")


def build_residual_network(
    input_shape,
    n_classes,
    *,
    filters=(32, 64, 128),
    activation="relu",
    horizontal_flip=True,
    max_shift=0.125,
):
    """Build a small residual network, which sees each picture a little changed while it trains.

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

    horizontal_flip : bool, default=True
        Whether each picture is mirrored, left to right, every second time on average that the
        network trains on it.

    max_shift : float, default=0.125
        By which share of their height and width, in [0, 1), pictures are shifted at most while
        training, up or down and to a side. What moves in is a mirror image of the edge.

    Returns
    -------
    network : keras.Model
        Not compiled; maps ``(n_samples, height, width, n_channels)`` to probabilities of shape
        ``(n_samples, n_classes)``. Pictures are predicted as they are.

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
    _check_picture_shape(input_shape, steps=[2] * len(filters))

    def convolution(x, n_filters, name, *, pooled=False):
        x = keras.layers.Conv2D(n_filters, 3, padding="same", use_bias=False, name=name)(x)
        if pooled:
            x = keras.layers.MaxPooling2D(padding="same", name=f"{name}_pooling")(x)
        x = _normalization(f"{name}_normalization")(x)
        return _activation(activation, f"{name}_activation")(x)

    inputs = x = keras.Input(shape=input_shape, name="samples")
    if horizontal_flip:
        x = keras.layers.RandomFlip("horizontal", name="flip")(x)
    if max_shift:
        x = keras.layers.RandomTranslation(
            max_shift, max_shift, fill_mode="reflect", interpolation="nearest", name="shift"
        )(x)
    x = convolution(x, filters[0], "stem")
    for k, n_filters in enumerate(filters, start=1):
        x = convolution(x, n_filters, f"stage_{k}_widening", pooled=True)
        x = keras.layers.Add(name=f"stage_{k}_sum")(
            [x, convolution(x, n_filters, f"stage_{k}_residual")]
        )
    x = keras.layers.GlobalMaxPooling2D(name="maximum")(x)  # (n, filters[-1])
    outputs = keras.layers.Dense(n_classes, activation="softmax", name="probabilities")(x)
    return keras.Model(inputs, outputs, name="residual_network")


def looks_of_weights(build):
    """Tell what weights a network would have, without taking memory for them.

    Parameters
    ----------
    build : callable
        Takes nothing and returns a ``keras.Model``.

    Returns
    -------
    looks : list of (tuple of int, str)
        Shape and dtype of each weight, in the order of ``get_weights``.
    """
    policy = keras.config.dtype_policy()

    def looks():
        keras.config.set_dtype_policy(policy)
        with seeded_layers(0), keras.StatelessScope(initialize_variables=False):
            return [(tuple(weight.shape), weight.dtype) for weight in build().weights]

    # Keras keeps a list, for each thread, of variables that wait for their first value
    with ThreadPoolExecutor(1) as thread_of_its_own:
        return thread_of_its_own.submit(looks).result()


def _check_picture_shape(shape, *, steps):
    """Raise unless samples are pictures in which there is room for all steps, one by one."""
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


def _normalization(name):
    return keras.layers.BatchNormalization(momentum=BATCH_NORMALIZATION_MOMENTUM, name=name)


def _activation(activation, name):
    if activation == "leaky_relu":
        return keras.layers.LeakyReLU(name=name)
    return keras.layers.Activation(activation, name=name)


@contextmanager
def seeded_layers(seed):
    """Make the layers that are built inside depend on ``seed`` alone.

    A layer that is given no seed draws one by Python's ``random`` module. Meanwhile, what this
    thread draws from there comes from a generator of its own. Other threads, which draw as ever,
    neither notice nor disturb it.

    Parameters
    ----------
    seed : int
        Seed of the initial weights and of layers, such as Dropout, that draw random numbers.
    """
    own = random.Random(seed)
    builder = threading.get_ident()

    def routed(name, shared):
        def draw(*args, **kwargs):
            source = getattr(own, name) if threading.get_ident() == builder else shared
            return source(*args, **kwargs)

        return draw

    with _random_module_lock:
        before = {name: getattr(random, name) for name in _DRAWING}
        for name, shared in before.items():
            setattr(random, name, routed(name, shared))
        try:
            yield
        finally:
            for name, shared in before.items():
                setattr(random, name, shared)
