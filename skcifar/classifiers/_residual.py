"""The classifier by a residual network."""

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real
from typing import ClassVar

from .._sklearn.validation import (
    Interval,
    InvalidParameterError,
    StrOptions,
    check_positive_integers,
)
from ..networks import ACTIVATIONS, build_residual_network
from ..training._augmentation import Augmentation
from ._base import NetworkClassifier
from ._documentation import with_shared_documentation


@with_shared_documentation
@dataclass(kw_only=True, eq=False, repr=False)
class ResidualClassifier(NetworkClassifier):
    """Classifier of pictures by a small residual network, trained as one does today.

    The defaults are meant for CIFAR-10 on a processor without a GPU: a one-cycle step size, weight
    decay, smoothed labels, large batches, and pictures that are mirrored and shifted at random
    while training.

    Parameters
    ----------
    filters : array-like of int, default=(32, 64, 128)
        Number of filters of each stage; each stage halves height and width.

    activation : {"elu", "gelu", "leaky_relu", "linear", "relu", "relu6", "selu", "sigmoid", \
            "silu", "softplus", "softsign", "tanh"}, default="relu"
        Activation after each convolution. "leaky_relu" has a slope of 0.3.

    horizontal_flip : bool, default=True
        Whether each picture is mirrored, left to right, every second time on average that the
        network trains on it. Not for letters and digits, which then mean something else.

    max_shift : float, default=0.125
        By which share of their height and width, in [0, 1), pictures are shifted at most while
        training, up or down and to a side.

    See Also
    --------
    make_residual_pipeline : Scales pictures for this classifier.
    ConvolutionalClassifier : Less accurate, and faster.

    Notes
    -----
    X has the shape (n_samples, height, width, n_channels), with any number of channels. Pixels
    should be scaled to about 0 to 1.

    ``loss`` and ``accuracy`` in ``history_`` are of the changed pictures and of the smoothed labels
    that the network is trained on: they are worse than those of the network on pictures as they
    are. ``partial_fit`` needs ``learning_rate_schedule="constant"``.

    Examples
    --------
    >>> from skcifar import ResidualClassifier, load_digit_images
    >>> X, y = load_digit_images(return_X_y=True)
    >>> X = X[:, ::4, ::4] / 255  # 8 by 8 pixels
    >>> classifier = ResidualClassifier(
    ...     filters=(8, 16),
    ...     batch_size=32,
    ...     horizontal_flip=False,
    ...     max_shift=0,
    ...     epochs=3,
    ...     random_state=0,
    ... )
    >>> classifier.fit(X, y).score(X, y) > 0.9
    True
    """

    filters: Sequence[int] = (32, 64, 128)
    activation: str = "relu"
    horizontal_flip: bool = True
    max_shift: float = 0.125

    learning_rate: float = 0.02
    learning_rate_schedule: str = "one-cycle"
    weight_decay: float = 0.05
    label_smoothing: float = 0.1
    batch_size: int = 256
    epochs: int = 12

    _parameter_constraints: ClassVar[dict] = NetworkClassifier._parameter_constraints | {
        "filters": ["array-like"],
        "activation": [StrOptions(set(ACTIVATIONS))],
        "horizontal_flip": ["boolean"],
        "max_shift": [Interval(Real, 0, 1, closed="left")],
    }

    def _validate_params(self):
        super()._validate_params()
        check_positive_integers(self.filters, name="filters", owner=type(self).__name__)
        if not len(self.filters):
            raise InvalidParameterError(
                f"The 'filters' parameter of {type(self).__name__} must have one number at least."
                f" Got {self.filters!r} instead."
            )

    def build_network(self, input_shape, n_classes):
        """Build the network; see :func:`build_residual_network`.

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
        return build_residual_network(
            input_shape,
            n_classes,
            filters=[int(number) for number in self.filters],
            activation=self.activation,
            seed=self.network_seed_,
        )

    def augmentation(self):
        """Return how pictures are changed at random while the network is trained on them.

        Returns
        -------
        augmentation : Augmentation
        """
        return Augmentation(bool(self.horizontal_flip), float(self.max_shift))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = False  # four
        return tags
