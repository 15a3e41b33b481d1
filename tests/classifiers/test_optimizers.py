"""What makes the steps: optimizers by their names, and one's own."""

import copy
import pickle

import keras
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from small_networks import small, weights_of

from skcifar import ResumableGridSearchCV, load_model, save_model
from skcifar.persistence import ModelFileError

NAMES = ["adam", "sgd", "muon"]


def own(**params):
    return keras.optimizers.Lion(0.02, weight_decay=0.01, **params)


def small_with(optimizer, **params):
    rate = 0.05 if isinstance(optimizer, str) else "auto"
    return small(optimizer=optimizer, **({"learning_rate": rate} | params))


@keras.saving.register_keras_serializable("tests")
class Halving(keras.optimizers.SGD):
    def update_step(self, gradient, variable, learning_rate):
        super().update_step(gradient / 2, variable, learning_rate)


@pytest.fixture(params=[*NAMES, "own", "own with a schedule"])
def optimizer(request):
    if request.param == "own with a schedule":
        return keras.optimizers.Adam(keras.optimizers.schedules.ExponentialDecay(0.05, 10, 0.9))
    return own() if request.param == "own" else request.param


def test_each_optimizer_learns(blobs, optimizer):
    X, y = blobs
    assert small_with(optimizer, epochs=15).fit(X, y).score(X, y) > 0.9


@pytest.mark.parametrize("name", NAMES)
def test_auto_is_the_rate_of_the_optimizer(blobs, name):
    auto = small(optimizer=name, learning_rate="auto", epochs=1).fit(*blobs)
    rate = type(auto)._learning_rates[name]
    same = small(optimizer=name, learning_rate=rate, epochs=1).fit(*blobs)
    np.testing.assert_array_equal(weights_of(auto), weights_of(same))


def test_own_optimizer_does_as_the_one_of_its_name(blobs):
    theirs = small(optimizer="adam", learning_rate=0.01).fit(*blobs)
    ours = small_with(keras.optimizers.Adam(0.01)).fit(*blobs)
    np.testing.assert_array_equal(weights_of(ours), weights_of(theirs))


def test_own_optimizer_is_copied_for_each_fit(blobs):
    optimizer = own()
    classifier = small_with(optimizer)
    first, second = (weights_of(classifier.fit(*blobs)) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert classifier.optimizer is optimizer
    assert not optimizer.built


def test_own_class_of_optimizer_is_used(blobs):
    halved = small_with(Halving(0.2)).fit(*blobs)
    same = small_with(keras.optimizers.SGD(0.1)).fit(*blobs)
    np.testing.assert_allclose(weights_of(halved), weights_of(same), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "value", "needed"),
    [
        ("learning_rate", 0.01, "'auto'"),
        ("learning_rate_schedule", "cosine", "'auto'"),
        ("weight_decay", 0.1, "0"),
    ],
)
def test_own_optimizer_has_its_own_numbers(blobs, name, value, needed):
    classifier = small_with(own()).set_params(**{name: value})
    message = rf"'{name}' parameter of DenseClassifier must be {needed} where .* Got {value!r}"
    with pytest.raises(ValueError, match=message):
        classifier.fit(*blobs)


def test_schedule_of_an_own_optimizer_is_in_the_history(blobs):
    schedule = keras.optimizers.schedules.ExponentialDecay(0.05, 2, 0.5)  # two steps an epoch
    rates = small_with(keras.optimizers.SGD(schedule), epochs=3).fit(*blobs).history_
    np.testing.assert_allclose(rates["learning_rate"], [0.025, 0.0125, 0.00625], rtol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("copied", [copy.deepcopy, lambda c: pickle.loads(pickle.dumps(c))])
def test_copies_go_on_alike(blobs, optimizer, copied):
    X, y = blobs
    classifier = small_with(optimizer).fit(X, y)
    again = copied(classifier).partial_fit(X, y)
    assert clone(again).fit(X, y).n_iter_ == classifier.n_iter_
    np.testing.assert_array_equal(weights_of(again), weights_of(classifier.partial_fit(X, y)))


def test_partial_fit_goes_on_with_what_the_optimizer_gathered(blobs, optimizer):
    X, y = blobs
    params = {"epochs": 2, "shuffle": False, "batch_size": len(X)}
    at_once = small_with(optimizer, **params).fit(X, y)
    in_parts = small_with(optimizer, **params).partial_fit(X, y, classes=[0, 1]).partial_fit(X, y)
    np.testing.assert_allclose(weights_of(in_parts), weights_of(at_once), rtol=1e-5, atol=1e-6)


def test_partial_fit_takes_a_new_rate_and_keeps_the_momentum(blobs):
    X, y = blobs
    classifier = small(optimizer="sgd").partial_fit(X, y, classes=[0, 1])
    running = classifier.model_.optimizer
    classifier.set_params(learning_rate=0.01).partial_fit(X, y)
    assert classifier.model_.optimizer is running
    assert float(running.learning_rate) == pytest.approx(0.01)


@pytest.mark.parametrize("other", ["sgd", own()], ids=["a name", "own"])
def test_partial_fit_begins_anew_with_another_optimizer(blobs, other):
    X, y = blobs
    classifier = small_with("adam", learning_rate="auto").partial_fit(X, y, classes=[0, 1])
    classifier.set_params(optimizer=other).partial_fit(X, y)
    running = classifier.model_.optimizer
    assert type(running) is (keras.optimizers.SGD if other == "sgd" else keras.optimizers.Lion)
    assert int(running.iterations) == 2  # of one epoch
    assert classifier.n_iter_ == 2


@pytest.mark.slow
def test_training_from_a_checkpoint_equals_an_unbroken_one(blobs, optimizer, tmp_path):
    params = {"checkpoint": tmp_path / "training"}
    small_with(optimizer, epochs=2, **params).fit(*blobs)
    resumed = small_with(copy.deepcopy(optimizer), epochs=4, **params).fit(*blobs)
    unbroken = small_with(optimizer, epochs=4).fit(*blobs)
    np.testing.assert_array_equal(weights_of(resumed), weights_of(unbroken))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("adam", "sgd"),
        (own(), own(beta_1=0.8)),
        (keras.optimizers.SGD(0.02), Halving(0.02)),
    ],
    ids=["names", "configurations", "classes"],
)
def test_checkpoint_of_another_optimizer_is_refused(blobs, tmp_path, first, second):
    params = {"checkpoint": tmp_path / "training", "epochs": 1}
    small_with(first, **params).fit(*blobs)
    with pytest.raises(ModelFileError, match="another training: optimizer"):
        small_with(second, **params).fit(*blobs)


def grid():
    return {"optimizer": [keras.optimizers.Adam(1e-3), own(), "sgd"]}


@pytest.mark.slow
def test_search_over_optimizers_in_processes(blobs):
    classifier = small(learning_rate="auto")
    alone = GridSearchCV(classifier, grid(), cv=2).fit(*blobs)
    parallel = GridSearchCV(classifier, grid(), cv=2, n_jobs=2).fit(*blobs)
    np.testing.assert_allclose(
        parallel.cv_results_["mean_test_score"], alone.cv_results_["mean_test_score"]
    )


def test_journal_knows_fits_by_their_optimizer(blobs, tmp_path):
    params = {"cv": 2, "journal": tmp_path / "journal", "refit": False}
    classifier = small(learning_rate="auto", epochs=1)
    first = ResumableGridSearchCV(classifier, grid(), **params).fit(*blobs)
    size = params["journal"].stat().st_size
    again = ResumableGridSearchCV(classifier, grid(), **params).fit(*blobs)
    assert params["journal"].stat().st_size == size
    np.testing.assert_array_equal(
        first.cv_results_["mean_test_score"], again.cv_results_["mean_test_score"]
    )


@pytest.mark.parametrize("name", NAMES)
def test_model_file_keeps_the_name(blobs, name, tmp_path):
    X, y = blobs
    classifier = small_with(name).fit(X, y)
    save_model(classifier, tmp_path / "model.safetensors")
    loaded = load_model(tmp_path / "model.safetensors").partial_fit(X, y)
    assert loaded.optimizer == name


def test_model_file_with_an_own_optimizer_is_refused_before_it_is_written(blobs, tmp_path):
    classifier = small_with(own()).fit(*blobs)
    path = tmp_path / "model.safetensors"
    with pytest.raises(ModelFileError, match=r"optimizer Lion .* set_params\(optimizer=\"adam\"\)"):
        save_model(classifier, path)
    assert not list(tmp_path.iterdir())
    save_model(classifier.set_params(optimizer="adam"), path)
    np.testing.assert_array_equal(
        load_model(path).predict_proba(blobs[0]), classifier.predict_proba(blobs[0])
    )


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision_takes_each_optimizer(blobs, optimizer, policy):
    X, y = blobs
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        classifier = small_with(optimizer, epochs=15).fit(X, y)
        again = pickle.loads(pickle.dumps(classifier)).partial_fit(X, y)
        np.testing.assert_array_equal(weights_of(classifier.partial_fit(X, y)), weights_of(again))
        assert classifier.score(X, y) > 0.9
    finally:
        keras.config.set_dtype_policy(before)


def test_divergence_under_an_own_schedule_names_the_rate(blobs):
    schedule = keras.optimizers.schedules.ExponentialDecay(1e30, 1, 1.0)
    classifier = small_with(keras.optimizers.SGD(schedule), epochs=9)
    with pytest.raises(ValueError, match=r"with learning_rate=1e\+30"):
        classifier.fit(*blobs)
