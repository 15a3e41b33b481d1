"""Confusion matrices that can be read, whatever number of classes they have."""

import numpy as np
from sklearn.metrics import ConfusionMatrixDisplay

from ._differences import cut_names, plain

MOST_NUMBERED = 12  # classes whose confusions are written as numbers too
MOST_NAMED = 18  # classes whose names fit beside a matrix
SMALLEST = 6.5  # size of letters that can be read, in points


def draw_matrix(axes, matrix, classes, *, highest, larger=0):
    """Draw how many, or which share, of the classes in rows were taken for those in columns."""
    names = [plain(name) for name in cut_names(classes)]
    size = float(np.clip(80 / len(classes) + larger, SMALLEST, 9))
    drawn = ConfusionMatrixDisplay(matrix, display_labels=names).plot(
        include_values=len(classes) <= MOST_NUMBERED,
        values_format=".0f",
        cmap="Blues",
        xticks_rotation="vertical",
        colorbar=False,
        ax=axes,
        text_kw={"size": size},
        im_kw={"vmin": 0, "vmax": highest},
    )
    for text, value in zip(np.ravel(drawn.text_), matrix.ravel(), strict=False):
        if text is not None:
            text.set_color("white" if value > 0.6 * highest else "black")
    named = slice(None, None, -(-len(names) // MOST_NAMED))
    axes.set_xticks(np.arange(len(names))[named], names[named], rotation="vertical")
    axes.set_yticks(np.arange(len(names))[named], names[named])
    axes.tick_params(labelsize=size)
    axes.set_xlabel("predicted")
