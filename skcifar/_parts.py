"""Files of named parts, arrays and a description, which may come from anybody.

Outside, such a file is one of safetensors: a header in JSON, then the numbers of all arrays. The
description is a JSON text in the header's metadata, beside the SHA-256 of each part. These tell
damage, not origin: whoever makes a file can make its checksums. So nothing that a file says is
executed, made a path of, or given memory before it was checked.
"""

import hashlib
import json
import math
import re
from contextlib import contextmanager
from numbers import Integral

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

FORMAT = 2

# What a reader spends at most. A header of this size is parsed in a tenth of a second and 100 MB.
MOST_HEADER_BYTES = 4 * 2**20
MOST_FILE_BYTES = 4 * 2**30
MOST_CHARACTERS = 2**22  # of an array of text, whose every entry takes as many as the longest

DTYPES = {
    np.dtype(name).str: np.dtype(name)
    for name in (
        *("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
        *("float16", "float32", "float64"),
    )
}
NAMES_IN_FILES = {
    **{f"{kind}{bits}": f"{word}{bits}" for kind, word in (("I", "int"), ("U", "uint"))
       for bits in (8, 16, 32, 64)},
    **{"BOOL": "bool", "F16": "float16", "F32": "float32", "F64": "float64"},
}  # fmt: skip


class ModelFileError(ValueError):
    """A model file or a checkpoint cannot be read or written; the message names it."""


def write_parts(path, description, arrays):
    """Write a file of parts.

    Parameters
    ----------
    path : pathlib.Path
        The file to be made, best in :func:`replacing`.

    description : dict
        With ``format`` and ``kind``, in types that JSON knows.

    arrays : dict of str to ndarray
        Of booleans, integers or floats.

    Raises
    ------
    ModelFileError
        If it would be too large to be read.
    """
    arrays = {
        name: np.asarray(array, array.dtype.newbyteorder("<"), order="C")
        for name, array in arrays.items()
    }
    text = json.dumps(description)
    checksums = {"description": _checksum(text.encode())}
    checksums |= {name: _checksum_of_array(array) for name, array in arrays.items()}
    content = save(arrays, metadata={"skcifar": text, "sha256": json.dumps(checksums)})
    n_header_bytes = int.from_bytes(content[:8], "little")
    if n_header_bytes > MOST_HEADER_BYTES or len(content) > MOST_FILE_BYTES:
        raise ModelFileError(
            f"{path} would hold {n_header_bytes:,} bytes of description and {len(content):,} in"
            f" all, but no more than {MOST_HEADER_BYTES:,} and {MOST_FILE_BYTES:,} are read again."
        )
    path.write_bytes(content)


@contextmanager
def opened_parts(path, *, kind):
    """Open a file of parts, of which only the header has been read.

    Parameters
    ----------
    path : pathlib.Path
        The file.

    kind : {"model", "checkpoint"}
        What it has to be.

    Yields
    ------
    parts : Parts

    Raises
    ------
    ModelFileError
        If it is no such file, or if what is done meanwhile fails for what the file holds.
    """
    try:
        _check_header(path, kind)
        with safe_open(path, framework="numpy") as file:
            yield Parts(file, path, kind)
    except ModelFileError:
        raise
    except (SafetensorError, OSError) as error:
        raise ModelFileError(
            f"{path} is cut short or is not a {kind} file ({error}). Give a file that skcifar"
            " saved."
        ) from error
    # whatever Python and NumPy say of values that are not what they should be
    except (ArithmeticError, AttributeError, LookupError, MemoryError, RecursionError, TypeError,
            ValueError) as error:  # fmt: skip
        raise ModelFileError(
            f"{path} does not describe a {kind} ({type(error).__name__}: {error}). It is damaged;"
            " save it again."
        ) from error


class Parts:
    """An open file of parts.

    Parameters
    ----------
    file : safetensors.safe_open
        Whose header was checked.

    path : pathlib.Path
        Its path, for messages.

    kind : str
        What it has to be.

    Attributes
    ----------
    description : dict

    names : list of str
        The names of all arrays, sorted.

    unread : set of str
        Those that nobody has read so far.
    """

    def __init__(self, file, path, kind):
        self.path = path
        self._file = file
        self.names = sorted(file.keys())
        self.unread = set(self.names)
        metadata = file.metadata() or {}
        if "skcifar" not in metadata:
            raise self.error("holds tensors, but nothing of skcifar's. Give a file that it saved")
        text = metadata["skcifar"]
        self.description = _parse(text)
        made_by = self.description["format"]
        if made_by != FORMAT:
            raise self.error(
                f"is of format {made_by!r}, this version of skcifar reads format {FORMAT}. Load it"
                " with the version that saved it"
            )
        if self.description["kind"] != kind:
            raise self.error(f"is a {self.description['kind']}, not a {kind}")
        self._checksums = _parse(metadata["sha256"])
        if self._checksums["description"] != _checksum(text.encode()):
            raise self._damaged("description")
        if self._checksums.keys() != {"description", *self.names}:
            raise self.error("is damaged: its parts are not those that its checksums are of")

    def looks(self, name):
        """Tell an array's shape and dtype, as the header has them.

        Parameters
        ----------
        name : str
            Of the array.

        Returns
        -------
        shape : tuple of int

        dtype : str
            NumPy's name of it.
        """
        if name not in self.names:
            raise self.error(f"is damaged: it has no part {name!r}")
        there = self._file.get_slice(name)
        dtype = there.get_dtype()
        if dtype not in NAMES_IN_FILES:
            raise self.error(f"is damaged: its part {name!r} is of the dtype {dtype}")
        return tuple(there.get_shape()), NAMES_IN_FILES[dtype]

    def read(self, name):
        """Read an array.

        Parameters
        ----------
        name : str
            Of the array.

        Returns
        -------
        array : ndarray
        """
        self.looks(name)
        array = self._file.get_tensor(name)
        if self._checksums[name] != _checksum_of_array(array):
            raise self._damaged(name)
        self.unread.discard(name)
        return array

    def read_finite(self, names, looks):
        """Read arrays of which it is known what they have to look like.

        Parameters
        ----------
        names : list of str
            Of the arrays.

        looks : list of (tuple of int, str)
            The shape and dtype that each must have.

        Returns
        -------
        arrays : list of ndarray
        """
        for name, expected in zip(names, looks, strict=True):
            if self.looks(name) != expected:
                shape, dtype = self.looks(name)
                raise self.error(
                    f"does not fit what it describes: its part {name!r} has the shape {shape} and"
                    f" dtype {dtype}, where {expected[0]} and {expected[1]} belong"
                )
        arrays = [self.read(name) for name in names]
        for name, array in zip(names, arrays, strict=True):
            if not np.isfinite(array).all():
                raise self.error(f"is damaged: its part {name!r} holds NaN or infinity")
        return arrays

    def error(self, told):
        """Make an error that says something of this file."""
        return ModelFileError(f"{self.path} {told}.")

    def _damaged(self, name):
        return self.error(f"is damaged: the SHA-256 of its part {name!r} is another. Get it again")


# JSON knows neither tuples nor arrays, nor keys that are no strings: these become
# {kind: content}, and so does every dict.


def encode(value, name, arrays):
    """Put a value into types that JSON knows, and its arrays of numbers beside.

    Parameters
    ----------
    value : object
        A number, string, None, array, or list, tuple or dict of such.

    name : str
        What it is called.

    arrays : dict of str to ndarray
        Where arrays are put, under this name.

    Returns
    -------
    encoded : object

    Raises
    ------
    ModelFileError
        If it is or holds anything else.
    """

    def parts(values):
        return [encode(v, f"{name}/{k}", arrays) for k, v in enumerate(values)]

    match value:
        case None | bool() | int() | float() | str():
            return value
        case np.generic():
            return encode(value.item(), name, arrays)
        case list():
            return parts(value)
        case tuple():
            return {"tuple": parts(value)}
        case dict():
            return {"dict": [parts(item) for item in value.items()]}
        case np.ndarray() if value.dtype.newbyteorder("<").str in DTYPES:
            arrays[name] = value
            return {"array": name}
        case np.ndarray() if value.ndim == 1 and (
            value.dtype.kind == "U" or all(isinstance(v, str | Integral) for v in value)
        ):
            return {"values": parts(value.tolist()), "dtype": value.dtype.newbyteorder("<").str}
    raise ModelFileError(
        f"The value {value!r} of {name} cannot be saved without pickle. Replace it by numbers,"
        " strings, lists, tuples, dicts or None, and save again."
    )


def decode(value, parts):
    """Bring a value back that :func:`encode` put into types that JSON knows.

    Parameters
    ----------
    value : object
        What the description holds.

    parts : Parts
        Where the arrays are.

    Returns
    -------
    decoded : object
    """
    match value:
        case list():
            return [decode(v, parts) for v in value]
        case {"tuple": list() as values, **rest} if not rest:
            return tuple(decode(v, parts) for v in values)
        case {"dict": list() as items, **rest} if not rest:
            return {decode(k, parts): decode(v, parts) for k, v in items}
        case {"array": str() as name, **rest} if not rest:
            return parts.read(name)
        case {"values": list() as values, "dtype": str() as dtype, **rest} if not rest:
            return _array_of(values, dtype)
        case dict():
            raise ValueError(f"a value of unknown kind {sorted(value)}")
    return value


def _array_of(values, dtype):
    """Make an array of strings, or of strings and integers."""
    width = re.fullmatch(r"<U([1-9]\d{0,8})", dtype)
    if dtype == "|O" and all(isinstance(v, str | int) for v in values):
        return np.array(values, dtype=object)
    if width is None or not all(isinstance(v, str) for v in values):
        raise ValueError(f"an array of dtype {dtype!r} that is not one")
    if max(map(len, values), default=0) > int(width[1]):
        raise ValueError(f"an array whose strings are longer than its dtype {dtype!r}")
    if len(values) * int(width[1]) > MOST_CHARACTERS:
        raise ValueError(f"an array of {len(values)} strings of dtype {dtype!r}")
    return np.array(values, dtype=dtype)


def _check_header(path, kind):
    """Raise unless a file begins with a header that is worth reading.

    safetensors reads headers of up to 100 MB, and the last of two parts that have one name.
    """
    if not path.is_file():
        raise ModelFileError(f"{path} is not a file. Give a file that skcifar saved.")
    n_bytes = path.stat().st_size
    with path.open("rb") as file:
        n_header_bytes = int.from_bytes(file.read(8), "little")
        if n_header_bytes > min(MOST_HEADER_BYTES, n_bytes - 8) or n_bytes > MOST_FILE_BYTES:
            raise ModelFileError(
                f"{path} is cut short or is not a {kind} file: it has {n_bytes:,} bytes and a"
                f" header of {n_header_bytes:,}, where at most {MOST_FILE_BYTES:,} and"
                f" {MOST_HEADER_BYTES:,} are read. Give a file that skcifar saved."
            )
        header = _parse(file.read(n_header_bytes))
    for name, told in header.items():
        if name != "__metadata__" and math.prod(told["shape"]) > MOST_FILE_BYTES:
            raise ModelFileError(
                f"{path} is damaged: its part {name!r} has {told['shape']} values."
            )


def _parse(text):
    """Parse JSON in which no name is given twice."""
    return json.loads(text, object_pairs_hook=_dict_of_one_each)


def _dict_of_one_each(pairs):
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a name is given twice")
    return made


def _checksum_of_array(array):
    looks = f"{array.dtype.name} {array.shape}\n".encode()
    return _checksum(looks, array.reshape(-1).view(np.uint8))


def _checksum(*pieces):
    sha256 = hashlib.sha256()
    for piece in pieces:
        sha256.update(piece)
    return sha256.hexdigest()
