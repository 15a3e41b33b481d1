"""What is timed. Each task runs in a process of its own and prints one line of JSON.

python -m benchmarks.tasks TASK PEER
"""

import contextlib
import hashlib
import io
import json
import os
import pickle
import sys
import tarfile
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from time import perf_counter
from unittest import mock

import numpy as np

from benchmarks.peers import PEERS

PICTURES = "SKCIFAR_BENCHMARK_PICTURES"  # the environment variable that names their folder
PHOTOGRAPHS = "SKCIFAR_BENCHMARK_PHOTOGRAPHS"  # likewise, of a folder for each class
N_SMALL_FITS = 20
N_PICTURES_OF_AN_EPOCH = 20_480
N_MAPPED_PICTURES = 200_000
SMALL = {"epochs": 2}
PHOTOGRAPH_SIZE = (64, 64)


def write_pictures(folder):
    """Put the pictures where the tasks' processes read them, without a package that counts."""
    from skcifar import fetch_cifar10

    for subset in ("train", "test"):
        X, y = fetch_cifar10(subset=subset, return_X_y=True)
        np.save(Path(folder, f"{subset}_X.npy"), X)
        np.save(Path(folder, f"{subset}_y.npy"), y)


def pictures(subset, n=None):
    folder = os.environ[PICTURES]
    X, y = (np.load(Path(folder, f"{subset}_{name}.npy")) for name in "Xy")
    return (X, y) if n is None else (X[:n].copy(), y[:n].copy())


def accuracy(estimator):
    X, y = pictures("test")
    return float(np.mean(estimator.predict(X) == y))


def timed(action):
    begin = perf_counter()
    action()
    return perf_counter() - begin


def full_fit(make):
    """3 epochs of the 50,000 training pictures."""
    X, y = pictures("train")
    estimator = make(epochs=3)
    seconds = timed(lambda: estimator.fit(X, y))
    peak = peak_megabytes()
    return {"seconds": seconds, "peak": peak, "accuracy": accuracy(estimator)}


def small_fits(make):
    """20 fits in a row: 2,000 pictures, 2 epochs, each with another learning rate."""
    X, y = pictures("train", 2000)
    estimators = [
        make(**SMALL, learning_rate=float(rate)) for rate in np.geomspace(2e-4, 1e-3, N_SMALL_FITS)
    ]
    seconds = timed(lambda: [estimator.fit(X, y) for estimator in estimators])
    return {"seconds": seconds, "accuracy": np.mean([accuracy(e) for e in estimators])}


def epoch_by_skcifar(name):
    """One epoch of a network with convolutions, after a short fit that compiles."""
    from skcifar.pipelines import PIPELINES

    X, y = pictures("train", N_PICTURES_OF_AN_EPOCH)
    n_compiling = 5120
    PIPELINES[name](epochs=1).fit(X[:n_compiling], y[:n_compiling])
    return {"seconds": timed(lambda: PIPELINES[name](epochs=1).fit(X, y))}


def epoch_by_keras(name):
    """The same by Keras' own fit, with Keras' own layers for augmentation."""
    import keras

    from skcifar.classifiers import CLASSIFIERS

    X, y = pictures("train", N_PICTURES_OF_AN_EPOCH)
    X, Y = X.astype(np.float32) / 255, np.eye(10, dtype=np.float32)[y]
    classifier = CLASSIFIERS[name]()
    inputs = x = keras.Input(X.shape[1:])
    if classifier.augmentation() is not None:
        x = keras.layers.RandomFlip("horizontal")(x)
        x = keras.layers.RandomTranslation(
            *[classifier.max_shift] * 2, fill_mode="reflect", interpolation="nearest"
        )(x)
    body = keras.models.clone_model(
        classifier.build_network(X.shape[1:], 10), clone_function=_layer_of_keras
    )
    network = keras.Model(inputs, body(x))
    network.compile(keras.optimizers.Adam(), "categorical_crossentropy", metrics=["accuracy"])
    n, params = 5120, {"batch_size": classifier.value_of("batch_size"), "verbose": 0}
    network.fit(X[:n], Y[:n], **params)
    return {"seconds": timed(lambda: network.fit(X, Y, **params))}


def _layer_of_keras(layer):
    """A layer of Keras' own where the package has a faster one of the same name."""
    import keras

    cls = getattr(keras.layers, type(layer).__name__, type(layer))
    return cls.from_config(layer.get_config())


def growth_by_mapped_pictures():
    """Anonymous memory that fit takes for pictures on disk, in a folder that is deleted."""
    from skcifar import make_dense_pipeline

    with tempfile.TemporaryDirectory() as folder:
        shape = (N_MAPPED_PICTURES, 32, 32, 3)
        X = np.lib.format.open_memmap(Path(folder, "X.npy"), "w+", np.uint8, shape)
        some, _ = pictures("train")
        for start in range(0, len(X), len(some)):
            X[start : start + len(some)] = some
        y = np.arange(len(X)) % 10
        pipeline = make_dense_pipeline(epochs=1)
        before, most = status_megabytes("RssAnon"), []
        done = threading.Event()

        def watch():
            while not done.wait(0.05):
                most.append(status_megabytes("RssAnon"))

        with ThreadPoolExecutor(1) as watcher:
            watcher.submit(watch)
            seconds = timed(lambda: pipeline.fit(X, y))
            done.set()
        return {"seconds": seconds, "peak": max(most) - before}


def growth(make):
    """Memory after 40 small fits against that after 5."""
    X, y = pictures("train", 2000)
    resident = []
    for rate in np.geomspace(2e-4, 1e-3, 40):
        make(**SMALL, learning_rate=float(rate)).fit(X, y)
        resident.append(resident_megabytes())
    return {"megabytes": resident[-1] - resident[4]}


def predict_all(make):
    """One call for 10,000 pictures, once it is warm."""
    estimator = make(epochs=3).fit(*pictures("train", 10_000))
    X, y = pictures("test")
    right = float(np.mean(estimator.predict(X) == y))
    seconds = np.median([timed(lambda: estimator.predict(X)) for _ in range(7)])
    return {"seconds": seconds, "accuracy": right}


def predict_one(make):
    """Median of 200 calls for one picture each, once it is warm."""
    estimator = make(epochs=3).fit(*pictures("train", 10_000))
    X, _ = pictures("test", 201)
    estimator.predict(X[:1])
    seconds = [timed(lambda k=k: estimator.predict(X[k : k + 1])) for k in range(1, 201)]
    return {"seconds": np.median(seconds), "accuracy": accuracy(estimator)}


def grid(make, n_jobs):
    """GridSearchCV of 12 candidates and 3 folds on 6,000 pictures, 5 epochs each, and the refit."""
    from sklearn.model_selection import GridSearchCV

    X, y = pictures("train", 6000)
    pipeline = make(epochs=5)
    scikeras = "classify__model__hidden_layer_sizes" in pipeline.get_params()
    prefix = "classify__model__" if scikeras else "classify__"
    candidates = {
        f"{prefix}hidden_layer_sizes": [(200, 150), (100,), (100, 100)],
        f"{prefix}learning_rate": [0.0002, 0.0005, 0.001, 0.002],
    }
    search = GridSearchCV(pipeline, candidates, cv=3, n_jobs=n_jobs)
    seconds = timed(lambda: search.fit(X, y))
    return {"seconds": seconds, "accuracy": search.best_score_}


def import_package(name):
    """A first import in a new process."""
    return {"seconds": timed(lambda: __import__(name))}


def fetch_by_skcifar():
    """Both subsets from files that are there already."""
    from skcifar import fetch_cifar10

    subsets = []
    seconds = timed(
        lambda: subsets.extend(
            fetch_cifar10(subset=subset, return_X_y=True, download_if_missing=False)
            for subset in ("train", "test")
        )
    )
    return {"seconds": seconds, "pictures": digest(subsets)}


def fetch_by_keras():
    """Both subsets from an archive in Keras' cache.

    The archive is made here from the same pictures, so its SHA-256 stands in for the real one's.
    """
    import keras
    from keras.src.datasets import cifar10  # to exchange the checksum, which has no public name

    with tempfile.TemporaryDirectory() as home, mock.patch.dict(os.environ, KERAS_HOME=home):
        archive = Path(home, "datasets", "cifar-10-batches-py-target_archive")
        archive.parent.mkdir()
        write_python_edition(archive)
        checksum = hashlib.sha256(archive.read_bytes()).hexdigest()
        get_file = cifar10.get_file

        def get_file_of_ours(**options):
            return get_file(**options | {"file_hash": checksum, "cache_dir": home})

        subsets = []
        with mock.patch.object(cifar10, "get_file", get_file_of_ours):
            seconds = timed(lambda: subsets.extend(keras.datasets.cifar10.load_data()))
    return {"seconds": seconds, "pictures": digest([(X, y.ravel()) for X, y in subsets])}


def write_python_edition(path):
    X, y = pictures("train")
    X_test, y_test = pictures("test")
    names = [*(f"data_batch_{k}" for k in range(1, 6)), "test_batch"]
    with tarfile.open(path, "w:gz") as archive:
        for name, X_part, y_part in zip(
            names, [*np.split(X, 5), X_test], [*np.split(y, 5), y_test], strict=True
        ):
            rows = X_part.transpose(0, 3, 1, 2).reshape(len(X_part), -1)
            content = pickle.dumps({b"data": rows, b"labels": y_part.tolist()})
            member = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


def photographs_by_skcifar():
    """A folder of photographs as an array."""
    from skcifar import load_image_folder

    folder = os.environ[PHOTOGRAPHS]
    return {"seconds": timed(lambda: load_image_folder(folder, image_size=PHOTOGRAPH_SIZE))}


def photographs_by_keras():
    """The same as a dataset that is iterated once."""
    import keras

    def read():
        for _ in keras.utils.image_dataset_from_directory(
            os.environ[PHOTOGRAPHS], image_size=PHOTOGRAPH_SIZE, verbose=False
        ):
            pass

    return {"seconds": timed(read)}


def photographs_again():
    """The same where this package kept what it decoded, until each pixel was looked at."""
    from skcifar import load_image_folder

    with tempfile.TemporaryDirectory() as kept:

        def read():
            options = {"image_size": PHOTOGRAPH_SIZE, "cache": kept}
            load_image_folder(os.environ[PHOTOGRAPHS], **options).images.max()

        read()
        return {"seconds": timed(read)}


def digest(subsets):
    content = hashlib.sha256()
    for X, y in subsets:
        content.update(np.ascontiguousarray(X))
        content.update(y.astype(np.int64))
    return content.hexdigest()


def peak_megabytes():
    """The most memory that was resident at once, which includes mapped libraries."""
    return status_megabytes("VmHWM")  # getrusage would count this process' parent


def resident_megabytes():
    return status_megabytes("VmRSS")


def status_megabytes(name):
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) / 1024
    raise OSError(f"{name} is read from /proc, which only Linux has")


TASKS = {
    "full fit": full_fit,
    "20 small fits": small_fits,
    "memory growth": growth,
    "predict 10,000": predict_all,
    "predict one": predict_one,
    "grid, 1 job": partial(grid, n_jobs=1),
    "grid, 2 jobs": partial(grid, n_jobs=2),
}
TASKS_WITHOUT_ESTIMATOR = {
    **{
        (f"epoch, {name}", peer): partial(task, name)
        for name in ("convolutional", "whitening")
        for peer, task in {
            "skcifar": epoch_by_skcifar,
            "Keras' fit": epoch_by_keras,
            "Keras' fit without oneDNN": epoch_by_keras,
        }.items()
    },
    ("fit 200,000 mapped", "skcifar"): growth_by_mapped_pictures,
    ("import", "skcifar"): partial(import_package, "skcifar"),
    ("import", "Keras"): partial(import_package, "keras"),
    ("fetch", "skcifar"): fetch_by_skcifar,
    ("fetch", "Keras"): fetch_by_keras,
    ("read photographs", "skcifar"): photographs_by_skcifar,
    ("read photographs", "Keras"): photographs_by_keras,
    ("read photographs again", "skcifar"): photographs_again,
}


def measure(task, peer):
    """Do a task once; the result has ``peak`` unless the task measured it at a certain moment."""
    if (task, peer) in TASKS_WITHOUT_ESTIMATOR:
        measured = TASKS_WITHOUT_ESTIMATOR[task, peer]()
    else:
        measured = TASKS[task](PEERS[peer])
    return {"peak": peak_megabytes()} | measured


if __name__ == "__main__":
    with contextlib.redirect_stdout(sys.stderr):
        measured = measure(*sys.argv[1:])
    print(json.dumps(measured))
