"""Picture files of every format, one by one and by the folder."""

import os
import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from .._validation import InvalidParameterError, check_positive_integers, validate_params
from ._archives import DatasetError
from ._bunch import picture_bunch


def read_picture(path, *, image_size=(32, 32)):
    """Read one picture file as an array.

    Parameters
    ----------
    path : str or path-like
        A file in any format that Pillow reads, of 8 or 16 bits a colour. Its orientation tag is
        obeyed; what is transparent becomes white.

    image_size : tuple of (int, int), default=(32, 32)
        Height and width in pixels that the picture is stretched or shrunk to.

    Returns
    -------
    image : ndarray of shape (height, width, 3), dtype uint8

    Raises
    ------
    DatasetError
        If the file is missing or is no picture.
    """
    height, width = image_size
    try:
        with warnings.catch_warnings():
            # Pillow warns of large pictures, and refuses those of twice that size as traps.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(path) as picture:
                picture = _as_rgb(ImageOps.exif_transpose(picture))
                return np.asarray(picture.resize((width, height), Image.Resampling.BICUBIC))
    except FileNotFoundError:
        raise DatasetError(f"{path} does not exist.") from None
    except Image.UnidentifiedImageError:
        raise DatasetError(
            f"{path} cannot be read as a picture: it is of no known format. Give a picture file."
        ) from None
    except Exception as error:  # Pillow's plugins raise nearly anything on a damaged file
        raise DatasetError(
            f"{path} cannot be read as a picture ({error}). Give a whole picture file."
        ) from error


@validate_params(
    {
        "path": [str, os.PathLike],
        "image_size": [tuple, list],
    },
    prefer_skip_nested_validation=True,
)
def load_image_folder(path, *, image_size=(32, 32)):
    """Load one's own pictures: one folder a class, the folder's name the class's name.

    Parameters
    ----------
    path : str or path-like
        The folder that holds a folder for each class. Files may be of any format that Pillow
        reads, in colour, in grey or transparent, of any size, in folders within as well. What is
        hidden is passed over.

    image_size : tuple of (int, int), default=(32, 32)
        Height and width in pixels that all pictures are stretched or shrunk to.

    Returns
    -------
    dataset : :class:`~sklearn.utils.Bunch`
        Dictionary-like object, with the following attributes.

        images : ndarray of shape (n_samples, height, width, 3), dtype uint8
            The pictures, class after class.
        data : ndarray of shape (n_samples, height * width * 3), dtype uint8
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
        If the folder is missing, if a class has no pictures, or if any file is no picture; one
        error names all such files. It is a ValueError.

    See Also
    --------
    sklearn.datasets.load_files : The same for text.
    """
    if len(image_size) != 2:
        raise InvalidParameterError(
            "The 'image_size' parameter of load_image_folder must be a pair (height, width)."
            f" Got {image_size!r} instead."
        )
    check_positive_integers(image_size, name="image_size", owner="load_image_folder")
    path = Path(path)
    folders = class_folders(path)
    files = [(folder, file) for folder in folders for file in _files(folder)]
    empty = [str(folder) for folder in folders if folder not in {folder for folder, _ in files}]
    if empty or not files:
        raise DatasetError(
            f"{', '.join(empty) or path} holds no {'pictures' if empty else 'folders'}. {path} must"
            " hold one folder for each class, named after the class, with its pictures inside."
        )

    images = np.empty((len(files), *image_size, 3), dtype=np.uint8)
    unreadable = []
    for row, (_, file) in enumerate(files):
        try:
            images[row] = read_picture(file, image_size=image_size)
        except DatasetError:
            unreadable.append(str(file))
    if unreadable:
        raise DatasetError(
            f"{len(unreadable)} of {len(files)} files cannot be read as pictures:"
            f" {', '.join(unreadable)}. Take them out of the folder or replace them."
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
    return sorted(p for p in path.iterdir() if p.is_dir() and not p.name.startswith("."))


def _files(folder):
    def hidden(path):
        return any(part.startswith(".") for part in path.relative_to(folder).parts)

    return sorted(path for path in folder.rglob("*") if path.is_file() and not hidden(path))


def _as_rgb(picture):
    # Pillow would cut greys of more than 8 bits off at 255 instead of scaling them.
    if picture.mode.startswith("I"):
        grey = np.clip(np.asarray(picture), 0, 65_535) // 257
        return Image.fromarray(grey.astype(np.uint8)).convert("RGB")
    if picture.mode == "F":
        raise ValueError("its pixels are floats, of which nobody can tell what is black and white")
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        white = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(white, picture)
    return picture.convert("RGB")
