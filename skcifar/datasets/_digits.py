"""``load_digit_images``: real pictures that come with scikit-learn."""

from typing import Any

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from .._sklearn.validation import StrOptions, validate_params
from ._bunch import picture_bunch


@validate_params(
    {"subset": [StrOptions({"train", "test", "all"})], "return_X_y": ["boolean"]},
    prefer_skip_nested_validation=True,
)
def load_digit_images(*, subset: str = "train", return_X_y: bool = False) -> Any:
    """Load scikit-learn's handwritten digits as colour pictures of CIFAR-10's size.

    Nothing is downloaded: the digits come with :func:`sklearn.datasets.load_digits`. Each of their
    8 x 8 pixels becomes a block of 4 x 4 pixels of equal red, green and blue.

    ====================   =================================
    Classes                                               10
    Samples total                                      1,797
    Samples train / test                         1,437 / 360
    Dimensionality         32 x 32 pixels, 3 colours (3,072)
    Features                               integers, 0 to 255
    ====================   =================================

    Parameters
    ----------
    subset : {"train", "test", "all"}, default="train"
        The training pictures, the test pictures, or both, in this order. The split is stratified
        and always the same.

    return_X_y : bool, default=False
        If True, return ``(images, target)`` instead of a Bunch.

    Returns
    -------
    dataset : :class:`~sklearn.utils.Bunch`
        Dictionary-like object, with the following attributes.

        images : ndarray of shape (n_samples, 32, 32, 3), dtype uint8
            The pictures.
        data : ndarray of shape (n_samples, 3072), dtype uint8
            The same memory, one picture per row.
        target : ndarray of shape (n_samples,), dtype int64
            The digit that each picture shows.
        target_names : ndarray of shape (10,), dtype str
            The names of the classes: "0" to "9".
        DESCR : str
            A description of the data set.

    (images, target) : tuple, if ``return_X_y=True``
        Pictures and labels alone.

    Examples
    --------
    >>> from skcifar import load_digit_images
    >>> load_digit_images(subset="test").images.shape
    (360, 32, 32, 3)
    """
    digits = load_digits()
    train, test = train_test_split(
        np.arange(len(digits.target)), test_size=0.2, stratify=digits.target, random_state=0
    )
    rows = {"train": train, "test": test, "all": np.concatenate([train, test])}[subset]

    grey = np.round(digits.images[rows] * (255 / 16)).astype(np.uint8)  # (n, 8, 8), was 0 to 16
    grey = grey.repeat(4, axis=1).repeat(4, axis=2)  # (n, 32, 32)
    images = np.repeat(grey[..., np.newaxis], 3, axis=-1)  # (n, 32, 32, 3)
    target = digits.target[rows]
    if return_X_y:
        return images, target
    return picture_bunch(
        images,
        target,
        target_names=digits.target_names.astype(str),
        DESCR=f"Each pixel of these digits is 4 x 4 pixels of 3 colours here.\n\n{digits.DESCR}",
    )
