"""Model files: a fitted pipeline in one file, without pickle.

The file's arrays are the network's weights and what else was learned. Its description tells the
steps and their parameters. Loading builds the network by the package's own code from these;
nothing in the file is ever executed.
"""

from numbers import Integral, Real
from pathlib import Path

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from ._files import replacing
from ._histories import MEASURES
from ._parts import FORMAT, ModelFileError, decode, encode, opened_parts, write_parts
from ._versions import library_versions
from .base import NetworkClassifier
from .classifiers import ConvolutionalClassifier, DenseClassifier, ResidualClassifier
from .preprocessing import ImageFlattener, PixelScaler

__all__ = ["ModelFileError", "load_model", "save_model"]

ESTIMATORS = (
    *(PixelScaler, ImageFlattener),
    *(DenseClassifier, ConvolutionalClassifier, ResidualClassifier),
)

# Rebuilt from the rest when a file is loaded, or no part of what was learned.
NOT_SAVED = frozenset(
    {"model_", "keras_classifier_", "_metadata_request", "_sklearn_output_config"}
)

# A path that a file tells is none to write to.
PARAMETERS_NOT_SAVED = frozenset({"checkpoint"})

# Layers take time to build even where they take no memory.
MOST_VALUES_OF_PARAMETER = 100


def save_model(pipeline, path):
    """Save a fitted pipeline in one file: all of it, or nothing.

    Parameters
    ----------
    pipeline : Pipeline or NetworkClassifier
        Fitted. Steps of other classes than this package's, and classifiers of your own, are saved
        too if all that they learned are numbers, strings and arrays of them.

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
    trained further begins with a new optimizer. (The file of the parameter ``checkpoint`` holds
    it.) Nor are ``checkpoint`` itself, metadata requests, output containers and the Pipeline's own
    options, such as ``memory``.
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
        "steps": [_describe(number, *step, arrays) for number, step in enumerate(steps)],
    }
    network = classifier.model_
    arrays |= {
        f"weights/{number:04d} {variable.path}": weight  # numbered, to keep their order
        for number, (variable, weight) in enumerate(
            zip(network.weights, network.get_weights(), strict=True)
        )
    }
    with replacing(path) as unfinished:
        write_parts(unfinished, description, arrays)
        _check_that_it_loads(unfinished, steps)


def load_model(path, *, custom_classes=()):
    """Load a pipeline that :func:`save_model` saved.

    Nothing in the file is executed, so that it may come from anybody.

    Parameters
    ----------
    path : str or path-like
        The file.

    custom_classes : sequence of type, default=()
        Classes that steps may have beside those of this package: your own, or scikit-learn's. A
        file cannot bring a class into use that is not named here.

    Returns
    -------
    pipeline : Pipeline or NetworkClassifier
        Fitted, with the same parameters, predictions and history.

    Raises
    ------
    ModelFileError
        If the file is missing, damaged, of another kind or of a newer format, or if it holds a step
        of a class that is not known. It is a ValueError.

    See Also
    --------
    save_model : Writes the file.
    """
    classes = {cls.__name__: cls for cls in (*custom_classes, *ESTIMATORS)}
    with opened_parts(Path(path), kind="model") as parts:
        steps = [_rebuild_step(step, parts, classes) for step in parts.description["steps"]]
        names = [name for name, _ in steps]
        classifier = steps[-1][1]
        if not isinstance(classifier, NetworkClassifier):
            raise parts.error(f"is damaged: its last step is no classifier but {classifier!r}")
        weights = [name for name in parts.names if name.startswith("weights/")]
        _check_parameters(classifier, parts, n_weights=len(weights))
        for _, step in steps:
            step._validate_params()
            _check_learned(step, parts)
        if len(weights) != len(looks := classifier.describe_weights()):
            raise parts.error(
                f"is damaged: it has {len(weights)} weights where the parameters of"
                f" {type(classifier).__name__} call for {len(looks)}"
            )
        classifier.restore_network(parts.read_finite(weights, looks))
        if parts.unread:
            raise parts.error(f"is damaged: nothing uses its part {min(parts.unread)!r}")
        if names == [None]:
            return classifier
        if not all(isinstance(name, str) and "__" not in name for name in names):
            raise parts.error(f"is damaged: its steps are named {names}")
        if len(set(names)) < len(names) or not all(
            hasattr(step, "transform") for _, step in steps[:-1]
        ):
            raise parts.error("is damaged: its steps make no Pipeline")
        return Pipeline(steps)


def _describe(number, name, step, arrays):
    """Tell a step's class, parameters and learned attributes."""
    cls = type(step)
    if not isinstance(step, BaseEstimator):
        raise ModelFileError(
            f"The step {name!r}, {step!r}, cannot be saved: it is no scikit-learn estimator."
        )
    if cls not in ESTIMATORS and cls.__name__ in {known.__name__ for known in ESTIMATORS}:
        raise ModelFileError(
            f"Your class {cls.__name__} has the name of one of skcifar, by which a file could not"
            " tell them apart. Rename it."
        )
    params = step.get_params(deep=False)
    own_rule = isinstance(step, (NetworkClassifier, *ESTIMATORS))
    learned = {
        key: value
        for key, value in vars(step).items()
        if key not in params and key not in NOT_SAVED and (key.endswith("_") or not own_rule)
    }

    def encoded(values):
        return {key: encode(value, f"{number}/{key}", arrays) for key, value in values.items()}

    for key in PARAMETERS_NOT_SAVED:
        params.pop(key, None)
    return {
        "name": name,
        "class": cls.__name__,
        "module": cls.__module__,
        "params": encoded(params),
        "learned": encoded(learned),
    }


def _check_that_it_loads(path, steps):
    """Raise if parameters were changed since fit, so that they describe another network."""
    classifier = steps[-1][1]
    try:
        loaded = load_model(path, custom_classes=[type(step) for _, step in steps])
        loaded = loaded[-1] if isinstance(loaded, Pipeline) else loaded
        same = _layers(loaded.model_) == _layers(classifier.model_)
    except ModelFileError as error:  # of weights that do not fit, or a parameter no longer valid
        same, why = False, str(error).removeprefix(f"{path} ")
    else:
        why = "its layers are others"
    if not same:
        raise ModelFileError(
            f"This {type(classifier).__name__} cannot be saved. Its parameters may have been"
            " changed since it was fitted, and describe another network. Set them back or fit"
            f" again, then save. Read again, the file that was made {why}"
        )


def _layers(network):
    """Tell all of a network's layers but their names, which Keras numbers as it goes."""
    return [(type(layer), layer.get_config() | {"name": None}) for layer in network.layers]


def _rebuild_step(description, parts, classes):
    name = description["class"]
    if name not in classes:
        raise parts.error(
            f"holds a step of the class {description['module']}.{name}, which is none of skcifar's."
            " If you trust that class, import it and name it: load_model(...,"
            f" custom_classes=[{name}])"
        )
    cls = classes[name]
    if not PARAMETERS_NOT_SAVED.isdisjoint(description["params"]):
        raise parts.error("is damaged: it tells a parameter that is never saved")
    step = cls(**{key: decode(value, parts) for key, value in description["params"].items()})
    for key, value in description["learned"].items():
        if not key.isidentifier() or key.startswith("__") or key in NOT_SAVED or hasattr(cls, key):
            raise parts.error(f"is damaged: {key!r} is not the name of a learned value")
        setattr(step, key, decode(value, parts))
    return description["name"], step


def _check_parameters(classifier, parts, *, n_weights):
    """Raise if building the network would take long, though every layer has a weight."""
    most = max(n_weights, MOST_VALUES_OF_PARAMETER)
    for name, value in classifier.get_params(deep=False).items():
        if isinstance(value, list | tuple | np.ndarray) and len(value) > most:
            raise parts.error(f"is damaged: {name} has {len(value)} values for {n_weights} weights")


def _check_learned(step, parts):
    """Raise unless learned values are of the kinds that ``fit`` gives them."""
    learned = vars(step)
    for name, is_right in _LEARNED.items():
        if name in learned and not is_right(learned[name]):
            raise parts.error(f"is damaged: {name} is {learned[name]!r:.100}")
    required = set()
    if isinstance(step, (NetworkClassifier, *ESTIMATORS)):
        required = _REQUIRED_OF_CLASSIFIERS if isinstance(step, NetworkClassifier) else _REQUIRED
    if missing := required - learned.keys():
        raise parts.error(f"is damaged: a {type(step).__name__} in it has no {min(missing)}")
    if learned.get("best_iter_") is not None and learned["best_iter_"] > len(
        learned["history_"]["loss"]
    ):
        raise parts.error(f"is damaged: best_iter_ is {learned['best_iter_']}, after all epochs")


def _is_count(value):
    return isinstance(value, Integral) and not isinstance(value, bool) and 0 < value < 2**31


def _is_shape(value):
    return isinstance(value, tuple) and 0 < len(value) < 10 and all(map(_is_count, value))


def _is_number(value):
    return isinstance(value, Real) and not isinstance(value, bool)


def _is_history(value):
    return (
        isinstance(value, dict)
        and {"loss", "accuracy"} <= value.keys() <= set(MEASURES)
        and all(isinstance(v, list) and all(map(_is_number, v)) for v in value.values())
        and len({len(v) for v in value.values()}) == 1
    )


def _is_classes(value):
    return (
        isinstance(value, np.ndarray) and len(value) > 1 and np.array_equal(np.unique(value), value)
    )


def _is_names(value):
    return isinstance(value, np.ndarray) and value.ndim == 1 and value.dtype == object


_LEARNED = {
    "n_features_in_": _is_count,
    "feature_names_in_": _is_names,
    "sample_shape_": _is_shape,
    "classes_": _is_classes,
    "history_": _is_history,
    "n_iter_": _is_count,
    "best_iter_": lambda value: value is None or _is_count(value),
    "best_validation_score_": lambda value: value is None or _is_number(value),
}
_REQUIRED = {"n_features_in_", "sample_shape_"}
_REQUIRED_OF_CLASSIFIERS = _REQUIRED | {"classes_", "history_"}
