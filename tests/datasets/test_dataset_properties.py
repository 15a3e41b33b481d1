"""What holds of the readers for any pictures, and for any bytes whatever."""

import hashlib
import tempfile
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import hostile_files
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image
from test_datasets import pickled_batch, write_archive

from skcifar.datasets import DatasetError, _archives, _picture_files, read_picture

everywhere_alike = settings(deadline=None, derandomize=True, max_examples=25)
N_RECORDS = 3
BATCHES = _archives.BATCHES["test"]


@st.composite
def record_batches(draw):
    """As many records as a batch file holds, of any labels and pixels."""
    labels = draw(hnp.arrays(np.uint8, (N_RECORDS, 1), elements=st.integers(0, 9)))
    seed = draw(st.integers(0, 2**32 - 1))
    pixels = np.random.default_rng(seed).integers(0, 256, (N_RECORDS, 3072), dtype=np.uint8)
    return np.hstack([labels, pixels])


@contextmanager
def scratch():
    """A folder for one example, while CIFAR-10 is one batch of few records."""
    with (
        tempfile.TemporaryDirectory() as folder,
        mock.patch.object(_archives, "IMAGES_PER_BATCH", N_RECORDS),
        mock.patch.dict(_archives.BATCHES, {"all": BATCHES}),
        mock.patch.dict(_archives.PICKLE_MD5),
        mock.patch.dict(_archives.ARCHIVE_SHA256),
    ):
        yield Path(folder)


def write_binary_batch(folder, content):
    (folder / "test_batch.bin").write_bytes(content)


def write_python_batch(folder, content):
    (folder / "test_batch").write_bytes(content)
    _archives.PICKLE_MD5["test_batch"] = hashlib.md5(content).hexdigest()


def check_pictures(images, target, records):
    planes = records[:, 1:].reshape(-1, 3, 32, 32)
    np.testing.assert_array_equal(images.transpose(0, 3, 1, 2), planes)
    np.testing.assert_array_equal(target, records[:, 0])
    assert (images.dtype, target.dtype) == (np.uint8, np.int64)


@everywhere_alike
@given(record_batches())
def test_records_of_the_binary_edition_come_back(records):
    with scratch() as folder:
        write_binary_batch(folder, records.tobytes())
        check_pictures(*_archives.read_binary_folder(folder, "test"), records)


@everywhere_alike
@given(record_batches())
def test_records_of_the_python_edition_come_back(records):
    with scratch() as folder:
        write_python_batch(folder, pickled_batch(records))
        check_pictures(*_archives.read_python_folder(folder, "test"), records)


@pytest.mark.parametrize("edition", [_archives.BINARY_ARCHIVE, _archives.PYTHON_ARCHIVE])
@everywhere_alike
@given(records=record_batches())
def test_records_in_either_archive_come_back(edition, records):
    with scratch() as folder:
        archive, unpacked = folder / edition, folder / "unpacked"
        write_archive(archive, edition, {"test_batch": records})
        sha256 = hashlib.sha256(archive.read_bytes()).hexdigest()
        _archives.ARCHIVE_SHA256[edition] = sha256
        _archives.unpack_archive(archive, edition, unpacked)
        check_pictures(*_archives.read_binary_folder(unpacked, "test"), records)


@everywhere_alike
@given(st.integers(0, 3 * N_RECORDS * 3073).filter(lambda n: n != N_RECORDS * 3073))
def test_batch_of_any_other_size_is_refused(n_bytes):
    with scratch() as folder:
        write_binary_batch(folder, bytes(n_bytes))
        with pytest.raises(DatasetError, match=f"holds {n_bytes:,} bytes"):
            _archives.read_binary_folder(folder, "test")


@everywhere_alike
@given(record_batches(), st.integers(0, N_RECORDS - 1), st.integers(10, 255))
def test_any_label_above_9_is_refused(records, row, label):
    records[row, 0] = label
    with scratch() as folder:
        write_binary_batch(folder, records.tobytes())
        with pytest.raises(DatasetError, match=f"holds the label {label}"):
            _archives.read_binary_folder(folder, "test")


def read_or_refused(read, *arguments, **options):
    try:
        return read(*arguments, **options)
    except DatasetError:
        return None


PICKLE = pickled_batch(np.zeros((N_RECORDS, 3073), dtype=np.uint8))
# few ask for memory that is not there: what stands before the unpickler is the checksum
PICKLE_OPCODES = st.binary(max_size=30).filter(
    lambda code: not set(code) & set(b"r\x8a\x8b\x8d\x8e\x96")
)


@everywhere_alike
@given(PICKLE_OPCODES, st.integers(0, len(PICKLE)))
def test_pickle_with_any_bytes_in_it_is_read_or_refused(inserted, place):
    with scratch() as folder:
        write_python_batch(folder, PICKLE[:place] + inserted + PICKLE[place:])
        read_or_refused(_archives.read_python_folder, folder, "test")


@everywhere_alike
@given(st.binary(max_size=200))
def test_archive_of_any_bytes_is_refused(content):
    with scratch() as folder:
        archive = folder / _archives.BINARY_ARCHIVE
        archive.write_bytes(content)
        _archives.ARCHIVE_SHA256[archive.name] = hashlib.sha256(content).hexdigest()
        with pytest.raises(DatasetError):
            _archives.unpack_archive(archive, archive.name, folder / "unpacked")
        assert list(folder.iterdir()) == [archive]


BEGINNINGS = {
    "JPEG": b"\xff\xd8\xff\xe0\0\x10JFIF\0",
    "PNG": hostile_files.png(3, 3)[:33],
    "GIF": b"GIF89a\3\0\3\0\x80\0\0",
    "BMP": hostile_files.bmp(3, 3)[:54],
    "TIFF": b"II*\0\x08\0\0\0\3\0",
    "WEBP": b"RIFF\x40\0\0\0WEBPVP8 ",
    "AVIF": b"\0\0\0\x20ftypavif",
    "PPM": b"P6 3 3 255\n",
}


@pytest.mark.parametrize("image_format", _picture_files.FORMATS)
@everywhere_alike
@given(content=st.binary(max_size=300))
def test_picture_of_any_bytes_is_read_or_refused(image_format, content):
    with scratch() as folder:
        (folder / "picture").write_bytes(BEGINNINGS[image_format] + content)
        image = read_or_refused(read_picture, folder / "picture", image_size=(4, 6))
        assert image is None or (image.shape == (4, 6, 3) and image.dtype == np.uint8)


@pytest.mark.parametrize("image_format", ["PNG", "BMP", "TIFF", "PPM"])
@everywhere_alike
@given(pixels=hnp.arrays(np.uint8, st.tuples(st.integers(1, 12), st.integers(1, 12), st.just(3))))
def test_pixels_that_are_not_resized_come_back(image_format, pixels):
    with scratch() as folder:
        content = hostile_files.saved(Image.fromarray(pixels), image_format)
        (folder / "picture").write_bytes(content)
        image = read_picture(folder / "picture", image_size=pixels.shape[:2])
        np.testing.assert_array_equal(image, pixels)
