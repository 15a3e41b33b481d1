"""Pictures of files as arrays, one by one and by the folder."""

import os
import unicodedata
from numbers import Integral
from pathlib import Path

import numpy as np

from .._sklearn.validation import (
    InvalidParameterError,
    Options,
    StrOptions,
    check_positive_integers,
    validate_params,
)
from ._archives import DatasetError
from ._bunch import picture_bunch
from ._picture_files import RESIZE, decode_all, decode_resized

MAX_FILES_LISTED = 20  # of those that cannot be read

PICTURE_PARAMETERS = {
    "path": [str, os.PathLike],
    "image_size": [tuple, list],
    "resize": [StrOptions(set(RESIZE))],
    "n_channels": [Options(Integral, {1, 3})],
}


@validate_params(PICTURE_PARAMETERS, prefer_skip_nested_validation=True)
def read_picture(path, *, image_size=(32, 32), resize="crop", n_channels=3):
    """Read one picture file as an array.

    Parameters
    ----------
    path : str or path-like
        A file in JPEG, PNG, GIF, BMP, TIFF, WebP, AVIF, PBM, PGM or PPM format, of 8 or 16 bits a
        colour. Its orientation tag is obeyed; what is transparent becomes white.

    image_size : tuple of (int, int), default=(32, 32)
        Height and width in pixels that the picture gets.

    resize : {"crop", "pad", "stretch"}, default="crop"
        How a picture of other proportions gets that size: the middle of it is cut out, it gets
        black margins, or it is stretched.

    n_channels : {1, 3}, default=3
        1 for pictures in grey, 3 for red, green and blue.

    Returns
    -------
    image : ndarray of shape (height, width, n_channels), dtype uint8

    Raises
    ------
    DatasetError
        If the file is missing, is no picture, is damaged, or has more than 50 million pixels (a
        JPEG that is not progressive: 179 million). It is a ValueError.

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
    image_size = _checked_image_size(image_size, owner="read_picture")
    return decode_resized(path, image_size, resize=resize, n_channels=n_channels)


@validate_params(PICTURE_PARAMETERS, prefer_skip_nested_validation=True)
def load_image_folder(path, *, image_size=(32, 32), resize="crop", n_channels=3):
    """Load one's own pictures: one folder a class, the folder's name the class's name.

    Parameters
    ----------
    path : str or path-like
        The folder that holds a folder for each class. Files may be of the formats and
        sizes that :func:`read_picture` reads, in colour, in grey or transparent, in folders within
        as well. What is hidden is passed over.

    image_size : tuple of (int, int), default=(32, 32)
        Height and width in pixels that all pictures get.

    resize : {"crop", "pad", "stretch"}, default="crop"
        How a picture of other proportions gets that size: the middle of it is cut out, it gets
        black margins, or it is stretched.

    n_channels : {1, 3}, default=3
        1 for pictures in grey, 3 for red, green and blue.

    Returns
    -------
    dataset : :class:`~sklearn.utils.Bunch`
        Dictionary-like object, with the following attributes.

        images : ndarray of shape (n_samples, height, width, n_channels), dtype uint8
            The pictures, class after class.
        data : ndarray of shape (n_samples, height * width * n_channels), dtype uint8
            The same memory, a picture a row.
        target : ndarray of shape (n_samples,), dtype int64
            The class of each picture, an index into ``target_names``.
        target_names : ndarray of shape (n_classes,), dtype str
            The names of the classes, sorted.
        filenames : ndarray of shape (n_samples,), dtype str
            The path of each picture.
        DESCR : str
            One line that says where the pictures came from.

    Raises
    ------
    DatasetError
        If the folder is missing, if a class has no pictures, or if any file is no picture that
        :func:`read_picture` reads; one error names such files. It is a ValueError.

    See Also
    --------
    sklearn.datasets.load_files : The same for text.
    """
    image_size = _checked_image_size(image_size, owner="load_image_folder")
    path = Path(path)
    folders = class_folders(path)
    files = [(folder, file) for folder in folders for file in _files(folder)]
    empty = [str(folder) for folder in folders if folder not in {folder for folder, _ in files}]
    if empty or not files:
        raise DatasetError(
            f"{', '.join(empty) or path} holds no {'pictures' if empty else 'folders'}. {path} must"
            " hold one folder for each class, named after the class, with its pictures inside."
        )

    images = np.empty((len(files), *image_size, n_channels), dtype=np.uint8)
    errors = decode_all([file for _, file in files], images, resize=resize)
    unreadable = [str(files[row][1]) for row in errors]
    if unreadable:
        reported = ", ".join(unreadable[:MAX_FILES_LISTED])
        n_more = len(unreadable) - MAX_FILES_LISTED
        raise DatasetError(
            f"{len(unreadable)} of {len(files)} files cannot be read as pictures: {reported}"
            f"{f' and {n_more} more' if n_more > 0 else ''}. Take them out of the folder or replace"
            " them."
        )

    target_names, target = np.unique([folder.name for folder, _ in files], return_inverse=True)
    return picture_bunch(
        images,
        target,
        target_names=target_names,
        filenames=np.array([str(file) for _, file in files]),
        DESCR=f"{len(images):,} pictures of {len(target_names)} classes from the folder {path}.",
    )


def class_folders(path):
    """Return the folders inside ``path``, sorted by name, without the hidden ones."""
    if not path.is_dir():
        raise DatasetError(f"{path} is not a folder. Give a folder that holds one for each class.")
    folders = sorted(p for p in path.iterdir() if p.is_dir() and not p.name.startswith("."))
    for folder in folders:
        # such names could neither be printed nor saved with a model as those of classes
        if any(unicodedata.category(character) in ("Cc", "Cs") for character in folder.name):
            raise DatasetError(
                f"{path} holds a folder with an unreadable name, {folder.name!a}. Give it the"
                " name of a class."
            )
    return folders


def _checked_image_size(image_size, *, owner):
    if len(image_size) != 2:
        raise InvalidParameterError(
            f"The 'image_size' parameter of {owner} must be a pair (height, width). Got"
            f" {image_size!r} instead."
        )
    check_positive_integers(image_size, name="image_size", owner=owner)
    return image_size


def _files(folder):
    """Return all files in a folder and in those within, sorted, without what is hidden."""
    files, folders = [], [folder]
    while folders:  # a recursion would end at folders within folders by the thousand
        for entry in folders.pop().iterdir():
            if entry.name.startswith("."):
                continue
            if entry.is_dir() and not entry.is_symlink():  # a link may lead back up
                folders.append(entry)
            elif entry.is_file():
                files.append(entry)
    return sorted(files)
