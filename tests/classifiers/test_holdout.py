"""Validation after each epoch, on samples that are given or held out."""

import keras
import numpy as np
import pytest
import sklearn
from recording import Recorder
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import GridSearchCV
from small_networks import small, weights_of

from skcifar import load_digit_images, make_dense_pipeline


class AsksForBatches(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        pass


@pytest.fixture
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


@pytest.fixture(scope="module")
def digits():
    X, y = load_digit_images(return_X_y=True)
    return X[:200], y[:200], X[200:300], y[200:300]


def small_pipeline(**params):
    return make_dense_pipeline(hidden_layer_sizes=(8,), epochs=2, random_state=0, **params)


def is_among(rows, others):
    return (rows[:, None] == others).all(axis=2).any(axis=1)


def split_of(classifier, X, y, **fit_params):
    """Fit, and return which samples were held out."""
    recorder = Recorder()
    classifier.set_callbacks(recorder).fit(X, y, **fit_params)
    classifier.set_callbacks()
    return ~is_among(X, recorder.X)


# --- samples that are given ---


def test_history_shows_loss_and_accuracy_on_the_given_samples(blobs):
    X, y = blobs
    X_val, y_val = X[::3] + 0.5, y[::3]
    classifier = small().fit(X, y, X_val=X_val, y_val=y_val)
    assert [len(values) for values in classifier.history_.values()] == [5] * 4
    probabilities = classifier.predict_proba(X_val).astype(np.float64)
    loss = log_loss(y_val, probabilities / probabilities.sum(axis=1, keepdims=True))
    assert classifier.history_["val_loss"][-1] == pytest.approx(loss, rel=1e-5)
    assert classifier.history_["val_accuracy"][-1] == classifier.score(X_val, y_val)


def test_validation_does_not_change_training(blobs):
    X, y = blobs
    np.testing.assert_array_equal(
        weights_of(small().fit(X, y, X_val=X[:7], y_val=y[:7])), weights_of(small().fit(X, y))
    )


def test_there_is_no_validation_by_default(blobs):
    classifier = small().fit(*blobs)
    assert set(classifier.history_) == {"loss", "accuracy"}
    assert classifier.best_iter_ is None
    assert classifier.best_validation_score_ is None


def test_labels_that_only_seem_alike_are_refused():
    """NumPy finds "10" among the numbers 0 to 19."""
    X, y = np.eye(20), np.arange(20)
    with pytest.raises(ValueError, match="`y_val` has labels"):
        small().fit(X, y, X_val=X, y_val=y.astype(str))


def test_given_weights_count_in_validation(blobs):
    X, y = blobs
    wrong = np.r_[np.full(10, 1 - y[0]), y[10:]]
    weights = np.r_[np.zeros(10), np.ones(30)]
    ignoring = small().fit(X, y, X_val=X, y_val=wrong, sample_weight_val=weights)
    without = small().fit(X, y, X_val=X[10:], y_val=y[10:])
    assert ignoring.history_["val_loss"] == pytest.approx(without.history_["val_loss"])
    assert ignoring.history_["val_accuracy"] == without.history_["val_accuracy"]


def test_labels_may_be_strings(blobs):
    X, y = blobs
    names = np.array(["ship", "cat"])[y]
    assert small().fit(X, names, X_val=X, y_val=names).best_validation_score_ > 0.9


def test_keras_callbacks_see_validation_whoever_trains(blobs):
    X, y = blobs
    seen = []

    class Listener(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            seen.append(logs["val_loss"])

    by_engine = small(callbacks=[Listener()]).fit(X, y, X_val=X, y_val=y)
    assert seen == by_engine.history_["val_loss"]
    by_keras = small(callbacks=[AsksForBatches()]).fit(X, y, X_val=X, y_val=y)
    assert by_keras.history_["val_loss"] == pytest.approx(seen, rel=1e-4)


def test_epochs_without_validation_are_nan_in_the_history(blobs):
    X, y = blobs
    classifier = small(warm_start=True, epochs=2).fit(X, y).fit(X, y, X_val=X, y_val=y)
    assert np.isnan(classifier.history_["val_loss"]).tolist() == [True, True, False, False]
    assert classifier.best_iter_ > 2


# --- samples that are held out ---


def test_held_out_samples_are_not_trained_on(blobs):
    X, y = blobs
    classifier = small(validation_fraction=0.25)
    held_out = split_of(classifier, X, y)
    rest = small().fit(X[~held_out], y[~held_out], X_val=X[held_out], y_val=y[held_out])
    np.testing.assert_array_equal(weights_of(classifier), weights_of(rest))
    assert classifier.history_ == rest.history_


def test_each_class_is_held_out_alike(blobs):
    held_out = split_of(small(validation_fraction=0.25), *blobs)
    assert np.bincount(blobs[1][held_out]).tolist() == [5, 5]


@pytest.mark.slow
def test_random_state_determines_what_is_held_out(blobs):
    first, again, other = (
        split_of(small(validation_fraction=0.25, random_state=seed), *blobs) for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_given_samples_come_before_held_out_ones(blobs):
    X, y = blobs
    classifier = small(validation_fraction=0.25)
    assert not split_of(classifier, X, y, X_val=X[:5], y_val=y[:5]).any()


def test_samples_without_weight_are_neither_trained_nor_validated_on(blobs):
    X, y = blobs
    weights = np.where(np.arange(40) % 4, 2.0, 0.0)
    spoiled = np.where(weights > 0, y, 1 - y)
    classifier = small(validation_fraction=0.2, epochs=30)
    classifier.fit(X, spoiled, sample_weight=weights)
    assert classifier.best_validation_score_ == 1.0


def test_pixels_of_held_out_pictures_are_not_copied(digits, monkeypatch):
    """Training and validation share one array."""
    from skcifar.classifiers import _fitting

    seen = []

    class Spy(_fitting.Validation):
        def __init__(self, X, *args, **params):
            super().__init__(X, *args, **params)
            seen.append(self.X)

    monkeypatch.setattr(_fitting, "Validation", Spy)
    X = digits[0].reshape(200, -1).astype(np.float32)
    small(validation_fraction=0.2).fit(X, digits[1])
    assert np.shares_memory(seen[0], X)


# --- through scikit-learn ---


@pytest.mark.usefixtures("routing")
def test_pipeline_scales_and_flattens_validation_pictures(digits):
    X, y, X_val, y_val = digits
    pipeline = small_pipeline().fit(X, y, X_val=X_val, y_val=y_val)
    assert pipeline[-1].history_["val_accuracy"][-1] == pipeline.score(X_val, y_val)


@pytest.mark.usefixtures("routing")
def test_search_hands_validation_pictures_on(digits):
    X, y, X_val, y_val = digits
    grid = {"classify__learning_rate": [1e-3, 1e-2]}
    search = GridSearchCV(small_pipeline(), grid, cv=2).fit(X, y, X_val=X_val, y_val=y_val)
    best = search.best_estimator_
    assert best[-1].history_["val_accuracy"][-1] == accuracy_score(y_val, search.predict(X_val))


def test_pipeline_without_routing_says_what_validation_needs(digits):
    X, y, X_val, y_val = digits
    with pytest.raises(ValueError, match=r"transform_input=\['X_val'\]"):
        small_pipeline().fit(X, y, classify__X_val=X_val, classify__y_val=y_val)


def test_pipeline_holds_out_without_routing(digits):
    pipeline = small_pipeline(validation_fraction=0.1).fit(*digits[:2])
    assert len(pipeline[-1].history_["val_loss"]) == 2


# --- bad input ---


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"X_val": np.ones((2, 4))}, "X_val cannot be used without y_val"),
        ({"y_val": [0, 1]}, "y_val cannot be used without X_val"),
        ({"sample_weight_val": [1, 1]}, "sample_weight_val cannot be used without X_val"),
        ({"X_val": np.ones((2, 3)), "y_val": [0, 1]}, r"shape \(3,\), but those of X .* \(4,\)"),
        ({"X_val": np.ones((2, 4)), "y_val": [0, 2]}, r"`y_val` has labels \[2\] that are not in"),
        ({"X_val": np.ones((2, 4)), "y_val": [0, 1, 1]}, "inconsistent numbers of samples"),
        ({"X_val": np.full((2, 4), np.nan), "y_val": [0, 1]}, "In X_val and y_val: .*NaN"),
        ({"X_val": np.ones((2, 4)), "y_val": ["0", "1"]}, r"labels \['0', '1'\] that are not in"),
        (
            {"X_val": np.ones((2, 4)), "y_val": [0, 1], "sample_weight_val": [-1, 1]},
            "Negative values",
        ),
    ],
)
def test_bad_validation_samples_are_reported(blobs, given, message):
    with pytest.raises(ValueError, match=message):
        small().fit(*blobs, **given)


def test_more_classes_than_are_held_out_cost_a_warning():
    X, y = np.eye(20), np.repeat(np.arange(10), 2).astype(str).astype(object)
    with pytest.warns(UserWarning, match="none of 8 of 10 classes: the rarest, '0', has 2"):
        classifier = small(validation_fraction=0.1, epochs=1).fit(X, y)
    assert len(classifier.history_["val_loss"]) == 1
