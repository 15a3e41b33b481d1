"""Pictures as they are put into a page: whole, inside of it, and told in words."""

import base64
import io
import warnings
from typing import NamedTuple

from PIL import Image


class Picture(NamedTuple):
    """A picture with what its file does not tell."""

    name: str
    alt: str
    caption: str
    uri: str
    width: int
    height: int


def read_pictures(folder, expected):
    """Read all PNG files of a folder but hidden ones, which others may be writing."""
    names = sorted(path.name for path in folder.path.glob("*.png"))
    told = {name: (f"The picture {name}", "") for name in names if not name.startswith(".")}
    pictures = []
    for name, (alt, caption) in (expected | told | expected).items():
        if read := folder.read(name, parse_picture):
            pictures.append(Picture(name, alt, caption, *read))
    return pictures


def parse_picture(content):
    """Return a PNG file's bytes as an address that holds them, its width and its height."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content), formats=["PNG"]) as picture:
                picture.load()
                width, height = picture.size
    except Image.UnidentifiedImageError:
        raise ValueError("it is not a PNG picture") from None
    except Exception as error:  # Pillow raises nearly anything on a damaged file
        raise ValueError(error) from error
    uri = f"data:image/png;base64,{base64.b64encode(content).decode('ascii')}"
    return uri, width, height
