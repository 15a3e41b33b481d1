"""Train on pictures that need not fit into memory: read from disk, a chunk at a time.

    python examples/out_of_core.py write FOLDER    put pictures and labels there, as .npy files
    python examples/out_of_core.py stream FOLDER   train on them by partial_fit, chunk by chunk
    python examples/out_of_core.py whole FOLDER    for comparison: fit, with all of them in memory

The last two print the accuracy on test pictures and the most memory that the process ever had.
"""

import argparse
import resource
import sys
from pathlib import Path

import numpy as np

from skcifar import (
    DenseClassifier,
    ImageFlattener,
    PixelScaler,
    fetch_cifar10,
    load_digit_images,
    make_dense_pipeline,
)


def write(folder, data):
    load = {"cifar10": fetch_cifar10, "digits": load_digit_images}[data]
    folder.mkdir(parents=True, exist_ok=True)
    for subset in ("train", "test"):
        images, labels = load(subset=subset, return_X_y=True)
        np.save(folder / f"{subset}_images.npy", images)
        np.save(folder / f"{subset}_labels.npy", labels)


def read(folder, subset, rows=slice(None)):
    """Read some pictures and labels; the rest of the files stays on disk."""
    images = np.load(folder / f"{subset}_images.npy", mmap_mode="r")
    labels = np.load(folder / f"{subset}_labels.npy", mmap_mode="r")
    return np.array(images[rows]), np.array(labels[rows])


def stream(folder, *, epochs, chunk_size, random_state):
    classes = np.unique(np.load(folder / "train_labels.npy"))
    starts = np.arange(0, len(np.load(folder / "train_labels.npy", mmap_mode="r")), chunk_size)
    rng = np.random.default_rng(random_state)
    scale, flatten = PixelScaler(), ImageFlattener()
    classifier = DenseClassifier(random_state=random_state)

    def prepared(images):
        return flatten.fit_transform(scale.fit_transform(images))  # which learn only the shape

    for _ in range(epochs):
        # chunks in a new order in each epoch; partial_fit shuffles the pictures within one
        for start in rng.permutation(starts):
            images, labels = read(folder, "train", slice(start, start + chunk_size))
            classifier.partial_fit(prepared(images), labels, classes=classes)
    images, labels = read(folder, "test")
    return classifier.score(prepared(images), labels)


def whole(folder, *, epochs, random_state):
    pipeline = make_dense_pipeline(epochs=epochs, random_state=random_state)
    return pipeline.fit(*read(folder, "train")).score(*read(folder, "test"))


def peak_megabytes():
    kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return kilobytes / 1024 / (1024 if sys.platform == "darwin" else 1)  # bytes there


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("action", choices=("write", "stream", "whole"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--data", choices=("cifar10", "digits"), default="cifar10")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--chunk-size", type=int, default=5000)
    parser.add_argument("--random-state", type=int, default=0)
    arguments = parser.parse_args()
    if arguments.action == "write":
        return write(arguments.folder, arguments.data)
    options = {"epochs": arguments.epochs, "random_state": arguments.random_state}
    before = peak_megabytes()
    if arguments.action == "stream":
        accuracy = stream(arguments.folder, chunk_size=arguments.chunk_size, **options)
    else:
        accuracy = whole(arguments.folder, **options)
    print(f"accuracy {accuracy:.4f}")
    print(f"peak memory {peak_megabytes():,.0f} MB, of which the imports took {before:,.0f} MB")
    return None


if __name__ == "__main__":
    sys.exit(main())
