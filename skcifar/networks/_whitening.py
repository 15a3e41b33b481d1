"""A network of convolutions after a first one that whitens."""

from collections.abc import Sequence

import keras
import numpy as np

from ._layers import BatchNormalization, activation_layer, check_picture_shape
from ._seeds import layer_seeds

PATCH = 2  # height and width, in pixels, of what the first layer whitens
MOST_FILTERS = 64  # of the first layer
PICTURES_A_TIME = 100  # whose patches take memory

# What is added to the variances, as a share of their mean, so that rare directions, which are
# mostly noise, are not made as large as the others.
LEAST_VARIANCE = 5e-4

# A short training gives moving averages few steps to forget the first batches.
MOMENTUM = 0.6

# The widest pictures whose pooling rounds up; larger ones lose little by a row at the edge, and a
# sixth of the operations at 32 pixels.
LARGEST_ROUNDED_UP = 6


@keras.saving.register_keras_serializable("skcifar")
class Whitening(keras.layers.Conv2D):
    """A convolution that is fitted to the training pictures, not trained."""

    # Its filters are the directions in which small patches of pictures vary, scaled so that their
    # outputs vary alike, and their negatives.

    def adapt(self, X, sample_weight=None):
        """Fit kernel and bias to pictures, of which each counts as often as its weight says."""
        kernel, bias = whitening_weights(X, sample_weight, n_filters=self.filters)
        self.kernel.assign(kernel)
        self.bias.assign(bias)


def whitening_weights(X, sample_weight, *, n_filters):
    """Return the kernel and the bias of a :class:`Whitening` for pictures."""
    n_channels = X.shape[3]
    size = PATCH * PATCH * n_channels
    n_patches, total, squares = 0.0, np.zeros(size), np.zeros((size, size))
    for start in range(0, len(X), PICTURES_A_TIME):
        part = slice(start, start + PICTURES_A_TIME)
        patches = np.lib.stride_tricks.sliding_window_view(
            np.asarray(X[part], np.float64), (PATCH, PATCH), axis=(1, 2)
        )
        patches = np.moveaxis(patches, 3, -1).reshape(len(patches), -1, size)
        weights = np.ones(len(patches)) if sample_weight is None else sample_weight[part]
        n_patches += weights.sum() * patches.shape[1]
        total += weights @ patches.sum(axis=1)
        weighted = patches * weights[:, None, None]
        squares += weighted.reshape(-1, size).T @ patches.reshape(-1, size)
    mean = total / n_patches
    variances, directions = np.linalg.eigh(squares / n_patches - np.outer(mean, mean))
    variances = np.maximum(variances, 0)  # but for rounding they are
    directions = directions / np.sqrt(
        variances + LEAST_VARIANCE * variances.mean() + keras.config.epsilon()
    )
    directions = directions[:, ::-1][:, : n_filters // 2]  # the largest variances first
    # either sign is right; the first of the large entries may differ by rounding, not in its sign
    large = np.abs(directions) > np.abs(directions).max(axis=0) / 2
    firsts = directions[large.argmax(axis=0), np.arange(directions.shape[1])]
    directions = directions * np.sign(firsts)
    filters = np.concatenate([directions, -directions], axis=1)
    return filters.reshape(PATCH, PATCH, n_channels, -1), -mean @ filters


@keras.saving.register_keras_serializable("skcifar")
class Dirac(keras.initializers.VarianceScaling):
    """Filters that pass the inputs on, one each, as far as there are inputs; others at random."""

    def __init__(self, seed=None):
        # uniform up to the root of the number of weights of a filter
        super().__init__(scale=1 / 3, mode="fan_in", distribution="uniform", seed=seed)

    def __call__(self, shape, dtype=None):
        """Return the initial kernel of a two-dimensional convolution."""
        height, width, n_inputs, n_filters = shape
        n_passed = min(n_inputs, n_filters)
        passing = np.zeros((height, width, n_inputs, n_passed))
        passing[height // 2, width // 2, range(n_passed), range(n_passed)] = 1
        others = super().__call__(shape, dtype)[..., n_passed:]
        passing = keras.ops.convert_to_tensor(passing, others.dtype)
        return keras.ops.concatenate([passing, others], axis=-1)

    def get_config(self):
        """Return the arguments of a copy."""
        return {"seed": super().get_config()["seed"]}


def build_whitening_network(
    input_shape: tuple[int, ...],
    n_classes: int,
    *,
    filters: Sequence[int] = (32, 128, 128),
    n_convolutions: int = 2,
    activation: str = "relu",
    seed: int | None = None,
) -> keras.Model:
    """Build a network of convolutions after a first one that whitens.

    The first convolution, of 2 by 2 pixels, is not trained: its layer, named "whitening", is to be
    fitted to the training pictures by its method ``adapt``. Then come stages of 3 by 3
    convolutions, the first of which halves height and width. All of them are normalized, and begin
    by passing their inputs on. The largest output of each filter goes to the softmax. For
    ``input_shape=(32, 32, 3)`` and 10 classes the defaults have 498,680 parameters.

    Parameters
    ----------
    input_shape : tuple of int
        ``(height, width, n_channels)`` of one picture.

    n_classes : int
        Number of classes, the width of the softmax layer.

    filters : sequence of int, default=(32, 128, 128)
        Number of filters of the convolutions of each stage.

    n_convolutions : int, default=2
        Number of convolutions in each stage.

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
    Keller Jordan, "94% on CIFAR-10 in 3.29 Seconds on a Single GPU", 2024, for the architecture.
    https://arxiv.org/abs/2404.00498

    Examples
    --------
    >>> from skcifar import build_whitening_network
    >>> build_whitening_network((32, 32, 3), 10).count_params()
    498680
    """
    check_picture_shape(input_shape, steps=[2] * len(filters))

    seeds = layer_seeds(seed)
    inputs = x = keras.Input(shape=input_shape, name="samples")
    x = Whitening(
        min(2 * PATCH * PATCH * input_shape[2], MOST_FILTERS),
        PATCH,
        padding="valid",
        kernel_initializer=keras.initializers.Orthogonal(seed=next(seeds)),
        trainable=False,
        name="whitening",
    )(x)
    x = activation_layer(activation, "whitening_activation")(x)
    # Without one, TensorFlow makes convolution, normalization and activation one operation, which
    # it has not got for tanh.
    needs_bias = activation == "tanh"
    for stage, n_filters in enumerate(filters, start=1):
        for k in range(1, n_convolutions + 1):
            name = f"stage_{stage}_convolution_{k}"
            x = keras.layers.Conv2D(
                n_filters,
                3,
                padding="same",
                use_bias=needs_bias,
                kernel_initializer=Dirac(next(seeds)),
                name=name,
            )(x)
            if k == 1:
                rounds_up = min(x.shape[1:3]) <= LARGEST_ROUNDED_UP
                x = keras.layers.MaxPooling2D(
                    padding="same" if rounds_up else "valid", name=f"stage_{stage}_pooling"
                )(x)
            x = BatchNormalization(momentum=MOMENTUM, scale=False, name=f"{name}_normalization")(x)
            x = activation_layer(activation, f"{name}_activation")(x)
    x = keras.layers.GlobalMaxPooling2D(name="maximum")(x)  # (n, filters[-1])
    # as exactly as weights are, also under mixed precision
    dtype = keras.config.dtype_policy().variable_dtype
    x = keras.layers.Dense(
        n_classes,
        use_bias=False,
        kernel_initializer=keras.initializers.VarianceScaling(
            1 / 3, mode="fan_in", distribution="uniform", seed=next(seeds)
        ),
        dtype=dtype,
        name="logits",
    )(x)
    x = keras.layers.Rescaling(1 / 3, dtype=dtype, name="scaled_logits")(x)
    outputs = keras.layers.Activation("softmax", dtype=dtype, name="probabilities")(x)
    return keras.Model(inputs, outputs, name="whitening_network")
