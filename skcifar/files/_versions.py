"""Which versions of which libraries compute here."""

import platform
from importlib.metadata import version

from .._keras import keras_settings
from .._version import __version__


def library_versions():
    """Return the versions of the libraries that a model is trained with."""
    libraries = ("scikit-learn", "keras", keras_settings()["backend"], "numpy", "matplotlib")
    return {
        "python": platform.python_version(),
        "skcifar": __version__,
        **{name: version(name) for name in libraries},
    }
