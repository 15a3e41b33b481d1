"""Pictures that stay bytes, where they are, until they are needed as numbers."""

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin


class LazyImages(NDArrayOperatorsMixin):
    """Bytes that are copied, and divided, only where they are needed."""

    # Has the shape and dtype of the array that they stand for, is indexed along its first axis like
    # it, which copies no pixels, and becomes it by numpy.asarray. All else that an array can do is
    # done by that array.

    def __init__(self, pixels, max_value=None, *, rows=None, sample_shape=None, dtype=None):
        self._pixels = pixels  # of dtype uint8, and perhaps memory-mapped
        self.max_value = None if max_value is None else np.float32(max_value)  # they are divided by
        if dtype is None:
            dtype = np.uint8 if max_value is None else np.float32
        self._rows = rows  # those along the pixels' first axis that are the samples; None is all
        self._sample_shape = pixels.shape[1:] if sample_shape is None else sample_shape
        self.dtype = np.dtype(dtype)

    @property
    def shape(self):
        """Tuple of int: ``(n_samples, *sample_shape)``."""
        return (len(self), *self._sample_shape)

    @property
    def ndim(self):
        """Int: number of axes."""
        return len(self.shape)

    device = "cpu"  # for which scikit-learn asks every array that it indexes

    def __len__(self):
        return len(self._pixels if self._rows is None else self._rows)

    def __iter__(self):
        return iter(np.asarray(self))

    def __getitem__(self, key):
        if isinstance(key, tuple) and len(key) == 2 and key[1] is Ellipsis:
            key = key[0]  # as scikit-learn indexes
        if isinstance(key, tuple) or np.ndim(key) > 1:
            return np.asarray(self)[key]
        rows = (np.arange(len(self)) if self._rows is None else self._rows)[key]
        return (
            self._like(rows=rows) if np.ndim(rows) else np.asarray(self._like(rows=rows[None]))[0]
        )

    def __array__(self, dtype=None, copy=None):
        if copy is False:
            raise ValueError("LazyImages cannot become an array without a copy.")
        array = np.empty(self.shape, self.dtype)
        self.take(slice(None), array)
        return array if dtype is None else array.astype(dtype, copy=False)

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        inputs = [np.asarray(x) if isinstance(x, LazyImages) else x for x in inputs]
        return getattr(ufunc, method)(*inputs, **kwargs)

    def __getattr__(self, name):
        if name.startswith("_") or not hasattr(np.ndarray, name):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return getattr(np.asarray(self), name)

    def __repr__(self):
        return f"LazyImages(shape={self.shape}, dtype={self.dtype})"

    def astype(self, dtype):
        """Return the same pictures with another dtype."""
        return self._like(dtype=dtype)

    def flattened(self):
        """Return the same pictures as rows."""
        return self._like(sample_shape=(int(np.prod(self._sample_shape)),))

    def scaled(self, max_value):
        """Return the same pictures divided."""
        return self._like(max_value=max_value, dtype=None)

    def bytes_of(self, rows):
        """Return the pixels of some samples as they are, in the shape of the pixels."""
        return self._pixels[rows if self._rows is None else self._rows[rows]]

    def scale(self, pixels, out):
        """Write pixels that :meth:`bytes_of` returned into an array, divided."""
        out = out.reshape(pixels.shape)
        if self.max_value is None:
            out[...] = pixels
            return
        np.divide(pixels, self.max_value, out=out, dtype=np.float32)

    def take(self, rows, out):
        """Write some samples into an array of their shape and this dtype."""
        self.scale(self.bytes_of(rows), out)

    def _like(self, **changed):
        params = {
            "max_value": self.max_value,
            "rows": self._rows,
            "sample_shape": self._sample_shape,
            "dtype": self.dtype,
        }
        return LazyImages(self._pixels, **params | changed)
