"""What the units of a first layer look for."""

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.pipeline import Pipeline

from .._sklearn.validation import validate_params
from ._figures import (
    AT_LEAST_ONE,
    OF_ALL,
    SCALE_HEIGHT,
    SCALE_WIDTH,
    TITLE_HEIGHT,
    draw_scale,
    place_for,
    with_margins,
    write_above,
)
from ._pictures import N_CHANNELS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CELL_WIDTH = 0.75  # inches


class FirstLayerDisplay:
    """The weights of a network's first layer, drawn in the shape of the pictures they multiply.

    It is recommended to use :meth:`from_estimator` to create one. All parameters are stored as
    attributes.

    Parameters
    ----------
    weights : ndarray of shape (n_units, height, width, 1 or 3)
        The weights of each unit of a dense layer, or each kernel of a convolutional one.

    Attributes
    ----------
    axes_ : ndarray of shape (n_images,)
        The axes, one for each unit that is drawn.

    figure_ : matplotlib Figure
        The figure that contains them.

    See Also
    --------
    PredictionGridDisplay : What the network predicts for pictures.

    Examples
    --------
    >>> from skcifar import FirstLayerDisplay, load_digit_images, make_dense_pipeline
    >>> X, y = load_digit_images(subset="test", return_X_y=True)
    >>> pipeline = make_dense_pipeline(epochs=1, random_state=0).fit(X, y)
    >>> display = FirstLayerDisplay.from_estimator(pipeline, n_images=20)
    >>> display.weights.shape
    (200, 32, 32, 3)
    """

    def __init__(self, *, weights: np.ndarray):
        self.weights = weights

    @validate_params(
        {"n_images": AT_LEAST_ONE, "n_columns": AT_LEAST_ONE}, prefer_skip_nested_validation=False
    )
    def plot(self, *, n_images: int = 40, n_columns: int = 10, ax: "Axes | None" = None) -> Self:
        """Draw the strongest units, sorted by the sum of their squared weights.

        Mid grey is 0, and brighter colours are those that increase the unit's sum. The scale is the
        same for all units.

        Parameters
        ----------
        n_images : int, default=40
            Maximum number of units to draw.

        n_columns : int, default=10
            Number of units per row.

        ax : matplotlib axes, default=None
            Axes to replace with the units. By default, a new figure is created.

        Returns
        -------
        display : :class:`FirstLayerDisplay`
            The display, drawn in ``axes_``.
        """
        weights = _check_weights(self.weights)
        strengths = np.square(weights).sum(axis=(1, 2, 3))
        strongest = np.argsort(-strengths, kind="stable")[:n_images]
        limit = float(np.percentile(np.abs(weights[strongest]), OF_ALL)) or 1.0
        n_columns = min(n_columns, len(strongest))
        n_rows = -(-len(strongest) // n_columns)
        width = CELL_WIDTH * n_columns
        height = CELL_WIDTH * n_rows * weights.shape[1] / weights.shape[2]
        size = max(width + SCALE_WIDTH, 4.5), max(height, SCALE_HEIGHT) + TITLE_HEIGHT
        self.figure_, place, width = place_for(ax, size=size)
        title = _units_text(len(strongest), len(weights))
        below = size[1] - TITLE_HEIGHT
        place = write_above(self.figure_, place, title, width=width, height=below)
        place = with_margins(place, right=SCALE_WIDTH)
        left, right = place.subgridspec(1, 2, width_ratios=[width, 0.15])
        grid = left.subgridspec(n_rows, n_columns).subplots(squeeze=False).ravel()
        for axes in grid:
            axes.set_axis_off()
        for axes, unit in zip(grid, strongest, strict=False):
            axes.imshow(_as_picture(weights[unit], limit), interpolation="nearest")
        self.axes_ = grid[: len(strongest)]
        draw_scale(
            self.figure_.add_subplot(right),
            ["black", "white"],
            lowest=-limit,
            highest=limit,
            label="weight" if weights.shape[-1] == 1 else "weight of\nred, green, blue",
        )
        return self

    @classmethod
    def from_estimator(
        cls, estimator: Any, *, n_images: int = 40, n_columns: int = 10, ax: "Axes | None" = None
    ) -> Self:
        """Draw the first layer of a fitted network.

        Parameters
        ----------
        estimator : estimator instance
            A fitted classifier with ``model_``, a Keras network, or a Pipeline that ends in one.
            The steps before it must keep the order of the pixels, as scaling and flattening do.

        n_images : int, default=40
            Maximum number of units to draw.

        n_columns : int, default=10
            Number of units per row.

        ax : matplotlib axes, default=None
            Axes to replace with the units. By default, a new figure is created.

        Returns
        -------
        display : :class:`FirstLayerDisplay`
            The display, drawn in ``axes_``.

        Raises
        ------
        ValueError
            If there is no network, or if the weights of its first layer do not make pictures.
        """
        steps = list(estimator) if isinstance(estimator, Pipeline) else [estimator]
        classifier = steps[-1]
        if not hasattr(classifier, "model_"):
            raise ValueError(
                f"{type(classifier).__name__} has no model_ whose weights could be drawn. Give a"
                " fitted classifier of this package, or a Pipeline that ends in one."
            )
        kernel = _first_kernel(classifier.model_)
        shapes = [getattr(step, "sample_shape_", ()) for step in steps]
        read = next(filter(None, shapes), ())  # before any step flattened it
        return cls(weights=_units_of(kernel, read)).plot(
            n_images=n_images, n_columns=n_columns, ax=ax
        )


def _first_kernel(network):
    """Return the weights of the first layer that has any to multiply by."""
    for layer in network.layers:
        if getattr(layer, "layers", None):  # a network within the network
            return _first_kernel(layer)
        if getattr(layer, "kernel", None) is not None:
            return np.asarray(layer.get_weights()[0])
    raise ValueError("The network has no layer with a kernel, such as Dense or Conv2D, to draw.")


def _units_of(kernel, sample_shape):
    """Turn a kernel into pictures, one for each unit."""
    if kernel.ndim == 4:  # convolution: height, width, channels, units
        return np.moveaxis(kernel, -1, 0)
    if kernel.ndim != 2:
        raise ValueError(
            f"The first layer has weights of shape {kernel.shape}. Only those of dense and of"
            " two-dimensional convolutional layers can be drawn."
        )
    picture_shape = (*sample_shape, 1) if len(sample_shape) == 2 else tuple(sample_shape)
    if len(picture_shape) != 3 or np.prod(picture_shape) != len(kernel):
        raise ValueError(
            f"The first layer takes {len(kernel)} numbers, which do not make a picture of the"
            f" samples' shape {tuple(sample_shape)}. Give a pipeline fitted on pictures that only"
            " scales and flattens them."
        )
    return kernel.T.reshape(-1, *picture_shape)


def _check_weights(weights):
    weights = np.asarray(weights)
    if weights.ndim != 4 or weights.shape[-1] not in N_CHANNELS or not weights.size:
        raise ValueError(
            "Expected weights of shape (n_units, height, width, n_channels) with 1 channel (grey)"
            f" or 3 (red, green, blue), got {weights.shape}. Other channels are not colours."
        )
    return weights


def _as_picture(weights, limit):
    """Return weights of one unit as red, green and blue from 0 to 1, with 0.5 for a weight of 0."""
    return np.broadcast_to(
        np.clip(0.5 + weights / (2 * limit), 0, 1), (*weights.shape[:2], max(N_CHANNELS))
    )


def _units_text(n_drawn, n_units):
    if n_drawn < n_units:
        return f"First layer: the {n_drawn} strongest of {n_units} units"
    return f"First layer: all {n_units} units, the strongest first"
