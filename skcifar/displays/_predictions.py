"""Random pictures with what was predicted for them."""

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import check_random_state, column_or_1d

from .._sklearn.validation import validate_params
from ._figures import AT_LEAST_ONE, place_for
from ._pictures import (
    Caption,
    check_pictures,
    draw_pictures,
    figure_size,
    file_caption,
    format_probability,
    judge,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CELL_WIDTH = 1.1  # inches, so that ten pictures in a row can be read in a page's width


class PredictionGridDisplay:
    """Pictures with the predicted and the actual class under each.

    It is recommended to use :meth:`from_estimator` or :meth:`from_predictions` to create one. All
    parameters are stored as attributes.

    Parameters
    ----------
    images : ndarray of shape (n_samples, height, width[, 1 or 3]), dtype uint8, or float from 0 \
            to 1
        The pictures, in grey or in red, green and blue.

    y_true : ndarray of shape (n_samples,)
        The actual classes.

    y_pred : ndarray of shape (n_samples,)
        The predicted classes.

    probabilities : ndarray of shape (n_samples,), default=None
        The probability of each predicted class, from 0 to 1, if known.

    filenames : ndarray of shape (n_samples,), default=None
        File names of the pictures, if known.

    Attributes
    ----------
    axes_ : ndarray of shape (n_samples,)
        The axes, one for each picture.

    figure_ : matplotlib Figure
        The figure that contains them.

    See Also
    --------
    MistakesDisplay : The worst mistakes instead of random pictures.
    sklearn.metrics.ConfusionMatrixDisplay : Counts all predictions instead of showing a few.

    Examples
    --------
    >>> from skcifar import PredictionGridDisplay, load_digit_images
    >>> X, y = load_digit_images(subset="test", return_X_y=True)
    >>> display = PredictionGridDisplay.from_predictions(X, y, y, n_images=10)
    >>> len(display.axes_)
    10
    """

    def __init__(
        self,
        *,
        images: np.ndarray,
        y_true: np.ndarray,
        y_pred: np.ndarray,
        probabilities: np.ndarray | None = None,
        filenames: np.ndarray | None = None,
    ):
        self.images = images
        self.y_true = y_true
        self.y_pred = y_pred
        self.probabilities = probabilities
        self.filenames = filenames

    @validate_params({"n_columns": AT_LEAST_ONE}, prefer_skip_nested_validation=False)
    def plot(self, *, n_columns: int = 10, ax: "Axes | None" = None) -> Self:
        """Draw the pictures in rows.

        Right predictions are blue, wrong ones are orange and marked with a cross, so they can be
        told apart without colour. Class names that do not fit are cut.

        Parameters
        ----------
        n_columns : int, default=10
            Number of pictures per row.

        ax : matplotlib axes, default=None
            Axes to replace with the pictures. By default, a new figure is created.

        Returns
        -------
        display : :class:`PredictionGridDisplay`
            The display, drawn in ``axes_``.
        """
        images = check_pictures(self.images, self.y_true, self.y_pred)
        known = self.probabilities is not None
        named = self.filenames is not None
        headers = ["predicted", *["probability"] * known, "actual", *["file"] * named]
        captions = [
            [judge(predicted, predicted == actual), Caption(actual)]
            for actual, predicted in zip(self.y_true, self.y_pred, strict=True)
        ]
        for number, lines in enumerate(captions):
            if known:
                lines.insert(1, Caption(format_probability(self.probabilities[number])))
            if named:
                lines.append(file_caption(self.filenames[number]))
        sizes = {"n_columns": n_columns, "cell_width": CELL_WIDTH}
        size = figure_size(images, captions, headers, **sizes)
        self.figure_, place, width = place_for(ax, size=size)
        self.axes_ = draw_pictures(
            place, images, captions, headers, n_columns=n_columns, width=width
        )
        return self

    @classmethod
    @validate_params({"n_images": AT_LEAST_ONE}, prefer_skip_nested_validation=False)
    def from_estimator(
        cls,
        estimator: Any,
        X: ArrayLike,
        y: ArrayLike,
        *,
        filenames: ArrayLike | None = None,
        n_images: int = 10,
        random_state: int | np.random.RandomState | None = None,
        n_columns: int = 10,
        ax: "Axes | None" = None,
    ) -> Self:
        """Draw random pictures with what an estimator predicts for them.

        Parameters
        ----------
        estimator : estimator instance
            A fitted classifier, or a Pipeline that ends in one, which takes pictures as they are.
            The probability of its prediction is shown if it has ``predict_proba``.

        X : ndarray of shape (n_samples, height, width[, 1 or 3])
            The pictures.

        y : array-like of shape (n_samples,)
            The actual classes.

        filenames : array-like of shape (n_samples,), default=None
            File names of the pictures, as returned by the loaders, to show under each.

        n_images : int, default=10
            Number of pictures to show.

        random_state : int, RandomState instance or None, default=None
            Determines which pictures are chosen. Pass an int to choose the same ones every time.

        n_columns : int, default=10
            Number of pictures per row.

        ax : matplotlib axes, default=None
            Axes to replace with the pictures. By default, a new figure is created.

        Returns
        -------
        display : :class:`PredictionGridDisplay`
            The display, drawn in ``axes_``.
        """
        X = check_pictures(X, y, filenames)
        chosen = _choose(len(X), n_images, random_state)
        images = X[chosen]  # only what is shown is predicted
        y_pred = np.asarray(estimator.predict(images))
        probabilities = None
        if hasattr(estimator, "predict_proba"):
            columns = (y_pred[:, None] == estimator.classes_).argmax(axis=1)
            probabilities = estimator.predict_proba(images)[np.arange(len(images)), columns]
        display = cls(
            images=images,
            y_true=column_or_1d(y, warn=True)[chosen],
            y_pred=y_pred,
            probabilities=probabilities,
            filenames=None if filenames is None else np.asarray(filenames)[chosen],
        )
        return display.plot(n_columns=n_columns, ax=ax)

    @classmethod
    @validate_params({"n_images": AT_LEAST_ONE}, prefer_skip_nested_validation=False)
    def from_predictions(
        cls,
        X: ArrayLike,
        y_true: ArrayLike,
        y_pred: ArrayLike,
        *,
        y_proba: ArrayLike | None = None,
        filenames: ArrayLike | None = None,
        n_images: int = 10,
        random_state: int | np.random.RandomState | None = None,
        n_columns: int = 10,
        ax: "Axes | None" = None,
    ) -> Self:
        """Draw random pictures with existing predictions.

        Parameters
        ----------
        X : ndarray of shape (n_samples, height, width[, 1 or 3])
            The pictures.

        y_true : array-like of shape (n_samples,)
            The actual classes.

        y_pred : array-like of shape (n_samples,)
            The predicted classes.

        y_proba : array-like of shape (n_samples,) or (n_samples, n_classes), default=None
            The probability of each predicted class, or of all classes, the predicted one being the
            most probable. If None, no probabilities are drawn.

        filenames : array-like of shape (n_samples,), default=None
            File names of the pictures, as returned by the loaders, to show under each.

        n_images : int, default=10
            Number of pictures to show.

        random_state : int, RandomState instance or None, default=None
            Determines which pictures are chosen. Pass an int to choose the same ones every time.

        n_columns : int, default=10
            Number of pictures per row.

        ax : matplotlib axes, default=None
            Axes to replace with the pictures. By default, a new figure is created.

        Returns
        -------
        display : :class:`PredictionGridDisplay`
            The display, drawn in ``axes_``.
        """
        X = check_pictures(X, y_true, y_pred, y_proba, filenames)
        chosen = _choose(len(X), n_images, random_state)
        if y_proba is not None:
            y_proba = np.asarray(y_proba)[chosen]
            y_proba = y_proba.max(axis=1) if y_proba.ndim == 2 else y_proba
        display = cls(
            images=X[chosen],
            y_true=column_or_1d(y_true, warn=True)[chosen],
            y_pred=column_or_1d(y_pred, warn=True)[chosen],
            probabilities=y_proba,
            filenames=None if filenames is None else np.asarray(filenames)[chosen],
        )
        return display.plot(n_columns=n_columns, ax=ax)


def _choose(n_samples, n_images, random_state):
    n_images = min(n_images, n_samples)
    return check_random_state(random_state).choice(n_samples, n_images, replace=False)
