"""ONNX files: a fitted pipeline from the pixels to the label, for programs that know no Keras."""

import json
import os
import warnings
from pathlib import Path

import numpy as np
from sklearn.pipeline import Pipeline

from .._version import __version__
from ..classifiers import NetworkClassifier
from ..files._atomic import replacing
from ._graph import describe, steps_of
from ._graph_layers import ExportError

# The oldest that have all operators that are used; onnxruntime reads them since 1.17.
OPSET = 20
IR_VERSION = 9

METADATA_KEY = "class_names"
ALMOST = {"rtol": 1e-3, "atol": 1e-4}  # as close as two ways to add up long sums in float32 are


def export_onnx(pipeline: Pipeline | NetworkClassifier, path: str | os.PathLike) -> None:
    """Write a fitted pipeline as an ONNX model: all of it, or nothing.

    The model takes pictures as the pipeline does, and returns what ``predict`` and
    ``predict_proba`` return. Before it is written, the two are compared on a few random pictures.

    Parameters
    ----------
    pipeline : Pipeline or NetworkClassifier
        A fitted pipeline. The steps before the classifier must be from this package. The classifier
        may be your own, as long as its network is made of Keras' own layers; an error names those
        that cannot be exported (see Notes).

    path : str or path-like
        The file to write, usually named ``*.onnx``. An existing file is replaced.

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
    save_model : Saves a model that can be trained further.

    Notes
    -----
    The input of a Pipeline is named "pictures", that of a classifier alone "samples". Its shape is
    ``(n_samples, *sample_shape_)``, for any number of samples at a time. It is uint8 if a
    PixelScaler has the ``max_value`` 255 of 8-bit pictures, and float32 otherwise.

    The outputs are "label" of shape ``(n_samples,)``, strings, int64 or bool like the training
    labels, and "probabilities" of shape ``(n_samples, n_classes)``, float32.

    Nested networks and layers that are called more than once are supported. Of the layers in
    ``keras.layers``, those that usually make up a network for pictures can be exported: dense,
    convolutional, separable and depthwise ones; pooling; padding, cropping, resizing; reshaping;
    merging; batch, layer and other normalization; activations; dropout, noise and random changes,
    which do nothing at prediction. Not supported are Lambda, your own layer classes, recurrent
    layers, attention, transposed and three-dimensional convolutions, adaptive pooling,
    GroupNormalization, and encodings of text or categories. Of operations on tensors, only ``+``,
    ``-``, ``*`` and ``/`` are supported. All layers must compute in float32, with channels last.

    The classes, in the order of the probabilities, are a JSON list in the model's metadata, under
    "class_names". An :class:`ImageResizer` is left out: programs must resize pictures to the size
    in the JSON list under "image_size", in the way named under "resize".

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
    ...     export_onnx(pipeline, path)
    ...     label, probabilities = InferenceSession(path).run(None, {"pictures": X})
    >>> bool((label == pipeline.predict(X)).all())
    True
    """
    write_onnx(pipeline, path)


def write_onnx(pipeline, path):
    """Write a fitted pipeline as an ONNX model, which is returned."""
    try:
        import onnx
    except ImportError as error:
        raise ImportError('Writing ONNX needs onnx: pip install "skcifar[onnx]"') from error

    model = _build_model(*steps_of(pipeline))
    onnx.checker.check_model(model, full_check=True)
    _check_alike(pipeline, model)
    content = model.SerializeToString()
    with replacing(Path(path)) as unfinished:
        unfinished.write_bytes(content)
    return model


def _build_model(steps, classifier):
    from onnx import helper, numpy_helper

    described = describe(steps, classifier)
    classes, graph = described.classes, described.graph
    highest = graph.add("ArgMax", "probabilities", axis=1, keepdims=0)
    graph.add("Gather", classes, highest, name="label")
    onnx_graph = helper.make_graph(
        name=classifier.model_.name,
        nodes=[
            helper.make_node(operator, taken, [given], name=given, **attributes)
            for operator, taken, given, attributes in graph.nodes
        ],
        inputs=[_tensor(described.name, described.dtype, *described.shape)],
        outputs=[
            _tensor("label", classes.dtype),
            _tensor("probabilities", np.float32, len(classes)),
        ],
        initializer=[
            numpy_helper.from_array(value, name) for name, value in graph.constants.items()
        ],
    )
    model = helper.make_model(
        onnx_graph,
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="skcifar",
        producer_version=__version__,
        doc_string=f"A fitted {type(classifier).__name__}. Its classes are in the metadata.",
    )
    metadata = {METADATA_KEY: json.dumps(classes.tolist())}
    if described.resizing:
        metadata |= described.resizing
        metadata["image_size"] = json.dumps(metadata["image_size"])
    helper.set_model_props(model, metadata)
    return model


def _tensor(name, dtype, *shape):
    from onnx import helper

    type_ = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    return helper.make_tensor_value_info(name, type_, ["n_samples", *shape])


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
            "This network cannot be exported: as ONNX, its probabilities would differ by up to"
            f" {np.abs(probabilities - expected).max():.3g}. Replace layers whose behaviour was"
            " changed after they were made."
        )


def describe_value(value):
    """Describe an input or an output of an ONNX graph in a few words: name, dtype and axes."""
    from onnx import TensorProto

    tensor = value.type.tensor_type
    axes = (axis.dim_param or str(axis.dim_value) for axis in tensor.shape.dim)
    return (
        f"{value.name} ({TensorProto.DataType.Name(tensor.elem_type).lower()}, {' x '.join(axes)})"
    )
