"""Step sizes that change while training, and weights that decay."""

import keras
import numpy as np
import pytest
from small_networks import small, weights_of

from skcifar.training._schedules import Schedule
from skcifar.training._steps import Steps


class BatchCounter(keras.callbacks.Callback):
    """Has Keras' own ``fit`` make each step."""

    def on_train_batch_end(self, batch, logs=None):
        pass


def rates(schedule, n_steps=100):
    return Steps(n_steps, n_batches=n_steps, schedule=Schedule(schedule, 0.5)).rates(0, n_steps + 1)


def test_cosine_goes_from_the_learning_rate_to_nothing():
    reported = rates("cosine")
    assert reported[0] == pytest.approx(0.5)
    assert reported[50] == pytest.approx(0.25)
    assert reported[-1] == pytest.approx(0, abs=1e-7)
    assert (np.diff(reported) < 0).all()


def test_one_cycle_rises_over_three_tenths_and_falls():
    reported = rates("one-cycle")
    assert reported[0] == pytest.approx(0.02)
    assert reported.argmax() == 30
    assert reported.max() == pytest.approx(0.5)
    assert reported[-1] == pytest.approx(0, abs=1e-7)


def test_line_goes_from_the_learning_rate_to_nothing():
    np.testing.assert_allclose(rates("linear", 4), [0.5, 0.375, 0.25, 0.125, 0])


def test_cosine_is_that_of_keras():
    theirs = keras.optimizers.schedules.CosineDecay(0.5, decay_steps=10)
    each = [float(theirs(step)) for step in range(11)]
    np.testing.assert_allclose(rates("cosine", 10), each, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("callbacks", [None, [BatchCounter()]])
def test_each_step_has_the_rate_of_its_own(blobs, callbacks):
    """With a gradient of 0, a step takes its rate times the decay off the weights."""
    X, y = np.zeros((8, 4)), np.tile([0, 1], 4)
    params = {"hidden_layer_sizes": (3,), "batch_size": 2, "epochs": 2, "learning_rate": 0.5}
    plain = small(**params).fit(X, y)
    decayed = small(
        weight_decay=0.1, learning_rate_schedule="linear", callbacks=callbacks, **params
    ).fit(X, y)
    before, after = (c.model_.get_layer("hidden_1").get_weights()[0] for c in (plain, decayed))
    factor = np.prod(1 - 0.1 * rates("linear", 8)[:8])
    np.testing.assert_allclose(after, before * factor, rtol=1e-5)


@pytest.mark.parametrize("schedule", ["linear", "cosine", "one-cycle"])
@pytest.mark.parametrize("n_steps", [1, 2])
def test_shortest_trainings_have_a_schedule(schedule, n_steps):
    assert np.isfinite(rates(schedule, n_steps)).all()


@pytest.mark.parametrize("schedule", ["linear", "cosine", "one-cycle"])
@pytest.mark.parametrize("batch_size", [7, 100])
def test_schedule_ends_with_the_last_epoch(blobs, schedule, batch_size):
    classifier = small(learning_rate_schedule=schedule, batch_size=batch_size, epochs=4)
    reported = classifier.fit(*blobs).history_["learning_rate"]
    assert reported[-2] > 1e-3
    assert reported[-1] == pytest.approx(0, abs=1e-8)


def test_schedule_counts_the_samples_that_are_left(blobs):
    classifier = small(learning_rate_schedule="cosine", batch_size=8, validation_fraction=0.2)
    classifier.fit(*blobs)
    assert int(classifier.model_.optimizer.iterations) == 5 * 4  # 32 samples of 40
    assert classifier.history_["learning_rate"][-1] == pytest.approx(0, abs=1e-8)


def test_schedule_learns(blobs):
    assert small(learning_rate_schedule="one-cycle", epochs=10).fit(*blobs).score(*blobs) > 0.9


def test_warm_start_begins_the_schedule_again(blobs):
    classifier = small(learning_rate_schedule="cosine", warm_start=True).fit(*blobs)
    before = weights_of(classifier)
    assert np.abs(weights_of(classifier.fit(*blobs)) - before).max() > 1e-3


def test_partial_fit_has_no_schedule(blobs):
    with pytest.raises(ValueError, match=r"^learning_rate_schedule='cosine' is not supported"):
        small(learning_rate_schedule="cosine").partial_fit(*blobs, classes=[0, 1])


def test_partial_fit_goes_on_at_a_constant_rate_after_a_schedule(blobs):
    classifier = small(learning_rate_schedule="cosine").fit(*blobs)
    before = weights_of(classifier)
    classifier.set_params(learning_rate_schedule="constant").partial_fit(*blobs)
    assert np.abs(weights_of(classifier) - before).max() > 1e-3
    assert classifier.n_iter_ == 6


def test_decay_takes_its_share_off_every_weight(blobs):
    """With a gradient of 0, a step does nothing else."""
    X, y = np.zeros((8, 4)), np.tile([0, 1], 4)
    params = {"hidden_layer_sizes": (3,), "batch_size": 8, "epochs": 1, "learning_rate": 0.5}
    plain = small(**params).fit(X, y)
    decayed = small(weight_decay=0.1, **params).fit(X, y)
    before, after = (c.model_.get_layer("hidden_1").get_weights()[0] for c in (plain, decayed))
    np.testing.assert_allclose(after, before * (1 - 0.5 * 0.1), rtol=1e-6)


def test_partial_fit_takes_a_new_decay(blobs):
    X, y = np.zeros((8, 4)), np.tile([0, 1], 4)
    params = {"hidden_layer_sizes": (3,), "batch_size": 8, "learning_rate": 0.5}
    classifier = small(**params).partial_fit(X, y, classes=[0, 1])
    before = classifier.model_.get_layer("hidden_1").get_weights()[0]
    classifier.set_params(weight_decay=0.1).partial_fit(X, y)
    after = classifier.model_.get_layer("hidden_1").get_weights()[0]
    np.testing.assert_allclose(after, before * (1 - 0.5 * 0.1), rtol=1e-6)


def test_divergence_under_a_schedule_is_reported_with_its_largest_step(blobs):
    for schedule in ("cosine", "one-cycle"):
        classifier = small(learning_rate=1e30, learning_rate_schedule=schedule, epochs=30)
        with pytest.raises(ValueError, match=r"loss became .* with learning_rate=1e\+30"):
            classifier.fit(*blobs)


@pytest.mark.parametrize("network", [{"batch_normalization": True}, {"dropout": 0.2}])
def test_parameters_of_the_network_reach_it(blobs, network):
    assert small(epochs=20, **network).fit(*blobs).score(*blobs) > 0.9
