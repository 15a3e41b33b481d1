"""Classifiers, one for each kind of network. Knows neither files nor the command line."""

from ._base import NetworkClassifier
from ._convolutional import ConvolutionalClassifier
from ._dense import DenseClassifier
from ._residual import ResidualClassifier

__all__ = [
    "ConvolutionalClassifier",
    "DenseClassifier",
    "NetworkClassifier",
    "ResidualClassifier",
]
