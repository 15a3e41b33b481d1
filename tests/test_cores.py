"""Worker processes keep to their share of the cores, and compute the same there."""

import os
import subprocess
import sys

import keras
import pytest

FIT = """
import hashlib, os
import numpy as np
from skcifar import DenseClassifier
rng = np.random.default_rng(0)
X, y = rng.normal(size=(700, 3072)).astype(np.float32), rng.integers(0, 10, size=700)
classifier = DenseClassifier(epochs=2, random_state=0).fit(X, y)
weights = b"".join(weight.tobytes() for weight in classifier.model_.get_weights())
print(hashlib.sha256(weights + classifier.predict_proba(X).tobytes()).hexdigest())
"""
SHOW_CORES = """
import os
from skcifar._cores import take_share_of_cores
print(take_share_of_cores(), *os.sched_getaffinity(0), flush=True)
input()
"""

pytestmark = pytest.mark.skipif(
    not hasattr(os, "sched_setaffinity") or len(os.sched_getaffinity(0)) < 2,
    reason="only Linux lets a process choose among its cores, and there must be two of them",
)


def start(code, **environment):
    environment = {k: v for k, v in os.environ.items() if k != "OMP_NUM_THREADS"} | environment
    return subprocess.Popen(
        [sys.executable, "-c", code],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def cores_of(process):
    n_threads, *cores = map(int, process.stdout.readline().split())
    assert n_threads == len(os.sched_getaffinity(0))
    return set(cores)


def test_two_workers_take_different_cores():
    workers = [start(SHOW_CORES, OMP_NUM_THREADS="1") for _ in range(2)]
    first, second = map(cores_of, workers)
    assert len(first) == len(second) == 1
    assert first != second
    for worker in workers:
        worker.communicate("\n")


def test_more_workers_than_cores_share_them():
    n_cores = len(os.sched_getaffinity(0))
    workers = [start(SHOW_CORES, OMP_NUM_THREADS="1") for _ in range(n_cores + 1)]
    assert [len(cores_of(worker)) for worker in workers] == [1] * (n_cores + 1)
    for worker in workers:
        worker.communicate("\n")


@pytest.mark.parametrize("value", ["", "many", "0", "-1", "100000"])
def test_what_is_no_share_changes_nothing(value):
    worker = start(
        "import os; before = os.sched_getaffinity(0)\n"
        "from skcifar._cores import take_share_of_cores\n"
        "print(take_share_of_cores(), os.sched_getaffinity(0) == before)",
        OMP_NUM_THREADS=value,
    )
    assert worker.communicate()[0].split() == ["None", "True"]


@pytest.mark.skipif(
    keras.config.backend() != "tensorflow", reason="the share of cores is kept on TensorFlow alone"
)
def test_a_worker_computes_what_the_main_process_does():
    told = [start(FIT), start(FIT, OMP_NUM_THREADS="1"), start(FIT, OMP_NUM_THREADS="1")]
    whole, *shares = [process.communicate()[0] for process in told]
    assert len(whole.strip()) == 64
    assert shares == [whole, whole]
