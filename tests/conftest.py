"""What the tests share: no network, no screen, tiny pictures."""

import os
import shutil
from contextlib import contextmanager
from pathlib import Path

os.environ["MPLBACKEND"] = "Agg"
# processes that tests start find the helpers too
os.environ["PYTHONPATH"] = os.pathsep.join(
    [str(Path(__file__).parent / "_helpers"), *filter(None, [os.environ.get("PYTHONPATH")])]
)
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import pytest

from skcifar import fetch_cifar10
from skcifar.datasets import _archives, _cache, _cifar10

RECORDS_PER_FILE = 20

# On another backend than TensorFlow, whose own loops and files most tests are about, only those run
# in which Keras computes.
if os.environ.get("KERAS_BACKEND", "tensorflow") != "tensorflow":
    kept = {
        *("checkpoints", "classifiers", "common", "early_stopping", "equal_results", "holdout"),
        *(
            "independent_predictions",
            "load",
            "gradients",
            "muon",
            "optimizers",
            "own_networks",
            "persistence",
            "precision",
            "schedules",
            "sklearn_callbacks",
        ),
        *("adapting", "budget", "training", "views", "whitening_network"),
    }
    files = Path(__file__).parent.rglob("test_*.py")
    collect_ignore = [str(file) for file in files if file.stem.removeprefix("test_") not in kept]


def pytest_configure(config):
    """Let JAX compile each step once for all tests and runs, which is most of what it does here."""
    if os.environ.get("KERAS_BACKEND") == "jax":
        os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(config.cache.mkdir("jax")))
        os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    """No test reaches a mirror: the only one left is a port of this machine that nobody serves."""
    monkeypatch.setattr(_cifar10, "MIRRORS", ("http://127.0.0.1:9/cifar-10-python.tar.gz",))


@pytest.fixture(autouse=True)
def no_cache_of_this_machine(monkeypatch, tmp_path_factory):
    """What the commands keep of decoded pictures goes with the tests."""
    folder = tmp_path_factory.getbasetemp() / "kept"
    monkeypatch.setattr(_cache, "default_folder", lambda: folder)


@pytest.fixture(autouse=True)
def close_figures():
    yield
    import matplotlib.pyplot as plt

    plt.close("all")


@pytest.fixture
def data_home(tmp_path, monkeypatch):
    """An empty data folder, on a machine where Keras has cached nothing."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    path = tmp_path / "data"
    path.mkdir()
    return path


@pytest.fixture
def tiny_records(monkeypatch):
    """CIFAR-10 with 20 pictures a file: records as the binary edition has them, by file name.

    Classes take turns; the red, green and blue of class k are 20 k, 20 k + 1 and 20 k + 2, but for
    the first pixel of a picture, whose red is the number of its file.
    """
    monkeypatch.setattr(_archives, "IMAGES_PER_BATCH", RECORDS_PER_FILE)
    records = {}
    for number, name in enumerate(_archives.BATCHES["all"], start=1):
        labels = np.arange(RECORDS_PER_FILE, dtype=np.uint8) % 10
        planes = np.repeat(20 * labels[:, None] + np.arange(3, dtype=np.uint8), 1024, axis=1)
        planes[:, 0] = number
        records[name] = np.column_stack([labels, planes]).astype(np.uint8)
    return records


@pytest.fixture
def tiny_cifar10(data_home, tiny_records):
    """A data folder that holds the tiny CIFAR-10 in the binary edition."""
    folder = data_home / _archives.BINARY_FOLDER
    folder.mkdir()
    for name, records in tiny_records.items():
        records.tofile(folder / f"{name}.bin")
    return data_home


@pytest.fixture
def float64():
    """Keras computes in float64: two ways of computing the same do not drift apart."""
    import keras

    # Keras remembers the dtype of layers once one was built, so both have to be set.
    floatx, policy = keras.config.floatx(), keras.config.dtype_policy()
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    with _jax_in_float64():
        yield
    keras.config.set_floatx(floatx)
    keras.config.set_dtype_policy(policy)


@contextmanager
def _jax_in_float64():
    import keras

    if keras.config.backend() != "jax":
        yield
        return
    import jax

    jax.config.update("jax_enable_x64", True)
    yield
    jax.config.update("jax_enable_x64", False)


@pytest.fixture(scope="session")
def real_cifar10():
    """The real training and test pictures, where they are at hand."""
    try:
        return {
            subset: fetch_cifar10(subset=subset, download_if_missing=False)
            for subset in ("train", "test")
        }
    except OSError as error:
        pytest.skip(f"needs the real pictures: {error}")


@pytest.fixture(scope="session")
def blobs():
    """Rows of two classes that a small network separates in a few steps."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 4)).astype(np.float32)
    y = np.repeat([0, 1], 20)
    X[y == 1] += 3
    return X, y


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    """Chromium without a screen or a network, which logs what pages do."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not chromium or not driver:
        pytest.skip("needs chromium and chromedriver")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for flag in (
        *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
        *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
        "--host-resolver-rules=MAP * ~NOTFOUND",  # there is no network
        f"--user-data-dir={tmp_path_factory.mktemp('chromium')}",
    ):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    browser = webdriver.Chrome(options=options, service=Service(driver))
    yield browser
    browser.quit()


@pytest.fixture
def phone(browser):
    """The browser with the screen of a small phone, which no window can be as narrow as."""
    screen = {"width": 360, "height": 640, "deviceScaleFactor": 1, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    yield browser
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
