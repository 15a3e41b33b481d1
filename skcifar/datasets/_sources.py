"""A source named in one word, or a folder, as pictures with the names of their classes."""

from pathlib import Path

import numpy as np
from sklearn.model_selection import train_test_split

from ._archives import DatasetError
from ._cifar10 import fetch_cifar10
from ._digits import load_digit_images
from ._pictures import class_folders, load_image_folder

# The share of a folder's pictures that is kept for testing where the folder does not say itself.
TEST_FRACTION = 0.2


def load_train_test(source, *, limit=None, **options):
    """Load training and test pictures with the names of their classes.

    Parameters
    ----------
    source : {"cifar10", "digits"} or path-like
        A data set by name, or a folder as :func:`load_image_folder` takes it. A folder that holds
        just ``train`` and ``test`` is split as these say; any other is split four to one,
        stratified and always alike.

    limit : int, default=None
        Keep no more than so many training and so many test pictures, stratified and always the
        same.

    **options
        ``data_home`` and ``n_retries`` of :func:`fetch_cifar10`, ``image_size`` of
        :func:`load_image_folder`.

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
    parts = _load_parts(source, **options)
    if len(parts) == 1:
        parts = _split(*parts[0], what=source)
    train, test = (_limited(*part, limit, what=source) for part in parts)
    strange = sorted(set(test[1]) - set(train[1]))
    if strange:
        raise DatasetError(
            f"{source} has test pictures of {', '.join(strange)}, but no training pictures of it."
        )
    return train, test


def load_all(source, *, limit=None, **options):
    """Load all pictures of a source, training and test pictures alike.

    Parameters and errors are those of :func:`load_train_test`.

    Returns
    -------
    images : ndarray of shape (n_samples, height, width, 3), dtype uint8

    names : ndarray of shape (n_samples,), dtype str
    """
    images, names = (
        np.concatenate(arrays) for arrays in zip(*_load_parts(source, **options), strict=True)
    )
    return _limited(images, names, limit, what=source)


def _load_parts(source, *, data_home=None, n_retries=3, image_size=(32, 32)):
    """Return training and test pictures, or the one undivided part that there is."""
    if source == "cifar10":
        loaded = [
            fetch_cifar10(subset=subset, data_home=data_home, n_retries=n_retries)
            for subset in ("train", "test")
        ]
    elif source == "digits":
        loaded = [load_digit_images(subset=subset) for subset in ("train", "test")]
    else:
        folder = Path(source)
        inside = class_folders(folder)
        divided = [f.name for f in inside] == ["test", "train"] and all(map(class_folders, inside))
        folders = [folder / "train", folder / "test"] if divided else [folder]
        loaded = [load_image_folder(part, image_size=image_size) for part in folders]
    return [(part.images, part.target_names[part.target]) for part in loaded]


def _split(images, names, *, what):
    try:
        train, test = train_test_split(
            np.arange(len(names)), test_size=TEST_FRACTION, stratify=names, random_state=0
        )
    except ValueError as error:
        raise DatasetError(
            f"{what} cannot be split with pictures of each class on both sides: {error}"
        ) from error
    return (images[train], names[train]), (images[test], names[test])


def _limited(images, names, limit, *, what):
    if limit is None or limit >= len(names):
        return images, names
    n_classes = len(set(names))
    if limit < n_classes:
        raise DatasetError(f"{what} has {n_classes} classes, so the limit of {limit} is too low.")
    # Each class is taken from its beginning, as far as all others: none is left out.
    order = np.random.RandomState(0).permutation(len(names))
    place = np.empty(len(names))
    for name in set(names):
        of_class = names[order] == name
        place[of_class] = np.linspace(0, 1, of_class.sum(), endpoint=False)
    rows = order[np.argsort(place, kind="stable")[:limit]]
    return images[rows], names[rows]
