"""Reads CIFAR-10 in each form in which it is published. Writes one of them, touches no network.

The binary edition holds 10,000 records a file: one byte of label, then 1,024 bytes each of red,
green and blue. The Python edition holds the same in pickles. Both are described at
https://www.cs.toronto.edu/~kriz/cifar.html.
"""

import hashlib
import io
import pickle
import tarfile
import tempfile
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
    """Read the binary edition from a folder.

    Parameters
    ----------
    folder : pathlib.Path
        Where ``data_batch_1.bin`` to ``data_batch_5.bin`` and ``test_batch.bin`` are.

    subset : {"train", "test", "all"}
        Which of them to read.

    Returns
    -------
    images : ndarray of shape (n_samples, 32, 32, 3), dtype uint8

    target : ndarray of shape (n_samples,), dtype int64

    Raises
    ------
    DatasetError
        If a file is missing, of the wrong size, or holds a label above 9.
    """

    def records(name):
        path = folder / f"{name}.bin"
        _check_present(path)
        return path, np.fromfile(path, dtype=np.uint8)

    return _assemble(map(records, BATCHES[subset]), len(BATCHES[subset]))


def read_python_folder(folder, subset):
    """Read the Python edition from a folder, each file only if its checksum is the official one.

    Parameters and results are those of :func:`read_binary_folder`.
    """

    def records(name):
        path = folder / name
        _check_present(path)
        content = path.read_bytes()
        if hashlib.md5(content, usedforsecurity=False).hexdigest() != PICKLE_MD5[name]:
            raise DatasetError(
                f"{path} is not the official file (its MD5 is not {PICKLE_MD5[name]}), so it was"
                f" not unpickled. Delete the folder {folder} and fetch the pictures again."
            )
        return path, _records_from_pickle(content, path)

    return _assemble(map(records, BATCHES[subset]), len(BATCHES[subset]))


def unpack_archive(archive, edition, destination):
    """Turn an official archive into a folder of the binary edition: all of it, or nothing.

    Parameters
    ----------
    archive : pathlib.Path
        The archive, under whatever name.

    edition : {"cifar-10-binary.tar.gz", "cifar-10-python.tar.gz"}
        Which of the two it has to be.

    destination : pathlib.Path
        The folder to make; it appears only when it is complete.

    Raises
    ------
    DatasetError
        If the archive's SHA-256 is not the official one.
    """
    with archive.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    if sha256 != ARCHIVE_SHA256[edition]:
        raise DatasetError(
            f"{archive} is cut short or is not the official archive: its SHA-256 is {sha256}, not"
            f" {ARCHIVE_SHA256[edition]}. Delete it and fetch the pictures again."
        )
    with (
        tempfile.TemporaryDirectory(prefix=".cifar-10-", dir=destination.parent) as scratch,
        tarfile.open(archive) as tar,
    ):
        unpacked = Path(scratch) / destination.name
        unpacked.mkdir()
        for name in BATCHES["all"]:
            if edition == BINARY_ARCHIVE:
                content = tar.extractfile(f"{BINARY_FOLDER}/{name}.bin").read()
            else:
                pickled = tar.extractfile(f"{PYTHON_FOLDER}/{name}").read()
                content = _records_from_pickle(pickled, archive).tobytes()
            (unpacked / f"{name}.bin").write_bytes(content)
        try:
            unpacked.replace(destination)
        except OSError:
            if not destination.is_dir():  # otherwise somebody else has just unpacked the same
                raise


def _check_present(path):
    if not path.is_file():
        raise DatasetError(
            f"{path} is missing. Delete the folder {path.parent} and fetch the pictures again, or"
            " put the missing file back."
        )


def _assemble(batches, n_batches):
    """Put batches of records together as pictures: planes of colour become pixels of colour."""
    images = np.empty((n_batches * IMAGES_PER_BATCH, *IMAGE_SHAPE), dtype=np.uint8)
    target = np.empty(len(images), dtype=np.int64)
    for number, (path, records) in enumerate(batches):
        if records.size != IMAGES_PER_BATCH * RECORD_BYTES:
            raise DatasetError(
                f"{path} holds {records.size:,} bytes of pictures where"
                f" {IMAGES_PER_BATCH * RECORD_BYTES:,} were expected: it is cut short or not a"
                f" CIFAR-10 batch. Delete the folder {path.parent} and fetch the pictures again."
            )
        records = records.reshape(IMAGES_PER_BATCH, RECORD_BYTES)
        labels = records[:, 0]
        if labels.max() >= N_CLASSES:
            raise DatasetError(
                f"{path} holds the label {labels.max()} where labels are 0 to {N_CLASSES - 1}: it"
                f" is damaged. Delete the folder {path.parent} and fetch the pictures again."
            )
        rows = slice(number * IMAGES_PER_BATCH, (number + 1) * IMAGES_PER_BATCH)
        target[rows] = labels
        planes = records[:, 1:].reshape(-1, 3, 32, 32)  # (n, channel, row, column)
        images[rows] = planes.transpose(0, 2, 3, 1)
    return images, target


def _records_from_pickle(content, path):
    try:
        batch = _ArrayUnpickler(io.BytesIO(content), encoding="bytes").load()
        labels = np.asarray(batch[b"labels"], dtype=np.uint8)
        return np.column_stack([labels, batch[b"data"]])
    except (pickle.UnpicklingError, KeyError, TypeError, ValueError, EOFError) as error:
        raise DatasetError(
            f"{path} does not hold CIFAR-10 pictures ({error}). Delete it and fetch the pictures"
            " again."
        ) from error


class _ArrayUnpickler(pickle.Unpickler):
    """Admits numpy arrays and plain containers, and nothing that could run code."""

    # numpy keeps the function that rebuilds an array under a private name, which has changed;
    # an array's own __reduce__ tells it under any version.
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
