"""What classifiers refuse, and how they say so."""

import keras
import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from small_networks import small


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"hidden_layer_sizes": (0,)}, r"'hidden_layer_sizes' parameter of DenseClassifier"),
        ({"hidden_layer_sizes": 0}, r"'hidden_layer_sizes' parameter of DenseClassifier"),
        ({"hidden_layer_sizes": True}, r"'hidden_layer_sizes' parameter of DenseClassifier"),
        ({"hidden_layer_sizes": 8.0}, r"'hidden_layer_sizes' parameter of DenseClassifier"),
        ({"hidden_layer_sizes": (2.5,)}, r"'hidden_layer_sizes' parameter of DenseClassifier"),
        ({"epochs": 0}, r"'epochs' parameter .* float in the range \(0.0, inf\) or .* Got 0"),
        ({"learning_rate": -1}, r"'learning_rate' parameter .* Got -1"),
        ({"batch_size": 0}, r"'batch_size' parameter .* Got 0"),
        ({"dropout": 1.5}, r"'dropout' parameter .* float in the range \[0.0, 1.0\). Got 1.5"),
        ({"weight_decay": -1}, r"'weight_decay' parameter .* Got -1"),
        ({"learning_rate_schedule": "step"}, r"'learning_rate_schedule' parameter .* Got 'step'"),
        ({"validation_fraction": 0}, r"'validation_fraction' .* range \(0.0, 1.0\) or None. Got 0"),
        ({"validation_fraction": 1.0}, r"'validation_fraction' .* range \(0.0, 1.0\) .* Got 1.0"),
        ({"n_iter_no_change": 0}, r"'n_iter_no_change' parameter .* Got 0"),
        ({"tol": -0.1}, r"'tol' parameter .* Got -0.1"),
        ({"batch_normalization": "yes"}, r"'batch_normalization' parameter .* Got 'yes'"),
        ({"activation": "relux"}, r"'activation' parameter .* Got 'relux'"),
        ({"class_weight": "even"}, r"'class_weight' parameter .* Got 'even'"),
        ({"random_state": -1}, r"'random_state' parameter .* Got -1"),
        ({"schedule_moves": [[0, 5, 2, 9]]}, r"'schedule_moves' parameter .* Got \[\[0, 5, 2, 9"),
        ({"callbacks": "log"}, r"'callbacks' parameter .* Got 'log'"),
        ({"callbacks": ["log"]}, r"'callbacks' parameter .* Got \['log'\]"),
    ],
)
def test_invalid_parameters_are_reported_in_fit(blobs, params, message):
    with pytest.raises(ValueError, match=message) as raised:
        small(**params).fit(*blobs)
    assert type(raised.value).__name__ == "InvalidParameterError"


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.zeros(4), "Expected 2D array, got 1D array"),
        (np.zeros((0, 4)), "0 sample"),
        (np.zeros((4, 0, 2)), "0 feature"),
        ([[np.nan, 1.0]] * 4, "contains NaN"),
        ([[np.inf, 1.0]] * 4, "contains infinity"),
        ([["a", "b"]] * 4, "could not convert string to float"),
    ],
)
def test_samples_that_are_no_numbers_in_rows_are_refused(X, message):
    with pytest.raises(ValueError, match=message):
        small().fit(X, [0, 1, 0, 1][: len(X)])


def test_sparse_samples_are_refused(blobs):
    from scipy.sparse import csr_array

    with pytest.raises(TypeError, match="Sparse data was passed"):
        small().fit(csr_array(blobs[0]), blobs[1])


@pytest.mark.parametrize("n_features", [3, 5])
def test_another_number_of_features_than_in_fit_is_refused(blobs, n_features):
    classifier = small().fit(*blobs)
    with pytest.raises(ValueError, match=f"X has {n_features} features, but .* expecting 4"):
        classifier.predict(np.ones((2, n_features)))


def test_pictures_of_another_shape_than_in_fit_are_refused(blobs):
    X, y = blobs
    classifier = small().fit(X.reshape(-1, 2, 2), y)
    with pytest.raises(ValueError, match=r"samples of shape \(2, 3\).*\(2, 2\)"):
        classifier.predict(np.ones((1, 2, 3)))


def test_prediction_before_fit_is_refused(blobs):
    for method in (small().predict, small().predict_proba):
        with pytest.raises(NotFittedError):
            method(blobs[0])


def test_prediction_after_a_fit_that_failed_is_refused(blobs):
    class Failure(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            raise KeyboardInterrupt

    classifier = small(callbacks=[Failure()])
    with pytest.raises(KeyboardInterrupt):
        classifier.fit(*blobs)
    with pytest.raises(NotFittedError):
        classifier.predict(blobs[0])


def test_training_further_that_failed_leaves_no_fitted_estimator(blobs):
    classifier = small().fit(*blobs)
    with pytest.raises(ValueError, match="loss became"):
        classifier.set_params(learning_rate=1e38).partial_fit(blobs[0] * 1e6, blobs[1])
    with pytest.raises(NotFittedError):
        classifier.predict(blobs[0])


def test_loss_that_is_no_number_is_reported(blobs):
    X, y = blobs
    with pytest.raises(
        ValueError, match=r"loss became nan in epoch [12] with learning_rate=1e\+30.* Lower"
    ):
        small(learning_rate=1e30, activation="linear").fit(X, y)


@pytest.mark.slow
def test_network_too_large_for_memory_is_reported(blobs):
    with pytest.raises(MemoryError, match="do not fit into memory"):
        small(hidden_layer_sizes=(1000, 2**31 - 1)).fit(*blobs)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (np.zeros(40), "contains only one class: "),
        (np.linspace(0, 1, 40), "Unknown label type: continuous"),
        (np.zeros(41), "inconsistent numbers of samples"),
    ],
)
def test_labels_that_do_not_fit_are_refused(blobs, y, message):
    with pytest.raises(ValueError, match=message):
        small().fit(blobs[0], y)


@pytest.mark.parametrize(
    ("weights", "message"),
    [(np.zeros(40), "zero"), (np.full(40, -1.0), "Negative values"), (np.ones(39), "shape")],
)
def test_weights_that_do_not_fit_are_refused(blobs, weights, message):
    with pytest.raises(ValueError, match=message):
        small().fit(*blobs, sample_weight=weights)
