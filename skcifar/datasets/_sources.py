"""A source named in one word, or a folder, as training and test pictures with class names."""

from pathlib import Path

import numpy as np
from sklearn.model_selection import train_test_split

from ._archives import DatasetError
from ._cifar10 import fetch_cifar10
from ._digits import load_digit_images
from ._pictures import class_folders, load_image_folder

# The share of a folder's pictures that is kept for testing where the folder does not say itself.
TEST_FRACTION = 0.2


def load_train_test(source, *, data_home=None, n_retries=3, image_size=(32, 32), limit=None):
    """Load training and test pictures with the names of their classes.

    Parameters
    ----------
    source : {"cifar10", "digits"} or path-like
        A data set by name, or a folder as :func:`load_image_folder` takes it. A folder that holds
        just ``train`` and ``test`` is split as these say; any other is split four to one,
        stratified and always alike.

    data_home : str or path-like, default=None
        Where CIFAR-10 is or is to be kept. See :func:`fetch_cifar10`.

    n_retries : int, default=3
        How often to try a download again. See :func:`fetch_cifar10`.

    image_size : tuple of (int, int), default=(32, 32)
        Height and width that the pictures of a folder are brought to.

    limit : int, default=None
        Keep no more than so many training and so many test pictures, stratified and always the
        same.

    Returns
    -------
    train, test : tuple of (images, names)
        ``images`` is an ndarray of shape (n_samples, height, width, 3) and dtype uint8, ``names``
        an ndarray of shape (n_samples,) and dtype str.

    Raises
    ------
    OSError
        If CIFAR-10 is neither here nor to be downloaded.
    DatasetError
        If what is here cannot be used. It is a ValueError.
    """
    if source == "cifar10":
        parts = [
            _named(fetch_cifar10(subset=subset, data_home=data_home, n_retries=n_retries))
            for subset in ("train", "test")
        ]
    elif source == "digits":
        parts = [_named(load_digit_images(subset=subset)) for subset in ("train", "test")]
    else:
        parts = _load_folder(Path(source), image_size)
    if limit is not None:
        parts = [
            part if len(part[0]) <= limit else _split(*part, train_size=limit, what=source)[0]
            for part in parts
        ]
    return tuple(parts)


def _load_folder(folder, image_size):
    if {inside.name for inside in class_folders(folder)} == {"train", "test"}:
        return [
            _named(load_image_folder(folder / subset, image_size=image_size))
            for subset in ("train", "test")
        ]
    images, names = _named(load_image_folder(folder, image_size=image_size))
    return _split(images, names, test_size=TEST_FRACTION, what=folder)


def _split(images, names, *, what, **sizes):
    try:
        first, second = train_test_split(
            np.arange(len(names)), stratify=names, random_state=0, **sizes
        )
    except ValueError as error:
        raise DatasetError(
            f"{what} cannot be split with pictures of each class on both sides: {error}"
        ) from error
    return (images[first], names[first]), (images[second], names[second])


def _named(dataset):
    return dataset.images, dataset.target_names[dataset.target]
