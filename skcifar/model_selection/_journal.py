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

try:
    import fcntl
except ImportError:  # on Windows
    fcntl = None

FORMAT = {"journal": "skcifar search", "format": 1}
SHORT = 60  # characters of a value that an error message tells
LOCKED_BYTE = 2**30  # on Windows, where nobody can read what is locked; far behind the last line


class Journal:
    """Lines of finished cells, kept on disk as they come.

    Used as a context manager, which closes the file. Until then no other search can use it.

    Parameters
    ----------
    path : str or path-like
        The file. One that exists is gone on with.

    identity : dict of str to object
        What makes this search this one, in values that JSON knows.

    Raises
    ------
    OSError
        If another search is using the file, or it cannot be written.

    ValueError
        If the file is no journal, a damaged one, or that of another search.
    """

    def __init__(self, path, identity):
        self.path = Path(path)
        self._file = self.path.open("a+b")
        try:
            self._lock()
            self._begin(FORMAT | {"search": identity})
        except BaseException:
            self._file.close()
            raise

    def _lock(self):
        """Keep other searches away; the system lets go when the file is closed or we crash."""
        try:
            if fcntl is not None:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            else:
                import msvcrt

                self._file.seek(LOCKED_BYTE)
                msvcrt.locking(self._file.fileno(), msvcrt.LK_NBLCK, 1)
        except (BlockingIOError, PermissionError) as error:  # as POSIX and Windows say it
            raise OSError(
                f"Another search is using {self.path}. Wait until it is done, or give another path."
            ) from error
        except OSError:  # of a file system that knows no locks
            return

    def _begin(self, header):
        self._file.seek(0)
        content = self._file.read()
        end = content.rfind(b"\n") + 1  # what follows was cut off while it was written
        if not end and not json.dumps(header).encode().startswith(content):
            raise self._not_a_journal()
        texts = content[:end].split(b"\n")[:-1]
        lines = [self._parse(number, text) for number, text in enumerate(texts, start=1)]
        if lines:
            self._check_header(lines[0], header)
        self._cells = {_text(line["key"]): line["cell"] for line in lines[1:]}
        if end < len(content):
            self._file.truncate(end)
        if not lines:
            self._write(header)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self._file.close()

    def check_keys(self, keys):
        """Raise if two cells of a search could be taken for each other.

        Parameters
        ----------
        keys : list of dict
            Of all of them, each with its ``params``.

        Raises
        ------
        ValueError
            If two are the same.
        """
        seen = set()
        for key in keys:
            text = _text(key)
            if text in seen:
                raise ValueError(
                    f"Two candidates cannot be told apart in a journal: {_text(key['params'])} is"
                    " there twice. Leave one of them out, or, if they are not the same, give"
                    " functions and classes of different names at the top of a module."
                )
            seen.add(text)

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
        if number == 1 and not (
            isinstance(line, dict) and "journal" in line and isinstance(line.get("search"), dict)
        ):
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


def digest(data, *, name="data"):
    """Tell data by a short text, which is another for other data.

    Parameters
    ----------
    data : object
        Arrays, data frames, lists of them and the like. How they lie in memory does not matter.

    name : str, default="data"
        What an error message calls them.

    Returns
    -------
    digest : str

    Raises
    ------
    ValueError
        If it cannot be told by its content, as it cannot be pickled.
    """
    try:
        return joblib.hash(_laid_out(data), coerce_mmap=True)
    except Exception as error:  # pickling says so in many ways
        raise ValueError(
            f"{name} cannot be told apart in a journal: a {type(data).__qualname__} cannot be"
            f" pickled ({' '.join(str(error).split())}). Give what can be, such as a function that"
            " is defined by name at the top of a module, or leave out the journal."
        ) from error


def plain(value, *, name, known=()):
    """Describe a value in what JSON knows, alike in every process.

    Parameters
    ----------
    value : object
        A parameter's value.

    name : str
        What an error message calls it.

    known : collection of int
        Ids of estimators of which the class is enough, as their parameters are told elsewhere.

    Returns
    -------
    described : None, bool, int, float, str, list or dict

    Raises
    ------
    ValueError
        If other values would be described alike, such as another lambda.
    """
    within = functools.partial(plain, name=name, known=known)
    match value:
        case None | bool() | int() | float() | str():
            return value
        case np.generic():
            return within(value.item())
        case list():
            return [within(v) for v in value]
        case tuple():
            return {"tuple": [within(v) for v in value]}
        case dict():
            entries = [[within(k), within(v)] for k, v in value.items()]
            return {"dict": sorted(entries, key=_text)}
        case type() | FunctionType() | BuiltinFunctionType():
            return {"name": _name_of(value, name)}
        case functools.partial():
            return {"partial": [within(v) for v in (value.func, value.args, value.keywords)]}
    described = {"class": _name_of(type(value), name)}
    if hasattr(value, "get_params"):
        told = {} if id(value) in known else {"params": describe(value, name=name)}
        return described | told
    return described | {"digest": digest(value, name=name)}


def describe(estimator, *, name="estimator"):
    """Describe an estimator's parameters and those of the estimators within it.

    Parameters
    ----------
    estimator : estimator instance
        Anything with ``get_params``.

    name : str, default="estimator"
        What an error message calls it.

    Returns
    -------
    params : dict of str to object
        By name, as in ``get_params(deep=True)``.
    """
    params = estimator.get_params()
    known = {id(value) for value in params.values() if hasattr(value, "get_params")}
    return {n: plain(v, name=f"{name} {n}", known=known) for n, v in params.items()}


def _laid_out(data):
    """Return the same data with its arrays in one order, which their hash depends on."""
    match data:
        case np.ndarray():
            # flat, as axes of length 1 may have any stride
            return [data.reshape(-1, order="C"), data.shape]
        case dict():
            return {key: _laid_out(value) for key, value in data.items()}
        case list() | tuple():
            return [type(data).__name__, *map(_laid_out, data)]
    return data


def _name_of(thing, name):
    told = f"{thing.__module__}.{thing.__qualname__}"
    if "<" in told:  # all lambdas have one name, and so do functions from within one function
        raise ValueError(
            f"{name} cannot be told apart in a journal: other code may be called {told} too. Give"
            " what is defined by name at the top of a module, or leave out the journal."
        )
    return told


def _text(value):
    return json.dumps(value, sort_keys=True)


def _difference(name, there, here):
    """Name what differs, with both values where they can be read at a glance."""
    if there is None or here is None or max(len(there), len(here)) > SHORT or "digest" in here:
        return name
    return f"{name} ({there} there, {here} here)"
