"""scikit-learn's own searches find the same in one process and in two."""

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import loguniform
from sklearn.exceptions import FitFailedWarning
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    HalvingRandomSearchCV,
)

from skcifar import load_digit_images, make_dense_pipeline

GRID = {
    "classify__hidden_layer_sizes": [(20,), (30, 10)],
    "classify__dropout": [0.0, 0.3],
}
SPACE = {"classify__learning_rate": loguniform(1e-4, 1e-2), "classify__dropout": [0.0, 0.3]}
RESOURCE = {"resource": "classify__epochs", "max_resources": 4, "factor": 2}


@pytest.fixture(scope="module")
def digits():
    X, y = load_digit_images(return_X_y=True)
    return X[:600], y[:600]  # 1.8 MB, more than joblib copies into a task


def pipeline(**params):
    return make_dense_pipeline(**{"epochs": 2, "random_state": 0} | params)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("search", "candidates", "params"),
    [
        (GridSearchCV, GRID, {}),
        (HalvingRandomSearchCV, SPACE, RESOURCE | {"n_candidates": 4, "random_state": 0}),
    ],
)
def test_two_jobs_find_what_one_finds(digits, search, candidates, params):
    one, two = (
        search(pipeline(), candidates, cv=2, n_jobs=n_jobs, **params).fit(*digits)
        for n_jobs in (1, 2)
    )
    assert one.best_params_ == two.best_params_
    np.testing.assert_array_equal(
        one.cv_results_["mean_test_score"], two.cv_results_["mean_test_score"]
    )
    for ours, theirs in zip(
        *(found.best_estimator_[-1].model_.get_weights() for found in (one, two)), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.slow
def test_halving_gives_more_epochs_to_fewer_candidates(digits):
    search = HalvingGridSearchCV(pipeline(), GRID, cv=2, **RESOURCE).fit(*digits)
    assert search.n_resources_ == [1, 2, 4]
    assert search.best_estimator_[-1].n_iter_ == 4


@pytest.mark.slow
def test_candidate_that_fails_costs_its_own_score(digits):
    grid = {"classify__learning_rate": [1e-3, 1e30], "classify__epochs": [30]}
    search = GridSearchCV(pipeline(hidden_layer_sizes=(5,)), grid, cv=2)
    with (
        pytest.warns(FitFailedWarning, match="2 fits failed out of a total of 4"),
        pytest.warns(UserWarning, match="non-finite"),
    ):
        search.fit(*digits)
    assert np.isnan(search.cv_results_["mean_test_score"]).tolist() == [False, True]
    assert search.best_params_["classify__learning_rate"] == 1e-3


def maps_arrays_of_joblib(estimator, X, y):
    return float("joblib_memmapping_folder" in Path("/proc/self/maps").read_text())


@pytest.mark.slow
@pytest.mark.skipif(
    not Path("/proc/self/maps").exists(), reason="only Linux lists what a process has mapped"
)
def test_workers_map_the_pictures_into_memory(digits):
    search = GridSearchCV(pipeline(), GRID, cv=2, scoring=maps_arrays_of_joblib, n_jobs=2)
    assert search.fit(*digits).best_score_ == 1.0
    assert (search.cv_results_["mean_test_score"] == 1.0).all()
