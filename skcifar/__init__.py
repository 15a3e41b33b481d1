"""Keras networks for pictures that behave like any other scikit-learn estimator.

Names load on first use, so that ``import skcifar`` costs nothing.
"""

import importlib
import os
import sys

from ._version import __version__

# TensorFlow leaves oneDNN off on processors without AVX-512, where it is faster too. TensorFlow
# reads this when it is imported, and worker processes inherit it.
if "tensorflow" not in sys.modules:
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

_NAMES = {
    "classifiers": (
        "ConvolutionalClassifier",
        "DenseClassifier",
        "ImageClassifier",
        "NetworkClassifier",
        "PretrainedClassifier",
        "WhiteningClassifier",
    ),
    "datasets": (
        "fetch_cifar10",
        "load_digit_images",
        "load_image_csv",
        "load_image_files",
        "load_image_folder",
    ),
    "displays": (
        "AugmentationDisplay",
        "ComparisonDisplay",
        "ConfusionsDisplay",
        "ExplanationDisplay",
        "FirstLayerDisplay",
        "MistakesDisplay",
        "PredictionGridDisplay",
        "ReliabilityDisplay",
        "SearchHistoriesDisplay",
        "SearchResultsDisplay",
        "TrainingHistoryDisplay",
    ),
    "model_selection": (
        "AbstainingClassifier",
        "ResumableGridSearchCV",
        "ResumableHalvingGridSearchCV",
        "accuracy_interval",
        "calibration_error_interval",
        "compare_classifiers",
        "expected_calibration_error",
        "find_suspect_labels",
        "log_loss_interval",
        "mcnemar_test",
    ),
    "networks": (
        "build_convolutional_network",
        "build_dense_network",
        "build_whitening_network",
    ),
    "persistence": ("export_html", "export_onnx", "load_model", "save_model"),
    "pipelines": (
        "make_convolutional_pipeline",
        "make_dense_pipeline",
        "make_pretrained_pipeline",
        "make_whitening_pipeline",
    ),
    "preprocessing": ("ImageFlattener", "ImageResizer", "PixelScaler"),
    "training": ("show_versions",),
}
_module_of = {name: module for module, names in _NAMES.items() for name in names}

__all__ = sorted(_module_of)

# What editors and type checkers read. They take the name for true; typing's would cost an import.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from .classifiers import *
    from .datasets import *
    from .displays import *
    from .model_selection import *
    from .networks import *
    from .persistence import *
    from .pipelines import *
    from .preprocessing import *
    from .training import *
else:

    def __getattr__(name):
        if name in _module_of:
            return getattr(importlib.import_module(f".{_module_of[name]}", __name__), name)
        if name in _NAMES:
            return importlib.import_module(f".{name}", __name__)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return [*globals(), *__all__, *_NAMES]
