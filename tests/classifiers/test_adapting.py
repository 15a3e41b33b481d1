"""The first layer of a WhiteningClassifier is fitted to the training pictures, once."""

import copy
import pickle

import numpy as np
import pytest

from skcifar import WhiteningClassifier, load_model, save_model
from skcifar._lazy import LazyImages
from skcifar.networks import Whitening

PIXELS = np.random.default_rng(0).integers(256, size=(40, 8, 8, 3), dtype=np.uint8)
X = PIXELS / np.float32(255)
Y = np.arange(40) % 2


def small(**params):
    params = {"filters": (2,), "epochs": 1, "batch_size": 10, "random_state": 0} | params
    return WhiteningClassifier(**params)


def first_layer(classifier):
    return np.concatenate(
        [w.ravel() for w in classifier.model_.get_layer("whitening").get_weights()]
    )


def fitted_to(X, sample_weight=None):
    layer = Whitening(24, 2)
    layer.build((None, 8, 8, 3))
    layer.adapt(X, sample_weight)
    return np.concatenate([w.ravel() for w in layer.get_weights()])


def test_fit_fits_it_to_the_training_pictures_and_leaves_it_so():
    np.testing.assert_array_equal(first_layer(small(epochs=2).fit(X, Y)), fitted_to(X))


def test_first_partial_fit_fits_it_and_no_other_does():
    classifier = small(learning_rate_schedule="constant")
    classifier.partial_fit(X[:20], Y[:20], classes=[0, 1]).partial_fit(X[20:], Y[20:])
    np.testing.assert_array_equal(first_layer(classifier), fitted_to(X[:20]))


def test_fit_that_goes_on_leaves_it():
    classifier = small(warm_start=True).fit(X[:20], Y[:20])
    np.testing.assert_array_equal(first_layer(classifier.fit(X, Y)), fitted_to(X[:20]))


def test_another_fit_begins_anew():
    classifier = small().fit(X[:20], Y[:20]).fit(X, Y)
    np.testing.assert_array_equal(first_layer(classifier), fitted_to(X))


def test_held_out_pictures_and_those_without_weight_are_left_out():
    black = X.copy()
    black[::2] = 0
    weighted = small().fit(black, Y, sample_weight=np.arange(40) % 2 * 3.0)
    np.testing.assert_array_equal(first_layer(weighted), fitted_to(black[1::2]))
    held_out = first_layer(small(validation_fraction=0.5).fit(black, Y))
    assert not np.array_equal(held_out, fitted_to(black))


def test_many_pictures_are_looked_at_evenly(monkeypatch):
    monkeypatch.setattr("skcifar.classifiers._whitening.MOST_PICTURES_TO_WHITEN", 15)
    np.testing.assert_array_equal(first_layer(small().fit(X, Y)), fitted_to(X[::3]))


def test_lazy_pictures_are_looked_at_as_numbers():
    lazy = small().fit(LazyImages(PIXELS, 255), Y)
    np.testing.assert_array_equal(first_layer(lazy), fitted_to(X))


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda c: pickle.loads(pickle.dumps(c))])
def test_copies_have_it(copied):
    classifier = small().fit(X, Y)
    np.testing.assert_array_equal(first_layer(copied(classifier)), first_layer(classifier))


def test_model_file_holds_it(tmp_path):
    save_model(small().fit(X, Y), tmp_path / "model.safetensors")
    np.testing.assert_array_equal(
        first_layer(load_model(tmp_path / "model.safetensors")), fitted_to(X)
    )


def test_checkpoint_holds_it(tmp_path):
    params = {"checkpoint": tmp_path / "file", "learning_rate_schedule": "constant"}
    small(**params).fit(X, Y)
    resumed = small(**params, epochs=2).fit(X, Y)
    np.testing.assert_array_equal(first_layer(resumed), fitted_to(X))


def test_classifier_in_training_that_a_callback_of_scikit_learn_sees_has_it():
    classifier = small().fit(X, Y)
    seen = classifier._attributes_after({})["model_"]
    for one, other in zip(seen.get_weights(), classifier.model_.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
