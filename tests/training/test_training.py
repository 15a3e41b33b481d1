"""What training depends on, and how it goes on."""

import copy
import random
import threading

import keras
import numpy as np
import pytest
import tensorflow as tf
from small_networks import small, weights_of

# --- training further ---


def test_warm_start_goes_on_from_the_weights(blobs):
    classifier = small(warm_start=True).fit(*blobs)
    first_loss = classifier.history_["loss"][0]
    classifier.fit(*blobs)
    assert classifier.n_iter_ == 10
    assert classifier.history_["loss"][5] < first_loss / 2


def test_warm_start_takes_a_new_learning_rate(blobs):
    classifier = small(warm_start=True).fit(*blobs)
    before = weights_of(classifier)
    classifier.set_params(learning_rate=1e-12).fit(*blobs)
    np.testing.assert_allclose(weights_of(classifier), before, atol=1e-7)


def test_warm_start_refuses_other_classes(blobs):
    X, y = blobs
    with pytest.raises(ValueError, match=r"warm_start can only be used where `y` has the same"):
        small(warm_start=True).fit(X, y).fit(X, y + 1)


def test_fit_begins_anew_without_warm_start(blobs):
    classifier = small().fit(*blobs)
    before = weights_of(classifier)
    np.testing.assert_array_equal(weights_of(classifier.fit(*blobs)), before)
    assert classifier.n_iter_ == 5


def test_partial_fit_takes_chunks_that_lack_a_class(blobs):
    X, y = blobs
    classifier = small()
    for _ in range(30):
        for label in (0, 1):
            classifier.partial_fit(X[y == label], y[y == label], classes=[0, 1])
    assert classifier.predict_proba(X).shape == (40, 2)


def test_partial_fit_draws_another_order_each_time(blobs):
    X, y = blobs
    once = small(epochs=1, batch_size=4).fit(X, y)
    again = copy.deepcopy(once)
    once.partial_fit(X, y)
    again.set_params(shuffle=False).partial_fit(X, y)
    assert not np.array_equal(weights_of(once), weights_of(again))


def test_partial_fit_takes_weights_as_they_are(blobs):
    X, y = blobs
    heavy = small().partial_fit(X, y, classes=[0, 1])
    light = copy.deepcopy(heavy)
    heavy.partial_fit(X, y, sample_weight=np.ones(len(y)))
    light.partial_fit(X, y, sample_weight=np.full(len(y), 1e-6))
    assert light.history_["loss"][1] < heavy.history_["loss"][1] / 1e5
    assert not np.array_equal(weights_of(heavy), weights_of(light))


@pytest.mark.parametrize(
    ("second_call", "message"),
    [
        ({"classes": [0, 1, 2]}, r"is not the same as on last call to partial_fit"),
        ({"y": np.full(40, 9)}, r"`y` has labels \[9\] that are not in `classes`"),
    ],
)
def test_partial_fit_refuses_what_does_not_go_on(blobs, second_call, message):
    X, y = blobs
    classifier = small().partial_fit(X, y, classes=[0, 1])
    with pytest.raises(ValueError, match=message):
        classifier.partial_fit(X, **({"y": y} | second_call))


def test_partial_fit_needs_classes_first(blobs):
    with pytest.raises(ValueError, match="classes must be passed on the first call"):
        small().partial_fit(*blobs)


def test_partial_fit_refuses_balanced_weights(blobs):
    with pytest.raises(ValueError, match="class_weight='balanced' is not supported"):
        small(class_weight="balanced").partial_fit(*blobs, classes=[0, 1])


def test_partial_fit_takes_a_new_learning_rate(blobs):
    classifier = small().fit(*blobs)
    before = weights_of(classifier)
    classifier.set_params(learning_rate=1e-12).partial_fit(*blobs)
    np.testing.assert_allclose(weights_of(classifier), before, atol=1e-7)


# --- weights ---


def test_class_weight_is_sample_weight_by_class(blobs):
    X, y = blobs
    by_class = small(class_weight={0: 3.0, 1: 0.5}).fit(X, y)
    by_sample = small().fit(X, y, sample_weight=np.where(y == 0, 3.0, 0.5))
    np.testing.assert_array_equal(weights_of(by_class), weights_of(by_sample))


def test_class_weight_multiplies_sample_weight(blobs):
    X, y = blobs
    weights = np.linspace(1, 2, len(y))
    both = small(class_weight={0: 2.0}).fit(X, y, sample_weight=weights)
    product = small().fit(X, y, sample_weight=weights * np.where(y == 0, 2.0, 1.0))
    np.testing.assert_array_equal(weights_of(both), weights_of(product))


def test_balanced_classes_weigh_the_same(blobs):
    X, y = blobs
    X, y = X[:30], y[:30]  # 20 and 10
    balanced = small(class_weight="balanced").fit(X, y)
    by_hand = small(class_weight={0: 0.75, 1: 1.5}).fit(X, y)
    np.testing.assert_array_equal(weights_of(balanced), weights_of(by_hand))


def test_only_ratios_of_weights_count(blobs):
    X, y = blobs
    weights = np.linspace(1, 2, len(y))
    once, thousandfold = (small().fit(X, y, sample_weight=k * weights) for k in (1, 1024))
    np.testing.assert_array_equal(weights_of(once), weights_of(thousandfold))


def test_batch_of_light_samples_stays_light(blobs):
    X, y = blobs
    weights = np.where(y == 0, 1, 1e-9)  # in order, so that half of the batches are of class 1
    classifier = small(shuffle=False, batch_size=10).fit(X, y, sample_weight=weights)
    assert (classifier.predict(X) == 0).all()


def test_negative_class_weight_is_refused(blobs):
    with pytest.raises(ValueError, match="Negative values"):
        small(class_weight={0: -1.0}).fit(*blobs)


# --- a seed means what it says, and nothing is left behind ---


def test_threads_that_draw_meanwhile_do_not_disturb(blobs):
    undisturbed = [weights_of(small(epochs=1).fit(*blobs)) for _ in range(2)]
    done = threading.Event()

    def draw():
        while not done.is_set():
            random.random()

    thread = threading.Thread(target=draw)
    thread.start()
    try:
        disturbed = [weights_of(small(epochs=1).fit(*blobs)) for _ in range(5)]
    finally:
        done.set()
        thread.join()
    for weights in disturbed:
        np.testing.assert_array_equal(weights, undisturbed[0])


def test_network_is_built_again_as_it_was_built(blobs):
    classifier = small(hidden_layer_sizes=[3], dropout=0.5).fit(*blobs)
    classifier.hidden_layer_sizes.append(4)
    classifier.set_params(dropout=0.0)
    again = classifier.build_network_again()
    names = [layer.name for layer in classifier.model_.layers]
    assert [layer.name for layer in again.layers] == names


def test_random_state_rules_the_order_alone_too(blobs):
    X, y = blobs
    shuffled = small(batch_size=4).fit(X, y)
    in_order = small(batch_size=4, shuffle=False).fit(X, y)
    assert not np.array_equal(weights_of(shuffled), weights_of(in_order))


def test_other_random_states_are_left_as_they_were(blobs):
    def drawn_next():
        seeds = keras.random.uniform((2,)), tf.random.uniform((2,))
        return random.random(), np.random.random(), *(np.asarray(s).tolist() for s in seeds)  # noqa: NPY002

    def after(action):
        keras.utils.set_random_seed(7)
        action()
        return drawn_next()

    def fit():
        small(dropout=0.5).fit(*blobs).predict(blobs[0])

    assert after(fit) == after(lambda: None)


def test_determinism_of_tensorflow_stays_off(blobs):
    small().fit(*blobs)
    tf.random.uniform((1,))  # would raise where ops must be deterministic and have no seed
    tf.nn.dropout(tf.ones((2,)), 0.5)


def test_arrays_of_the_caller_are_never_written_to(blobs):
    X, y = (array.copy() for array in blobs)
    weights = np.ones(len(y))
    before = [array.copy() for array in (X, y, weights)]
    for array in (X, y, weights):
        array.flags.writeable = False
    classifier = small(class_weight="balanced").fit(X, y, sample_weight=weights)
    classifier.predict_proba(X)
    for array, copied in zip((X, y, weights), before, strict=True):
        np.testing.assert_array_equal(array, copied)


def test_balanced_classes_count_samples_by_their_weights(blobs):
    X, y = blobs
    X, y = X[:30], y[:30]  # 20 and 10
    twice = np.where(y == 1, 2.0, 1.0)  # as if each of the second class was there twice
    balanced = small(class_weight="balanced").fit(X, y, sample_weight=twice)
    by_hand = small().fit(X, y, sample_weight=twice)  # 20 and 20, so balanced already
    np.testing.assert_allclose(weights_of(balanced), weights_of(by_hand), rtol=1e-5, atol=1e-6)
