"""Run every peer on the same pictures, interleaved, and print a table.

python -m benchmarks [--repeats 3] [--rows ROW ...]
"""

import argparse
import importlib.metadata
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.peers import PEERS
from benchmarks.photographs import write_photographs
from benchmarks.tasks import PHOTOGRAPHS, PICTURES, write_pictures

ALL = tuple(PEERS)
ESTIMATORS = tuple(peer for peer in ALL if peer != "the article's script")
EPOCHS = ("skcifar", "Keras' fit", "Keras' fit without oneDNN")
ROWS = {
    "full fit": ALL,
    "20 small fits": ESTIMATORS,
    "memory growth": ("skcifar", "scikeras"),
    "predict 10,000": ESTIMATORS,
    "predict one": ESTIMATORS,
    "grid, 1 job": ("skcifar", "scikeras"),
    "grid, 2 jobs": ("skcifar", "scikeras"),
    "epoch, convolutional": EPOCHS,
    "epoch, whitening": EPOCHS,
    "fit 200,000 mapped": ("skcifar",),
    "import": ("skcifar", "Keras"),
    "fetch": ("skcifar", "Keras"),
    "read photographs": ("skcifar", "Keras"),
    "read photographs again": ("skcifar",),
}
# Peers that differ by more in accuracy have not done the same work; after so little training, seeds
# alone make up to 0.05.
ACCURACY_TOLERANCE = 0.08
PACKAGES = ("scikit-learn", "keras", "tensorflow", "scikeras", "torch", "skorch", "numpy")


def main(arguments=None):
    options = parse(arguments)
    print(machine(), end="\n\n")
    measured = {(row, peer): [] for row in options.rows for peer in ROWS[row]}
    with tempfile.TemporaryDirectory() as folder:
        write_pictures(folder)
        if any("photographs" in row for row in options.rows):
            os.environ[PHOTOGRAPHS] = options.photographs or str(Path(folder, "photographs"))
            write_photographs(os.environ[PHOTOGRAPHS])
        for repeat in range(options.repeats):
            # who runs first changes from round to round
            for row, peer in reversed(measured) if repeat % 2 else measured:
                print(f"{repeat + 1}/{options.repeats}  {row}  {peer}", file=sys.stderr)
                measured[row, peer].append(run(row, peer, folder))
    print("| what | who | seconds | ours / theirs | peak MB | accuracy |")
    print("|---|---|---:|---:|---:|---:|")
    for row in options.rows:
        check_agreement(row, {peer: measured[row, peer] for peer in ROWS[row]})
        for peer in ROWS[row]:
            print(line(row, peer, measured))


def parse(arguments):
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--repeats", type=int, default=3, help="runs of each, default 3")
    parser.add_argument("--rows", nargs="+", choices=ROWS, default=list(ROWS), metavar="ROW")
    parser.add_argument(
        "--photographs", metavar="FOLDER", help="where they are, or are to be kept (0.6 GB)"
    )
    return parser.parse_args(arguments)


def run(row, peer, folder):
    environment = os.environ | {PICTURES: folder, "TF_CPP_MIN_LOG_LEVEL": "3"}
    if peer.endswith("without oneDNN"):
        environment["TF_ENABLE_ONEDNN_OPTS"] = "0"
    command = [sys.executable, "-m", "benchmarks.tasks", row, peer]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{row}, {peer} failed:\n{done.stderr}")
    return json.loads(done.stdout)


def check_agreement(row, runs_of_peers):
    """Stop unless all peers did the same work."""
    accuracies = {
        peer: median_of(runs, "accuracy")
        for peer, runs in runs_of_peers.items()
        if "accuracy" in runs[0]
    }
    if accuracies and max(accuracies.values()) - min(accuracies.values()) > ACCURACY_TOLERANCE:
        sys.exit(f"{row}: accuracies disagree, so that times mean nothing: {accuracies}")
    if len({run.get("pictures") for runs in runs_of_peers.values() for run in runs}) > 1:
        sys.exit(f"{row}: the pictures differ")


def line(row, peer, measured):
    runs = measured[row, peer]
    if row == "memory growth":
        return f"| {row} | {peer} | | | {median_of(runs, 'megabytes'):+.0f} | |"
    seconds = [run["seconds"] for run in runs]
    ours = [run["seconds"] for run in measured[row, "skcifar"]]
    ratio = statistics.median(a / b for a, b in zip(ours, seconds, strict=True))
    accuracy = f"{median_of(runs, 'accuracy'):.3f}" if "accuracy" in runs[0] else ""
    cells = [f"{statistics.median(seconds):.3g}", f"{ratio:.3f}", f"{median_of(runs, 'peak'):.0f}"]
    return f"| {row} | {peer} | {' | '.join(cells)} | {accuracy} |"


def median_of(runs, name):
    return statistics.median(run[name] for run in runs)


def machine():
    packages = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in PACKAGES)
    processor = next(
        (
            text.split(":", 1)[1].strip()
            for text in Path("/proc/cpuinfo").read_text().splitlines()
            if text.startswith("model name")
        ),
        platform.processor(),
    )
    return f"{os.cpu_count()} cores of {processor}; Python {platform.python_version()}, {packages}."


if __name__ == "__main__":
    main()
