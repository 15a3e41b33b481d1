"""Whether what is drawn in the place of given axes stays there."""

import matplotlib.pyplot as plt
from matplotlib.transforms import Bbox


def assert_drawn_in_place(draw, *, layout, figsize=(16, 10)):
    """Draw in the left one of two axes, and see that neither the right one nor the edge is reached.

    Parameters
    ----------
    draw : callable
        Takes axes and returns a display.

    layout : {"constrained", None}
        That of the figure. Without any, all must stay within the axes that were given.
    """
    figure, (left, right) = plt.subplots(1, 2, figsize=figsize, layout=layout)
    display = draw(left)
    assert display.figure_ is figure
    figure.canvas.draw()
    place = left.bbox
    if layout:
        place = Bbox([[0, 0], [right.get_tightbbox().x0, figure.bbox.height]])
    drawn = [axes for axes in figure.axes if axes not in (left, right)]
    assert drawn
    for axes in drawn:
        box = axes.get_tightbbox()
        if box is not None:
            assert place.x0 - 1 <= box.x0, axes
            assert box.x1 <= place.x1 + 1, axes
            assert place.y0 - 1 <= box.y0, axes
            assert box.y1 <= place.y1 + 1, axes


def assert_label_of_scale_is_whole(display):
    """Check that what is written beside the scale does not leave the figure."""
    display.figure_.canvas.draw()
    label, figure = display.figure_.axes[-1].yaxis.label.get_window_extent(), display.figure_.bbox
    assert figure.y0 < label.y0
    assert label.y1 < figure.y1
    assert label.x1 < figure.x1
