"""Which versions of which libraries compute here."""

import platform
from importlib.metadata import version

from .. import __version__
from .._keras import keras_settings


def library_versions():
    """Return the versions of the libraries that a model is trained with."""
    libraries = ("scikit-learn", "keras", keras_settings()["backend"], "numpy", "matplotlib")
    return {
        "python": platform.python_version(),
        "skcifar": __version__,
        **{name: version(name) for name in libraries},
    }
