"""Transformers between pictures as they are read and arrays as networks like them.

Nothing here knows of Keras.
"""

import warnings
from numbers import Real

import numpy as np
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from ._lazy import LazyImages
from ._sklearn.callbacks import CallbackSupportMixin, FitTask, with_callbacks
from ._sklearn.validation import Interval, validate_samples


def _has_rows(transformer):
    """Whether samples have columns, as they have until fit has seen others."""
    return len(getattr(transformer, "sample_shape_", (1,))) == 1


class _PictureTransformer(CallbackSupportMixin, TransformerMixin, BaseEstimator):
    """What every transformer here shares: fitting learns the shape of a sample."""

    _parameter_constraints: dict = {}  # noqa: RUF012 (scikit-learn's convention)

    @with_callbacks
    def fit(self, X, y=None):
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
    def fit_transform(self, X, y=None):
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

    def transform(self, X):
        """Transform samples.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, height, width[, n_channels])
            Pictures or rows, of the shape that was fitted.

        Returns
        -------
        X_transformed : array
        """
        check_is_fitted(self)
        return self._transform(validate_samples(self, X, reset=False))

    def _fit(self, X, y):
        """Fit, and return the samples as they were checked."""
        self._validate_params()
        task = FitTask(self, X=X, y=y)
        X = validate_samples(self, X, reset=True)
        task.end()
        return X

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


class PixelScaler(OneToOneFeatureMixin, _PictureTransformer):
    """Scale pixels to the range 0 to 1.

    A network starts with small random weights; inputs of up to 255 would drive its units far from
    where they can learn.

    Parameters
    ----------
    max_value : float, default=255
        The value of a full pixel, which becomes 1.0. The default is that of 8-bit pictures.

    lazy : bool, default=False
        Whether bytes (uint8) stay bytes until they are needed as numbers, which spares four times
        their memory, or all of it where they are memory-mapped. What ``transform`` returns has then
        the shape and dtype of the scaled pixels, is indexed like them, and becomes an array by
        :func:`numpy.asarray`. The classifiers of this package scale it batch by batch, to the same
        numbers.

    Attributes
    ----------
    n_features_in_ : int
        Length of the second axis of X: the number of features of rows, the height of pictures.

    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of features seen during fit, where X has names that are all strings.

    sample_shape_ : tuple of int
        Shape of one sample seen during fit.

    See Also
    --------
    ImageFlattener : Turns pictures into rows.

    Notes
    -----
    The result is float32, or float64 where X is. Values are not copied before they are divided.

    Floats of which none exceeds 1 seem to be scaled already; a warning says so.

    Examples
    --------
    >>> from skcifar import PixelScaler
    >>> PixelScaler().fit_transform([[0, 51, 255]])
    array([[0. , 0.2, 1. ]], dtype=float32)
    """

    _parameter_constraints: dict = {  # noqa: RUF012
        "max_value": [Interval(Real, 0, None, closed="neither")],
        "lazy": ["boolean"],
    }

    def __init__(self, *, max_value=255, lazy=False):
        self.max_value = max_value
        self.lazy = lazy

    @available_if(_has_rows)
    def get_feature_names_out(self, input_features=None):
        """Return the names of the columns of the result, where samples are rows.

        Pictures have none, so that they stay arrays whatever ``set_output`` says.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Names of the columns of X.

        Returns
        -------
        names : ndarray of str objects
        """
        return super().get_feature_names_out(input_features)

    def _transform(self, X):
        if self.lazy and X.dtype == np.uint8:
            return LazyImages(X, self.max_value)
        self._warn_of_scaled_pixels(X)
        dtype = np.float64 if X.dtype == np.float64 else np.float32
        return np.divide(X, dtype(self.max_value), dtype=dtype)

    def _warn_of_scaled_pixels(self, X):
        """Warn of floats that seem to be divided already, which would become nearly black."""
        if X.dtype.kind == "f" and self.max_value >= 255 and 0 < X.max() <= 1:
            warnings.warn(
                f"The largest pixel is {X.max():.3g}, so that X seems to be scaled already, and"
                f" {type(self).__name__} divides it by {self.max_value:g} once more. Give pixels"
                f" from 0 to {self.max_value:g}, or set max_value=1.",
                UserWarning,
                stacklevel=3,
            )


class ImageFlattener(_PictureTransformer):
    """Turn each picture into one row of numbers, which is what a dense layer takes.

    Rows pass unchanged. The values are not copied where that can be avoided.

    Attributes
    ----------
    n_features_in_ : int
        Length of the second axis of X: the number of features of rows, the height of pictures.

    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of features seen during fit, where X has names that are all strings.

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

    def get_feature_names_out(self, input_features=None):
        """Return the names of the columns of the result.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Names of the columns of X, where X is rows. Ignored for pictures.

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
