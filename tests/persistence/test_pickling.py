"""Fitted classifiers in pickles and copies, whatever their networks are made of."""

import copy
import pickle

import keras
import numpy as np
import pytest
from own_networks import LambdaClassifier
from sklearn.base import clone

from skcifar import DenseClassifier

PICTURES = np.random.default_rng(0).random((30, 4, 4, 1), dtype=np.float32)
LABELS = np.arange(30) % 3


def unpickled(classifier):
    return pickle.loads(pickle.dumps(classifier))


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


@pytest.mark.parametrize("copied", [unpickled, copy.deepcopy, clone])
def test_callbacks_that_watched_a_network_of_ones_own_are_copied_without_it(copied):
    stopper = keras.callbacks.EarlyStopping("loss")
    classifier = LambdaClassifier(epochs=1, callbacks=[stopper]).fit(PICTURES, LABELS)
    twin = copied(classifier)
    assert twin.callbacks[0].monitor == "loss"
    assert twin.callbacks[0].model is None
    assert stopper.model is classifier.model_


@pytest.mark.parametrize("fitted", [False, True])
def test_clones_keep_callbacks_whatever_they_hold(fitted, tmp_path):
    logger = keras.callbacks.CSVLogger(tmp_path / "log.csv")
    stopper = keras.callbacks.EarlyStopping("loss")
    classifier = LambdaClassifier(epochs=1, callbacks=[logger, stopper])
    if fitted:
        classifier.fit(PICTURES, LABELS)
    twin = clone(clone(classifier))
    assert [type(callback) for callback in twin.callbacks] == [type(logger), type(stopper)]
    assert not {id(callback) for callback in twin.callbacks} & {id(logger), id(stopper)}
    twin.fit(PICTURES, LABELS)
    assert len((tmp_path / "log.csv").read_text().splitlines()) == 2
