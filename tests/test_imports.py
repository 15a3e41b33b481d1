"""What importing costs, and what the package hands on."""

import subprocess
import sys

import pytest

import skcifar


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


def test_public_names_are_sorted():
    assert skcifar.__all__ == sorted(skcifar.__all__)


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        skcifar.nonsense  # noqa: B018
