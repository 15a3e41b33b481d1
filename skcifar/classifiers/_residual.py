"""The classifier by a residual network."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from .._sklearn.validation import (
    InvalidParameterError,
    StrOptions,
    check_positive_integers,
)
from ..networks import ACTIVATIONS, build_residual_network
from ._documentation import with_shared_documentation
from ._images import ImageClassifier


@with_shared_documentation
@dataclass(kw_only=True, eq=False, repr=False)
class ResidualClassifier(ImageClassifier):
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
    learning_rate_schedule: str = "one-cycle"
    weight_decay: float = 0.05
    label_smoothing: float = 0.1
    batch_size: int = 256
    epochs: int = 12

    _learning_rates: ClassVar[dict] = {"adam": 0.02, "sgd": 0.05, "muon": 0.05}

    _parameter_constraints: ClassVar[dict] = ImageClassifier._parameter_constraints | {
        "filters": ["array-like"],
        "activation": [StrOptions(set(ACTIVATIONS))],
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
