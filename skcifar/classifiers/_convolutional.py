"""The classifier by convolutions."""

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from typing import ClassVar

import keras

from .._sklearn.validation import Interval, StrOptions, as_sequence, check_positive_integers
from ..networks import ACTIVATIONS, build_convolutional_network
from ._documentation import with_shared_documentation
from ._images import ImageClassifier


@with_shared_documentation
@dataclass(kw_only=True, eq=False, repr=False)
class ConvolutionalClassifier(ImageClassifier):
    """Classifier of pictures by a network of convolutions.

    The defaults are those of the network that the sequel of the article "A simple neural network
    for image classification" compares with the dense one: four convolutions of 3 by 3 pixels, each
    with batch normalization and LeakyReLU, then a dense layer, dropout and a softmax.

    Parameters
    ----------
    filters : array-like of int, default=(32, 32, 64, 64)
        Number of filters of each convolution.

    strides : array-like of int, default=(1, 2, 1, 2)
        By how many pixels each convolution moves on: 2 halves height and width. As many as filters.

    kernel_size : int, default=3
        Height and width of all filters, in pixels.

    hidden_layer_sizes : int or array-like of int, default=(128,)
        Number of units of each dense layer after the convolutions.

    activation : {"elu", "gelu", "leaky_relu", "linear", "relu", "relu6", "selu", "sigmoid", \
            "silu", "softplus", "softsign", "tanh"}, default="leaky_relu"
        Activation of convolutions and dense layers. "leaky_relu" has a slope of 0.3.

    batch_normalization : bool, default=True
        Whether what each convolution and each dense layer sums up is normalized over the batch
        before the activation.

    dropout : float, default=0.5
        Share of each dense layer's outputs, in [0, 1), that is set to zero while training.

    See Also
    --------
    make_convolutional_pipeline : Scales pictures for this classifier.
    WhiteningClassifier : More accurate, and slower.
    DenseClassifier : Does not see which pixels are neighbours.

    Notes
    -----
    X has the shape (n_samples, height, width, n_channels), with any number of channels: 1 of grey
    pictures, 3 of coloured ones. Pixels should be scaled to about 0 to 1.

    References
    ----------
    David Foster, "Generative Deep Learning", 2019, chapter 2.

    Examples
    --------
    >>> from skcifar import ConvolutionalClassifier, load_digit_images
    >>> X, y = load_digit_images(return_X_y=True)
    >>> X = X[:, ::4, ::4] / 255  # 8 by 8 pixels
    >>> classifier = ConvolutionalClassifier(
    ...     filters=(8, 16), strides=(2, 2), learning_rate=0.005, epochs=2, random_state=0
    ... )
    >>> classifier.fit(X, y).score(X, y) > 0.9
    True
    """

    filters: Sequence[int] = (32, 32, 64, 64)
    strides: Sequence[int] = (1, 2, 1, 2)
    kernel_size: int = 3
    hidden_layer_sizes: int | Sequence[int] = (128,)
    activation: str = "leaky_relu"
    batch_normalization: bool = True
    dropout: float = 0.5

    _learning_rates: ClassVar[dict] = ImageClassifier._learning_rates | {"muon": 0.03}

    _parameter_constraints: ClassVar[dict] = ImageClassifier._parameter_constraints | {
        "filters": ["array-like"],
        "strides": ["array-like"],
        "kernel_size": [Interval(Integral, 1, None, closed="left")],
        "hidden_layer_sizes": ["array-like", Integral],
        "activation": [StrOptions(set(ACTIVATIONS))],
        "batch_normalization": ["boolean"],
        "dropout": [Interval(Real, 0, 1, closed="left")],
    }

    def _validate_params(self):
        super()._validate_params()
        for name in ("filters", "strides", "hidden_layer_sizes"):
            sizes = as_sequence(getattr(self, name))
            check_positive_integers(sizes, name=name, owner=type(self).__name__)

    def build_network(self, input_shape: tuple[int, ...], n_classes: int) -> keras.Model:
        """Build the network; see :func:`build_convolutional_network`.

        Parameters
        ----------
        input_shape : tuple of int
            ``(height, width, n_channels)`` of one picture.

        n_classes : int
            Number of classes.

        Returns
        -------
        network : keras.Model
            Not compiled.
        """
        return build_convolutional_network(
            input_shape,
            n_classes,
            filters=[int(number) for number in self.filters],
            strides=[int(stride) for stride in self.strides],
            kernel_size=int(self.kernel_size),
            hidden_layer_sizes=[int(size) for size in as_sequence(self.hidden_layer_sizes)],
            activation=self.activation,
            batch_normalization=bool(self.batch_normalization),
            dropout=self.dropout,
            seed=self.network_seed_,
        )
