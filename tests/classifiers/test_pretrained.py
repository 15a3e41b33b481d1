"""Classifiers by a network that was trained before, with a new head."""

import copy
import pickle
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers
from sklearn.model_selection import GridSearchCV

from skcifar import (
    PretrainedClassifier,
    load_model,
    make_pretrained_pipeline,
    save_model,
)
from skcifar.classifiers import _fitting
from skcifar.persistence import ModelFileError

SHAPE = (6, 6, 1)
PARAMS = {"epochs": 3, "batch_size": 8, "random_state": 0}


def save_network(path, *, end=True):
    inputs = keras.Input(SHAPE)
    x = layers.Conv2D(4, 3, activation="relu", name="first")(inputs)
    x = layers.BatchNormalization(name="normalization")(x)
    x = layers.Conv2D(8, 3, activation="relu", name="second")(x)
    if end:
        x = layers.Flatten()(x)
        x = layers.Dropout(0.5)(x)
        x = layers.Dense(3, activation="softmax")(x)
    keras.Model(inputs, x).save(path)
    return str(path)


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    keras.utils.set_random_seed(0)
    return save_network(tmp_path_factory.mktemp("networks") / "network.keras")


@pytest.fixture(scope="module")
def pictures():
    rng = np.random.default_rng(0)
    y = np.arange(40) % 2
    return (rng.random((40, *SHAPE)) * (0.3 + 0.7 * y[:, None, None, None])).astype("float32"), y


def body_of(classifier):
    return classifier.model_.get_layer("body")


def test_new_head_learns_on_a_body_that_stays_as_it_was(file, pictures):
    X, y = pictures
    classifier = PretrainedClassifier(
        network=file, **PARAMS | {"epochs": 20, "learning_rate": 0.05}
    ).fit(X, y)
    assert classifier.score(X, y) > 0.9
    before = keras.saving.load_model(file).get_layer("second").get_weights()
    for one, other in zip(
        body_of(classifier).get_layer("second").get_weights(), before, strict=True
    ):
        np.testing.assert_array_equal(one, other)


def test_a_last_layer_of_probabilities_is_no_part_of_the_body(file, pictures):
    classifier = PretrainedClassifier(network=file, **PARAMS).fit(*pictures)
    assert not any(isinstance(layer, layers.Dense) for layer in body_of(classifier).layers)


def test_maps_are_averaged(tmp_path, pictures):
    path = save_network(tmp_path / "network.keras", end=False)
    classifier = PretrainedClassifier(network=path, **PARAMS).fit(*pictures)
    assert classifier.model_.layers[-1].input_shape == (None, 8)


def test_output_layer_is_where_the_head_begins(file, pictures):
    classifier = PretrainedClassifier(network=file, output_layer="first", **PARAMS).fit(*pictures)
    assert classifier.model_.layers[-1].input_shape == (None, 4)


@pytest.mark.parametrize(
    "params",
    [
        {"early_stopping": True, "validation_fraction": 0.3},
        pytest.param({}, marks=pytest.mark.slow),
    ],
)
def test_pictures_that_pass_the_body_once_train_the_same_head(file, pictures, params, monkeypatch):
    params = {"hidden_layer_sizes": (4,)} | PARAMS | params
    once = PretrainedClassifier(network=file, **params).fit(*pictures)
    monkeypatch.setattr(PretrainedClassifier, "_frozen_and_trained", lambda self: None)
    each_time = PretrainedClassifier(network=file, **params).fit(*pictures)
    # float32 rounds sums in another order, in some 15 steps
    np.testing.assert_allclose(
        once.predict_proba(pictures[0]), each_time.predict_proba(pictures[0]), rtol=1e-4
    )
    np.testing.assert_allclose(once.history_["loss"], each_time.history_["loss"], rtol=1e-4)


def test_pictures_pass_a_frozen_body_once(file, pictures, monkeypatch):
    seen = []
    compute = _fitting.predict_outputs
    monkeypatch.setattr(
        _fitting, "predict_outputs", lambda *args: seen.append(args) or compute(*args)
    )
    PretrainedClassifier(network=file, validation_fraction=0.3, **PARAMS).fit(*pictures)
    assert len(seen) == 1


@pytest.mark.parametrize("params", [{"max_shift": 0.2}, {"train_from": "second"}])
def test_pictures_that_change_or_layers_that_train_take_the_whole_network(
    file, pictures, params, monkeypatch
):
    monkeypatch.setattr(_fitting, "predict_outputs", None)
    PretrainedClassifier(network=file, **PARAMS, **params).fit(*pictures)


def test_layers_are_trained_from_the_one_that_is_named(file, pictures):
    classifier = PretrainedClassifier(network=file, train_from="second", **PARAMS).fit(*pictures)
    before = keras.saving.load_model(file)

    def is_unchanged(name):
        pairs = zip(
            body_of(classifier).get_layer(name).get_weights(),
            before.get_layer(name).get_weights(),
            strict=True,
        )
        return all(np.array_equal(one, other) for one, other in pairs)

    assert is_unchanged("first")
    assert is_unchanged("normalization")
    assert not is_unchanged("second")


def test_body_sees_the_range_of_pixels_that_it_expects(file, pictures):
    X, y = pictures
    plain = PretrainedClassifier(network=file, **PARAMS).fit(X * 2 - 1, y)
    scaled = PretrainedClassifier(network=file, pixel_range=(-1, 1), **PARAMS).fit(X, y)
    # the same numbers but for rounding
    np.testing.assert_allclose(plain.predict_proba(X * 2 - 1), scaled.predict_proba(X), rtol=1e-3)


def test_pickles_and_copies_predict_alike_without_the_file(tmp_path, pictures):
    path = save_network(tmp_path / "network.keras")
    classifier = PretrainedClassifier(network=path, **PARAMS).fit(*pictures)
    (tmp_path / "network.keras").unlink()
    for again in (pickle.loads(pickle.dumps(classifier)), copy.deepcopy(classifier)):
        np.testing.assert_array_equal(
            again.predict_proba(pictures[0]), classifier.predict_proba(pictures[0])
        )


def test_another_file_is_read_when_it_is_fitted_again(file, tmp_path, pictures):
    other = save_network(tmp_path / "other.keras", end=False)
    classifier = PretrainedClassifier(network=file, **PARAMS).fit(*pictures)
    first = classifier.body_
    classifier.set_params(network=other).fit(*pictures)
    assert not np.array_equal(first, classifier.body_)


def test_training_goes_on_by_partial_fit_and_warm_start(file, pictures):
    classifier = PretrainedClassifier(network=file, warm_start=True, **PARAMS).fit(*pictures)
    classifier.partial_fit(*pictures).fit(*pictures)
    assert classifier.n_iter_ == 7


def test_checkpoint_goes_on_to_the_same_weights(file, pictures, tmp_path):
    params = {"network": file} | PARAMS
    PretrainedClassifier(**params | {"epochs": 1}, checkpoint=tmp_path / "c").fit(*pictures)
    resumed = PretrainedClassifier(**params, checkpoint=tmp_path / "c").fit(*pictures)
    unbroken = PretrainedClassifier(**params).fit(*pictures)
    np.testing.assert_array_equal(
        resumed.predict_proba(pictures[0]), unbroken.predict_proba(pictures[0])
    )


def test_checkpoint_of_another_network_file_is_refused(tmp_path, pictures):
    path = save_network(tmp_path / "network.keras")
    params = {"network": path, "checkpoint": tmp_path / "c"} | PARAMS
    PretrainedClassifier(**params).fit(*pictures)
    save_network(path)
    with pytest.raises(ModelFileError, match="the file of network is not the same"):
        PretrainedClassifier(**params).fit(*pictures)


def test_model_file_is_loaded_by_who_trusts_it(file, pictures, tmp_path):
    X, y = (pictures[0] * 255).astype(np.uint8), pictures[1]
    pipeline = make_pretrained_pipeline(network=Path(file), hidden_layer_sizes=(3,), **PARAMS).fit(
        X, y
    )
    save_model(pipeline, tmp_path / "model.safetensors")
    with pytest.raises(ModelFileError, match="trusted=True"):
        load_model(tmp_path / "model.safetensors")
    loaded = load_model(tmp_path / "model.safetensors", trusted=True)
    np.testing.assert_array_equal(loaded.predict_proba(X), pipeline.predict_proba(X))


def test_head_is_searched(file, pictures):
    search = GridSearchCV(
        PretrainedClassifier(network=file, **PARAMS), {"dropout": [0, 0.5]}, cv=2
    ).fit(*pictures)
    assert search.best_score_ > 0


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({}, "needs the file of a network"),
        ({"network": "missing.keras"}, "'missing.keras' cannot be read by Keras"),
        ({"output_layer": "third"}, "output_layer='third' is no layer .* are first"),
        ({"train_from": "third"}, "train_from='third' is no layer"),
        ({"pixel_range": (1, 0)}, r"'pixel_range' parameter .* Got \(1, 0\)"),
        ({"hidden_layer_sizes": (0,)}, "'hidden_layer_sizes' parameter"),
    ],
)
def test_wrong_parameters_are_named(file, pictures, params, message):
    if params and "network" not in params:
        params = params | {"network": file}
    with pytest.raises(ValueError, match=message):
        PretrainedClassifier(**PARAMS, **params).fit(*pictures)


def test_pictures_of_another_size_are_refused(file, pictures):
    with pytest.raises(ValueError, match=r"takes samples of shape \(6, 6, 1\), and .* \(5, 6, 1\)"):
        PretrainedClassifier(network=file, **PARAMS).fit(pictures[0][:, :5], pictures[1])


def test_lambda_layers_are_refused(tmp_path, pictures):
    inputs = keras.Input(SHAPE)
    path = tmp_path / "network.keras"
    keras.Model(inputs, layers.Lambda(lambda x: x * 2)(inputs)).save(path)
    with pytest.raises(ValueError, match="cannot be read by Keras"):
        PretrainedClassifier(network=path, **PARAMS).fit(*pictures)
