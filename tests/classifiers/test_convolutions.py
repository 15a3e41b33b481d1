"""Classifiers by convolutions: their parameters, what they refuse, and that they learn."""

import copy
import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from small_networks import weights_of

from skcifar import (
    ConvolutionalClassifier,
    WhiteningClassifier,
    load_digit_images,
    load_model,
    make_convolutional_pipeline,
    make_whitening_pipeline,
    save_model,
)

SMALL = {
    ConvolutionalClassifier: {
        "filters": (4, 8),
        "strides": (2, 2),
        "hidden_layer_sizes": (16,),
        "learning_rate": 0.01,
    },
    WhiteningClassifier: {
        "filters": (8, 16),
        "batch_size": 16,
        "horizontal_flip": False,
    },
}


def small(cls, **params):
    return cls(**SMALL[cls] | {"epochs": 2, "random_state": 0} | params)


@pytest.fixture(scope="module")
def digits():
    """Small pictures: digits of 16 by 16 pixels."""
    X, y = load_digit_images(return_X_y=True)
    return (X[:500, ::2, ::2] / 255).astype(np.float32), y[:500]


both = pytest.mark.parametrize("cls", SMALL)


@pytest.mark.slow
@both
def test_classifier_learns_pictures(cls, digits):
    classifier = small(cls, epochs=6).fit(*digits)
    assert classifier.score(*digits) > 0.8
    assert classifier.sample_shape_ == (16, 16, 3)


@pytest.mark.slow
@both
def test_equal_seeds_give_equal_weights_whatever_was_trained_between(cls, digits):
    first = small(cls).fit(*digits)
    small(cls, random_state=1).fit(*digits)
    np.testing.assert_array_equal(weights_of(first), weights_of(small(cls).fit(*digits)))


@pytest.mark.slow
@both
@pytest.mark.parametrize("copied", [copy.deepcopy, lambda c: pickle.loads(pickle.dumps(c))])
def test_copies_predict_the_same(cls, digits, copied):
    classifier = small(cls).fit(*digits)
    expected = classifier.predict_proba(digits[0])
    np.testing.assert_array_equal(copied(classifier).predict_proba(digits[0]), expected)


@pytest.mark.slow
@both
def test_saved_and_loaded_it_predicts_the_same(cls, digits, tmp_path):
    classifier = small(cls).fit(*digits)
    save_model(classifier, tmp_path / "model.safetensors")
    loaded = load_model(tmp_path / "model.safetensors")
    assert type(loaded) is cls
    expected = classifier.predict_proba(digits[0])
    np.testing.assert_array_equal(loaded.predict_proba(digits[0]), expected)


@pytest.mark.slow
@both
def test_pictures_are_predicted_as_they_are(cls, digits):
    """The same whatever place they have, although training changes them at random."""
    params = {"horizontal_flip": True} if cls is WhiteningClassifier else {}
    classifier = small(cls, **params).fit(*digits)
    forwards, backwards = (classifier.predict_proba(digits[0][::step]) for step in (1, -1))
    np.testing.assert_allclose(forwards, backwards[::-1], rtol=1e-4, atol=1e-6)


@pytest.mark.slow
@both
def test_grey_and_four_channel_pictures_are_learned_too(cls, digits):
    X, y = digits
    for channels in ([0], [0, 1, 2, 0]):
        classifier = small(cls, epochs=1).fit(X[:64][..., channels], y[:64])
        assert classifier.predict(X[:3][..., channels]).shape == (3,)


@pytest.mark.slow
@both
def test_other_channels_than_in_fit_are_refused(cls, digits):
    X, y = digits
    classifier = small(cls, epochs=1).fit(X, y)
    with pytest.raises(ValueError, match=r"shape \(16, 16, 1\), but .* \(16, 16, 3\) as seen"):
        classifier.predict(X[..., :1])


@both
def test_rows_are_refused(cls, digits):
    X, y = digits
    with pytest.raises(ValueError, match=r"need pictures of shape .* got samples of shape \(768,"):
        small(cls).fit(X.reshape(len(X), -1), y)


@both
def test_pictures_smaller_than_the_strides_are_refused(cls, digits):
    X, y = digits
    with pytest.raises(ValueError, match=r"shape \(1, 16, 3\) are too small"):
        small(cls).fit(X[:, :1], y)


@pytest.mark.parametrize(
    ("cls", "params", "message"),
    [
        (ConvolutionalClassifier, {"filters": (0,)}, "'filters' parameter of Convolutional"),
        (ConvolutionalClassifier, {"strides": (2.5, 1)}, "'strides' parameter .* Got"),
        (ConvolutionalClassifier, {"strides": (2,)}, "as many strides as filters"),
        (ConvolutionalClassifier, {"kernel_size": 0}, "'kernel_size' parameter .* Got 0"),
        (ConvolutionalClassifier, {"dropout": 1.0}, "'dropout' parameter .* Got 1.0"),
        (WhiteningClassifier, {"filters": ()}, "'filters' parameter of Whitening.* one number"),
        (WhiteningClassifier, {"max_shift": -0.1}, "'max_shift' parameter .* Got -0.1"),
        (WhiteningClassifier, {"horizontal_flip": 2}, "'horizontal_flip' parameter .* Got 2"),
        (WhiteningClassifier, {"label_smoothing": 1.0}, "'label_smoothing' parameter .* Got 1.0"),
    ],
)
def test_invalid_parameters_are_reported_in_fit(cls, params, message, digits):
    with pytest.raises(ValueError, match=message):
        small(cls, **params).fit(*digits)


@pytest.mark.parametrize(
    ("make", "steps"),
    [
        (make_convolutional_pipeline, ["resize", "scale", "classify"]),
        pytest.param(
            make_whitening_pipeline, ["resize", "scale", "classify"], marks=pytest.mark.slow
        ),
    ],
)
def test_pipeline_takes_pixels_as_they_are_read(make, steps):
    X, y = load_digit_images(return_X_y=True)
    X, y = X[:100, ::2, ::2], y[:100]
    pipeline = make(filters=(4,), epochs=1, random_state=0)
    if "strides" in pipeline["classify"].get_params():
        pipeline.set_params(classify__strides=(2,))
    pipeline.fit(X, y)
    assert list(pipeline.named_steps) == steps
    np.testing.assert_array_equal(
        pipeline.predict_proba(X), pipeline["classify"].predict_proba(np.float32(X) / 255)
    )


@pytest.mark.slow
def test_search_over_filters_works(digits):
    grid = {"filters": [(2, 2), (4, 8)]}
    search = GridSearchCV(small(ConvolutionalClassifier, epochs=1), grid, cv=2).fit(*digits)
    assert search.best_params_["filters"] in grid["filters"]


@pytest.mark.slow
@both
def test_clone_is_unfitted_and_has_the_same_parameters(cls, digits):
    classifier = small(cls).fit(*digits)
    again = clone(classifier)
    assert again.get_params() == classifier.get_params()
    assert not hasattr(again, "model_")


@pytest.mark.slow
@pytest.mark.parametrize("size", [5, 6, 7])
def test_sizes_that_cannot_be_halved_evenly_are_rounded_up(size, digits):
    X, y = digits
    classifier = small(WhiteningClassifier, filters=(4, 4, 4), epochs=1)
    assert classifier.fit(X[:64, :size, :size], y[:64]).predict(X[:3, :size, :size]).shape == (3,)


# --- smoothed labels ---


@pytest.mark.slow
def test_label_smoothing_keeps_the_network_from_being_sure(digits):
    def surest(label_smoothing):
        classifier = small(ConvolutionalClassifier, epochs=8, label_smoothing=label_smoothing)
        return np.median(classifier.fit(*digits).predict_proba(digits[0]).max(axis=1))

    assert surest(0.4) < surest(0.0)


def test_loss_while_training_is_that_of_smoothed_labels_and_validation_is_not(digits):
    X, y = digits
    classifier = small(
        ConvolutionalClassifier,
        label_smoothing=0.3,
        dropout=0.0,
        batch_normalization=False,
        learning_rate=1e-12,  # so that all of an epoch is measured with the same weights
        epochs=1,
        batch_size=len(X),
    )
    classifier.fit(X, y, X_val=X, y_val=y)
    logs = np.log(classifier.predict_proba(X).astype(float))
    plain = -logs[np.arange(len(y)), np.searchsorted(classifier.classes_, y)].mean()
    smoothed = 0.7 * plain - 0.3 * logs.mean()
    assert classifier.history_["loss"][0] == pytest.approx(smoothed, rel=1e-5)
    assert classifier.history_["val_loss"][0] == pytest.approx(plain, rel=1e-5)


def test_partial_fit_follows_a_changed_label_smoothing(digits):
    X, y = digits
    params = {"dropout": 0.0, "batch_normalization": False, "learning_rate": 1e-12}
    classifier = small(ConvolutionalClassifier, **params, batch_size=len(X), label_smoothing=0.0)
    classifier.partial_fit(X, y, classes=np.unique(y))
    classifier.set_params(label_smoothing=0.5).partial_fit(X, y)
    logs = np.log(classifier.predict_proba(X).astype(float))
    plain = -logs[np.arange(len(y)), np.searchsorted(classifier.classes_, y)].mean()
    expected = [plain, 0.5 * plain - 0.5 * logs.mean()]
    assert classifier.history_["loss"] == pytest.approx(expected, rel=1e-5)
