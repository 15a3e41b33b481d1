"""Whole ways from pictures to classes, as scikit-learn Pipelines."""

import re
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import partial
from inspect import cleandoc, signature
from typing import ParamSpec

from sklearn import get_config
from sklearn.pipeline import Pipeline

from .classifiers import (
    CLASSIFIERS,
    ConvolutionalClassifier,
    DenseClassifier,
    PretrainedClassifier,
    WhiteningClassifier,
)
from .preprocessing import ImageFlattener, ImageResizer, PixelScaler

__all__ = [
    "make_convolutional_pipeline",
    "make_dense_pipeline",
    "make_pretrained_pipeline",
    "make_whitening_pipeline",
]

Params = ParamSpec("Params")


def _takes(cls: Callable[Params, object]) -> Callable[[Callable], Callable[Params, Pipeline]]:
    """Let a function of ``**params`` say to editors and :func:`help` what a class takes."""

    def decorate(function):
        function.__signature__ = signature(cls).replace(return_annotation=Pipeline)
        if function.__doc__:
            described = "\n\n".join(_described_parameters(base) for base in cls.__bases__)
            before, _, after = cleandoc(function.__doc__).partition("**params\n")
            function.__doc__ = f"{before}{described}\n\nReturns{after.partition('Returns')[2]}"
        return function

    return decorate


def _described_parameters(cls):
    """Return what a class's docstring says of parameters, up to the next section."""
    described = cleandoc(cls.__doc__).partition("Parameters\n----------\n")[2]
    return re.split(r"\n\n.+\n---+\n", described)[0]


@dataclass(kw_only=True, eq=False, repr=False)
class _Dense(DenseClassifier, ImageResizer):
    """What a pipeline takes: the parameters of two of its steps."""


@dataclass(kw_only=True, eq=False, repr=False)
class _Convolutional(ConvolutionalClassifier, ImageResizer):
    """As above."""


@dataclass(kw_only=True, eq=False, repr=False)
class _Pretrained(PretrainedClassifier, ImageResizer):
    """As above."""


@dataclass(kw_only=True, eq=False, repr=False)
class _Whitening(WhiteningClassifier, ImageResizer):
    """As above."""


@_takes(_Dense)
def make_dense_pipeline(**params):
    """Make the article's pipeline: scale pixels, flatten pictures, classify with a dense network.

    Parameters
    ----------
    **params
        Parameters of :class:`DenseClassifier` and of :class:`ImageResizer`, by name.

    Returns
    -------
    pipeline : sklearn.pipeline.Pipeline
        With steps ``resize``, ``scale``, ``flatten`` and ``classify``. Takes integers from 0 to 255
        of shape (n_samples, height, width, n_channels), and lists of files or of pictures of any
        size.

    Notes
    -----
    If metadata routing is enabled when the pipeline is made, with
    ``sklearn.set_config(enable_metadata_routing=True)``, its ``transform_input`` is ``["X_val"]``:
    validation pictures passed to ``fit`` are then scaled and flattened like all others.

    Examples
    --------
    >>> from skcifar import load_digit_images, make_dense_pipeline
    >>> X, y = load_digit_images(return_X_y=True)
    >>> pipeline = make_dense_pipeline(epochs=3, random_state=0).fit(X, y)
    >>> X_test, y_test = load_digit_images(subset="test", return_X_y=True)
    >>> pipeline.score(X_test, y_test) > 0.9
    True
    """
    return _make_pipeline(DenseClassifier, **params)


@_takes(_Convolutional)
def make_convolutional_pipeline(**params):
    """Make the pipeline of the article's sequel: scale pixels, classify with convolutions.

    Parameters
    ----------
    **params
        Parameters of :class:`ConvolutionalClassifier` and of :class:`ImageResizer`, by name.

    Returns
    -------
    pipeline : sklearn.pipeline.Pipeline
        With steps ``resize``, ``scale`` and ``classify``. Takes integers from 0 to 255 of shape
        (n_samples, height, width, n_channels), and lists of files or of pictures of any size.

    See Also
    --------
    make_dense_pipeline : The baseline; its notes on metadata routing apply here too.

    Examples
    --------
    >>> from skcifar import load_digit_images, make_convolutional_pipeline
    >>> X, y = load_digit_images(return_X_y=True)
    >>> X = X[:, ::4, ::4]  # 8 by 8 pixels
    >>> small = {"filters": (8, 8), "strides": (2, 2), "learning_rate": 0.005, "epochs": 3}
    >>> pipeline = make_convolutional_pipeline(**small, random_state=0)
    >>> pipeline.fit(X, y).score(X, y) > 0.9
    True
    """
    return _make_pipeline(ConvolutionalClassifier, **params)


@_takes(_Pretrained)
def make_pretrained_pipeline(**params):
    """Make a pipeline around a pretrained network: scale pixels, train a new head.

    Parameters
    ----------
    **params
        Parameters of :class:`PretrainedClassifier`, including the required ``network``, and of
        :class:`ImageResizer`, by name.

    Returns
    -------
    pipeline : sklearn.pipeline.Pipeline
        With steps ``resize``, ``scale`` and ``classify``. Takes integers from 0 to 255 of shape
        (n_samples, height, width, n_channels), and lists of files or of pictures of any size.

    See Also
    --------
    make_dense_pipeline : The baseline; its notes on metadata routing apply here too.

    Examples
    --------
    >>> from skcifar import make_pretrained_pipeline
    >>> list(make_pretrained_pipeline(network="path/to/network.keras").named_steps)
    ['resize', 'scale', 'classify']
    """
    return _make_pipeline(PretrainedClassifier, **params)


@_takes(_Whitening)
def make_whitening_pipeline(**params):
    """Make the most accurate pipeline: scale pixels, whiten patches, classify.

    Parameters
    ----------
    **params
        Parameters of :class:`WhiteningClassifier` and of :class:`ImageResizer`, by name.

    Returns
    -------
    pipeline : sklearn.pipeline.Pipeline
        With steps ``resize``, ``scale`` and ``classify``. Takes integers from 0 to 255 of shape
        (n_samples, height, width, n_channels), and lists of files or of pictures of any size.

    See Also
    --------
    make_dense_pipeline : The baseline; its notes on metadata routing apply here too.

    Examples
    --------
    >>> from skcifar import make_whitening_pipeline
    >>> list(make_whitening_pipeline(horizontal_flip=False).named_steps)
    ['resize', 'scale', 'classify']
    """
    return _make_pipeline(WhiteningClassifier, **params)


def _make_pipeline(cls, **params):
    """Make the pipeline that ends in a classifier, flattening pictures for dense layers alone."""
    flatten = [("flatten", ImageFlattener())] if cls is DenseClassifier else []
    of_resizer = {f.name: params.pop(f.name) for f in fields(ImageResizer) if f.name in params}
    return Pipeline(
        [
            ("resize", ImageResizer(**of_resizer)),
            ("scale", PixelScaler(lazy=True)),
            *flatten,
            ("classify", cls(**params)),
        ],
        # scikit-learn refuses to fit a pipeline that has this while routing is off
        transform_input=["X_val"] if get_config()["enable_metadata_routing"] else None,
    )


PIPELINES = {name: partial(_make_pipeline, cls) for name, cls in CLASSIFIERS.items()}
