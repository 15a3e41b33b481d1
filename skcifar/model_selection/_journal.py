"""The finished fits of a search, in a file that grows by one line with each.

The first line describes the search, so that no other one is resumed from it.
"""

import functools
import json
import os
from pathlib import Path

import joblib
import numpy as np

try:
    import fcntl
except ImportError:  # on Windows, where two searches at a time are not noticed
    fcntl = None

FORMAT = {"journal": "skcifar search", "format": 3}
SHORT = 60  # characters of a value that an error message shows


class Journal:
    """Results of fits, kept on disk as they come; a context manager that closes the file."""

    def __init__(self, path, identity):
        self.path = Path(path)
        self._file = self.path.open("a+b")
        try:
            self._lock()
            self._read(FORMAT | {"search": identity})
        except BaseException:
            self._file.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self._file.close()

    def find(self, key):
        """Return the result of an earlier fit, or None."""
        return self._results.get(text_of(key))

    def append(self, key, result):
        """Add a line, and wait until it is on the disk."""
        self._write({"key": key, "result": result})

    def _write(self, line):
        self._file.write(json.dumps(line).encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())

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
        """Read what is there, cut off a last line that was not finished, and begin a new file."""
        self._file.seek(0)
        first, *lines = self._file.read().split(b"\n")
        if lines:
            self._check_header(first, header)
            torn = lines.pop()
        elif json.dumps(header).encode().startswith(first):
            torn = first
        else:
            raise self._not_a_journal()
        found = map(json.loads, lines)
        self._results = {text_of(line["key"]): line["result"] for line in found}
        self._file.truncate(self._file.tell() - len(torn))
        if torn is first:
            self._write(header)

    def _check_header(self, line, header):
        """Raise unless the first line is that of this search."""
        try:
            found = json.loads(line)
        except ValueError:
            found = None
        if not isinstance(found, dict) or found.get("journal") != FORMAT["journal"]:
            raise self._not_a_journal()
        if found["format"] != FORMAT["format"]:
            raise ValueError(
                f"{self.path} is a journal of format {found['format']}, this version of skcifar"
                f" reads format {FORMAT['format']}. Give another path."
            )
        differing = list(_differences(found["search"], header["search"]))
        if differing:
            raise ValueError(
                f"{self.path} is the journal of another search, which differs in"
                f" {', '.join(differing)}. Give the same search to go on with it, or another path"
                " to begin a new one."
            )

    def _not_a_journal(self):
        return ValueError(
            f"{self.path} is not a journal that a search has written. Give another path, or one"
            " where no file is yet."
        )


def digest(value, *, name="data"):
    """Return a text that is another for other values; arrays are equal in any order of memory."""
    hashed = (value.ravel(), value.shape) if isinstance(value, np.ndarray) else value
    try:
        return joblib.hash(hashed, coerce_mmap=True)
    except Exception as error:  # pickling raises in many ways
        raise ValueError(
            f"{name} cannot be distinguished in a journal: a {type(value).__qualname__} cannot be"
            f" pickled ({' '.join(str(error).split())}). Give what can be, such as a function that"
            " is defined by name at the top of a module, or leave out the journal."
        ) from error


def plain(value, *, name, described=()):
    """Describe a value in JSON; of estimators whose ids are in ``described``, the class is enough.

    Only what JSON cannot hold is a digest, so that an error message can show the rest.
    """
    within = functools.partial(plain, name=name, described=described)
    match value:
        case None | bool() | int() | float() | str():
            return value
        case list() | tuple():
            return [type(value).__name__, *map(within, value)]
        case dict():
            return sorted(([within(k), within(v)] for k, v in value.items()), key=text_of)
    if id(value) in described:
        return class_name(value)
    if hasattr(value, "get_params") and not isinstance(value, type):
        return [class_name(value), describe(value, name=name)]
    return {"digest": digest(value, name=name)}


def describe(estimator, *, name="estimator"):
    """Describe the parameters of an estimator and of those within it, by their names."""
    params = estimator.get_params()
    described = {id(value) for value in params.values() if hasattr(value, "get_params")}
    return {n: plain(v, name=f"{name} {n}", described=described) for n, v in params.items()}


def class_name(thing):
    """Return the full name of an object's class."""
    return f"{type(thing).__module__}.{type(thing).__qualname__}"


def text_of(value):
    """Return the JSON of a value, in which equal ones are equal, NaN too."""
    return json.dumps(value, sort_keys=True)


def _differences(there, here):
    """Name what differs, with both values where they can be read at a glance."""
    for name in {**here, **there}:
        values = [text_of(which.get(name)) for which in (there, here)]
        if values[0] != values[1]:
            readable = max(map(len, values)) <= SHORT and "digest" not in "".join(values)
            yield f"{name} ({values[0]} there, {values[1]} here)" if readable else name
