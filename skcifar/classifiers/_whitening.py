"""The classifier by convolutions after a first one that whitens."""

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import ClassVar, NamedTuple

import keras
import numpy as np

from .._sklearn.validation import (
    Interval,
    InvalidParameterError,
    StrOptions,
    check_positive_integers,
    is_auto,
)
from ..networks import ACTIVATIONS, build_whitening_network
from ._documentation import with_shared_documentation
from ._fitting import seconds_a_sample
from ._images import ImageClassifier


class Plan(NamedTuple):
    """What learns most from CIFAR-10 in a time."""

    seconds: float  # from which on
    filters: tuple[int, ...]
    batch_size: int
    learning_rate: float
    seconds_a_picture: float


# On two cores of AMD EPYC with AVX2. Of the last, the speed is measured, not that it learns most.
PLANS = (
    Plan(0, (24, 64, 128), 250, 0.16, 1.0e-3),
    Plan(150, (32, 128, 128), 500, 0.12, 1.7e-3),
    Plan(1800, (64, 256, 256), 500, 0.12, 5e-3),
)
PICTURES_OF_PLANS = 50_000
SECONDS_TO_BEGIN = 5  # tracing and compiling
LEAST_SECONDS_TO_MEASURE = 30  # in what is shorter, measuring costs more than it brings
LEAST_BATCH = 32
LEAST_STEPS_AN_EPOCH = 100  # as far as batches are not smaller than that

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
    filters : array-like of int or "auto", default="auto"
        Number of filters of the convolutions of each stage; each stage halves height and width.
        "auto" is (32, 128, 128), or with ``max_minutes`` what learns most in the time.

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
    are.

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
    ...     n_views=1,
    ...     epochs=2,
    ...     random_state=0,
    ... )
    >>> classifier.fit(X, y).score(X, y) > 0.9
    True
    """

    filters: Sequence[int] | str = "auto"
    n_convolutions: int = 2
    activation: str = "relu"

    horizontal_flip: bool | str = "alternate"
    max_shift: float = 0.0625
    n_views: int = 6
    optimizer: str | keras.optimizers.Optimizer = "muon"
    label_smoothing: float = 0.2

    _auto: ClassVar[dict] = ImageClassifier._auto | {
        "batch_size": 500,
        "epochs": 8,
        "learning_rate_schedule": "linear",
        "filters": (32, 128, 128),
    }
    _learning_rates: ClassVar[dict] = {"adam": 0.02, "sgd": 0.2, "muon": 0.12}

    _parameter_constraints: ClassVar[dict] = ImageClassifier._parameter_constraints | {
        "filters": [StrOptions({"auto"}), "array-like"],
        "n_convolutions": [Interval(Integral, 1, 10, closed="both")],
        "activation": [StrOptions(set(ACTIVATIONS))],
    }

    def _validate_params(self):
        super()._validate_params()
        if is_auto(self.filters):
            return
        check_positive_integers(self.filters, name="filters", owner=type(self).__name__)
        if not len(self.filters):
            raise InvalidParameterError(
                f"The 'filters' parameter of {type(self).__name__} must have one number at least."
                f" Got {self.filters!r} instead."
            )

    def _choose(self, n_samples, begin, checkpoint):
        of_network = {"filters": self.value_of("filters")} if self.__sklearn_is_fitted__() else {}
        budget = super()._choose(n_samples, begin, checkpoint)
        self.chosen_ |= self._chosen_of(of_network)  # which goes on as it is
        return budget

    def _plan(self, n_samples, seconds, slowness=1.0):
        learning = (seconds - SECONDS_TO_BEGIN) / slowness * PICTURES_OF_PLANS / n_samples
        plan = [plan for plan in PLANS if plan.seconds <= max(learning, 0)][-1]
        rate = {"learning_rate": plan.learning_rate} if self.optimizer == "muon" else {}
        batch_size = max(LEAST_BATCH, min(plan.batch_size, n_samples // LEAST_STEPS_AN_EPOCH))
        of_plan = {"filters": plan.filters, "batch_size": batch_size}
        return super()._plan(n_samples, seconds) | of_plan | rate

    def _choose_again(self, X, y, weights):
        n_samples, seconds = len(X), 60 * self.max_minutes
        plan = self._plan(n_samples, seconds)
        if not is_auto(self.filters) or seconds < LEAST_SECONDS_TO_MEASURE:
            return False
        (expected,) = (p.seconds_a_picture for p in PLANS if p.filters == plan["filters"])
        slowness = seconds_a_sample(self, X, y, weights) / expected
        self.chosen_ = self._chosen_of(self._plan(n_samples, seconds, slowness))
        return True

    def build_network(self, input_shape: tuple[int, ...], n_classes: int) -> keras.Model:
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
            filters=[int(number) for number in self.value_of("filters")],
            n_convolutions=int(self.n_convolutions),
            activation=self.activation,
            seed=self.network_seed_,
        )

    def adapt_network(
        self, network: keras.Model, X: np.ndarray, sample_weight: np.ndarray | None = None
    ) -> None:
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
