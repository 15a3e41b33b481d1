"""Model files: a fitted pipeline in one safetensors file, without pickle.

The file's tensors are the network's weights. Its metadata holds one JSON text that tells the steps,
their parameters and what they learned. Loading builds the network by the package's own code from
these parameters; nothing in the file is ever executed.
"""

import json
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from ._files import replacing
from .base import NetworkClassifier
from .classifiers import ConvolutionalClassifier, DenseClassifier, ResidualClassifier
from .preprocessing import ImageFlattener, PixelScaler

FORMAT = 1
METADATA_KEY = "skcifar"
ESTIMATORS = (
    *(PixelScaler, ImageFlattener),
    *(DenseClassifier, ConvolutionalClassifier, ResidualClassifier),
)

# Rebuilt from the rest when a file is loaded.
NOT_IN_JSON = frozenset({"model_", "keras_classifier_"})


class ModelFileError(ValueError):
    """A model file cannot be read or written; the message names it and what to do."""


def save_model(pipeline, path):
    """Save a fitted pipeline in one file: all of it, or nothing.

    Parameters
    ----------
    pipeline : Pipeline or NetworkClassifier
        Fitted; its steps are those of this package.

    path : str or path-like
        The file to write, usually named ``*.safetensors``. One that exists is replaced.

    Raises
    ------
    ModelFileError
        If a step or a parameter cannot be put into a file without pickle, or if parameters were
        changed since fit. It is a ValueError.

    NotFittedError
        If the pipeline is not fitted.

    See Also
    --------
    load_model : Reads the file.

    Notes
    -----
    The state of the optimizer is not saved: a loaded classifier predicts alike, but one that is
    trained further begins with a new optimizer. Nor are metadata requests, output containers and
    the Pipeline's own options, such as ``memory``.
    """
    check_is_fitted(pipeline)
    path = Path(path)
    steps = pipeline.steps if isinstance(pipeline, Pipeline) else [(None, pipeline)]
    classifier = steps[-1][1]
    if not isinstance(classifier, NetworkClassifier):
        raise ModelFileError(
            "save_model takes a NetworkClassifier or a Pipeline that ends in one, got"
            f" {type(classifier).__name__}."
        )
    description = {"format": FORMAT, "steps": [_describe(name, step) for name, step in steps]}
    weights = classifier.model_.get_weights()

    _check_that_it_loads(classifier, description, weights, path)
    paths = (variable.path for variable in classifier.model_.weights)
    tensors = {
        f"{number:04d} {name}": np.ascontiguousarray(weight)  # numbered, to keep their order
        for number, (name, weight) in enumerate(zip(paths, weights, strict=True))
    }
    content = save(tensors, metadata={METADATA_KEY: json.dumps(description)})
    with replacing(path) as unfinished:
        unfinished.write_bytes(content)


def load_model(path):
    """Load a pipeline that :func:`save_model` saved.

    Parameters
    ----------
    path : str or path-like
        The file.

    Returns
    -------
    pipeline : Pipeline or NetworkClassifier
        Fitted, with the same parameters, predictions and history.

    Raises
    ------
    ModelFileError
        If the file is missing, cut short or of another kind. It is a ValueError.
    """
    path = Path(path)
    try:
        return _rebuild(*_read(path), path)
    except ModelFileError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, MemoryError) as error:
        raise ModelFileError(
            f"{path} does not describe a model ({type(error).__name__}: {error}). It is damaged;"
            " save the model again."
        ) from error


def _read(path):
    """Return the description and the weights that a file holds."""
    if not path.is_file():
        raise ModelFileError(f"{path} is not a file. Give a model that save_model saved.")
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            if METADATA_KEY not in metadata:
                raise ModelFileError(
                    f"{path} holds tensors, but no skcifar model. Give a file that save_model"
                    " saved."
                )
            weights = [file.get_tensor(name) for name in sorted(file.keys())]
    except (SafetensorError, OSError) as error:
        raise ModelFileError(
            f"{path} is cut short or is not a model file ({error}). Give a file that save_model"
            " saved."
        ) from error
    try:
        return json.loads(metadata[METADATA_KEY]), weights
    except (ValueError, RecursionError) as error:
        raise ModelFileError(
            f"{path} is damaged: its description cannot be read ({error}). Save the model again."
        ) from error


def _check_that_it_loads(classifier, description, weights, path):
    """Raise if parameters were changed since fit, so that they describe another network."""
    try:
        loaded = _rebuild(description, weights, path)
        loaded = loaded[-1] if isinstance(loaded, Pipeline) else loaded
        same = _layers(loaded.model_) == _layers(classifier.model_)
    except ValueError:  # of weights that do not fit, or of a parameter that is no longer valid
        same = False
    if not same:
        raise ModelFileError(
            f"The parameters of this {type(classifier).__name__} have been changed since it was"
            " fitted, and describe another network. Set them back or fit again, then save."
        )


def _layers(network):
    """Tell all of a network's layers but their names, which Keras numbers as it goes."""
    return [(type(layer), layer.get_config() | {"name": None}) for layer in network.layers]


def _rebuild(description, weights, path):
    """Make the pipeline that a description and weights stand for."""
    if description["format"] != FORMAT:
        raise ModelFileError(
            f"{path} is of format {description['format']!r}, this version reads format {FORMAT}."
            " Load it with the version of skcifar that saved it."
        )
    steps = [_rebuild_step(step, path) for step in description["steps"]]
    *_, (name, classifier) = steps
    classifier.restore_network(weights)
    return classifier if name is None else Pipeline(steps)


def _describe(name, step):
    if type(step) not in ESTIMATORS:
        raise ModelFileError(
            f"{'The step ' + name if name else 'An estimator'} of the class"
            f" {type(step).__name__} cannot be saved. The classes that can are"
            f" {', '.join(cls.__name__ for cls in ESTIMATORS)}."
        )
    learned = {k: v for k, v in vars(step).items() if k.endswith("_") and k not in NOT_IN_JSON}
    return {
        "name": name,
        "class": type(step).__name__,
        "params": {k: _encode(v, k) for k, v in step.get_params(deep=False).items()},
        "learned": {k: _encode(v, k) for k, v in learned.items()},
    }


def _rebuild_step(description, path):
    classes = {cls.__name__: cls for cls in ESTIMATORS}
    if description["class"] not in classes:
        raise ModelFileError(
            f"{path} holds a step of the class {description['class']!r}, which this version of"
            f" skcifar does not know. It knows {', '.join(classes)}."
        )
    params = {k: _decode(v) for k, v in description["params"].items()}
    step = classes[description["class"]](**params)
    for name, value in description["learned"].items():
        if not name.endswith("_") or name.startswith("_"):
            raise ModelFileError(f"{path} is damaged: {name!r} is not the name of a learned value.")
        setattr(step, name, _decode(value))
    if not isinstance(step.sample_shape_, tuple):
        raise ModelFileError(f"{path} is damaged: sample_shape_ is {step.sample_shape_!r}.")
    return description["name"], step


# JSON knows neither tuples nor arrays, nor keys that are no strings: these become
# {kind: content}, and so does every dict.


def _encode(value, name):
    match value:
        case None | bool() | int() | float() | str():
            return value
        case np.generic():
            return _encode(value.item(), name)
        case list():
            return [_encode(v, name) for v in value]
        case tuple():
            return {"tuple": [_encode(v, name) for v in value]}
        case dict():
            return {"dict": [[_encode(k, name), _encode(v, name)] for k, v in value.items()]}
        case np.ndarray():
            return {"array": _encode(value.tolist(), name), "dtype": value.dtype.str}
    raise ModelFileError(
        f"The value {value!r} of {name} cannot be saved without pickle. Replace it by numbers,"
        " strings, lists, tuples, dicts or None, and save again."
    )


def _decode(value):
    match value:
        case list():
            return [_decode(v) for v in value]
        case {"tuple": values}:
            return tuple(_decode(v) for v in values)
        case {"dict": items}:
            return {_decode(k): _decode(v) for k, v in items}
        case {"array": values, "dtype": dtype}:
            return np.array(_decode(values), dtype=dtype)
        case dict():
            raise ValueError(f"a value of unknown kind {sorted(value)}")
    return value
