"""Searches on a small data set, estimators that fail in them, and how results are compared."""

import os

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_iris
from sklearn.tree import DecisionTreeClassifier

from skcifar import ResumableGridSearchCV, ResumableHalvingGridSearchCV

X, y = load_iris(return_X_y=True)
TREE = DecisionTreeClassifier(random_state=0)
DEPTHS = {"max_depth": [1, 2, 3]}


class Picky(ClassifierMixin, BaseEstimator):
    """Fits unless it is to fail."""

    def __init__(self, fails=False, score_fails=False):
        self.fails = fails
        self.score_fails = score_fails

    def fit(self, X, y):
        if self.fails:
            raise RuntimeError("the first line\nand the second")
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        if self.score_fails:
            raise RuntimeError("no prediction")
        return np.full(len(X), self.classes_[0])


class Deadly(DecisionTreeClassifier):
    """Ends its own process, as a system does that is short of memory."""

    def __init__(self, deadly=False, max_depth=None):
        super().__init__(max_depth=max_depth, random_state=0)
        self.deadly = deadly

    def fit(self, X, y):
        if self.deadly:
            os._exit(1)
        return super().fit(X, y)


class Interrupting:
    """Raises KeyboardInterrupt at the nth fit that is done."""

    def __init__(self, at=None):
        self.at = at
        self.results = []

    def __call__(self, result):
        self.results.append(result)
        if len(self.results) == self.at:
            raise KeyboardInterrupt

    @property
    def n_new(self):
        return sum(not result["from_journal"] for result in self.results)


def search(estimator=TREE, grid=DEPTHS, *, halving=False, **params):
    cls = ResumableHalvingGridSearchCV if halving else ResumableGridSearchCV
    return cls(estimator, grid, **({"cv": 3} | params))


def assert_same_results(ours, theirs):
    assert list(ours.cv_results_) == list(theirs.cv_results_)
    for name, column in theirs.cv_results_.items():
        if "_time" not in name:
            np.testing.assert_array_equal(ours.cv_results_[name], column, err_msg=name)
            assert type(ours.cv_results_[name]) is type(column)
    for name in ("best_index_", "best_params_", "best_score_", "n_splits_", "multimetric_"):
        assert getattr(ours, name, None) == getattr(theirs, name, None)
    assert hasattr(ours, "refit_time_") == hasattr(theirs, "refit_time_")
    assert type(ours.scorer_) is type(theirs.scorer_)
