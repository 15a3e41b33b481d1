"""Decodes picture files, which may come from anybody.

Pillow reads more formats than are read here. Some run another program (EPS), some hold pictures
whose size shows only when they are decoded (ICO, ICNS, PSD), some are decoded by a slow loop (QOI)
or with many times the memory of the picture (JPEG 2000), some begin with no mark of their own
(TGA). Photographs are hardly ever kept in any of them.
"""

import logging
import os
import sys
import threading
import warnings
from contextlib import contextmanager, nullcontext
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image

from ._archives import DatasetError

FORMATS = ("JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP", "AVIF", "PPM")

# Pixels that are decoded, at 4 bytes of memory and more. A JPEG may have more, up to where Pillow
# itself refuses it (179 million), if its codec can shrink it while it decodes.
MAX_PIXELS = 50_000_000

TIFF_TILE_WIDTH, TIFF_TILE_HEIGHT = 322, 323

UPRIGHT = {  # by the value of the orientation tag
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

_STDERR = threading.Lock()  # whoever silenced it first has to be the last to open it again
logging.getLogger("PIL").addHandler(logging.NullHandler())  # who wants its messages still has them


def decode_picture(path, image_size):
    """Decode a picture file: upright, in red, green and blue.

    A JPEG that is more than twice as large as ``image_size`` is decoded at a fraction of its size
    that is still larger.
    """
    try:
        if not Path(path).is_file() and Path(path).exists():  # a named pipe would be waited for
            raise ValueError("it is no file")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of large pictures and odd metadata
            with Image.open(path, formats=FORMATS) as picture:
                if "progressive" not in picture.info:  # which keeps all coefficients in memory
                    side = max(image_size)  # whichever way up it is
                    picture.draft(None, (side, side))
                _check_size(picture)
                with _silence() if picture.format == "TIFF" else nullcontext():
                    picture.load()
                return _as_rgb(_upright(picture))
    except FileNotFoundError:
        raise DatasetError(f"{path} does not exist.") from None
    except Image.UnidentifiedImageError:
        raise DatasetError(
            f"{path} cannot be read as a picture: it is of no known format. Give a picture file"
            f" ({', '.join(FORMATS)})."
        ) from None
    except Exception as error:  # Pillow's plugins raise nearly anything on a damaged file
        raise DatasetError(
            f"{path} cannot be read as a picture ({error or type(error).__name__}). Give a whole"
            " picture file."
        ) from error


def _check_size(picture):
    """Raise if there are more pixels to decode than may be."""
    width, height = picture.size
    if picture.format == "TIFF":  # a small picture may be cut from tiles that are large
        width = max(width, picture.tag_v2.get(TIFF_TILE_WIDTH, 0))
        height = max(height, picture.tag_v2.get(TIFF_TILE_HEIGHT, 0))
    if width * height > MAX_PIXELS:
        n_pixels = width * height
        raise ValueError(f"it has {n_pixels:,} pixels, and {MAX_PIXELS:,} at most can be read")


def _upright(picture):
    """Turn a picture as its orientation tag says, if that can be read."""
    try:
        orientation = picture.getexif().get(ExifTags.Base.Orientation)
    except Exception:  # damaged metadata costs no picture
        orientation = None
    turn = UPRIGHT.get(orientation) if isinstance(orientation, int) else None
    return picture if turn is None else picture.transpose(turn)


@contextmanager
def _silence():
    """Keep from the screen what libtiff says of a damaged file, by way of no Python."""
    if sys.__stderr__ is None:  # there is no screen, and 2 may be any file
        yield
        return
    with _STDERR, Path(os.devnull).open("wb") as nowhere:
        stderr = os.dup(2)
        os.dup2(nowhere.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)


def _as_rgb(picture):
    # Pillow would cut greys of more than 8 bits off at 255 instead of scaling them.
    if picture.mode.startswith("I"):
        grey = np.clip(np.asarray(picture), 0, 65_535) // 257
        return Image.fromarray(grey.astype(np.uint8)).convert("RGB")
    if picture.mode == "F":
        raise ValueError("its pixels are floats, whose black and white are not known")
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        white = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(white, picture)
    return picture if picture.mode == "RGB" else picture.convert("RGB")
