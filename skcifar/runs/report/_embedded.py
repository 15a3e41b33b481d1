"""Pictures as they are put into a page: whole, inside of it, and described in words."""

import io
from typing import NamedTuple

from PIL import Image

from ...files._pages import png_uri
from .._pictures import COMPARISON, EVALUATION, RUN, SEARCH


class Embedded(NamedTuple):
    """A picture as a page holds it."""

    name: str
    alt: str
    caption: str
    uri: str
    width: int
    height: int


def read_pictures(folder, expected, notes):
    """Read the expected PNG files of a folder, then a user's own but hidden ones."""
    # an earlier command of another kind may have left some of them
    of_commands = RUN | EVALUATION | COMPARISON | SEARCH
    names = sorted(path.name for path in folder.path.glob("[!.]*.png"))
    texts = {name: (picture.alt, picture.caption) for name, picture in expected.items()}
    texts |= {name: (f"The picture {name}", name) for name in names if name not in of_commands}
    pictures = []
    for name, (alt, caption) in texts.items():
        if embedded := folder.read(name, _embed):
            caption = " ".join(filter(None, [caption, notes.get(name)]))
            pictures.append(Embedded(name, alt, caption, *embedded))
    return pictures


def _embed(content):
    """Return a PNG file's bytes as an address that holds them, its width and its height."""
    try:
        with Image.open(io.BytesIO(content), formats=["PNG"]) as picture:
            width, height = picture.size
    except Image.UnidentifiedImageError:
        raise ValueError("it is not a PNG picture") from None
    return png_uri(content), width, height
