"""What results depend on beside data and parameters."""

import os
import subprocess
import sys
from importlib.util import find_spec

import keras
import pytest

import skcifar

needs_tensorflow = pytest.mark.skipif(
    keras.config.backend() != "tensorflow", reason="oneDNN is a part of TensorFlow"
)


def printed_by(code, **environment):
    kept = {k: v for k, v in os.environ.items() if k != "TF_ENABLE_ONEDNN_OPTS"}
    command = [sys.executable, "-c", code]
    return subprocess.run(
        command, env=kept | environment, capture_output=True, text=True, check=True
    ).stdout


def test_versions_and_settings_are_printed(capsys):
    skcifar.show_versions()
    printed = capsys.readouterr().out
    assert f"skcifar: {skcifar.__version__}" in printed
    assert f"keras: {keras.__version__}" in printed
    assert "threads: " in printed


@pytest.mark.slow
@needs_tensorflow
@pytest.mark.parametrize(
    ("environment", "state"), [({}, "on"), ({"TF_ENABLE_ONEDNN_OPTS": "0"}, "off")]
)
def test_onednn_is_on_unless_the_environment_says_otherwise(environment, state):
    printed = printed_by("import skcifar; skcifar.show_versions()", **environment)
    assert f"oneDNN: {state}" in printed


@pytest.mark.slow
@needs_tensorflow
def test_workers_take_what_is_in_effect_where_tensorflow_came_first():
    code = (
        "import tensorflow, skcifar, os; from skcifar.training._environment import settings\n"
        "print(settings()['oneDNN'] == 'on', os.environ['TF_ENABLE_ONEDNN_OPTS'] == '1')"
    )
    in_effect, for_workers = printed_by(code).split()
    assert in_effect == for_workers


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["nonsense", "torch"])
def test_a_backend_that_is_not_there_is_one_sentence(backend):
    if backend == "torch" and find_spec("torch"):
        pytest.skip("torch is installed")
    command = [sys.executable, "-m", "skcifar", "train", "--data", "digits", "--epochs", "1"]
    environment = os.environ | {"KERAS_BACKEND": backend}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "error: Keras cannot be imported" in done.stderr
    assert backend in done.stderr
    code = "from skcifar import DenseClassifier"
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True
    )
    assert "ImportError: Keras cannot be imported" in done.stderr.splitlines()[-1]
