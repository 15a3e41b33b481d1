"""What is recorded of a run beside its numbers."""

import json
from importlib.metadata import version

import keras
import numpy as np
import pytest

from skcifar import DenseClassifier
from skcifar.files._atomic import write_json
from skcifar.files._versions import library_versions
from skcifar.runs._training import jsonable_params


def test_versions_are_those_of_what_is_installed():
    versions = library_versions()
    assert versions["scikit-learn"] == version("scikit-learn")
    assert versions[keras.config.backend()] == version(keras.config.backend())


def test_parameters_are_those_that_json_knows():
    rng = np.random.RandomState(0)
    classifier = DenseClassifier(
        hidden_layer_sizes=(np.int64(5), 6),
        learning_rate=np.float32(0.5),
        class_weight={0: np.float64(2), 1: 1},
        random_state=rng,
        callbacks=[object()],
    )
    params = jsonable_params(classifier)
    assert json.loads(json.dumps(params)) == params
    assert params["hidden_layer_sizes"] == [5, 6]
    assert (params["learning_rate"], type(params["learning_rate"])) == (0.5, float)
    assert params["class_weight"] == {"0": 2.0, "1": 1}
    assert params["random_state"] == repr(rng)
    assert not params.keys() & {"callbacks", "verbose"}


def test_json_file_holds_what_was_written(tmp_path):
    write_json(tmp_path / "a.json", {"name": "日本", "values": [1, 2.5, None]})
    read = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
    assert read == {"name": "日本", "values": [1, 2.5, None]}


def test_json_file_holds_nothing_that_json_has_not(tmp_path):
    values = {"a": float("nan"), "b": (0.0, float("inf")), "c": [{"d": np.float64("-inf")}]}
    write_json(tmp_path / "a.json", values)
    text = (tmp_path / "a.json").read_text(encoding="utf-8")
    assert json.loads(text, parse_constant=pytest.fail) == {
        "a": None,
        "b": [0.0, None],
        "c": [{"d": None}],
    }


def test_json_file_that_fails_leaves_the_old_one(tmp_path):
    write_json(tmp_path / "a.json", 1)
    with pytest.raises(TypeError):
        write_json(tmp_path / "a.json", object())
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]
    assert (tmp_path / "a.json").read_text(encoding="utf-8") == "1\n"
