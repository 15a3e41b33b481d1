"""Which parts of a picture carried what a classifier said of it."""

from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.ndimage import zoom
from sklearn.pipeline import Pipeline
from sklearn.utils import column_or_1d

from .._sklearn.validation import StrOptions, columns_of, validate_params
from ..model_selection._comparisons import classifier_of
from ..preprocessing import ImageResizer
from ._figures import (
    AT_LEAST_ONE,
    OF_ALL,
    RIGHT_COLOR,
    SCALE_HEIGHT,
    SCALE_WIDTH,
    TITLE_HEIGHT,
    WRONG_COLOR,
    draw_scale,
    place_for,
    with_margins,
    write_above,
)
from ._pictures import (
    Caption,
    check_has_probabilities,
    check_pictures,
    draw_pictures,
    figure_size,
    judge,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CELL_WIDTH = 1.5  # inches
LEAST_WIDTH = 5.2  # inches of all cells, so that the title can be read
PATCHES_A_SIDE = 4
MOST_BYTES = 2**26  # of copies of a picture that are predicted at a time


class Method(NamedTuple):
    """What a method is called, what its numbers are, and the least that its scale reaches."""

    title: str
    unit: str
    is_signed: bool = False
    least: float = 0.0


METHODS = {
    "occlusion": Method(
        "Occlusion: how much less probable {} is while a part is hidden",
        "drop in probability\nwhile hidden",
        is_signed=True,
        least=0.01,
    ),
    "gradient": Method(
        "Gradient: how strongly the logit of {} depends on each pixel",
        "|change of logit|\nper unit of input",
    ),
    "grad-cam": Method(
        "Grad-CAM: where the last maps raise the logit of {}",
        "weighted sum of\nmaps, in logits",
    ),
}


class ExplanationDisplay:
    """Pictures, each with a map of the parts that determined what a classifier predicted.

    It is recommended to use :meth:`from_estimator` to create one. All parameters are stored as
    attributes.

    Parameters
    ----------
    images : ndarray of shape (n_samples, height, width[, 1 or 3]), dtype uint8, or float from 0 \
            to 1
        The pictures.

    maps : ndarray of shape (n_samples, height, width)
        How much each pixel matters for the explained class.

    method : {"occlusion", "gradient", "grad-cam"}
        How the maps were made, and so what their values mean.

    y_pred : ndarray of shape (n_samples,)
        The predicted classes.

    probabilities : ndarray of shape (n_samples,)
        Their probabilities, from 0 to 1.

    y_true : ndarray of shape (n_samples,), default=None
        The actual classes, if known.

    true_probabilities : ndarray of shape (n_samples,), default=None
        Their probabilities.

    label : str or int, default=None
        The class that is explained, the same for all pictures. If None, the predicted class of
        each.

    Attributes
    ----------
    axes_ : ndarray of shape (n_samples, 2)
        The axes of each picture and of its map.

    figure_ : matplotlib Figure
        The figure that contains them.

    See Also
    --------
    FirstLayerDisplay : What a network looks for in any picture.
    MistakesDisplay : Pictures that call for an explanation.

    References
    ----------
    Matthew D. Zeiler and Rob Fergus, "Visualizing and Understanding Convolutional Networks", 2013,
    for occlusion. https://arxiv.org/abs/1311.2901

    Karen Simonyan et al., "Deep Inside Convolutional Networks", 2013, for gradients.
    https://arxiv.org/abs/1312.6034

    Ramprasaath R. Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks via
    Gradient-Based Localization", 2017. https://arxiv.org/abs/1610.02391

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from skcifar import ExplanationDisplay, ImageFlattener, PixelScaler, load_digit_images
    >>> X, y = load_digit_images(return_X_y=True)
    >>> model = make_pipeline(PixelScaler(), ImageFlattener(), LogisticRegression())
    >>> model = model.fit(X[:200, ::4, ::4], y[:200])  # 8 by 8 pixels
    >>> display = ExplanationDisplay.from_estimator(model, X[200:203, ::4, ::4], y=y[200:203])
    >>> display.maps.shape
    (3, 8, 8)
    """

    def __init__(
        self,
        *,
        images: np.ndarray,
        maps: np.ndarray,
        method: Literal["occlusion", "gradient", "grad-cam"],
        y_pred: np.ndarray,
        probabilities: np.ndarray,
        y_true: np.ndarray | None = None,
        true_probabilities: np.ndarray | None = None,
        label: Any = None,
    ):
        self.images = images
        self.maps = maps
        self.method = method
        self.y_pred = y_pred
        self.probabilities = probabilities
        self.y_true = y_true
        self.true_probabilities = true_probabilities
        self.label = label

    @validate_params({"n_columns": AT_LEAST_ONE}, prefer_skip_nested_validation=False)
    def plot(self, *, n_columns: int = 3, ax: "Axes | None" = None) -> Self:
        """Draw each picture, and beside it a pale copy coloured by its map.

        Orange parts speak for the class, blue parts against it. The scale is the same for all
        pictures.

        Parameters
        ----------
        n_columns : int, default=3
            Number of pictures per row.

        ax : matplotlib axes, default=None
            Axes to replace with the pictures. By default, a new figure is created.

        Returns
        -------
        display : :class:`ExplanationDisplay`
            The display, drawn in ``axes_``.
        """
        images = check_pictures(self.images, self.maps, self.y_pred)
        method = METHODS[self.method]
        limit = max(float(np.percentile(np.abs(self.maps), OF_ALL)), method.least) or 1.0
        cells, captions = [], []
        for number, (image, values) in enumerate(zip(images, self.maps, strict=True)):
            cells += [image, _colored(_pale(image), values / limit)]
            captions += self._captions_of(number)
        headers = ["predicted", *["actual"] * (self.y_true is not None)]
        n_columns = min(n_columns, len(images))
        in_cells = {"n_columns": 2 * n_columns}
        cell_width = max(CELL_WIDTH, LEAST_WIDTH / (2 * n_columns))
        width, height = figure_size(cells, captions, headers, cell_width=cell_width, **in_cells)
        size = width + SCALE_WIDTH, max(height, SCALE_HEIGHT) + TITLE_HEIGHT
        self.figure_, place, width = place_for(ax, size=size)
        title = method.title.format("the predicted class" if self.label is None else self.label)
        place = write_above(self.figure_, place, title, width=width, height=size[1] - TITLE_HEIGHT)
        place = with_margins(place, right=SCALE_WIDTH)
        width -= SCALE_WIDTH
        left, right = place.subgridspec(1, 2, width_ratios=[width, 0.15])
        axes = draw_pictures(left, cells, captions, headers, width=width, **in_cells)
        self.axes_ = axes.reshape(-1, 2)
        draw_scale(
            self.figure_.add_subplot(right),
            [*[RIGHT_COLOR] * method.is_signed, "white", WRONG_COLOR],
            lowest=-limit if method.is_signed else 0,
            highest=limit,
            label=method.unit,
            extend="both" if method.is_signed else "max",
        )
        return self

    @classmethod
    @validate_params(
        {
            "method": [StrOptions(set(METHODS))],
            "patch_size": [*AT_LEAST_ONE, None],
            "n_images": AT_LEAST_ONE,
        },
        prefer_skip_nested_validation=False,
    )
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        *,
        y: ArrayLike | None = None,
        method: Literal["occlusion", "gradient", "grad-cam"] = "occlusion",
        label: Any = None,
        patch_size: int | None = None,
        n_images: int = 6,
        n_columns: int = 3,
        ax: "Axes | None" = None,
    ) -> Self:
        """Explain what an estimator predicts for pictures.

        Parameters
        ----------
        estimator : estimator instance
            A fitted classifier with ``predict_proba``, or a Pipeline that ends in one, which takes
            pictures as they are. Gradients and Grad-CAM need one with ``model_``, a Keras network;
            the steps before it must keep the order of the pixels, as scaling and flattening do.

        X : ndarray of shape (n_samples, height, width[, 1 or 3])
            The pictures. If the first step of a Pipeline is an :class:`ImageResizer`, anything it
            takes, including files; pictures are then drawn at the size it gives them.

        y : array-like of shape (n_samples,), default=None
            The actual classes, to write under the pictures.

        method : {"occlusion", "gradient", "grad-cam"}, default="occlusion"
            "occlusion" hides one part of the picture after another under the picture's mean colour,
            and shows how much less probable the class becomes, averaged over all patches that hide
            a pixel. "gradient" is the largest absolute gradient, over the colours, of the class's
            score, the input of the network's softmax. "grad-cam" weights the maps of the last
            convolutions by their mean gradients.

        label : str or int, default=None
            The class to explain, such as the one you expected. If None, the predicted class of each
            picture.

        patch_size : int, default=None
            Height and width, in pixels, of the part that occlusion hides; it moves by half of that.
            If None, a quarter of the picture's smaller side.

        n_images : int, default=6
            Maximum number of pictures to explain; the first ones are taken.

        n_columns : int, default=3
            Number of pictures per row.

        ax : matplotlib axes, default=None
            Axes to replace with the pictures. By default, a new figure is created.

        Returns
        -------
        display : :class:`ExplanationDisplay`
            The display, drawn in ``axes_``.

        Raises
        ------
        ValueError
            If the estimator does not predict probabilities, does not know a class, or lacks what
            the method needs.

        Notes
        -----
        The maps show what the classifier used, not what makes the picture what it is. Those from
        gradients are of one view of a picture, whatever ``n_views`` is.
        """
        check_has_probabilities(estimator)
        images = check_pictures(_read(estimator, X[:n_images]))
        y = None if y is None else column_or_1d(y, warn=True)[:n_images]
        classes = np.asarray(estimator.classes_)
        y_proba = estimator.predict_proba(images)
        rows, predicted = np.arange(len(images)), y_proba.argmax(axis=1)
        actual = None if y is None else columns_of(y, classes)
        explained = predicted if label is None else columns_of([label] * len(images), classes)
        if method == "occlusion":
            drops = zip(images, y_proba[rows, explained], explained, strict=True)
            maps = [_occlude(estimator, *drop, patch_size=patch_size) for drop in drops]
        else:
            maps = _by_gradients(estimator, images, explained, method)
        display = cls(
            images=images,
            maps=np.stack(maps),
            method=method,
            y_pred=classes[predicted],
            probabilities=y_proba[rows, predicted],
            y_true=y,
            true_probabilities=None if y is None else y_proba[rows, actual],
            label=label,
        )
        return display.plot(n_columns=n_columns, ax=ax)

    def _captions_of(self, number):
        """The lines under a picture, and those under its map."""
        name, probability = self.y_pred[number], self.probabilities[number]
        explained = Caption(f"for {name if self.label is None else self.label}", color="dimgray")
        if self.y_true is None:
            return [Caption(name, probability=probability)], [explained]
        actual = self.y_true[number]
        lines = [
            judge(name, name == actual, probability),
            Caption(actual, probability=self.true_probabilities[number]),
        ]
        return lines, [explained, Caption("")]


def _read(estimator, X):
    """Let files, and pictures of any sizes, become those that a network takes."""
    is_resized = isinstance(estimator, Pipeline) and isinstance(estimator[0], ImageResizer)
    return estimator[0].transform(X) if is_resized else X


def _occlude(estimator, image, probability, column, *, patch_size):
    """How much less probable a class is while each pixel is hidden, on average."""
    height, width = image.shape[:2]
    smaller = min(height, width)
    size = min(patch_size or max(1, smaller // PATCHES_A_SIDE), smaller)
    corners = [(top, left) for top in _starts(height, size) for left in _starts(width, size)]
    color = image.mean(axis=(0, 1))
    color = color if image.dtype.kind == "f" else np.rint(color)
    total, counts = np.zeros((height, width)), np.zeros((height, width))
    n_at_once = max(1, MOST_BYTES // image.nbytes)
    for begin in range(0, len(corners), n_at_once):
        part = corners[begin : begin + n_at_once]
        copies = np.repeat(image[None], len(part), axis=0)
        for copy, (top, left) in zip(copies, part, strict=True):
            copy[top : top + size, left : left + size] = color
        drops = probability - estimator.predict_proba(copies)[:, column]
        for drop, (top, left) in zip(drops, part, strict=True):
            total[top : top + size, left : left + size] += drop
            counts[top : top + size, left : left + size] += 1
    return total / counts


def _starts(length, size):
    """Where patches begin, half of one after another, the last one at the edge."""
    return sorted({*range(0, length - size, max(1, size // 2)), length - size})


def _by_gradients(estimator, images, columns, method):
    from ..networks import grad_cam, score_gradients  # takes seconds to import

    classifier = classifier_of(estimator)
    if not hasattr(classifier, "model_"):
        raise ValueError(
            f"method={method!r} needs a network, but {type(classifier).__name__} has no model_."
            " Use method='occlusion', or a fitted classifier of this package."
        )
    before = len(getattr(estimator, "steps", [])) > 1
    X = np.asarray(estimator[:-1].transform(images) if before else images)
    height, width = images.shape[1:3]
    if method == "grad-cam":
        sums = grad_cam(classifier.model_, X, columns)
        by = 1, height / sums.shape[1], width / sums.shape[2]
        return zoom(sums, by, order=1, mode="nearest", grid_mode=True)
    gradients = np.abs(score_gradients(classifier.model_, X, columns))
    if gradients[0].size % (height * width):
        raise ValueError(
            f"The network takes {gradients[0].size} numbers, which do not make a picture of"
            f" {height} x {width} pixels. Use method='occlusion', or steps that only scale and"
            " flatten."
        )
    return gradients.reshape(len(X), height, width, -1).max(axis=-1)


def _pale(image):
    """Return a picture in light grey, as red, green and blue from 0 to 1."""
    grey = image.reshape(*image.shape[:2], -1).mean(axis=-1)
    grey = grey / 255 if image.dtype.kind in "ui" else grey
    return np.repeat(0.75 + 0.25 * grey[..., None], 3, axis=-1)


def _colored(picture, values):
    """Cover a picture with colour, all of it where a value is -1 or 1."""
    from matplotlib.colors import to_rgb

    share = np.clip(np.abs(values), 0, 1)[..., None]
    color = np.where(values[..., None] < 0, to_rgb(RIGHT_COLOR), to_rgb(WRONG_COLOR))
    return (1 - share) * picture + share * color
