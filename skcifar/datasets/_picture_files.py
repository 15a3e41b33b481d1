"""Decodes picture files of strangers, and none that would take too much memory or time.

Pillow reads more formats than are read here. Some run another program (EPS), some hold pictures
whose size shows only when they are decoded (ICO, ICNS, PSD), some are decoded by a slow loop (QOI)
or with many times the memory of the picture (JPEG 2000), some begin with no mark of their own
(TGA). Photographs are hardly ever kept in any of them.
"""

import io
import logging
import os
import re
import struct
import sys
import threading
import warnings
from contextlib import contextmanager, nullcontext
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from ._archives import DatasetError

FORMATS = ("JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP", "AVIF", "PPM")

# What decoding may take: 40 million pixels of 4 bytes, which is what Pillow keeps of a picture.
MAX_DECODING_BYTES = 160_000_000
DECODING_BYTES_PER_PIXEL = {
    "WEBP": 12,  # decoded as a whole by its library before Pillow gets anything,
    "AVIF": 12,
    "TIFF": 12,  # strip by strip, of which one of 16 bits a colour may be the whole
    "ppm_plain": 400,  # text: here it is time that runs out, about a second for so many pixels
}

# What beside pixels is read, and in how many pieces: descriptions, thumbnails and colour profiles
# stay far below. Who makes Pillow read more wants it to spend memory and time on nothing.
MAX_FILE_BYTES = 2**27
MAX_BYTES_AT_ONCE = 2**25  # of formats that are decoded as a whole
MAX_EXTRA_BYTES = 6_000_000
MAX_HEADER_PIECES = 2**14
MAX_PIECES = 400_000
TEXT_CHUNKS = (b"tEXt", b"zTXt", b"iTXt")
TEXT_BYTES = 2**18  # a text in a PNG counts as so much more: it may be packed, to a thousandth

# A progressive JPEG comes in about ten scans of two segments each. Each scan takes a few bytes and
# goes over all pixels, so that thousands of them would keep a small file busy for minutes.
MAX_SEGMENTS = 64
_SEGMENT = re.compile(rb"\xff([^\x00\xd0-\xd7\xff])")  # neither data nor a restart within them
_END_OF_IMAGE = b"\xd9"

TIFF_TILE_WIDTH, TIFF_TILE_HEIGHT = 322, 323

_STDERR = threading.Lock()  # whoever silenced it first has to be the last to open it again
logging.getLogger("PIL").addHandler(logging.NullHandler())  # who wants its messages still has them


def decode_picture(path):
    """Decode a picture file: upright, in red, green and blue.

    Parameters
    ----------
    path : str or path-like
        The file.

    Returns
    -------
    picture : PIL.Image.Image
        JPEGs that are too large are at half their width and height.

    Raises
    ------
    DatasetError
        If there is no such file, or it is no picture, or one that takes too much to decode.
    """
    try:
        _check_is_file(path)
        with warnings.catch_warnings(), _RationedFile(path) as file:
            warnings.simplefilter("ignore")  # an error will tell what is too large or damaged
            with Image.open(file, formats=FORMATS) as picture:
                _check_size(picture, file)
                file.end_header()
                with _silence() if picture.format == "TIFF" else nullcontext():
                    picture.load()
                ImageOps.exif_transpose(picture, in_place=True)
                return _as_rgb(picture)
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


class _RationedFile(io.BufferedReader):
    """A file that gives up where more of it is read, or in more pieces, than a picture takes."""

    def __init__(self, path):
        super().__init__(io.FileIO(path))
        self.in_header = True
        self.pieces_left = MAX_HEADER_PIECES
        self.extra_bytes_left = MAX_EXTRA_BYTES

    def end_header(self):
        self.in_header = False
        self.pieces_left = MAX_PIECES

    def read(self, size=-1):
        if size is None or size < 0:
            return self._read_at_once()
        piece = super().read(size)
        self.pieces_left -= 1
        if self.in_header:
            self.extra_bytes_left -= len(piece)
        if size == 8:  # so a PNG's chunk begins, which costs Pillow more than other pieces
            self.pieces_left -= 3
            self.extra_bytes_left -= _extra_bytes_of_png(piece)
        if self.pieces_left < 0 or self.extra_bytes_left < 0:
            raise ValueError("it holds more beside its pixels than any picture needs")
        return piece

    def read_rest(self):
        return super().read()

    def _read_at_once(self):
        content = super().read(MAX_BYTES_AT_ONCE + 1)
        if len(content) > MAX_BYTES_AT_ONCE:
            raise ValueError(f"files of its format may have {MAX_BYTES_AT_ONCE:,} bytes at most")
        return content


def _extra_bytes_of_png(piece):
    """Return how many bytes a PNG's chunk, told by its first 8 bytes, keeps beside pixels."""
    n_bytes, name = int.from_bytes(piece[:4]), piece[4:]
    if name in TEXT_CHUNKS:
        return n_bytes + TEXT_BYTES
    is_private = name[1:2].islower() and name != b"fdAT"  # which is a frame of an animation
    return n_bytes if is_private else 0


def _check_is_file(path):
    path = Path(path)
    size = path.stat().st_size
    if not path.is_file():  # a named pipe would be waited for
        raise ValueError("it is no file")
    if size > MAX_FILE_BYTES:
        raise ValueError(f"it has {size:,} bytes, and a picture at most {MAX_FILE_BYTES:,}")


def _check_size(picture, file):
    """Raise if decoding takes too much; have a JPEG decoded at half its size if that helps."""
    width, height = picture.size
    if picture.format == "TIFF":  # a small picture may be cut from tiles that are large
        width = max(width, picture.tag_v2.get(TIFF_TILE_WIDTH, 0))
        height = max(height, picture.tag_v2.get(TIFF_TILE_HEIGHT, 0))
    n_pixels = width * height
    in_scans = picture.format in ("JPEG", "MPO") and not _has_one_scan(picture, file)
    if in_scans:
        _check_scans(file)
    codec = picture.tile[0][0] if picture.tile else None  # WebP's is known only when it is decoded
    at_most = MAX_DECODING_BYTES // (
        2 * len(picture.getbands())  # all coefficients are kept until the last scan is there
        if in_scans
        else DECODING_BYTES_PER_PIXEL.get(codec, DECODING_BYTES_PER_PIXEL.get(picture.format, 4))
    )
    if n_pixels > at_most and codec == "jpeg" and not in_scans:
        picture.draft(None, (width // 2, height // 2))
        at_most *= 4
    if n_pixels > at_most:
        raise ValueError(f"it has {n_pixels:,} pixels, and {at_most:,} at most can be read")


def _has_one_scan(jpeg, file):
    """Tell whether a JPEG is decoded as it is read. Pillow has read its first scan's header."""
    n_bytes = 6 + 2 * jpeg.layers
    file.seek(-n_bytes, os.SEEK_CUR)
    header = file.read(n_bytes)
    of_all_colours = header.startswith(struct.pack(">HB", n_bytes, jpeg.layers))
    return of_all_colours and "progressive" not in jpeg.info


def _check_scans(file):
    """Raise if what follows the first scan's header are more segments than a JPEG needs."""
    content = file.read_rest()
    position = 0
    for _ in range(MAX_SEGMENTS):
        segment = _SEGMENT.search(content, position)
        if segment is None or segment[1] == _END_OF_IMAGE:
            return
        n_bytes = int.from_bytes(content[segment.end() : segment.end() + 2])
        position = segment.end() + n_bytes
    raise ValueError(f"it has more than {MAX_SEGMENTS} segments, which no picture needs")


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
        raise ValueError("its pixels are floats, of which nobody can tell what is black and white")
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        white = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(white, picture)
    return picture if picture.mode == "RGB" else picture.convert("RGB")
