"""The fast way to train and predict on TensorFlow: as Keras does, and nothing is made twice."""

import copy
import gc
import pickle
import weakref
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from unittest import mock

import keras
import numpy as np
import pytest
from small_networks import small, weights_of

from skcifar import (
    build_convolutional_network,
    build_dense_network,
    build_whitening_network,
    make_dense_pipeline,
)
from skcifar.networks import Dropout, seeded_layers
from skcifar.training import _fit as training
from skcifar.training._augmentation import Augmentation
from skcifar.training._fit import Training, compile_network, recompile, train_network
from skcifar.training._muon import Muon
from skcifar.training._predict import predict_probabilities
from skcifar.training._schedules import Schedule

if keras.config.backend() != "tensorflow":
    pytest.skip(
        "the engine is TensorFlow's; other backends train by Keras", allow_module_level=True
    )

import tensorflow as tf

from skcifar.training._tensorflow import _loops as _engine

layers = keras.layers
BATCH = 8
FEATURES = 6
CLASSES = 3


class AsksForBatches(keras.callbacks.Callback):
    """Makes training go through Keras' own fit."""

    def __init__(self):
        super().__init__()
        self.n_batches = 0

    def on_train_batch_end(self, batch, logs=None):
        self.n_batches += 1


@pytest.fixture
def samples():
    rng = np.random.default_rng(0)
    X = rng.random((6 * BATCH + 3, FEATURES)).astype(keras.config.floatx())
    y = np.eye(CLASSES, dtype=X.dtype)[rng.integers(CLASSES, size=len(X))]
    weights = rng.uniform(0.5, 2, size=len(X))
    weights[-2] = 0
    return X, y, weights


@pytest.fixture
def always_in_loop(monkeypatch):
    """Even the smallest epochs go through the loop over many batches."""
    monkeypatch.setattr(_engine, "LEAST_BATCHES_FOR_LOOP", 1)
    monkeypatch.setattr(_engine, "LEAST_BATCHES_A_CALL", 1)


@pytest.fixture
def tracing(monkeypatch):
    """A list that grows for each step that is traced and each network that is copied."""
    traced = []
    step, copied = _engine.TrainingLoop._step, _engine._copy
    forward = _engine._compiled_forward_pass

    def traced_step(self, *batch):
        traced.append("step")
        return step(self, *batch)

    def traced_copy(network):
        traced.append("copy")
        return copied(network)

    def traced_forward(*args):
        traced.append("forward")
        return forward(*args)

    monkeypatch.setattr(_engine.TrainingLoop, "_step", traced_step)
    monkeypatch.setattr(_engine, "_copy", traced_copy)
    monkeypatch.setattr(_engine, "_compiled_forward_pass", traced_forward)
    return traced


def demanding_network(*noise):
    """All in play that differs between training and prediction, or between one way and another."""
    with seeded_layers(0):
        inputs = keras.Input((FEATURES,))
        x = layers.Dense(16, activation="relu", kernel_regularizer="l2")(inputs)
        x = layers.BatchNormalization()(x)
        for layer in noise:
            x = layer(x)
        x = layers.Dense(8, kernel_constraint="max_norm")(x)
        outputs = layers.Dense(CLASSES, activation="softmax")(x)
        network = keras.Model(inputs, outputs)
    compile_network(network, learning_rate=0.01)
    return network


def compiled_dense_network():
    network = build_dense_network((FEATURES,), CLASSES)
    compile_network(network, learning_rate=0.01)
    return network


def paths_of(network):
    return [v.path for v in (*network.variables, *network.optimizer.variables)]


def state_of(network):
    return [np.array(v) for v in (*network.variables, *network.optimizer.variables)]


# --- it gives what Keras' own fit gives ---


def assert_equal_training(samples, by_engine, by_keras, *, shuffle=True, **params):
    training = Training(seed=5, **params)
    params = {"batch_size": BATCH, "shuffle": shuffle}
    with mock.patch.object(_engine, "train_epoch", wraps=_engine.train_epoch) as train_epoch:
        ours = train_network(by_engine, *samples, training=training, **params)
    assert train_epoch.call_count == training.epochs  # so it was not Keras both times
    training.callbacks = [AsksForBatches()]
    theirs = train_network(by_keras, *samples, training=training, **params)
    assert set(ours) == set(theirs)
    for name, values in ours.items():
        np.testing.assert_allclose(values, theirs[name], rtol=1e-6)
    for mine, other in zip(state_of(by_engine), state_of(by_keras), strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-6, atol=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("n_batches", range(1, 7))
@pytest.mark.parametrize("by_xla", [False, True])
@pytest.mark.usefixtures("float64", "always_in_loop")
def test_every_compiled_step_is_the_one_of_keras(samples, n_batches, by_xla):
    first = [array[: n_batches * BATCH] for array in samples]

    def network():
        if by_xla:
            return demanding_network(Dropout(0.4, seed=1))
        return demanding_network(layers.Dropout(0.4, seed=1), layers.GaussianNoise(0.1, seed=2))

    by_engine, by_keras = network(), network()
    by_keras.compile(by_keras.optimizer, by_keras.loss, metrics=["accuracy"], jit_compile=by_xla)
    assert_equal_training(first, by_engine, by_keras, epochs=1, shuffle=False)


@pytest.mark.slow
@pytest.mark.usefixtures("float64", "always_in_loop")
def test_compiled_epochs_and_their_last_batches_are_those_of_keras(samples):
    networks = demanding_network(), demanding_network()
    assert_equal_training(samples, *networks, epochs=3)


@pytest.mark.slow
@pytest.mark.usefixtures("float64")
def test_epochs_that_are_not_compiled_are_those_of_keras(samples):
    assert_equal_training(samples, demanding_network(), demanding_network(), epochs=3)


@pytest.mark.slow
@pytest.mark.parametrize("schedule", [None, Schedule("cosine", 0.01)])
@pytest.mark.usefixtures("float64", "always_in_loop")
def test_schedules_and_decay_are_those_of_keras(samples, schedule):
    networks = [demanding_network() for _ in range(2)]
    for network in networks:
        compile_network(network, learning_rate=0.01, weight_decay=0.1)
    assert_equal_training(samples, *networks, epochs=3, schedule=schedule)


@pytest.mark.slow
@pytest.mark.parametrize("augmentation", [None, Augmentation(True, 1 / 8)])
@pytest.mark.usefixtures("float64", "always_in_loop")
def test_convolutions_in_the_loop_are_those_of_keras(augmentation):
    rng = np.random.default_rng(0)
    X = rng.random((5 * BATCH + 3, 8, 8, 3))
    samples = X, np.eye(CLASSES)[rng.integers(CLASSES, size=len(X))], np.ones(len(X))

    def network():
        with seeded_layers(0):
            network = build_whitening_network((8, 8, 3), CLASSES, filters=(4,))
        compile_network(network, learning_rate=0.01, label_smoothing=0.1)
        return network

    assert_equal_training(samples, network(), network(), epochs=2, augmentation=augmentation)


@pytest.mark.slow
@pytest.mark.parametrize("is_convolutional", [False, True])
@pytest.mark.usefixtures("float64", "always_in_loop")
def test_muon_in_the_loop_is_that_of_keras_fit(is_convolutional):
    rng = np.random.default_rng(0)
    X = rng.random((5 * BATCH + 3, 8, 8, 3))
    samples = X, np.eye(CLASSES)[rng.integers(CLASSES, size=len(X))], np.ones(len(X))
    build = build_convolutional_network if is_convolutional else build_dense_network

    def network():
        with seeded_layers(0):
            network = build((8, 8, 3), CLASSES)
        recompile(network, Muon(0.05, weight_decay=0.1), label_smoothing=0.1)
        return network

    assert_equal_training(samples, network(), network(), epochs=2)


def network_with_dropout_of_keras(n_classes):
    inputs = keras.Input((4,))
    return keras.Model(inputs, layers.Dense(n_classes)(layers.Dropout(0.5)(inputs)))


@pytest.mark.parametrize(
    ("build", "by_xla"),
    [
        (partial(build_dense_network, (4,), dropout=0.5), True),
        (partial(build_dense_network, (4,), batch_normalization=True), True),
        (network_with_dropout_of_keras, False),
        (partial(build_convolutional_network, (8, 8, 3)), False),
        (partial(build_whitening_network, (8, 8, 3)), False),
    ],
)
def test_xla_compiles_what_it_is_fast_at(build, by_xla):
    assert _engine._is_faster_by_xla(build(2)) is by_xla


@pytest.mark.usefixtures("always_in_loop")
def test_compiled_dropout_drops_its_share_and_other_units_each_time():
    inputs = keras.Input((1000,))
    x = Dropout(0.3, seed=1)(inputs)
    network = keras.Model(inputs, x)
    dropped = tf.function(lambda X: network(X, training=True), jit_compile=True)
    first, second = (np.array(dropped(np.ones((50, 1000), np.float32))) for _ in range(2))
    assert np.mean(first == 0) == pytest.approx(0.3, abs=0.01)
    np.testing.assert_allclose(first[first > 0], 1 / 0.7, rtol=1e-6)
    assert np.mean(first == second) == pytest.approx(0.3**2 + 0.7**2, abs=0.02)


@pytest.mark.slow
@pytest.mark.usefixtures("always_in_loop")
def test_more_batches_than_one_call_takes_are_all_trained_on(samples, monkeypatch):
    at_once, in_parts = demanding_network(), demanding_network()
    params = {"training": Training(epochs=2), "batch_size": BATCH}
    train_network(at_once, *samples, **params)
    monkeypatch.setattr(_engine, "MOST_BATCHES_A_CALL", 4)
    monkeypatch.setattr(_engine, "_idle_loops", [])
    train_network(in_parts, *samples, **params)
    for ours, theirs in zip(state_of(at_once), state_of(in_parts), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-7)


def test_layer_that_xla_does_not_take_is_trained_without():
    inputs = keras.Input((8, 8, 1))
    x = layers.RandomRotation(0.1)(inputs)
    network = keras.Model(inputs, layers.Dense(2, activation="softmax")(layers.Flatten()(x)))
    compile_network(network, learning_rate=0.01)
    X = np.zeros((100, 8, 8, 1), np.float32)
    X[:50] = 1
    y = np.eye(2, dtype=np.float32).repeat(50, axis=0)
    history = train_network(network, X, y, training=Training(epochs=3), batch_size=4)
    assert history["loss"][-1] < history["loss"][0]


# --- it steps aside, and listens to callbacks ---


@pytest.mark.parametrize(
    "make_callback",
    [
        lambda calls: type(
            "Own", (keras.callbacks.Callback,), {"on_batch_begin": lambda *_, **__: calls.append(1)}
        )(),
        lambda calls: keras.callbacks.LambdaCallback(
            on_train_batch_end=lambda *_, **__: calls.append(1)
        ),
    ],
    ids=["by its class", "by an attribute"],
)
def test_callback_that_requests_batches_gets_each(blobs, make_callback):
    calls = []
    small(batch_size=15, epochs=2, callbacks=[make_callback(calls)]).fit(*blobs)
    assert len(calls) == 6


def test_callback_of_epochs_alone_does_not_slow_training(blobs, tracing):
    stopping = keras.callbacks.EarlyStopping("loss")
    small(hidden_layer_sizes=(9, 9), callbacks=[stopping]).fit(*blobs)
    assert "step" in tracing


def test_callback_rules_the_learning_rate(blobs):
    rates = keras.callbacks.LearningRateScheduler(lambda epoch: 0.1 if epoch == 0 else 0.0)
    two = small(epochs=2, callbacks=[rates]).fit(*blobs)
    one = small(epochs=1, learning_rate=0.1).fit(*blobs)
    np.testing.assert_array_equal(weights_of(two), weights_of(one))


def test_callback_stops_training_and_brings_weights_back(blobs):
    stopping = keras.callbacks.EarlyStopping(
        "loss", mode="max", patience=1, restore_best_weights=True
    )
    stopped = small(epochs=9, callbacks=[stopping]).fit(*blobs)
    assert stopped.n_iter_ == 2  # the loss falls, so that the first epoch is "best"
    np.testing.assert_array_equal(weights_of(stopped), weights_of(small(epochs=1).fit(*blobs)))


def test_callback_sees_the_weights_of_its_epoch(blobs):
    seen = []
    look = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda *_: seen.append(look.model.get_weights()[0].copy())
    )
    small(epochs=2, callbacks=[look]).fit(*blobs)
    assert not np.array_equal(*seen)


def test_progress_bar_counts_batches(blobs, capsys):
    small(verbose=1, epochs=1, batch_size=15).fit(*blobs)
    assert "3/3" in capsys.readouterr().out


# --- nothing is made twice, and not much is kept ---


@pytest.mark.slow
@pytest.mark.usefixtures("always_in_loop")
def test_second_fit_of_a_known_shape_traces_nothing(blobs, tracing):
    X, y = blobs
    params = {"hidden_layer_sizes": (7,), "batch_size": 9, "dropout": 0.2}
    small(**params).fit(X, y).predict(X)
    assert tracing.count("step") > 0
    tracing.clear()
    for schedule in ("constant", "cosine", "one-cycle"):
        other = {"learning_rate": 0.007, "learning_rate_schedule": schedule}
        other |= {"class_weight": {0: 2.0}, "epochs": 2, "random_state": 7}
        small(**params, **other).fit(X[:25], y[:25]).predict(X[:3])
    assert not tracing


def test_another_shape_is_traced(blobs, tracing):
    X, y = blobs
    small(hidden_layer_sizes=(5,)).fit(X, y)
    tracing.clear()
    small(hidden_layer_sizes=(5, 4)).fit(X, y)
    assert tracing


@pytest.mark.slow
def test_only_so_many_compiled_functions_are_kept(blobs):
    for size in range(_engine.KEPT + 2):
        small(hidden_layer_sizes=(10 + size,), epochs=1).fit(*blobs)
    assert len(_engine._idle_loops) == _engine.KEPT
    assert len(_engine._forward_passes) <= _engine.KEPT


def test_fewer_of_large_networks_are_kept(blobs, monkeypatch):
    monkeypatch.setattr(_engine, "KEPT_BYTES", 0)
    for size in (10, 11):
        small(hidden_layer_sizes=(size,), epochs=1).fit(*blobs)
    assert len(_engine._idle_loops) == 1


def test_network_that_is_gone_is_not_kept(blobs):
    network = weakref.ref(small().fit(*blobs).model_)
    gc.collect()
    assert network() is None


@pytest.mark.slow
def test_networks_that_are_gone_do_not_wait_for_pythons_collector(monkeypatch):
    monkeypatch.setattr(training, "BYTES_OF_GARBAGE", 0)
    gc.collect()
    gc.disable()
    try:
        networks = [weakref.ref(demanding_network()) for _ in range(6)]
        assert sum(network() is not None for network in networks) < 3
    finally:
        gc.enable()


def test_networks_of_one_shape_use_the_same_names_of_variables():
    first, second = (compiled_dense_network() for _ in range(2))
    assert paths_of(first) == paths_of(second)


@pytest.mark.usefixtures("always_in_loop")
def test_training_again_gives_the_same_weights_whatever_was_trained_between(blobs):
    first = small(batch_size=4).fit(*blobs)
    small(batch_size=4, random_state=8, learning_rate=0.5).fit(*blobs)
    np.testing.assert_array_equal(weights_of(first), weights_of(small(batch_size=4).fit(*blobs)))


# --- memory ---


@pytest.fixture
def arrays_that_are_trained_on(monkeypatch):
    arrays = []
    train_epoch = _engine.train_epoch

    def spy(key, network, epoch, **kwargs):
        arrays.extend(epoch.arrays)
        return train_epoch(key, network, epoch, **kwargs)

    monkeypatch.setattr(_engine, "train_epoch", spy)
    return arrays


def test_samples_are_trained_on_where_they_lie(blobs, arrays_that_are_trained_on):
    X, y = blobs
    weights = np.arange(len(y))  # one of them 0
    small(epochs=1, class_weight="balanced").fit(X, y, sample_weight=weights)
    assert arrays_that_are_trained_on[0] is X or np.shares_memory(arrays_that_are_trained_on[0], X)


def test_samples_in_another_memory_order_are_copied_once(blobs, arrays_that_are_trained_on):
    X, y = blobs
    by_columns = small().fit(np.asfortranarray(X), y)
    first, *others = arrays_that_are_trained_on[::3]
    assert first.flags.c_contiguous
    assert all(array is first for array in others)
    np.testing.assert_array_equal(weights_of(by_columns), weights_of(small().fit(X, y)))


def test_nothing_is_in_float64(arrays_that_are_trained_on):
    X = np.random.default_rng(0).integers(256, size=(20, 4, 4, 3), dtype=np.uint8)
    weights = np.linspace(1, 2, 20)
    pipeline = make_dense_pipeline(hidden_layer_sizes=(3,), epochs=1)
    pipeline.fit(X, np.arange(20) % 2, classify__sample_weight=weights)
    assert {array.dtype.name for array in arrays_that_are_trained_on} == {"float32"}
    assert {np.dtype(v.dtype).name for v in pipeline[-1].model_.weights} == {"float32"}


# --- networks whose key does not say all ---


def pictures_and_labels(*shape):
    X = np.random.default_rng(0).random((60, *shape), dtype=np.float32)
    return X, np.eye(CLASSES, dtype=np.float32)[np.arange(60) % CLASSES]


def with_softmax(inputs, x):
    x = layers.Flatten()(x)
    network = keras.Model(inputs, layers.Dense(CLASSES, activation="softmax")(x))
    compile_network(network, learning_rate=0.01)
    return network


def test_input_without_fixed_sizes():
    inputs = keras.Input((None, None, 3))
    x = layers.GlobalAveragePooling2D()(layers.Conv2D(4, 3)(inputs))
    network = with_softmax(inputs, x)
    train_network(
        network, *pictures_and_labels(6, 6, 3), training=Training(epochs=1), batch_size=BATCH
    )
    X, _ = pictures_and_labels(8, 8, 3)
    np.testing.assert_allclose(predict_probabilities(network, X), network(X), rtol=1e-5)


def test_axis_that_keras_adds():
    inputs = keras.Input((6, 6, 1))
    network = with_softmax(inputs, layers.Conv2D(4, 3)(inputs))
    X, y = pictures_and_labels(6, 6)
    train_network(network, X, y, training=Training(epochs=1), batch_size=BATCH)
    np.testing.assert_allclose(predict_probabilities(network, X), network(X), rtol=1e-5)


def test_weight_that_is_frozen_by_itself_stays():
    inputs = keras.Input((6, 6, 1))
    layer = layers.Conv2D(4, 3)
    x = layer(inputs)
    layer.kernel.trainable = False
    network = with_softmax(inputs, x)
    before = np.array(layer.kernel)
    train_network(
        network, *pictures_and_labels(6, 6, 1), training=Training(epochs=1), batch_size=BATCH
    )
    np.testing.assert_array_equal(layer.kernel, before)


@pytest.mark.slow
def test_layer_inside_a_layer_that_xla_does_not_take():
    inputs = keras.Input((6, 6, 3))
    network = with_softmax(inputs, layers.RandAugment((0, 1))(inputs))
    X, y = pictures_and_labels(6, 6, 3)
    history = train_network(network, X, y, training=Training(epochs=1), batch_size=2)
    assert np.isfinite(history["loss"]).all()


def test_activation_that_was_exchanged_counts(blobs):
    X, _ = blobs
    classifier = small().fit(*blobs)
    classifier.predict_proba(X)
    classifier.model_.layers[-1].activation = keras.activations.linear
    np.testing.assert_allclose(classifier.predict_proba(X), classifier.model_(X), rtol=1e-5)


def test_chunks_of_any_size_share_one_compiled_function(blobs, tracing):
    X, y = blobs
    classifier = small(hidden_layer_sizes=(13,)).partial_fit(X, y, classes=[0, 1])
    tracing.clear()
    for n in (3, 7, 20):
        classifier.partial_fit(X[:n], y[:n])
    assert not tracing


# --- threads and processes ---


@pytest.mark.slow
@pytest.mark.usefixtures("always_in_loop")
def test_threads_may_fit_at_once(blobs):
    def fit(seed):
        return weights_of(small(batch_size=4, dropout=0.2, random_state=seed).fit(*blobs))

    expected = [fit(seed) for seed in range(6)]
    with ThreadPoolExecutor(3) as pool:
        for ours, theirs in zip(pool.map(fit, range(6)), expected, strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_threads_may_predict_at_once(blobs):
    X, _ = blobs
    classifier = small().fit(*blobs)
    expected = classifier.predict_proba(X)
    with ThreadPoolExecutor(4) as pool:
        for ours in pool.map(lambda _: classifier.predict_proba(X), range(20)):
            np.testing.assert_array_equal(ours, expected)


# --- prediction ---


def test_prediction_follows_further_training(blobs):
    X, y = blobs
    classifier = small(epochs=1).fit(X, y)
    before = classifier.predict_proba(X)
    after = classifier.partial_fit(X, y).predict_proba(X)
    assert not np.array_equal(before, after)
    np.testing.assert_allclose(after, classifier.model_(X), rtol=1e-6)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda c: pickle.loads(pickle.dumps(c))])
def test_copy_of_a_classifier_that_has_predicted_predicts_the_same(blobs, copied):
    X, _ = blobs
    classifier = small().fit(*blobs)
    before = classifier.predict_proba(X)
    np.testing.assert_array_equal(copied(classifier).predict_proba(X), before)


def test_any_number_of_rows_is_one_compiled_function(blobs, tracing):
    X, _ = blobs
    classifier = small(hidden_layer_sizes=(6,)).fit(*blobs)
    classifier.predict(X[:1])
    classifier.predict(X[:2])
    tracing.clear()
    for n in range(1, 20):
        assert classifier.predict(X[:n]).shape == (n,)
    assert not tracing


class OwnDense(layers.Dense):
    pass


def test_layer_of_ones_own_is_trained_and_predicted_with_by_keras(samples, tracing):
    X, y, _ = samples
    inputs = keras.Input((FEATURES,))
    network = keras.Model(inputs, OwnDense(CLASSES, activation="softmax")(inputs))
    compile_network(network, learning_rate=0.01)
    history = train_network(network, X, y, training=Training(epochs=5), batch_size=BATCH)
    assert history["loss"][-1] < history["loss"][0]
    np.testing.assert_allclose(predict_probabilities(network, X), network(X), rtol=1e-5)
    assert not tracing


# --- what Keras' own callbacks look up in a network ---


@pytest.mark.parametrize(
    "make_callback",
    [
        lambda: keras.callbacks.EarlyStopping(
            "val_accuracy", patience=1, restore_best_weights=True
        ),
        lambda: keras.callbacks.EarlyStopping("accuracy", patience=1, start_from_epoch=2),
        lambda: keras.callbacks.ReduceLROnPlateau("accuracy", patience=1),
        lambda: keras.callbacks.ReduceLROnPlateau("val_accuracy", patience=1),
    ],
)
def test_callbacks_that_look_metrics_up_do_as_under_keras(blobs, make_callback):
    params = {"epochs": 12, "validation_fraction": 0.3, "learning_rate": 0.05}
    ours = small(**params, callbacks=[make_callback()]).fit(*blobs)
    theirs = small(**params, callbacks=[make_callback(), AsksForBatches()]).fit(*blobs)
    assert ours.n_iter_ == theirs.n_iter_
    np.testing.assert_allclose(weights_of(ours), weights_of(theirs), rtol=1e-3, atol=1e-5)
    rates = [float(c.model_.optimizer.learning_rate) for c in (ours, theirs)]
    assert rates[0] == pytest.approx(rates[1])
