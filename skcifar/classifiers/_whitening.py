"""The classifier by convolutions after a first one that whitens."""

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import ClassVar

import numpy as np

from .._sklearn.validation import (
    Interval,
    InvalidParameterError,
    StrOptions,
    check_positive_integers,
)
from ..networks import ACTIVATIONS, build_whitening_network
from ._documentation import with_shared_documentation
from ._images import ImageClassifier

MOST_PICTURES_TO_WHITEN = 5_000  # some hundred patches each


@with_shared_documentation
@dataclass(kw_only=True, eq=False, repr=False)
class WhiteningClassifier(ImageClassifier):
    """Classifier of pictures that learns much in little time.

    Its first layer is not trained but fitted to the training pictures, whose small patches it
    whitens; stages of convolutions follow. The defaults are meant for CIFAR-10 on a processor
    without a GPU.

    Parameters
    ----------
    filters : array-like of int, default=(32, 128, 128)
        Number of filters of the convolutions of each stage; each stage halves height and width.

    n_convolutions : int, default=2
        Number of convolutions in each stage, 10 at most.

    activation : {"elu", "gelu", "leaky_relu", "linear", "relu", "relu6", "selu", "sigmoid", \
            "silu", "softplus", "softsign", "tanh"}, default="relu"
        Activation after each convolution. "leaky_relu" has a slope of 0.3.

    See Also
    --------
    make_whitening_pipeline : Scales pictures for this classifier.
    ConvolutionalClassifier : Less accurate, and faster.

    Notes
    -----
    X has the shape (n_samples, height, width, n_channels), with any number of channels. Pixels
    should be scaled to about 0 to 1.

    The first layer is fitted to 5,000 of the training pictures at most, in the first call of
    ``fit`` or ``partial_fit``: the covariance of their patches of 2 by 2 pixels, and their mean.

    ``loss`` and ``accuracy`` in ``history_`` are of the changed pictures and of the smoothed labels
    that the network is trained on: they are worse than those of the network on pictures as they
    are. ``partial_fit`` needs ``learning_rate_schedule="constant"``.

    References
    ----------
    Keller Jordan, "94% on CIFAR-10 in 3.29 Seconds on a Single GPU", 2024.
    https://arxiv.org/abs/2404.00498

    Examples
    --------
    >>> from skcifar import WhiteningClassifier, load_digit_images
    >>> X, y = load_digit_images(return_X_y=True)
    >>> X = X[:, ::4, ::4] / 255  # 8 by 8 pixels
    >>> classifier = WhiteningClassifier(
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

    filters: Sequence[int] = (32, 128, 128)
    n_convolutions: int = 2
    activation: str = "relu"

    horizontal_flip: bool | str = "alternate"
    max_shift: float = 0.0625
    learning_rate_schedule: str = "one-cycle"
    label_smoothing: float = 0.2
    batch_size: int = 500
    epochs: int = 8

    _learning_rates: ClassVar[dict] = {"adam": 0.02, "sgd": 0.05, "muon": 0.12}

    _parameter_constraints: ClassVar[dict] = ImageClassifier._parameter_constraints | {
        "filters": ["array-like"],
        "n_convolutions": [Interval(Integral, 1, 10, closed="both")],
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
        """Build the network; see :func:`build_whitening_network`.

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
        return build_whitening_network(
            input_shape,
            n_classes,
            filters=[int(number) for number in self.filters],
            n_convolutions=int(self.n_convolutions),
            activation=self.activation,
            seed=self.network_seed_,
        )

    def adapt_network(self, network, X, sample_weight=None):
        """Fit the first layer to the training pictures.

        Parameters
        ----------
        network : keras.Model
            From :meth:`build_network`.

        X : ndarray of shape (n_samples, height, width, n_channels)
            The pictures.

        sample_weight : ndarray of shape (n_samples,), default=None
            Weights of the samples, 0 for those that are not trained on.
        """
        rows = np.arange(len(X)) if sample_weight is None else np.flatnonzero(sample_weight)
        rows = rows[:: -(-len(rows) // MOST_PICTURES_TO_WHITEN)]
        weights = None if sample_weight is None else sample_weight[rows]
        network.get_layer("whitening").adapt(X[rows], weights)
