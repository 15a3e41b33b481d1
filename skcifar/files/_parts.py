"""Files of named parts, arrays and a description, which may come from anybody.

Outside, such a file is one of safetensors: a header in JSON, then the numbers of all arrays. The
description is a JSON text in the header's metadata, beside the SHA-256 of each part. These say
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

FORMAT = 5

# What a reader spends at most. The worst of headers takes it half a second and 50 MB.
MOST_HEADER_BYTES = 2**19
MOST_FILE_BYTES = 2**30
MOST_DESCRIBED_BYTES = 2**25  # of all arrays that the description calls for
MOST_AXES = 32

SHORT_LIST = 100  # longer ones of numbers or strings are arrays of the file
BYTES_OF_LISTED = 32  # for a number, or a byte of text, at most

# Whoever knows how Python hashes integers can choose larger ones that all have the same hash.
LARGEST_KEY = 2**60

NAMES_OF_DTYPES = {
    **{f"{kind}{bits}": f"{word}{bits}" for kind, word in (("I", "int"), ("U", "uint"))
       for bits in (8, 16, 32, 64)},
    **{"BOOL": "bool", "F16": "float16", "F32": "float32", "F64": "float64"},
}  # fmt: skip
DTYPES = frozenset(map(np.dtype, NAMES_OF_DTYPES.values()))


class ModelFileError(ValueError):
    """A model file or a checkpoint cannot be read or written; the message names it."""


def write_parts(path, description, arrays):
    """Write a file of parts."""
    arrays = {
        name: np.asarray(array, array.dtype.newbyteorder("<"), order="C")
        for name, array in arrays.items()
    }
    for name, array in arrays.items():
        if array.dtype not in DTYPES:
            raise ModelFileError(
                f"{path} cannot be written: {name} is of dtype {array.dtype}, which no such file"
                f" holds. Convert it to one of {', '.join(NAMES_OF_DTYPES.values())}."
            )
    text = json.dumps(description)
    checksums = {"description": _checksum(text.encode())}
    checksums |= {name: checksum_of_array(array) for name, array in arrays.items()}
    metadata = {"skcifar": text, "sha256": json.dumps(checksums, ensure_ascii=False)}
    content = save(arrays, metadata=metadata)
    n_header_bytes = int.from_bytes(content[:8], "little")
    if n_header_bytes > MOST_HEADER_BYTES or len(content) > MOST_FILE_BYTES:
        raise ModelFileError(
            f"{path} cannot be written: it would have {len(content):,} bytes and a header of"
            f" {n_header_bytes:,}, but no more than {MOST_FILE_BYTES:,} and {MOST_HEADER_BYTES:,}"
            " are read again."
        )
    path.write_bytes(content)


@contextmanager
def opened_parts(path, *, kind):
    """Open a file of parts, of which only the header has been read."""
    try:
        _check_header(path, kind)
        with safe_open(path, framework="numpy") as file:
            yield Parts(file, path, kind)
    except ModelFileError:
        raise
    except OSError as error:
        raise ModelFileError(f"{path} cannot be read: {error.strerror or error}.") from error
    except SafetensorError as error:
        raise ModelFileError(
            f"{path} is cut short or is not a {kind} file ({shown(error)}). Give a file that"
            " skcifar saved."
        ) from error
    except Exception as error:  # whatever anybody says of values that are not what they should be
        raise ModelFileError(
            f"{path} does not describe a {kind} ({type(error).__name__}: {shown(error)})."
            " Give a file that skcifar saved."
        ) from error


class Parts:
    """An open file of parts."""

    def __init__(self, file, path, kind):
        self.path = path
        self._file = file
        self.names = sorted(file.keys())
        self.unread = set(self.names)
        self._n_bytes_left = MOST_DESCRIBED_BYTES
        metadata = file.metadata() or {}
        if "skcifar" not in metadata:
            raise self.error("holds tensors, but none of skcifar's. Give a file that it saved")
        if metadata.keys() != {"skcifar", "sha256"}:
            raise self.error(f"is damaged: its metadata are {shown(sorted(metadata))}")
        text = metadata["skcifar"]
        self.description = _parse(text)
        made_by = self.description["format"]
        if made_by != FORMAT:
            raise self.error(
                f"is of format {shown(made_by)}, and this version of skcifar reads format {FORMAT}."
                " Read it with the version that wrote it, or with a newer one"
            )
        if self.description["kind"] != kind:
            raise self.error(f"is a {shown(self.description['kind'])}, not a {kind!r}")
        self._checksums = _parse(metadata["sha256"])
        if self._checksums["description"] != _checksum(text.encode()):
            raise self._damaged("description")
        if self._checksums.keys() != {"description", *self.names}:
            raise self.error("is damaged: its parts are not those that its checksums are of")

    def shape_and_dtype(self, name):
        """Return an array's shape and dtype, as the header has them."""
        if name not in self._checksums or name == "description":
            raise self.error(f"is damaged: it has no part {shown(name)}")
        there = self._file.get_slice(name)
        shape, dtype = tuple(there.get_shape()), there.get_dtype()
        if dtype not in NAMES_OF_DTYPES or len(shape) > MOST_AXES:
            raise self.error(
                f"is damaged: its part {shown(name)} is of dtype {dtype} and has {len(shape)} axes"
            )
        return shape, NAMES_OF_DTYPES[dtype]

    def read(self, name):
        """Read a small array that the description calls for, once."""
        shape, dtype = self.shape_and_dtype(name)
        self.spend(math.prod(shape) * np.dtype(dtype).itemsize)
        return self._read(name)

    def read_finite(self, names, shapes):
        """Read arrays of known shapes and dtypes, each once."""
        for name, (shape, dtype) in zip(names, shapes, strict=True):
            there = self.shape_and_dtype(name)
            if there != (shape, dtype):
                raise self.error(
                    f"does not fit what it describes: its part {shown(name)} has shape {there[0]}"
                    f" and dtype {there[1]}, where {shown(shape)} and {dtype} belong"
                )
        arrays = [self._read(name) for name in names]
        for name, array in zip(names, arrays, strict=True):
            if not np.isfinite(array).all():
                raise self.error(f"is damaged: its part {shown(name)} holds NaN or infinity")
        return arrays

    def spend(self, n_bytes):
        """Raise if all that the description calls for takes more memory than it may."""
        self._n_bytes_left -= n_bytes
        if self._n_bytes_left < 0:
            raise self.error(
                f"is damaged: its description asks for arrays of more than"
                f" {MOST_DESCRIBED_BYTES:,} bytes"
            )

    def error(self, problem):
        """Make an error that says something of this file."""
        return ModelFileError(f"{self.path} {problem}.")

    def _read(self, name):
        if name not in self.unread:
            raise self.error(f"is damaged: its part {shown(name)} is used twice")
        self.unread.discard(name)
        array = self._file.get_tensor(name)
        if self._checksums[name] != checksum_of_array(array):
            raise self._damaged(name)
        if array.dtype == bool and (array.view(np.uint8) > 1).any():
            raise self.error(f"is damaged: its part {shown(name)} has bytes that are no booleans")
        return array

    def _damaged(self, name):
        return self.error(
            f"is damaged: the SHA-256 of its part {shown(name)} is another. Get it again"
        )


def shown(value):
    """Show what a file holds in a message: on one line, printable, and not at length."""
    text = str(value) if isinstance(value, Exception) else repr(value)
    text = text if len(text) <= 200 else f"{text[:200]}..."
    return text if text.isprintable() else text.encode("unicode_escape").decode()


# JSON knows neither tuples nor arrays, nor keys that are no strings: these become
# {kind: content}, and so does every dict.


def encode(value, name, arrays):
    """Put a value into types that JSON knows, and its arrays of numbers beside."""

    def parts(values):
        encoded = [encode(v, f"{name}/{k}", arrays) for k, v in enumerate(values)]
        if len(encoded) > SHORT_LIST and all(isinstance(v, float) for v in encoded):
            arrays[name] = np.array(encoded, dtype=np.float64)
        elif len(encoded) > SHORT_LIST and all(isinstance(v, str | int) for v in encoded):
            arrays[name] = np.frombuffer(json.dumps(encoded).encode(), np.uint8)
        else:
            return encoded
        return {"list": name}

    match value:
        case None | bool() | int() | float() | str():
            return value
        case np.generic() if value.dtype in DTYPES:
            return value.item()
        case list():
            return parts(value)
        case tuple():
            return {"tuple": parts(value)}
        case dict() if all(_is_key(k.item() if isinstance(k, np.generic) else k) for k in value):
            keys, values = list(value), list(value.values())
            return {"dict": [encode(keys, f"{name}/keys", arrays), encode(values, name, arrays)]}
        case np.ndarray() if value.dtype.kind in "biuf" and value.dtype.newbyteorder("<") in DTYPES:
            arrays[name] = value
            return {"array": name}
        case np.ndarray() if value.ndim == 1 and (
            value.dtype.kind == "U"
            or (value.dtype == object and all(isinstance(v, str | Integral) for v in value))
        ):
            return {"values": parts(value.tolist()), "dtype": value.dtype.newbyteorder("<").str}
    raise ModelFileError(
        f"The value {value!r} of {name} cannot be saved without pickle. Replace it by numbers,"
        " strings, lists, tuples, dicts or None, and save again."
    )


def decode(value, parts):
    """Bring a value back that :func:`encode` put into types that JSON knows."""

    def each(values):
        return [decode(v, parts) for v in values]

    match value:
        case None | bool() | int() | float() | str():
            return value
        case list():
            return each(value)
        case {"list": str() as name, **rest} if not rest:
            return _long_list(name, parts)
        case {"tuple": (list() | {"list": str()}) as values, **rest} if not rest:
            return tuple(decode(values, parts))
        case {
            "dict": [(list() | {"list": str()}) as keys, (list() | {"list": str()}) as values],
            **rest,
        } if not rest:
            keys, values = decode(keys, parts), decode(values, parts)
            if not all(map(_is_key, keys)):
                raise ValueError("a dict with a key that is neither a number nor a string")
            return _dict_of_one_each(list(zip(keys, values, strict=True)))
        case {"array": str() as name, **rest} if not rest:
            return parts.read(name)
        case {"values": values, "dtype": str() as dtype, **rest} if not rest:
            return _array_of(decode(values, parts), dtype, parts)
    raise ValueError(f"a value of unknown kind {sorted(value)}")


def _is_key(value):
    return isinstance(value, str | float) or (
        isinstance(value, int) and -LARGEST_KEY < value < LARGEST_KEY
    )


def _long_list(name, parts):
    """Make a list of an array: of floats, or of strings and integers as JSON in bytes."""
    shape, dtype = parts.shape_and_dtype(name)
    parts.spend(BYTES_OF_LISTED * math.prod(shape))
    array = parts.read(name)
    values = _parse(array.tobytes()) if dtype == "uint8" else array.tolist()
    kinds = str | int if dtype == "uint8" else float
    if not (isinstance(values, list) and all(isinstance(v, kinds) for v in values)):
        raise ValueError("a list of neither numbers nor strings")
    return values


def _array_of(values, dtype, parts):
    """Make an array of strings, or of strings and integers."""
    if not isinstance(values, list):
        raise ValueError(f"an array of {values!r}")
    if dtype == "|O" and all(isinstance(v, str | int) for v in values):
        return np.array(values, dtype=object)
    width = re.fullmatch(r"<U([1-9][0-9]{0,8})", dtype)
    if width is None or not all(isinstance(v, str) for v in values):
        raise ValueError(f"an array of dtype {dtype!r} that is none")
    if max(map(len, values), default=0) > int(width[1]):
        raise ValueError(f"an array whose strings are longer than its dtype {dtype!r}")
    parts.spend(4 * int(width[1]) * max(len(values), 1))
    return np.array(values, dtype=dtype)


def _check_header(path, kind):
    """Raise unless a file begins with a header that is worth reading."""
    # safetensors reads headers of up to 100 MB, and the last of two parts that have one name
    if not path.is_file():
        within = path / "model.safetensors"
        wanted = f"the file in it, {within}" if within.is_file() else "a file that skcifar saved"
        raise ModelFileError(f"{path} is not a file. Give {wanted}.")
    n_bytes = path.stat().st_size
    with path.open("rb") as file:
        n_header_bytes = int.from_bytes(file.read(8), "little")
        if n_header_bytes > min(MOST_HEADER_BYTES, n_bytes - 8) or n_bytes > MOST_FILE_BYTES:
            raise ModelFileError(
                f"{path} is cut short or is not a {kind} file ({n_bytes:,} bytes). Give a file"
                " that skcifar saved."
            )
        _parse(file.read(n_header_bytes))


def _parse(text):
    """Parse JSON in which no name is given twice."""
    return json.loads(text, object_pairs_hook=_dict_of_one_each)


def _dict_of_one_each(pairs):
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a name is given twice")
    return made


def checksum_of_array(array):
    """Return the SHA-256 of an array in C order, its dtype and its shape."""
    header = f"{array.dtype.name} {array.shape}\n".encode()
    return _checksum(header, array.reshape(-1).view(np.uint8))


def _checksum(*pieces):
    sha256 = hashlib.sha256()
    for piece in pieces:
        sha256.update(piece)
    return sha256.hexdigest()
