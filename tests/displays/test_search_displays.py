"""Pictures of searches, compared by what they show."""

import numpy as np
import pytest
from given_axes import assert_drawn_in_place
from sklearn.datasets import load_iris
from sklearn.exceptions import FitFailedWarning, NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from skcifar import (
    ResumableGridSearchCV,
    ResumableHalvingGridSearchCV,
    SearchHistoriesDisplay,
    SearchResultsDisplay,
)
from skcifar.displays import RIGHT_COLOR, WRONG_COLOR
from skcifar.displays._candidates import (
    candidate_labels,
    last_rows,
    searched_values,
    short_names,
)

X, y = load_iris(return_X_y=True)
TREE = DecisionTreeClassifier(random_state=0)
HISTORY = {"loss": [2.0, 1.0], "accuracy": [0.4, 0.6]}


class KeepsHistory(DecisionTreeClassifier):
    def fit(self, X, y):
        self.history_ = {name: [v * self.max_depth for v in HISTORY[name]] for name in HISTORY}
        return super().fit(X, y)


def grid_search(estimator=TREE, grid=None, **params):
    grid = grid or {"max_depth": [3, 1, 2], "criterion": ["gini", "entropy"]}
    return ResumableGridSearchCV(estimator, grid, cv=3, **params).fit(X, y)


def drawn_means(axes):
    """Heights of the points of error bars, which come in rows of one point each."""
    return sorted(container.lines[0].get_ydata()[0] for container in axes.containers)


def legend_of(display):
    return [text.get_text() for text in display.figure_.legends[0].get_texts()]


# --- scores ---


def test_each_parameter_has_a_panel_with_all_scores():
    search = grid_search()
    display = SearchResultsDisplay.from_search(search)
    assert [axes.get_xlabel() for axes in display.axes_] == ["criterion", "max_depth"]
    for axes in display.axes_:
        assert drawn_means(axes) == sorted(search.cv_results_["mean_test_score"])
    labels = [[t.get_text() for t in axes.get_xticklabels()] for axes in display.axes_]
    assert labels == [["gini", "entropy"], ["1", "2", "3"]]
    assert display.axes_[0].get_ylim() == display.axes_[1].get_ylim()


def test_candidates_stand_where_their_value_is():
    search = grid_search()
    for axes in SearchResultsDisplay.from_search(search).axes_:
        places = [container.lines[0].get_xdata()[0] for container in axes.containers]
        assert set(places) == set(axes.get_xticks())


def test_best_candidate_stands_out():
    search = grid_search()
    display = SearchResultsDisplay.from_search(search)
    assert legend_of(display) == ["best", "candidate", "mean of all with that value"]
    best = [c for c in display.axes_[0].containers if c.get_label() == "best"]
    assert [c.lines[0].get_ydata()[0] for c in best] == [search.best_score_]
    assert best[0].lines[0].get_color() == WRONG_COLOR


def test_candidates_that_failed_are_named():
    with pytest.warns(FitFailedWarning), pytest.warns(UserWarning, match="non-finite"):
        search = grid_search(grid={"max_depth": [1, -1]})
    (axes,) = SearchResultsDisplay.from_search(search).axes_
    assert [text.get_text() for text in axes.texts] == ["failed"]


def test_several_scores_are_drawn_by_the_one_that_counts():
    search = grid_search(scoring=["accuracy", "f1_macro"], refit="f1_macro")
    display = SearchResultsDisplay.from_search(search)
    assert drawn_means(display.axes_[0]) == sorted(search.cv_results_["mean_test_f1_macro"])
    assert display.axes_[0].get_ylabel() == "f1_macro, mean ± std"


def test_scikit_learns_own_search_is_drawn_in_given_axes():
    search = GridSearchCV(TREE, {"max_depth": [1, 2], "criterion": ["gini", "entropy"]}).fit(X, y)

    def draw(axes):
        return SearchResultsDisplay.from_search(search, ax=axes)

    assert_drawn_in_place(draw, layout="constrained")


@pytest.mark.parametrize("refit", [False, lambda results: 0])
@pytest.mark.parametrize("display", [SearchResultsDisplay, SearchHistoriesDisplay])
def test_search_that_chose_by_no_single_score_is_refused(display, refit):
    scoring = ["accuracy", "f1_macro"]
    search = GridSearchCV(TREE, {"max_depth": [1, 2]}, scoring=scoring, refit=refit).fit(X, y)
    with pytest.raises(ValueError, match="refit must name the score to draw, one of accuracy, f1_"):
        display.from_search(search)


@pytest.mark.parametrize("display", [SearchResultsDisplay, SearchHistoriesDisplay])
def test_search_that_is_not_fitted_is_refused(display):
    with pytest.raises(NotFittedError, match="This GridSearchCV instance is not fitted yet"):
        display.from_search(GridSearchCV(TREE, {"max_depth": [1, 2]}))


def test_candidates_of_a_halving_search_are_drawn_once():
    grid = {"max_depth": [1, 2, 3, 4]}
    params = {"resource": "min_samples_leaf", "max_resources": 9, "cv": 2}
    search = ResumableHalvingGridSearchCV(TREE, grid, **params).fit(X, y)
    display = SearchResultsDisplay.from_search(search)
    assert len(display.axes_[0].containers) == 4
    assert legend_of(display)[-1] == "given up in an earlier round"
    assert display.candidates[0] == {"max_depth": search.best_params_["max_depth"]}
    assert last_rows(search)[0] == search.best_index_


# --- learning curves ---


def test_best_curve_is_thick_and_named():
    search = grid_search(KeepsHistory(random_state=0))
    display = SearchHistoriesDisplay.from_search(search)
    for axes, name in zip(display.axes_, ("loss", "accuracy"), strict=True):
        assert axes.get_ylabel() == name
        assert axes.get_title() == f"{name.capitalize()} while training"
        thick = max(axes.get_lines(), key=lambda line: line.get_linewidth())
        assert thick.get_color() == RIGHT_COLOR
        depth = search.best_params_["max_depth"]
        np.testing.assert_allclose(thick.get_ydata(), np.multiply(HISTORY[name], depth))
    (best,) = candidate_labels([search.best_params_])
    assert legend_of(display)[0] == f"best: {best}"
    assert legend_of(display)[-1] == "others"
    assert len(legend_of(display)) == 6


def test_curves_of_the_best_differ_by_more_than_colour():
    candidates = [{"alpha": k} for k in range(5)]
    histories = [[{"loss": [0.5, 0.4]}]] * 5
    display = SearchHistoriesDisplay(candidates=candidates, histories=histories).plot()
    lines = display.axes_[0].get_lines()
    assert len({line.get_marker() for line in lines}) == 5
    assert len({line.get_linestyle() for line in lines}) == 4


def test_folds_are_averaged_as_far_as_they_go():
    folds = [
        {"loss": [1.0, 3.0], "accuracy": [0.0, 0.0]},
        {"loss": [3.0], "accuracy": [1.0]},
        None,
        {"loss": [np.nan], "accuracy": [np.nan]},
    ]
    display = SearchHistoriesDisplay(candidates=[{"C": 1}], histories=[folds]).plot()
    assert display.axes_[0].get_lines()[0].get_ydata().tolist() == [2.0, 3.0]


def test_validation_is_drawn_where_there_is_some():
    history = HISTORY | {"val_loss": [9.0, 8.0], "val_accuracy": [0.1, 0.2]}
    display = SearchHistoriesDisplay(candidates=[{"C": 1}], histories=[[history]]).plot()
    assert display.axes_[0].get_title() == "Loss on validation samples"
    assert display.axes_[0].get_lines()[0].get_ydata().tolist() == [9.0, 8.0]


def test_far_losses_of_others_do_not_flatten_the_best():
    losses = [1.0, 1.1, 1.2, 1.3, 1.4, 1e9]
    histories = [[{"loss": [v, v / 2], "accuracy": [0.1, 0.2]}] for v in losses]
    candidates = [{"C": v} for v in losses]
    display = SearchHistoriesDisplay(candidates=candidates, histories=histories).plot()
    assert display.axes_[0].get_ylim()[1] < 2


def test_search_without_histories_is_refused():
    with pytest.raises(ValueError, match="No candidate of this ResumableGridSearchCV kept"):
        SearchHistoriesDisplay.from_search(grid_search())
    with pytest.raises(ValueError, match="No candidate of this GridSearchCV kept a history"):
        SearchHistoriesDisplay.from_search(GridSearchCV(TREE, {"max_depth": [1]}).fit(X, y))
    with pytest.raises(ValueError, match="no history with a loss or an accuracy"):
        SearchHistoriesDisplay(candidates=[{"C": 1}], histories=[[None]]).plot()


def test_histories_of_none_of_the_best_are_drawn():
    candidates = [{"C": value} for value in range(7)]
    histories = [[None]] * 6 + [[HISTORY]]
    display = SearchHistoriesDisplay(candidates=candidates, histories=histories).plot()
    assert [line.get_label() for line in display.axes_[0].get_lines()] == ["others"]


def test_histories_are_drawn_as_far_as_they_go():
    folds = [{"loss": [2.0, 1.0]}, {"loss": [4.0, 2.0]}]
    display = SearchHistoriesDisplay(candidates=[{"C": 1}], histories=[folds]).plot()
    (axes,) = display.axes_
    assert axes.get_ylabel() == "loss"
    assert axes.get_lines()[0].get_ydata().tolist() == [3.0, 1.5]


def test_histories_take_the_place_of_given_axes():
    def draw(axes):
        return SearchHistoriesDisplay(candidates=[{"C": 1}], histories=[[HISTORY]]).plot(ax=axes)

    assert_drawn_in_place(draw, layout="constrained")


# --- names and values ---


def test_values_are_listed_in_their_order():
    candidates = [{"a": 3, "b": (2, 1), "c": 0}, {"a": 1, "b": (1,), "c": 0}]
    assert searched_values(candidates) == {"a": [1, 3], "b": [(1,), (2, 1)]}
    assert searched_values([{"a": 1}, {"b": None}]) == {"a": [1], "b": [None]}
    assert searched_values([{"a": 1}]) == {"a": [1]}
    assert searched_values([{"a": True}, {"a": 1}]) == {"a": [True, 1]}


def test_steps_are_left_out_where_names_stay_different():
    assert short_names(["x__a", "y__b"]) == {"x__a": "a", "y__b": "b"}
    assert short_names(["x__a", "y__a"]) == {"x__a": "x__a", "y__a": "y__a"}


def test_candidates_are_labelled_by_what_they_differ_in():
    pipeline = make_pipeline(StandardScaler(), TREE)
    name = "decisiontreeclassifier__max_depth"
    search = grid_search(pipeline, {name: [1, 2], "standardscaler__with_std": [True]})
    labels = candidate_labels(search.cv_results_["params"])
    assert labels == ["max_depth=1", "max_depth=2"]
