"""What a classifier takes for what."""

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.metrics import confusion_matrix
from sklearn.utils import column_or_1d

from .._sklearn.validation import columns_of, validate_params
from ._differences import cut_names
from ._figures import AT_LEAST_ONE, TITLE_HEIGHT, place_for, with_margins, write_above
from ._matrices import draw_matrix
from ._pictures import check_pictures, show_picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH = 10.5  # inches of a new figure
MATRIX_HEIGHT = 5.0  # inches
CELL_WIDTH = 0.9  # inches
NAMES_WIDTH = 2.6  # inches, for what is written to the left of a row of pictures


class ConfusionsDisplay:
    """The confusion matrix in counts and in shares, and pictures of the most confused pairs.

    It is recommended to use :meth:`from_estimator` or :meth:`from_predictions` to create one. All
    parameters are stored as attributes.

    Parameters
    ----------
    images : ndarray of shape (n_samples, height, width[, 1 or 3]), dtype uint8, or float from 0 \
            to 1
        The pictures.

    y_true, y_pred : ndarray of shape (n_samples,)
        The actual and the predicted classes.

    classes : ndarray of shape (n_classes,)
        All classes, in the order in which they are drawn.

    Attributes
    ----------
    axes_ : dict of str to ndarray of axes
        ``"matrices"``, of shape (2,), and ``"pictures"``, of shape (n_pairs,), each of which shows
        all pictures of a pair.

    figure_ : matplotlib Figure
        The figure that contains them.

    See Also
    --------
    sklearn.metrics.ConfusionMatrixDisplay : The matrix alone.
    MistakesDisplay : Single mistakes.

    Examples
    --------
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from sklearn.pipeline import make_pipeline
    >>> from skcifar import ConfusionsDisplay, ImageFlattener, load_digit_images
    >>> X, y = load_digit_images(return_X_y=True)
    >>> X = X[:, ::4, ::4]  # 8 by 8 pixels
    >>> model = make_pipeline(ImageFlattener(), GaussianNB()).fit(X[:500], y[:500])
    >>> display = ConfusionsDisplay.from_estimator(model, X[500:], y[500:], n_pairs=2)
    >>> len(display.axes_["pictures"])
    2
    """

    def __init__(
        self, *, images: np.ndarray, y_true: np.ndarray, y_pred: np.ndarray, classes: np.ndarray
    ):
        self.images = images
        self.y_true = y_true
        self.y_pred = y_pred
        self.classes = classes

    @validate_params(
        {"n_pairs": AT_LEAST_ONE, "n_images": AT_LEAST_ONE}, prefer_skip_nested_validation=False
    )
    def plot(self, *, n_pairs: int = 5, n_images: int = 8, ax: "Axes | None" = None) -> Self:
        """Draw the matrices, and under them a row of pictures for each of the commonest mistakes.

        Parameters
        ----------
        n_pairs : int, default=5
            Maximum number of pairs of actual and predicted class to show, the most frequent ones
            first.

        n_images : int, default=8
            Maximum number of pictures to show of each; the first ones are shown.

        ax : matplotlib axes, default=None
            Axes to replace with the plots. By default, a new figure is created.

        Returns
        -------
        display : :class:`ConfusionsDisplay`
            The display, drawn in ``axes_``.
        """
        images = check_pictures(self.images, self.y_true, self.y_pred)
        classes = np.asarray(self.classes)
        actual, predicted = columns_of(self.y_true, classes), columns_of(self.y_pred, classes)
        counts = confusion_matrix(actual, predicted, labels=np.arange(len(classes)))
        pairs = _commonest(counts, n_pairs)
        height = CELL_WIDTH * images.shape[1] / images.shape[2]
        heights = [MATRIX_HEIGHT, height * len(pairs) + TITLE_HEIGHT]
        self.figure_, place, width = place_for(ax, size=(WIDTH, sum(heights)))
        above, below = place.subgridspec(2, 1, height_ratios=heights)
        self.axes_ = {
            "matrices": _draw_matrices(above, counts, classes),
            "pictures": np.array([], dtype=object),
        }
        if not pairs:
            axes = self.figure_.add_subplot(below)
            axes.set_axis_off()
            axes.text(0.5, 0.5, f"no mistakes among {len(images):,} pictures", ha="center")
            return self
        title = "The commonest mistakes"
        place = write_above(self.figure_, below, title, width=width, height=height * len(pairs))
        place = with_margins(place, left=NAMES_WIDTH)
        grid = place.subgridspec(len(pairs), 1).subplots(squeeze=False).ravel()
        names = cut_names(classes)
        for axes, (row, column) in zip(grid, pairs, strict=True):
            of_pair = images[(actual == row) & (predicted == column)]
            show_picture(axes, _side_by_side(of_pair, n_images))
            text = _describe(names[row], names[column], counts[row, column], counts[row].sum())
            _write_before(axes, text)
        self.axes_["pictures"] = grid
        return self

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: ArrayLike,
        y: ArrayLike,
        *,
        n_pairs: int = 5,
        n_images: int = 8,
        ax: "Axes | None" = None,
    ) -> Self:
        """Draw which classes an estimator confuses.

        Parameters
        ----------
        estimator : estimator instance
            A fitted classifier, or a Pipeline that ends in one, which takes pictures as they are.

        X : ndarray of shape (n_samples, height, width[, 1 or 3])
            The pictures.

        y : array-like of shape (n_samples,)
            The actual classes.

        n_pairs : int, default=5
            Maximum number of pairs of actual and predicted class to show.

        n_images : int, default=8
            Maximum number of pictures to show of each; the first ones are shown.

        ax : matplotlib axes, default=None
            Axes to replace with the plots. By default, a new figure is created.

        Returns
        -------
        display : :class:`ConfusionsDisplay`
            The display, drawn in ``axes_``.
        """
        X = check_pictures(X, y)
        options = {"n_pairs": n_pairs, "n_images": n_images, "ax": ax}
        y_pred = estimator.predict(X)
        return cls.from_predictions(X, y, y_pred, classes=estimator.classes_, **options)

    @classmethod
    def from_predictions(
        cls,
        X: ArrayLike,
        y_true: ArrayLike,
        y_pred: ArrayLike,
        *,
        classes: ArrayLike | None = None,
        n_pairs: int = 5,
        n_images: int = 8,
        ax: "Axes | None" = None,
    ) -> Self:
        """Draw which classes are confused in existing predictions.

        Parameters
        ----------
        X : ndarray of shape (n_samples, height, width[, 1 or 3])
            The pictures.

        y_true : array-like of shape (n_samples,)
            The actual classes.

        y_pred : array-like of shape (n_samples,)
            The predicted classes.

        classes : array-like of shape (n_classes,), default=None
            All classes, in the order in which they are drawn. By default, those of ``y_true`` and
            ``y_pred``, sorted.

        n_pairs : int, default=5
            Maximum number of pairs of actual and predicted class to show.

        n_images : int, default=8
            Maximum number of pictures to show of each; the first ones are shown.

        ax : matplotlib axes, default=None
            Axes to replace with the plots. By default, a new figure is created.

        Returns
        -------
        display : :class:`ConfusionsDisplay`
            The display, drawn in ``axes_``.

        Raises
        ------
        ValueError
            If a label is not one of the classes.
        """
        X = check_pictures(X, y_true, y_pred)
        y_true, y_pred = column_or_1d(y_true, warn=True), column_or_1d(y_pred, warn=True)
        classes = np.union1d(y_true, y_pred) if classes is None else np.asarray(classes)
        display = cls(images=X, y_true=y_true, y_pred=y_pred, classes=classes)
        return display.plot(n_pairs=n_pairs, n_images=n_images, ax=ax)


def _commonest(counts, n_pairs):
    """Return the rows and columns of the largest counts of mistakes."""
    mistakes = counts - np.diag(np.diag(counts))
    order = np.argsort(-mistakes, axis=None, kind="stable")[:n_pairs]
    pairs = zip(*np.unravel_index(order, counts.shape), strict=True)
    return [(row, column) for row, column in pairs if mistakes[row, column]]


def _describe(actual, predicted, count, n_actual):
    share = 100 * count / n_actual
    return f"{actual} taken for {predicted}\n{count:,} of {n_actual:,} ({share:.0f} %)"


def _draw_matrices(place, counts, classes):
    totals = counts.sum(axis=1, keepdims=True)
    shares = 100 * counts / np.maximum(totals, 1)
    grid = place.subgridspec(1, 2).subplots(squeeze=False).ravel()
    parts = [(counts, counts.max(), "Pictures"), (shares, 100, "Percent of the actual class")]
    for axes, (matrix, highest, title) in zip(grid, parts, strict=True):
        draw_matrix(axes, matrix, classes, highest=highest, larger=2)
        axes.set_title(title, size=11)
        axes.set_ylabel("actual")
    return grid


def _side_by_side(images, n_images):
    """Join pictures to one that has space for so many, white where there are none."""
    _, height, width, *channels = images.shape
    step = width + max(1, width // 8)
    white = 255 if images.dtype.kind in "ui" else 1
    joined = np.full((height, step * n_images, *channels), white, images.dtype)
    for number, image in enumerate(images[:n_images]):
        joined[:, number * step : number * step + width] = image
    return joined


def _write_before(axes, text):
    axes.set_axis_off()
    axes.set_anchor("W")
    axes.annotate(
        text,
        (0, 0.5),
        xycoords="axes fraction",
        xytext=(-6, 0),
        textcoords="offset points",
        ha="right",
        va="center",
        size=9,
        parse_math=False,
    )
