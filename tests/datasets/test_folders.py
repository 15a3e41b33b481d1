"""What folders and tables of pictures are taken for, and what is told of them."""

import os
import unicodedata
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from skcifar import load_digit_images, load_image_csv, load_image_files, load_image_folder
from skcifar.datasets import DatasetError, load_all, load_train_test
from skcifar.datasets._duplicates import near_duplicates


def put(folder, *paths, size=(6, 4)):
    """Put pictures into a folder; the colour of each tells its class."""
    for path in paths:
        path = folder / path
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", size, "red" if "cat" in str(path) else "blue").save(path)
    return folder


def classes(*parents):
    return [
        f"{parent}/{name}/{n}.png" for parent in parents for name in ("cat", "dog") for n in "ab"
    ]


# --- splits ---


@pytest.mark.parametrize(
    ("names", "subsets"),
    [
        (("train", "val"), ["train", "validation"]),
        (("Train", "Test"), ["train", "test"]),
        (("training", "validation"), ["train", "validation"]),
        (("TRAIN", "valid", "eval"), ["train", "validation", "test"]),
        (("training_set", "test_set"), ["train", "test"]),
        (("Training Data", "dev", "testing"), ["train", "validation", "test"]),
        (("train",), ["train"]),
    ],
)
def test_folders_of_splits_are_known_in_all_spellings(tmp_path, names, subsets):
    dataset = load_image_folder(put(tmp_path, *classes(*names)))
    assert dataset.target_names.tolist() == ["cat", "dog"]
    assert dataset.subsets.tolist() == np.repeat(subsets, 4).tolist()
    for subset in subsets:
        assert load_image_folder(tmp_path, subset=subset).target.tolist() == [0, 0, 1, 1]
        assert f"{subset}, 4: cat 2, dog 2" in dataset.DESCR


def test_subset_that_is_not_there_is_refused(tmp_path):
    put(tmp_path, *classes("train", "val"))
    with pytest.raises(DatasetError, match="no test pictures, only train and validation"):
        load_image_folder(tmp_path, subset="test")
    with pytest.raises(DatasetError, match="no test pictures: it is not divided"):
        load_image_folder(tmp_path / "train", subset="test")


@pytest.mark.parametrize(
    ("names", "tested", "told"),
    [
        (("train", "val"), "val", "train is used for training, validation for testing"),
        (("train", "test"), "test", "train is used for training, test for testing"),
        (
            ("train", "val", "test"),
            "test",
            "train is used for training, test for testing; validation is not used",
        ),
    ],
)
def test_training_and_testing_go_by_the_splits(tmp_path, names, tested, told):
    lines = []
    train, test = load_train_test(put(tmp_path, *classes(*names)), report=lines.append)
    assert {path.split("/")[-3] for path in train.filenames} == {"train"}
    assert {path.split("/")[-3] for path in test.filenames} == {tested}
    assert lines[0] == told


def test_training_pictures_alone_are_split_four_to_one(tmp_path):
    put(tmp_path, *[f"train/{name}/{n}.png" for name in ("cat", "dog") for n in range(5)])
    lines = []
    train, test = load_train_test(tmp_path, report=lines.append)
    assert (len(train.images), len(test.images)) == (8, 2)
    assert lines[0] == "one in five pictures of each class is kept for testing"


def test_without_training_pictures_nothing_is_trained(tmp_path):
    put(tmp_path, *classes("val", "test"))
    with pytest.raises(DatasetError, match="for validation and test, but none for training"):
        load_train_test(tmp_path)
    assert len(load_all(tmp_path).images) == 8


@pytest.mark.parametrize(
    "paths",
    [
        ["train/a.png", "test/b.png"],  # no class in sight
        ["train/a.png"],
        ["cat/a.png", "dog/b.png", "test/c.png"],  # a tested class, or pictures without one
        [*classes("train", "test"), "dog/b.png"],
    ],
)
def test_ambiguous_layout_is_refused_with_the_way_to_say_it(tmp_path, paths):
    put(tmp_path, *paths)
    with pytest.raises(DatasetError, match='Set layout="splits" or layout="classes"'):
        load_image_folder(tmp_path)
    names = load_image_folder(tmp_path, layout="classes").target_names
    assert names.tolist() == sorted({path.split("/")[0] for path in paths})


def test_layout_of_splits_leaves_out_other_folders(tmp_path):
    put(tmp_path, *classes("train", "test"), "notes/scan.png")
    dataset = load_image_folder(tmp_path, layout="splits")
    assert dataset.target_names.tolist() == ["cat", "dog"]
    assert f"left out, folders beside the splits: 1 ({tmp_path / 'notes'})" in dataset.DESCR


def test_a_train_among_other_vehicles_is_a_class(tmp_path):
    put(tmp_path, "bus/a.png", "car/a.png", "train/a.png")
    assert load_image_folder(tmp_path).target_names.tolist() == ["bus", "car", "train"]


def test_layout_of_splits_needs_some(tmp_path):
    with pytest.raises(DatasetError, match="holds no train, validation or test with a folder"):
        load_image_folder(put(tmp_path, *classes("pets")), layout="splits")


def test_two_folders_for_one_split_are_refused(tmp_path):
    with pytest.raises(DatasetError, match=r"train, training, some of which mean the same"):
        load_image_folder(put(tmp_path, *classes("train", "training")))


def test_unlabelled_pictures_of_a_split_are_told(tmp_path):
    put(tmp_path, *classes("train"), "test/1.png", "test/2.png")
    dataset = load_image_folder(tmp_path)
    assert set(dataset.subsets) == {"train"}
    assert "left out, files beside the class folders: 2" in dataset.DESCR


# --- names ---


def test_label_is_found_in_the_name_by_a_pattern(tmp_path):
    put(tmp_path, "cat.1.png", "dog.2.png", "more/cat.3.png")
    for pattern in (r"^[a-z]+", r"^([a-z]+)\.\d", r"^(?P<label>\w+?)\.(\d+)"):
        dataset = load_image_folder(tmp_path, label_pattern=pattern)
        assert dataset.target_names[dataset.target].tolist() == ["cat", "dog", "cat"]
    assert "left out" not in dataset.DESCR


def test_label_in_the_name_and_splits_by_folder(tmp_path):
    put(tmp_path, "train/cat.1.png", "train/dog.1.png", "test/cat.2.png")
    dataset = load_image_folder(tmp_path, label_pattern=r"^\w+", subset="test")
    assert dataset.filenames.tolist() == [str(tmp_path / "test/cat.2.png")]


def test_names_that_a_pattern_does_not_fit_are_told(tmp_path):
    put(tmp_path, "cat.1.png", "7.png")
    with pytest.raises(
        DatasetError, match=r"in 1 of 2 file names: .*7\.png. Correct label_pattern"
    ):
        load_image_folder(tmp_path, label_pattern=r"^([a-z]+)\.\d")


def test_pattern_must_be_one(tmp_path):
    with pytest.raises(ValueError, match="'label_pattern' parameter must be a regular expression"):
        load_image_folder(tmp_path, label_pattern="(")


@pytest.mark.parametrize(
    "names", [("Cat", "cat"), [unicodedata.normalize(form, "é") for form in ("NFC", "NFD")]]
)
def test_names_of_classes_that_look_alike_are_refused(tmp_path, names):
    put(tmp_path, *[f"{name}/a.png" for name in names])
    if len(list(tmp_path.iterdir())) == 1:
        pytest.skip("this file system does so itself")
    with pytest.raises(DatasetError, match="differ only in case or Unicode form"):
        load_image_folder(tmp_path)


def test_names_may_be_as_long_as_files_allow(tmp_path):
    put(tmp_path, f"{'c' * 255}/{'a' * 251}.png")
    dataset = load_image_folder(tmp_path)
    assert dataset.target_names.tolist() == ["c" * 255]
    assert dataset.filenames[0].endswith("a.png")


# --- what is left out ---


def test_what_systems_leave_beside_pictures_is_passed_over(tmp_path):
    put(tmp_path, *classes("."))
    for name in ("Thumbs.db", "desktop.ini", ".DS_Store", "cat/Thumbs.db", "cat/._a.png"):
        (tmp_path / name).write_bytes(b"no picture")
    put(tmp_path, "__MACOSX/cat/a.png", "dog/@eaDir/a.png")
    dataset = load_image_folder(tmp_path)
    assert len(dataset.images) == 4
    assert "left out" not in dataset.DESCR


def test_what_is_left_out_is_told(tmp_path):
    put(tmp_path, *classes("."), "of-no-class.png")
    (tmp_path / "cat" / "more").symlink_to(tmp_path / "dog", target_is_directory=True)
    (tmp_path / "up").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "cat" / "gone.png").symlink_to("nowhere")
    (tmp_path / "cat" / "circle.png").symlink_to("circle.png")
    lines = load_image_folder(tmp_path).DESCR.split("\n")
    assert f"left out, linked folders: 2 ({tmp_path / 'up'}, {tmp_path / 'cat/more'})" in lines
    assert f"left out, files beside the class folders: 1 ({tmp_path / 'of-no-class.png'})" in lines
    assert any(line.startswith("left out, links to nothing: 2 (") for line in lines)


def test_class_may_be_a_link(tmp_path):
    elsewhere = put(tmp_path / "elsewhere", "a.png")
    folder = put(tmp_path / "pets", "cat/a.png")
    (folder / "dog").symlink_to(elsewhere, target_is_directory=True)
    assert load_image_folder(folder).target_names.tolist() == ["cat", "dog"]


def test_unreadable_files_are_left_out_on_request_with_their_reasons(tmp_path):
    put(tmp_path, *classes("."))
    (tmp_path / "cat" / "aa.jpg").write_bytes(b"no picture")
    with pytest.raises(DatasetError, match=r"aa\.jpg \(its format is unknown\).*skip_unreadable"):
        load_image_folder(tmp_path)
    dataset = load_image_folder(tmp_path, skip_unreadable=True)
    assert [Path(name).name for name in dataset.filenames] == ["a.png", "b.png"] * 2
    assert dataset.images[:2, 0, 0].tolist() == [[255, 0, 0]] * 2
    assert dataset.target.tolist() == [0, 0, 1, 1]
    left_out = f"files that cannot be read: 1 ({tmp_path / 'cat/aa.jpg'} (its format is unknown))"
    assert dataset.DESCR.endswith(left_out)


def test_folder_of_unreadable_files_alone_is_refused(tmp_path):
    (tmp_path / "cat").mkdir()
    (tmp_path / "cat" / "a.jpg").write_bytes(b"no picture")
    with pytest.raises(DatasetError, match="1 of 1 files cannot be read"):
        load_image_folder(tmp_path, skip_unreadable=True)


def test_folder_without_the_right_to_read_it_is_named(tmp_path, monkeypatch):
    put(tmp_path, *classes("."))

    def refuse(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(
        DatasetError, match=r"cannot be listed \(Permission denied\)\. Get permission"
    ):
        load_image_folder(tmp_path)


def test_description_says_counts_sizes_and_what_was_done(tmp_path):
    put(tmp_path, "cat/a.png", size=(10, 20))
    put(tmp_path, "cat/b.png", "dog/a.png", size=(40, 30))
    put(tmp_path, "dog/b.png", "dog/c.png", size=(300, 200))
    dataset = load_image_folder(tmp_path, image_size=(8, 16), resize="pad", n_channels=1)
    assert dataset.DESCR.split("\n") == [
        f"5 pictures of 2 classes from the folder {tmp_path}, padded to 8 x 16 pixels in grey",
        "cat 2, dog 3",
        "width x height: smallest 10 x 20, median 40 x 30, largest 300 x 200",
    ]


# --- lists and tables ---


def test_lists_of_paths_and_labels(tmp_path):
    put(tmp_path, *classes("."))
    paths = [tmp_path / "dog" / "a.png", str(tmp_path / "cat" / "a.png")]
    dataset = load_image_files(paths, ["hund", "katze"], image_size=(2, 2))
    assert dataset.images[:, 0, 0].tolist() == [[0, 0, 255], [255, 0, 0]]
    assert dataset.target_names.tolist() == ["hund", "katze"]
    assert dataset.filenames.tolist() == list(map(str, paths))


def test_numbers_are_labels_in_their_order(tmp_path):
    pandas = pytest.importorskip("pandas")
    put(tmp_path, *classes("."))
    paths = [str(tmp_path / "cat/a.png"), str(tmp_path / "dog/a.png")]
    table = pandas.DataFrame({"path": paths, "label": [10, 9]})
    dataset = load_image_files(table["path"], table["label"])
    assert dataset.target_names.tolist() == ["9", "10"]
    assert dataset.target.tolist() == [1, 0]


@pytest.mark.parametrize(("paths", "labels"), [([], []), (["a.png"], ["cat", "dog"])])
def test_each_path_needs_a_label(paths, labels):
    with pytest.raises(ValueError, match="must hold one label for each"):
        load_image_files(paths, labels)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("mark", ["", "\N{BYTE ORDER MARK}"])
def test_table_of_paths_and_labels(tmp_path, separator, mark):
    put(tmp_path, *classes("pets"))
    rows = ["file,kind,part", "pets/dog/a.png,dog,Training", "pets/cat/a.png,cat,val"]
    text = mark + "\n".join(rows).replace(",", separator)
    (tmp_path / "pets.csv").write_text(text, encoding="utf-8")
    columns = {"path_column": "file", "label_column": "kind"}
    dataset = load_image_csv(tmp_path / "pets.csv", **columns)
    assert dataset.target_names[dataset.target].tolist() == ["dog", "cat"]
    assert dataset.images[1, 0, 0].tolist() == [255, 0, 0]
    subsets = load_image_csv(tmp_path / "pets.csv", **columns, subset_column="part").subsets
    assert subsets.tolist() == ["train", "validation"]


def test_table_is_a_source_as_a_folder_is(tmp_path):
    put(tmp_path, *classes("pets"))
    rows = ["path,label,split", "pets/dog/a.png,dog,train", "pets/dog/b.png,dog,test"]
    (tmp_path / "pets.csv").write_text("\n".join(rows))
    train, test = load_train_test(tmp_path / "pets.csv", subset_column="split")
    assert train.filenames.tolist() == [str(tmp_path / "pets/dog/a.png")]
    assert test.filenames.tolist() == [str(tmp_path / "pets/dog/b.png")]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("file,label\na.png,cat", r"no column 'path' \(columns: 'file', 'label'\)\. Name the"),
        ("path,label\na.png,", "nothing in column 'label' of row 2"),
        ("path,label\na.png", "nothing in column 'label' of row 2"),
        ("path,label\n", "has only a header"),
        ("", r"no column 'path' \(columns: none\)"),
        ("path,label\na.png,cat", r"1 of 1 files .*a\.png \(it does not exist"),
        ("path,label\n\xe9.png,cat", "cannot be read as a table .*utf-8"),
    ],
)
def test_table_that_is_wrong_is_refused(tmp_path, content, message):
    (tmp_path / "pets.csv").write_bytes(content.encode("latin-1"))
    with pytest.raises(DatasetError, match=message):
        load_image_csv(tmp_path / "pets.csv")


def test_split_that_a_table_makes_up_is_refused(tmp_path):
    (tmp_path / "pets.csv").write_text("path,label,split\na.png,cat,other")
    with pytest.raises(DatasetError, match="has 'other' in column 'split'"):
        load_image_csv(tmp_path / "pets.csv", subset_column="split")


# --- few pictures, and limits ---


def test_two_pictures_a_class_are_enough(tmp_path):
    train, test = load_train_test(put(tmp_path, *classes(".")))
    assert sorted(train.names) == sorted(test.names) == ["cat", "dog"]


def test_one_class_cannot_be_learned(tmp_path):
    with pytest.raises(DatasetError, match=r"cannot be split .*: there is only one class, cat"):
        load_train_test(put(tmp_path, "cat/a.png", "cat/b.png"))


def test_limit_acts_before_pictures_are_read(tmp_path):
    put(tmp_path, *[f"{name}/{n}.png" for name in ("cat", "dog") for n in range(10)])
    counts = []

    @contextmanager
    def progress(n_pictures):
        yield lambda n_done: counts.append((n_done, n_pictures))

    train, test = load_train_test(tmp_path, limit=3, progress=progress)
    assert (len(train.images), len(test.images)) == (3, 3)
    assert counts == [(n, 6) for n in range(1, 7)]


# --- groups and near-duplicates ---


def photographs(folder, n_days=6):
    """Two classes of noise, three pictures a day of nearly the same."""
    rng = np.random.default_rng(0)
    for name in ("cat", "dog"):
        (folder / name).mkdir(parents=True)
        for day in range(n_days):
            pixels = rng.integers(0, 256, size=(8, 8, 3), dtype=np.uint8)
            picture = Image.fromarray(pixels).resize((64, 48))
            for n, quality in enumerate((95, 80, 60)):
                picture.save(folder / name / f"day{day}-{n}.jpg", quality=quality)
    return folder


def test_group_stays_on_one_side(tmp_path):
    photographs(tmp_path)
    lines = []
    for pattern in (r"^day\d+", r"^(day\d+)-", r"-?(?P<group>day(\d+))"):
        train, test = load_train_test(tmp_path, group_by=pattern, report=lines.append)
        days = [{Path(name).name[:4] for name in part.filenames} for part in (train, test)]
        assert len(days[0] | days[1]) == 6
        assert not days[0] & days[1]
        assert set(train.names) == set(test.names) == {"cat", "dog"}
    assert lines[0] == "one in five pictures of each class is kept for testing, in whole groups"
    assert not any("nearly the same" in line for line in lines)


def test_near_duplicates_in_training_and_testing_are_counted(tmp_path):
    lines = []
    _, test = load_train_test(photographs(tmp_path), report=lines.append)
    assert f"{len(test.names)} of {len(test.names)} test pictures are nearly the same" in lines[-1]
    assert "group_by (--group-by) keeps what belongs together" in lines[-1]


def test_groups_on_both_sides_of_given_splits_are_told(tmp_path):
    for part in ("train", "test"):
        photographs(tmp_path / part, n_days=2)
    lines = []
    load_train_test(tmp_path, group_by=r"^day\d+", report=lines.append)
    assert lines[1] == "groups on both sides: 2 of 2 (day0, day1)"


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("(", "'group_by' parameter must be a regular expression"),
        ("night", r"'night' finds nothing in 36 of 36 file names: .*Correct group_by"),
        ("day", "cannot be split by groups"),
    ],
)
def test_groups_that_cannot_be_kept_are_refused(tmp_path, pattern, message):
    with pytest.raises(ValueError, match=message):
        load_train_test(photographs(tmp_path), group_by=pattern)


def test_pictures_of_one_colour_or_of_other_things_are_no_near_duplicates():
    images = load_digit_images(subset="all").images
    assert len(near_duplicates(images[:300], images[300:])[0]) == 0
    flat = np.full((9, 32, 32, 3), 200, np.uint8)
    assert len(near_duplicates(flat, flat)[0]) == 0


def test_near_duplicate_is_found_whatever_the_size_of_pictures():
    rng = np.random.default_rng(0)
    for shape in ((5, 3, 1), (8, 8, 3), (50, 37, 3)):
        images = rng.integers(0, 256, size=(600, *shape), dtype=np.uint8)
        rows, twins = near_duplicates(images[::2], images)
        assert rows.tolist() == list(range(300))
        assert twins.tolist() == list(range(0, 600, 2))


def test_test_class_that_is_not_trained_is_noticed_before_reading(tmp_path):
    put(tmp_path, *classes("train"), "test/fish/a.png")
    (tmp_path / "train" / "cat" / "bad.png").write_bytes(b"no picture")
    with pytest.raises(
        DatasetError, match="test pictures of fish, but no training pictures of them"
    ):
        load_train_test(tmp_path)
