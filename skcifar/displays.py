"""Pictures of predictions and of training, in the shape of scikit-learn's displays.

Nothing here knows how anything is trained: data, or any fitted estimator, is enough.
"""

from numbers import Integral

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.utils import check_consistent_length, check_random_state

from ._validation import Interval, validate_params

# Blue and orange of the Okabe-Ito palette, which colour-blind people tell apart.
RIGHT_COLOR = "#0072B2"
WRONG_COLOR = "#D55E00"

_at_least_one = [Interval(Integral, 1, None, closed="left")]


class PredictionGridDisplay:
    """Pictures with the predicted and the actual class under each.

    It is recommended to use :meth:`from_estimator` or :meth:`from_predictions` to create one. All
    parameters are stored as attributes.

    Parameters
    ----------
    images : ndarray of shape (n_samples, height, width[, 3]), dtype uint8, or float from 0 to 1
        The pictures.

    y_true : ndarray of shape (n_samples,)
        The actual classes.

    y_pred : ndarray of shape (n_samples,)
        The predicted classes.

    Attributes
    ----------
    axes_ : ndarray of shape (n_samples,)
        The axes, one for each picture.

    figure_ : matplotlib Figure
        The figure that they are in.

    See Also
    --------
    sklearn.metrics.ConfusionMatrixDisplay : All predictions counted instead of a few shown.

    Examples
    --------
    >>> from skcifar import PredictionGridDisplay, load_digit_images
    >>> X, y = load_digit_images(subset="test", return_X_y=True)
    >>> display = PredictionGridDisplay.from_predictions(X, y, y, n_images=10)
    >>> len(display.axes_)
    10
    """

    def __init__(self, *, images, y_true, y_pred):
        self.images = images
        self.y_true = y_true
        self.y_pred = y_pred

    @validate_params({"n_columns": _at_least_one}, prefer_skip_nested_validation=False)
    def plot(self, *, n_columns=10, ax=None):
        """Draw the pictures in rows.

        A right prediction is blue, a wrong one orange and marked by a cross, so that they can be
        told apart without colour.

        Parameters
        ----------
        n_columns : int, default=10
            Pictures in a row.

        ax : matplotlib axes, default=None
            Axes whose place the pictures take. By default a new figure is made.

        Returns
        -------
        display : :class:`PredictionGridDisplay`
        """
        n_images = len(self.images)
        n_columns = min(n_columns, n_images)
        n_rows = -(-n_images // n_columns)
        grid = subplots(n_rows, n_columns, cell_size=(1.25, 1.65), ax=ax)
        self.figure_ = grid.flat[0].figure
        for axes in grid.flat:
            axes.set_axis_off()
        self.axes_ = grid.ravel()[:n_images]
        for number, axes in enumerate(self.axes_):
            image, actual, predicted = (
                values[number] for values in (self.images, self.y_true, self.y_pred)
            )
            right = actual == predicted
            full_pixel = 255 if image.dtype.kind in "ui" else 1
            axes.imshow(image, cmap="gray", vmin=0, vmax=full_pixel)  # colours need none of these
            style = {"color": RIGHT_COLOR if right else WRONG_COLOR, "weight": "bold"}
            _write_under(axes, 0, f"{'✓' if right else '✗'} {predicted}", **style)
            _write_under(axes, 1, f"{actual}")
            if number % n_columns == 0:
                for line, header in enumerate(("predicted", "actual")):
                    _write_under(axes, line, header, x=-0.08, ha="right", color="dimgray")
        return self

    @classmethod
    @validate_params({"n_images": _at_least_one}, prefer_skip_nested_validation=False)
    def from_estimator(
        cls, estimator, X, y, *, n_images=10, random_state=None, n_columns=10, ax=None
    ):
        """Draw random pictures with what an estimator predicts for them.

        Parameters
        ----------
        estimator : estimator instance
            A fitted classifier, or a Pipeline that ends in one, which takes pictures as they are.

        X : ndarray of shape (n_samples, height, width[, 3])
            The pictures.

        y : array-like of shape (n_samples,)
            The actual classes.

        n_images : int, default=10
            How many of them to show.

        random_state : int, RandomState instance or None, default=None
            Determines which. Pass an int for the same pictures every time.

        n_columns : int, default=10
            Pictures in a row.

        ax : matplotlib axes, default=None
            Axes whose place the pictures take. By default a new figure is made.

        Returns
        -------
        display : :class:`PredictionGridDisplay`
        """
        X, y, chosen = _choose(X, y, n_images=n_images, random_state=random_state)
        # Only what is shown is predicted.
        display = cls(images=X[chosen], y_true=y[chosen], y_pred=estimator.predict(X[chosen]))
        return display.plot(n_columns=n_columns, ax=ax)

    @classmethod
    @validate_params({"n_images": _at_least_one}, prefer_skip_nested_validation=False)
    def from_predictions(
        cls, X, y_true, y_pred, *, n_images=10, random_state=None, n_columns=10, ax=None
    ):
        """Draw random pictures with predictions that were made before.

        Parameters
        ----------
        X : ndarray of shape (n_samples, height, width[, 3])
            The pictures.

        y_true : array-like of shape (n_samples,)
            The actual classes.

        y_pred : array-like of shape (n_samples,)
            The predicted classes.

        n_images : int, default=10
            How many of them to show.

        random_state : int, RandomState instance or None, default=None
            Determines which. Pass an int for the same pictures every time.

        n_columns : int, default=10
            Pictures in a row.

        ax : matplotlib axes, default=None
            Axes whose place the pictures take. By default a new figure is made.

        Returns
        -------
        display : :class:`PredictionGridDisplay`
        """
        check_consistent_length(X, y_pred)
        X, y_true, chosen = _choose(X, y_true, n_images=n_images, random_state=random_state)
        y_pred = np.asarray(y_pred)
        display = cls(images=X[chosen], y_true=y_true[chosen], y_pred=y_pred[chosen])
        return display.plot(n_columns=n_columns, ax=ax)


class TrainingHistoryDisplay:
    """Learning curves: loss and accuracy after each epoch of training.

    It is recommended to use :meth:`from_estimator` to create one. All parameters are stored as
    attributes.

    Parameters
    ----------
    history : dict of str to list of float
        ``loss`` and ``accuracy`` of each epoch, as in the ``history_`` of a classifier, and
        ``val_loss`` and ``val_accuracy`` where there are any. Values may be NaN.

    Attributes
    ----------
    axes_ : ndarray of shape (2,)
        The axes of loss and of accuracy.

    figure_ : matplotlib Figure
        The figure that they are in.

    Examples
    --------
    >>> from skcifar import TrainingHistoryDisplay
    >>> history = {"loss": [2.0, 1.5], "accuracy": [0.3, 0.5]}
    >>> display = TrainingHistoryDisplay(history=history).plot()
    >>> [axes.get_ylabel() for axes in display.axes_]
    ['loss', 'accuracy']
    """

    def __init__(self, *, history):
        self.history = history

    def plot(self, *, ax=None):
        """Draw loss on the left and accuracy on the right.

        Parameters
        ----------
        ax : matplotlib axes, default=None
            Axes whose place the curves take. By default a new figure is made.

        Returns
        -------
        display : :class:`TrainingHistoryDisplay`
        """
        self.axes_ = subplots(1, 2, cell_size=(4.5, 3.4), ax=ax).ravel()
        self.figure_ = self.axes_[0].figure
        for axes, name, title in zip(
            self.axes_,
            ("loss", "accuracy"),
            ("Loss while training", "Accuracy while training"),
            strict=True,
        ):
            lines = [_draw_curve(axes, self.history[name], RIGHT_COLOR, "o", label="training")]
            if f"val_{name}" in self.history:
                values = self.history[f"val_{name}"]
                lines.append(_draw_curve(axes, values, WRONG_COLOR, "s", label="validation"))
                axes.legend()
            _write_last_values(axes, lines)
            axes.set(title=title, xlabel="epoch", ylabel=name)
            dress_epochs(axes)
        return self

    @classmethod
    def from_estimator(cls, estimator, *, ax=None):
        """Draw the training of a fitted estimator.

        Parameters
        ----------
        estimator : estimator instance
            A fitted classifier with ``history_``, or a Pipeline that ends in one.

        ax : matplotlib axes, default=None
            Axes whose place the curves take. By default a new figure is made.

        Returns
        -------
        display : :class:`TrainingHistoryDisplay`

        Raises
        ------
        ValueError
            If the estimator keeps no history or is not fitted.
        """
        last = estimator[-1] if isinstance(estimator, Pipeline) else estimator
        if not hasattr(last, "history_"):
            raise ValueError(
                f"{type(last).__name__} has no history_ to draw. Give a fitted classifier that"
                " keeps one, such as DenseClassifier, or a Pipeline that ends in it."
            )
        return cls(history=last.history_).plot(ax=ax)


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
    import matplotlib.pyplot as plt

    if ax is None:
        width, height = cell_size
        return plt.subplots(
            n_rows,
            n_columns,
            figsize=(width * n_columns, height * n_rows),
            layout="constrained",
            squeeze=False,
        )[1]
    ax.set_axis_off()
    place = ax.get_subplotspec()
    if place is None:  # axes that were put somewhere by hand
        box = ax.get_position()
        sides = {"left": box.x0, "right": box.x1, "bottom": box.y0, "top": box.y1}
        place = ax.figure.add_gridspec(1, 1, **sides)[0]
    return place.subgridspec(n_rows, n_columns).subplots(squeeze=False)


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


def _choose(X, y, *, n_images, random_state):
    check_consistent_length(X, y)
    X, y = np.asarray(X), np.asarray(y)
    if not len(X):
        raise ValueError("Found array with 0 sample(s) while a minimum of 1 is required to draw.")
    if X.ndim < 3:
        raise ValueError(
            f"Expected pictures of shape (n_samples, height, width[, 3]), got X of shape {X.shape}."
            " Reshape rows to pictures first."
        )
    n_images = min(n_images, len(X))
    chosen = check_random_state(random_state).choice(len(X), n_images, replace=False)
    return X, y, chosen


def _write_under(axes, line, text, *, x=0.5, ha="center", **style):
    """Write in the given line under a picture."""
    y = -0.04 - 0.17 * line
    style |= {"ha": ha, "va": "top", "size": 10, "transform": axes.transAxes}
    axes.text(x, y, text, parse_math=False, **style)


def _draw_curve(axes, values, color, marker, *, label):
    epochs = np.arange(1, len(values) + 1)
    return axes.plot(epochs, values, color=color, marker=marker, markersize=4, label=label)[0]


def _write_last_values(axes, lines):
    """Write the last value of each curve beside it, the higher one above, the lower one below."""
    lasts = []
    for line in lines:
        known = np.flatnonzero(np.isfinite(line.get_ydata()))
        if known.size:
            lasts.append((line.get_ydata()[known[-1]], line.get_xdata()[known[-1]], line))
    for value, epoch, line in lasts:
        below = len(lasts) > 1 and line is min(lasts, key=lambda last: last[0])[2]
        axes.annotate(
            f"{value:.3f}",
            (epoch, value),
            xytext=(0, -8 if below else 8),
            textcoords="offset points",
            horizontalalignment="center",
            verticalalignment="top" if below else "bottom",
            color=line.get_color() if len(lines) > 1 else "black",
        )
