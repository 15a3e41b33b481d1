"""What importing costs, and what the package hands on."""

import inspect
import os
import subprocess
import sys

import pytest

import skcifar
from skcifar._keras import CHATTER


def modules_after(code):
    reported = subprocess.run(
        [sys.executable, "-c", f"{code}; import sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(reported.stdout.split())


def test_importing_the_package_loads_nothing_heavy():
    loaded = modules_after("import skcifar, skcifar.cli._parser")
    assert not loaded & {"tensorflow", "keras", "sklearn", "matplotlib", "numpy", "rich"}


def test_transformers_and_data_need_no_keras():
    loaded = modules_after("from skcifar import PixelScaler, load_digit_images")
    assert not loaded & {"tensorflow", "keras", "matplotlib"}


@pytest.mark.slow
def test_displays_need_no_keras():
    assert not modules_after("import skcifar.displays") & {"tensorflow", "keras", "matplotlib"}


@pytest.mark.slow
def test_searches_need_neither_keras_nor_dask():
    loaded = modules_after("import skcifar.model_selection")
    assert not loaded & {"tensorflow", "keras", "matplotlib", "dask", "distributed"}


@pytest.mark.parametrize("name", skcifar.__all__)
def test_every_public_name_is_there_and_explained(name):
    assert getattr(skcifar, name).__doc__


@pytest.mark.parametrize("name", skcifar.__all__)
def test_every_public_signature_is_annotated(name):
    public = getattr(skcifar, name)
    methods = vars(public).items() if inspect.isclass(public) else ()
    of_class = [getattr(method, "__func__", method) for name, method in methods if name[0] != "_"]
    for function in [public, *filter(inspect.isfunction, of_class)]:
        signature = inspect.signature(function)
        untyped = [n for n, p in signature.parameters.items() if p.annotation is p.empty]
        assert set(untyped) <= {"self", "cls"}, function
        assert inspect.isclass(function) or signature.return_annotation is not signature.empty


@pytest.mark.parametrize("module", skcifar._NAMES)
def test_what_a_module_makes_public_is_what_the_package_hands_on(module):
    assert tuple(getattr(skcifar, module).__all__) == skcifar._NAMES[module]


@pytest.mark.parametrize("kind", ["convolutional", "dense", "pretrained", "whitening"])
def test_a_pipelines_parameters_are_those_of_its_steps(kind):
    make = getattr(skcifar, f"make_{kind}_pipeline")
    parameters = inspect.signature(make).parameters
    given = {"network": "network.keras"} if kind == "pretrained" else {}
    steps = make(**given).named_steps
    for step in (steps["resize"], steps["classify"]):
        for name, value in step.get_params(deep=False).items():
            assert name in given or parameters[name].default is value
            assert f"\n{name} : " in make.__doc__


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        skcifar.nonsense  # noqa: B018


@pytest.mark.slow
@pytest.mark.parametrize(
    "code",
    [
        "import numpy as np; from skcifar import DenseClassifier;"
        "DenseClassifier(epochs=1).fit(np.eye(4, dtype=np.float32), [0, 1, 0, 1])",
        "from skcifar import load_model",
        "import skcifar.cli._progress, skcifar.runs._search",
    ],
)
def test_networks_start_without_a_word(code):
    environment = {k: v for k, v in os.environ.items() if k != "TF_CPP_MIN_LOG_LEVEL"}
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    assert run.stderr == ""


def test_errors_of_tensorflow_are_no_chatter():
    lines = [
        b"I0000 00:00:1795708570.502441   22486 port.cc:153] oneDNN custom operations are on.",
        b"E0000 00:00:1795708588.436814   22486 rpc.cc:1] connection refused",
        b"W0000 00:00:1795708588.436814   22486 cuda.cc:1] failed call to cuInit: ERROR (100)",
    ]
    assert [bool(CHATTER.fullmatch(line)) for line in lines] == [True, False, False]
