"""Comparisons of fitted classifiers, searches that can be resumed, and answers that are sure."""

from ._abstaining import AbstainingClassifier
from ._comparisons import (
    accuracy_interval,
    compare_classifiers,
    log_loss_interval,
    mcnemar_test,
)
from ._searches import ResumableGridSearchCV, ResumableHalvingGridSearchCV

__all__ = [
    "AbstainingClassifier",
    "ResumableGridSearchCV",
    "ResumableHalvingGridSearchCV",
    "accuracy_interval",
    "compare_classifiers",
    "log_loss_interval",
    "mcnemar_test",
]
