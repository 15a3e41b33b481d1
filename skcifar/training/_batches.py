"""The samples of an epoch, in their order and as they are changed, batch by batch."""

import numpy as np

from .._lazy import LazyImages


class Epoch:
    """Samples, labels and weights of one pass."""

    def __init__(self, arrays, rows, augmentation=None, *, number=0):
        self.arrays = arrays  # X, which may be lazy, y and sample_weight
        self.rows = rows  # of the arrays, in the order in which they are passed
        self.augmentation = augmentation
        if augmentation is not None:
            self.changes = augmentation.draw(rows, *arrays[0].shape[1:3], epoch=number)

    def __len__(self):
        return len(self.rows)

    def fill(self, start, stop, buffers):
        """Write the samples from ``start`` to ``stop``, their labels and weights into buffers."""
        (X, *others), rows = self.arrays, self.rows[start:stop]
        (X_out, *others_out) = (buffer[: len(rows)] for buffer in buffers)
        for array, out in zip(others, others_out, strict=True):
            np.take(array, rows, axis=0, out=out, mode="clip")  # "clip" writes to `out` directly
        if not isinstance(X, LazyImages):
            np.take(X, rows, axis=0, out=X_out, mode="clip")
            if self.augmentation is not None:
                X_out[:] = self.augmentation.apply(X_out, self.changes[start:stop])
        elif self.augmentation is None:
            X.take(rows, X_out)
        else:
            bytes_ = X.bytes_of(rows)
            X.scale(self.augmentation.apply(bytes_, self.changes[start:stop]), X_out)

    def batches(self, batch_size):
        """Yield one batch after another, in arrays of its own."""
        for start in range(0, len(self), batch_size):
            stop = min(start + batch_size, len(self))
            batch = [np.empty((stop - start, *a.shape[1:]), a.dtype) for a in self.arrays]
            self.fill(start, stop, batch)
            yield tuple(batch)
