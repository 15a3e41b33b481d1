"""Answers of which a classifier is sure."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.utils.estimator_checks import parametrize_with_checks

from skcifar import AbstainingClassifier, DenseClassifier, load_model, save_model

PROBABILITIES = np.array([[0.9, 0.1], [0.3, 0.7], [0.6, 0.4], [0.2, 0.8]])
X = np.arange(4)[:, None]


class Given(ClassifierMixin, BaseEstimator):
    """Has the probabilities above for the samples 0 to 3, and any two classes."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        return PROBABILITIES[np.asarray(X)[:, 0]]


@parametrize_with_checks(
    [AbstainingClassifier(LogisticRegression(), min_probability=0)],
    expected_failed_checks=lambda estimator: {
        "check_classifiers_classes": "One of the check's classes is -1, which stands for unknown."
    },
)
def test_check(estimator, check):
    check(estimator)


@pytest.mark.parametrize(
    ("labels", "unknown_label", "expected"),
    [
        (["cat", "dog"], None, ["cat", "dog", "unknown", "dog"]),
        (["cat", "dog"], "neither", ["cat", "dog", "neither", "dog"]),
        (np.array(["cat", "dog"], dtype=object), None, ["cat", "dog", "unknown", "dog"]),
        ([0, 1], None, [0, 1, -1, 1]),
        (np.array([0, 1], dtype=np.uint8), None, [0, 1, -1, 1]),
        ([0.0, 1.0], 9, [0, 1, 9, 1]),
    ],
)
def test_says_unknown_below_the_probability(labels, unknown_label, expected):
    model = AbstainingClassifier(Given(), min_probability=0.7, unknown_label=unknown_label)
    assert model.fit(X[:2], labels).predict(X).tolist() == expected


@pytest.mark.parametrize(
    ("labels", "unknown_label"),
    [(["cat", "unknown"], None), ([-1, 1], None), ([0, 1], "?"), (["a", "b"], 0), ([0, 1], 1.0)],
)
def test_label_that_cannot_stand_beside_the_classes_is_refused(labels, unknown_label):
    with pytest.raises(ValueError, match=r"unknown_label=.* does not go with the classes"):
        AbstainingClassifier(Given(), unknown_label=unknown_label).fit(X[:2], labels)


def test_booleans_need_no_label_that_is_one():
    with pytest.raises(ValueError, match="unknown_label=None does not go with"):
        AbstainingClassifier(Given()).fit(X[:2], [False, True])


def test_score_is_the_accuracy_of_answers():
    model = AbstainingClassifier(Given(), min_probability=0.7).fit(X[:2], [0, 1])
    assert model.score(X, [0, 0, 1, 1]) == pytest.approx(2 / 3)
    assert model.score_answers(X, [0, 0, 1, 1])["share_answered"] == 0.75


def test_scores_are_weighted():
    model = AbstainingClassifier(Given(), min_probability=0.7).fit(X[:2], [0, 1])
    scores = model.score_answers(X, [0, 0, 1, 1], sample_weight=[3, 1, 4, 0])
    assert scores == {"accuracy": 0.75, "share_answered": 0.5}


def test_no_answer_has_no_accuracy():
    model = AbstainingClassifier(Given(), min_probability=1.0).fit(X[:2], [0, 1])
    with pytest.warns(UserWarning, match="No sample has a class of probability 1 or more"):
        assert np.isnan(model.score(X, [0, 1, 0, 1]))


def test_both_scores_come_out_of_scikit_learn_s_tools():
    features = np.random.default_rng(0).normal(size=(60, 3))
    y = (features[:, 0] + np.random.default_rng(1).normal(size=60) > 0).astype(int)
    model = AbstainingClassifier(LogisticRegression(), min_probability=0.8)
    scoring = AbstainingClassifier.score_answers
    scores = cross_validate(model, features, y, cv=2, scoring=scoring)
    assert {"test_accuracy", "test_share_answered"} < scores.keys()
    grid = {"min_probability": [0.5, 0.8]}
    search = GridSearchCV(model, grid, cv=2, scoring=scoring, refit="accuracy").fit(features, y)
    shares = search.cv_results_["mean_test_share_answered"]
    assert shares[0] == 1 > shares[1]


def test_fitted_classifier_needs_no_other_fit(blobs, tmp_path):
    save_model(DenseClassifier(hidden_layer_sizes=(5,), epochs=1).fit(*blobs), tmp_path / "model")
    model = AbstainingClassifier(load_model(tmp_path / "model"), min_probability=1.0)
    assert set(model.predict(blobs[0])) <= {-1, *blobs[1]}


def test_classifier_that_is_not_fitted_predicts_nothing():
    with pytest.raises(NotFittedError):
        AbstainingClassifier(LogisticRegression()).predict(X)
