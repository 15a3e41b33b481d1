"""What a fitted pipeline computes, described once for all kinds of files that it is exported to."""

from dataclasses import dataclass

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from ..classifiers._base import NetworkClassifier
from ..preprocessing import ImageFlattener, ImageResizer, PixelScaler
from ._graph_layers import ExportError, Graph, add_network

FLOAT = 1  # what ONNX calls float32


@dataclass
class Description:
    """What goes in, the operators up to the probabilities, and what comes out."""

    name: str  # of what goes in
    dtype: type
    shape: tuple
    graph: Graph  # whose last operator gives "probabilities"
    classes: np.ndarray
    resizing: dict  # image_size and resize, where the pipeline brings pictures to a size


def steps_of(pipeline):
    """Return the named steps before the classifier, and the classifier, all of them fitted."""
    *steps, (_, classifier) = (
        pipeline.steps if isinstance(pipeline, Pipeline) else [(None, pipeline)]
    )
    if not isinstance(classifier, NetworkClassifier):
        raise ExportError(
            "Only a NetworkClassifier, or a Pipeline that ends in one, can be exported, got"
            f" {type(classifier).__name__}."
        )
    for name, step in steps:
        if type(step) not in STEPS:
            raise ExportError(
                f"The step {name!r} of the class {type(step).__name__} cannot be exported. Those"
                f" that can are {', '.join(cls.__name__ for cls in STEPS)}."
            )
    check_is_fitted(pipeline)
    return [step for _, step in steps], classifier


def describe(steps, classifier):
    """Describe what fitted steps and the classifier after them compute."""
    name = "pictures" if steps else "samples"
    eight_bit = any(isinstance(step, PixelScaler) and step.max_value == 255 for step in steps)
    classes = _plain(classifier.classes_)
    graph = Graph()
    x = graph.add("Cast", name, to=FLOAT)
    resizing = {}
    for step in steps:
        x = STEPS[type(step)](graph, step, x)
        if isinstance(step, ImageResizer) and len(step.sample_shape_) > 1:
            resizing = {"image_size": step.sample_shape_[:2], "resize": step.resize}
    x = add_network(graph, classifier.network_of_predictions(), x, classifier.sample_shape_)
    graph.add("Identity", x, name="probabilities")
    dtype = np.uint8 if eight_bit else np.float32
    shape = [*steps, classifier][0].sample_shape_
    return Description(name, dtype, shape, graph, classes, resizing)


def _plain(classes):
    """Return labels in one of the three dtypes that they have in ONNX."""
    plain = np.array(classes.tolist())
    if plain.dtype.kind not in "Uib":
        raise ExportError(
            f"Labels of dtype {classes.dtype} cannot be exported. Train with labels that are"
            " strings, integers or booleans."
        )
    return plain.astype(object) if plain.dtype.kind == "U" else plain


def _add_nothing(graph, step, x):
    return x


def _add_scaling(graph, scaler, x):
    return graph.add("Div", x, np.float32(scaler.max_value))


def _add_flattening(graph, flattener, x):
    return graph.add("Flatten", x)


STEPS = {
    ImageResizer: _add_nothing,
    PixelScaler: _add_scaling,
    ImageFlattener: _add_flattening,
}
