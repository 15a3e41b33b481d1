"""Model files: a fitted pipeline in one file, without pickle.

The file's arrays are the network's weights and what else was learned. Its description has the
steps and their parameters. Loading builds the network by the package's own code from these;
nothing in the file is ever executed.
"""

import dataclasses
import math
import os
import warnings
from collections.abc import Sequence
from numbers import Integral
from pathlib import Path

import joblib
import numpy as np
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from ..classifiers import CLASSIFIERS, NetworkClassifier, PretrainedClassifier
from ..files._atomic import replacing
from ..files._parts import FORMAT, ModelFileError, decode, encode, opened_parts, shown, write_parts
from ..files._versions import library_versions
from ..preprocessing import ImageFlattener, ImageResizer, PixelScaler
from ..training._environment import settings
from ..training._history import is_history

ESTIMATORS = (
    *(ImageResizer, PixelScaler, ImageFlattener),
    *CLASSIFIERS.values(),
    PretrainedClassifier,
)

# Rebuilt from the rest when a file is loaded, or no part of what was learned.
NOT_SAVED = frozenset(
    {"model_", "keras_classifier_", "_metadata_request", "_sklearn_output_config"}
)

# A path from a file is none to write to.
PARAMETERS_NOT_SAVED = frozenset({"checkpoint"})
OPTIONS_SAVED = ("transform_input", "verbose")  # of a Pipeline, whose memory is a path too

# Layers take time to build even where they take no memory. Each has a weight at least, in a network
# of this package; a parameter of another's may be about anything.
MOST_VALUES_OF_PARAMETER = 100

# A batch of such samples, which predicting takes, fills 1.6 GB.
MOST_VALUES_OF_SAMPLE = 2**24

# Other backends, threads and processors predict the same but for the last digits.
SETTINGS_COMPARED = ("floatx", "dtype policy", "epsilon")

FLOATS = frozenset({"float16", "float32", "float64"})

# They decide how a network is trained, not what it is.
PARAMETERS_OF_TRAINING = frozenset(field.name for field in dataclasses.fields(NetworkClassifier))


def save_model(pipeline: Pipeline | NetworkClassifier, path: str | os.PathLike) -> None:
    """Save a fitted pipeline in one file: all of it, or nothing.

    Parameters
    ----------
    pipeline : Pipeline or NetworkClassifier
        A fitted pipeline. Steps of classes outside this package, and your own classifiers, are
        saved too if all they learned is numbers, strings and arrays of them.

    path : str or path-like
        The file to write, usually named ``*.safetensors``. An existing file is replaced.

    Raises
    ------
    ModelFileError
        If a step or a parameter cannot be put into a file without pickle, or if what was saved
        could not be loaded again. It is a ValueError.

    NotFittedError
        If the pipeline is not fitted.

    See Also
    --------
    load_model : Reads the file.

    Notes
    -----
    The state of the optimizer is not saved: a loaded classifier makes the same predictions, but
    further training starts with a new optimizer. (The ``checkpoint`` file holds it.) Nor are
    ``checkpoint`` itself, ``callbacks``, a Pipeline's ``memory``, metadata requests and output
    containers.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from sklearn.datasets import load_iris
    >>> from skcifar import DenseClassifier, load_model, save_model
    >>> X, y = load_iris(return_X_y=True)
    >>> classifier = DenseClassifier(hidden_layer_sizes=(8,), epochs=1, random_state=0).fit(X, y)
    >>> with TemporaryDirectory() as folder:
    ...     save_model(classifier, f"{folder}/iris.safetensors")
    ...     loaded = load_model(f"{folder}/iris.safetensors")
    >>> bool((loaded.predict(X) == classifier.predict(X)).all())
    True
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
    arrays = {}
    description = {
        "format": FORMAT,
        "kind": "model",
        "versions": library_versions(),
        "settings": settings(),
        "pipeline": _options(pipeline),
        "steps": [_describe(number, *step, arrays) for number, step in enumerate(steps)],
    }
    network = classifier.model_
    arrays |= {
        f"weights/{number:04d} {variable.path}": _value(variable)  # numbered, to keep their order
        for number, variable in enumerate(network.variables)
    }
    with replacing(path) as unfinished:
        write_parts(unfinished, description, arrays)
        _check_that_it_loads(unfinished, steps)


def load_model(
    path: str | os.PathLike, *, custom_classes: Sequence[type] = (), trusted: bool = False
) -> Pipeline | NetworkClassifier:
    """Load a pipeline that :func:`save_model` saved.

    Nothing in the file is executed unless ``trusted=True``, so it may come from anybody.

    Parameters
    ----------
    path : str or path-like
        The file.

    custom_classes : sequence of type, default=()
        Classes that steps may have besides those of this package: your own, or scikit-learn's. A
        file cannot use a class that is not named here.

    trusted : bool, default=False
        Whether Keras may build a network from the file, as a :class:`PretrainedClassifier` needs.
        Its network may have any layers, with all that these do: set this only for files from people
        you trust.

    Returns
    -------
    pipeline : Pipeline or NetworkClassifier
        The fitted pipeline, with the same parameters, predictions and history.

    Raises
    ------
    ModelFileError
        If the file is missing, damaged, of another kind or of a newer format, or if it holds a step
        of an unknown class. It is a ValueError.

    Warns
    -----
    UserWarning
        If Keras' floatx, dtype policy or epsilon differ from those the file was saved with. The
        pipeline then computes with the current ones.

    See Also
    --------
    save_model : Writes the file.

    Examples
    --------
    A step of a class outside this package has to be named:

    >>> from tempfile import TemporaryDirectory
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skcifar import DenseClassifier, load_model, save_model
    >>> X, y = load_iris(return_X_y=True)
    >>> classifier = DenseClassifier(hidden_layer_sizes=(8,), epochs=1, random_state=0)
    >>> pipeline = make_pipeline(StandardScaler(), classifier).fit(X, y)
    >>> with TemporaryDirectory() as folder:
    ...     save_model(pipeline, f"{folder}/iris.safetensors")
    ...     loaded = load_model(f"{folder}/iris.safetensors", custom_classes=[StandardScaler])
    >>> bool((loaded.predict(X) == pipeline.predict(X)).all())
    True
    """
    if isinstance(custom_classes, type):
        raise TypeError(
            f"custom_classes must be a list of classes, got {custom_classes.__name__} alone. Put it"
            " into a list."
        )
    classes = {cls.__name__: cls for cls in (*custom_classes, *ESTIMATORS)}
    with opened_parts(Path(path), kind="model") as parts:
        steps = [_rebuild_step(step, parts, classes) for step in parts.description["steps"]]
        pipeline = _join(steps, parts.description["pipeline"])
        classifier = steps[-1][1]
        if not isinstance(classifier, NetworkClassifier):
            raise parts.error(f"is damaged: its last step is not a classifier but {classifier!r}")
        for _, step in steps:
            _check_step(step, parts)
        if isinstance(classifier, PretrainedClassifier) and not trusted:
            raise parts.error(
                f"holds a {type(classifier).__name__}, whose network Keras has to build from the"
                " file. If you trust its author: load_model(..., trusted=True), or --trusted"
            )
        there, here = parts.description["settings"], settings()
        differing = [
            f"{name} {shown(there[name])} (here {here[name]!r})"
            for name in SETTINGS_COMPARED
            if there[name] != here[name]
        ]
        _restore_network(classifier, parts)
    if differing:
        warnings.warn(
            f"{path} was saved where Keras had {', '.join(differing)}, so predictions may"
            " differ slightly. Set the same in keras.config before loading to make them equal.",
            UserWarning,
            stacklevel=2,
        )
    return pipeline


def _options(pipeline):
    if isinstance(pipeline, Pipeline):
        return {name: getattr(pipeline, name) for name in OPTIONS_SAVED}
    return None


def _value(variable):
    """Return a variable's value; backends keep seed states in integers of different kinds."""
    value = np.asarray(variable)
    if value.dtype.name == "bfloat16":  # which no file holds
        return value.astype(np.float32)
    return value.astype(np.int64) if value.dtype.kind in "iu" else value


def _changed_since_build(classifier):
    """Return the parameters that the network was built with, where they are others now."""
    now = classifier.get_params(deep=False)
    return {
        name: value
        for name, value in classifier._network_params.items()
        if name not in PARAMETERS_OF_TRAINING and joblib.hash(value) != joblib.hash(now[name])
    }


def _describe(number, name, step, arrays):
    """Describe a step's class, parameters and learned attributes."""
    cls = type(step)
    if not isinstance(step, BaseEstimator):
        raise ModelFileError(
            f"The step {name!r}, {step!r}, cannot be saved: it is not a scikit-learn estimator."
        )
    if cls not in ESTIMATORS and cls.__name__ in {known.__name__ for known in ESTIMATORS}:
        raise ModelFileError(
            f"Your class {cls.__name__} has the name of one of skcifar's, so a file could not"
            " tell them apart. Rename it."
        )
    params = {
        name: os.fspath(value) if isinstance(value, os.PathLike) else value
        for name, value in step.get_params(deep=False).items()
    }
    if isinstance(step, NetworkClassifier) and params.get("callbacks"):
        params |= {"callbacks": None}  # they watched the training, and are no part of the model
    if isinstance(step, NetworkClassifier) and not isinstance(step.optimizer, str):
        raise ModelFileError(
            f"The optimizer {type(step.optimizer).__name__} of this {cls.__name__} cannot be saved,"
            " since model files can only name skcifar's own. Predictions do not depend on it:"
            ' set_params(optimizer="adam"), and save again.'
        )
    learned = {key: value for key, value in vars(step).items() if _is_learned(step, key)}
    network_params = _changed_since_build(step) if isinstance(step, NetworkClassifier) else {}

    def encoded(values, prefix=number):
        return {key: encode(value, f"{prefix}/{key}", arrays) for key, value in values.items()}

    return {
        "name": name,
        "class": cls.__name__,
        "module": cls.__module__,
        "params": encoded({k: v for k, v in params.items() if k not in PARAMETERS_NOT_SAVED}),
        "network_params": encoded(network_params, f"{number} as built"),
        "learned": encoded(learned),
    }


def _is_ours(step):
    return isinstance(step, (NetworkClassifier, *ESTIMATORS))


def _is_learned(step, name):
    """Whether a name is one of what a step learned. Others learn under names of any kind."""
    return (
        name.isidentifier()
        and not name.startswith("__")
        and (name.endswith("_") or not _is_ours(step))
        and name not in NOT_SAVED
        and name not in step.get_params(deep=False)
        and (name == "network_seed_" or not hasattr(type(step), name))
    )


def _check_that_it_loads(path, steps):
    """Raise if a file is refused, such as one with a parameter that is not valid any more."""
    try:
        load_model(path, custom_classes=[type(step) for _, step in steps], trusted=True)
    except ModelFileError as error:
        why = str(error).removeprefix(f"{path} ").removesuffix(".")
        raise ModelFileError(
            f"This {type(steps[-1][1]).__name__} cannot be saved: read back, its file {why}. If"
            " parameters were changed after fitting, set them back or fit again, then save."
        ) from error


def _rebuild_step(description, parts, classes):
    name = description["class"]
    if name not in classes:
        raise parts.error(
            f"holds a step of the class {shown(name)} of {shown(description['module'])}, which is"
            " not one of skcifar's. If you trust that class, import it and name it:"
            f" load_model(..., custom_classes=[{shown(name)[1:-1]}])"
        )
    if not PARAMETERS_NOT_SAVED.isdisjoint(description["params"]):
        raise parts.error("is damaged: it has a parameter that is never saved")
    params = {key: decode(value, parts) for key, value in description["params"].items()}
    step = classes[name](**params)
    if network_params := description["network_params"]:
        if not step.get_params(deep=False).keys() - PARAMETERS_OF_TRAINING >= network_params.keys():
            raise parts.error("is damaged: its network has unknown parameters")
        step._network_params = {key: decode(v, parts) for key, v in network_params.items()}
    for key, value in description["learned"].items():
        if not _is_learned(step, key):
            raise parts.error(f"is damaged: {shown(key)} is not the name of a learned value")
        setattr(step, key, decode(value, parts))
    return description["name"], step


def _join(steps, options):
    """Put steps together as they were: a Pipeline, or a classifier alone."""
    if options is None:
        ((_, classifier),) = steps
        return classifier
    pipeline = Pipeline(steps, **{name: options[name] for name in OPTIONS_SAVED})
    pipeline._validate_params()
    pipeline._validate_steps()
    return pipeline


def _check_step(step, parts):
    """Raise unless parameters and learned values are such as ``fit`` leaves."""
    if hasattr(step, "_parameter_constraints"):
        step._validate_params()
    if not _is_ours(step):
        return
    learned = vars(step)
    for name, is_right in _LEARNED.items():
        if name in learned and not is_right(learned[name]):
            raise parts.error(f"is damaged: {name} is {shown(learned[name])}")
    required = _REQUIRED_OF_CLASSIFIERS if isinstance(step, NetworkClassifier) else _REQUIRED
    if missing := required - learned.keys():
        raise parts.error(f"is damaged: a {type(step).__name__} in it has no {min(missing)}")
    if math.prod(learned["sample_shape_"]) > MOST_VALUES_OF_SAMPLE:
        raise parts.error(
            f"has samples of shape {shown(learned['sample_shape_'])}, more than the"
            f" {MOST_VALUES_OF_SAMPLE:,} values that a sample of a model file may have"
        )
    n_features, names = learned["n_features_in_"], learned.get("feature_names_in_")
    if n_features != learned["sample_shape_"][0] or (
        names is not None and len(names) != n_features
    ):
        raise parts.error("is damaged: its features, their names and its samples differ in number")
    best_iter = learned.get("best_iter_")
    if best_iter is not None and best_iter > len(learned["history_"]["loss"]):
        raise parts.error(f"is damaged: best_iter_ is {best_iter}, after all epochs")


def _restore_network(classifier, parts):
    """Build the network and give it the weights, if they are those that it calls for."""
    weights = [name for name in parts.names if name.startswith("weights/")]
    if unused := parts.unread.difference(weights):
        raise parts.error(f"is damaged: nothing uses its part {shown(min(unused))}")
    most = len(weights)
    if type(classifier) not in ESTIMATORS:
        most = max(most, MOST_VALUES_OF_PARAMETER)
    built_with = vars(classifier).get("chosen_", {}) | getattr(classifier, "_network_params", {})
    for name, value in (*classifier.get_params(deep=False).items(), *built_with.items()):
        if name == "schedule_moves":
            continue  # which no layer is made of
        if isinstance(value, list | tuple | np.ndarray) and len(value) > most:
            raise parts.error(
                f"is damaged: it has {len(weights)} weights, too few for the {len(value)} values of"
                f" {name}"
            )
    variables = classifier.describe_variables()
    if len(weights) != len(variables):
        raise parts.error(
            f"is damaged: it has {len(weights)} weights where the parameters of"
            f" {type(classifier).__name__} call for {len(variables)}"
        )
    shapes = [
        (shape, _dtype_in_file(dtype, parts.shape_and_dtype(name)[1]))
        for name, (shape, dtype) in zip(weights, variables, strict=True)
    ]
    classifier.restore_network(parts.read_finite(weights, shapes))


def _dtype_in_file(dtype, there):
    """Return the dtype that a variable must have in a file: floats may be of any precision."""
    if "float" in dtype:
        return there if there in FLOATS else "float32"
    return "int64" if "int" in dtype else dtype


def _is_count(value):
    return isinstance(value, Integral) and not isinstance(value, bool) and 0 < value < 2**31


def _is_shape(value):
    return isinstance(value, tuple) and 0 < len(value) < 10 and all(map(_is_count, value))


def _is_classes(value):
    return (
        isinstance(value, np.ndarray) and len(value) > 1 and np.array_equal(np.unique(value), value)
    )


def _is_names(value):
    return (
        isinstance(value, np.ndarray)
        and value.dtype == object
        and all(isinstance(name, str) for name in value)
    )


_LEARNED = {
    "n_features_in_": _is_count,
    "feature_names_in_": _is_names,
    "sample_shape_": _is_shape,
    "network_seed_": lambda value: type(value) is int and 0 <= value < 2**31,
    "classes_": _is_classes,
    "chosen_": lambda value: isinstance(value, dict) and all(isinstance(k, str) for k in value),
    "body_": lambda value: isinstance(value, np.ndarray) and value.dtype == np.uint8,
    "history_": is_history,
    "n_iter_": _is_count,
    "best_iter_": lambda value: value is None or _is_count(value),
    "best_validation_score_": lambda value: value is None or isinstance(value, float),
}
_REQUIRED = {"n_features_in_", "sample_shape_"}
_REQUIRED_OF_CLASSIFIERS = _REQUIRED | {"classes_", "history_"}
