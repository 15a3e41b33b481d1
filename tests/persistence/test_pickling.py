"""Fitted classifiers in pickles and copies, whatever their networks are made of."""

import copy
import pickle

import keras
import numpy as np
import pytest
from sklearn.model_selection import cross_validate

from skcifar import DenseClassifier, NetworkClassifier

layers = keras.layers
PICTURES = np.random.default_rng(0).random((30, 4, 4, 1), dtype=np.float32)
LABELS = np.arange(30) % 3


class Doubling(layers.Layer):
    """A layer of one's own, which is not registered with Keras."""

    def call(self, inputs):
        """Double."""
        return 2 * inputs


class OwnClassifier(NetworkClassifier):
    """Makes of its samples what a subclass makes."""

    def build_network(self, input_shape, n_classes):
        inputs = keras.Input(input_shape)
        x = layers.Flatten()(self.body(inputs))
        return keras.Model(inputs, layers.Dense(n_classes, activation="softmax")(x))


class OwnLayerClassifier(OwnClassifier):
    def body(self, x):
        return Doubling()(x)


class LambdaClassifier(OwnClassifier):
    def body(self, x):
        return layers.Lambda(lambda x: 2 * x)(x)


class NestedClassifier(OwnClassifier):
    def body(self, x):
        inputs = keras.Input(x.shape[1:])
        inner = keras.Model(inputs, layers.Conv2D(2, 3)(inputs))
        return keras.Sequential([layers.BatchNormalization(), layers.ReLU()])(inner(x))


class SharedClassifier(OwnClassifier):
    def body(self, x):
        convolution = layers.Conv2D(1, 3, padding="same")
        return convolution(convolution(x))


class BidirectionalClassifier(OwnClassifier):
    def body(self, x):
        return layers.Bidirectional(layers.LSTM(2))(x[..., 0])


class SequentialClassifier(NetworkClassifier):
    def build_network(self, input_shape, n_classes):
        return keras.Sequential([layers.Flatten(), layers.Dense(n_classes, activation="softmax")])


CLASSIFIERS = [
    OwnLayerClassifier,
    LambdaClassifier,
    NestedClassifier,
    SharedClassifier,
    BidirectionalClassifier,
    SequentialClassifier,
]


def unpickled(classifier):
    return pickle.loads(pickle.dumps(classifier))


@pytest.mark.parametrize("copied", [unpickled, copy.deepcopy, copy.copy])
@pytest.mark.parametrize("cls", CLASSIFIERS)
def test_copies_predict_alike(cls, copied):
    classifier = cls(epochs=1, random_state=0).fit(PICTURES, LABELS)
    np.testing.assert_array_equal(
        copied(classifier).predict_proba(PICTURES), classifier.predict_proba(PICTURES)
    )


@pytest.mark.slow
def test_networks_of_ones_own_come_back_from_workers():
    scores = cross_validate(
        OwnLayerClassifier(epochs=1, random_state=0),
        PICTURES,
        LABELS,
        cv=2,
        n_jobs=2,
        return_estimator=True,
        error_score="raise",
    )
    assert scores["estimator"][0].predict(PICTURES).shape == (30,)


@pytest.mark.parametrize("copied", [unpickled, copy.deepcopy])
def test_copies_go_on_alike_with_dropout_and_optimizer(copied):
    X = PICTURES.reshape(30, -1)
    classifier = DenseClassifier(hidden_layer_sizes=(8,), dropout=0.5, epochs=2, random_state=0)
    classifier.fit(X, LABELS)
    twin = copied(classifier)
    for one in (classifier, twin):
        one.partial_fit(X, LABELS)
    np.testing.assert_array_equal(classifier.predict_proba(X), twin.predict_proba(X))
    assert classifier.history_ == twin.history_


@pytest.mark.parametrize("copied", [unpickled, copy.deepcopy])
def test_parameters_changed_since_fit_change_no_copy(copied):
    classifier = DenseClassifier(hidden_layer_sizes=(8,), epochs=1, random_state=0)
    classifier.fit(PICTURES, LABELS).set_params(hidden_layer_sizes=(3,))
    twin = copied(classifier)
    np.testing.assert_array_equal(twin.predict_proba(PICTURES), classifier.predict_proba(PICTURES))
    assert twin.hidden_layer_sizes == (3,)


@pytest.mark.parametrize("copied", [unpickled, copy.deepcopy])
def test_callbacks_that_hold_files_are_left_out_of_fitted_copies(copied, tmp_path):
    logger = keras.callbacks.CSVLogger(tmp_path / "log.csv")
    logger.held = (tmp_path / "other").open("w")
    lasting = keras.callbacks.TerminateOnNaN()
    classifier = DenseClassifier(
        hidden_layer_sizes=(8,), epochs=1, random_state=0, callbacks=[logger]
    ).fit(PICTURES, LABELS)
    twin = copied(classifier)
    assert not twin.callbacks
    assert classifier.callbacks == [logger]
    np.testing.assert_array_equal(twin.predict_proba(PICTURES), classifier.predict_proba(PICTURES))
    unfitted = copied(DenseClassifier(callbacks=[lasting]))
    assert isinstance(unfitted.callbacks[0], keras.callbacks.TerminateOnNaN)
    logger.held.close()
