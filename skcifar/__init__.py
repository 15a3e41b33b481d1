"""Keras networks for pictures that behave like any other scikit-learn estimator.

Names load on first use, so that ``import skcifar`` costs nothing.
"""

import importlib

__version__ = "0.1.0"

_ROOMS = {
    "base": ("NetworkClassifier",),
    "classifiers": ("DenseClassifier",),
    "datasets": ("fetch_cifar10", "load_digit_images", "load_image_folder"),
    "displays": ("PredictionGridDisplay", "TrainingHistoryDisplay"),
    "networks": ("build_dense_network",),
    "persistence": ("load_model", "save_model"),
    "pipelines": ("make_dense_pipeline",),
    "preprocessing": ("ImageFlattener", "PixelScaler"),
    "search": ("DistributedGridSearchCV", "DistributedHalvingGridSearchCV"),
    "search_displays": ("SearchHistoriesDisplay", "SearchResultsDisplay"),
}
_room_of = {name: room for room, names in _ROOMS.items() for name in names}

__all__ = [
    "DenseClassifier",
    "DistributedGridSearchCV",
    "DistributedHalvingGridSearchCV",
    "ImageFlattener",
    "NetworkClassifier",
    "PixelScaler",
    "PredictionGridDisplay",
    "SearchHistoriesDisplay",
    "SearchResultsDisplay",
    "TrainingHistoryDisplay",
    "build_dense_network",
    "fetch_cifar10",
    "load_digit_images",
    "load_image_folder",
    "load_model",
    "make_dense_pipeline",
    "save_model",
]


def __getattr__(name):
    if name in _room_of:
        return getattr(importlib.import_module(f".{_room_of[name]}", __name__), name)
    if name in _ROOMS:
        return importlib.import_module(f".{name}", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return [*globals(), *__all__, *_ROOMS]
