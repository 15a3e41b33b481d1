"""Rows of pictures with something written under each."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from sklearn.utils import check_consistent_length

from .._sklearn.validation import stacked
from ._figures import RIGHT_COLOR, WRONG_COLOR, has_layout, width_of_text, with_margins

LARGEST, SMALLEST = 10, 7.5  # sizes of letters, in points
LINE = 1.35  # from line to line, in sizes of letters
PAD = 3  # between a picture and what is written under it, in points
N_CHANNELS = (1, 3)


@dataclass(frozen=True)
class Caption:
    """A line under a picture: perhaps a mark, the name of a class, perhaps its probability."""

    name: object
    mark: str = ""
    probability: float | None = None
    color: str = "black"
    is_file: bool = False  # whose names differ at their ends

    @property
    def text(self):
        name = " ".join(str(self.name).split())
        number = "" if self.probability is None else format_probability(self.probability)
        return " ".join(part for part in (self.mark, name, number) if part)

    @property
    def weight(self):
        return "bold" if self.mark else "normal"

    def width(self, size):
        return width_of_text(self.text, size, self.weight)

    def fit(self, width, size):
        """Shorten the name until the line is no wider than ``width`` points."""
        line, name = self, " ".join(str(self.name).split())
        while len(name) > 1 and line.width(size) > width:
            name = name[1:] if self.is_file else name[:-1]
            line = replace(self, name=f"…{name.strip()}" if self.is_file else f"{name.rstrip()}…")
        return line


def judge(name, right, probability=None):
    """Make the line that says whether a prediction is right, by a mark and by a colour."""
    mark, color = ("✓", RIGHT_COLOR) if right else ("✗", WRONG_COLOR)
    return Caption(name, mark=mark, probability=probability, color=color)


def file_caption(filename):
    """Make the line that names the file of a picture, without its folder."""
    name = Path(filename).name.encode(errors="backslashreplace").decode()  # bytes that are no text
    return Caption(name, color="dimgray", is_file=True)


def format_probability(probability):
    """Write a probability so that only what is certain is written as 1 or 0.

    Examples
    --------
    >>> [format_probability(p) for p in (0.934, 0.9999, 1, 0.0001, 0)]
    ['0.93', '>0.99', '1.00', '<0.01', '0.00']
    """
    if 0.995 <= probability < 1:
        return ">0.99"
    return "<0.01" if 0 < probability < 0.005 else f"{probability:.2f}"


def check_pictures(X, *labels):
    """Return pictures as one array, or raise unless they can be drawn, and each has its labels."""
    check_consistent_length(X, *labels)
    X = np.asarray(stacked(X))
    if not len(X):
        raise ValueError("Found array with 0 sample(s) while a minimum of 1 is required to draw.")
    if X.ndim not in (3, 4):
        raise ValueError(
            "Expected pictures of shape (n_samples, height, width[, n_channels]), got X of shape"
            f" {X.shape}. Reshape rows to pictures first."
        )
    if X.ndim == 4 and X.shape[-1] not in N_CHANNELS:
        raise ValueError(
            f"Expected pictures of 1 channel (grey) or 3 (red, green, blue), got X of shape"
            f" {X.shape}, which has {X.shape[-1]}. Keep only the colours, as in X[..., :3]."
        )
    return X


def check_has_probabilities(estimator):
    """Raise unless an estimator predicts probabilities."""
    if not hasattr(estimator, "predict_proba"):
        raise ValueError(
            f"{type(estimator).__name__} has no predict_proba, so nobody knows how sure it is."
            " Give a classifier that predicts probabilities, such as DenseClassifier."
        )


def figure_size(images, captions, headers, *, n_columns, cell_width):
    """Width and height, in inches, of a figure for :func:`draw_pictures`."""
    n_columns = min(n_columns, len(images))
    n_rows = -(-len(images) // n_columns)
    height, width = np.shape(images[0])[:2]
    row_height = cell_width * height / width + _text_height(captions, LARGEST)
    return cell_width * n_columns + _margin(headers), row_height * n_rows


def draw_pictures(place, images, captions, headers, *, n_columns, width):
    """Draw pictures in rows, each above its captions; headers say what the lines of these are."""
    n_columns = min(n_columns, len(images))
    n_rows = -(-len(images) // n_columns)
    available = 0.95 * 72 * (width - _margin(headers)) / n_columns
    longest = max(
        caption.width(LARGEST) for lines in captions for caption in lines if not caption.is_file
    )
    size = float(np.clip(LARGEST * available / longest, SMALLEST, LARGEST))
    around = {"left": _margin(headers), "below": _text_height(captions, size)}
    grid = _grid(place, n_rows, n_columns, **around)
    for axes in grid:
        axes.set_axis_off()
    for number, (axes, image, lines) in enumerate(zip(grid, images, captions, strict=False)):
        show_picture(axes, image)
        for line, caption in enumerate(lines):
            letters = SMALLEST if caption.is_file else size
            fitting = caption.fit(0.85 * available if caption.is_file else available, letters)
            style = {"color": fitting.color, "weight": fitting.weight, "ha": "center"}
            _write_under(axes, line, fitting.text, size=letters, line_size=size, **style)
        if number % n_columns == 0:
            for line, header in enumerate(headers):
                style = {"x": 0, "shift": -6, "ha": "right", "color": "dimgray"}
                _write_under(axes, line, header, size=size, **style)
    return grid[: len(images)]


def show_picture(axes, image):
    """Draw a picture of bytes, or of floats from 0 to 1."""
    full_pixel = 255 if image.dtype.kind in "ui" else 1
    axes.imshow(image, cmap="gray", vmin=0, vmax=full_pixel)  # colours need none of these


def _grid(place, n_rows, n_columns, **around):
    """Make axes in rows, with space around each row where the figure does not make it itself."""
    if has_layout(place.get_gridspec().figure):
        return place.subgridspec(n_rows, n_columns).subplots(squeeze=False).ravel()
    rows = [with_margins(row, **around) for row in place.subgridspec(n_rows, 1, hspace=0)]
    grids = [row.subgridspec(1, n_columns, wspace=0.05).subplots(squeeze=False) for row in rows]
    return np.concatenate(grids).ravel()


def _write_under(axes, line, text, *, size, line_size=None, x=0.5, shift=0, **style):
    """Write in the given line under a picture."""
    axes.annotate(
        text,
        (x, 0),
        xycoords="axes fraction",
        xytext=(shift, -PAD - line * LINE * (line_size or size)),
        textcoords="offset points",
        va="top",
        size=size,
        parse_math=False,
        **style,
    )


def _margin(headers):
    """Width of what stands to the left of a row, in inches."""
    return (max(width_of_text(header, LARGEST) for header in headers) + 10) / 72


def _text_height(captions, size):
    """Height of what stands under a row, in inches."""
    return (len(captions[0]) * LINE * size + 3 * PAD) / 72
