"""The notebooks run from beginning to end, on a small slice."""

from pathlib import Path

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient

from skcifar.datasets import _archives

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"
SLICES = {
    "01_dense_baseline.ipynb": "n_train = 300; n_test = 100; epochs = 1",
    "02_grid_search.ipynb": "n_train = 150; n_test = 100; epochs = 2",
    "03_dense_against_convolutional.ipynb": "n_train = 300; n_test = 100; epochs = 1",
    "04_your_own_pictures.ipynb": "folder = 'pictures'; n_pictures = 100; epochs = 1",
}


@pytest.fixture(scope="session")
def full_size_cifar10(tmp_path_factory):
    """A data folder with noise in the size and form of CIFAR-10, for a process of its own."""
    data_home = tmp_path_factory.mktemp("data")
    folder = data_home / _archives.BINARY_FOLDER
    folder.mkdir()
    rng = np.random.default_rng(0)
    records = rng.integers(
        0, 256, size=(_archives.IMAGES_PER_BATCH, _archives.RECORD_BYTES), dtype=np.uint8
    )
    records[:, 0] = np.arange(len(records)) % 10
    for name in _archives.BATCHES["all"]:
        records.tofile(folder / f"{name}.bin")
    return data_home


def test_every_notebook_has_a_slice_to_be_tested_on():
    assert {path.name for path in NOTEBOOKS.glob("*.ipynb")} == set(SLICES)


@pytest.mark.slow
@pytest.mark.parametrize("name", SLICES)
def test_notebook_runs(name, full_size_cifar10, monkeypatch, tmp_path):
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(full_size_cifar10))
    notebook = nbformat.read(NOTEBOOKS / name, as_version=4)
    (parameters,) = (c for c in notebook.cells if "parameters" in c.metadata.get("tags", ()))
    parameters.source = SLICES[name]
    client = NotebookClient(
        notebook,
        timeout=300,
        kernel_name="python3",
        resources={"metadata": {"path": str(tmp_path)}},  # where it writes what it makes
    )
    client.execute()


@pytest.mark.parametrize("name", SLICES)
def test_notebook_is_committed_with_its_outputs(name):
    notebook = nbformat.read(NOTEBOOKS / name, as_version=4)
    cells = [c for c in notebook.cells if c.cell_type == "code"]
    assert [c.execution_count for c in cells] == list(range(1, len(cells) + 1))
    assert any("image/png" in out.get("data", {}) for c in cells for out in c.outputs)
    assert not any(out.get("name") == "stderr" for c in cells for out in c.outputs)
