"""Searches that are interrupted, and go on from their journal."""

import json
import subprocess
import sys
from functools import partial

import joblib
import numpy as np
import pytest
from searches import DEPTHS, TREE, Interrupting, Picky, X, assert_same_results, search, y
from sklearn.base import clone
from sklearn.exceptions import FitFailedWarning
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import make_scorer
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    KFold,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from slow_estimators import SlowTree
from small_networks import small

from skcifar.files._digests import digest


@pytest.mark.parametrize(
    ("halving", "n_jobs"),
    [
        (False, 1),
        (True, 1),
        *(pytest.param(halving, 2, marks=pytest.mark.slow) for halving in (False, True)),
    ],
)
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
    with pytest.raises(ValueError, match="is not the journal of a search"):
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
