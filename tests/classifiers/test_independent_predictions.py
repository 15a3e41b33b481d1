"""What is predicted for a sample is the same, bit for bit, whatever is predicted beside it."""

import keras
import numpy as np
import pytest
from custom_estimators import BottleneckClassifier
from hypothesis import given, settings
from hypothesis import strategies as st

from skcifar import ConvolutionalClassifier, DenseClassifier, WhiteningClassifier
from skcifar.training._predict import PICTURES_A_PASS, ROWS_A_CALL, ROWS_A_PASS

N_SAMPLES = 2 * ROWS_A_CALL + 5


@keras.saving.register_keras_serializable("tests")
class OwnDense(keras.layers.Dense):
    """A layer that only Keras itself can compute."""


class OwnLayerClassifier(DenseClassifier):
    def build_network(self, input_shape, n_classes):
        inputs = keras.Input(input_shape)
        return keras.Model(inputs, OwnDense(n_classes, activation="softmax")(inputs))


CLASSIFIERS = {
    "dense": (DenseClassifier(hidden_layer_sizes=(200, 13)), (70,)),
    "own": (BottleneckClassifier(), (7,)),
    "own layer": (OwnLayerClassifier(), (7,)),
    "convolutional": (ConvolutionalClassifier(filters=(4, 6), strides=(1, 2)), (9, 7, 1)),
    "whitening": (WhiteningClassifier(filters=(4, 6)), (9, 7, 1)),
}


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(name, marks=[pytest.mark.slow] * (name == "whitening")) for name in CLASSIFIERS
    ],
)
def predicted(request):
    """A classifier, samples, and what it predicts for them all at once."""
    classifier, sample_shape = CLASSIFIERS[request.param]
    X = np.random.default_rng(0).random((N_SAMPLES, *sample_shape), np.float32)
    classifier.set_params(epochs=1, random_state=0).fit(X[:40], np.arange(40) % 3)
    return classifier, X, classifier.predict_proba(X)


def check(predicted, rows):
    classifier, X, of_all = predicted
    np.testing.assert_array_equal(classifier.predict_proba(X[rows]), of_all[rows])


@given(st.lists(st.integers(0, N_SAMPLES - 1), min_size=1, max_size=130))
@settings(max_examples=25 if keras.config.backend() == "tensorflow" else 5, deadline=None)
def test_any_choice_of_samples_in_any_order(predicted, rows):
    check(predicted, np.array(rows))


@pytest.mark.parametrize("size", [ROWS_A_PASS, PICTURES_A_PASS, ROWS_A_CALL])
@pytest.mark.parametrize("more", [-1, 0, 1])
def test_numbers_of_samples_about_the_size_of_a_pass(predicted, size, more):
    check(predicted, np.arange(size + more))


def test_each_sample_alone(predicted):
    for row in range(0, N_SAMPLES, 97):
        check(predicted, np.array([row]))


def test_one_sample_at_every_place_of_a_pass(predicted):
    classifier, X, of_all = predicted
    for place in range(ROWS_A_PASS):
        rows = X[100 : 100 + ROWS_A_PASS].copy()
        rows[place] = X[0]
        np.testing.assert_array_equal(classifier.predict_proba(rows)[place], of_all[0])


def test_backwards(predicted):
    check(predicted, np.arange(N_SAMPLES)[::-1])
