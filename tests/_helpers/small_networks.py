"""Networks that train in a moment, for tests of the classifiers."""

import numpy as np

from skcifar import DenseClassifier


def small(**params):
    defaults = {"hidden_layer_sizes": (8,), "learning_rate": 0.05, "epochs": 5, "random_state": 0}
    return DenseClassifier(**(defaults | params))


def weights_of(classifier):
    return np.concatenate([weight.ravel() for weight in classifier.model_.get_weights()])
