"""Pictures that come in chunks train a network as well as all at once."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from sklearn.model_selection import train_test_split

from skcifar import DenseClassifier, ImageFlattener, PixelScaler, make_dense_pipeline

EXAMPLE = Path(__file__).parents[1] / "examples" / "out_of_core.py"


def run(*arguments):
    reported = subprocess.run(
        [sys.executable, EXAMPLE, *map(str, arguments)], capture_output=True, text=True, check=True
    )
    return reported.stdout


def reported_accuracy(text):
    return float(re.search(r"accuracy ([\d.]+)", text)[1])


@pytest.mark.slow
def test_example_streams_chunks_from_disk_as_well_as_fit(tmp_path):
    run("write", tmp_path, "--data", "digits")
    streamed = run("stream", tmp_path, "--epochs", 4, "--chunk-size", 200)
    at_once = run("whole", tmp_path, "--epochs", 4)
    assert reported_accuracy(streamed) == pytest.approx(reported_accuracy(at_once), abs=0.02)
    assert re.search(r"peak memory [\d,]+ MB, of which the imports took [\d,]+ MB", streamed)


@pytest.mark.slow
def test_chunks_of_real_pictures_train_as_well_as_all_at_once(real_cifar10):
    train, test = real_cifar10["train"], real_cifar10["test"]
    X, _, y, _ = train_test_split(
        train.images, train.target, train_size=5_000, stratify=train.target, random_state=0
    )
    at_once = make_dense_pipeline(epochs=3, batch_size=128, random_state=0).fit(X, y)
    scale, flatten = PixelScaler(), ImageFlattener()
    classifier = DenseClassifier(batch_size=128, random_state=0)
    for _ in range(3):
        for start in range(0, len(X), 1000):
            rows = slice(start, start + 1000)
            chunk = flatten.fit_transform(scale.fit_transform(X[rows]))
            classifier.partial_fit(chunk, y[rows], classes=range(10))
    X_test = flatten.transform(scale.transform(test.images))
    streamed = classifier.score(X_test, test.target)
    assert streamed == pytest.approx(at_once.score(test.images, test.target), abs=0.02)
