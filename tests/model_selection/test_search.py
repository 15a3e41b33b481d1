"""Searches, compared with scikit-learn's own."""

import subprocess
import sys

import numpy as np
import pytest
import sklearn
from searches import DEPTHS, TREE, Deadly, Interrupting, Picky, X, assert_same_results, search, y
from sklearn.base import clone
from sklearn.callback import ProgressBar
from sklearn.exceptions import FitFailedWarning
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, get_scorer, make_scorer
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    HalvingGridSearchCV,
    StratifiedKFold,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from small_networks import small

from skcifar import ResumableGridSearchCV, ResumableHalvingGridSearchCV

# --- the same as scikit-learn's ---


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"return_train_score": True, "scoring": "neg_log_loss"},
        {"scoring": ["accuracy", "f1_macro"], "refit": "f1_macro"},
        {"scoring": {"a": "accuracy", "b": make_scorer(accuracy_score)}, "refit": False},
        {"scoring": get_scorer("f1_macro")},
        {"refit": lambda results: 0},
        {"cv": StratifiedKFold(4, shuffle=True, random_state=0)},
        {"n_jobs": 2},
    ],
)
def test_grid_search_finds_what_scikit_learn_finds(params):
    params = {"cv": 3} | params
    ours = ResumableGridSearchCV(TREE, DEPTHS, **params).fit(X, y)
    theirs = GridSearchCV(TREE, DEPTHS, **params).fit(X, y)
    assert_same_results(ours, theirs)
    if ours.refit:
        assert ours.score(X, y) == theirs.score(X, y)
        np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))


def both_scores(estimator, X, y):
    accuracy = accuracy_score(y, estimator.predict(X))
    return {"right": accuracy, "wrong": 1 - accuracy}


def test_scorer_may_return_several_scores():
    params = {"scoring": both_scores, "refit": "right", "cv": 3}
    ours = ResumableGridSearchCV(TREE, DEPTHS, **params).fit(X, y)
    assert_same_results(ours, GridSearchCV(TREE, DEPTHS, **params).fit(X, y))


@pytest.mark.parametrize(
    "params",
    [
        {"resource": "n_samples", "random_state": 0},
        {"resource": "min_samples_leaf", "max_resources": 9},
        {"resource": "min_samples_leaf", "max_resources": 20, "min_resources": "smallest"},
        {"aggressive_elimination": True, "max_resources": 40, "random_state": 0},
    ],
)
def test_halving_finds_what_scikit_learn_finds(params):
    grid = {"max_depth": [1, 2, 3, 4, 5], "criterion": ["gini", "entropy"]}
    params = {"cv": 2} | params
    ours = ResumableHalvingGridSearchCV(TREE, grid, **params).fit(X, y)
    theirs = HalvingGridSearchCV(TREE, grid, **params).fit(X, y)
    assert_same_results(ours, theirs)
    for name in ("n_resources_", "n_candidates_", "n_iterations_", "min_resources_"):
        assert getattr(ours, name) == getattr(theirs, name)
    assert len(ours.histories_) == len(ours.cv_results_["params"])


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (ResumableGridSearchCV, GridSearchCV),
        (ResumableHalvingGridSearchCV, HalvingGridSearchCV),
    ],
)
def test_parameters_are_those_of_scikit_learn_and_four_more(ours, theirs):
    params, known = ours(TREE, DEPTHS).get_params(), theirs(TREE, DEPTHS).get_params()
    own = {"scheduler": None, "retries": 3, "journal": None, "on_result": None}
    assert params == known | own
    assert clone(ours(TREE, DEPTHS, retries=1)).retries == 1


@pytest.mark.parametrize("cls", [ResumableGridSearchCV, ResumableHalvingGridSearchCV])
def test_each_parameter_is_documented(cls):
    for name in cls(TREE, DEPTHS).get_params(deep=False):
        assert cls.__doc__.count(f"\n{name} : ") == 1


@pytest.mark.slow
def test_searches_do_without_documentation():
    subprocess.run([sys.executable, "-OO", "-c", "import skcifar.model_selection"], check=True)


@pytest.mark.parametrize("cls", [ResumableGridSearchCV, ResumableHalvingGridSearchCV])
def test_all_but_the_estimator_and_its_grid_are_given_by_name(cls):
    with pytest.raises(TypeError, match="positional arguments"):
        cls(TREE, DEPTHS, 3)


def test_weights_and_groups_go_where_scikit_learn_has_them_go():
    groups, weights = np.arange(len(y)) % 5, np.linspace(0, 1, len(y))
    params = {"cv": GroupKFold(3)}
    fit_params = {"groups": groups, "sample_weight": weights}
    ours = ResumableGridSearchCV(TREE, DEPTHS, **params).fit(X, y, **fit_params)
    assert_same_results(ours, GridSearchCV(TREE, DEPTHS, **params).fit(X, y, **fit_params))


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_metadata_is_routed(n_jobs):
    weights = np.linspace(0, 1, len(y))
    with sklearn.config_context(enable_metadata_routing=True):
        scorer = make_scorer(accuracy_score).set_score_request(sample_weight="weights")
        tree = clone(TREE).set_fit_request(sample_weight=False)
        params = {"scoring": scorer, "cv": 3, "n_jobs": n_jobs}
        ours = ResumableGridSearchCV(tree, DEPTHS, **params).fit(X, y, weights=weights)
        theirs = GridSearchCV(tree, DEPTHS, **params).fit(X, y, weights=weights)
    assert_same_results(ours, theirs)


def test_estimators_may_be_searched_over():
    pipeline = make_pipeline(StandardScaler(), TREE)
    grid = {"decisiontreeclassifier": [TREE, LogisticRegression()]}
    ours = ResumableGridSearchCV(pipeline, grid, cv=3).fit(X, y)
    theirs = GridSearchCV(pipeline, grid, cv=3).fit(X, y)
    np.testing.assert_array_equal(
        ours.cv_results_["mean_test_score"], theirs.cv_results_["mean_test_score"]
    )


def test_callbacks_of_scikit_learn_get_each_fit():
    class Counting:
        ended = 0

        def setup(self, estimator, context):
            pass

        def teardown(self, estimator, context):
            pass

        def on_fit_task_begin(self, estimator, context):
            pass

        def on_fit_task_end(self, estimator, context):
            self.ended += context.task_name == "candidate-split-evaluation"

    counting = Counting()
    search().set_callbacks(counting).fit(X, y)
    assert counting.ended == 9


def test_callbacks_get_what_scikit_learn_gives_them():
    class Listening:
        def __init__(self):
            self.reported = {}

        def setup(self, estimator, context):
            pass

        def teardown(self, estimator, context):
            pass

        def on_fit_task_begin(self, estimator, context, *, X, y, metadata):
            self.reported["begin", context.task_name, context.task_id] = X, y, metadata

        def on_fit_task_end(self, estimator, context, *, X, y, metadata):
            self.reported["end", context.task_name, context.task_id] = X, y, metadata

    weights = np.linspace(0, 1, len(y))
    ours, theirs = Listening(), Listening()
    search().set_callbacks(ours).fit(X, y, sample_weight=weights)
    theirs_search = GridSearchCV(TREE, DEPTHS, cv=3).set_callbacks(theirs)
    theirs_search.fit(X, y, sample_weight=weights)
    np.testing.assert_equal(ours.reported, theirs.reported)
    assert len(ours.reported) == 2 * (1 + 1 + 9 + 1)  # whole, candidates, fits, last


def test_callback_of_the_search_and_of_its_last_fit_gets_both():
    class Propagated:
        max_propagation_depth = None

        def __init__(self):
            self.tasks = []

        def setup(self, estimator, context):
            pass

        def teardown(self, estimator, context):
            pass

        def on_fit_task_begin(self, estimator, context):
            self.tasks.append(context.task_name)

        def on_fit_task_end(self, estimator, context):
            self.tasks.append(context.task_name)

    ours, theirs = Propagated(), Propagated()
    network, grid = small(epochs=1), {"weight_decay": [0.0]}
    search(network, grid, cv=2).set_callbacks(ours).fit(X, y)
    GridSearchCV(network, grid, cv=2).set_callbacks(theirs).fit(X, y)
    assert ours.tasks[0] == ours.tasks[-1] == "fit"
    assert ours.tasks[-4:] == theirs.tasks[-4:]


def test_callbacks_that_belong_on_the_search_are_refused_before_all_work():
    results = []
    network = small().set_callbacks(ProgressBar())
    with pytest.raises(TypeError, match="can't have auto-propagated callbacks"):
        search(network, {"weight_decay": [0]}, on_result=results.append).fit(X, y)
    assert results == []


def test_fit_parameters_may_be_lists():
    weights = np.linspace(0, 1, len(y)).tolist()
    ours = search().fit(X, y, sample_weight=weights)
    assert_same_results(ours, GridSearchCV(TREE, DEPTHS, cv=3).fit(X, y, sample_weight=weights))


def test_clone_reports_to_the_same():
    class Uncopied(Interrupting):
        scatter = submit = None

        def __deepcopy__(self, memo):
            raise TypeError("a connection")

    there = Uncopied()
    original = search(scheduler=there, on_result=there, journal="path", retries=1)
    copied = clone(original)
    assert copied.scheduler is copied.on_result is there
    assert (copied.journal, copied.retries) == ("path", 1)
    assert copied.estimator is not original.estimator
    assert original.scheduler is original.on_result is there


def test_wrong_parameters_are_reported_in_scikit_learns_words():
    with pytest.raises(ValueError, match="The 'retries' parameter of ResumableGridSearchCV"):
        search(retries=-1).fit(X, y)
    with pytest.raises(ValueError, match="The 'scheduler' parameter"):
        search(scheduler=8786).fit(X, y)


def test_unknown_parameter_is_reported_before_all_work():
    results = []
    grid = [DEPTHS, {"depth": [1]}]
    with pytest.raises(ValueError, match="Invalid parameter 'depth'"):
        search(grid=grid, on_result=results.append).fit(X, y)
    assert results == []


# --- fits that fail ---


def test_failing_candidate_costs_its_own_score():
    grid = {"fails": [False, True]}
    with pytest.warns(FitFailedWarning) as caught, pytest.warns(UserWarning, match="non-finite"):
        found = search(Picky(), grid).fit(X, y)
    (warning,) = [w for w in caught if w.category is FitFailedWarning]
    expected = "{'fails': True} on fold 0: RuntimeError: the first line and the second"
    assert "3 of 6 fits failed" in str(warning.message)
    assert expected in str(warning.message)
    assert np.isnan(found.cv_results_["mean_test_score"]).tolist() == [False, True]
    assert found.best_params_ == {"fails": False}


def test_error_score_is_what_a_failing_candidate_gets():
    grid = {"fails": [False, True]}
    params = {"error_score": -1, "scoring": ["accuracy"], "refit": "accuracy"}
    with pytest.warns(FitFailedWarning):
        found = search(Picky(), grid, return_train_score=True, **params).fit(X, y)
    assert found.cv_results_["mean_test_accuracy"][1] == -1
    assert found.cv_results_["mean_train_accuracy"][1] == -1


def fails_in_two_classes(estimator, X, y):
    if estimator.max_depth == 1:
        raise RuntimeError("no score\nat all")
    return both_scores(estimator, X, y)


def one_score_or_none(estimator, X, y):
    return fails_in_two_classes(estimator, X, y)["right"]


@pytest.mark.parametrize(
    "params",
    [
        {"scoring": ["accuracy", "roc_auc"], "refit": "accuracy", "return_train_score": True},
        {"scoring": ["roc_auc", "accuracy"], "refit": "accuracy", "error_score": -1, "n_jobs": 2},
        {"scoring": one_score_or_none, "return_train_score": True, "error_score": -1},
        {"scoring": one_score_or_none},
    ],
)
@pytest.mark.filterwarnings("ignore:(?s).*(Scoring failed|non-finite):UserWarning")
def test_failing_scorer_costs_what_scikit_learn_has_it_cost(params, journal):
    params = {"cv": 3} | params
    theirs = GridSearchCV(TREE, DEPTHS, **params).fit(X, y)
    results = Interrupting()
    for error_score in (5, params.get("error_score", np.nan)):  # which a journal does not hold
        options = params | {"error_score": error_score, "on_result": results, "journal": journal}
        ours = search(**options).fit(X, y)
    assert_same_results(ours, theirs)
    assert results.n_new == 9
    assert (ours.cv_results_["mean_fit_time"] > 0).all()


@pytest.mark.filterwarnings("ignore:One or more of the test scores:UserWarning")
def test_failing_scorer_is_reported_once():
    grid = {"score_fails": [False, True]}
    results = Interrupting()
    with pytest.warns(UserWarning, match="Scoring failed") as caught:
        search(Picky(), grid, scoring=["accuracy"], refit="accuracy", on_result=results).fit(X, y)
    failures = [w for w in caught if "Scoring failed" in str(w.message)]
    assert len(failures) == 1
    assert "Scoring failed after 3 of 6 fits" in str(failures[0].message)
    line = "accuracy: RuntimeError: no prediction"
    assert f"{{'score_fails': True}} on fold 0: {line}" in str(failures[0].message)
    assert not any(w.category is FitFailedWarning for w in caught)
    assert [result["error"] for result in results.results] == [None] * 6
    assert [result["score_error"] for result in results.results] == [None] * 3 + [line] * 3
    assert results.results[-1]["test_scores"] == {"accuracy": None}


def test_scorer_that_gives_no_number_ends_the_search():
    with pytest.raises(ValueError, match="scoring must return a number"):
        search(scoring=lambda estimator, X, y: "good").fit(X, y)
    with pytest.raises(RuntimeError, match="no score"):
        search(scoring=one_score_or_none, error_score="raise").fit(X, y)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:A worker stopped:UserWarning")
def test_worker_that_is_ended_is_reported(journal):
    grid = {"deadly": [False, True]}
    message = "A worker process was ended, usually for lack of memory, or could not read its task"
    with pytest.raises(OSError, match=message) as caught:
        search(Deadly(), grid, n_jobs=2, journal=journal).fit(X, y)
    assert str(caught.value).endswith(f"The same search resumes from {journal}.")
    assert "\n" not in str(caught.value)
    assert search(n_jobs=2).fit(X, y).best_params_  # with workers that are there again


def test_search_that_fails_everywhere_raises():
    with pytest.raises(ValueError, match=r"All the 3 fits failed(.|\n)*the first line and"):
        search(Picky(), {"fails": [True]}).fit(X, y)


def test_error_score_raise_raises():
    with pytest.raises(RuntimeError, match="the first line\nand"):
        search(Picky(), {"fails": [False, True]}, error_score="raise").fit(X, y)


# --- networks ---


def test_histories_are_those_of_each_fold(blobs, journal):
    network = small(epochs=2, hidden_layer_sizes=())
    pipeline = make_pipeline(StandardScaler(), network)
    grid = {"denseclassifier__epochs": [1, 3]}
    found = search(pipeline, grid, cv=2, journal=journal).fit(*blobs)
    assert [[len(h["loss"]) for h in row] for row in found.histories_] == [[1, 1], [3, 3]]
    again = search(pipeline, grid, cv=2, journal=journal).fit(*blobs)
    assert again.histories_ == found.histories_
    theirs = GridSearchCV(pipeline, grid, cv=2).fit(*blobs)
    assert_same_results(found, theirs)


def test_what_keeps_no_history_has_none():
    assert search().fit(X, y).histories_ == [[None] * 3] * 3
