"""Reads CIFAR-10 in each form in which it is published. Writes one of them, touches no network.

The binary edition holds 10,000 records a file: one byte of label, then 1,024 bytes each of red,
green and blue. The Python edition holds the same in pickles. Both are described at
https://www.cs.toronto.edu/~kriz/cifar.html.
"""

import hashlib
import io
import operator
import pickle
import tarfile
import tempfile
from contextlib import contextmanager
from pathlib import Path

import numpy as np

BINARY_FOLDER = "cifar-10-batches-bin"
PYTHON_FOLDER = "cifar-10-batches-py"
BINARY_ARCHIVE = "cifar-10-binary.tar.gz"
PYTHON_ARCHIVE = "cifar-10-python.tar.gz"

ARCHIVE_SHA256 = {
    BINARY_ARCHIVE: "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
    PYTHON_ARCHIVE: "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
}

# What the official server says of either (Content-Length). Hashing a file takes a second for each
# 500 MB of it, so that a larger one is refused unread. A smaller one is left to its checksum.
MAX_ARCHIVE_BYTES = {BINARY_ARCHIVE: 170_052_171, PYTHON_ARCHIVE: 170_498_071}

# The only published checksums of the single files, as torchvision lists them. MD5 is broken for
# collisions, but not for a second file to a given sum; the unpickler stands behind it all the same.
PICKLE_MD5 = {
    "data_batch_1": "c99cafc152244af753f735de768cd75f",
    "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
    "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
    "data_batch_4": "634d18415352ddfa80567beed471001a",
    "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
    "test_batch": "40351d587109b95175f43aff81a1287e",
}

BATCHES = {
    "train": tuple(f"data_batch_{number}" for number in range(1, 6)),
    "test": ("test_batch",),
}
BATCHES["all"] = BATCHES["train"] + BATCHES["test"]

IMAGES_PER_BATCH = 10_000
IMAGE_SHAPE = (32, 32, 3)
RECORD_BYTES = 1 + 32 * 32 * 3
N_CLASSES = 10


class DatasetError(ValueError):
    """A file or folder of pictures cannot be used; the message names it and what to do."""


def read_binary_folder(folder, subset):
    """Read the binary edition from a folder."""

    def records(name):
        path = folder / f"{name}.bin"
        _check_size(path, at_most=_batch_bytes())
        return _as_records(np.fromfile(path, dtype=np.uint8), path)

    return _assemble(BATCHES[subset], records)


def read_python_folder(folder, subset):
    """Read the Python edition from a folder, each file only if its checksum is the official one."""

    def records(name):
        path = folder / name
        _check_size(path, at_most=_max_pickle_bytes())
        content = path.read_bytes()
        if hashlib.md5(content, usedforsecurity=False).hexdigest() != PICKLE_MD5[name]:
            raise DatasetError(
                f"{path} is not the official file (its MD5 is not {PICKLE_MD5[name]}), so it was"
                f" not unpickled. {_remedy(path)}"
            )
        return _records_from_pickle(content, path)

    return _assemble(BATCHES[subset], records)


def unpack_archive(archive, edition, destination):
    """Turn an official archive into a folder of the binary edition: all of it, or nothing."""
    _check_size(archive, at_most=MAX_ARCHIVE_BYTES[edition])
    with archive.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    if sha256 != ARCHIVE_SHA256[edition]:
        raise DatasetError(
            f"{archive} is cut short or is not the official archive: its SHA-256 is {sha256}, not"
            f" {ARCHIVE_SHA256[edition]}. {_remedy(archive)}"
        )
    with tempfile.TemporaryDirectory(prefix=".cifar-10-", dir=destination.parent) as scratch:
        unpacked = Path(scratch) / destination.name
        unpacked.mkdir()
        for name, records in _records_in_archive(archive, edition):
            (unpacked / f"{name}.bin").write_bytes(records.tobytes())
        try:
            unpacked.replace(destination)
        except OSError:
            if not destination.is_dir():  # otherwise somebody else has just unpacked the same
                raise


def _records_in_archive(archive, edition):
    """Yield each batch's name and records. No name in the archive becomes a path of ours."""
    with _damage_explained(archive), tarfile.open(archive, "r:gz") as tar:
        for name in BATCHES["all"]:
            if edition == BINARY_ARCHIVE:
                content = _member(tar, f"{BINARY_FOLDER}/{name}.bin", at_most=_batch_bytes())
                yield name, _as_records(np.frombuffer(content, dtype=np.uint8), archive)
            else:
                pickled = _member(tar, f"{PYTHON_FOLDER}/{name}", at_most=_max_pickle_bytes())
                yield name, _records_from_pickle(pickled, archive)


def _member(tar, name, *, at_most):
    member = tar.getmember(name)
    if not member.isfile() or member.size > at_most:
        raise ValueError(f"{name} is not a file of at most {at_most:,} bytes")
    return tar.extractfile(member).read()


@contextmanager
def _damage_explained(path):
    """Turn whatever reading a damaged file raises into one kind of error that names the file."""
    try:
        yield
    except DatasetError:
        raise
    except Exception as error:  # tarfile, zlib and pickle raise nearly anything
        raise DatasetError(
            f"{path} does not hold CIFAR-10 pictures ({error or type(error).__name__})."
            f" {_remedy(path)}"
        ) from error


def _remedy(path):
    # a folder is only ever fetched whole; an archive may lie among other things
    in_folder = path.parent.name in (BINARY_FOLDER, PYTHON_FOLDER)
    what = f"the folder {path.parent}" if in_folder else "it"
    return f"Delete {what} and fetch the pictures again."


def _batch_bytes():
    return IMAGES_PER_BATCH * RECORD_BYTES


def _max_pickle_bytes():
    return 2 * _batch_bytes()  # labels and file names take a few bytes beside 3,072 of pixels


def _check_size(path, *, at_most):
    """Raise unless there is a file that is not larger than it may be: nothing is read of it."""
    if not path.is_file():
        raise DatasetError(
            f"{path} is missing or not a file. Put the missing file back, or start again:"
            f" {_remedy(path)}"
        )
    size = path.stat().st_size
    if size > at_most:
        raise DatasetError(
            f"{path} holds {size:,} bytes where at most {at_most:,} were expected: it is not"
            f" from CIFAR-10. {_remedy(path)}"
        )


def _as_records(content, path):
    """Return bytes of one batch as an array of shape (IMAGES_PER_BATCH, RECORD_BYTES)."""
    if content.size != _batch_bytes():
        raise DatasetError(
            f"{path} holds {content.size:,} bytes of pictures where {_batch_bytes():,} were"
            f" expected: it is cut short or not a CIFAR-10 batch. {_remedy(path)}"
        )
    records = content.reshape(IMAGES_PER_BATCH, RECORD_BYTES)
    highest = records[:, 0].max()
    if highest >= N_CLASSES:
        raise DatasetError(
            f"{path} holds the label {highest} where labels are 0 to {N_CLASSES - 1}: it is"
            f" damaged. {_remedy(path)}"
        )
    return records


def _assemble(names, read_records):
    """Put batches of records together as pictures: planes of colour become pixels of colour."""
    images = np.empty((len(names) * IMAGES_PER_BATCH, *IMAGE_SHAPE), dtype=np.uint8)
    target = np.empty(len(images), dtype=np.int64)
    for number, name in enumerate(names):
        records = read_records(name)
        rows = slice(number * IMAGES_PER_BATCH, (number + 1) * IMAGES_PER_BATCH)
        target[rows] = records[:, 0]
        planes = records[:, 1:].reshape(-1, 3, 32, 32)  # (n, channel, row, column)
        images[rows] = planes.transpose(0, 2, 3, 1)
    return images, target


def _records_from_pickle(content, path):
    """Return the records of a pickle whose checksum was the official one."""
    # The checksum keeps strangers' pickles out: the unpickler runs no code even so, but does not
    # keep a pickle from asking for all memory that there is.
    with _damage_explained(path):
        batch = _ArrayUnpickler(io.BytesIO(content), encoding="bytes").load()
        labels = np.array([operator.index(label) for label in batch[b"labels"]], dtype=np.uint8)
        pixels = batch[b"data"]
        if not isinstance(pixels, np.ndarray) or pixels.dtype != np.uint8:
            raise TypeError("its pixels are not bytes")
        return _as_records(np.column_stack([labels, pixels]).ravel(), path)


class _ArrayUnpickler(pickle.Unpickler):
    """Admits numpy arrays and plain containers, and nothing that could run code."""

    # numpy keeps the function that rebuilds an array under a private name, which has changed;
    # an array's own __reduce__ names it under any version.
    _rebuild_array = np.empty(0).__reduce__()[0]
    _admitted = {  # noqa: RUF012 (never changed)
        ("numpy.core.multiarray", "_reconstruct"): _rebuild_array,
        ("numpy._core.multiarray", "_reconstruct"): _rebuild_array,
        ("numpy", "ndarray"): np.ndarray,
        ("numpy", "dtype"): np.dtype,
    }

    def find_class(self, module, name):
        try:
            return self._admitted[module, name]
        except KeyError:
            raise pickle.UnpicklingError(
                f"it asks for {module}.{name}, which no picture needs"
            ) from None
