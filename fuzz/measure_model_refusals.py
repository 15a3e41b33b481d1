"""Measure what it takes to refuse each hostile model file of the tests.

    python fuzz/measure_model_refusals.py

Each file is loaded in a process of its own, which has loaded a good one before. Linux only.
"""

import os
import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "_helpers"))

from hostile_models import KINDS

from skcifar import load_model, make_dense_pipeline, save_model
from skcifar.persistence._models import ModelFileError


def in_a_process_of_its_own(function, *arguments):
    """Call a function in a copy of this process, and return the line that it returns."""
    readable, writable = os.pipe()
    if not os.fork():
        os.write(writable, function(*arguments).encode("utf-8", "backslashreplace"))
        os._exit(0)
    os.close(writable)
    with open(readable, encoding="utf-8") as file:  # noqa: PTH123
        line = file.read()
    os.wait()
    return line


def make_good_file(path):
    """Save what the hostile files are made of."""
    images = np.random.default_rng(0).integers(0, 256, size=(30, 4, 4, 3), dtype=np.uint8)
    pipeline = make_dense_pipeline(hidden_layer_sizes=(6, 5), epochs=1, random_state=0)
    save_model(pipeline.fit(images, ["cat", "dog", "frog"] * 10), path)
    return ""


def measure(good, hostile):
    """Load a good file, then a hostile one, and measure time and memory of the latter."""
    load_model(good)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seconds, cpu_seconds = time.perf_counter(), time.process_time()
    try:
        load_model(hostile)
        reported = "LOADED"
    except ModelFileError:
        reported = "refused"
    except BaseException as error:
        reported = f"FAILED: {error!r:.60}"
    seconds, cpu_seconds = time.perf_counter() - seconds, time.process_time() - cpu_seconds
    megabytes = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory) / 1000
    return f"{seconds:8.3f} {cpu_seconds:8.3f} {megabytes:6.1f}   {reported}"


def main():
    """Print a table of all kinds of files."""
    print(f"{'file':45} {'seconds':>8} {'cpu':>8} {'MB':>6}")
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        good, hostile = Path("good.safetensors"), Path("hostile.safetensors")
        in_a_process_of_its_own(make_good_file, good)
        content = good.read_bytes()
        for kind, make in KINDS.items():
            hostile.write_bytes(make(content))
            print(f"{kind:45} {in_a_process_of_its_own(measure, good, hostile)}", flush=True)
        os.chdir("/")


if __name__ == "__main__":
    main()
