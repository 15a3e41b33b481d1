"""Put the article's network under load, and print what it answers and how its memory grows.

python -m benchmarks.load
"""

import gc
import os
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import perf_counter

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from skcifar import load_digit_images, load_model, make_dense_pipeline, save_model

N_FITS = 200
LOOKED_AT = (10, 50, 100, 200)
N_SIZES = 12  # more networks than compiled functions are kept of
N_THREADS = 8
N_FILES = 50
N_ROWS = (1, 7, 360)


def main():
    if not Path("/proc/self/status").exists():
        sys.exit("Only Linux says how much memory a process has at the moment.")
    X, y = load_digit_images(return_X_y=True)
    many_fits("one network", X, y, [(200, 150)])
    many_fits(f"{N_SIZES} networks in turn", X, y, [(200 - k, 150) for k in range(N_SIZES)])
    predictions_while_others_fit(X, y)
    fits_at_once(X, y)
    many_files(X, y)


def megabytes():
    """The memory that this process has now."""
    gc.collect()
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) // 1024
    raise OSError("/proc/self/status has no VmRSS")


def fitted(X, y, *, seed, sizes=(200, 150)):
    pipeline = make_dense_pipeline(epochs=2, hidden_layer_sizes=sizes, random_state=seed)
    return pipeline.fit(X, y)


def weights_of(pipeline):
    return np.concatenate([w.ravel() for w in pipeline["classify"].model_.get_weights()])


def many_fits(title, X, y, sizes):
    """Fit again and again, with five random states for each size of network."""
    begin = perf_counter()
    known, memory, wrong = {}, {}, 0
    for k in range(N_FITS):
        case = sizes[k % len(sizes)], k // len(sizes) % 5
        weights = weights_of(fitted(X, y, sizes=case[0], seed=case[1]))
        wrong += not np.array_equal(known.setdefault(case, weights.sum()), weights.sum())
        if k + 1 in LOOKED_AT:
            memory[k + 1] = megabytes()
    reported = ", ".join(f"{value} MB after {n}" for n, value in memory.items())
    print(f"{N_FITS} fits, {title}: {reported}; {wrong} differ, {perf_counter() - begin:.0f} s")


def predictions_while_others_fit(X, y):
    """Ask one pipeline from many threads while another thread trains networks like it."""
    pipeline = fitted(X, y, seed=0)
    expected = {n: pipeline.predict_proba(X[:n]) for n in N_ROWS}
    before = megabytes()
    done = threading.Event()

    def predict(k):
        right = wrong = 0
        while not done.is_set():
            n = N_ROWS[(k + right) % len(N_ROWS)]
            is_right = np.array_equal(pipeline.predict_proba(X[:n]), expected[n])
            right, wrong = right + is_right, wrong + (not is_right)
        return right, wrong

    with ThreadPoolExecutor(N_THREADS) as pool:
        answers = [pool.submit(predict, k) for k in range(N_THREADS)]
        for seed in range(10):
            fitted(X, y, seed=seed)
        done.set()
        right, wrong = np.sum([answer.result() for answer in answers], axis=0)
    print(
        f"{N_THREADS} threads predicted with one pipeline while 10 others were fitted:"
        f" {right + wrong:,} predictions, {wrong} wrong; {before} MB before, {megabytes()} MB after"
    )


def fits_at_once(X, y):
    """Train two networks at a time, and compare each with its like that was trained alone."""
    alone = [weights_of(fitted(X, y, seed=seed)) for seed in range(10)]
    before = megabytes()
    with ThreadPoolExecutor(2) as pool:
        together = pool.map(lambda seed: weights_of(fitted(X, y, seed=seed)), range(10))
        wrong = sum(not np.array_equal(a, b) for a, b in zip(alone, together, strict=True))
    print(f"10 fits, two at once: {wrong} differ; {before} MB before, {megabytes()} MB after")


def many_files(X, y):
    """Save and load one pipeline again and again."""
    pipeline = fitted(X, y, seed=0)
    expected = pipeline.predict_proba(X)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.safetensors")
        memory = []
        for action in (lambda: save_model(pipeline, path), lambda: load_model(path)):
            for k in range(N_FILES):
                action()
                if k in (4, N_FILES - 1):
                    memory.append(megabytes())
        wrong = not np.array_equal(load_model(path).predict_proba(X), expected)
    print(
        f"{N_FILES} times saved: {memory[0]} MB after 5, {memory[1]} MB after {N_FILES};"
        f" loaded: {memory[2]} MB and {memory[3]} MB; answers {'differ' if wrong else 'are equal'}"
    )


if __name__ == "__main__":
    main()
