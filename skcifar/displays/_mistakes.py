"""Mistakes of a classifier, and labels that are probably wrong."""

from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike

from .._sklearn.validation import StrOptions, checked_probabilities, validate_params
from ..model_selection._suspects import find_suspect_labels
from ._figures import AT_LEAST_ONE, TITLE_HEIGHT, place_for, write_above
from ._pictures import (
    Caption,
    check_has_probabilities,
    check_pictures,
    draw_pictures,
    figure_size,
    file_caption,
    judge,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CELL_WIDTH = 1.7  # inches, since each line holds a class and its probability

WHICH = {
    "confident": "surest mistake",
    "doubtful": "closest mistake",
    "suspects": "most suspect label",
}


class MistakesDisplay:
    """A classifier's surest or closest mistakes, or pictures whose label is probably wrong.

    It is recommended to use :meth:`from_estimator` or :meth:`from_predictions` to create one. All
    parameters are stored as attributes.

    Parameters
    ----------
    images : ndarray of shape (n_mistakes, height, width[, 1 or 3]), dtype uint8, or float from 0 \
            to 1
        The pictures, in the order in which they are drawn. There may be none.

    y_true, y_pred : ndarray of shape (n_mistakes,)
        The actual and the predicted classes.

    probabilities, true_probabilities : ndarray of shape (n_mistakes,)
        The probabilities of the predicted and of the actual class, from 0 to 1.

    n_samples : int
        Number of pictures among which the mistakes were found.

    indices : ndarray of shape (n_mistakes,)
        Indices of the mistakes among these pictures, shown under each if no files are known.

    filenames : ndarray of shape (n_mistakes,), default=None
        File names of the pictures.

    which : {"confident", "doubtful", "suspects"}, default="confident"
        What was chosen, as the title says.

    Attributes
    ----------
    axes_ : ndarray of shape (n_mistakes,)
        The axes, one for each picture.

    figure_ : matplotlib Figure
        The figure that contains them.

    See Also
    --------
    PredictionGridDisplay : Random pictures instead.
    find_suspect_labels : Finds labels that are probably wrong.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from skcifar import ImageFlattener, MistakesDisplay, load_digit_images
    >>> X, y = load_digit_images(subset="test", return_X_y=True)
    >>> model = make_pipeline(ImageFlattener(), DecisionTreeClassifier(random_state=0))
    >>> model = model.fit(X[:100], y[:100])
    >>> display = MistakesDisplay.from_estimator(model, X, y, n_images=4)
    >>> bool((display.y_true != display.y_pred).all())
    True
    """

    def __init__(
        self,
        *,
        images: np.ndarray,
        y_true: np.ndarray,
        y_pred: np.ndarray,
        probabilities: np.ndarray,
        true_probabilities: np.ndarray,
        n_samples: int,
        indices: np.ndarray,
        filenames: np.ndarray | None = None,
        which: str = "confident",
    ):
        self.images = images
        self.y_true = y_true
        self.y_pred = y_pred
        self.probabilities = probabilities
        self.true_probabilities = true_probabilities
        self.n_samples = n_samples
        self.indices = indices
        self.filenames = filenames
        self.which = which

    @validate_params({"n_columns": AT_LEAST_ONE}, prefer_skip_nested_validation=False)
    def plot(self, *, n_columns: int = 5, ax: "Axes | None" = None) -> Self:
        """Draw the pictures in rows, or say that there are none.

        Parameters
        ----------
        n_columns : int, default=5
            Number of pictures per row.

        ax : matplotlib axes, default=None
            Axes to replace with the pictures. By default, a new figure is created.

        Returns
        -------
        display : :class:`MistakesDisplay`
            The display, drawn in ``axes_``.
        """
        if not len(self.images):
            return self._plot_none(ax)
        places = (
            [Caption(index, color="dimgray") for index in self.indices]
            if self.filenames is None
            else [file_caption(filename) for filename in self.filenames]
        )
        columns = (self.y_true, self.y_pred, self.probabilities, self.true_probabilities, places)
        images = check_pictures(self.images, *columns)
        are_suspects = self.which == "suspects"  # it is the label that is wrong there
        captions = [
            [
                Caption(predicted, probability=probability)
                if are_suspects
                else judge(predicted, False, probability),
                Caption(actual, probability=true),
                name,
            ]
            for actual, predicted, probability, true, name in zip(*columns, strict=True)
        ]
        headers = [
            "taken for",
            "label" if are_suspects else "actual",
            "index" if self.filenames is None else "file",
        ]
        sizes = {"n_columns": n_columns, "cell_width": CELL_WIDTH}
        width, height = figure_size(images, captions, headers, **sizes)
        self.figure_, place, width = place_for(ax, size=(max(width, 4.5), height + TITLE_HEIGHT))
        what = WHICH[self.which]
        what = f"The {what}" if len(images) == 1 else f"The {len(images)} {what}s"
        title = f"{what} among {_sample_count_text(self.n_samples)}, with probabilities"
        place = write_above(self.figure_, place, title, width=width, height=height)
        self.axes_ = draw_pictures(
            place, images, captions, headers, n_columns=n_columns, width=width
        )
        return self

    def _plot_none(self, ax):
        self.figure_, place, _ = place_for(ax, size=(5, 1))
        axes = self.figure_.add_subplot(place)
        axes.set_axis_off()
        what = "suspect labels" if self.which == "suspects" else "mistakes"
        statement = f"no {what} among {_sample_count_text(self.n_samples)}"
        axes.text(0.5, 0.5, statement, ha="center", va="center", size=12)
        self.axes_ = np.array([], dtype=object)
        return self

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: ArrayLike,
        y: ArrayLike,
        *,
        filenames: ArrayLike | None = None,
        which: Literal["confident", "doubtful", "suspects"] = "confident",
        n_images: int = 10,
        n_columns: int = 5,
        ax: "Axes | None" = None,
    ) -> Self:
        """Draw the mistakes of an estimator.

        Parameters
        ----------
        estimator : estimator instance
            A fitted classifier with ``predict_proba``, or a Pipeline that ends in one, which takes
            pictures as they are.

        X : ndarray of shape (n_samples, height, width[, 1 or 3])
            The pictures.

        y : array-like of shape (n_samples,)
            The actual classes.

        filenames : array-like of shape (n_samples,), default=None
            File names of the pictures, as returned by the loaders, to show under each.

        which : {"confident", "doubtful", "suspects"}, default="confident"
            "confident" shows the surest mistakes, "doubtful" those where the actual class was
            nearly as probable, and "suspects" pictures whose label is probably wrong, the least
            probable labels first. All are more telling for pictures that were not used in training;
            for training pictures, give ``from_predictions`` what
            :func:`~sklearn.model_selection.cross_val_predict` predicts.

        n_images : int, default=10
            Maximum number of mistakes to show.

        n_columns : int, default=5
            Number of pictures per row.

        ax : matplotlib axes, default=None
            Axes to replace with the pictures. By default, a new figure is created.

        Returns
        -------
        display : :class:`MistakesDisplay`
            The display, drawn in ``axes_``.

        Raises
        ------
        ValueError
            If the estimator does not predict probabilities, or does not know a class of ``y``.
        """
        check_has_probabilities(estimator)
        X = check_pictures(X, y)
        options = {"filenames": filenames, "which": which, "n_images": n_images, "ax": ax}
        options |= {"classes": estimator.classes_, "n_columns": n_columns}
        return cls.from_predictions(X, y, estimator.predict_proba(X), **options)

    @classmethod
    @validate_params(
        {"which": [StrOptions(set(WHICH))], "n_images": AT_LEAST_ONE},
        prefer_skip_nested_validation=False,
    )
    def from_predictions(
        cls,
        X: ArrayLike,
        y_true: ArrayLike,
        y_proba: ArrayLike,
        *,
        classes: ArrayLike | None = None,
        filenames: ArrayLike | None = None,
        which: Literal["confident", "doubtful", "suspects"] = "confident",
        n_images: int = 10,
        n_columns: int = 5,
        ax: "Axes | None" = None,
    ) -> Self:
        """Draw the mistakes in existing probabilities.

        Parameters
        ----------
        X : ndarray of shape (n_samples, height, width[, 1 or 3])
            The pictures.

        y_true : array-like of shape (n_samples,)
            The actual classes.

        y_proba : array-like of shape (n_samples, n_classes)
            The probability of each class. The most probable one counts as predicted.

        classes : array-like of shape (n_classes,), default=None
            The class of each column of ``y_proba``. By default, those of ``y_true``, sorted.

        filenames : array-like of shape (n_samples,), default=None
            File names of the pictures, as returned by the loaders, to show under each.

        which : {"confident", "doubtful", "suspects"}, default="confident"
            "confident" shows the surest mistakes, "doubtful" those where the actual class was
            nearly as probable, and "suspects" pictures whose label is probably wrong, the least
            probable labels first. All are more telling for pictures that were not used in training;
            for training pictures, give ``from_predictions`` what
            :func:`~sklearn.model_selection.cross_val_predict` predicts.

        n_images : int, default=10
            Maximum number of mistakes to show.

        n_columns : int, default=5
            Number of pictures per row.

        ax : matplotlib axes, default=None
            Axes to replace with the pictures. By default, a new figure is created.

        Returns
        -------
        display : :class:`MistakesDisplay`
            The display, drawn in ``axes_``.

        Raises
        ------
        ValueError
            If the columns do not match the classes, or ``y_true`` holds other classes.
        """
        X = check_pictures(X, y_true, y_proba, filenames)
        actual, y_proba, classes = checked_probabilities(y_true, y_proba, classes)
        predicted = y_proba.argmax(axis=1)
        shown = RANKINGS[which](actual, y_proba)[:n_images]
        display = cls(
            images=X[shown],
            y_true=classes[actual[shown]],
            y_pred=classes[predicted[shown]],
            probabilities=y_proba[shown, predicted[shown]],
            true_probabilities=y_proba[shown, actual[shown]],
            n_samples=len(X),
            indices=shown,
            filenames=None if filenames is None else np.asarray(filenames)[shown],
            which=which,
        )
        return display.plot(n_columns=n_columns, ax=ax)


def surest_mistakes(actual, y_proba):
    """Return the rows of mistakes, the surest first, ``actual`` being columns of classes."""
    predicted = y_proba.argmax(axis=1)
    wrong = np.flatnonzero(predicted != actual)
    return wrong[np.argsort(-y_proba[wrong, predicted[wrong]], kind="stable")]


def closest_mistakes(actual, y_proba):
    """Return the rows of mistakes, those first whose actual class is nearly as probable."""
    rows, predicted = np.arange(len(actual)), y_proba.argmax(axis=1)
    gaps = y_proba[rows, predicted] - y_proba[rows, actual]
    wrong = np.flatnonzero(predicted != actual)
    return wrong[np.argsort(gaps[wrong], kind="stable")]


def suspects(actual, y_proba):
    """Return the rows whose label is probably wrong, the least probable first."""
    return find_suspect_labels(actual, y_proba, labels=np.arange(y_proba.shape[1]))


RANKINGS = {"confident": surest_mistakes, "doubtful": closest_mistakes, "suspects": suspects}


def _sample_count_text(n_samples):
    return "1 picture" if n_samples == 1 else f"{n_samples:,} pictures"
