import hashlib
import io
import pickle
import tarfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits

from skcifar import fetch_cifar10, load_digit_images, load_image_folder
from skcifar.datasets import DatasetError, _archives, load_all, load_train_test

# --- CIFAR-10 ---


def pickled_batch(records):
    """A batch as the Python edition holds it."""
    batch = {b"labels": records[:, 0].tolist(), b"data": records[:, 1:], b"batch_label": b"a batch"}
    return pickle.dumps(batch, protocol=3)


def write_archive(path, edition, tiny_records):
    with tarfile.open(path, "w:gz") as tar:
        for name, records in tiny_records.items():
            if edition == _archives.BINARY_ARCHIVE:
                inside, content = f"{_archives.BINARY_FOLDER}/{name}.bin", records.tobytes()
            else:
                inside, content = f"{_archives.PYTHON_FOLDER}/{name}", pickled_batch(records)
            info = tarfile.TarInfo(inside)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))


def write_python_folder(folder, tiny_records, monkeypatch):
    folder.mkdir(parents=True)
    for name, records in tiny_records.items():
        content = pickled_batch(records)
        (folder / name).write_bytes(content)
        monkeypatch.setitem(_archives.PICKLE_MD5, name, hashlib.md5(content).hexdigest())


def accept_archive(path, edition, monkeypatch):
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    monkeypatch.setitem(_archives.ARCHIVE_SHA256, edition, sha256)


def files_of(images):
    """The numbers of the files that pictures came from, without repetition."""
    return list(dict.fromkeys(images[:, 0, 0, 0].tolist()))


@pytest.mark.parametrize(
    ("subset", "files"),
    [("train", [1, 2, 3, 4, 5]), ("test", [6]), ("all", [1, 2, 3, 4, 5, 6])],
)
def test_subset_shows_which_pictures(tiny_cifar10, subset, files):
    dataset = fetch_cifar10(subset=subset, data_home=tiny_cifar10)
    n_samples = 20 * len(files)
    assert dataset.images.shape == (n_samples, 32, 32, 3)
    assert dataset.images.dtype == np.uint8
    assert dataset.target.shape == (n_samples,)
    assert files_of(dataset.images) == files


def test_planes_of_colour_become_pixels(tiny_cifar10):
    dataset = fetch_cifar10(data_home=tiny_cifar10)
    assert dataset.target[7] == 7
    np.testing.assert_array_equal(dataset.images[7, 1:], np.full((31, 32, 3), [140, 141, 142]))


def test_bunch_describes_itself(tiny_cifar10):
    dataset = fetch_cifar10(data_home=tiny_cifar10)
    assert dataset.target_names[dataset.target[3]] == "cat"
    assert "Krizhevsky" in dataset.DESCR
    assert dataset.data.shape == (100, 3072)
    assert np.shares_memory(dataset.data, dataset.images)


def test_return_x_y(tiny_cifar10):
    X, y = fetch_cifar10(data_home=tiny_cifar10, subset="test", return_X_y=True)
    assert X.shape == (20, 32, 32, 3)
    assert y.shape == (20,)


def test_shuffle_keeps_pictures_with_their_labels(tiny_cifar10):
    options = {"data_home": tiny_cifar10, "shuffle": True}
    first, again, other = (fetch_cifar10(**options, random_state=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first.images, again.images)
    assert not np.array_equal(first.target, other.target)
    np.testing.assert_array_equal(first.images[:, 9, 9, 0], 20 * first.target)


def test_data_home_follows_scikit_learn(tiny_cifar10, monkeypatch):
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tiny_cifar10))
    assert len(fetch_cifar10(subset="test").images) == 20


def test_python_edition_is_read(data_home, tiny_records, monkeypatch):
    write_python_folder(data_home / _archives.PYTHON_FOLDER, tiny_records, monkeypatch)
    dataset = fetch_cifar10(data_home=data_home)
    assert files_of(dataset.images) == [1, 2, 3, 4, 5]
    np.testing.assert_array_equal(dataset.images[:, 9, 9, 0], 20 * dataset.target)


@pytest.mark.parametrize("edition", [_archives.BINARY_ARCHIVE, _archives.PYTHON_ARCHIVE])
def test_archive_is_unpacked_once(data_home, tiny_records, monkeypatch, edition):
    archive = data_home / edition
    write_archive(archive, edition, tiny_records)
    accept_archive(archive, edition, monkeypatch)
    first = fetch_cifar10(data_home=data_home, subset="all")
    archive.unlink()
    again = fetch_cifar10(data_home=data_home, subset="all")
    assert files_of(first.images) == [1, 2, 3, 4, 5, 6]
    np.testing.assert_array_equal(first.images, again.images)


@pytest.mark.parametrize("edition", [_archives.BINARY_ARCHIVE, _archives.PYTHON_ARCHIVE])
def test_data_home_may_be_an_archive(data_home, tiny_records, monkeypatch, edition):
    archive = data_home / edition.replace(".tar.gz", " (1).tgz")
    write_archive(archive, edition, tiny_records)
    accept_archive(archive, edition, monkeypatch)
    assert files_of(fetch_cifar10(data_home=archive).images) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("edition", [_archives.BINARY_ARCHIVE, _archives.PYTHON_ARCHIVE])
def test_archive_is_found_one_folder_below(data_home, tiny_records, monkeypatch, edition):
    archive = data_home / "downloads" / edition
    archive.parent.mkdir()
    write_archive(archive, edition, tiny_records)
    accept_archive(archive, edition, monkeypatch)
    assert files_of(fetch_cifar10(data_home=data_home).images) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("place", [".", "..", "cifar-10-batches-py"])
def test_folder_of_pickles_is_found_from_near_it(data_home, tiny_records, monkeypatch, place):
    write_python_folder(data_home / _archives.PYTHON_FOLDER, tiny_records, monkeypatch)
    dataset = fetch_cifar10(data_home=data_home / place, download_if_missing=False)
    assert files_of(dataset.images) == [1, 2, 3, 4, 5]


def test_folder_of_batches_may_have_another_name(tiny_cifar10):
    (tiny_cifar10 / "cifar-10-batches-bin").rename(tiny_cifar10 / "cifar")
    for place in (".", "cifar"):
        dataset = fetch_cifar10(data_home=tiny_cifar10 / place, download_if_missing=False)
        assert files_of(dataset.images) == [1, 2, 3, 4, 5]


def test_what_was_looked_for_where_is_said(data_home):
    with pytest.raises(OSError, match=r"neither the folder .* nor the archive .* is in") as raised:
        fetch_cifar10(data_home=data_home, download_if_missing=False)
    for place in (data_home, data_home.parent / "keras" / "datasets"):
        assert str(place) in str(raised.value)


def test_several_may_unpack_the_same_archive_at_once(data_home, tiny_records, monkeypatch):
    archive = data_home / _archives.BINARY_ARCHIVE
    write_archive(archive, _archives.BINARY_ARCHIVE, tiny_records)
    accept_archive(archive, _archives.BINARY_ARCHIVE, monkeypatch)
    folder = data_home / _archives.BINARY_FOLDER
    futures = []
    with ThreadPoolExecutor(4) as pool:
        for _ in range(4):
            futures.append(pool.submit(_archives.unpack_archive, archive, archive.name, folder))
    assert [future.result() for future in futures] == [None] * 4
    assert sorted(data_home.iterdir()) == [folder, archive]
    assert len(fetch_cifar10(data_home=data_home).images) == 100


@pytest.mark.parametrize(
    "place", ["cifar-10-batches-py-target/cifar-10-batches-py", "cifar-10-batches-py"]
)
def test_cache_of_keras_is_found(data_home, tiny_records, monkeypatch, place):
    folder = data_home.parent / "keras" / "datasets" / place
    write_python_folder(folder, tiny_records, monkeypatch)
    assert len(fetch_cifar10(data_home=data_home, subset="test").images) == 20


def test_cache_of_keras_is_looked_for_at_home(data_home, tiny_records, monkeypatch, tmp_path):
    monkeypatch.delenv("KERAS_HOME")
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "home")
    folder = tmp_path / "home" / ".keras" / "datasets" / _archives.PYTHON_FOLDER
    write_python_folder(folder, tiny_records, monkeypatch)
    assert len(fetch_cifar10(data_home=data_home, subset="test").images) == 20


def test_missing_pictures_are_not_downloaded_against_the_caller_s_will(data_home):
    with pytest.raises(OSError, match="download_if_missing=True"):
        fetch_cifar10(data_home=data_home, download_if_missing=False)


@pytest.mark.parametrize(
    ("parameter", "value"),
    [("subset", "validation"), ("n_retries", -1), ("delay", "soon"), ("delay", -0.5)],
)
def test_invalid_parameters_are_reported(parameter, value):
    with pytest.raises(ValueError, match=f"'{parameter}' parameter of fetch_cifar10 must be"):
        fetch_cifar10(**{parameter: value})


# --- damage ---


def test_batch_file_of_the_wrong_size_is_named(tiny_cifar10):
    path = tiny_cifar10 / _archives.BINARY_FOLDER / "data_batch_3.bin"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(DatasetError, match=r"data_batch_3.bin holds 61,459 bytes .* 61,460"):
        fetch_cifar10(data_home=tiny_cifar10)


def test_missing_batch_file_is_named(tiny_cifar10):
    (tiny_cifar10 / _archives.BINARY_FOLDER / "test_batch.bin").unlink()
    with pytest.raises(DatasetError, match=r"test_batch.bin is missing"):
        fetch_cifar10(data_home=tiny_cifar10, subset="test")


def test_label_above_9_is_named(tiny_cifar10, tiny_records):
    tiny_records["data_batch_2"][5, 0] = 10
    tiny_records["data_batch_2"].tofile(tiny_cifar10 / _archives.BINARY_FOLDER / "data_batch_2.bin")
    with pytest.raises(DatasetError, match=r"data_batch_2.bin holds the label 10 .* are 0 to 9"):
        fetch_cifar10(data_home=tiny_cifar10)


@pytest.mark.parametrize("edition", [_archives.BINARY_ARCHIVE, _archives.PYTHON_ARCHIVE])
def test_archive_cut_short_leaves_nothing_behind(data_home, tiny_records, monkeypatch, edition):
    archive = data_home / edition
    write_archive(archive, edition, tiny_records)
    accept_archive(archive, edition, monkeypatch)
    archive.write_bytes(archive.read_bytes()[:-100])
    with pytest.raises(DatasetError, match=f"{edition} is cut short or is not the official"):
        fetch_cifar10(data_home=data_home)
    assert list(data_home.iterdir()) == [archive]


def test_pickle_without_its_checksum_is_not_opened(data_home, tiny_records, monkeypatch):
    folder = data_home / _archives.PYTHON_FOLDER
    write_python_folder(folder, tiny_records, monkeypatch)
    (folder / "data_batch_1").write_bytes(b"cos\nsystem\n(S'touch opened'\ntR.")
    monkeypatch.chdir(data_home)
    with pytest.raises(DatasetError, match="data_batch_1 is not the official file"):
        fetch_cifar10(data_home=data_home)
    assert not (data_home / "opened").exists()


def test_pickle_that_requests_code_is_refused_even_with_its_checksum(
    data_home, tiny_records, monkeypatch
):
    folder = data_home / _archives.PYTHON_FOLDER
    write_python_folder(folder, tiny_records, monkeypatch)
    content = b"cos\nsystem\n(S'touch opened'\ntR."
    (folder / "data_batch_1").write_bytes(content)
    monkeypatch.setitem(_archives.PICKLE_MD5, "data_batch_1", hashlib.md5(content).hexdigest())
    monkeypatch.chdir(data_home)
    with pytest.raises(DatasetError, match=r"asks for os.system"):
        fetch_cifar10(data_home=data_home)
    assert not (data_home / "opened").exists()


# --- digits ---


def test_digits_are_pictures_of_cifar10_s_size():
    train, test = (load_digit_images(subset=subset) for subset in ("train", "test"))
    assert train.images.shape == (1437, 32, 32, 3)
    assert test.images.shape == (360, 32, 32, 3)
    assert train.images.dtype == np.uint8
    assert (train.images.min(), train.images.max()) == (0, 255)
    assert np.shares_memory(train.data, train.images)


def test_digits_split_is_stratified_and_whole():
    counts = [np.bincount(load_digit_images(subset=s).target) for s in ("train", "test", "all")]
    np.testing.assert_array_equal(counts[0] + counts[1], counts[2])
    np.testing.assert_allclose(counts[1] / counts[2], 0.2, atol=0.01)


def test_digits_show_what_their_labels_say():
    dataset = load_digit_images(subset="all")
    digits = load_digits()
    small = dataset.images[:, ::4, ::4, 0].reshape(-1, 64).astype(int)
    known = {
        row.tobytes(): label
        for row, label in zip(
            np.round(digits.data * 255 / 16).astype(int), digits.target, strict=True
        )
    }
    assert [known[row.tobytes()] for row in small] == dataset.target.tolist()


# --- sources by name ---


def test_source_by_name_comes_with_class_names(tiny_cifar10):
    (X_train, y_train, _), (X_test, y_test, _) = load_train_test("cifar10", data_home=tiny_cifar10)
    assert X_train.shape == (100, 32, 32, 3)
    assert X_test.shape == (20, 32, 32, 3)
    assert y_train[3] == "cat"
    assert y_test[8] == "ship"


def test_limit_keeps_a_stratified_part(tiny_cifar10):
    train, test = load_train_test("cifar10", data_home=tiny_cifar10, limit=30)
    (X_train, y_train, _), (_, y_test, _) = train, test
    assert len(X_train) == 30
    assert np.unique(y_train, return_counts=True)[1].tolist() == [3] * 10
    assert len(y_test) == 20


def test_limit_below_the_number_of_classes_is_refused(tiny_cifar10):
    with pytest.raises(DatasetError, match="cifar10 has 10 classes, so the limit of 5 is too low"):
        load_train_test("cifar10", data_home=tiny_cifar10, limit=5)


def test_limit_of_one_picture_a_class_is_kept(tiny_cifar10):
    (_, names, _), _ = load_train_test("cifar10", data_home=tiny_cifar10, limit=10)
    assert len(set(names)) == len(names) == 10


def test_parts_of_the_digits_are_always_the_same():
    (_, y_train, _), (_, y_test, _) = load_train_test("digits", limit=10)
    assert "".join(load_digit_images(subset="test").target[:10].astype(str)) == "7637732893"
    assert "".join(y_train) == "1537982406"
    assert "".join(y_test) == "2614783590"


@pytest.mark.parametrize(
    ("load", "params"),
    [
        (load_digit_images, {"subset": "dev"}),
        (load_digit_images, {"return_X_y": 2}),
        (load_image_folder, {"path": 5}),
        (load_image_folder, {"path": ".", "image_size": 32}),
    ],
)
def test_wrong_parameter_is_reported_in_the_words_of_scikit_learn(load, params):
    (name, *_) = reversed(params)
    with pytest.raises(ValueError, match=f"The {name!r} parameter of {load.__name__} must be"):
        load(**params)


def test_limit_just_below_the_number_of_pictures_is_kept():
    (X_train, _, _), (X_test, _, _) = load_train_test("digits", limit=359)
    assert (len(X_train), len(X_test)) == (359, 359)


def test_all_pictures_are_those_of_training_and_test(tiny_cifar10):
    images, names, _ = load_all("cifar10", data_home=tiny_cifar10)
    assert files_of(images) == [1, 2, 3, 4, 5, 6]
    assert names[8] == "ship"
