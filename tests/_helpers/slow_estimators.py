"""Estimators that take their time, in a module that workers in other processes can import."""

import time

from sklearn.tree import DecisionTreeClassifier


class SlowTree(DecisionTreeClassifier):
    def fit(self, X, y, sample_weight=None):
        time.sleep(0.2)
        return super().fit(X, y, sample_weight=sample_weight)
