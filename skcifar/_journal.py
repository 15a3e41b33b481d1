"""What a search has found so far, in a file that grows by one line with each finished fit.

The first line tells which search it is, so that no other goes on with it.
"""

import functools
import json
import os
from pathlib import Path
from types import BuiltinFunctionType, FunctionType

import joblib
import numpy as np

FORMAT = {"journal": "skcifar search", "format": 1}
SHORT = 60  # characters of a value that an error message tells


class Journal:
    """Lines of finished cells, kept on disk as they come.

    Used as a context manager, which closes the file.

    Parameters
    ----------
    path : str or path-like
        The file. One that exists is gone on with.

    identity : dict of str to object
        What makes this search this one, in values that JSON knows.

    Raises
    ------
    ValueError
        If the file is no journal, a damaged one, or that of another search.
    """

    def __init__(self, path, identity):
        self.path = Path(path)
        header = FORMAT | {"search": identity}
        content = self.path.read_bytes() if self.path.exists() else b""
        end = content.rfind(b"\n") + 1  # what follows was cut off while it was written
        if not end and not json.dumps(header).encode().startswith(content):
            raise self._not_a_journal()
        texts = content[:end].split(b"\n")[:-1]
        lines = [self._parse(number, text) for number, text in enumerate(texts, start=1)]
        if lines:
            self._check_header(lines[0], header)
        self._cells = {_text(line["key"]): line["cell"] for line in lines[1:]}
        self._file = self.path.open("ab")
        self._file.truncate(end)
        if not lines:
            self._write(header)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self._file.close()

    def find(self, key):
        """Look up what an earlier search found.

        Parameters
        ----------
        key : dict
            Which cell, in values that JSON knows.

        Returns
        -------
        cell : dict or None
            What came out, if it is there.
        """
        return self._cells.get(_text(key))

    def append(self, key, cell):
        """Add a line, and see that it is on the disk.

        Parameters
        ----------
        key : dict
            Which cell, in values that JSON knows.

        cell : dict
            What came out, in values that JSON knows.
        """
        self._write({"key": key, "cell": cell})

    def _write(self, line):
        self._file.write(json.dumps(line).encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def _parse(self, number, text):
        try:
            line = json.loads(text)
        except ValueError:
            line = None
        if number == 1 and (not isinstance(line, dict) or "journal" not in line):
            raise self._not_a_journal()
        if number > 1 and (not isinstance(line, dict) or line.keys() != {"key", "cell"}):
            raise ValueError(
                f"Line {number} of {self.path} is damaged. Delete that line, whose fit is then done"
                " again, or give another journal."
            )
        return line

    def _check_header(self, found, header):
        if {name: found.get(name) for name in FORMAT} != FORMAT:
            raise ValueError(
                f"{self.path} is a journal of format {found.get('format')!r}, this version of"
                f" skcifar knows format {FORMAT['format']}. Give another path."
            )
        # compared as text, since NaN does not equal NaN
        there, here = (
            {name: _text(value) for name, value in which["search"].items()}
            for which in (found, header)
        )
        differing = [n for n in {**here, **there} if there.get(n) != here.get(n)]
        if differing:
            told = ", ".join(_difference(n, there.get(n), here.get(n)) for n in differing)
            raise ValueError(
                f"{self.path} is the journal of another search, which differs in {told}. Give the"
                " same search to go on with it, or another path to begin a new one."
            )

    def _not_a_journal(self):
        return ValueError(
            f"{self.path} is not a journal that a search has written. Give another path, or one"
            " where no file is yet."
        )


def digest(data):
    """Tell data by a short text, which is another for other data.

    Parameters
    ----------
    data : object
        Arrays, data frames, lists of them and the like.

    Returns
    -------
    digest : str
    """
    return joblib.hash(data)


def plain(value, *, known=()):
    """Describe a value in what JSON knows, alike in every process.

    Parameters
    ----------
    value : object
        A parameter's value.

    known : collection of int
        Ids of estimators of which the class is enough, as their parameters are told elsewhere.

    Returns
    -------
    described : None, bool, int, float, str, list or dict
    """
    within = functools.partial(plain, known=known)
    match value:
        case None | bool() | int() | float() | str():
            return value
        case np.generic():
            return plain(value.item())
        case list():
            return [within(v) for v in value]
        case tuple():
            return {"tuple": [within(v) for v in value]}
        case dict():
            return {"dict": [[within(k), within(v)] for k, v in value.items()]}
        case type() | FunctionType() | BuiltinFunctionType():
            return {"name": f"{value.__module__}.{value.__qualname__}"}
        case functools.partial():
            return {"partial": [within(v) for v in (value.func, value.args, value.keywords)]}
    described = {"class": f"{type(value).__module__}.{type(value).__qualname__}"}
    if hasattr(value, "get_params"):
        return described if id(value) in known else described | {"params": describe(value)}
    try:
        return described | {"digest": digest(value)}
    except Exception:  # what cannot be pickled, which says so in many ways
        return described


def describe(estimator):
    """Describe an estimator's parameters and those of the estimators within it.

    Parameters
    ----------
    estimator : estimator instance
        Anything with ``get_params``.

    Returns
    -------
    params : dict of str to object
        By name, as in ``get_params(deep=True)``.
    """
    params = estimator.get_params()
    known = {id(value) for value in params.values() if hasattr(value, "get_params")}
    return {name: plain(value, known=known) for name, value in params.items()}


def _text(value):
    return json.dumps(value, sort_keys=True)


def _difference(name, there, here):
    """Name what differs, with both values where they can be read at a glance."""
    if there is None or here is None or max(len(there), len(here)) > SHORT or "digest" in here:
        return name
    return f"{name} ({there} there, {here} here)"
