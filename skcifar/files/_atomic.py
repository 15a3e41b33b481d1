"""Files that are written whole or not at all."""

import csv
import glob
import json
import math
import os
import secrets
from contextlib import contextmanager


@contextmanager
def replacing(path):
    """Give a path to write to, which takes the place of ``path`` only when all went well."""
    if not path.parent.is_dir():
        raise FileNotFoundError(f"{path} cannot be written: there is no folder {path.parent}.")
    unfinished = path.with_name(f".{path.stem}-{secrets.token_hex(4)}{path.suffix}")
    unfinished.touch(exist_ok=False)  # with the rights that new files have here
    try:
        yield unfinished
        with unfinished.open("r+b") as file:  # Windows syncs only what may be written
            os.fsync(file.fileno())  # or a power cut may leave the new name with nothing in it
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def remove_unfinished(path):
    """Remove what a process left that was killed while it wrote a file."""
    for unfinished in path.parent.glob(f".{glob.escape(path.stem)}-????????{path.suffix}"):
        unfinished.unlink(missing_ok=True)


def write_json(path, content):
    """Write a JSON file, whole or not at all."""
    text = json.dumps(_only_finite(content), indent=2, allow_nan=False) + "\n"
    with replacing(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8")


def write_csv(path, rows):
    """Write a CSV file, whole or not at all; names that are no text as the bytes that they are."""
    options = {"newline": "", "encoding": "utf-8", "errors": "surrogateescape"}
    with replacing(path) as unfinished, unfinished.open("w", **options) as file:
        csv.writer(file).writerows(rows)


def _only_finite(value):
    match value:
        case float():
            return value if math.isfinite(value) else None
        case list() | tuple():
            return [_only_finite(v) for v in value]
        case dict():
            return {k: _only_finite(v) for k, v in value.items()}
    return value
