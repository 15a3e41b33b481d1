"""What all pictures share: colours, places for axes, titles, epochs and legends."""

import warnings
from contextlib import contextmanager
from numbers import Integral

from .._sklearn.validation import Interval
from ..files._atomic import replacing

# Blue and orange of the Okabe-Ito palette, which colour-blind people distinguish.
RIGHT_COLOR = "#0072B2"
WRONG_COLOR = "#D55E00"

# The rest of the palette follows these two where there are more things to distinguish.
COLORS = (RIGHT_COLOR, WRONG_COLOR, "#009E73", "#CC79A7", "#E69F00")
MARKERS = "osD^v"

TITLE_HEIGHT = 0.25  # inches
SCALE_WIDTH, SCALE_HEIGHT = 1.15, 1.6  # inches, for a scale and two lines beside it
OF_ALL = 99.5  # percent of the values that a scale covers; a few large ones would dim all

AT_LEAST_ONE = [Interval(Integral, 1, None, closed="left")]  # of pictures or columns


def place_for(ax, *, size):
    """Find the place to draw in: a figure of its own, or the place of given axes."""
    import matplotlib.pyplot as plt

    if ax is None:
        figure = plt.figure(figsize=size, layout="constrained")
        return figure, figure.add_gridspec(1, 1)[0], size[0]
    ax.set_axis_off()
    figure, box = ax.figure, ax.get_position()
    place = ax.get_subplotspec()
    if place is None:  # axes that were put somewhere by hand
        sides = {"left": box.x0, "right": box.x1, "bottom": box.y0, "top": box.y1}
        place = figure.add_gridspec(1, 1, **sides)[0]
    return figure, place, box.width * figure.bbox.width / figure.dpi


def has_layout(figure):
    """Whether a figure moves its axes so that nothing written around them is cut off."""
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    return isinstance(figure.get_layout_engine(), ConstrainedLayoutEngine)


def with_margins(place, *, left=0.0, right=0.0, below=0.0):
    """Leave space for what is written around axes, where the figure does not do so itself."""
    figure = place.get_gridspec().figure
    if has_layout(figure):
        return place
    box, dpi = place.get_position(figure), figure.dpi
    width, height = box.width * figure.bbox.width / dpi, box.height * figure.bbox.height / dpi
    ratios = {
        "width_ratios": [left, max(width - left - right, 0.1 * width), right],
        "height_ratios": [max(height - below, 0.1 * height), below],
    }
    return place.subgridspec(2, 3, wspace=0, hspace=0, **ratios)[0, 1]


def subplots(n_rows, n_columns, *, cell_size, ax):
    """Make a grid of axes, in a figure of its own or in the place of given axes."""
    size = cell_size[0] * n_columns, cell_size[1] * n_rows
    _, place, _ = place_for(ax, size=size)
    return place.subgridspec(n_rows, n_columns).subplots(squeeze=False)


def width_of_text(text, size, weight="normal"):
    """Width of a text, in points, for a size of its letters in points."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    font = FontProperties(size=size, weight=weight)
    with _any_script():
        return text_to_path.get_text_width_height_descent(text, font, ismath=False)[0]


def save_figure(figure, path):
    """Write a figure as a picture for a page, whole or not at all."""
    with replacing(path) as unfinished, _any_script():
        figure.savefig(unfinished, dpi=120, bbox_inches="tight")


@contextmanager
def _any_script():
    """Let names be in a script that the font lacks; the picture shows boxes then."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        yield


def write_above(figure, place, title, *, width, height):
    """Write a line above a place."""
    above, below = place.subgridspec(2, 1, height_ratios=[TITLE_HEIGHT, height])
    axes = figure.add_subplot(above)
    axes.set_axis_off()
    size = min(11, 11 * 72 * width / width_of_text(title, 11))
    style = {"ha": "center", "va": "center", "size": max(size, 6)}
    # the place would become wider for a long title otherwise
    axes.text(0.5, 0.5, title, parse_math=False, in_layout=False, **style)
    return below


def draw_scale(axes, colors, *, lowest, highest, label, extend="both"):
    """Draw which colour is which number."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import LinearSegmentedColormap, Normalize

    colors = LinearSegmentedColormap.from_list("scale", colors)
    scale = ScalarMappable(Normalize(lowest, highest), colors)
    axes.figure.colorbar(scale, cax=axes, extend=extend).set_label(label)


def dress_epochs(axes):
    """Give axes what curves over epochs need: numbers of epochs, a grid and some space."""
    from matplotlib.ticker import MaxNLocator

    drawn = [line.get_xdata() for line in axes.get_lines()]
    last = max((epochs[-1] for epochs in drawn if len(epochs)), default=1)
    ticks = MaxNLocator(nbins=8, integer=True, steps=[1, 2, 5, 10]).tick_values(0, last)
    axes.set_xticks([int(epoch) for epoch in ticks if 1 <= epoch <= last])
    axes.margins(x=0.08, y=0.15)
    axes.grid(alpha=0.3)


def handles_of(axes):
    """Return the entries of a legend of the axes."""
    return axes.get_legend_handles_labels()[0]


def put_legend(figure, axes, handles, *, outside, n_columns):
    """Put the legend under the panels, or into the first one where the figure is not ours."""
    if outside:
        figure.legend(
            handles.values(), handles, loc="outside lower center", ncols=n_columns, fontsize=9
        )
    else:
        axes.legend(handles.values(), handles, fontsize=8)
