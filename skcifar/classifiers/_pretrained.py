"""The classifier by a network that was trained before, on other pictures."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real
from pathlib import Path
from typing import ClassVar

import keras
import numpy as np

from .._sklearn.validation import Interval, InvalidParameterError, check_positive_integers
from ..networks import build_pretrained_network, read_body, split_at_head
from ._documentation import with_shared_documentation
from ._images import ImageClassifier


@with_shared_documentation
@dataclass(kw_only=True, eq=False, repr=False)
class PretrainedClassifier(ImageClassifier):
    """Classifier of pictures by a network that was trained on others, with a new head.

    The body of a Keras file is taken over and frozen, or trained on from a layer that is named; a
    head for the classes at hand is trained on what the body computes. That takes few pictures and
    little time. Where nothing before the head is trained and no picture is changed while training,
    the body computes each picture once, however many epochs there are.

    Parameters
    ----------
    network : str or path-like, default=None
        The file with the network, ``*.keras``, as ``keras.Model.save`` writes it. Needed by
        ``fit``. Keras reads it in its safe mode, which refuses Lambda layers; own layers must be
        registered with Keras before. Read only files that you trust.

    output_layer : str, default=None
        Name of the layer whose output the head takes. None stands for the last one that is neither
        one of probabilities nor dropout before these. What it computes is averaged over height and
        width.

    train_from : str, default=None
        Name of the first of the network's layers that is trained; those before it stay as they are.
        None trains the head alone.

    pixel_range : tuple of (float, float), default=(0.0, 1.0)
        The values that the network expects for pixels of 0 and 1: ``(-1, 1)`` and ``(0, 255)`` are
        usual too.

    hidden_layer_sizes : array-like of int, default=()
        Number of units of each layer of the head before the probabilities.

    dropout : float, default=0.0
        Share of the inputs of each layer of the head, in [0, 1), set to zero while training.

    Attributes
    ----------
    body_ : ndarray of shape (n_bytes,), dtype uint8
        The configuration of the network's body, as Keras writes it in JSON. Model files hold it,
        so that loading one needs ``trusted=True``.

    See Also
    --------
    make_pretrained_pipeline : Scales pictures for this classifier.
    ConvolutionalClassifier : Learns from the pictures at hand alone.

    Notes
    -----
    X has the shape (n_samples, height, width, n_channels) that the network was trained on. Pixels
    should be scaled to 0 to 1.

    Normalization layers that are frozen normalize as they do when they predict. Dropout layers
    within the body act where pictures pass it in each epoch, and not where they pass it once.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from skcifar import ConvolutionalClassifier, PretrainedClassifier, load_digit_images
    >>> X, y = load_digit_images(return_X_y=True)
    >>> X = X[:, ::4, ::4] / 255  # 8 by 8 pixels
    >>> few = y < 5
    >>> params = {"learning_rate": 0.005, "epochs": 3, "random_state": 0}
    >>> small = ConvolutionalClassifier(filters=(16, 32), strides=(2, 2), **params)
    >>> with TemporaryDirectory() as folder:
    ...     small.fit(X[few], y[few]).model_.save(f"{folder}/small.keras")
    ...     classifier = PretrainedClassifier(network=f"{folder}/small.keras", **params)
    ...     classifier = classifier.fit(X[~few], y[~few])
    >>> classifier.score(X[~few], y[~few]) > 0.8
    True
    """

    network: str | os.PathLike | None = None
    output_layer: str | None = None
    train_from: str | None = None
    pixel_range: Sequence[float] = (0.0, 1.0)
    hidden_layer_sizes: Sequence[int] = ()
    dropout: float = 0.0

    _learning_rates: ClassVar[dict] = ImageClassifier._learning_rates | {"adam": 1e-3}

    _parameter_constraints: ClassVar[dict] = ImageClassifier._parameter_constraints | {
        "network": [str, os.PathLike, None],
        "output_layer": [str, None],
        "train_from": [str, None],
        "pixel_range": ["array-like"],
        "hidden_layer_sizes": ["array-like"],
        "dropout": [Interval(Real, 0, 1, closed="left")],
    }

    def _validate_params(self):
        super()._validate_params()
        owner = type(self).__name__
        check_positive_integers(self.hidden_layer_sizes, name="hidden_layer_sizes", owner=owner)
        pair = np.asarray(self.pixel_range)
        if pair.shape != (2,) or pair.dtype.kind not in "iuf" or not pair[0] < pair[1] < np.inf:
            raise InvalidParameterError(
                f"The 'pixel_range' parameter of {owner} must be a pair of numbers, the lower one"
                f" first. Got {self.pixel_range!r} instead."
            )

    def build_network(self, input_shape: tuple[int, ...], n_classes: int) -> keras.Model:
        """Build the network: the body, and a new head.

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

        Raises
        ------
        ValueError
            If there is no such file or layer, or if the body takes no such pictures.
        """
        if hasattr(self, "body_"):
            body = keras.models.model_from_json(self.body_.tobytes().decode())
        else:
            body = read_body(self.network, self.output_layer, owner=type(self).__name__)
            self.body_ = np.frombuffer(body.to_json().encode(), np.uint8)
        return build_pretrained_network(
            body,
            input_shape,
            n_classes,
            train_from=self.train_from,
            pixel_range=[float(limit) for limit in self.pixel_range],
            hidden_layer_sizes=[int(size) for size in self.hidden_layer_sizes],
            dropout=self.dropout,
            seed=self.network_seed_,
        )

    def _frozen_and_trained(self):
        is_frozen = self.train_from is None and self.augmentation() is None
        return split_at_head(self.model_) if is_frozen else None

    def _data_of_training(self):
        return {"the file of network": np.frombuffer(Path(self.network).read_bytes(), np.uint8)}

    def _initialize(self, classes):
        vars(self).pop("body_", None)
        super()._initialize(classes)
