"""Classifiers, one for each kind of network. Knows neither files nor the command line."""

from .. import _keras  # starts Keras before others do
from ._base import NetworkClassifier
from ._convolutional import ConvolutionalClassifier
from ._dense import DenseClassifier
from ._images import ImageClassifier
from ._pretrained import PretrainedClassifier
from ._whitening import WhiteningClassifier

# by the name on the command line
CLASSIFIERS = {
    "dense": DenseClassifier,
    "convolutional": ConvolutionalClassifier,
    "whitening": WhiteningClassifier,
}

__all__ = [
    "ConvolutionalClassifier",
    "DenseClassifier",
    "ImageClassifier",
    "NetworkClassifier",
    "PretrainedClassifier",
    "WhiteningClassifier",
]
