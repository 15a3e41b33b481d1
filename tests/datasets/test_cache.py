"""What is kept of decoded pictures."""

import errno
import os
import shutil
from contextlib import contextmanager

import numpy as np
import pytest
from PIL import Image

from skcifar import load_image_folder
from skcifar.datasets import DatasetError, _cache, load_train_test


@pytest.fixture
def pets(tmp_path):
    for name, color in (("cat", "red"), ("dog", "blue")):
        (tmp_path / "pets" / name).mkdir(parents=True)
        for n in range(5):
            Image.new("RGB", (6 + n, 9), color).save(tmp_path / "pets" / name / f"{n}.png")
    return tmp_path / "pets"


@pytest.fixture
def kept(tmp_path):
    return tmp_path / "kept"


@pytest.fixture
def decoded(monkeypatch):
    """How many files were decoded at each call."""
    counts, decode_all = [], _cache.decode_all

    def counting(sources, *args, **kwargs):
        counts.append(len(sources))
        return decode_all(sources, *args, **kwargs)

    monkeypatch.setattr(_cache, "decode_all", counting)
    return counts


def test_pictures_are_decoded_once_and_memory_mapped(pets, kept, decoded):
    expected = load_image_folder(pets)
    first, second = (load_image_folder(pets, cache=kept) for _ in range(2))
    assert decoded == [10, 10]
    for dataset in (first, second):
        assert isinstance(dataset.images.bytes_of(slice(None)), np.memmap)
        np.testing.assert_array_equal(dataset.images, expected.images)
        assert dataset.DESCR == expected.DESCR
    assert sorted(path.suffix for path in kept.iterdir()) == [".json", ".npy"]


@pytest.mark.parametrize(
    "options", [{"image_size": (16, 16)}, {"resize": "pad"}, {"n_channels": 1}]
)
def test_other_choices_are_decoded_anew(pets, kept, decoded, options):
    load_image_folder(pets, cache=kept)
    expected = load_image_folder(pets, **options).images
    np.testing.assert_array_equal(load_image_folder(pets, cache=kept, **options).images, expected)
    assert decoded == [10, 10, 10]


def test_change_of_a_file_is_noticed(pets, kept):
    load_image_folder(pets, cache=kept)
    Image.new("RGB", (6, 9), "lime").save(pets / "cat" / "0.png")
    os.utime(pets / "cat" / "0.png", ns=(0, 0))
    assert load_image_folder(pets, cache=kept).images[0, 0, 0].tolist() == [0, 255, 0]
    (pets / "cat" / "1.png").unlink()
    assert len(load_image_folder(pets, cache=kept).images) == 9


def test_file_that_was_cut_short_is_made_again(pets, kept, decoded):
    expected = np.array(load_image_folder(pets, cache=kept).images)
    for path in kept.iterdir():
        path.write_bytes(path.read_bytes()[:20])
        np.testing.assert_array_equal(load_image_folder(pets, cache=kept).images, expected)
    assert decoded == [10, 10, 10]


def test_many_pictures_are_decoded_in_chunks(pets, kept, decoded, monkeypatch):
    expected = load_image_folder(pets)
    monkeypatch.setattr(_cache, "CHUNK_BYTES", 4 * 32 * 32 * 3)
    counts = []

    @contextmanager
    def progress(n_pictures):
        yield counts.append

    train, test = load_train_test(pets, cache=kept, progress=progress)
    assert decoded == [10, 4, 4, 2]
    assert counts == list(range(1, 11))
    paths = np.concatenate([train.filenames, test.filenames])
    order = [expected.filenames.tolist().index(path) for path in paths]
    images = np.concatenate([train.images, test.images])
    np.testing.assert_array_equal(images, expected.images[order])


def test_unreadable_files_are_remembered_with_their_reasons(pets, kept, decoded, monkeypatch):
    monkeypatch.setattr(_cache, "CHUNK_BYTES", 4 * 32 * 32 * 3)
    for name in ("cat/2.png", "dog/4.png"):
        (pets / name).write_bytes(b"no picture")
    for _ in range(2):
        with pytest.raises(DatasetError, match=r"2 of 10 files .*2\.png \(its format is unknown"):
            load_image_folder(pets, cache=kept)
    expected = load_image_folder(pets, skip_unreadable=True)
    dataset = load_image_folder(pets, cache=kept, skip_unreadable=True)
    np.testing.assert_array_equal(dataset.images, expected.images)
    assert dataset.filenames.tolist() == expected.filenames.tolist()
    assert dataset.DESCR == expected.DESCR
    assert decoded == [4, 4, 2, 10]


def test_folder_of_unreadable_files_alone_is_refused(pets, kept):
    for path in pets.glob("*/*"):
        path.write_bytes(b"no picture")
    with pytest.raises(DatasetError, match="10 of 10 files"):
        load_image_folder(pets, cache=kept, skip_unreadable=True)


def fail_to_write(file, shape):
    raise OSError(errno.ENOSPC, "No space left on device")


def test_full_disk_costs_a_warning_and_nothing_else(pets, kept, monkeypatch):
    monkeypatch.setattr(_cache, "_write_header", fail_to_write)
    with pytest.warns(UserWarning, match="not kept in .*No space left on device"):
        dataset = load_image_folder(pets, cache=kept)
    np.testing.assert_array_equal(dataset.images, load_image_folder(pets).images)
    assert list(kept.iterdir()) == []


def test_disk_with_too_little_room_is_not_written_to(pets, kept, monkeypatch):
    usage = shutil.disk_usage(pets)._replace(free=10 * 32 * 32 * 3 - 1)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    with pytest.warns(UserWarning, match="they take 30,720 bytes, and 30,719 are free"):
        assert len(load_image_folder(pets, cache=kept).images) == 10
    assert list(kept.iterdir()) == []


def test_folder_that_cannot_be_made_costs_a_warning(pets, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.warns(UserWarning, match="not kept in"):
        assert len(load_image_folder(pets, cache=tmp_path / "file" / "kept").images) == 10


def test_interrupt_leaves_nothing_behind(pets, kept):
    @contextmanager
    def progress(n_pictures):
        def interrupt(n_done):
            raise KeyboardInterrupt

        yield interrupt

    with pytest.raises(KeyboardInterrupt):
        load_train_test(pets, cache=kept, progress=progress)
    assert list(kept.iterdir()) == []


def test_what_was_not_used_for_longest_goes_first(pets, kept, decoded, monkeypatch):
    sizes = [(8, 8), (9, 9), (10, 10)]
    for second, size in enumerate(sizes[:2]):
        load_image_folder(pets, image_size=size, cache=kept)
        (path,) = (p for p in kept.glob("*.npy") if p.stat().st_mtime > 1e6)
        os.utime(path, (second, second))
    load_image_folder(pets, image_size=sizes[0], cache=kept)  # which is used again
    monkeypatch.setattr(_cache, "MAX_BYTES", 10 * 3 * (64 + 100) + 200)
    load_image_folder(pets, image_size=sizes[2], cache=kept)
    assert len(list(kept.iterdir())) == 4
    for size in (sizes[0], sizes[2]):
        load_image_folder(pets, image_size=size, cache=kept)
    assert len(decoded) == 3
    load_image_folder(pets, image_size=sizes[1], cache=kept)
    assert len(decoded) == 4


def test_what_can_never_fit_takes_no_room_from_others(pets, kept, decoded, monkeypatch):
    load_image_folder(pets, image_size=(8, 8), cache=kept)
    monkeypatch.setattr(_cache, "MAX_BYTES", 3000)
    with pytest.warns(UserWarning, match="are not kept"):
        load_image_folder(pets, image_size=(100, 100), cache=kept)
    load_image_folder(pets, image_size=(8, 8), cache=kept)
    assert len(decoded) == 2


def test_default_is_the_folder_of_the_system(pets):
    folder = _cache.default_folder()
    before = len(_cache.kept_files(folder))
    load_image_folder(pets, cache=True)
    assert len(_cache.kept_files(folder)) == before + 1
