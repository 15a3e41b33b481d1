"""Comparisons of fitted classifiers, and searches that can be resumed."""

from ._comparisons import (
    accuracy_interval,
    compare_classifiers,
    log_loss_interval,
    mcnemar_test,
)
from ._searches import DistributedGridSearchCV, DistributedHalvingGridSearchCV

__all__ = [
    "DistributedGridSearchCV",
    "DistributedHalvingGridSearchCV",
    "accuracy_interval",
    "compare_classifiers",
    "log_loss_interval",
    "mcnemar_test",
]
