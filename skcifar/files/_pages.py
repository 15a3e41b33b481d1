"""Pages in HTML that hold all that they show: the name of the file, pictures, templates."""

import base64

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ._atomic import replacing

SUFFIXES = (".html", ".htm")


def check_page_name(path):
    """Raise unless a path may become that of a page."""
    if path.suffix.lower() not in SUFFIXES or path.is_dir():
        raise ValueError(f"The page must be a file named *.html, got {str(path)!r}.")


def png_uri(content):
    """Return a PNG file's bytes as an address that holds them."""
    return f"data:image/png;base64,{base64.b64encode(content).decode()}"


def read_template(path):
    """Return a template that escapes all that it is filled with."""
    environment = Environment(
        loader=FileSystemLoader(path.parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(path.name)


def write_page(path, html):
    """Write a page, whole or not at all."""
    with replacing(path) as unfinished:
        unfinished.write_text(html, encoding="utf-8")
