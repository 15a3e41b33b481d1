"""Transformers between pictures as they are read and arrays as networks like them.

Nothing here knows of Keras.
"""

import os
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike
from PIL import Image
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from ._lazy import LazyImages
from ._sklearn.callbacks import CallbackSupportMixin, FitTask, with_callbacks
from ._sklearn.html import DocumentedMixin
from ._sklearn.validation import Interval, Options, StrOptions, stacked, validate_samples
from .datasets import DatasetError
from .datasets._folders import in_short
from .datasets._picture_files import RESIZE, decode_all
from .datasets._pictures import MAX_UNREADABLE, checked_image_size

__all__ = ["ImageFlattener", "ImageResizer", "PixelScaler"]

FILE_SHAPE = (32, 32, 3)  # of pictures from files, unless another is asked for
FILES = (str, os.PathLike, Image.Image)


def _has_rows(transformer):
    """Whether samples have columns, as they have until fit has seen others."""
    return len(getattr(transformer, "sample_shape_", (1,))) == 1


class _PictureTransformer(DocumentedMixin, CallbackSupportMixin, TransformerMixin, BaseEstimator):
    """What every transformer here shares: fitting learns the shape of a sample."""

    _parameter_constraints: ClassVar[dict] = {}

    @with_callbacks
    def fit(self, X: ArrayLike | Sequence, y: Any = None) -> Self:
        """Learn the shape of a sample.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, height, width[, n_channels])
            Pictures, or rows of numbers.

        y : None
            Ignored.

        Returns
        -------
        self : object
            The fitted transformer.
        """
        self._fit(X, y)
        return self

    @with_callbacks
    def fit_transform(self, X: ArrayLike | Sequence, y: Any = None) -> np.ndarray:
        """Learn the shape of a sample, and transform the samples, which are checked once.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, height, width[, n_channels])
            Pictures, or rows of numbers.

        y : None
            Ignored.

        Returns
        -------
        X_transformed : array
            What ``transform`` returns.
        """
        return self._transform(self._fit(X, y))

    def transform(self, X: ArrayLike | Sequence) -> np.ndarray:
        """Transform samples.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, height, width[, n_channels])
            Pictures or rows, of the shape seen during fit.

        Returns
        -------
        X_transformed : array
            The transformed samples.
        """
        check_is_fitted(self)
        return self._transform(validate_samples(self, self._read(X, reset=False), reset=False))

    def _fit(self, X, y):
        """Fit, and return the samples as they were checked."""
        self._validate_params()
        task = FitTask(self, X=X, y=y)
        X = validate_samples(self, self._read(X, reset=True), reset=True)
        task.end()
        return X

    def _read(self, X, *, reset):
        """Make samples of what is none yet."""
        return X

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


class _RowsKeepNamesMixin(OneToOneFeatureMixin):
    """Names columns as those of X, where samples are rows."""

    @available_if(_has_rows)
    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> np.ndarray:
        """Return the names of the columns of the result, if samples are rows.

        Pictures have none, so they stay arrays whatever ``set_output`` says.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Names of the columns of X.

        Returns
        -------
        names : ndarray of str objects
        """
        return super().get_feature_names_out(input_features)


@dataclass(kw_only=True, eq=False, repr=False)
class ImageResizer(_RowsKeepNamesMixin, _PictureTransformer):
    """Read pictures of any size, including files, as bytes of one size.

    Rows of numbers, and arrays of pictures that already have this size, pass unchanged, whatever
    their dtype; memory-mapped ones are not read.

    Parameters
    ----------
    image_size : tuple of (int, int), default=None
        Height and width in pixels to resize all pictures to. If None, the size of the array of
        pictures passed to ``fit``, or 32 by 32 if it is passed a list of files or of pictures of
        several sizes.

    resize : {"crop", "pad", "stretch"}, default="crop"
        How to resize a picture of other proportions: cut out its middle, pad it with black margins,
        or stretch it.

    n_channels : {1, 3}, default=None
        1 for pictures in grey, 3 for red, green and blue. If None, as in the array of pictures
        passed to ``fit``, or 3 if it is passed a list of files or of pictures of several sizes.

    Attributes
    ----------
    n_features_in_ : int
        Height of the resized pictures, or number of features of rows.

    feature_names_in_ : ndarray of shape (n_features,)
        Names of features seen during fit, if X has names that are all strings.

    sample_shape_ : tuple of int
        Shape of a transformed sample.

    See Also
    --------
    load_image_folder : Reads files once, for many fits.

    Notes
    -----
    X may also be a list, array or Series of pictures: paths of files in the formats that
    ``skcifar.datasets.read_picture`` reads, Pillow images, and arrays of integers from 0 to 255 of
    shape (height, width) or (height, width, n_channels), with n_channels 1, 3 or 4 (with
    transparency, which becomes white). Files are read again each time.

    Examples
    --------
    >>> import numpy as np
    >>> from skcifar import ImageResizer
    >>> photos = [np.zeros((480, 640, 3), np.uint8), np.zeros((640, 480), np.uint8)]
    >>> ImageResizer(image_size=(24, 32)).fit_transform(photos).shape
    (2, 24, 32, 3)
    """

    image_size: tuple[int, int] | None = None
    resize: str = "crop"
    n_channels: int | None = None

    _parameter_constraints: ClassVar[dict] = {
        "image_size": [tuple, list, None],
        "resize": [StrOptions(set(RESIZE))],
        "n_channels": [Options(Integral, {1, 3}), None],
    }

    def _read(self, X, *, reset):
        sources, own = _one_by_one(X), FILE_SHAPE
        if sources is None:
            X = stacked(X)
            sources = np.asarray(X) if isinstance(X, list | tuple) else X
            own = tuple(getattr(sources, "shape", ())[1:])
            if not _is_picture(own) or len(sources) == 0:
                return X
        shape = self._wanted(own) if reset else self.sample_shape_
        if sources is X and own == shape:
            return X
        if _is_picture(shape, (1, 3)):
            return self._resized(sources, shape)
        if isinstance(sources, list):
            raise ValueError(
                f"X is a list of pictures, but {type(self).__name__} was fitted on samples of"
                f" shape {shape}. Give such samples, or fit on pictures."
            )
        return X

    def _wanted(self, own):
        """Return the shape that samples of a shape get in ``fit``."""
        size, channels = own[:2], own[2:]
        if self.image_size is not None:
            size = checked_image_size(self.image_size, owner=type(self).__name__)
        if self.n_channels is not None:
            channels = (self.n_channels,)
        if channels == (4,) and size != own[:2]:
            channels = (3,)  # transparency is gone once it is resized
        return *size, *channels

    def _resized(self, sources, shape):
        if isinstance(sources, list):
            sources = [s if isinstance(s, FILES) else _as_bytes(s, shape) for s in sources]
        else:
            sources = _as_bytes(sources, shape)
        resized = np.empty((len(sources), *(*shape, 1)[:3]), np.uint8)
        _, unreadable = decode_all(sources, resized, resize=self.resize)
        if unreadable:
            reasons = [
                f"{sources[row] if isinstance(sources[row], FILES) else row} ({reason})"
                for row, reason in unreadable.items()
            ]
            raise DatasetError(
                f"{len(unreadable)} of {len(sources)} pictures cannot be read:"
                f" {in_short(reasons, MAX_UNREADABLE)}. Replace them, or take them out."
            )
        return resized.reshape(len(sources), *shape)

    def _transform(self, X):
        return X


def _one_by_one(X):
    """Return a list of files, or of pictures of several sizes; None if X is none."""
    if isinstance(X, FILES):
        raise ValueError(f"Expected a list of pictures, got {X!r} alone. Put it into a list.")
    if len(getattr(X, "shape", ())) == 1 and hasattr(X, "to_numpy"):
        X = X.to_numpy()
    is_array = isinstance(X, np.ndarray) and X.ndim == 1 and X.dtype.kind in "OUT"
    if not is_array and not isinstance(X, list | tuple):
        return None
    X = list(X)
    strange = [x for x in X if not isinstance(x, FILES) and not _is_picture(np.shape(x))]
    if not any(isinstance(x, FILES) for x in X):
        several = not strange and len({x.shape for x in X if hasattr(x, "shape")}) > 1
        return X if several else None
    if strange:
        raise ValueError(
            f"X has pictures and {strange[0]!r}, which is neither a path nor a Pillow image nor an"
            " array of shape (height, width) or (height, width, n_channels)."
        )
    return X


def _is_picture(shape, n_channels=(1, 3, 4)):
    return len(shape) == 2 or (len(shape) == 3 and shape[2] in n_channels)


def _as_bytes(pixels, shape):
    """Return pixels as bytes, which is what can be resized."""
    if pixels.dtype == np.uint8:
        return pixels
    if pixels.dtype.kind in "iu" and pixels.min() >= 0 and pixels.max() <= 255:
        return pixels.astype(np.uint8)
    raise ValueError(
        f"Only pictures of integers from 0 to 255 can be resized to {shape[0]} x {shape[1]} pixels,"
        f" got an array of shape {pixels.shape} and dtype {pixels.dtype}. Convert it, or give"
        " pictures of the right size."
    )


@dataclass(kw_only=True, eq=False, repr=False)
class PixelScaler(_RowsKeepNamesMixin, _PictureTransformer):
    """Scale pixels to the range 0 to 1.

    A network starts with small random weights; inputs of up to 255 would drive its units far from
    where they can learn.

    Parameters
    ----------
    max_value : float, default=255
        The largest pixel value, which becomes 1.0. The default is that of 8-bit pictures.

    lazy : bool, default=False
        Whether bytes (uint8) stay bytes until they are needed as numbers, which saves four times
        their memory, or all of it if they are memory-mapped. What ``transform`` returns then has
        the shape and dtype of the scaled pixels, is indexed like them, and becomes an array with
        :func:`numpy.asarray`. The classifiers of this package scale it batch by batch, to the same
        numbers.

    Attributes
    ----------
    n_features_in_ : int
        Length of the second axis of X: the number of features of rows, the height of pictures.

    feature_names_in_ : ndarray of shape (n_features,)
        Names of features seen during fit, if X has names that are all strings.

    sample_shape_ : tuple of int
        Shape of one sample seen during fit.

    See Also
    --------
    ImageFlattener : Turns pictures into rows.

    Notes
    -----
    The result is float32, or float64 if X is. Values are not copied before they are divided.

    Floats that do not exceed 1 seem to be scaled already; a warning says so.

    Examples
    --------
    >>> from skcifar import PixelScaler
    >>> PixelScaler().fit_transform([[0, 51, 255]])
    array([[0. , 0.2, 1. ]], dtype=float32)
    """

    max_value: float = 255
    lazy: bool = False

    _parameter_constraints: ClassVar[dict] = {
        "max_value": [Interval(Real, 0, None, closed="neither")],
        "lazy": ["boolean"],
    }

    def _transform(self, X):
        if self.lazy and X.dtype == np.uint8:
            return (X if isinstance(X, LazyImages) else LazyImages(X)).scaled(self.max_value)
        self._warn_of_scaled_pixels(X)
        dtype = np.float64 if X.dtype == np.float64 else np.float32
        return np.divide(X, dtype(self.max_value), dtype=dtype)

    def _warn_of_scaled_pixels(self, X):
        """Warn of floats that seem to be divided already, which would become nearly black."""
        if X.dtype.kind == "f" and self.max_value >= 255 and 0 < X.max() <= 1:
            warnings.warn(
                f"The largest pixel is {X.max():.3g}, so X seems to be scaled already, and"
                f" {type(self).__name__} divides it by {self.max_value:g} again. Give pixels"
                f" from 0 to {self.max_value:g}, or set max_value=1.",
                UserWarning,
                stacklevel=3,
            )


class ImageFlattener(_PictureTransformer):
    """Turn each picture into one row of numbers, as dense layers expect.

    Rows pass unchanged. Values are not copied if that can be avoided.

    Attributes
    ----------
    n_features_in_ : int
        Length of the second axis of X: the number of features of rows, the height of pictures.

    feature_names_in_ : ndarray of shape (n_features,)
        Names of features seen during fit, if X has names that are all strings.

    sample_shape_ : tuple of int
        Shape of one sample seen during fit.

    See Also
    --------
    PixelScaler : Scales pixels to the range 0 to 1.

    Examples
    --------
    >>> from skcifar import ImageFlattener, load_digit_images
    >>> digits = load_digit_images(subset="test")
    >>> ImageFlattener().fit_transform(digits.images).shape
    (360, 3072)
    """

    def _transform(self, X):
        if isinstance(X, LazyImages):
            return X.flattened()
        return X.reshape(len(X), -1)

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> np.ndarray:
        """Return the names of the columns of the result.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Names of the columns of X, if X holds rows. Ignored for pictures.

        Returns
        -------
        names : ndarray of str objects
            The column names of rows; ``pixel_row_column_channel`` for pictures.
        """
        check_is_fitted(self)
        if _has_rows(self):
            return OneToOneFeatureMixin.get_feature_names_out(self, input_features)
        pixels = np.ndindex(*self.sample_shape_)
        return np.array(["_".join(map(str, ("pixel", *pixel))) for pixel in pixels], dtype=object)
