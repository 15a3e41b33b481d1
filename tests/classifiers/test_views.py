"""Predictions that are averaged over several views of each picture."""

import copy
import pickle

import numpy as np
import pytest
from sklearn.base import clone

from skcifar import ConvolutionalClassifier, WhiteningClassifier, load_model, save_model

X = np.random.default_rng(0).random((30, 6, 8, 3), dtype=np.float32)
Y = np.arange(30) % 3


def fitted(**params):
    params = {"filters": (4,), "strides": (2,), "epochs": 1, "random_state": 0} | params
    return ConvolutionalClassifier(**params).fit(X, Y)


def moved(pictures, pixels):
    """Shift pictures down and to the right, and repeat the edge."""
    padded = np.pad(pictures, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="edge")
    return np.ascontiguousarray(padded[:, 1 - pixels : 7 - pixels, 1 - pixels : 9 - pixels])


def of_one_view(classifier, pictures):
    n_views = classifier.n_views
    probabilities = classifier.set_params(n_views=1).predict_proba(pictures)
    classifier.set_params(n_views=n_views)
    return probabilities


@pytest.mark.parametrize("flip", [True, "alternate"])
def test_two_views_are_the_picture_and_its_mirror_image(flip):
    classifier = fitted(horizontal_flip=flip, n_views=2)
    expected = (of_one_view(classifier, X) + of_one_view(classifier, X[:, :, ::-1])) / 2
    np.testing.assert_allclose(classifier.predict_proba(X), expected, rtol=1e-5)


def test_six_views_are_shifted_too_and_those_that_are_not_count_half():
    classifier = fitted(horizontal_flip=True, n_views=6)
    expected = sum(
        weight * of_one_view(classifier, moved(X, pixels)[:, :, ::step])
        for weight, pixels in ((1 / 4, 0), (1 / 8, -1), (1 / 8, 1))
        for step in (1, -1)
    )
    np.testing.assert_allclose(classifier.predict_proba(X), expected, rtol=1e-5)


def test_no_view_is_mirrored_where_no_picture_was_in_training():
    classifier = fitted(n_views=2)
    np.testing.assert_array_equal(classifier.predict_proba(X), of_one_view(classifier, X))
    classifier.set_params(n_views=6)
    expected = sum(
        weight * of_one_view(classifier, moved(X, pixels))
        for weight, pixels in ((1 / 2, 0), (1 / 4, -1), (1 / 4, 1))
    )
    np.testing.assert_allclose(classifier.predict_proba(X), expected, rtol=1e-5)


def test_new_fit_is_seen_in_the_next_prediction():
    classifier = fitted(horizontal_flip=True, n_views=6)
    before = classifier.predict_proba(X)
    classifier.set_params(random_state=1).fit(X, Y)
    assert not np.array_equal(classifier.predict_proba(X), before)
    again = fitted(horizontal_flip=True, n_views=6, random_state=1)
    np.testing.assert_array_equal(classifier.predict_proba(X), again.predict_proba(X))


def test_partial_fit_is_seen_in_the_next_prediction():
    classifier = fitted(horizontal_flip=True, n_views=2)
    before = classifier.predict_proba(X)
    after = classifier.partial_fit(X, Y).predict_proba(X)
    assert not np.array_equal(after, before)


def test_activation_that_was_exchanged_in_the_network_is_seen():
    classifier = fitted(horizontal_flip=True, n_views=2, activation="relu", hidden_layer_sizes=())
    before = classifier.predict_proba(X)
    classifier.model_.get_layer("convolution_1_activation").activation = np.negative
    assert not np.allclose(classifier.predict_proba(X), before)


def test_model_stays_the_network_of_one_view():
    classifier = fitted(horizontal_flip=True, n_views=6)
    names = [layer.name for layer in classifier.model_.layers]
    classifier.predict(X)
    assert [layer.name for layer in classifier.model_.layers] == names
    assert "views" not in names


def test_each_prediction_is_the_same_whatever_is_beside_it():
    classifier = fitted(horizontal_flip=True, n_views=6)
    of_all = classifier.predict_proba(X)
    for rows in ([7], [3, 29, 3], np.arange(30)[::-1]):
        np.testing.assert_array_equal(classifier.predict_proba(X[rows]), of_all[rows])


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda c: pickle.loads(pickle.dumps(c))])
def test_copies_predict_the_same(copied):
    classifier = fitted(horizontal_flip=True, n_views=6)
    expected = classifier.predict_proba(X)
    np.testing.assert_array_equal(copied(classifier).predict_proba(X), expected)
    assert clone(classifier).n_views == 6


def test_model_file_brings_the_views_back(tmp_path):
    classifier = WhiteningClassifier(filters=(2,), epochs=1, random_state=0).fit(X, Y)
    save_model(classifier, tmp_path / "model")
    loaded = load_model(tmp_path / "model")
    assert loaded.n_views == 6
    np.testing.assert_array_equal(loaded.predict_proba(X), classifier.predict_proba(X))


def test_validation_while_training_is_of_one_view():
    classifier = WhiteningClassifier(filters=(2,), epochs=1, random_state=0)
    classifier.fit(X, Y, X_val=X, y_val=Y)
    accuracy = np.mean(of_one_view(classifier, X).argmax(axis=1) == Y)
    assert classifier.history_["val_accuracy"] == pytest.approx([accuracy])


def test_another_number_of_views_is_refused():
    with pytest.raises(ValueError, match=r"'n_views' parameter of Convolutional.* Got 3"):
        fitted(n_views=3)
    with pytest.raises(ValueError, match="n_views must be 1, 2 or 6, got 3"):
        fitted().set_params(n_views=3).predict(X)
