"""Keras' settings of precision and of pictures' axes, set before anything is fitted."""

import pickle
from contextlib import contextmanager

import keras
import numpy as np
import pytest
from parts_files import change_file
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline

from skcifar import (
    DenseClassifier,
    NetworkClassifier,
    ResumableGridSearchCV,
    build_convolutional_network,
    build_dense_network,
    load_model,
    save_model,
)
from skcifar.persistence import ModelFileError

PARAMS = {"epochs": 2, "batch_size": 8, "random_state": 0}


class WithSoftmaxIn16Bits(NetworkClassifier):
    def build_network(self, input_shape, n_classes):
        inputs = keras.Input(input_shape)
        outputs = keras.layers.Dense(n_classes, activation="softmax")(inputs)
        return keras.Model(inputs, outputs)


@contextmanager
def precision(policy, floatx="float32"):
    before = keras.config.dtype_policy()
    keras.config.set_floatx(floatx)
    keras.config.set_dtype_policy(policy)
    try:
        yield
    finally:
        keras.config.set_floatx("float32")
        keras.config.set_dtype_policy(before)


@pytest.fixture(params=[pytest.param("mixed_float16", marks=pytest.mark.slow), "mixed_bfloat16"])
def mixed_precision(request):
    with precision(request.param):
        yield request.param


@pytest.fixture
def channels_first():
    keras.config.set_image_data_format("channels_first")
    yield
    keras.config.set_image_data_format("channels_last")


@pytest.fixture
def ten_classes():
    rng = np.random.default_rng(0)
    return rng.random((40, 6), dtype=np.float32), np.arange(40) % 10


def check_probabilities(classifier, X):
    probabilities = classifier.predict_proba(X)
    assert probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-6)


@pytest.mark.parametrize("cls", [DenseClassifier, WithSoftmaxIn16Bits])
def test_mixed_precision_gives_probabilities_in_float32(cls, mixed_precision, ten_classes):
    X, y = ten_classes
    check_probabilities(cls(**PARAMS).fit(X, y), X)


def test_mixed_precision_goes_on_with_its_loss_scaling(mixed_precision, ten_classes):
    X, y = ten_classes
    classifier = DenseClassifier(**PARAMS).fit(X, y)
    again = pickle.loads(pickle.dumps(classifier))
    if mixed_precision == "mixed_float16":
        assert int(again.model_.optimizer.step_counter) == 10
    classifier.partial_fit(X, y)
    assert classifier.n_iter_ == 3
    np.testing.assert_array_equal(
        again.partial_fit(X, y).predict_proba(X), classifier.predict_proba(X)
    )


def test_mixed_precision_changes_weight_decay_in_partial_fit(mixed_precision, ten_classes):
    X, y = ten_classes
    classifier = DenseClassifier(**PARAMS).fit(X, y).set_params(weight_decay=0.1)
    classifier.partial_fit(X, y)
    optimizer = classifier.model_.optimizer
    assert getattr(optimizer, "inner_optimizer", optimizer).weight_decay == 0.1


def test_mixed_precision_follows_schedules_and_goes_on_from_checkpoints(
    mixed_precision, ten_classes, tmp_path
):
    X, y = ten_classes
    params = PARAMS | {"learning_rate_schedule": "cosine", "checkpoint": tmp_path / "checkpoint"}
    first = DenseClassifier(**params).fit(X, y)
    second = DenseClassifier(**params).fit(X, y)
    np.testing.assert_array_equal(first.predict_proba(X), second.predict_proba(X))


def test_mixed_precision_is_saved_and_loaded(mixed_precision, ten_classes, tmp_path):
    X, y = ten_classes
    classifier = DenseClassifier(**PARAMS).fit(X, y)
    save_model(classifier, tmp_path / "model.safetensors")
    loaded = load_model(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(loaded.predict_proba(X), classifier.predict_proba(X))


@pytest.mark.parametrize(
    ("policy", "floatx", "differing"),
    [
        ("float64", "float64", r"floatx 'float64' \(here 'float32'\), dtype policy 'float64'"),
        ("bfloat16", "float32", r"dtype policy 'bfloat16' \(here 'float32'\)"),
        pytest.param("float16", "float32", "dtype policy 'float16'", marks=pytest.mark.slow),
    ],
)
def test_a_model_of_another_precision_predicts_and_warns(
    policy, floatx, differing, ten_classes, tmp_path
):
    X, y = ten_classes
    path = tmp_path / "model.safetensors"
    with precision(policy, floatx):
        classifier = DenseClassifier(hidden_layer_sizes=(8,), **PARAMS).fit(X, y)
        expected = classifier.predict_proba(X)
        save_model(classifier, path)
    with pytest.warns(UserWarning, match=differing) as warned:
        loaded = load_model(path)
    assert len(warned) == 1
    probabilities = loaded.predict_proba(X)
    assert probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities, expected, atol=0.05)  # of 8 bits
    loaded.partial_fit(X, y)


@pytest.mark.filterwarnings("error")
def test_a_model_of_another_backend_warns_of_nothing(blobs, tmp_path):
    classifier = DenseClassifier(**PARAMS).fit(*blobs)
    save_model(classifier, tmp_path / "model")
    change_file(
        tmp_path / "model", lambda description, _: description["settings"].update(backend="torch")
    )
    loaded = load_model(tmp_path / "model")
    np.testing.assert_array_equal(
        loaded.predict_proba(blobs[0]), classifier.predict_proba(blobs[0])
    )


def test_a_journal_of_another_precision_is_refused(blobs, tmp_path):
    classifier = make_pipeline(DenseClassifier(hidden_layer_sizes=(2,), epochs=1, random_state=0))
    grid = {"denseclassifier__batch_size": [40]}
    search = ResumableGridSearchCV(classifier, grid, cv=2, journal=tmp_path / "journal")
    search.fit(*blobs)
    message = r'differs in dtype policy \("float32" there, "mixed_bfloat16" here\)\.'
    with precision("mixed_bfloat16"), pytest.raises(ValueError, match=message):
        search.fit(*blobs)


def test_a_checkpoint_of_another_precision_is_refused(blobs, tmp_path):
    X, y = blobs
    classifier = DenseClassifier(checkpoint=tmp_path / "checkpoint", **PARAMS).fit(X, y)
    with (
        precision("mixed_bfloat16"),
        pytest.raises(ModelFileError, match="policy was 'float32' and is 'mixed_bfloat16'"),
    ):
        classifier.fit(X, y)


def test_a_softmax_that_is_missing_is_found_in_16_bits(mixed_precision, ten_classes):
    class Sigmoid(NetworkClassifier):
        def build_network(self, input_shape, n_classes):
            inputs = keras.Input(input_shape)
            outputs = keras.layers.Dense(n_classes, activation="sigmoid")(inputs)
            return keras.Model(inputs, outputs)

    with pytest.raises(ValueError, match="add up to 5 instead of 1"):
        Sigmoid(**PARAMS).fit(*ten_classes)


@pytest.fixture
def busy_workers(blobs):
    """Worker processes, and threads that pickle for them, which have seen float32."""
    cross_val_score(DenseClassifier(hidden_layer_sizes=(4,), **PARAMS), *blobs, cv=2, n_jobs=2)


def test_optimizer_and_layers_may_differ_in_precision(blobs):
    keras.config.set_floatx("float64")  # the layers' policy stays
    try:
        classifier = DenseClassifier(weight_decay=0.1, **PARAMS).fit(*blobs)
    finally:
        keras.config.set_floatx("float32")
    assert classifier.predict_proba(blobs[0]).dtype == np.float32


@pytest.mark.slow
def test_worker_processes_compute_in_the_precision_of_this_one(blobs, busy_workers, float64):
    X, y = blobs
    y = np.roll(y, 5)  # not separable, lest losses are 0
    classifier = DenseClassifier(hidden_layer_sizes=(4,), **PARAMS)
    here, there = (
        cross_val_score(classifier, X, y, cv=2, scoring="neg_log_loss", n_jobs=n_jobs)
        for n_jobs in (1, 2)
    )
    # threads may add up in another order; float32 differs by 1e-8
    np.testing.assert_allclose(here, there, rtol=1e-11)


def test_a_pickle_does_not_change_the_settings_of_who_reads_it(blobs):
    pickled = pickle.dumps(DenseClassifier())
    keras.config.set_epsilon(1e-5)
    try:
        pickle.loads(pickled)
        assert keras.config.epsilon() == 1e-5
    finally:
        keras.config.set_epsilon(1e-7)


def test_channels_first_is_refused_by_classifiers(channels_first, blobs):
    with pytest.raises(ValueError, match="image_data_format is 'channels_first'"):
        DenseClassifier().fit(*blobs)


@pytest.mark.parametrize("build", [build_dense_network, build_convolutional_network])
def test_channels_first_is_refused_by_networks(channels_first, build):
    with pytest.raises(ValueError, match="image_data_format is 'channels_first'"):
        build((8, 8, 3), 2)
