"""The base class of classifiers of pictures, which can be changed at random while training."""

from dataclasses import dataclass
from numbers import Integral, Real
from typing import ClassVar
from weakref import WeakKeyDictionary

import keras

from .._sklearn.validation import Interval, Options, StrOptions
from ..networks import with_views
from ..training._augmentation import Augmentation
from ._base import NetworkClassifier
from ._documentation import with_shared_documentation

# By the trainer of each classifier, which itself may have no hash, and does not change here.
_networks_of_views = WeakKeyDictionary()


@with_shared_documentation
@dataclass(kw_only=True, eq=False, repr=False)
class ImageClassifier(NetworkClassifier):
    """Base class of classifiers that train a Keras network on pictures.

    To what :class:`NetworkClassifier` does it adds augmentation: pictures are changed at random
    each time that the network trains on them, and never when it predicts or validates. So in a
    search it acts on training folds alone, and its parameters can be searched like all others.

    A subclass writes :meth:`~NetworkClassifier.build_network`. X has the shape
    (n_samples, height, width, n_channels).

    Parameters
    ----------
    horizontal_flip : bool or "alternate", default=False
        Whether each picture is mirrored, left to right, every second time on average that the
        network trains on it. "alternate" mirrors it in exactly every second epoch, one half of the
        pictures in even ones and the other half in odd ones. Not for letters and digits, which then
        mean something else.

    max_shift : float, default=0.0
        By which share of their height and width, in [0, 1), pictures are shifted at most while
        training, up or down and to a side. What moves in is a mirror image of the edge.

    max_rotation : float, default=0.0
        By how many degrees, in [0, 180], pictures are turned at most while training, to either
        side.

    cutout : float, default=0.0
        Height and width, as a share in [0, 1) of those of the picture, of an area at a random place
        that is covered by the mean colour of the picture while training.

    n_views : {1, 2, 6}, default=1
        How many views of a picture are predicted, whose probabilities are averaged: 1 is the
        picture as it is, 2 are this and its mirror image, 6 are these two, which count half, and
        both shifted by a pixel up and to the left, and down and to the right. Those that are
        mirrored are left out where ``horizontal_flip`` is not set. It takes as many times as long.
        ``val_accuracy`` and ``val_loss`` while training are of one view. A new value holds for the
        next prediction.

    See Also
    --------
    NetworkClassifier : The base class for samples of any kind.
    ConvolutionalClassifier : Has a network already.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> from skcifar import ImageClassifier, load_digit_images  # before Keras
    >>> import keras
    >>> @dataclass(kw_only=True, eq=False, repr=False)
    ... class SmallClassifier(ImageClassifier):
    ...     filters: int = 8
    ...
    ...     def build_network(self, input_shape, n_classes):
    ...         inputs = keras.Input(input_shape)
    ...         x = keras.layers.Conv2D(self.filters, 3, activation="relu")(inputs)
    ...         x = keras.layers.Flatten()(x)
    ...         return keras.Model(inputs, keras.layers.Dense(n_classes, "softmax")(x))
    >>> X, y = load_digit_images(return_X_y=True)
    >>> X = X[:, ::4, ::4] / 255  # 8 by 8 pixels
    >>> classifier = SmallClassifier(max_shift=0.1, learning_rate=0.01, random_state=0)
    >>> classifier.fit(X, y).score(X, y) > 0.8
    True
    """

    horizontal_flip: bool | str = False
    max_shift: float = 0.0
    max_rotation: float = 0.0
    cutout: float = 0.0
    n_views: int = 1

    _parameter_constraints: ClassVar[dict] = NetworkClassifier._parameter_constraints | {
        "horizontal_flip": ["boolean", StrOptions({"alternate"})],
        "max_shift": [Interval(Real, 0, 1, closed="left")],
        "max_rotation": [Interval(Real, 0, 180, closed="both")],
        "cutout": [Interval(Real, 0, 1, closed="left")],
        "n_views": [Options(Integral, {1, 2, 6})],
    }

    def augmentation(self) -> Augmentation | None:
        """Return how pictures are changed at random while the network is trained on them.

        Returns
        -------
        augmentation : Augmentation or None
            None where pictures stay as they are.
        """
        flip = self.horizontal_flip
        changes = Augmentation(
            flip if flip == "alternate" else bool(flip),
            float(self.max_shift),
            float(self.max_rotation),
            float(self.cutout),
        )
        return None if changes == Augmentation() else changes

    def network_of_predictions(self) -> keras.Model:
        """Return the network whose outputs are the probabilities that are predicted.

        Returns
        -------
        network : keras.Model
            ``model_``, or one that it is a part of.
        """
        made_for = self.model_, self.n_views, bool(self.horizontal_flip)
        known_for, network = _networks_of_views.get(self.keras_classifier_, (None, None))
        if made_for != known_for:
            network = with_views(self.model_, self.n_views, mirrored=made_for[-1])
            _networks_of_views[self.keras_classifier_] = made_for, network
        return network

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = False  # four
        return tags
