"""Pictures that are changed at random each time a network is trained on them."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Augmentation:
    """Which changes there are, and how large.

    Parameters
    ----------
    horizontal_flip : bool, default=False
        Whether each picture is mirrored, left to right, every second time on average.

    max_shift : float, default=0.0
        By which share of their height and width, in [0, 1), pictures are shifted at most, up or
        down and to a side, by whole pixels. What moves in is a mirror image of the edge.

    seed : int, default=0
        Determines, with the number of an epoch, what is changed in it.
    """

    horizontal_flip: bool = False
    max_shift: float = 0.0
    seed: int = 0

    def draw(self, n_pictures, height, width, *, epoch):
        """Draw what is changed in each of an epoch's pictures, for :func:`augmented`.

        Returns
        -------
        changes : ndarray of shape (n_pictures, 3), dtype int32
            Whether a picture is mirrored, and by how many pixels it moves down and to the right.
        """
        rng = np.random.default_rng([self.seed, epoch])
        down, right = (int(self.max_shift * size) for size in (height, width))
        changes = np.empty((n_pictures, 3), np.int32)
        changes[:, 0] = rng.integers(2, size=n_pictures) if self.horizontal_flip else 0
        changes[:, 1] = rng.integers(-down, down + 1, size=n_pictures)
        changes[:, 2] = rng.integers(-right, right + 1, size=n_pictures)
        return changes


def augmented(pictures, changes):
    """Change pictures as it was drawn.

    Parameters
    ----------
    pictures : ndarray of shape (n_pictures, height, width, n_channels)
        C-contiguous.

    changes : ndarray of shape (n_pictures, 3)
        From :meth:`Augmentation.draw`.

    Returns
    -------
    changed : ndarray of the same shape and dtype
    """
    n_pictures, height, width, n_channels = pictures.shape
    mirrored, down, right = changes.T
    rows = _reflected(np.arange(height) - down[:, None], height)
    columns = _reflected(np.arange(width) - right[:, None], width)
    columns = np.where(mirrored[:, None], width - 1 - columns, columns)
    first_rows = height * np.arange(n_pictures)[:, None]
    sources = ((first_rows + rows) * width)[:, :, None] + columns[:, None, :]
    pixels = pictures.view(np.dtype((np.void, n_channels * pictures.itemsize))).reshape(-1)
    return pixels.take(sources).view(pictures.dtype).reshape(pictures.shape)


def _reflected(places, size):
    """Places along an axis, of which those outside are mirrored at its ends."""
    places = places % (2 * size)
    return np.minimum(places, 2 * size - 1 - places)
