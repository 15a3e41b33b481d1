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
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from pathlib import Path

import joblib
import numpy as np
from PIL import ExifTags, Image, ImageOps

from ._archives import DatasetError

FORMATS = ("JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP", "AVIF", "PPM")
RESIZE = ("crop", "pad", "stretch")

# Pixels that are decoded, at 4 bytes of memory and more. A JPEG may have more, up to where Pillow
# itself refuses it (179 million), if its codec can shrink it while it decodes.
MAX_PIXELS = 50_000_000

LARGE = 16_000_000  # pixels of pictures that threads decode one at a time, for want of memory

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

_LARGE = threading.Lock()
_STDERR = threading.Lock()  # whoever silenced it first has to be the last to open it again
logging.getLogger("PIL").addHandler(logging.NullHandler())  # who wants its messages still has them


def decode_resized(source, image_size, *, resize="crop", n_channels=3):
    """Decode a picture file, a Pillow image or an array: upright, of a given size, as bytes."""
    with _no_warnings():
        return _decode(source, (*image_size, n_channels), resize)[0]


def decode_all(sources, out, *, resize="crop", on_done=lambda n_done: None):
    """Decode pictures into an array; return the size that each had, and by row why some failed."""
    sizes, unreadable = np.zeros((len(sources), 2), dtype=np.int64), {}

    def decode(row):
        try:
            out[row], sizes[row] = _decode(sources[row], out.shape[1:], resize)
        except DatasetError as error:
            unreadable[row] = error.reason

    with _no_warnings(), ThreadPoolExecutor(joblib.cpu_count()) as pool:
        try:
            for n_done, _ in enumerate(pool.map(decode, range(len(sources))), start=1):
                on_done(n_done)
        except BaseException:  # an interrupt, above all
            pool.shutdown(cancel_futures=True)
            raise
    return sizes, dict(sorted(unreadable.items()))


@contextmanager
def _no_warnings():
    """Keep quiet of large pictures and odd metadata; the filters are one for all threads."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _decode(source, shape, resize):
    """Return a picture as it is to be, and the height and width that it had."""
    height, width, n_channels = shape
    if isinstance(source, np.ndarray):
        source = Image.fromarray(source[..., 0] if source.shape[2:] == (1,) else source)
    with (
        _damage_explained(source),
        nullcontext(source) if isinstance(source, Image.Image) else _opened(source) as picture,
    ):
        size = picture.height, picture.width
        if picture is not source and "progressive" not in picture.info:
            # whichever way up it is, with pixels left to be averaged: JPEG's own halving is coarse
            side = 3 * max(height, width)
            picture.draft(None, (side, side))  # a progressive one is kept whole all the same
        n_pixels = _checked_size(picture)
        with (
            _LARGE if n_pixels > LARGE else nullcontext(),
            _silence() if picture.format == "TIFF" else nullcontext(),
        ):
            picture.load()
            picture = _resized(_as_rgb(_upright(picture)), (width, height), resize)
    if n_channels == 1:
        picture = picture.convert("L")
    return np.asarray(picture).reshape(shape), size


def _opened(path):
    if not Path(path).is_file() and Path(path).exists():  # a named pipe would be waited for
        raise ValueError("it is not a file")
    return Image.open(path, formats=FORMATS)


@contextmanager
def _damage_explained(source):
    """Turn whatever reading a damaged file raises into one kind of error that names the file."""
    try:
        yield
    except FileNotFoundError:
        raise _unreadable(source, "it does not exist") from None
    except Image.UnidentifiedImageError:
        raise _unreadable(source, "its format is unknown") from None
    except Image.DecompressionBombError:
        limit = 2 * Image.MAX_IMAGE_PIXELS
        raise _unreadable(source, f"it has more than {limit:,} pixels: make it smaller") from None
    except Exception as error:  # Pillow's plugins raise nearly anything on a damaged file
        reason = getattr(error, "strerror", None) or error or type(error).__name__
        raise _unreadable(source, str(reason)) from error


def _unreadable(source, reason):
    error = DatasetError(
        f"{source} cannot be read as a picture ({reason}). Give a whole picture file"
        f" ({', '.join(FORMATS)})."
    )
    error.reason = reason
    return error


def _checked_size(picture):
    """Return the number of pixels to decode, or raise if it is more than may be."""
    width, height = picture.size
    if picture.format == "TIFF":  # a small picture may be cut from tiles that are large
        width = max(width, picture.tag_v2.get(TIFF_TILE_WIDTH, 0))
        height = max(height, picture.tag_v2.get(TIFF_TILE_HEIGHT, 0))
    n_pixels = width * height
    if n_pixels > MAX_PIXELS:
        raise ValueError(
            f"it has {n_pixels:,} pixels, but at most {MAX_PIXELS:,} can be read: make it smaller"
        )
    return n_pixels


def _resized(picture, size, resize):
    """Bring a picture to a size by cutting off, by black margins, or out of its proportions."""
    if resize == "crop":
        return ImageOps.fit(picture, size, Image.Resampling.BICUBIC)
    if resize == "stretch":
        return picture.resize(size, Image.Resampling.BICUBIC)
    scale = min(size[0] / picture.width, size[1] / picture.height)
    inner = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
    padded = Image.new(picture.mode, size)
    corner = (size[0] - inner[0]) // 2, (size[1] - inner[1]) // 2
    padded.paste(picture.resize(inner, Image.Resampling.BICUBIC), corner)
    return padded


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
