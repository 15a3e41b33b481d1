"""Which versions of which libraries compute here."""

import platform
from importlib.metadata import version

import keras

from .. import __version__


def library_versions():
    """Tell what a model was trained with.

    Returns
    -------
    versions : dict of str to str
        Version by name: Python, this package, and the libraries that numbers and pictures depend
        on, among them the backend that Keras has.

    Examples
    --------
    >>> from skcifar.files._versions import library_versions
    >>> list(library_versions())[:4]
    ['python', 'skcifar', 'scikit-learn', 'keras']
    """
    libraries = ("scikit-learn", "keras", keras.config.backend(), "numpy", "matplotlib")
    return {
        "python": platform.python_version(),
        "skcifar": __version__,
        **{name: version(name) for name in libraries},
    }
