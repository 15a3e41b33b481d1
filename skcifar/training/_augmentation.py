"""Pictures that are changed at random each time a network is trained on them."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Augmentation:
    """Which changes there are, and how large: the parameters of ImageClassifier of these names."""

    horizontal_flip: bool | str = False
    max_shift: float = 0.0
    max_rotation: float = 0.0
    cutout: float = 0.0  # T. DeVries and G. W. Taylor, 2017: https://arxiv.org/abs/1708.04552
    seed: int = 0

    def draw(self, rows, height, width, *, epoch):
        """Draw what is changed in each of an epoch's pictures, which are these rows of them all."""
        n_pictures = len(rows)
        rng = np.random.default_rng([self.seed, epoch])
        down, right = (int(self.max_shift * size) for size in (height, width))
        # Whether a picture is mirrored, by how many pixels it moves down and to the right, by which
        # angle it is turned, and the first row and column of what is cut out.
        changes = np.zeros((n_pictures, 6), np.float32)
        if self.horizontal_flip == "alternate":
            of_all_epochs = np.random.default_rng([self.seed, 0, 1])
            halves = of_all_epochs.integers(2, size=rows.max() + 1)
            changes[:, 0] = (halves[rows] + epoch) % 2
        elif self.horizontal_flip:
            changes[:, 0] = rng.integers(2, size=n_pictures)
        changes[:, 1] = rng.integers(-down, down + 1, size=n_pictures)
        changes[:, 2] = rng.integers(-right, right + 1, size=n_pictures)
        if self.max_rotation:
            limit = np.deg2rad(self.max_rotation)
            changes[:, 3] = rng.uniform(-limit, limit, size=n_pictures)
        if self.cutout:
            for column, size in ((4, height), (5, width)):
                middles = rng.integers(size, size=n_pictures)
                changes[:, column] = middles - round(self.cutout * size) // 2
        return changes

    def apply(self, pictures, changes):
        """Return C-contiguous pictures changed as it was drawn."""
        if self.max_rotation:
            changed = _turned(pictures, *changes.T[:4])
        else:
            changed = _moved(pictures, *changes.T[:3].astype(int))
        if self.cutout:
            _cut_out(changed, self.cutout, *changes.T[4:].astype(int))
        return changed


def _moved(pictures, mirrored, down, right):
    """Move pictures, and mirror what results, pixel by pixel."""
    _, height, width, _ = pictures.shape
    rows = _reflected(np.arange(height) - down[:, None], height)
    columns = _reflected(np.arange(width) - right[:, None], width)
    columns = np.where(mirrored[:, None], width - 1 - columns, columns)
    return _pixels(pictures, rows[:, :, None], columns[:, None, :])


def _turned(pictures, mirrored, down, right, angle):
    """Turn pictures, then move and mirror them, with the mean of the four nearest pixels each."""
    _, height, width, _ = pictures.shape
    rows = (np.arange(height) - (height - 1) / 2 - down[:, None])[:, :, None]
    columns = (np.arange(width) - (width - 1) / 2 - right[:, None])[:, None, :]
    columns = np.where(mirrored[:, None, None], -columns, columns)
    cosine, sine = (f(angle)[:, None, None] for f in (np.cos, np.sin))
    rows, columns = (
        rows * cosine + columns * sine + (height - 1) / 2,
        columns * cosine - rows * sine + (width - 1) / 2,
    )
    above, left = np.floor(rows).astype(int), np.floor(columns).astype(int)
    below_share = (rows - above).astype(np.float32)[..., None]
    right_share = (columns - left).astype(np.float32)[..., None]
    above, below = (_reflected(above + k, height) for k in (0, 1))
    left, right = (_reflected(left + k, width) for k in (0, 1))
    upper = _between(_pixels(pictures, above, left), _pixels(pictures, above, right), right_share)
    lower = _between(_pixels(pictures, below, left), _pixels(pictures, below, right), right_share)
    return _rounded(_between(upper, lower, below_share), pictures.dtype)


def _between(first, second, share):
    return first * (1 - share) + second * share


def _rounded(values, dtype):
    return (np.rint(values) if dtype.kind in "ui" else values).astype(dtype)


def _cut_out(pictures, share, first_row, first_column):
    """Give an area of each picture its mean colour, in place."""
    _, height, width, _ = pictures.shape
    inside = []
    for first, size in ((first_row, height), (first_column, width)):
        offset = np.arange(size) - first[:, None]
        inside.append((offset >= 0) & (offset < round(share * size)))
    area = inside[0][:, :, None] & inside[1][:, None, :]
    means = _rounded(pictures.mean(axis=(1, 2), keepdims=True), pictures.dtype)
    np.copyto(pictures, means, where=area[..., None])


def _pixels(pictures, rows, columns):
    """Take the pixels at the places given for each picture, which broadcast."""
    n_pictures, height, width, n_channels = pictures.shape
    sources = (height * np.arange(n_pictures)[:, None, None] + rows) * width + columns
    pixels = pictures.view(np.dtype((np.void, n_channels * pictures.itemsize))).reshape(-1)
    return pixels.take(sources).view(pictures.dtype).reshape(pictures.shape)


def _reflected(places, size):
    """Places along an axis, of which those outside are mirrored at its ends."""
    places = places % (2 * size)
    return np.minimum(places, 2 * size - 1 - places)
