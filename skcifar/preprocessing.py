"""Transformers between pictures as they are read and arrays as networks like them.

Nothing here knows of Keras.
"""

from numbers import Real

import numpy as np
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from ._sklearn.callbacks import CallbackSupportMixin, FitTask, with_callbacks
from ._sklearn.validation import Interval, validate_samples


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
        self._validate_params()
        task = FitTask(self, X=X, y=y)
        validate_samples(self, X, reset=True)
        task.end()
        return self

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
    The result is float32, or float64 where X is.

    Examples
    --------
    >>> from skcifar import PixelScaler
    >>> PixelScaler().fit_transform([[0, 51, 255]])
    array([[0. , 0.2, 1. ]], dtype=float32)
    """

    _parameter_constraints: dict = {  # noqa: RUF012
        "max_value": [Interval(Real, 0, None, closed="neither")]
    }

    def __init__(self, *, max_value=255):
        self.max_value = max_value

    def transform(self, X):
        """Divide by ``max_value``.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, height, width[, n_channels])
            Pictures or rows, of the shape that was fitted.

        Returns
        -------
        X_scaled : ndarray of the same shape, dtype float32 (float64 where X is)
        """
        check_is_fitted(self)
        X = validate_samples(self, X, reset=False)
        dtype = np.float64 if X.dtype == np.float64 else np.float32
        return np.divide(X, dtype(self.max_value), dtype=dtype)


class ImageFlattener(_PictureTransformer):
    """Turn each picture into one row of numbers, which is what a dense layer takes.

    Rows pass unchanged.

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

    def transform(self, X):
        """Flatten each sample. The values are not copied where that can be avoided.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, height, width[, n_channels])
            Pictures or rows, of the shape that was fitted.

        Returns
        -------
        X_flat : ndarray of shape (n_samples, n_features), dtype of X
        """
        check_is_fitted(self)
        X = validate_samples(self, X, reset=False)
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
        if len(self.sample_shape_) == 1:
            return OneToOneFeatureMixin.get_feature_names_out(self, input_features)
        pixels = np.ndindex(*self.sample_shape_)
        return np.array(["_".join(map(str, ("pixel", *pixel))) for pixel in pixels], dtype=object)
