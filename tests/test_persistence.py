import random
import subprocess
import sys

import numpy as np
import pytest
from custom_estimators import BottleneckClassifier
from parts_files import change_file, read_file, write_file
from safetensors.numpy import save_file
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skcifar import DenseClassifier, load_model, make_dense_pipeline, save_model
from skcifar._files import replacing
from skcifar.persistence import ModelFileError


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


def test_loaded_pipeline_predicts_bit_for_bit_alike(pipeline, path, images):
    loaded = load_model(path)
    np.testing.assert_array_equal(loaded.predict_proba(images), pipeline.predict_proba(images))
    np.testing.assert_array_equal(loaded.predict(images), pipeline.predict(images))


def test_loaded_pipeline_predicts_alike_in_another_process(pipeline, path, images, tmp_path):
    np.save(tmp_path / "images.npy", images)
    code = (
        "import numpy as np, skcifar;"
        "p = skcifar.load_model('model.safetensors').predict_proba(np.load('images.npy'));"
        "np.save('probabilities.npy', p)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, capture_output=True)
    np.testing.assert_array_equal(
        np.load(tmp_path / "probabilities.npy"), pipeline.predict_proba(images)
    )


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


def test_validation_is_told_by_a_loaded_pipeline(images, tmp_path):
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


def test_step_of_scikit_learn_is_loaded_only_if_it_is_named(blobs, tmp_path):
    pipeline = make_pipeline(StandardScaler(), DenseClassifier(epochs=1)).fit(*blobs)
    save_model(pipeline, tmp_path / "model")
    with pytest.raises(ModelFileError, match=r"custom_classes=\[StandardScaler\]"):
        load_model(tmp_path / "model")
    loaded = load_model(tmp_path / "model", custom_classes=[StandardScaler])
    np.testing.assert_array_equal(loaded.predict_proba(blobs[0]), pipeline.predict_proba(blobs[0]))


def test_class_that_has_the_name_of_another_is_not_saved(blobs, tmp_path):
    impostor = type("DenseClassifier", (BottleneckClassifier,), {})(epochs=1).fit(*blobs)
    with pytest.raises(ModelFileError, match="has the name of one of skcifar"):
        save_model(impostor, tmp_path / "model")


@pytest.mark.parametrize("changed", [{"hidden_layer_sizes": (5,)}, {"activation": "relu6"}])
def test_parameters_that_describe_another_network_are_not_saved(blobs, tmp_path, changed):
    classifier = DenseClassifier(epochs=1).fit(*blobs).set_params(**changed)
    with pytest.raises(ModelFileError, match="may have been changed since it was fitted"):
        save_model(classifier, tmp_path / "model")


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


def test_missing_file_is_told(tmp_path):
    with pytest.raises(ModelFileError, match=r"nowhere is not a file"):
        load_model(tmp_path / "nowhere")


@pytest.mark.parametrize("share", [0, 0.001, 0.1, 0.5, 0.999])
def test_file_cut_short_is_told(path, share):
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(ModelFileError, match=r"model.safetensors is cut short or is not a model"):
        load_model(path)


@pytest.mark.parametrize("content", [b"text", b"PK\x03\x04" * 100, b"\x80\x04cos\nsystem\n."])
def test_file_of_another_kind_is_told(path, content):
    path.write_bytes(content)
    with pytest.raises(ModelFileError, match="is cut short or is not a model file"):
        load_model(path)


def test_tensors_of_somebody_else_are_told(path):
    save_file({"a": np.ones(3)}, path)
    with pytest.raises(ModelFileError, match="holds tensors, but nothing of skcifar's"):
        load_model(path)


def test_newer_format_is_told(path):
    change_description(path, lambda d: d.update(format=99))
    with pytest.raises(ModelFileError, match="is of format 99"):
        load_model(path)


def test_unknown_class_is_told(path):
    change_description(path, lambda d: d["steps"][0].update({"class": "os.system"}))
    with pytest.raises(ModelFileError, match=r"of the class skcifar.preprocessing.os.system"):
        load_model(path)


def test_description_nested_too_deep_is_told(path):
    write_file(path, "[" * 100_000 + "]" * 100_000, read_file(path)[1])
    with pytest.raises(ModelFileError, match="does not describe a model"):
        load_model(path)


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.pop("steps"),
        lambda d: d.update(steps=[]),
        lambda d: d.update(steps={"a": 1}),
        lambda d: d["steps"][2]["params"].update(nonsense=1),
        lambda d: d["steps"][2]["params"].update(hidden_layer_sizes={"tuple": [7, 5]}),
        lambda d: d["steps"][2]["params"].update(hidden_layer_sizes={"set": [6, 5]}),
        lambda d: d["steps"][2]["params"].update(activation="unheard-of"),
        lambda d: d["steps"][2]["learned"].pop("classes_"),
        lambda d: d["steps"][0]["learned"].pop("sample_shape_"),
        lambda d: d["steps"][0]["learned"].update(sample_shape_="4 x 4"),
        lambda d: d["steps"][2]["learned"].update(predict="shadowed"),
        lambda d: d["steps"][2]["learned"].update(__class_="shadowed"),
    ],
)
def test_description_that_does_not_fit_is_told(path, change):
    change_description(path, change)
    with pytest.raises(ModelFileError, match=r"model.safetensors (is|does)"):
        load_model(path)
