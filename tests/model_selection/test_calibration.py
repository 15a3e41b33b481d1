"""How far confidence and accuracy are apart, where that is known."""

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import log_loss

from skcifar import (
    calibration_error_interval,
    expected_calibration_error,
    make_dense_pipeline,
)
from skcifar.model_selection._calibration import answers_at_precision, coverage_curve


def sample_of(n_samples, *, excess, seed):
    """Predictions for two classes whose confidence exceeds their accuracy by so much."""
    rng = np.random.default_rng(seed)
    confidences = rng.uniform(0.5 + excess, 1, size=n_samples)
    y_true = (rng.random(n_samples) < confidences - excess).astype(int)
    return y_true, np.column_stack([1 - confidences, confidences])


def test_error_is_the_mean_gap_of_the_bins():
    y_proba = [[0.95, 0.05], [0.95, 0.05], [0.4, 0.6], [0.4, 0.6]]
    # half of the first bin is right, which was 0.95 sure, and all of the second
    error = expected_calibration_error([0, 1, 1, 1], y_proba)
    assert error == pytest.approx((0.45 + 0.4) / 2)


def test_gaps_within_a_bin_cancel():
    y_proba = [[0.95, 0.05], [0.95, 0.05], [0.4, 0.6], [0.4, 0.6]]
    error = expected_calibration_error([0, 1, 1, 1], y_proba, n_bins=1)
    assert error == pytest.approx(abs(0.775 - 0.75))


def test_columns_are_those_of_the_labels():
    error = expected_calibration_error(["b", "b"], [[0.1, 0.9], [0.1, 0.9]], labels=["a", "b"])
    assert error == pytest.approx(0.1)


def test_whoever_is_sure_and_right_has_no_error():
    assert expected_calibration_error([0, 1], np.eye(2)) == 0
    assert calibration_error_interval([0, 1], np.eye(2), random_state=0) == (0, 0)


@pytest.mark.parametrize("excess", [0.0, 0.1])
def test_interval_holds_the_error_about_as_often_as_it_says(excess):
    """Of 20 intervals of 95 %, fewer than 16 would be right in one of 400 cases only."""
    intervals = [
        calibration_error_interval(*sample_of(1000, excess=excess, seed=seed), random_state=0)
        for seed in range(20)
    ]
    # binning alone leaves no error of its own, for confidence exceeds accuracy by the same in all
    held = [low <= excess <= high for low, high in intervals]
    assert np.mean(held) >= 0.8


def test_interval_is_the_same_for_the_same_seed():
    sample = sample_of(100, excess=0.1, seed=0)
    one, other = (calibration_error_interval(*sample, random_state=3) for _ in range(2))
    assert one == other


def test_more_confidence_that_it_is_inside_makes_an_interval_wider():
    sample = sample_of(300, excess=0.2, seed=0)
    narrow, wide = (
        np.ptp(calibration_error_interval(*sample, confidence_level=level, random_state=0))
        for level in (0.5, 0.99)
    )
    assert wide > 1.5 * narrow


@pytest.mark.parametrize("function", [expected_calibration_error, calibration_error_interval])
def test_labels_that_no_column_is_of_are_refused(function):
    with pytest.raises(ValueError, match=r"The classes 2 are not among .* begin with 0, 1"):
        function([0, 2], np.eye(2), labels=[0, 1])


def test_columns_that_are_too_few_are_refused():
    with pytest.raises(ValueError, match=r"shape \(n_samples, 3\), a column for each class"):
        expected_calibration_error([0, 1, 2], np.eye(3)[:, :2])


def test_no_bins_are_refused():
    with pytest.raises(ValueError, match="'n_bins' parameter of expected_calibration_error"):
        expected_calibration_error([0, 1], np.eye(2), n_bins=0)


# --- accuracy against coverage ---


CONFIDENCES = np.array([0.9, 0.8, 0.6, 0.8, 0.7])
RIGHT = np.array([True, True, False, False, True])


def test_the_surest_are_answered_first_and_equally_sure_ones_together():
    least, n_answered, accuracy = coverage_curve(CONFIDENCES, RIGHT)
    assert least.tolist() == [0.9, 0.8, 0.7, 0.6]
    assert n_answered.tolist() == [1, 3, 4, 5]
    np.testing.assert_allclose(accuracy, [1, 2 / 3, 3 / 4, 3 / 5])


@pytest.mark.parametrize(
    ("precision", "answers"), [(0.7, (4, 0.7)), (0.8, (1, 0.9)), (0.5, (5, 0.6))]
)
def test_as_many_are_answered_as_the_precision_allows(precision, answers):
    assert answers_at_precision(CONFIDENCES, RIGHT, precision) == answers


def test_nothing_is_answered_where_even_the_surest_are_wrong():
    assert answers_at_precision(CONFIDENCES, ~RIGHT, 0.9) == (0, None)


# --- scikit-learn's temperature scaling ---


@pytest.mark.slow
@pytest.mark.parametrize("names", [("cat", "dog", "owl"), ("cat", "dog")])
def test_scikit_learns_temperature_scaling_mends_a_pipeline_of_pictures(names):
    """A network that learned noise by heart is much too sure of other noise."""
    rng = np.random.default_rng(0)
    X = rng.integers(256, size=(600, 4, 4, 3), dtype=np.uint8)
    y = np.array(names)[np.arange(600) % len(names)]
    pipeline = make_dense_pipeline(
        hidden_layer_sizes=(64,), learning_rate=0.01, epochs=40, random_state=0
    )
    pipeline.fit(X[:200], y[:200])
    calibrated = CalibratedClassifierCV(FrozenEstimator(pipeline), method="temperature")
    calibrated.fit(X[200:400], y[200:400])

    X_test, y_test = X[400:], y[400:]
    before, after = pipeline.predict_proba(X_test), calibrated.predict_proba(X_test)
    np.testing.assert_array_equal(before.argmax(axis=1), after.argmax(axis=1))
    assert log_loss(y_test, after) < log_loss(y_test, before)
    errors = [
        expected_calibration_error(y_test, y_proba, labels=calibrated.classes_)
        for y_proba in (before, after)
    ]
    assert errors[1] < errors[0] / 2
