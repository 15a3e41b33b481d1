"""Pictures of files as arrays: one by one, by the folder, and from lists of paths and labels."""

import os
import re
from collections.abc import Sequence
from contextlib import contextmanager
from numbers import Integral

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import Bunch

from .._sklearn.validation import (
    InvalidParameterError,
    Options,
    StrOptions,
    check_positive_integers,
    validate_params,
)
from ._archives import DatasetError
from ._bunch import picture_bunch
from ._cache import recall_or_decode
from ._folders import LAYOUTS, MAX_NAMES, SPLIT_NAMES, Listing, in_short, list_folder, list_table
from ._picture_files import RESIZE, decode_resized

MAX_UNREADABLE = 20  # files that are named where some cannot be read
MAX_CLASSES = 20  # whose pictures are counted

RESIZED = {"crop": "cut to the middle at", "pad": "padded to", "stretch": "stretched to"}

PICTURE_PARAMETERS = {
    "path": [str, os.PathLike],
    "image_size": [tuple, list],
    "resize": [StrOptions(set(RESIZE))],
    "n_channels": [Options(Integral, {1, 3})],
}
READING_PARAMETERS = PICTURE_PARAMETERS | {
    "skip_unreadable": ["boolean"],
    "cache": ["boolean", str, os.PathLike],
}
SUBSETS = StrOptions({*SPLIT_NAMES, "all"})


@validate_params(PICTURE_PARAMETERS, prefer_skip_nested_validation=True)
def read_picture(
    path: str | os.PathLike,
    *,
    image_size: tuple[int, int] = (32, 32),
    resize: str = "crop",
    n_channels: int = 3,
) -> np.ndarray:
    """Read one picture file as an array.

    Parameters
    ----------
    path : str or path-like
        A file in JPEG, PNG, GIF, BMP, TIFF, WebP, AVIF, PBM, PGM or PPM format, of 8 or 16 bits per
        colour. Its orientation tag is applied; transparency becomes white.

    image_size : tuple of (int, int), default=(32, 32)
        Height and width in pixels to resize the picture to.

    resize : {"crop", "pad", "stretch"}, default="crop"
        How to resize a picture of other proportions: cut out its middle, pad it with black margins,
        or stretch it.

    n_channels : {1, 3}, default=3
        1 for pictures in grey, 3 for red, green and blue.

    Returns
    -------
    image : ndarray of shape (height, width, n_channels), dtype uint8
        The pixels, 0 to 255.

    Raises
    ------
    DatasetError
        If the file is missing, damaged or not a picture, or has more than 50 million pixels (179
        million for a JPEG that is not progressive). It is a ValueError.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from PIL import Image
    >>> from skcifar.datasets import read_picture
    >>> with TemporaryDirectory() as folder:
    ...     Image.new("RGB", (640, 480), "red").save(f"{folder}/red.png")
    ...     image = read_picture(f"{folder}/red.png", image_size=(2, 2))
    >>> image[0, 0]
    array([255,   0,   0], dtype=uint8)
    """
    image_size = checked_image_size(image_size, owner="read_picture")
    return decode_resized(path, image_size, resize=resize, n_channels=n_channels)


@validate_params(
    READING_PARAMETERS
    | {
        "subset": [SUBSETS],
        "layout": [StrOptions(set(LAYOUTS))],
        "label_pattern": [str, re.Pattern, None],
    },
    prefer_skip_nested_validation=True,
)
def load_image_folder(
    path: str | os.PathLike,
    *,
    image_size: tuple[int, int] = (32, 32),
    resize: str = "crop",
    n_channels: int = 3,
    subset: str = "all",
    layout: str = "auto",
    label_pattern: str | re.Pattern | None = None,
    skip_unreadable: bool = False,
    cache: bool | str | os.PathLike = False,
) -> Bunch:
    """Load your own pictures from one folder per class, named after the class.

    Parameters
    ----------
    path : str or path-like
        The folder that holds a folder for each class, or ``train``, ``validation`` and ``test``, or
        some of them, in any spelling (``val``, ``Testing``, ``training_set``), with a folder for
        each class inside. Files may have any format and size that :func:`.read_picture` reads, in
        colour, in grey or transparent, and be in subfolders. Links to folders are followed only if
        they are a class. Hidden and system files, such as ``Thumbs.db`` or ``__MACOSX``, are
        ignored.

    image_size : tuple of (int, int), default=(32, 32)
        Height and width in pixels to resize all pictures to.

    resize : {"crop", "pad", "stretch"}, default="crop"
        How to resize a picture of other proportions: cut out its middle, pad it with black margins,
        or stretch it.

    n_channels : {1, 3}, default=3
        1 for pictures in grey, 3 for red, green and blue.

    subset : {"train", "validation", "test", "all"}, default="all"
        Which pictures to load from a folder that is divided in this way.

    layout : {"auto", "classes", "splits"}, default="auto"
        What the folders in ``path`` are. By default, their names and contents decide, and an error
        is raised if these disagree: a folder ``test`` may be either.

    label_pattern : str or re.Pattern, default=None
        A regular expression that finds the class in the name of a file, if folders are not classes:
        its group ``label``, or else its first group, or else the whole match. ``r"^[a-z]+"`` finds
        ``cat`` in ``cat.0123.jpg``.

    skip_unreadable : bool, default=False
        Whether to leave out files that cannot be read, and name them in ``DESCR``, instead of
        raising an error.

    cache : bool or path-like, default=False
        Whether to keep the decoded pictures for next time, in the system's cache folder or in one
        of yours. Files are read only once as long as they and the parameters stay the same.
        ``images`` then stay in a memory-mapped file, and become arrays when indexed with one number
        or passed to :func:`numpy.asarray`; this package's estimators and searches take them as they
        are, without copying folds. A folder holds at most 10 GB; the least recently used pictures
        are removed.

    Returns
    -------
    dataset : :class:`~sklearn.utils.Bunch`
        Dictionary-like object, with the following attributes.

        images : ndarray of shape (n_samples, height, width, n_channels), dtype uint8
            The pictures, class after class.
        data : ndarray of shape (n_samples, height * width * n_channels), dtype uint8
            The same memory, one picture per row.
        target : ndarray of shape (n_samples,), dtype int64
            The class of each picture, an index into ``target_names``.
        target_names : ndarray of shape (n_classes,), dtype str
            The names of the classes, sorted.
        filenames : ndarray of shape (n_samples,), dtype str
            The path of each picture.
        subsets : ndarray of shape (n_samples,), dtype str
            "train", "validation" or "test" if the folder is divided in this way, otherwise "".
        DESCR : str
            What was found: pictures by class, their original sizes, and what was left out.

    Raises
    ------
    DatasetError
        If the folder is missing, if a class has no pictures, or if :func:`.read_picture` cannot
        read a file; one error names such files. It is a ValueError.

    See Also
    --------
    load_image_files : The same for lists of paths and labels.
    load_image_csv : The same for a table of paths and labels.
    sklearn.datasets.load_files : The same for text.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from PIL import Image
    >>> from skcifar import load_image_folder
    >>> with TemporaryDirectory() as folder:
    ...     for color in ("red", "blue"):
    ...         Path(folder, color).mkdir()
    ...         Image.new("RGB", (60, 40), color).save(f"{folder}/{color}/1.png")
    ...     dataset = load_image_folder(folder)
    >>> dataset.images.shape
    (2, 32, 32, 3)
    >>> dataset.target_names.tolist()
    ['blue', 'red']
    """
    image_size = checked_image_size(image_size, owner="load_image_folder")
    listing = list_folder(path, layout=layout, label_pattern=compiled(label_pattern))
    options = {"resize": resize, "skip_unreadable": skip_unreadable, "cache": cache}
    return _load(listing, subset, (*image_size, n_channels), **options)


@validate_params(
    READING_PARAMETERS
    | {
        "subset": [SUBSETS],
        "path_column": [str],
        "label_column": [str],
        "subset_column": [str, None],
    },
    prefer_skip_nested_validation=True,
)
def load_image_csv(
    path: str | os.PathLike,
    *,
    path_column: str = "path",
    label_column: str = "label",
    subset_column: str | None = None,
    image_size: tuple[int, int] = (32, 32),
    resize: str = "crop",
    n_channels: int = 3,
    subset: str = "all",
    skip_unreadable: bool = False,
    cache: bool | str | os.PathLike = False,
) -> Bunch:
    r"""Load your own pictures from a table of paths and labels.

    Parameters
    ----------
    path : str or path-like
        A CSV file in UTF-8 with a header; the fields are separated by commas, semicolons or tabs.
        Paths in it are relative to its folder.

    path_column : str, default="path"
        The column of the paths.

    label_column : str, default="label"
        The column of the labels.

    subset_column : str, default=None
        A column that says train, validation or test, in any spelling.

    image_size : tuple of (int, int), default=(32, 32)
        Height and width in pixels to resize all pictures to.

    resize : {"crop", "pad", "stretch"}, default="crop"
        How to resize a picture of other proportions, as in :func:`.read_picture`.

    n_channels : {1, 3}, default=3
        1 for pictures in grey, 3 for red, green and blue.

    subset : {"train", "validation", "test", "all"}, default="all"
        Which pictures to load, if there is a ``subset_column``.

    skip_unreadable : bool, default=False
        Whether to leave out files that cannot be read, and name them in ``DESCR``, instead of
        raising an error.

    cache : bool or path-like, default=False
        Whether to keep the decoded pictures for next time, as in :func:`load_image_folder`.

    Returns
    -------
    dataset : :class:`~sklearn.utils.Bunch`
        As :func:`load_image_folder` returns it, with the pictures in the order of the table.

    Raises
    ------
    DatasetError
        If the table or a picture cannot be read, or if a field is missing. It is a ValueError.

    See Also
    --------
    load_image_files : The same for lists of paths and labels, or for columns of a DataFrame.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from PIL import Image
    >>> from skcifar import load_image_csv
    >>> with TemporaryDirectory() as folder:
    ...     Image.new("RGB", (60, 40), "red").save(f"{folder}/1.png")
    ...     n_written = Path(folder, "pictures.csv").write_text("path,label\n1.png,red\n")
    ...     dataset = load_image_csv(f"{folder}/pictures.csv")
    >>> dataset.target_names[dataset.target].tolist()
    ['red']
    """
    image_size = checked_image_size(image_size, owner="load_image_csv")
    listing = list_table(
        path, path_column=path_column, label_column=label_column, subset_column=subset_column
    )
    options = {"resize": resize, "skip_unreadable": skip_unreadable, "cache": cache}
    return _load(listing, subset, (*image_size, n_channels), **options)


@validate_params(
    {name: rule for name, rule in READING_PARAMETERS.items() if name != "path"}
    | {"paths": ["array-like"], "labels": ["array-like"]},
    prefer_skip_nested_validation=True,
)
def load_image_files(
    paths: ArrayLike | Sequence[os.PathLike],
    labels: ArrayLike,
    *,
    image_size: tuple[int, int] = (32, 32),
    resize: str = "crop",
    n_channels: int = 3,
    skip_unreadable: bool = False,
    cache: bool | str | os.PathLike = False,
) -> Bunch:
    """Load your own pictures from lists of paths and labels.

    Parameters
    ----------
    paths : array-like of shape (n_samples,)
        Paths of files that :func:`.read_picture` reads, such as a column of a DataFrame.

    labels : array-like of shape (n_samples,)
        The class of each, a number or a name.

    image_size : tuple of (int, int), default=(32, 32)
        Height and width in pixels to resize all pictures to.

    resize : {"crop", "pad", "stretch"}, default="crop"
        How to resize a picture of other proportions, as in :func:`.read_picture`.

    n_channels : {1, 3}, default=3
        1 for pictures in grey, 3 for red, green and blue.

    skip_unreadable : bool, default=False
        Whether to leave out files that cannot be read, and name them in ``DESCR``, instead of
        raising an error.

    cache : bool or path-like, default=False
        Whether to keep the decoded pictures for next time, as in :func:`load_image_folder`.

    Returns
    -------
    dataset : :class:`~sklearn.utils.Bunch`
        As :func:`load_image_folder` returns it, with the pictures in the order of the paths.
        ``target_names`` holds the labels as strings.

    Raises
    ------
    DatasetError
        If a picture cannot be read. It is a ValueError.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from PIL import Image
    >>> from skcifar.datasets import load_image_files
    >>> with TemporaryDirectory() as folder:
    ...     paths = [f"{folder}/{color}.png" for color in ("red", "blue")]
    ...     for path in paths:
    ...         Image.new("RGB", (40, 30), path[len(folder) + 1 : -4]).save(path)
    ...     dataset = load_image_files(paths, ["warm", "cold"])
    >>> dataset.images.shape
    (2, 32, 32, 3)
    >>> dataset.target_names[dataset.target].tolist()
    ['warm', 'cold']
    """
    image_size = checked_image_size(image_size, owner="load_image_files")
    paths, labels = [os.fspath(path) for path in paths], np.asarray(labels)
    if labels.shape != (len(paths),) or not paths:
        raise InvalidParameterError(
            "The 'labels' parameter of load_image_files must hold one label for each of the"
            f" {len(paths)} paths, and there must be some. Got an array of shape {labels.shape}"
            " instead."
        )
    listing = Listing("a list of files", paths, labels, [""] * len(paths))
    options = {"resize": resize, "skip_unreadable": skip_unreadable, "cache": cache}
    return _load(listing, "all", (*image_size, n_channels), **options)


def compiled(pattern, parameter="label_pattern"):
    """Compile a regular expression, or raise the error of a parameter."""
    try:
        return None if pattern is None else re.compile(pattern)
    except re.error as error:
        raise InvalidParameterError(
            f"The {parameter!r} parameter must be a regular expression. Got {pattern!r} instead:"
            f" {error}."
        ) from error


def _load(listing, subset, shape, **options):
    if subset != "all":
        rows = [row for row, known in enumerate(listing.subsets) if known == subset]
        if not rows:
            known = [name for name in SPLIT_NAMES if name in listing.subsets]
            others = f", only {' and '.join(known)}" if known else ": it is not divided"
            raise DatasetError(
                f"{listing.source} has no {subset} pictures{others}. Give another subset."
            )
        listing = listing.take(rows)
    images, listing, report = read_listing(listing, shape, **options)
    target_names, target = np.unique(listing.labels, return_inverse=True)
    return picture_bunch(
        images,
        target,
        target_names=target_names.astype(str),
        filenames=np.array(listing.paths),
        subsets=np.array(listing.subsets),
        DESCR="\n".join(report),
    )


@contextmanager
def _no_progress(n_pictures):
    """Give what is called with the number of pictures that are done, for so many of them."""
    yield lambda n_done: None


def read_listing(
    listing, shape, *, resize="crop", skip_unreadable=False, cache=False, progress=_no_progress
):
    """Read the pictures of a listing; return them, what was read, and lines that report it."""
    n_files = len(listing.paths)
    images, sizes, unreadable = recall_or_decode(
        listing.paths, shape, resize=resize, cache=cache, progress=progress
    )
    files = [f"{listing.paths[row]} ({reason})" for row, reason in unreadable.items()]
    if files and (not skip_unreadable or len(files) == n_files):
        raise DatasetError(
            f"{len(files)} of {n_files} files cannot be read as pictures:"
            f" {in_short(files, MAX_UNREADABLE)}. Replace or remove them, or skip them with"
            " skip_unreadable=True (--skip-unreadable)."
        )
    if files:
        listing = listing.take([row for row in range(n_files) if row not in unreadable])
    return images, listing, _described(listing, images.shape, resize, sizes, files)


def _described(listing, shape, resize, sizes, unreadable):
    """Report in lines what was read and what was left out."""
    n_classes = len(np.unique(listing.labels))
    lines = [
        f"{shape[0]:,} pictures of {n_classes} classes from {listing.source}, {RESIZED[resize]}"
        f" {shape[1]} x {shape[2]} pixels{' in grey' if shape[3] == 1 else ''}"
    ]
    subsets = np.array(listing.subsets)
    for subset in dict.fromkeys(listing.subsets):
        labels = np.array(listing.labels)[subsets == subset]
        counts = zip(*np.unique(labels, return_counts=True), strict=True)
        counted = in_short([f"{name} {count:,}" for name, count in counts], MAX_CLASSES)
        lines.append(f"{subset}, {len(labels):,}: {counted}" if subset else counted)
    seen = [f"{width} x {height}" for height, width in sizes]
    lines.append("width x height: smallest {}, median {}, largest {}".format(*seen))
    left_out = listing.left_out | {"files that cannot be read": unreadable}
    for reason, names in left_out.items():
        if names:
            most = MAX_UNREADABLE if names is unreadable else MAX_NAMES
            lines.append(f"left out, {reason}: {len(names):,} ({in_short(names, most)})")
    return lines


def checked_image_size(image_size, *, owner):
    """Return height and width as a tuple, or raise the error of a parameter."""
    if len(image_size) != 2:
        raise InvalidParameterError(
            f"The 'image_size' parameter of {owner} must be a pair (height, width). Got"
            f" {image_size!r} instead."
        )
    check_positive_integers(image_size, name="image_size", owner=owner)
    return tuple(image_size)
