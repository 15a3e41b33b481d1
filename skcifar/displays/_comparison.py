"""Several models on the same pictures, in one figure."""

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.metrics import confusion_matrix
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import unique_labels

from .._sklearn.validation import stacked, validate_params
from ..model_selection._comparisons import classifier_of
from ._differences import check_histories, check_labels, choose_differing, cut_names, plain
from ._figures import (
    AT_LEAST_ONE,
    COLORS,
    MARKERS,
    TITLE_HEIGHT,
    dress_epochs,
    place_for,
    write_above,
)
from ._matrices import draw_matrix
from ._pictures import Caption, check_pictures, draw_pictures, file_caption, judge
from ._training_history import draw_curve

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH = 10.5  # inches of a new figure
N_COLUMNS = 10  # pictures in a row
MATRICES_IN_A_ROW = 3


class ComparisonDisplay:
    """Models side by side: how they learned, what they confuse, and where they differ.

    It is recommended to use :meth:`from_estimators` or :meth:`from_predictions` to create one. All
    parameters are stored as attributes.

    Parameters
    ----------
    images : ndarray of shape (n_samples, height, width[, 1 or 3]), dtype uint8, or float from 0 \
            to 1
        All pictures that the models predicted.

    y_true : ndarray of shape (n_samples,)
        Their actual classes.

    y_pred : dict of str to ndarray of shape (n_samples,)
        The predictions of each model, by name. At least two models.

    histories : dict of str to (dict or None), default=None
        The ``history_`` of the models that have one, by name: ``accuracy`` after each epoch, and
        ``val_accuracy`` if any.

    classes : array-like of shape (n_classes,), default=None
        All classes, in the order of the confusion matrices. By default, those of ``y_true`` and
        ``y_pred``, sorted.

    filenames : array-like of shape (n_samples,), default=None
        File names of the pictures, to show under each.

    Attributes
    ----------
    axes_ : dict of str to ndarray of axes
        ``"curves"``, of shape (1,), or (0,) if no model has a history; ``"confusions"``, of shape
        (n_models,); ``"pictures"``, of shape (n_pictures,).

    figure_ : matplotlib Figure
        The figure that contains them.

    See Also
    --------
    TrainingHistoryDisplay : Loss and accuracy of one model.
    sklearn.metrics.ConfusionMatrixDisplay : Draws one confusion matrix.

    Examples
    --------
    >>> import numpy as np
    >>> from skcifar import ComparisonDisplay, load_digit_images
    >>> X, y = load_digit_images(subset="test", return_X_y=True)
    >>> y_pred = {"perfect": y, "always the first": np.full_like(y, y[0])}
    >>> display = ComparisonDisplay.from_predictions(X, y, y_pred, n_images=5, random_state=0)
    >>> {name: len(axes) for name, axes in display.axes_.items()}
    {'curves': 0, 'confusions': 2, 'pictures': 5}
    """

    def __init__(
        self,
        *,
        images: np.ndarray,
        y_true: np.ndarray,
        y_pred: dict[str, np.ndarray],
        histories: dict[str, dict | None] | None = None,
        classes: ArrayLike | None = None,
        filenames: ArrayLike | None = None,
    ):
        self.images = images
        self.y_true = y_true
        self.y_pred = y_pred
        self.histories = histories
        self.classes = classes
        self.filenames = filenames

    @validate_params({"n_images": AT_LEAST_ONE}, prefer_skip_nested_validation=False)
    def plot(
        self,
        *,
        n_images: int = 10,
        random_state: int | np.random.RandomState | None = None,
        ax: "Axes | None" = None,
    ) -> Self:
        """Draw learning curves, confusions, and pictures on which the models differ.

        With two models, only the first is right on half of the pictures, and only the second on the
        other half, if there are enough. With more models, some are right and some are wrong on
        each.

        Parameters
        ----------
        n_images : int, default=10
            Maximum number of pictures to show.

        random_state : int, RandomState instance or None, default=None
            Determines which pictures are chosen. Pass an int to choose the same ones every time.

        ax : matplotlib axes, default=None
            Axes to replace with the plots. By default, a new figure is created.

        Returns
        -------
        display : :class:`ComparisonDisplay`
            The display, drawn in ``axes_``.

        Raises
        ------
        ValueError
            If there are fewer than two models, if the numbers of pictures, classes and predictions
            differ, if a label is not one of the classes, or if a history belongs to no model.
        """
        images = check_pictures(self.images, self.y_true, self.filenames)
        y_true, y_pred, classes = check_labels(self.y_true, self.y_pred, self.classes)
        histories = check_histories(self.histories or {}, y_pred)
        short = dict(zip(y_pred, cut_names(y_pred), strict=True))
        y_pred = {short[name]: labels for name, labels in y_pred.items()}
        histories = {short[name]: history for name, history in histories.items()}
        right = {name: labels == y_true for name, labels in y_pred.items()}
        shown, what = choose_differing(right, n_images, check_random_state(random_state))

        n_lines = 1 + len(y_pred) + (self.filenames is not None)
        heights = _heights(len(y_pred), len(shown), n_lines, with_curves=bool(histories))
        size = WIDTH, sum(heights.values())
        self.figure_, place, width = place_for(ax, size=size)
        places = place.subgridspec(len(heights), 1, height_ratios=list(heights.values()))
        places = dict(zip(heights, places, strict=True))
        size = {"width": width, "height": heights["pictures"] - TITLE_HEIGHT}
        places["pictures"] = write_above(self.figure_, places["pictures"], what, **size)

        self.axes_ = {"curves": np.array([], dtype=object)}
        if histories:
            self.axes_["curves"] = np.array([self.figure_.add_subplot(places["curves"])])
            _draw_curves(self.axes_["curves"][0], histories, list(y_pred))
        self.axes_["confusions"] = _draw_confusions(places["confusions"], y_true, y_pred, classes)
        self.axes_["pictures"] = _draw_differing(
            places["pictures"], images, shown, y_true, y_pred, self.filenames, width=width
        )
        return self

    @classmethod
    def from_estimators(
        cls,
        estimators: dict[str, Any],
        X: ArrayLike,
        y: ArrayLike,
        *,
        histories: dict[str, dict | None] | None = None,
        filenames: ArrayLike | None = None,
        n_images: int = 10,
        random_state: int | np.random.RandomState | None = None,
        ax: "Axes | None" = None,
    ) -> Self:
        """Predict the same pictures with several estimators, and draw how they compare.

        Parameters
        ----------
        estimators : dict of str to estimator instance
            At least two fitted classifiers, or Pipelines that end in one, by name.

        X : ndarray of shape (n_samples, height, width[, 1 or 3])
            The pictures.

        y : array-like of shape (n_samples,)
            The actual classes.

        histories : dict of str to (dict or None), default=None
            Histories to draw. By default the ``history_`` of each classifier that has one.

        filenames : array-like of shape (n_samples,), default=None
            File names of the pictures, as returned by the loaders, to show under each.

        n_images : int, default=10
            Maximum number of pictures to show.

        random_state : int, RandomState instance or None, default=None
            Determines which pictures are chosen. Pass an int to choose the same ones every time.

        ax : matplotlib axes, default=None
            Axes to replace with the plots. By default, a new figure is created.

        Returns
        -------
        display : :class:`ComparisonDisplay`
            The display, drawn in ``axes_``.
        """
        X = check_pictures(X, y)
        if histories is None:
            lasts = {name: classifier_of(estimator) for name, estimator in estimators.items()}
            histories = {name: getattr(last, "history_", None) for name, last in lasts.items()}
        return cls(
            images=X,
            y_true=np.asarray(y),
            y_pred={name: estimator.predict(X) for name, estimator in estimators.items()},
            histories=histories,
            classes=unique_labels(*(e.classes_ for e in estimators.values())) if estimators else (),
            filenames=filenames,
        ).plot(n_images=n_images, random_state=random_state, ax=ax)

    @classmethod
    def from_predictions(
        cls,
        X: ArrayLike,
        y_true: ArrayLike,
        y_pred: dict[str, ArrayLike],
        *,
        histories: dict[str, dict | None] | None = None,
        classes: ArrayLike | None = None,
        filenames: ArrayLike | None = None,
        n_images: int = 10,
        random_state: int | np.random.RandomState | None = None,
        ax: "Axes | None" = None,
    ) -> Self:
        """Draw how existing predictions compare.

        Parameters
        ----------
        X : ndarray of shape (n_samples, height, width[, 1 or 3])
            The pictures.

        y_true : array-like of shape (n_samples,)
            The actual classes.

        y_pred : dict of str to array-like of shape (n_samples,)
            The predictions of each model, by name. At least two models.

        histories : dict of str to (dict or None), default=None
            The ``history_`` of the models that have one, by name.

        classes : array-like of shape (n_classes,), default=None
            All classes, in the order of the confusion matrices. By default, those of ``y_true`` and
            ``y_pred``, sorted.

        filenames : array-like of shape (n_samples,), default=None
            File names of the pictures, as returned by the loaders, to show under each.

        n_images : int, default=10
            Maximum number of pictures to show.

        random_state : int, RandomState instance or None, default=None
            Determines which pictures are chosen. Pass an int to choose the same ones every time.

        ax : matplotlib axes, default=None
            Axes to replace with the plots. By default, a new figure is created.

        Returns
        -------
        display : :class:`ComparisonDisplay`
            The display, drawn in ``axes_``.
        """
        return cls(
            images=np.asarray(stacked(X)),
            y_true=np.asarray(y_true),
            y_pred={name: np.asarray(labels) for name, labels in y_pred.items()},
            histories=histories,
            classes=classes,
            filenames=filenames,
        ).plot(n_images=n_images, random_state=random_state, ax=ax)


def _heights(n_models, n_shown, n_lines, *, with_curves):
    """Heights of the parts, in inches."""
    n_matrix_rows = -(-n_models // MATRICES_IN_A_ROW)
    n_picture_rows = -(-n_shown // N_COLUMNS)
    return {
        **({"curves": 2.7} if with_curves else {}),
        "confusions": (5.0 if n_models == 2 else 3.9) * n_matrix_rows,
        "pictures": n_picture_rows * (1.25 + 0.2 * n_lines) + TITLE_HEIGHT + 0.01,
    }


def _draw_curves(axes, histories, names):
    for name, history in histories.items():
        round_, number = divmod(names.index(name), len(COLORS))
        style = COLORS[number], MARKERS[(number + round_) % len(MARKERS)]  # 25 pairs
        draw_curve(axes, history["accuracy"], *style, label=f"{plain(name)}, training")
        if "val_accuracy" in history:
            dashed = {"linestyle": "--", "markerfacecolor": "white"}
            label = f"{plain(name)}, validation"
            draw_curve(axes, history["val_accuracy"], *style, label=label, **dashed)
    axes.set_title("Accuracy while training", size=11)
    axes.set(xlabel="epoch", ylabel="accuracy")
    dress_epochs(axes)
    axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), fontsize=9)


def _draw_confusions(place, y_true, y_pred, classes):
    shares = {
        name: 100 * confusion_matrix(y_true, labels, labels=classes, normalize="true")
        for name, labels in y_pred.items()
    }
    n_columns = min(len(y_pred), MATRICES_IN_A_ROW)
    n_rows = -(-len(y_pred) // n_columns)
    grid = place.subgridspec(n_rows, n_columns).subplots(squeeze=False).ravel()
    for axes in grid[len(y_pred) :]:
        axes.set_axis_off()
    for number, (axes, (name, matrix)) in enumerate(zip(grid, shares.items(), strict=False)):
        draw_matrix(axes, matrix, classes, highest=100, larger=2 if n_columns == 2 else 0)
        accuracy = np.mean(y_pred[name] == y_true)
        axes.set_title(f"{plain(name)}: {100 * accuracy:.1f} % right", size=11)
        axes.set_ylabel("percent of the actual" if number % n_columns == 0 else "")
    return grid[: len(y_pred)]


def _draw_differing(place, images, shown, y_true, y_pred, filenames, *, width):
    if not len(shown):
        return np.array([], dtype=object)
    captions = [
        [
            Caption(y_true[number]),
            *(
                judge(labels[number], labels[number] == y_true[number])
                for labels in y_pred.values()
            ),
        ]
        for number in shown
    ]
    headers = ["actual", *y_pred]
    if filenames is not None:
        headers.append("file")
        for number, lines in zip(shown, captions, strict=True):
            lines.append(file_caption(filenames[number]))
    return draw_pictures(place, images[shown], captions, headers, n_columns=N_COLUMNS, width=width)
