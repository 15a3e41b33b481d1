"""Pictures as they are, and as a network is trained on them."""

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import check_random_state

from .._sklearn.validation import validate_params
from ..model_selection._comparisons import classifier_of
from ._figures import AT_LEAST_ONE, place_for, with_margins
from ._pictures import check_pictures, show_picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CELL_WIDTH = 1.1  # inches


class AugmentationDisplay:
    """A row of pictures, and below it rows of what augmentation makes of them.

    It is recommended to use :meth:`from_estimator` to create one. All parameters are stored as
    attributes.

    Parameters
    ----------
    images : ndarray of shape (n_images, height, width[, 1 or 3]), dtype uint8, or float from 0 to 1
        The pictures, in grey or in red, green and blue.

    variants : ndarray of shape (n_variants, n_images, height, width[, 1 or 3])
        The pictures after augmentation.

    Attributes
    ----------
    axes_ : ndarray of shape (1 + n_variants, n_images)
        The axes, one for each picture.

    figure_ : matplotlib Figure
        The figure that contains them.

    See Also
    --------
    PredictionGridDisplay : What a network predicts for pictures.

    Examples
    --------
    >>> from skcifar import AugmentationDisplay, load_digit_images, make_convolutional_pipeline
    >>> X = load_digit_images(subset="test").images
    >>> pipeline = make_convolutional_pipeline(max_shift=0.1, max_rotation=15, cutout=0.3)
    >>> display = AugmentationDisplay.from_estimator(pipeline, X, n_images=6, random_state=0)
    >>> display.axes_.shape
    (4, 6)
    """

    def __init__(self, *, images: np.ndarray, variants: np.ndarray):
        self.images = images
        self.variants = variants

    def plot(self, *, ax: "Axes | None" = None) -> Self:
        """Draw each picture above its variants.

        Parameters
        ----------
        ax : matplotlib axes, default=None
            Axes to replace with the pictures. By default, a new figure is created.

        Returns
        -------
        display : :class:`AugmentationDisplay`
            The display, drawn in ``axes_``.
        """
        rows = [check_pictures(row) for row in (self.images, *self.variants)]
        height, width = rows[0].shape[1:3]
        size = CELL_WIDTH * len(rows[0]) + 0.8, CELL_WIDTH * len(rows) * height / width
        self.figure_, place, _ = place_for(ax, size=size)
        place = with_margins(place, left=0.25)
        self.axes_ = place.subgridspec(len(rows), len(rows[0])).subplots(squeeze=False)
        for number, (cells, pictures) in enumerate(zip(self.axes_, rows, strict=True)):
            for axes, picture in zip(cells, pictures, strict=True):
                show_picture(axes, picture)
                axes.set(xticks=[], yticks=[])
                axes.spines[:].set_visible(False)
            label = "trained on" if number else "original"
            cells[0].set_ylabel(label, size=9, weight="normal" if number else "bold")
        return self

    @classmethod
    @validate_params(
        {"n_images": AT_LEAST_ONE, "n_variants": AT_LEAST_ONE}, prefer_skip_nested_validation=False
    )
    def from_estimator(
        cls,
        estimator: Any,
        X: ArrayLike,
        *,
        n_images: int = 8,
        n_variants: int = 3,
        random_state: int | np.random.RandomState | None = None,
        ax: "Axes | None" = None,
    ) -> Self:
        """Draw random pictures, and how an estimator would augment them in training.

        Parameters
        ----------
        estimator : estimator instance
            A picture classifier of this package, fitted or not, or a Pipeline that ends in one.

        X : ndarray of shape (n_samples, height, width[, 1 or 3])
            The pictures.

        n_images : int, default=8
            Number of pictures to show.

        n_variants : int, default=3
            Number of variants of each, as in successive epochs.

        random_state : int, RandomState instance or None, default=None
            Determines which pictures are chosen and how they are changed.

        ax : matplotlib axes, default=None
            Axes to replace with the pictures. By default, a new figure is created.

        Returns
        -------
        display : :class:`AugmentationDisplay`
            The display, drawn in ``axes_``.

        Raises
        ------
        ValueError
            If the estimator does not augment pictures.
        """
        X = check_pictures(X)
        classifier = classifier_of(estimator)
        changes = getattr(classifier, "augmentation", lambda: None)()
        if changes is None:
            raise ValueError(
                f"{type(classifier).__name__} does not augment pictures. Give a picture classifier"
                " with horizontal_flip, max_shift, max_rotation or cutout."
            )
        rng = check_random_state(random_state)
        images = X[rng.choice(len(X), min(n_images, len(X)), replace=False)]
        pictures = np.ascontiguousarray(images).reshape(*images.shape[:3], -1)
        rows, first = np.arange(len(images)), rng.randint(np.iinfo(np.int32).max)
        drawn = [changes.draw(rows, *images.shape[1:3], epoch=first + k) for k in range(n_variants)]
        variants = np.stack([changes.apply(pictures, each) for each in drawn])
        return cls(images=images, variants=variants.reshape(-1, *images.shape)).plot(ax=ax)
