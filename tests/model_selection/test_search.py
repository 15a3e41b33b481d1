"""Searches, compared with scikit-learn's own, interrupted, and spread over processes."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import joblib
import numpy as np
import pytest
import sklearn
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.callback import ProgressBar
from sklearn.datasets import load_iris
from sklearn.exceptions import FitFailedWarning
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, get_scorer, make_scorer
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    HalvingGridSearchCV,
    KFold,
    StratifiedKFold,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.tree import DecisionTreeClassifier
from slow_estimators import SlowTree
from small_networks import small

from skcifar import ResumableGridSearchCV, ResumableHalvingGridSearchCV
from skcifar.files._digests import digest

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
            os.kill(os.getpid(), signal.SIGKILL)
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


@pytest.fixture
def journal(tmp_path):
    return tmp_path / "journal.jsonl"


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
    assert str(caught.value).endswith(f"The same search goes on from {journal}.")
    assert "\n" not in str(caught.value)
    assert search(n_jobs=2).fit(X, y).best_params_  # with workers that are there again


def test_search_that_fails_everywhere_raises():
    with pytest.raises(ValueError, match=r"All the 3 fits failed(.|\n)*the first line and"):
        search(Picky(), {"fails": [True]}).fit(X, y)


def test_error_score_raise_raises():
    with pytest.raises(RuntimeError, match="the first line\nand"):
        search(Picky(), {"fails": [False, True]}, error_score="raise").fit(X, y)


# --- the journal ---


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("halving", [False, True])
def test_interrupted_search_goes_on_where_it_was(journal, halving, n_jobs):
    options = {"halving": halving, "journal": journal, "n_jobs": n_jobs}
    if halving:
        options |= {"random_state": 0, "resource": "min_samples_leaf", "max_resources": 9}
    whole = Interrupting()
    expected = search(**(options | {"journal": None}), on_result=whole).fit(X, y)
    with pytest.raises(KeyboardInterrupt):
        search(**options, on_result=Interrupting(at=4)).fit(X, y)
    rest = Interrupting()
    found = search(**options, on_result=rest).fit(X, y)
    assert len(rest.results) == len(whole.results)
    assert rest.n_new == len(whole.results) - 4
    assert_same_results(found, expected)
    again = Interrupting()
    assert_same_results(search(**options, on_result=again).fit(X, y), expected)
    assert again.n_new == 0


def test_subsamples_of_halving_go_on_too(journal):
    options = {"halving": True, "journal": journal, "random_state": 0}
    with pytest.raises(KeyboardInterrupt):
        search(**options, on_result=Interrupting(at=10)).fit(X, y)
    rest = Interrupting()
    found = search(**options, on_result=rest).fit(X, y)
    assert rest.n_new == len(rest.results) - 10
    expected = HalvingGridSearchCV(TREE, DEPTHS, cv=3, random_state=0).fit(X, y)
    assert_same_results(found, expected)


def test_what_a_fit_reported_is_reported_again(journal):
    first, second = Interrupting(), Interrupting()
    search(journal=journal, on_result=first).fit(X, y)
    search(journal=journal, on_result=second).fit(X, y)
    for result, again in zip(first.results, second.results, strict=True):
        assert result | {"from_journal": True} == again
    assert set(result) == {
        *("params", "fold", "test_scores", "train_scores", "fit_time", "score_time"),
        *("error", "score_error", "history", "from_journal"),
    }


def test_order_of_several_scores_survives_the_journal(journal):
    params = {"scoring": ["f1_macro", "accuracy"], "refit": False, "journal": journal}
    first = search(**params).fit(X, y)
    assert_same_results(search(**params).fit(X, y), first)


@pytest.mark.parametrize("n_lost", [1, 30])
def test_torn_last_line_is_done_again(journal, n_lost):
    search(journal=journal).fit(X, y)
    journal.write_bytes(journal.read_bytes()[:-n_lost])
    rest = Interrupting()
    search(journal=journal, on_result=rest).fit(X, y)
    assert rest.n_new == 1
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    assert len(lines) == 10


def test_torn_first_line_is_begun_again(journal):
    search(journal=journal).fit(X, y)
    journal.write_bytes(journal.read_bytes()[:20])
    assert search(journal=journal).fit(X, y).best_params_


def score_or_nan(estimator, X, y):
    return np.nan if estimator.fails is None else 1.0


def test_failed_fits_are_tried_again_and_nan_is_kept(journal):
    grid = {"fails": [None, False, True]}
    options = {"grid": grid, "scoring": score_or_nan, "journal": journal}
    for n_new in (9, 3):
        results = Interrupting()
        with pytest.warns(FitFailedWarning), pytest.warns(UserWarning, match="non-finite"):
            found = search(Picky(), on_result=results, **options).fit(X, y)
        assert results.n_new == n_new
        expected = [np.nan, 1.0, np.nan]
        np.testing.assert_array_equal(found.cv_results_["mean_test_score"], expected)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"grid": {"max_depth": [1]}}, "differs in param_grid"),
        (
            {"estimator": clone(TREE).set_params(min_samples_leaf=2)},
            r"differs in estimator__min_samples_leaf \(1 there, 2 here\)",
        ),
        ({"estimator": SlowTree(random_state=0)}, "differs in estimator"),
        ({"cv": 4}, "differs in folds"),
        ({"scoring": "f1_macro"}, r'differs in scoring \(null there, "f1_macro" here\)'),
        ({"return_train_score": True}, "differs in return_train_score"),
        ({"halving": True, "random_state": 0}, "differs in kind"),
        ({"X": X + 1}, "differs in X"),
        ({"y": 2 - y}, "differs in y"),
        ({"sample_weight": np.ones(len(y))}, "differs in fit parameter sample_weight"),
    ],
)
def test_journal_of_another_search_is_refused(journal, changed, message):
    search(journal=journal).fit(X, y)
    content = journal.read_bytes()
    data = {"X": changed.pop("X", X), "y": changed.pop("y", y)}
    if "sample_weight" in changed:
        data["sample_weight"] = changed.pop("sample_weight")
    with pytest.raises(ValueError, match=message):
        search(journal=journal, **changed).fit(**data)
    assert journal.read_bytes() == content


def test_change_that_scores_do_not_depend_on_is_no_other_search(journal):
    search(journal=journal).fit(X, y)
    results = Interrupting()
    changed = {"n_jobs": 2, "refit": False, "error_score": 0, "retries": 1}
    search(journal=str(journal), on_result=results, **changed).fit(X, y)
    assert results.n_new == 0


def test_parameter_of_a_step_is_named(journal):
    pipeline = make_pipeline(StandardScaler(), LogisticRegression(C=1.0))
    grid = {"logisticregression__C": [0.1]}
    search(pipeline, grid, journal=journal).fit(X, y)
    pipeline.set_params(standardscaler__with_mean=False)
    message = r"differs in estimator__standardscaler__with_mean \(true there, false here\)\."
    with pytest.raises(ValueError, match=message):
        search(pipeline, grid, journal=journal).fit(X, y)


@pytest.mark.slow
def test_same_search_in_another_process_goes_on(journal):
    """What a journal is recognized by is no address of an object."""
    code = (
        "import sys; from sklearn.datasets import load_iris;"
        "from sklearn.metrics import make_scorer, accuracy_score;"
        "from sklearn.tree import DecisionTreeClassifier;"
        "from skcifar import ResumableGridSearchCV; new = [];"
        "grid = {'max_depth': [1, 2], 'class_weight': [{0: 1, 1: 2, 2: 1}, 'balanced']};"
        "tree = DecisionTreeClassifier(random_state=0); scorer = make_scorer(accuracy_score);"
        "search = ResumableGridSearchCV(tree, grid, journal=sys.argv[1], scoring=scorer,"
        " on_result=lambda result: new.append(not result['from_journal']));"
        "search.fit(*load_iris(return_X_y=True)); print(sum(new))"
    )
    outputs = [
        subprocess.run(
            [sys.executable, "-c", code, str(journal)], capture_output=True, text=True, check=True
        ).stdout.strip()
        for _ in range(2)
    ]
    assert outputs == ["20", "0"]


class Unpickled:
    def __deepcopy__(self, memo):
        return self

    def __reduce__(self):
        raise TypeError("not this\none")


def factory(score):
    def scorer(estimator, X, y):
        return score

    return scorer


def keeping(width):
    """Return a class of one name, whose code depends on what encloses it."""

    class Keeping(FunctionTransformer):
        def transform(self, X):
            return X[:, :width]

    return Keeping()


@pytest.mark.parametrize(
    ("one", "other", "differing"),
    [
        ({"scoring": factory(1.0)}, {"scoring": factory(2.0)}, "scoring"),
        (
            {"scoring": partial(factory(1.0))},
            {"scoring": partial(factory(2.0))},
            "scoring",
        ),
        (
            {"estimator": make_pipeline(FunctionTransformer(lambda X: X + 1), clone(TREE))},
            {"estimator": make_pipeline(FunctionTransformer(lambda X: X + 2), clone(TREE))},
            "estimator__functiontransformer__func",
        ),
        (
            {"estimator": make_pipeline(keeping(1), clone(TREE))},
            {"estimator": make_pipeline(keeping(2), clone(TREE))},
            "estimator__keeping",
        ),
    ],
)
def test_journal_of_functions_with_another_body_is_reported(journal, one, other, differing):
    params = {"grid": {}}
    search(journal=journal, **one, **params).fit(X, y)
    search(journal=journal, **one, **params).fit(X, y)
    with pytest.raises(ValueError, match=f"another search, which differs in .*{differing}"):
        search(journal=journal, **other, **params).fit(X, y)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"scoring": make_scorer(lambda y, y_pred: 1.0)}, "scoring .* a _Scorer cannot be pickled"),
        (
            {"estimator": small(callbacks=[Unpickled()]), "grid": {"weight_decay": [0.0]}},
            r"estimator__callbacks\[0\] .* a Unpickled cannot be pickled \(not this one\)",
        ),
    ],
)
def test_journal_refuses_what_it_cannot_distinguish(journal, params, message):
    results = Interrupting()
    with pytest.raises(ValueError, match=message):
        search(journal=journal, on_result=results, **params).fit(X, y)
    assert results.results == []


def test_candidate_that_is_there_twice_has_its_scores_twice(journal):
    for _ in range(2):
        found = search(grid={"max_depth": [1, 2, 1]}, journal=journal).fit(X, y)
        assert_same_results(found, GridSearchCV(TREE, {"max_depth": [1, 2, 1]}, cv=3).fit(X, y))


def test_without_a_journal_nothing_needs_to_be_distinguished():
    grid = {"max_depth": [1, 2, 1]}
    found = search(grid=grid, scoring=lambda estimator, X, y: estimator.max_depth).fit(X, y)
    assert found.cv_results_["mean_test_score"].tolist() == [1, 2, 1]


def test_data_in_another_order_of_memory_are_the_same(journal, tmp_path):
    joblib.dump(np.asfortranarray(X), tmp_path / "X")
    mapped = joblib.load(tmp_path / "X", mmap_mode="r")
    n_new = []
    for samples, depths in ((X, {0: 1, 1: 2, 2: 3}), (mapped, {2: 3, 1: 2, 0: 1})):
        tree = clone(TREE).set_params(class_weight=depths)
        results = Interrupting()
        targets = np.repeat(y, 2)[::2]
        weights = [1.0] * len(y)
        searched = search(tree, journal=journal, on_result=results)
        searched.fit(samples, targets, sample_weight=weights)
        n_new.append(results.n_new)
    assert n_new == [9, 0]


def test_digests_are_those_of_the_values():
    column = np.arange(3.0)[:, None]
    assert digest(column) == digest(np.asfortranarray(column))
    assert digest(column) == digest(np.arange(6.0)[::2, None] / 2)
    assert len({digest(column), digest(column.T), digest(column.ravel()), digest(column + 1)}) == 4
    assert digest([1, (2,)]) != digest([1, [2]])


def test_journal_is_used_by_one_search_at_a_time(journal):
    def begin_another(result):
        with pytest.raises(OSError, match=f"Another search is using {journal}"):
            search(journal=journal).fit(X, y)
        results.append(result)

    results = []
    search(journal=journal, on_result=begin_another).fit(X, y)
    assert len(results) == 9
    assert len(journal.read_text().splitlines()) == 10
    again = Interrupting()
    search(journal=journal, on_result=again).fit(X, y)
    assert again.n_new == 0


@pytest.mark.parametrize("content", [b"not a journal\n", b"no line", b"[]\n", b"{}\n", b"\xff\n"])
def test_other_file_is_not_touched(journal, content):
    journal.write_bytes(content)
    with pytest.raises(ValueError, match="is not a journal that a search has written"):
        search(journal=journal).fit(X, y)
    assert journal.read_bytes() == content


def test_journal_of_another_format_is_refused(journal):
    journal.write_text('{"journal": "skcifar search", "format": 99, "search": {}}\n')
    with pytest.raises(ValueError, match="is a journal of format 99"):
        search(journal=journal).fit(X, y)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"cv": KFold(3, shuffle=True)}, "Give an int as random_state to cv"),
        ({"halving": True}, "Give an int as random_state to the search"),
    ],
)
def test_journal_needs_the_same_folds_each_time(journal, params, message):
    with pytest.raises(ValueError, match=message):
        search(journal=journal, **params).fit(X, y)
    assert not journal.exists()


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


# --- Dask ---


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def start_dask(kind, *options, **variables):
    folder = Path(__file__).parent
    path = os.pathsep.join([str(folder), str(folder.parents[1]), os.environ.get("PYTHONPATH", "")])
    return subprocess.Popen(
        [sys.executable, "-m", "dask", kind, *options, "--no-dashboard"],
        env=os.environ | {"PYTHONPATH": path} | variables,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def start_worker(scheduler):
    """Start a worker process that stays dead when it is killed."""
    return start_dask("worker", scheduler, "--host", "127.0.0.1", "--no-nanny", "--nthreads", "1")


@pytest.fixture
def scheduler(tmp_path, monkeypatch):
    """The address of a Dask scheduler that has no workers, and gives up a task that ended one."""
    pytest.importorskip("distributed")
    monkeypatch.setattr(
        "skcifar.model_selection._dask.WORKERS_TIMEOUT", 60
    )  # where machines have much to do
    file = tmp_path / "scheduler.json"
    options = ["--host", "127.0.0.1", "--port", "0", "--scheduler-file", str(file)]
    process = start_dask("scheduler", *options, DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES="0")
    try:
        wait_until(lambda: file.exists() and file.read_text().endswith("}"))
        yield json.loads(file.read_text())["address"]
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def workers(scheduler):
    """Two worker processes."""
    from distributed import Client

    processes = [start_worker(scheduler) for _ in range(2)]
    with Client(scheduler, timeout=60, set_as_default=False) as client:
        client.wait_for_workers(2, timeout=60)
    yield processes
    for process in processes:
        process.kill()
        process.wait()


@pytest.mark.slow
def test_search_outlives_a_worker_and_leaves_dask_as_it_was(scheduler, workers, journal, blobs):
    from distributed import Client

    # networks learn there what they learn here
    network, grid = small(epochs=2), {"weight_decay": [0.0, 0.1]}
    found = search(network, grid, cv=2, scheduler=scheduler).fit(*blobs)
    expected = search(network, grid, cv=2).fit(*blobs)
    assert_same_results(found, expected)
    assert found.histories_ == expected.histories_

    def kill_a_worker(result):
        results.append(result)
        if len(results) == 4:
            workers[0].kill()

    results = []
    tree = SlowTree(random_state=0)
    expected = GridSearchCV(TREE, DEPTHS, cv=5).fit(X, y)
    found = search(tree, cv=5, scheduler=scheduler, on_result=kill_a_worker, journal=journal).fit(
        X, y
    )
    assert workers[0].wait(5) != 0
    assert len(results) == 15
    assert_same_results(found, expected)

    with Client(scheduler, set_as_default=False) as client:
        # settings reach the workers, and a client of the user's stays open
        weights = np.linspace(0, 1, len(y))
        with sklearn.config_context(enable_metadata_routing=True):
            scorer = make_scorer(accuracy_score).set_score_request(sample_weight=True)
            weighed = clone(TREE).set_fit_request(sample_weight=True)
            params = {"scoring": scorer, "cv": 3}
            ours = search(weighed, scheduler=client, **params).fit(X, y, sample_weight=weights)
            theirs = GridSearchCV(weighed, DEPTHS, **params).fit(X, y, sample_weight=weights)
        assert_same_results(ours, theirs)
        assert client.status == "running"

        with pytest.raises(RuntimeError, match="the first line"):
            search(Picky(), {"fails": [True]}, scheduler=client, error_score="raise").fit(X, y)

        # what was interrupted leaves nothing to do behind
        with pytest.raises(KeyboardInterrupt):
            search(tree, scheduler=client, on_result=Interrupting(at=1)).fit(X, y)
        wait_until(lambda: not any(client.processing().values()))

        # data that was lost with its last holder is sent again
        def kill_the_other(result):
            if workers[1].poll() is None:
                workers[1].kill()
                workers.append(start_worker(scheduler))

        found = search(tree, scheduler=client, on_result=kill_the_other).fit(X, y)
        assert_same_results(found, GridSearchCV(TREE, DEPTHS, cv=3).fit(X, y))

    # joblib's own way to Dask needs a default client, and is what it was
    with Client(scheduler), joblib.parallel_config(backend="dask"):
        plain = GridSearchCV(TREE, DEPTHS, cv=3).fit(X, y)
    assert_same_results(found, plain)


@pytest.mark.slow
def test_fit_that_ends_its_workers_is_a_failed_one(scheduler, workers):
    # one fold, and the deadly one last: as many workers as it has attempts
    train = np.arange(len(y))
    grid = {"max_depth": [1, 2, 3], "deadly": [False]}, {"max_depth": [4], "deadly": [True]}
    options = {"cv": [(train, train)], "refit": False, "retries": 1, "scheduler": scheduler}
    with pytest.warns(FitFailedWarning) as caught, pytest.warns(UserWarning, match="non-finite"):
        found = search(Deadly(), list(grid), **options).fit(X, y)
    assert np.isnan(found.cv_results_["mean_test_score"]).tolist() == [False] * 3 + [True]
    (message,) = [str(w.message) for w in caught if w.category is FitFailedWarning]
    assert "each worker that it was given to ended, usually for lack of memory" in message
    assert all(process.wait(5) != 0 for process in workers)


def wait_until(true, seconds=60):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.1)


@pytest.mark.slow
def test_scheduler_that_does_not_answer_is_reported_soon():
    pytest.importorskip("distributed")
    address = f"tcp://127.0.0.1:{free_port()}"
    begin = time.monotonic()
    with pytest.raises(OSError, match=f"No Dask scheduler answers at '{address}'") as caught:
        search(scheduler=address).fit(X, y)
    assert time.monotonic() - begin < 15
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("address", ["nonsense", "", "foo://127.0.0.1:1"])
def test_address_that_is_none_is_reported(address):
    pytest.importorskip("distributed")
    with pytest.raises(OSError, match="No Dask scheduler answers at"):
        search(scheduler=address).fit(X, y)


def test_scheduler_without_workers_is_reported(scheduler, monkeypatch):
    monkeypatch.setattr("skcifar.model_selection._dask.WORKERS_TIMEOUT", 0.5)
    command = re.escape(f"dask worker {scheduler} --nworkers 2 --nthreads 1")
    with pytest.raises(OSError, match=command):
        search(scheduler=scheduler).fit(X, y)


def test_missing_dask_is_reported(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ImportError, match=r'pip install "skcifar\[dask\]"'):
        search(scheduler="tcp://127.0.0.1:8786").fit(X, y)
