"""What importing costs, and who may import whom."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import skcifar

PACKAGE = Path(skcifar.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))
WAY_THROUGH_THE_HOUSE = [
    *(
        "_files",
        "_parts",
        "_validation",
        "_sklearn_callbacks",
        "_journal",
        "_cluster",
        "_cells",
        "search",
    ),
    "comparisons",
    *("datasets", "preprocessing"),
    *(
        "_versions",
        "networks",
        "_blueprints",
        "_cores",
        "_engine",
        "_prediction",
        "_histories",
        "_epochs",
        "training",
        "_checkpoints",
    ),
    *("_targets", "_holdout", "base"),
    "classifiers",
    *("pipelines", "displays", "persistence", "_onnx_layers", "exporting"),
    *("runs", "_searches", "_comparisons", "reports"),
    *("_progress", "commands", "cli", "__main__"),
]


def modules_after(code):
    told = subprocess.run(
        [sys.executable, "-c", f"{code}; import sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(told.stdout.split())


def modules_imported_by(path):
    """Full names of all modules, and of what may be modules, that a file imports anywhere."""
    package = ["skcifar", *path.relative_to(PACKAGE).parts[:-1]]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) + 1 - node.level] if node.level else []
            module = ".".join([*above, *([node.module] if node.module else [])])
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)


def rooms_imported_by(path):
    names = (name.split(".") for name in modules_imported_by(path))
    rooms = {parts[1] for parts in names if parts[0] == "skcifar" and len(parts) > 1}
    return rooms & set(WAY_THROUGH_THE_HOUSE)


def test_importing_the_package_loads_nothing_heavy():
    loaded = modules_after("import skcifar, skcifar.cli")
    assert not loaded & {"tensorflow", "keras", "sklearn", "matplotlib", "numpy", "rich"}


def test_transformers_and_data_need_no_keras():
    loaded = modules_after("from skcifar import PixelScaler, load_digit_images")
    assert not loaded & {"tensorflow", "keras", "matplotlib"}


@pytest.mark.slow
def test_displays_need_no_keras():
    assert not modules_after("import skcifar.displays") & {"tensorflow", "keras", "matplotlib"}


@pytest.mark.slow
def test_searches_need_neither_keras_nor_dask():
    loaded = modules_after("import skcifar.search")
    assert not loaded & {"tensorflow", "keras", "matplotlib", "dask", "distributed"}


@pytest.mark.parametrize("name", skcifar.__all__)
def test_every_public_name_is_there_and_explained(name):
    assert getattr(skcifar, name).__doc__


def test_public_names_are_sorted():
    assert skcifar.__all__ == sorted(skcifar.__all__)


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        skcifar.nonsense  # noqa: B018


def test_every_room_is_on_the_way_through_the_house():
    rooms = {path.relative_to(PACKAGE).parts[0].removesuffix(".py") for path in FILES}
    assert rooms == {*WAY_THROUGH_THE_HOUSE, "__init__"}


def test_imports_run_one_way():
    for path in FILES:
        room = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        if room != "__init__":
            place = WAY_THROUGH_THE_HOUSE.index(room)
            allowed = {*WAY_THROUGH_THE_HOUSE[:place], *([room] if path.parent != PACKAGE else [])}
            assert rooms_imported_by(path) <= allowed, path.name


@pytest.mark.parametrize(
    ("library", "rooms"),
    [
        ("tensorflow", {"_engine.py"}),
        (
            "keras",
            {
                *("networks.py", "_blueprints.py", "_engine.py", "_prediction.py", "_epochs.py"),
                *(
                    "training.py",
                    "_targets.py",
                    "_holdout.py",
                    "base.py",
                    "_onnx_layers.py",
                    "_progress.py",
                    "_versions.py",
                    "_checkpoints.py",
                ),
            },
        ),
        ("scikeras", {"training.py"}),
        ("distributed", {"_cluster.py"}),
        ("onnx", {"exporting.py", "_export.py"}),
    ],
)
def test_libraries_are_known_to_few(library, rooms):
    importers = {
        path.name
        for path in FILES
        if any(name.split(".")[0] == library for name in modules_imported_by(path))
    }
    assert importers == rooms


def test_callbacks_of_scikit_learn_are_known_to_one_room():
    importers = {
        path.name
        for path in FILES
        if any(name.startswith("sklearn.callback") for name in modules_imported_by(path))
    }
    assert importers == {"_sklearn_callbacks.py"}
