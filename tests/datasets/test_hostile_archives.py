"""Archives and batches of strangers, by name CIFAR-10's: refused by one kind of error, unread."""

import gzip
import hashlib
import io
import os
import pickle
import struct
import tarfile

import numpy as np
import pytest
from test_datasets import accept_archive, pickled_batch, write_archive, write_python_folder

from skcifar import fetch_cifar10
from skcifar.datasets import DatasetError, _archives

BINARY, PYTHON = _archives.BINARY_ARCHIVE, _archives.PYTHON_ARCHIVE


class Touching:
    """Unpickled, it makes a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.system, (f"touch {self.path}",)


def unpack(data_home, edition):
    _archives.unpack_archive(data_home / edition, edition, data_home / _archives.BINARY_FOLDER)


def refuse_archive(data_home, edition, monkeypatch, match):
    """Unpack an archive behind its checksum: it is refused, and nothing of it is left anywhere."""
    accept_archive(data_home / edition, edition, monkeypatch)
    before = sorted(data_home.parent.rglob("*"))
    with pytest.raises(DatasetError, match=match):
        unpack(data_home, edition)
    assert sorted(data_home.parent.rglob("*")) == before


def write_tar(path, members):
    """Write an archive of members that are (name, content) or whole TarInfos."""
    with tarfile.open(path, "w:gz") as tar:
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                tar.addfile(member)
                continue
            info = tarfile.TarInfo(member[0])
            info.size = len(member[1])
            tar.addfile(info, io.BytesIO(member[1]))


# --- before the checksum ---


@pytest.mark.parametrize("edition", [BINARY, PYTHON])
def test_archive_larger_than_the_official_one_is_not_even_read(data_home, monkeypatch, edition):
    with (data_home / edition).open("wb") as file:
        file.truncate(_archives.MAX_ARCHIVE_BYTES[edition] + 1)  # of no blocks on the disk
    monkeypatch.setattr(hashlib, "file_digest", None)
    with pytest.raises(
        DatasetError, match=rf"{edition} holds 170,\d\d\d,\d\d2 bytes where at most"
    ):
        fetch_cifar10(data_home=data_home)


def test_archive_of_the_official_size_is_judged_by_its_checksum(data_home):
    with (data_home / BINARY).open("wb") as file:
        file.truncate(_archives.MAX_ARCHIVE_BYTES[BINARY])
    with pytest.raises(DatasetError, match="is not the official archive: its SHA-256 is"):
        fetch_cifar10(data_home=data_home)


def test_gzip_bomb_is_not_unpacked(data_home):
    (data_home / BINARY).write_bytes(gzip.compress(bytes(2**25)))
    with pytest.raises(DatasetError, match="is not the official archive"):
        fetch_cifar10(data_home=data_home)
    assert list(data_home.iterdir()) == [data_home / BINARY]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_named_pipe_in_place_of_the_archive_is_not_waited_for(data_home):
    os.mkfifo(data_home / BINARY)
    with pytest.raises(OSError, match="download_if_missing=True"):
        fetch_cifar10(data_home=data_home, download_if_missing=False)
    with pytest.raises(DatasetError, match="is missing or not a file"):
        unpack(data_home, BINARY)


# --- behind the checksum ---


@pytest.mark.parametrize("edition", [BINARY, PYTHON])
def test_archive_that_ends_too_early_is_refused(data_home, tiny_records, monkeypatch, edition):
    archive = data_home / edition
    write_archive(archive, edition, tiny_records)
    archive.write_bytes(archive.read_bytes()[:-300])
    refuse_archive(data_home, edition, monkeypatch, "does not hold CIFAR-10 pictures")


@pytest.mark.parametrize("edition", [BINARY, PYTHON])
def test_archive_with_damaged_bytes_is_refused(data_home, tiny_records, monkeypatch, edition):
    archive = data_home / edition
    write_archive(archive, edition, tiny_records)
    content = bytearray(archive.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 99] = bytes(99)
    archive.write_bytes(content)
    refuse_archive(data_home, edition, monkeypatch, f"{edition} (does not hold|holds the label)")


@pytest.mark.parametrize(
    "content",
    [b"", b"no archive", gzip.compress(b""), gzip.compress(b"x")],
    ids=["nothing", "text", "nothing packed", "text packed"],
)
def test_archive_that_is_none_is_refused(data_home, monkeypatch, content):
    (data_home / BINARY).write_bytes(content)
    refuse_archive(data_home, BINARY, monkeypatch, "does not hold CIFAR-10 pictures")


@pytest.mark.parametrize("edition", [BINARY, PYTHON])
def test_archive_without_a_batch_is_refused(data_home, tiny_records, monkeypatch, edition):
    del tiny_records["data_batch_4"]
    write_archive(data_home / edition, edition, tiny_records)
    refuse_archive(data_home, edition, monkeypatch, r"data_batch_4.* not found")


@pytest.mark.parametrize("edition", [BINARY, PYTHON])
def test_archive_whose_batch_is_cut_short_is_refused(data_home, tiny_records, monkeypatch, edition):
    tiny_records["test_batch"] = tiny_records["test_batch"][:-1]
    write_archive(data_home / edition, edition, tiny_records)
    refuse_archive(data_home, edition, monkeypatch, "holds 58,387 bytes of pictures where 61,460")


@pytest.mark.parametrize("edition", [BINARY, PYTHON])
def test_batch_in_an_archive_may_not_be_large(data_home, tiny_records, monkeypatch, edition):
    tiny_records["data_batch_1"] = np.tile(tiny_records["data_batch_1"], (3, 1))
    write_archive(data_home / edition, edition, tiny_records)
    refuse_archive(data_home, edition, monkeypatch, r"data_batch_1.* is not a file of at most")


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE])
def test_batch_in_an_archive_that_is_a_link_or_pipe_is_refused(data_home, monkeypatch, kind):
    secret = data_home / "secret"
    secret.write_bytes(bytes(61_460))
    link = tarfile.TarInfo(f"{_archives.BINARY_FOLDER}/data_batch_1.bin")
    link.type, link.linkname = kind, str(secret)
    write_tar(data_home / BINARY, [link])
    refuse_archive(data_home, BINARY, monkeypatch, "data_batch_1.bin is not a file of at most")


def test_climbing_paths_in_an_archive_lead_nowhere(data_home, tiny_records, monkeypatch):
    batches = [(f"{_archives.BINARY_FOLDER}/{n}.bin", r.tobytes()) for n, r in tiny_records.items()]
    climbing = ["../climbed", "/tmp/climbed-by-skcifar", f"{_archives.BINARY_FOLDER}/../../climbed"]
    write_tar(data_home / BINARY, [*((name, b"x") for name in climbing), *batches])
    accept_archive(data_home / BINARY, BINARY, monkeypatch)
    unpack(data_home, BINARY)
    assert sorted(p.name for p in data_home.parent.rglob("*climbed*")) == []
    names = sorted(path.name for path in (data_home / _archives.BINARY_FOLDER).iterdir())
    assert names == sorted(f"{name}.bin" for name in tiny_records)


def test_archive_that_would_run_code_runs_none(data_home, tiny_records, monkeypatch):
    marker = data_home / "opened"
    pickled = pickle.dumps(Touching(marker))
    write_tar(data_home / PYTHON, [(f"{_archives.PYTHON_FOLDER}/data_batch_1", pickled)])
    refuse_archive(data_home, PYTHON, monkeypatch, r"asks for (posix|nt|os)\.system")
    assert not marker.exists()


def test_folder_that_cannot_be_made_is_an_error_of_the_machine(
    data_home, tiny_records, monkeypatch
):
    write_archive(data_home / BINARY, BINARY, tiny_records)
    accept_archive(data_home / BINARY, BINARY, monkeypatch)
    (data_home / _archives.BINARY_FOLDER).write_bytes(b"a file is in its way")
    with pytest.raises(OSError, match=_archives.BINARY_FOLDER):
        unpack(data_home, BINARY)
    assert len(list(data_home.iterdir())) == 2


# --- batches of the binary edition ---


def test_large_batch_file_is_not_read(tiny_cifar10, monkeypatch):
    with (tiny_cifar10 / _archives.BINARY_FOLDER / "data_batch_1.bin").open("r+b") as file:
        file.truncate(2**40)
    monkeypatch.setattr(np, "fromfile", None)
    with pytest.raises(DatasetError, match=r"holds 1,099,511,627,776 bytes where at most 61,460"):
        fetch_cifar10(data_home=tiny_cifar10)


@pytest.mark.parametrize("edition", ["bin", "py"])
@pytest.mark.parametrize("thing", ["folder", "pipe", "device", "link to nowhere", "circle"])
def test_batch_that_is_no_file_is_refused(data_home, edition, thing):
    folder = data_home / f"cifar-10-batches-{edition}"
    folder.mkdir()
    path = folder / ("data_batch_1.bin" if edition == "bin" else "data_batch_1")
    match thing:
        case "folder":
            path.mkdir()
        case "pipe" if hasattr(os, "mkfifo"):
            os.mkfifo(path)
        case "pipe":
            pytest.skip("this system has no named pipes")
        case "device":
            path.symlink_to(os.devnull)
        case "link to nowhere":
            path.symlink_to("nowhere")
        case "circle":
            path.symlink_to(path.name)
    with pytest.raises(DatasetError, match=r"data_batch_1(.bin)? is missing or not a file"):
        fetch_cifar10(data_home=data_home)


def test_batch_that_may_not_be_read_is_reported_by_the_machine(tiny_cifar10):
    path = tiny_cifar10 / _archives.BINARY_FOLDER / "data_batch_1.bin"
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("whoever runs this may read everything")
    with pytest.raises(OSError, match=r"Permission denied.*data_batch_1.bin"):
        fetch_cifar10(data_home=tiny_cifar10)


# --- batches of the Python edition ---


def refuse_pickle(data_home, tiny_records, monkeypatch, content, match):
    """Read a pickle behind its checksum."""
    folder = data_home / _archives.PYTHON_FOLDER
    write_python_folder(folder, tiny_records, monkeypatch)
    (folder / "data_batch_1").write_bytes(content)
    monkeypatch.setitem(_archives.PICKLE_MD5, "data_batch_1", hashlib.md5(content).hexdigest())
    with pytest.raises(DatasetError, match=match):
        fetch_cifar10(data_home=data_home)


def test_large_pickle_is_not_read(data_home, tiny_records, monkeypatch):
    folder = data_home / _archives.PYTHON_FOLDER
    write_python_folder(folder, tiny_records, monkeypatch)
    with (folder / "data_batch_1").open("r+b") as file:
        file.truncate(2**40)
    with pytest.raises(DatasetError, match=r"data_batch_1 holds 1,099,511,627,776 bytes where"):
        fetch_cifar10(data_home=data_home)


def test_pickle_that_calls_os_system_calls_nothing(data_home, tiny_records, monkeypatch):
    content = pickle.dumps({b"labels": [0], b"data": Touching(data_home / "opened")})
    refuse_pickle(data_home, tiny_records, monkeypatch, content, r"asks for (posix|nt)\.system")
    assert not (data_home / "opened").exists()


NESTED_TOO_DEEP = b"(" * 3 + b"]" * 60_000 + b"a" * 59_999 + b"."
LABELS = b"\x80\x02}(C\x06labels"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b".",
        b"0.",  # takes from an empty stack
        b"a.",
        b"\xff",
        b"I99999999999999999999999999999999999999x\n.",
        b"\x80\x09.",  # a protocol of the future
        b"\x80\x04\x95" + b"\xff" * 8 + b".",  # a frame without end
        b"\x8e" + b"\xff" * 8 + b".",  # bytes without end
        b"X\x04\0\0\0\xff\xff\xff\xff.",  # text that is none
        b"cnumpy\nndarray\n(tR.",
        b"cnumpy\nndarray\n(I1000000000000\ntR.",
        b"cnumpy\nndarray\n(I-1\ntR.",
        b"cnumpy\ndtype\n(S'O'\ntR.",
        b"h\x07.",  # something that was never kept
        b"Pan identifier\n.",
        NESTED_TOO_DEEP,
        b"N.",
        b"}.",
        LABELS + b"Nu.",
        LABELS + b"]u.",
        LABELS + b"]I300\na" + b"C\x04data]u.",
    ],
)
def test_pickle_of_nothing_sensible_is_refused(data_home, tiny_records, monkeypatch, content):
    refuse_pickle(data_home, tiny_records, monkeypatch, content, "does not hold CIFAR-10 pictures")


@pytest.mark.parametrize(
    ("labels", "data", "match"),
    [
        ([300] * 20, np.zeros((20, 3072), np.uint8), "out of bounds"),
        ([-1] * 20, np.zeros((20, 3072), np.uint8), "out of bounds"),
        ([1.5] * 20, np.zeros((20, 3072), np.uint8), "'float' object"),
        ([10] * 20, np.zeros((20, 3072), np.uint8), "holds the label 10"),
        ([1] * 19, np.zeros((20, 3072), np.uint8), "must match exactly"),
        ([1] * 20, np.zeros((20, 3071), np.uint8), "holds 61,440 bytes of pictures where 61,460"),
        ([1] * 19, np.zeros((19, 3072), np.uint8), "holds 58,387 bytes of pictures where 61,460"),
        ([1] * 20, np.zeros((20, 3072), np.int8), "its pixels are not bytes"),
        ([1] * 20, np.zeros((20, 3), object), "its pixels are not bytes"),
        ([1] * 20, [[0] * 3] * 20, "its pixels are not bytes"),
        ([1] * 20, b"pixels", "its pixels are not bytes"),
    ],
)
def test_pickle_of_other_things_is_refused(
    data_home, tiny_records, monkeypatch, labels, data, match
):
    content = pickle.dumps({b"labels": labels, b"data": data}, protocol=3)
    refuse_pickle(data_home, tiny_records, monkeypatch, content, match)


@pytest.mark.parametrize("missing", [b"labels", b"data"])
def test_pickle_without_a_part_is_refused(data_home, tiny_records, monkeypatch, missing):
    batch = pickle.loads(pickled_batch(tiny_records["data_batch_1"]))
    del batch[missing]
    content = pickle.dumps(batch, protocol=3)
    refuse_pickle(data_home, tiny_records, monkeypatch, content, missing.decode())


def test_pickle_as_python_2_wrote_it_is_read(data_home, tiny_records, monkeypatch):
    """The official files have names of arrays' own functions, and texts, as they were in 2009."""
    folder = data_home / _archives.PYTHON_FOLDER
    write_python_folder(folder, tiny_records, monkeypatch)
    records = tiny_records["data_batch_1"]
    pixels = records[:, 1:].tobytes()
    content = b"".join(
        [
            b"\x80\x02}q\x01(U\x0bbatch_labelq\x02U\x15training batch 1 of 5q\x03",
            b"U\x06labelsq\x04](",
            b"".join(b"K" + label.tobytes() for label in records[:, 0]),
            b"eU\x04dataq\x06cnumpy.core.multiarray\n_reconstruct\nq\x07cnumpy\nndarray\nq\x08K\x00",
            b"\x85U\x01b\x87Rq\t(K\x01K\x14M\x00\x0c\x86cnumpy\ndtype\nq\nU\x02u1K\x00K\x01\x87Rq\x0b(K",
            b"\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89T",
            struct.pack("<I", len(pixels)) + pixels + b"tbu.",
        ]
    )
    (folder / "data_batch_1").write_bytes(content)
    monkeypatch.setitem(_archives.PICKLE_MD5, "data_batch_1", hashlib.md5(content).hexdigest())
    images = fetch_cifar10(data_home=data_home).images
    np.testing.assert_array_equal(images[:20, 9, 9, 0], 20 * records[:, 0])


# --- what to do ---


def test_remedy_for_a_batch_is_to_delete_its_folder_which_is_fetched_whole(tiny_cifar10):
    folder = tiny_cifar10 / _archives.BINARY_FOLDER
    (folder / "data_batch_1.bin").write_bytes(b"")
    with pytest.raises(DatasetError, match=f"Delete the folder {folder} and fetch"):
        fetch_cifar10(data_home=tiny_cifar10)


def test_remedy_for_an_archive_is_to_delete_it_and_nothing_beside_it(
    data_home, tiny_records, monkeypatch
):
    tiny_records["test_batch"][0, 0] = 11
    write_archive(data_home / BINARY, BINARY, tiny_records)
    refuse_archive(data_home, BINARY, monkeypatch, r"holds the label 11 .* Delete it and fetch")
