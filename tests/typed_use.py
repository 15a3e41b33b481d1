"""The package as its users' editors see it: pyright reads this file, and nothing runs it."""

from contextlib import suppress
from pathlib import Path
from typing import assert_type

import numpy as np
from sklearn.pipeline import Pipeline

import skcifar
from skcifar import (
    AbstainingClassifier,
    DenseClassifier,
    ImageResizer,
    NetworkClassifier,
    PredictionGridDisplay,
    ResumableGridSearchCV,
    accuracy_interval,
    build_dense_network,
    load_digit_images,
    load_model,
    make_dense_pipeline,
    save_model,
)
from skcifar.datasets import DatasetError
from skcifar.persistence import ModelFileError


class OwnClassifier(NetworkClassifier):
    """A network of one's own."""

    def build_network(self, input_shape, n_classes):
        return build_dense_network(input_shape, n_classes, hidden_layer_sizes=(3,))


def use():
    X, y = load_digit_images(return_X_y=True)
    classifier = DenseClassifier(hidden_layer_sizes=(3,), epochs=2)
    assert_type(classifier.fit(X, y), DenseClassifier)
    assert_type(classifier.predict(X), np.ndarray)
    assert_type(accuracy_interval(y, classifier.predict(X)), tuple[float, float])
    OwnClassifier(epochs=1).fit(X, y, X_val=X, y_val=y)

    pipeline = make_dense_pipeline(epochs=1, image_size=(8, 8), n_channels=1)
    assert_type(pipeline, Pipeline)
    save_model(pipeline, Path("model.safetensors"))
    assert_type(load_model("model.safetensors"), Pipeline | NetworkClassifier)

    AbstainingClassifier(pipeline, min_probability=0.9).fit(X, y).score_answers(X, y)
    ResumableGridSearchCV(pipeline, {"classify__epochs": [1, 2]}, journal="search.jsonl").fit(X, y)
    PredictionGridDisplay.from_estimator(pipeline, X, y).plot(n_columns=5)
    with suppress(DatasetError, ModelFileError):
        ImageResizer(image_size=(8, 8)).fit_transform([Path("cat.png")])


def misuse():
    DenseClassifier(epoch=1)  # pyright: ignore[reportCallIssue]
    make_dense_pipeline(epoch=1)  # pyright: ignore[reportCallIssue]
    make_dense_pipeline(image_size=8)  # pyright: ignore[reportArgumentType]
    skcifar.load_all("digits")  # pyright: ignore[reportAttributeAccessIssue]
