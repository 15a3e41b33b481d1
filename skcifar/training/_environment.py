"""What else than data and parameters decides results: versions, processor, threads, backend."""

import platform

import joblib
import numpy as np

from .._keras import keras_settings
from ..files._versions import library_versions
from ._predict import engine


def settings():
    """Return the settings of Keras, its backend and the processor that results depend on."""
    of_backend = {"threads": 0} if engine is None else engine.settings()
    of_backend["threads"] = of_backend["threads"] or joblib.cpu_count()
    found = np.show_config(mode="dicts")["SIMD Extensions"]
    return {
        **keras_settings(),
        **of_backend,
        "instruction sets": ", ".join([*found["baseline"], *found["found"]]),
    }


def show_versions() -> None:
    """Print what results and speed depend on: versions, processor, threads, oneDNN.

    For reports of errors, beside :func:`sklearn.show_versions`.

    Notes
    -----
    oneDNN computes convolutions on the processor. TensorFlow switches it on by itself on processors
    with AVX-512 only; this package switches it on everywhere, if it is imported before TensorFlow
    is. ``TF_ENABLE_ONEDNN_OPTS=0`` in the environment switches it off.

    Examples
    --------
    >>> import skcifar
    >>> skcifar.show_versions()  # doctest: +SKIP
    """
    print(f"system: {platform.platform()}")
    for name, value in {**library_versions(), **settings()}.items():
        print(f"{name}: {value}")
