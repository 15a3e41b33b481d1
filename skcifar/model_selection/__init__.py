"""Comparisons of fitted classifiers, searches that can be resumed, and how sure answers are."""

from ._abstaining import AbstainingClassifier
from ._calibration import calibration_error_interval, expected_calibration_error
from ._comparisons import (
    accuracy_interval,
    compare_classifiers,
    log_loss_interval,
    mcnemar_test,
)
from ._searches import ResumableGridSearchCV, ResumableHalvingGridSearchCV
from ._suspects import find_suspect_labels

__all__ = [
    "AbstainingClassifier",
    "ResumableGridSearchCV",
    "ResumableHalvingGridSearchCV",
    "accuracy_interval",
    "calibration_error_interval",
    "compare_classifiers",
    "expected_calibration_error",
    "find_suspect_labels",
    "log_loss_interval",
    "mcnemar_test",
]
