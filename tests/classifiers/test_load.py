"""Hundreds of fits, many threads at once: no error, no wrong answer, no memory that stays taken.

What is measured runs in a process of its own, which is this module as a script.
"""

import gc
import json
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from unittest import mock

import keras
import numpy as np
import pytest
from sklearn.pipeline import make_pipeline
from small_networks import small, weights_of

from skcifar import PixelScaler
from skcifar.training._predict import engine

pytestmark = pytest.mark.slow

# On JAX, Keras' own fit compiles each network anew, which takes time and 1 MB that stays taken.
N_FITS = 100 if keras.config.backend() == "tensorflow" else 30
N_SIZES = 4  # twice as many networks as the engine may keep meanwhile
N_THREADS = 8
MOST_GROWTH = 50  # megabytes


def test_memory_stays_where_it_was_after_ten_fits(load):
    assert load["fits"]["megabytes"][-1] - load["fits"]["megabytes"][0] < MOST_GROWTH


@pytest.mark.skipif(engine is None, reason="the engine is TensorFlow's")
def test_nothing_is_left_of_compiled_functions_that_are_not_kept(load):
    assert load["sizes"]["objects"][-1] - load["sizes"]["objects"][0] < 1000  # of one alone


def test_each_of_many_fits_learns_the_same(load):
    assert [part["n_different"] for part in (load["fits"], load["sizes"])] == [0, 0]


def test_threads_predict_right_while_others_fit(load):
    assert load["threads"] == {"n_wrong": 0, "n_right": N_THREADS * 100}


def test_fits_at_once_learn_what_they_do_alone(load):
    assert load["at_once"] == [True] * 10


@pytest.fixture(scope="module")
def load():
    if not Path("/proc/self/status").exists():
        pytest.skip("only Linux says how much memory a process has at the moment")
    done = subprocess.run([sys.executable, __file__], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


# --- what the process does ---


def megabytes():
    gc.collect()
    (line,) = (
        line
        for line in Path("/proc/self/status").read_text().splitlines()
        if line.startswith("VmRSS:")
    )
    return int(line.split()[1]) / 1024


def rows():
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, size=(40, 4), dtype=np.uint8), np.arange(40) % 2


def new(**params):
    # small batches, so that there are enough for the engine's loop
    params = {"batch_size": 2, "epochs": 1} | params
    return make_pipeline(PixelScaler(), small(**params))


def fitted(**params):
    return new(**params).fit(*rows())


def weights_after(**params):
    return weights_of(fitted(**params)[-1])


def many_fits(n_fits, n_first, cases):
    """Fit again and again: what is there after the first fits and after all; how many differ."""
    known, n_different, memory, objects = {}, 0, [], []
    for k in range(n_fits):
        case = k % len(cases)
        weights = weights_after(**cases[case])
        n_different += not np.array_equal(known.setdefault(case, weights), weights)
        if k + 1 in (n_first, n_fits):
            memory.append(megabytes())
            objects.append(len(gc.get_objects()))
    return {"megabytes": memory, "objects": objects, "n_different": n_different}


def ask_while_fitting():
    """Ask one pipeline from many threads, while two others fit."""
    X, _ = rows()
    pipeline = fitted()
    expected = {n: pipeline.predict_proba(X[:n]) for n in (1, 7, 40)}
    alone = [weights_after(random_state=seed) for seed in range(10)]
    start = threading.Barrier(N_THREADS + 2)

    def ask(k):
        start.wait()
        sizes = [(1, 7, 40)[(k + i) % 3] for i in range(100)]
        return sum(np.array_equal(pipeline.predict_proba(X[:n]), expected[n]) for n in sizes)

    def fit(half):
        start.wait()
        seeds = range(half, 10, 2)
        return [bool((weights_after(random_state=k) == alone[k]).all()) for k in seeds]

    with ThreadPoolExecutor(N_THREADS + 2) as pool:
        fits = pool.map(fit, range(2))
        n_right = sum(pool.map(ask, range(N_THREADS)))
        equal = [is_equal for half in fits for is_equal in half]
    return {"n_wrong": N_THREADS * 100 - n_right, "n_right": n_right}, equal


def main():
    seeds = [{"random_state": k} for k in range(5)]
    # too few batches for the loop, which takes a second to compile
    sizes = [{"hidden_layer_sizes": (k + 1,), "batch_size": 20} for k in range(N_SIZES)]
    with mock.patch.object(engine, "KEPT", N_SIZES // 2) if engine else nullcontext():
        loads = {"sizes": many_fits(4 * N_SIZES, 2 * N_SIZES, sizes)}
    loads["fits"] = many_fits(N_FITS, 10, seeds)
    loads["threads"], loads["at_once"] = ask_while_fitting()
    print(json.dumps(loads))


if __name__ == "__main__":
    main()
