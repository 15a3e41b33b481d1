"""What all pictures share: colours, places for axes, titles, epochs and legends."""

import warnings

# Blue and orange of the Okabe-Ito palette, which colour-blind people tell apart.
RIGHT_COLOR = "#0072B2"
WRONG_COLOR = "#D55E00"

# The rest of the palette follows these two where there are more things to tell apart.
COLORS = (RIGHT_COLOR, WRONG_COLOR, "#009E73", "#CC79A7", "#E69F00")
MARKERS = "osD^v"

TITLE_HEIGHT = 0.25  # inches


def place_for(ax, *, size):
    """Find the place to draw in: a figure of its own, or the place of given axes.

    Parameters
    ----------
    ax : matplotlib axes or None
        Axes whose place is taken. They vanish.

    size : tuple of float
        Width and height of a new figure, in inches.

    Returns
    -------
    figure : matplotlib Figure or SubFigure

    place : matplotlib SubplotSpec

    width : float
        How wide the place is, in inches.
    """
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


def subplots(n_rows, n_columns, *, cell_size, ax):
    """Make a grid of axes, in a figure of its own or in the place of given axes.

    Parameters
    ----------
    n_rows, n_columns : int
        Shape of the grid.

    cell_size : tuple of float
        Width and height of each of the axes in a new figure, in inches.

    ax : matplotlib axes or None
        Axes whose place the grid takes.

    Returns
    -------
    axes : ndarray of shape (n_rows, n_columns)
    """
    size = cell_size[0] * n_columns, cell_size[1] * n_rows
    _, place, _ = place_for(ax, size=size)
    return place.subgridspec(n_rows, n_columns).subplots(squeeze=False)


def width_of_text(text, size, weight="normal"):
    """Tell how wide a text will be, in points, if its letters have a size in points."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    font = FontProperties(size=size, weight=weight)
    with warnings.catch_warnings():
        # the font may lack a script; who draws the figure hears of that
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        return text_to_path.get_text_width_height_descent(text, font, ismath=False)[0]


def write_above(figure, place, title, *, width, height):
    """Write a line above a place.

    Parameters
    ----------
    figure : matplotlib Figure or SubFigure
        The figure that the place is in.

    place : matplotlib SubplotSpec
        Where to draw.

    title : str
        The line. Its letters are smaller where the place is narrow.

    width, height : float
        The size of the place, in inches.

    Returns
    -------
    place : matplotlib SubplotSpec
        What is left of the place.
    """
    above, below = place.subgridspec(2, 1, height_ratios=[TITLE_HEIGHT, height])
    axes = figure.add_subplot(above)
    axes.set_axis_off()
    size = min(11, 11 * 72 * width / width_of_text(title, 11))
    style = {"ha": "center", "va": "center", "size": max(size, 6)}
    # the place would become wider for a long title otherwise
    axes.text(0.5, 0.5, title, parse_math=False, in_layout=False, **style)
    return below


def dress_epochs(axes):
    """Give axes what curves over epochs need: whole numbers, a grid and some room.

    Parameters
    ----------
    axes : matplotlib axes
        Drawn to already.
    """
    from matplotlib.ticker import MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.margins(x=0.08, y=0.15)
    axes.grid(alpha=0.3)


def handles_of(axes):
    """Return what a legend of the axes would tell."""
    return axes.get_legend_handles_labels()[0]


def put_legend(figure, axes, handles, *, outside, n_columns):
    """Put the legend under the panels, or into the first one where the figure is not ours."""
    if outside:
        figure.legend(
            handles.values(), handles, loc="outside lower center", ncols=n_columns, fontsize=9
        )
    else:
        axes.legend(handles.values(), handles, fontsize=8)
