import copy
import importlib.util
import math
import os
import pickle
import random
import subprocess
import sys
import time

import joblib
import keras
import numpy as np
import pytest
import sklearn
from custom_estimators import BottleneckClassifier
from parts_files import change_file, read_file, write_file
from safetensors.numpy import save_file
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skcifar import (
    DenseClassifier,
    NetworkClassifier,
    PixelScaler,
    load_model,
    make_convolutional_pipeline,
    make_dense_pipeline,
    make_whitening_pipeline,
    save_model,
)
from skcifar.files._atomic import replacing
from skcifar.files._parts import opened_parts
from skcifar.persistence._models import ModelFileError


class Subtractor(TransformerMixin, BaseEstimator):
    """A transformer that declares nothing of its parameters, as most people's."""

    def fit(self, X, y=None):
        self.mean_ = X.mean(axis=0)
        self._note = np.array(["learned", 1], dtype=object)
        return self

    def transform(self, X):
        return X - self.mean_


@pytest.fixture(scope="session")
def images():
    return np.random.default_rng(0).integers(0, 256, size=(30, 4, 4, 3), dtype=np.uint8)


@pytest.fixture(scope="session")
def pipeline(images):
    y = np.array(["cat", "dog", "frog"] * 10)
    params = {"hidden_layer_sizes": (6, 5), "epochs": 2, "random_state": 0}
    return make_dense_pipeline(**params).fit(images, y)


@pytest.fixture
def path(pipeline, tmp_path):
    path = tmp_path / "model.safetensors"
    save_model(pipeline, path)
    return path


def change_description(path, change):
    change_file(path, lambda description, arrays: change(description))


@pytest.fixture(scope="session")
def networks(images, pipeline):
    """A fitted pipeline of each network."""
    y, params = ["cat", "dog", "frog"] * 10, {"epochs": 1, "random_state": 0}
    small = {"filters": (3, 4), "strides": (1, 2), "hidden_layer_sizes": (5,)}
    return {
        "dense": pipeline,
        "convolutional": make_convolutional_pipeline(**small, **params).fit(images, y),
        "whitening": make_whitening_pipeline(filters=(3, 4), **params).fit(images, y),
    }


@pytest.fixture(scope="session")
def folder(networks, images, tmp_path_factory):
    """A folder with all of them, saved and pickled, and the pictures."""
    folder = tmp_path_factory.mktemp("networks")
    np.save(folder / "images.npy", images)
    for name, pipeline in networks.items():
        save_model(pipeline, folder / f"{name}.safetensors")
        joblib.dump(pipeline, folder / f"{name}.joblib")
    return folder


def predict_elsewhere(folder, load, suffix, backend):
    """Let another process load all models of a folder, and return what they predict."""
    code = (
        "import sys, numpy as np, joblib, skcifar; from pathlib import Path;"
        "X = np.load('images.npy');"
        f"p = {{m.stem: {load}(m).predict_proba(X) for m in Path().glob('*.{suffix}')}};"
        "np.savez(sys.argv[1], **p)"
    )
    file = f"{suffix}-{backend}.npz"
    environment = os.environ | {"KERAS_BACKEND": backend}
    command = [sys.executable, "-c", code, file]
    subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)
    with np.load(folder / file) as predicted:
        return dict(predicted)


@pytest.mark.parametrize("name", ["dense", "convolutional", "whitening"])
def test_loaded_pipeline_predicts_bit_for_bit_alike(name, networks, folder, images):
    loaded, pipeline = load_model(folder / f"{name}.safetensors"), networks[name]
    np.testing.assert_array_equal(loaded.predict_proba(images), pipeline.predict_proba(images))
    np.testing.assert_array_equal(loaded.predict(images), pipeline.predict(images))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("load", "suffix"), [("skcifar.load_model", "safetensors"), ("joblib.load", "joblib")]
)
def test_all_networks_predict_bit_for_bit_alike_in_another_process(
    load, suffix, networks, folder, images
):
    predicted = predict_elsewhere(folder, load, suffix, keras.config.backend())
    assert predicted.keys() == networks.keys()
    for name, pipeline in networks.items():
        np.testing.assert_array_equal(predicted[name], pipeline.predict_proba(images))


@pytest.mark.slow
def test_all_networks_predict_alike_on_another_backend(networks, folder, images):
    (other,) = {"tensorflow", "jax"} - {keras.config.backend()}
    if importlib.util.find_spec(other) is None:
        pytest.skip(f"needs {other}")
    predicted = predict_elsewhere(folder, "skcifar.load_model", "safetensors", other)
    assert predicted.keys() == networks.keys()
    for name, pipeline in networks.items():
        np.testing.assert_allclose(predicted[name], pipeline.predict_proba(images), atol=1e-5)


@pytest.mark.parametrize(
    "copied",
    [
        lambda pipeline, path: pickle.loads(pickle.dumps(pipeline)),
        lambda pipeline, path: joblib.load(joblib.dump(pipeline, path)[0]),
        lambda pipeline, path: copy.deepcopy(pipeline),
    ],
    ids=["pickle", "joblib", "deepcopy"],
)
@pytest.mark.parametrize("name", ["dense", "convolutional", "whitening"])
def test_copied_pipeline_predicts_bit_for_bit_alike(name, copied, networks, images, tmp_path):
    twin = copied(networks[name], tmp_path / "file")
    assert twin is not networks[name]
    np.testing.assert_array_equal(twin.predict_proba(images), networks[name].predict_proba(images))


def test_model_loaded_from_a_file_can_be_pickled(path, images):
    loaded = load_model(path)
    twin = pickle.loads(pickle.dumps(loaded))
    np.testing.assert_array_equal(twin.predict_proba(images), loaded.predict_proba(images))


def test_file_shows_the_versions_that_made_it(path):
    versions = read_file(path)[0]["versions"]
    assert versions["keras"] == keras.__version__
    assert versions["scikit-learn"] == sklearn.__version__
    assert versions["python"] == ".".join(map(str, sys.version_info[:3]))
    assert {"skcifar", "numpy", keras.config.backend()} <= versions.keys()


@pytest.fixture(scope="session")
def binary(blobs):
    return DenseClassifier(hidden_layer_sizes=(3,), epochs=1, random_state=0).fit(*blobs)


@pytest.mark.parametrize(
    "classes",
    [
        np.array(["a", "b"], dtype="<U10"),
        np.array(["a", "ü"], dtype=object),
        np.array([3, 10], dtype=object),
        np.array([False, True]),
        np.array([-3, 5], dtype=np.int8),
        np.array([3, 255], dtype=np.uint8),
        np.array([0.0, 1.0]),
    ],
    ids=lambda classes: str(classes.dtype),
)
def test_classes_keep_their_dtype(classes, binary, blobs, tmp_path):
    classifier = copy.copy(binary)
    classifier.classes_ = classes
    save_model(classifier, tmp_path / "model")
    loaded = load_model(tmp_path / "model")
    assert loaded.classes_.dtype == classes.dtype
    assert list(map(type, loaded.classes_.tolist())) == list(map(type, classes.tolist()))
    np.testing.assert_array_equal(loaded.predict(blobs[0]), classifier.predict(blobs[0]))


def test_history_keeps_epochs_that_had_nothing_to_validate_on(binary, tmp_path):
    classifier = copy.copy(binary)
    history = {"loss": [0.5, math.inf], "accuracy": [0.1, 0.2], "val_loss": [math.nan, 0.1]}
    classifier.history_ = history | {"val_accuracy": [math.nan, 0.3]}
    classifier.n_iter_ = classifier.best_iter_ = 2
    save_model(classifier, tmp_path / "model")
    loaded = load_model(tmp_path / "model")
    assert repr(loaded.history_) == repr(classifier.history_)
    assert (loaded.n_iter_, loaded.best_iter_) == (2, 2)


def test_options_of_a_pipeline_are_kept_but_for_its_memory(images, tmp_path):
    with sklearn.config_context(enable_metadata_routing=True):
        pipeline = make_dense_pipeline(hidden_layer_sizes=(3,), epochs=1)
        pipeline.set_params(memory=str(tmp_path / "cache"), verbose=True)
        pipeline.fit(images, ["cat", "dog", "frog"] * 10)
        save_model(pipeline, tmp_path / "model")
        loaded = load_model(tmp_path / "model")
    assert (loaded.transform_input, loaded.verbose, loaded.memory) == (["X_val"], True, None)


def test_path_of_a_checkpoint_is_not_kept(blobs, tmp_path):
    classifier = DenseClassifier(hidden_layer_sizes=(3,), epochs=1)
    classifier.set_params(checkpoint=str(tmp_path / "checkpoint")).fit(*blobs)
    save_model(classifier, tmp_path / "model")
    assert load_model(tmp_path / "model").checkpoint is None
    assert b"checkpoint" not in (tmp_path / "model").read_bytes()


def test_transformer_of_ones_own_is_saved_with_what_it_learned(blobs, tmp_path):
    pipeline = make_pipeline(Subtractor(), DenseClassifier(hidden_layer_sizes=(3,), epochs=1))
    pipeline.fit(*blobs)
    save_model(pipeline, tmp_path / "model")
    loaded = load_model(tmp_path / "model", custom_classes=[Subtractor])
    np.testing.assert_array_equal(loaded[0].mean_, pipeline[0].mean_)
    np.testing.assert_array_equal(loaded[0]._note, pipeline[0]._note)
    np.testing.assert_array_equal(loaded.predict_proba(blobs[0]), pipeline.predict_proba(blobs[0]))


SAVE_AGAIN_AND_AGAIN = """
import sys
from pathlib import Path
import numpy as np
from skcifar.files._atomic import replacing
from skcifar.files._parts import FORMAT, write_parts

path = Path("model.safetensors")
for number in range(10**9):
    weights = {"a": np.full(200_000, number % 7, np.float32)}
    with replacing(path) as unfinished:
        write_parts(unfinished, {"format": FORMAT, "kind": "model", "number": number}, weights)
    if number == 0:
        print("begun", flush=True)
"""


def test_process_that_is_killed_while_it_saves_leaves_a_file_that_can_be_read(tmp_path):
    rng = random.Random(0)
    for _ in range(4):
        process = subprocess.Popen(
            [sys.executable, "-c", SAVE_AGAIN_AND_AGAIN], cwd=tmp_path, stdout=subprocess.PIPE
        )
        with process:
            assert process.stdout.readline().strip() == b"begun"
            time.sleep(rng.uniform(0, 0.1))
            process.kill()
        with opened_parts(tmp_path / "model.safetensors", kind="model") as parts:
            (weights,) = parts.read_finite(["a"], [((200_000,), "float32")])
            assert (weights == parts.description["number"] % 7).all()


def test_loaded_pipeline_has_the_same_parameters_and_learned_state(pipeline, path):
    loaded = load_model(path)
    assert repr(loaded) == repr(pipeline)
    assert loaded["classify"].get_params() == pipeline["classify"].get_params()
    for name in ("history_", "n_iter_", "sample_shape_", "n_features_in_"):
        assert getattr(loaded["classify"], name) == getattr(pipeline["classify"], name)
    assert loaded.classes_.dtype == pipeline.classes_.dtype
    assert loaded["scale"].sample_shape_ == (4, 4, 3)


def test_loaded_pipeline_learns_further(path, images):
    loaded = load_model(path)
    y = np.array(["cat", "dog", "frog"] * 10)
    flat = loaded[:-1].transform(images)
    assert loaded["classify"].partial_fit(flat, y).n_iter_ == 3


@pytest.mark.parametrize("class_weight", [None, "balanced", {0: 2.0, 1: 1.0}])
def test_classifier_alone_is_saved_with_every_kind_of_parameter(blobs, tmp_path, class_weight):
    classifier = DenseClassifier(
        hidden_layer_sizes=[3], class_weight=class_weight, epochs=1, dropout=0.1
    ).fit(*blobs)
    save_model(classifier, tmp_path / "model")
    loaded = load_model(tmp_path / "model")
    assert loaded.get_params() == classifier.get_params()
    np.testing.assert_array_equal(loaded.predict(blobs[0]), classifier.predict(blobs[0]))


def test_validation_is_reported_by_a_loaded_pipeline(images, tmp_path):
    params = {"hidden_layer_sizes": (6,), "epochs": 3, "random_state": 0}
    pipeline = make_dense_pipeline(early_stopping=True, batch_normalization=True, **params)
    pipeline.fit(images, ["cat", "dog", "frog"] * 10)
    save_model(pipeline, tmp_path / "model.safetensors")
    loaded = load_model(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(loaded.predict_proba(images), pipeline.predict_proba(images))
    for name in ("history_", "n_iter_", "best_iter_", "best_validation_score_"):
        assert getattr(loaded[-1], name) == getattr(pipeline[-1], name)


def test_file_from_before_validation_was_there_is_loaded(path):
    change_description(path, lambda d: d["steps"][-1]["learned"].pop("best_iter_"))
    assert load_model(path)[-1].best_iter_ is None


def test_column_names_are_kept(blobs, tmp_path):
    pandas = pytest.importorskip("pandas")
    X = pandas.DataFrame(blobs[0], columns=list("abcd"))
    save_model(DenseClassifier(epochs=1).fit(X, blobs[1]), tmp_path / "model")
    assert load_model(tmp_path / "model").feature_names_in_.tolist() == list("abcd")


def test_file_is_as_readable_as_any_other(path, tmp_path):
    (tmp_path / "other").touch()
    assert path.stat().st_mode == (tmp_path / "other").stat().st_mode


# --- what cannot be saved ---


def test_unfitted_pipeline_is_not_saved(tmp_path):
    with pytest.raises(NotFittedError):
        save_model(make_dense_pipeline(), tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        (
            make_pipeline(FunctionTransformer(np.abs), DenseClassifier(epochs=1)),
            r"The value <ufunc 'absolute'> of 0/func cannot be saved without pickle",
        ),
        (DenseClassifier(epochs=1, random_state=np.random.RandomState(0)), "Replace it by"),
        (StandardScaler(), "save_model takes a NetworkClassifier or a Pipeline that ends in one"),
    ],
)
def test_what_would_need_pickle_is_not_saved(blobs, tmp_path, estimator, message):
    estimator.fit(*blobs)
    with pytest.raises(ModelFileError, match=message):
        save_model(estimator, tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


def test_class_of_ones_own_is_loaded_only_if_it_is_named(blobs, tmp_path):
    classifier = BottleneckClassifier(epochs=1).fit(*blobs)
    save_model(classifier, tmp_path / "model")
    with pytest.raises(ModelFileError, match=r"custom_classes=\[BottleneckClassifier\]"):
        load_model(tmp_path / "model")
    loaded = load_model(tmp_path / "model", custom_classes=[BottleneckClassifier])
    np.testing.assert_array_equal(
        loaded.predict_proba(blobs[0]), classifier.predict_proba(blobs[0])
    )


def test_class_that_is_named_alone_is_asked_for_in_a_list(tmp_path):
    with pytest.raises(TypeError, match="got BottleneckClassifier alone"):
        load_model(tmp_path / "model", custom_classes=BottleneckClassifier)


def test_step_of_scikit_learn_is_loaded_only_if_it_is_named(blobs, tmp_path):
    pipeline = make_pipeline(StandardScaler(), DenseClassifier(epochs=1)).fit(*blobs)
    save_model(pipeline, tmp_path / "model")
    with pytest.raises(ModelFileError, match=r"custom_classes=\[StandardScaler\]"):
        load_model(tmp_path / "model")
    loaded = load_model(tmp_path / "model", custom_classes=[StandardScaler])
    np.testing.assert_array_equal(loaded.predict_proba(blobs[0]), pipeline.predict_proba(blobs[0]))


@pytest.mark.parametrize("made_by", ["skcifar", "keras"])
def test_network_that_is_made_of_a_saved_one_is_saved(made_by, binary, blobs, tmp_path):
    if made_by == "skcifar":
        save_model(binary, tmp_path / "part")
    else:
        binary.model_.save(tmp_path / "part.keras")

    class OnAnother(NetworkClassifier):
        def build_network(self, input_shape, n_classes):
            if made_by == "skcifar":
                part = load_model(tmp_path / "part").model_
            else:
                part = keras.models.load_model(tmp_path / "part.keras")
            inputs = keras.Input(input_shape)
            outputs = keras.layers.Dense(n_classes, activation="softmax")(part(inputs))
            return keras.Model(inputs, outputs)

    classifier = OnAnother(epochs=1, random_state=0).fit(*blobs)
    save_model(classifier, tmp_path / "model")
    loaded = load_model(tmp_path / "model", custom_classes=[OnAnother])
    np.testing.assert_array_equal(
        loaded.predict_proba(blobs[0]), classifier.predict_proba(blobs[0])
    )


def test_class_that_has_the_name_of_another_is_not_saved(blobs, tmp_path):
    impostor = type("DenseClassifier", (BottleneckClassifier,), {})(epochs=1).fit(*blobs)
    with pytest.raises(ModelFileError, match="has the name of one of skcifar"):
        save_model(impostor, tmp_path / "model")


@pytest.mark.parametrize("changed", [{"hidden_layer_sizes": (5,)}, {"activation": "relu6"}])
def test_parameters_changed_since_fit_change_no_saved_network(blobs, tmp_path, changed):
    classifier = DenseClassifier(epochs=1).fit(*blobs).set_params(**changed)
    for number in range(2):
        save_model(classifier, tmp_path / "model")
        loaded = load_model(tmp_path / "model")
        np.testing.assert_array_equal(
            loaded.predict_proba(blobs[0]), classifier.predict_proba(blobs[0]), str(number)
        )
        assert loaded.get_params() == classifier.get_params()
        classifier = loaded


def test_parameter_that_is_no_longer_valid_is_not_saved(blobs, tmp_path):
    classifier = DenseClassifier(epochs=1).fit(*blobs).set_params(activation="unknown")
    with pytest.raises(ModelFileError, match="parameters were changed after fitting"):
        save_model(classifier, tmp_path / "model")


def test_seed_states_are_kept(blobs, tmp_path):
    classifier = DenseClassifier(dropout=0.5, epochs=1, random_state=0).fit(*blobs)
    save_model(classifier, tmp_path / "model")
    loaded = load_model(tmp_path / "model")
    for one, other in zip(classifier.model_.variables, loaded.model_.variables, strict=True):
        np.testing.assert_array_equal(np.asarray(one), np.asarray(other))
    assert loaded.network_seed_ == classifier.network_seed_


def test_long_histories_names_and_dicts_are_saved(blobs, tmp_path):
    X = np.zeros((2, 20_000), np.uint8)
    scaler = PixelScaler().fit(X)
    scaler.feature_names_in_ = np.array([f"pixel {k} of a picture" for k in range(20_000)], object)
    classifier = DenseClassifier(hidden_layer_sizes=(1,), epochs=1).fit(X, [0, 1])
    classifier.class_weight = {f"class {k}": k / 7 for k in range(20_000)}
    classifier.history_ = {name: [1 / 3, math.nan] * 20_000 for name in ("loss", "accuracy")}
    save_model(make_pipeline(scaler, classifier), tmp_path / "model")
    loaded = load_model(tmp_path / "model")
    assert repr(loaded[-1].history_) == repr(classifier.history_)
    assert loaded[-1].class_weight == classifier.class_weight
    np.testing.assert_array_equal(loaded[0].feature_names_in_, scaler.feature_names_in_)


def test_samples_that_would_fill_the_memory_are_refused(images, tmp_path):
    pipeline = make_whitening_pipeline(filters=(2,), epochs=1)
    save_model(pipeline.fit(images, ["cat", "dog", "frog"] * 10), tmp_path / "model")

    def change(description):
        for step in description["steps"]:
            step["learned"] |= {"sample_shape_": {"tuple": [20_000, 20_000, 3]}}
            step["learned"] |= {"n_features_in_": 20_000}

    change_description(tmp_path / "model", change)
    with pytest.raises(ModelFileError, match="more than the 16,777,216 values"):
        load_model(tmp_path / "model")


def test_saving_and_loading_leave_random_states_alone(blobs, tmp_path):
    classifier = DenseClassifier(epochs=1).fit(*blobs)

    def states():
        return random.getstate(), str(np.random.get_state())  # noqa: NPY002

    before = states()
    save_model(classifier, tmp_path / "model")
    load_model(tmp_path / "model")
    assert states() == before


def test_folder_that_is_missing_is_named(pipeline, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"there is no folder .*nowhere"):
        save_model(pipeline, tmp_path / "nowhere" / "model")


def test_file_that_cannot_be_finished_leaves_the_old_one(path, pipeline, monkeypatch):
    before = path.read_bytes()

    def full_disk(self, content):
        raise OSError("No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", full_disk)
    with pytest.raises(OSError, match="No space left"):
        save_model(pipeline, path)
    monkeypatch.undo()
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_replacing_shows_nothing_before_the_end(tmp_path):
    target = tmp_path / "file.txt"
    with replacing(target) as unfinished:
        unfinished.write_text("whole")
        assert not target.exists()
    assert target.read_text() == "whole"


# --- files that are no models ---


def test_missing_file_is_reported(tmp_path):
    with pytest.raises(ModelFileError, match=r"nowhere is not a file"):
        load_model(tmp_path / "nowhere")


@pytest.mark.parametrize("share", [0, 0.001, 0.1, 0.5, 0.999])
def test_file_cut_short_is_reported(path, share):
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(ModelFileError, match=r"model.safetensors is cut short or is not a model"):
        load_model(path)


@pytest.mark.parametrize("content", [b"text", b"PK\x03\x04" * 100, b"\x80\x04cos\nsystem\n."])
def test_file_of_another_kind_is_reported(path, content):
    path.write_bytes(content)
    with pytest.raises(ModelFileError, match="is cut short or is not a model file"):
        load_model(path)


def test_tensors_of_somebody_else_are_reported(path):
    save_file({"a": np.ones(3)}, path)
    with pytest.raises(ModelFileError, match="holds tensors, but none of skcifar's"):
        load_model(path)


def test_newer_format_is_reported(path):
    change_description(path, lambda d: d.update(format=99))
    with pytest.raises(ModelFileError, match="is of format 99"):
        load_model(path)


def test_unknown_class_is_reported(path):
    change_description(path, lambda d: d["steps"][0].update({"class": "os.system"}))
    with pytest.raises(ModelFileError, match=r"the class 'os\.system' of 'skcifar\."):
        load_model(path)


def test_description_nested_too_deep_is_reported(path):
    write_file(path, "[" * 100_000 + "]" * 100_000, read_file(path)[1])
    with pytest.raises(ModelFileError, match="does not describe a model"):
        load_model(path)


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.pop("steps"),
        lambda d: d.update(steps=[]),
        lambda d: d.update(steps={"a": 1}),
        lambda d: d["steps"][-1]["params"].update(nonsense=1),
        lambda d: d["steps"][-1]["params"].update(hidden_layer_sizes={"tuple": [7, 5]}),
        lambda d: d["steps"][-1]["params"].update(hidden_layer_sizes={"set": [6, 5]}),
        lambda d: d["steps"][-1]["params"].update(activation="unknown"),
        lambda d: d["steps"][-1]["learned"].pop("classes_"),
        lambda d: d["steps"][0]["learned"].pop("sample_shape_"),
        lambda d: d["steps"][0]["learned"].update(sample_shape_="4 x 4"),
        lambda d: d["steps"][-1]["learned"].update(predict="shadowed"),
        lambda d: d["steps"][-1]["learned"].update(__class_="shadowed"),
    ],
)
def test_description_that_does_not_fit_is_reported(path, change):
    change_description(path, change)
    with pytest.raises(ModelFileError, match=r"model.safetensors (is|does)"):
        load_model(path)
