"""The finished fits of a search, in a file that grows by one line with each.

The first line describes the search, so that no other one is resumed from it.
"""

import json
import os
from pathlib import Path

from ..files._digests import class_digest, digest

try:
    import fcntl
except ImportError:  # on Windows, where two searches at a time are not noticed
    fcntl = None

FORMAT = 5
BEGIN = b'{"journal": "skcifar search", '
SHORT = 30  # characters of a value that an error message shows; a digest has more


class Journal:
    """Results of fits, kept on disk as they come."""

    def __init__(self, path, identity):
        self.path = Path(path)
        self._file = self.path.open("a+b")
        try:
            self._lock()
            header = {"journal": "skcifar search", "format": FORMAT, "search": identity}
            self.results = self._read(header)
        except BaseException:
            self.close()
            raise

    def _lock(self):
        """Raise if another search has the file; the system unlocks it however this one ends."""
        try:
            if fcntl is not None:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise OSError(
                f"Another search is using {self.path}. Wait until it is done, or give another path."
            ) from error
        except OSError:  # of a file system that knows no locks
            return

    def _read(self, header):
        """Return what is there; a last line that was not finished is cut off, a new file begun."""
        self._file.seek(0)
        *lines, torn = self._file.read().split(b"\n")
        if lines or not json.dumps(header).encode().startswith(torn):
            self._check_header(lines[0] if lines else torn, header)
        self._file.truncate(self._file.tell() - len(torn))
        if not lines:
            self.append(header)
        return {line["fit"]: line["result"] for line in map(json.loads, lines[1:])}

    def _check_header(self, line, header):
        """Raise unless the first line is that of this search."""
        if not line.startswith(BEGIN):
            raise ValueError(
                f"{self.path} is not the journal of a search. Give another path, or one"
                " where there is no file yet."
            )
        found = json.loads(line)
        if found["format"] != FORMAT:
            raise ValueError(
                f"{self.path} is a journal of format {found['format']}, but this version of skcifar"
                f" reads format {FORMAT}. Give another path."
            )
        there, here = found["search"], header["search"]
        differing = [name for name in here | there if there.get(name) != here.get(name)]
        if differing:
            listed = ", ".join(_difference(n, there.get(n), here.get(n)) for n in differing)
            raise ValueError(
                f"{self.path} is the journal of another search, which differs in {listed}. Run the"
                " same search to resume it, or give another path to start a new one."
            )

    def append(self, line):
        """Add a line, and wait until it is on the disk."""
        self._file.write(json.dumps(line).encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self):
        """Close the file, and let other searches use it."""
        self._file.close()


def describe(values, listed=frozenset()):
    """Describe values, and all that they are made of, by a text for each of their names.

    Estimators whose ids are in ``listed`` are described by their class: their parameters have
    names of their own.
    """
    described = {}
    for name, value in values.items():
        parts, estimators = {}, listed
        match value:
            case None | bool() | int() | float() | str():
                text = json.dumps(value)
            case list() | tuple() | dict():
                text = type(value).__name__
                items = value.items() if isinstance(value, dict) else enumerate(value)
                parts = {f"{name}[{key!r}]": part for key, part in items}
            case _ if hasattr(value, "get_params") and not isinstance(value, type):
                text = class_digest(type(value))
                if hasattr(value, "keras_settings"):
                    parts = value.keras_settings()  # the same of all estimators
                if id(value) not in listed:
                    params = value.get_params()
                    parts |= {f"{name}__{param}": part for param, part in params.items()}
                    estimators = {id(part) for part in params.values()}
            case _:
                text = digest(value, name=name)
        described |= {name: text} | describe(parts, estimators)
    return described


def _difference(name, there, here):
    """Name what differs, with both values where they can be read at a glance."""
    if there is None or here is None or max(len(there), len(here)) > SHORT:
        return name
    return f"{name} ({there} there, {here} here)"
