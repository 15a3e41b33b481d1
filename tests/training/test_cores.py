"""Worker processes keep to their share of the cores, and compute the same there."""

import os
import subprocess
import sys
import uuid

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
import multiprocessing, os, sys, threading
from skcifar.training._tensorflow import _cores
_cores.CLAIM += sys.argv[1]  # other workers of this machine do not count
multiprocessing.current_process().name = "Worker-1"
waiting = threading.Event()
thread = threading.Thread(target=waiting.wait)
thread.start()
n_threads = _cores.take_share_of_cores()
of_thread = os.sched_getaffinity(thread.native_id)
print(n_threads, of_thread == os.sched_getaffinity(0), *os.sched_getaffinity(0), flush=True)
input()
waiting.set()
"""

pytestmark = pytest.mark.skipif(
    not hasattr(os, "sched_setaffinity") or len(os.sched_getaffinity(0)) < 2,
    reason="only Linux lets a process choose among its cores, and there must be two of them",
)


def start(code, *arguments, **environment):
    environment = {k: v for k, v in os.environ.items() if k != "OMP_NUM_THREADS"} | environment
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def cores_of_workers(n_workers):
    claimed_by = uuid.uuid4().hex
    workers = [start(SHOW_CORES, claimed_by, OMP_NUM_THREADS="1") for _ in range(n_workers)]
    told = [worker.stdout.readline().split() for worker in workers]
    for worker in workers:
        worker.communicate("\n")
    n_threads, whole_process, *cores = zip(*told, strict=True)
    assert set(n_threads) == {str(len(os.sched_getaffinity(0)))}
    assert set(whole_process) == {"True"}
    (core,) = cores
    return core


def test_two_workers_take_different_cores():
    first, second = cores_of_workers(2)
    assert first != second


def test_more_workers_than_cores_share_them():
    n_cores = len(os.sched_getaffinity(0))
    assert len(set(cores_of_workers(n_cores + 1))) == n_cores


@pytest.mark.parametrize("value", ["", "many", "0", "-1", "100000"])
def test_what_is_no_share_changes_nothing(value):
    worker = start(
        "import multiprocessing, os; before = os.sched_getaffinity(0)\n"
        "multiprocessing.current_process().name = 'Worker-1'\n"
        "from skcifar.training._tensorflow._cores import take_share_of_cores\n"
        "print(take_share_of_cores(), os.sched_getaffinity(0) == before)",
        OMP_NUM_THREADS=value,
    )
    assert worker.communicate()[0].split() == ["None", "True"]


def test_main_process_takes_fewer_threads_but_keeps_its_cores():
    process = start(
        "import os; before = os.sched_getaffinity(0)\n"
        "from skcifar.training._tensorflow._cores import take_share_of_cores\n"
        "print(take_share_of_cores(), os.sched_getaffinity(0) == before)",
        OMP_NUM_THREADS="1",
    )
    assert process.communicate()[0].split() == ["1", "True"]


@pytest.mark.slow
@pytest.mark.skipif(
    keras.config.backend() != "tensorflow", reason="the share of cores is kept on TensorFlow alone"
)
def test_workers_compute_what_the_main_process_does():
    as_worker = "import multiprocessing; multiprocessing.current_process().name = 'Worker-1'\n"
    workers = [start(as_worker + FIT, OMP_NUM_THREADS="1") for _ in range(2)]
    told = [process.communicate()[0] for process in [start(FIT), *workers]]
    assert len(told[0].strip()) == 64
    assert len(set(told)) == 1
