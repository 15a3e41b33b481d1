"""What importing costs, and who may import whom."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import skcifar

PACKAGE = Path(skcifar.__file__).parent
WAY_THROUGH_THE_HOUSE = [
    *("_validation", "datasets", "preprocessing", "networks", "training", "classifiers"),
    *("pipelines", "displays", "persistence", "runs", "_progress", "cli"),
]


def modules_after(code):
    told = subprocess.run(
        [sys.executable, "-c", f"{code}; import sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(told.stdout.split())


def rooms_imported_by(path):
    """Names of the package's rooms that a file imports, anywhere in it."""
    level_of_package = 1 + len(path.relative_to(PACKAGE).parents) - 1
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level == level_of_package:
            yield from [node.module.split(".")[0]] if node.module else []


def test_importing_the_package_loads_nothing_heavy():
    loaded = modules_after("import skcifar, skcifar.cli")
    assert not loaded & {"tensorflow", "keras", "sklearn", "matplotlib", "numpy", "rich"}


def test_transformers_and_data_need_no_keras():
    loaded = modules_after("from skcifar import PixelScaler, load_digit_images")
    assert not loaded & {"tensorflow", "keras", "matplotlib"}


def test_displays_need_no_keras():
    assert not modules_after("import skcifar.displays") & {"tensorflow", "keras", "matplotlib"}


@pytest.mark.parametrize("name", skcifar.__all__)
def test_every_public_name_is_there_and_explained(name):
    assert getattr(skcifar, name).__doc__


def test_public_names_are_sorted():
    assert skcifar.__all__ == sorted(skcifar.__all__)


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        skcifar.nonsense  # noqa: B018


def test_imports_run_one_way():
    for path in sorted(PACKAGE.rglob("*.py")):
        room = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        if room in WAY_THROUGH_THE_HOUSE:
            allowed = WAY_THROUGH_THE_HOUSE[: WAY_THROUGH_THE_HOUSE.index(room)]
            assert set(rooms_imported_by(path)) <= set(allowed), path.name


def test_only_training_imports_tensorflow():
    importers = {
        path.name
        for path in PACKAGE.rglob("*.py")
        if path.name != "cli.py" and "tensorflow as tf" in path.read_text(encoding="utf-8")
    }
    assert importers == {"training.py"}
