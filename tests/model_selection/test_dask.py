"""Searches that Dask spreads over processes."""

import json
import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

import joblib
import numpy as np
import pytest
import sklearn
from searches import DEPTHS, TREE, Deadly, Interrupting, Picky, X, assert_same_results, search, y
from sklearn.base import clone
from sklearn.exceptions import FitFailedWarning
from sklearn.metrics import accuracy_score, make_scorer
from sklearn.model_selection import (
    GridSearchCV,
)
from slow_estimators import SlowTree
from small_networks import small


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def start_dask(kind, *options, **variables):
    folder = Path(__file__).parent
    path = os.pathsep.join([str(folder), str(folder.parents[1]), os.environ.get("PYTHONPATH", "")])
    return subprocess.Popen(
        [sys.executable, "-m", "dask", kind, *options, "--no-dashboard"],
        env=os.environ | {"PYTHONPATH": path} | variables,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def start_worker(scheduler):
    """Start a worker process that stays dead when it is killed."""
    return start_dask("worker", scheduler, "--host", "127.0.0.1", "--no-nanny", "--nthreads", "1")


@pytest.fixture
def scheduler(tmp_path, monkeypatch):
    """The address of a Dask scheduler that has no workers, and gives up a task that ended one."""
    pytest.importorskip("distributed")
    monkeypatch.setattr(
        "skcifar.model_selection._dask.WORKERS_TIMEOUT", 60
    )  # where machines have much to do
    file = tmp_path / "scheduler.json"
    options = ["--host", "127.0.0.1", "--port", "0", "--scheduler-file", str(file)]
    process = start_dask("scheduler", *options, DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES="0")
    try:
        wait_until(lambda: file.exists() and file.read_text().endswith("}"))
        yield json.loads(file.read_text())["address"]
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def workers(scheduler):
    """Two worker processes."""
    from distributed import Client

    processes = [start_worker(scheduler) for _ in range(2)]
    with Client(scheduler, timeout=60, set_as_default=False) as client:
        client.wait_for_workers(2, timeout=60)
    yield processes
    for process in processes:
        process.kill()
        process.wait()


@pytest.mark.slow
def test_search_outlives_a_worker_and_leaves_dask_as_it_was(scheduler, workers, journal, blobs):
    from distributed import Client

    # networks learn there what they learn here
    network, grid = small(epochs=2), {"weight_decay": [0.0, 0.1]}
    found = search(network, grid, cv=2, scheduler=scheduler).fit(*blobs)
    expected = search(network, grid, cv=2).fit(*blobs)
    assert_same_results(found, expected)
    assert found.histories_ == expected.histories_

    def kill_a_worker(result):
        results.append(result)
        if len(results) == 4:
            workers[0].kill()

    results = []
    tree = SlowTree(random_state=0)
    expected = GridSearchCV(TREE, DEPTHS, cv=5).fit(X, y)
    found = search(tree, cv=5, scheduler=scheduler, on_result=kill_a_worker, journal=journal).fit(
        X, y
    )
    assert workers[0].wait(5) != 0
    assert len(results) == 15
    assert_same_results(found, expected)

    with Client(scheduler, set_as_default=False) as client:
        # settings reach the workers, and a client of the user's stays open
        weights = np.linspace(0, 1, len(y))
        with sklearn.config_context(enable_metadata_routing=True):
            scorer = make_scorer(accuracy_score).set_score_request(sample_weight=True)
            weighed = clone(TREE).set_fit_request(sample_weight=True)
            params = {"scoring": scorer, "cv": 3}
            ours = search(weighed, scheduler=client, **params).fit(X, y, sample_weight=weights)
            theirs = GridSearchCV(weighed, DEPTHS, **params).fit(X, y, sample_weight=weights)
        assert_same_results(ours, theirs)
        assert client.status == "running"

        with pytest.raises(RuntimeError, match="the first line"):
            search(Picky(), {"fails": [True]}, scheduler=client, error_score="raise").fit(X, y)

        # what was interrupted leaves nothing to do behind
        with pytest.raises(KeyboardInterrupt):
            search(tree, scheduler=client, on_result=Interrupting(at=1)).fit(X, y)
        wait_until(lambda: not any(client.processing().values()))

        # data that was lost with its last holder is sent again
        def kill_the_other(result):
            if workers[1].poll() is None:
                workers[1].kill()
                workers.append(start_worker(scheduler))

        found = search(tree, scheduler=client, on_result=kill_the_other).fit(X, y)
        assert_same_results(found, GridSearchCV(TREE, DEPTHS, cv=3).fit(X, y))

    # joblib's own way to Dask needs a default client, and is what it was
    with Client(scheduler), joblib.parallel_config(backend="dask"):
        plain = GridSearchCV(TREE, DEPTHS, cv=3).fit(X, y)
    assert_same_results(found, plain)


@pytest.mark.slow
def test_fit_that_ends_its_workers_is_a_failed_one(scheduler, workers):
    # one fold, and the deadly one last: as many workers as it has attempts
    train = np.arange(len(y))
    grid = {"max_depth": [1, 2, 3], "deadly": [False]}, {"max_depth": [4], "deadly": [True]}
    options = {"cv": [(train, train)], "refit": False, "retries": 1, "scheduler": scheduler}
    with pytest.warns(FitFailedWarning) as caught, pytest.warns(UserWarning, match="non-finite"):
        found = search(Deadly(), list(grid), **options).fit(X, y)
    assert np.isnan(found.cv_results_["mean_test_score"]).tolist() == [False] * 3 + [True]
    (message,) = [str(w.message) for w in caught if w.category is FitFailedWarning]
    assert "each worker that it was given to ended, usually for lack of memory" in message
    assert all(process.wait(5) != 0 for process in workers)


def wait_until(true, seconds=60):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.1)


@pytest.mark.slow
def test_scheduler_that_does_not_answer_is_reported_soon():
    pytest.importorskip("distributed")
    address = f"tcp://127.0.0.1:{free_port()}"
    begin = time.monotonic()
    with pytest.raises(OSError, match=f"No Dask scheduler answers at '{address}'") as caught:
        search(scheduler=address).fit(X, y)
    assert time.monotonic() - begin < 15
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("address", ["nonsense", "", "foo://127.0.0.1:1"])
def test_address_that_is_none_is_reported(address):
    pytest.importorskip("distributed")
    with pytest.raises(OSError, match="No Dask scheduler answers at"):
        search(scheduler=address).fit(X, y)


def test_scheduler_without_workers_is_reported(scheduler, monkeypatch):
    monkeypatch.setattr("skcifar.model_selection._dask.WORKERS_TIMEOUT", 0.5)
    command = re.escape(f"dask worker {scheduler} --nworkers 2 --nthreads 1")
    with pytest.raises(OSError, match=command):
        search(scheduler=scheduler).fit(X, y)


def test_missing_dask_is_reported(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ImportError, match=r'pip install "skcifar\[dask\]"'):
        search(scheduler="tcp://127.0.0.1:8786").fit(X, y)
