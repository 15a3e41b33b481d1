"""Comparisons of fitted classifiers, and searches that can be resumed."""

from ._comparisons import (
    accuracy_interval,
    compare_classifiers,
    log_loss_interval,
    mcnemar_test,
)
from ._searches import ResumableGridSearchCV, ResumableHalvingGridSearchCV

__all__ = [
    "ResumableGridSearchCV",
    "ResumableHalvingGridSearchCV",
    "accuracy_interval",
    "compare_classifiers",
    "log_loss_interval",
    "mcnemar_test",
]
