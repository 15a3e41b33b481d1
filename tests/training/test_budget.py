"""Training within a time: by a clock of its own that each step moves on, or by the real one."""

import math
from time import monotonic

import keras
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from small_networks import small, weights_of

from skcifar import WhiteningClassifier, load_model, save_model
from skcifar._sklearn.validation import InvalidParameterError
from skcifar.training import _budget
from skcifar.training._budget import Budget
from skcifar.training._schedules import Schedule
from skcifar.training._steps import Steps

N_BATCHES = 100


class Clock:
    """Stands until it is moved."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(_budget, "monotonic", clock)
    return clock


def train(clock, seconds, seconds_of_step, *, after_epoch=0.0, most=100_000):
    """Make steps as an engine does; return them and the rates that they had."""
    budget = Budget(seconds, begin=0.0)
    steps = Steps(most, n_batches=N_BATCHES, schedule=Schedule("linear", 1.0), budget=budget)
    rates = []
    while not steps.are_over():
        steps.begin_epoch()
        in_epoch = 0
        while in_epoch < N_BATCHES and len(taken := steps.take(N_BATCHES - in_epoch)):
            rates.extend(taken)
            clock.now += sum(seconds_of_step(steps.n_made + k) for k in range(len(taken)))
            steps.make(len(taken))
            in_epoch += len(taken)
        clock.now += after_epoch
    return steps, np.array(rates)


@pytest.mark.parametrize("seconds", [10, 3600])
@pytest.mark.parametrize(
    "seconds_of_step",
    [
        lambda step: 0.2,
        lambda step: 0.001,
        lambda step: 5.0 if step == 0 else 0.1,  # which compiles
        lambda step: 0.1 + 0.05 * math.sin(step / 7),
        lambda step: 0.1 if step < 40 else 0.3,
        lambda step: 0.3 if step < 20 else 0.1,
    ],
)
def test_steps_fill_the_time_and_the_rate_falls_to_nothing(clock, seconds, seconds_of_step):
    steps, rates = train(clock, seconds, seconds_of_step, most=10**7)
    assert 0.9 * seconds < clock.now < max(1.05 * seconds, seconds + 5)
    assert len(rates) == steps.n_made == steps.end
    assert (np.diff(rates) < 0).all()
    assert rates[0] == 1
    assert rates[-1] < 0.1


def test_what_comes_after_epochs_is_counted(clock):
    train(clock, 100, lambda step: 0.05, after_epoch=3.0)
    assert 90 < clock.now < 105


def test_clock_that_jumps_ahead_ends_training_at_once(clock):
    steps, _ = train(clock, 100, lambda step: 3600.0 if step == 50 else 0.1)
    assert 50 < steps.n_made < 70


def test_clock_that_goes_back_does_not_train_for_ever(clock):
    steps, _ = train(clock, 20, lambda step: -1000.0 if step == 50 else 0.1, most=2000)
    assert steps.n_made <= 2000


def test_moves_repeat_the_rates_bit_for_bit(clock):
    seconds_of_step = {k: 0.1 + 0.1 * (k % 70 > 30) for k in range(10_000)}
    steps, rates = train(clock, 60, seconds_of_step.get)
    assert len(steps.moves) > 3
    again = Steps(steps.end, n_batches=N_BATCHES, schedule=steps.schedule, moves=steps.moves)
    assert (again.take(10_000) == rates).all()


def test_steps_come_to_an_end_before_the_time_does(clock):
    steps, rates = train(clock, 1000, lambda step: 0.1, most=250)
    assert steps.n_made == len(rates) == 250
    assert clock.now < 30


@pytest.fixture
def digits():
    rng = np.random.default_rng(0)
    return rng.random((300, 9, 9, 1), np.float32), np.arange(300) % 3


def test_training_ends_with_the_time_and_can_be_repeated_without(blobs):
    begin = monotonic()
    classifier = small(epochs="auto", hidden_layer_sizes=(300, 300), max_minutes=1 / 60)
    classifier.fit(*blobs)
    assert monotonic() - begin < 6
    chosen = classifier.chosen_
    assert chosen["max_minutes"] is None
    assert chosen["learning_rate_schedule"] == "linear"
    again = clone(classifier).set_params(**chosen).fit(*blobs)
    assert (weights_of(again) == weights_of(classifier)).all()
    assert again.history_ == classifier.history_


def test_shortest_time_makes_a_step(blobs):
    classifier = small(epochs="auto", max_minutes=1e-9).fit(*blobs)
    assert 0 < classifier.chosen_["epochs"] <= 1
    assert classifier.n_iter_ == 1
    assert np.isfinite(classifier.predict_proba(blobs[0])).all()


def test_own_network_that_keras_trains_ends_with_the_time(blobs):
    class Counter(keras.callbacks.Callback):
        n_steps = 0

        def on_train_batch_end(self, batch, logs=None):
            self.n_steps += 1

    counter = Counter()
    classifier = small(epochs="auto", batch_size=8, max_minutes=1 / 60, callbacks=[counter])
    begin = monotonic()
    classifier.fit(*blobs)
    assert monotonic() - begin < 6
    assert counter.n_steps == round(classifier.chosen_["epochs"] * 5)  # 40 samples
    again = clone(classifier).set_params(**classifier.chosen_).fit(*blobs)
    assert (weights_of(again) == weights_of(classifier)).all()


@pytest.mark.parametrize("batch_callback", [False, True])
def test_fraction_of_an_epoch_is_over_a_part_of_the_samples(blobs, batch_callback):
    class Counter(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            pass

    callbacks = [Counter()] if batch_callback else None
    classifier = small(epochs=2.4, batch_size=8, callbacks=callbacks).fit(*blobs)
    assert int(classifier.model_.optimizer.iterations) == 12  # of 5 in an epoch
    assert classifier.n_iter_ == 3


@pytest.mark.parametrize("max_minutes", [0, -1, math.nan, "5"])
def test_time_that_is_none_is_reported(blobs, max_minutes):
    with pytest.raises(InvalidParameterError, match="'max_minutes' parameter of DenseClassifier"):
        small(max_minutes=max_minutes).fit(*blobs)


def test_partial_fit_has_no_time(blobs):
    with pytest.raises(ValueError, match=r"^max_minutes=1 is not supported for partial_fit"):
        small(max_minutes=1).partial_fit(*blobs, classes=[0, 1])


class InterruptAt(keras.callbacks.Callback):
    def __init__(self, epoch, error):
        super().__init__()
        self.epoch = epoch
        self.error = error

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == self.epoch:
            raise self.error


def test_interrupt_leaves_the_network_of_the_last_epoch(blobs):
    classifier = small(
        epochs="auto", max_minutes=1, callbacks=[InterruptAt(2, KeyboardInterrupt())]
    )
    with pytest.raises(KeyboardInterrupt, match="left as it was after epoch 2"):
        classifier.fit(*blobs)
    assert classifier.score(*blobs) > 0.4


def test_interrupted_training_goes_on_with_what_is_left_of_the_time(blobs, tmp_path):
    path = tmp_path / "training.safetensors"
    params = {"epochs": "auto", "hidden_layer_sizes": (300, 300), "max_minutes": 4 / 60}
    broken = small(**params, checkpoint=path, callbacks=[InterruptAt(1, RuntimeError())])
    begin = monotonic()
    with pytest.raises(RuntimeError):
        broken.fit(*blobs)
    whole = small(**params, checkpoint=path).fit(*blobs)
    assert monotonic() - begin < 9
    assert whole.n_iter_ > 1
    again = clone(whole).set_params(**whole.chosen_, checkpoint=None).fit(*blobs)
    assert (weights_of(again) == weights_of(whole)).all()


def test_finished_training_has_nothing_left_to_train(blobs, tmp_path):
    params = {"epochs": "auto", "max_minutes": 0.5 / 60, "checkpoint": tmp_path / "training"}
    first = small(**params).fit(*blobs)
    second = small(**params).fit(*blobs)
    assert second.n_iter_ == first.n_iter_
    assert (weights_of(first) == weights_of(second)).all()


def test_candidates_of_a_search_may_have_times(blobs):
    search = GridSearchCV(
        small(epochs="auto"), {"max_minutes": [0.2 / 60, 0.5 / 60]}, cv=2, refit=False
    ).fit(*blobs)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


@pytest.mark.slow
def test_choice_survives_a_model_file(digits, tmp_path):
    classifier = WhiteningClassifier(max_minutes=1 / 60, random_state=0).fit(*digits)
    save_model(classifier, tmp_path / "model")
    loaded = load_model(tmp_path / "model")
    assert loaded.chosen_ == classifier.chosen_
    assert (loaded.predict_proba(digits[0]) == classifier.predict_proba(digits[0])).all()


def test_more_time_chooses_a_wider_network(digits):
    classifier = WhiteningClassifier()
    widths = [classifier._plan(50_000, seconds)["filters"] for seconds in (10, 300, 3600)]
    assert widths == sorted(set(widths))


def test_slow_processor_chooses_as_one_with_less_time(digits):
    classifier = WhiteningClassifier()
    slow = classifier._plan(50_000, 3600, slowness=3600)["filters"]
    assert slow == classifier._plan(50_000, 1)["filters"]


def test_repeated_training_survives_a_model_file(blobs, tmp_path):
    moves = [[step, 20] for step in range(15)]  # more than the network has weights
    classifier = small(schedule_moves=moves, learning_rate_schedule="linear").fit(*blobs)
    save_model(classifier, tmp_path / "model")
    assert load_model(tmp_path / "model").schedule_moves == moves


@pytest.mark.slow
def test_warm_start_with_a_time_keeps_the_filters(tmp_path):
    X = np.random.default_rng(0).random((20, 8, 8, 3), dtype=np.float32)
    classifier = WhiteningClassifier(epochs=1, warm_start=True, random_state=0)
    classifier.fit(X, np.arange(20) % 2).set_params(epochs="auto", max_minutes=0.03)
    classifier.fit(X, np.arange(20) % 2)
    assert classifier.value_of("filters") == classifier._auto["filters"]
    save_model(classifier, tmp_path / "model.safetensors")
    loaded = load_model(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(loaded.predict_proba(X), classifier.predict_proba(X))
