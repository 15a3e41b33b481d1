"""Equal random states give equal results, bit for bit, wherever and after whatever."""

import copy
import hashlib
import os
import pickle
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import keras
import numpy as np
import pytest
from joblib import parallel_config
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_predict
from sklearn.pipeline import make_pipeline
from small_networks import weights_of

from skcifar import ConvolutionalClassifier, DenseClassifier, PixelScaler, WhiteningClassifier

pytestmark = pytest.mark.slow

ALIKE = {
    "learning_rate_schedule": "constant",
    "weight_decay": 0.01,
    "label_smoothing": 0.1,
    "batch_size": 4,  # so that there are enough batches for the engine's loop
    "epochs": 3,
    "shuffle": False,
    "random_state": 0,
}
NETWORKS = {
    DenseClassifier: {"hidden_layer_sizes": (8,), "batch_normalization": True, "dropout": 0.3},
    ConvolutionalClassifier: {
        "filters": (4,),
        "strides": (2,),
        "hidden_layer_sizes": (8,),
        "dropout": 0.3,
    },
    WhiteningClassifier: {
        "filters": (4, 4),
    },
}
CLASSES = [0, 1, 2]

each = pytest.mark.parametrize("cls", NETWORKS)


def new(cls=DenseClassifier, **params):
    return cls(**NETWORKS[cls] | ALIKE | params)


@cache
def pictures():
    """Grey pictures of 4 by 4 pixels, from 0 to 255, and labels."""
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, size=(66, 4, 4, 1), dtype=np.uint8), rng.permutation(66) % 3


@cache
def samples():
    X, y = pictures()
    return PixelScaler().fit_transform(X), y


@cache
def expected(cls):
    """The weights that all others are to equal."""
    return weights_of(new(cls).fit(*samples()))


def fit_equals(classifier):
    np.testing.assert_array_equal(
        weights_of(classifier.fit(*samples())), expected(type(classifier))
    )


def digest_of_all():
    """What all networks learn and answer, as one text."""
    learned = hashlib.sha256()
    for cls in NETWORKS:
        classifier = new(cls).fit(*samples())
        learned.update(weights_of(classifier))
        learned.update(classifier.predict_proba(samples()[0]))
    return learned.hexdigest()


# --- again ---


@each
def test_second_fit_of_one_object_gives_the_same(cls):
    classifier = new(cls)
    for _ in range(2):
        fit_equals(classifier)


@each
@pytest.mark.parametrize("copied", [clone, copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_copy_of_an_unfitted_one_learns_the_same(cls, copied):
    fit_equals(copied(new(cls)))


def test_clone_of_a_fitted_one_learns_the_same():
    fit_equals(clone(new().fit(*samples()).partial_fit(*samples())))


def test_another_random_state_gives_something_else():
    assert not np.array_equal(
        weights_of(new(random_state=1).fit(*samples())), expected(DenseClassifier)
    )


def test_generator_in_the_state_of_a_seed_gives_what_the_seed_does():
    fit_equals(new(random_state=np.random.RandomState(0)))


def test_generator_goes_on_in_a_second_fit():
    classifier = new(random_state=np.random.RandomState(0)).fit(*samples())
    first = weights_of(classifier)
    assert not np.array_equal(weights_of(classifier.fit(*samples())), first)


def test_pipeline_learns_what_its_classifier_does_alone():
    pipeline = make_pipeline(PixelScaler(), new()).fit(*pictures())
    np.testing.assert_array_equal(weights_of(pipeline[-1]), expected(DenseClassifier))


@pytest.mark.parametrize(
    "params",
    [
        {"early_stopping": True, "n_iter_no_change": 1, "learning_rate_schedule": "cosine"},
        {"validation_fraction": 0.3, "learning_rate_schedule": "one-cycle"},
        {"class_weight": "balanced", "batch_size": 100},
    ],
)
def test_all_that_draws_is_ruled_by_the_random_state(params):
    params = {"shuffle": True, "epochs": 5} | params
    first, second = (new(**params).fit(*samples()) for _ in range(2))
    np.testing.assert_array_equal(weights_of(first), weights_of(second))
    assert first.history_ == second.history_
    assert first.n_iter_ == second.n_iter_


# --- after something else ---


def fail():
    X, y = samples()
    with pytest.raises(ValueError, match="loss became"):
        new(learning_rate=1e30).fit(X * 1e6, y)


BEFORE = {
    "the same shape": lambda: new(random_state=1).fit(*samples()),
    "another shape": lambda: new().fit(samples()[0][:, :3], samples()[1]),
    "other sizes": lambda: new(hidden_layer_sizes=(5,)).fit(*samples()),
    "another network": lambda: new(ConvolutionalClassifier).fit(*samples()),
    "a fit that failed": fail,
    "a fit that went on": lambda: [c.fit(*samples()) for c in [new(warm_start=True)] * 2],
    "seeds of others": lambda: keras.utils.set_random_seed(7),
}


@pytest.mark.parametrize("before", BEFORE)
def test_what_was_done_before_does_not_count(before):
    BEFORE[before]()
    fit_equals(new())


def test_networks_that_are_fitted_at_the_same_time_do_not_disturb_each_other():
    alone = {cls: expected(cls) for cls in NETWORKS}
    together = threading.Barrier(len(NETWORKS))

    def fit(cls):
        together.wait()
        return [weights_of(new(cls).fit(*samples())) for _ in range(2)]

    with ThreadPoolExecutor(len(NETWORKS)) as pool:
        for cls, learned in zip(NETWORKS, pool.map(fit, NETWORKS), strict=True):
            for weights in learned:
                np.testing.assert_array_equal(weights, alone[cls])


# --- partial_fit ---


def partly(classifier, n_calls, weights=None):
    for _ in range(n_calls):
        classifier.partial_fit(*samples(), classes=CLASSES, sample_weight=weights)
    return classifier


@each
def test_partial_fit_is_an_epoch_of_fit_where_nothing_is_shuffled(cls):
    parts = partly(new(cls), 3)
    np.testing.assert_array_equal(weights_of(parts), expected(cls))
    assert parts.n_iter_ == 3


@each
def test_partial_fit_goes_on_where_fit_ended(cls):
    parts = partly(new(cls, epochs=1).fit(*samples()), 2)
    np.testing.assert_array_equal(weights_of(parts), expected(cls))


@pytest.mark.parametrize("batch_size", [4, 10])  # with and without the engine's loop
@pytest.mark.parametrize("without", [None, 0])
def test_partial_fit_is_an_epoch_of_fit_with_weights_of_mean_1(batch_size, without):
    _, y = samples()
    weights = np.random.default_rng(1).choice([0.5, 1.5, 3.0], size=len(y)) * (y != without)
    weights /= weights[weights > 0].mean()
    whole = new(batch_size=batch_size).fit(*samples(), sample_weight=weights)
    parts = partly(new(batch_size=batch_size), 3, weights)
    np.testing.assert_array_equal(weights_of(parts), weights_of(whole))
    assert parts.history_ == whole.history_


# --- elsewhere ---


def test_another_process_learns_and_answers_the_same():
    done = subprocess.run(
        [sys.executable, "-c", "import test_equal_results as t; print(t.digest_of_all())"],
        cwd=Path(__file__).parent,
        env=os.environ | {"PYTHONHASHSEED": "7"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == digest_of_all()


def answers_of_folds(cls, n_jobs):
    pipeline = make_pipeline(PixelScaler(), new(cls, shuffle=True))
    X, y = pictures()
    return cross_val_predict(pipeline, X, y, cv=2, method="predict_proba", n_jobs=n_jobs)


@pytest.mark.parametrize(
    ("cls", "backend"), [(DenseClassifier, "loky"), (ConvolutionalClassifier, "threading")]
)
def test_folds_are_answered_the_same_by_one_job_and_by_two(cls, backend):
    with parallel_config(backend):
        np.testing.assert_array_equal(answers_of_folds(cls, 2), answers_of_folds(cls, 1))


def test_search_finds_the_same_by_one_job_and_by_two():
    grid = {"learning_rate": [1e-4, 0.001, 0.01]}
    one, two = (
        GridSearchCV(new(shuffle=True), grid, cv=2, n_jobs=n_jobs).fit(*samples())
        for n_jobs in (1, 2)
    )
    assert one.best_params_ == two.best_params_
    for name in ("split0_test_score", "split1_test_score"):
        np.testing.assert_array_equal(one.cv_results_[name], two.cv_results_[name])
    np.testing.assert_array_equal(weights_of(one.best_estimator_), weights_of(two.best_estimator_))
