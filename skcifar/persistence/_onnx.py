"""ONNX files: a fitted pipeline from the pixels to the label, for programs that know no Keras."""

import json
import warnings
from pathlib import Path

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from .. import __version__
from ..classifiers._base import NetworkClassifier
from ..files._atomic import replacing
from ..preprocessing import ImageFlattener, ImageResizer, PixelScaler
from ._onnx_layers import ExportError, Graph, add_network

__all__ = ["ExportError", "export_onnx"]

# The oldest that have all operators that are used; onnxruntime reads them since 1.17.
OPSET = 20
IR_VERSION = 9

METADATA_KEY = "class_names"
ALMOST = {"rtol": 1e-3, "atol": 1e-4}  # as close as two ways to add up long sums in float32 are


def export_onnx(pipeline, path):
    """Write a fitted pipeline as an ONNX model: all of it, or nothing.

    The model takes pictures as the pipeline does, and gives what ``predict`` and ``predict_proba``
    give. Before it is written, the two are compared on a few random pictures.

    Parameters
    ----------
    pipeline : Pipeline or NetworkClassifier
        Fitted. A Pipeline's steps before the classifier are those of this package. The classifier
        may be one of your own, as long as its network is made of Keras' own layers; an error names
        those that cannot be exported (see Notes).

    path : str or path-like
        The file to write, usually named ``*.onnx``. One that exists is replaced.

    Returns
    -------
    model : onnx.ModelProto
        What was written.

    Raises
    ------
    ExportError
        If a step, a layer or the labels cannot be put into ONNX. It is a ValueError.

    ImportError
        If the onnx library is not installed.

    NotFittedError
        If the pipeline is not fitted.

    See Also
    --------
    save_model : Writes a file that can be trained further.

    Notes
    -----
    The input of a Pipeline is named "pictures", that of a classifier alone "samples". Its shape is
    ``(n_samples, *sample_shape_)``, any number of samples at a time. It is uint8 where a
    PixelScaler has the ``max_value`` 255 of 8-bit pictures, and float32 otherwise.

    The outputs are "label" of shape ``(n_samples,)``, strings, int64 or bool as the labels in
    training were, and "probabilities" of shape ``(n_samples, n_classes)``, float32.

    Networks within networks and layers that are called more than once are followed. Of the layers
    in ``keras.layers``, those that a network for pictures is usually made of can be exported:
    dense, convolutional, separable and depthwise ones; pooling; padding, cropping, resizing;
    reshaping; merging; batch, layer and other normalization; activations; dropout, noise and
    random changes, which do nothing at prediction. Not so Lambda and classes of your own,
    recurrent layers, attention, transposed and three-dimensional convolutions, adaptive pooling,
    GroupNormalization, and encodings of text or categories. Of operations on tensors, the four
    signs ``+``, ``-``, ``*`` and ``/`` can be. All compute in float32, and have channels last.

    The classes, in the order of the probabilities, are a JSON list in the model's metadata, under
    "class_names". An :class:`ImageResizer` is passed over: programs give pictures of the size that
    is a JSON list under "image_size", brought to it as the word under "resize" says.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from onnxruntime import InferenceSession
    >>> from skcifar import export_onnx, load_digit_images, make_dense_pipeline
    >>> X, y = load_digit_images(subset="test", return_X_y=True)
    >>> pipeline = make_dense_pipeline(hidden_layer_sizes=(8,), epochs=1).fit(X, y)
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder) / "digits.onnx"
    ...     model = export_onnx(pipeline, path)
    ...     label, probabilities = InferenceSession(path).run(None, {"pictures": X})
    >>> bool((label == pipeline.predict(X)).all())
    True
    >>> model.metadata_props[0].key
    'class_names'
    """
    try:
        import onnx
    except ImportError as error:
        raise ImportError('Writing ONNX needs onnx: pip install "skcifar[onnx]"') from error

    steps, classifier = _steps_of(pipeline)
    check_is_fitted(pipeline)
    model = _build_model(steps, classifier)
    onnx.checker.check_model(model, full_check=True)
    _check_alike(pipeline, model)
    content = model.SerializeToString()
    with replacing(Path(path)) as unfinished:
        unfinished.write_bytes(content)
    return model


def _steps_of(pipeline):
    """Return the named steps before the classifier, and the classifier."""
    *steps, (_, classifier) = (
        pipeline.steps if isinstance(pipeline, Pipeline) else [(None, pipeline)]
    )
    if not isinstance(classifier, NetworkClassifier):
        raise ExportError(
            "export_onnx takes a NetworkClassifier or a Pipeline that ends in one, got"
            f" {type(classifier).__name__}."
        )
    for name, step in steps:
        if type(step) not in STEPS:
            raise ExportError(
                f"The step {name!r} of the class {type(step).__name__} cannot be exported. Those"
                f" that can are {', '.join(cls.__name__ for cls in STEPS)}."
            )
    return steps, classifier


def _build_model(steps, classifier):
    from onnx import helper

    taken = _taken([*(step for _, step in steps), classifier])
    classes = _plain(classifier.classes_)
    graph = helper.make_graph(
        name=classifier.model_.name,
        inputs=[taken],
        outputs=[
            _tensor("label", classes.dtype),
            _tensor("probabilities", np.float32, len(classes)),
        ],
        **_computed(taken.name, steps, classifier, classes),
    )
    model = helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="skcifar",
        producer_version=__version__,
        doc_string=f"A fitted {type(classifier).__name__}. Its classes are in the metadata.",
    )
    metadata = {METADATA_KEY: json.dumps(classes.tolist())}
    for _, step in steps:
        if isinstance(step, ImageResizer) and len(step.sample_shape_) > 1:
            metadata |= {"image_size": json.dumps(step.sample_shape_[:2]), "resize": step.resize}
    helper.set_model_props(model, metadata)
    return model


def _taken(estimators):
    """Describe the tensor that goes in."""
    name = "samples" if len(estimators) == 1 else "pictures"
    eight_bit = any(isinstance(e, PixelScaler) and e.max_value == 255 for e in estimators)
    return _tensor(name, np.uint8 if eight_bit else np.float32, *estimators[0].sample_shape_)


def _tensor(name, dtype, *shape):
    from onnx import helper

    type_ = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    return helper.make_tensor_value_info(name, type_, ["n_samples", *shape])


def _computed(name, steps, classifier, classes):
    """Return the nodes and constants that lead from what goes in to what comes out."""
    from onnx import TensorProto, helper, numpy_helper

    graph = Graph()
    x = graph.add("Cast", name, to=TensorProto.FLOAT)
    for _, step in steps:
        x = STEPS[type(step)](graph, step, x)
    x = add_network(graph, classifier.network_of_predictions(), x, classifier.sample_shape_)
    x = graph.add("Identity", x, name="probabilities")
    graph.add("Gather", classes, graph.add("ArgMax", x, axis=1, keepdims=0), name="label")
    nodes = [
        helper.make_node(operator, taken, [given], name=given, **attributes)
        for operator, taken, given, attributes in graph.nodes
    ]
    constants = [numpy_helper.from_array(value, name) for name, value in graph.constants.items()]
    return {"nodes": nodes, "initializer": constants}


def _plain(classes):
    """Return labels in one of the three dtypes that they have in ONNX."""
    plain = np.array(classes.tolist())
    if plain.dtype.kind not in "Uib":
        raise ExportError(
            f"Labels of the dtype {classes.dtype} cannot be exported. Train with labels that are"
            " strings, integers or booleans."
        )
    return plain.astype(object) if plain.dtype.kind == "U" else plain


def _check_alike(pipeline, model):
    """Raise unless a model computes what the pipeline does, on random samples."""
    from onnx import TensorProto
    from onnx.reference import ReferenceEvaluator

    (taken,) = model.graph.input
    shape = [3, *(axis.dim_value for axis in taken.type.tensor_type.shape.dim[1:])]
    rng = np.random.default_rng(0)
    if taken.type.tensor_type.elem_type == TensorProto.UINT8:
        X = rng.integers(256, size=shape, dtype=np.uint8)
    else:
        X = rng.random(shape, dtype=np.float32)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "X does not have valid feature names")
        expected = pipeline.predict_proba(X)
    _, probabilities = ReferenceEvaluator(model).run(None, {taken.name: X})
    if not np.allclose(probabilities, expected, **ALMOST):
        raise ExportError(
            "As ONNX this network would compute something else, probabilities that differ by up to"
            f" {np.abs(probabilities - expected).max():.3g}, so it cannot be exported. Replace"
            " layers whose behaviour was changed after they were made."
        )


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


def describe_value(value):
    """Describe an input or an output of an ONNX graph in a few words: name, dtype and axes."""
    from onnx import TensorProto

    tensor = value.type.tensor_type
    axes = (axis.dim_param or str(axis.dim_value) for axis in tensor.shape.dim)
    return (
        f"{value.name} ({TensorProto.DataType.Name(tensor.elem_type).lower()}, {' x '.join(axes)})"
    )
