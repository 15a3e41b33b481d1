"""The commands on folders and tables of pictures."""

import csv
import io
from pathlib import Path

import pytest
from one_line_errors import error_of
from PIL import Image
from rich.console import Console

from skcifar.cli import _compare, _progress
from skcifar.cli._parser import main
from skcifar.datasets import _cache
from skcifar.runs._files import EVALUATION_FILES

QUICK = ["--epochs", "1", "--hidden-layer-sizes", "5"]


def write_pets(folder):
    """Write six pictures of each of two classes, divided into training and validation."""
    for part, n_pictures in (("train", 4), ("val", 2)):
        for name, color in (("cat", "red"), ("dog", "blue")):
            (folder / part / name).mkdir(parents=True)
            for n in range(n_pictures):
                Image.new("RGB", (60, 40), color).save(folder / part / name / f"{name}.{n}.png")
    return folder


@pytest.fixture
def pets(tmp_path):
    return write_pets(tmp_path / "pets")


def train(source, out, *options):
    return main(["train", "--data", str(source), "--out", str(out), *QUICK, *options])


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """The file of a model that tells cats from dogs."""
    folder = tmp_path_factory.mktemp("trained")
    options = ["--learning-rate", "0.02", "--epochs", "10", "--random-state", "1", "--no-cache"]
    assert train(write_pets(folder / "pets"), folder / "run", *options) == 0
    return str(folder / "run" / "model.safetensors")


def test_train_tells_what_a_folder_was_taken_for(pets, tmp_path, capsys):
    (pets / "train" / "notes.txt").write_text("beside")
    assert train(pets, tmp_path / "run") == 0
    assert capsys.readouterr().out.split("\n")[:7] == [
        "train is used for training, validation for testing",
        f"12 pictures of 2 classes from the folder {pets}, cut to the middle at 32 x 32 pixels",
        "train, 8: cat 4, dog 4",
        "test, 4: cat 2, dog 2",
        "width x height: smallest 60 x 40, median 60 x 40, largest 60 x 40",
        f"left out, files beside the class folders: 1 ({pets}/train/notes.txt)",
        f"{pets}: 8 training and 4 test pictures of 2 classes",
    ]


def test_unreadable_file_stops_or_is_left_out(pets, tmp_path, capsys):
    (pets / "train" / "cat" / "bad.png").write_bytes(b"no picture")
    reported = error_of(capsys, ["train", "--data", str(pets), "--out", str(tmp_path / "run")])
    assert "1 of 13 files cannot be read as pictures" in reported
    assert "cat/bad.png (its format is unknown)" in reported
    assert "--skip-unreadable" in reported
    assert train(pets, tmp_path / "run", "--skip-unreadable") == 0
    assert "left out, files that cannot be read: 1 (" in capsys.readouterr().out


def test_ambiguous_folder_is_refused_with_the_option(pets, tmp_path, capsys):
    (pets / "other").mkdir()
    reported = error_of(capsys, ["train", "--data", str(pets), "--out", str(tmp_path / "run")])
    assert "It is unclear what train, val" in reported
    assert "(--layout)" in reported
    assert train(pets, tmp_path / "run", "--layout", "splits") == 0


def test_labels_in_names_and_in_a_table(pets, tmp_path, capsys):
    options = ["--layout", "classes", "--label-pattern", "^[a-z]+", "--limit", "4"]
    assert train(pets, tmp_path / "run", *options) == 0
    assert "train, 4: cat 2, dog 2" in capsys.readouterr().out
    rows = [f"train/{name}/{name}.{n}.png;{name}" for name in ("cat", "dog") for n in range(4)]
    (pets / "pets.csv").write_text("\n".join(["file;kind", *rows]))
    columns = ["--path-column", "file", "--label-column", "kind"]
    assert train(pets / "pets.csv", tmp_path / "run", *columns) == 0
    reported = capsys.readouterr().out
    assert f"8 pictures of 2 classes from the table {pets}/pets.csv" in reported
    assert "one in five pictures of each class is kept for testing" in reported


def test_evaluate_takes_the_pictures_in_the_same_way(model, pets, capsys):
    capsys.readouterr()
    assert main(["evaluate", model, "--data", str(pets)]) == 0
    assert f"{pets}: 4 test pictures" in capsys.readouterr().out
    assert main(["evaluate", model, "--data", str(pets), "--subset", "all"]) == 0
    reported = capsys.readouterr().out
    assert "cat 6, dog 6" in reported
    assert f"{pets}: 12 pictures" in reported


def test_reading_shows_a_bar_on_a_terminal(monkeypatch):
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=100)
    monkeypatch.setattr(_progress, "Console", lambda **options: console)
    with _progress.reading_progress(20) as on_done:
        on_done(10)
    assert "10/20\x1b[0m pictures   time left 0:00" in screen.getvalue()


def test_reading_prints_a_line_now_and_then_elsewhere(monkeypatch, capsys):
    clock = iter([0, 5, 10.5, 15, 21])
    monkeypatch.setattr(_progress.time, "perf_counter", lambda: next(clock))
    with _progress.reading_progress(4_000) as on_done:
        for n_done in (1_000, 2_000, 3_000, 4_000):
            on_done(n_done)
    assert capsys.readouterr().out.split("\n") == [
        "2,000 of 4,000 pictures read   time left 0:10",
        "4,000 of 4,000 pictures read   time left 0:00",
        "",
    ]


def test_commands_decode_the_same_files_once(pets, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(_cache, "default_folder", lambda: tmp_path / "kept")
    assert train(pets, tmp_path / "run") == 0
    told = capsys.readouterr().out.split("\n")[:6]
    monkeypatch.setattr(_cache, "decode_all", None)
    assert train(pets, tmp_path / "run") == 0
    assert capsys.readouterr().out.split("\n")[:6] == told
    assert main(["cache"]) == 0
    reported = capsys.readouterr().out
    assert reported == f"{tmp_path / 'kept'} holds 1 set of pictures, 0.00 of at most 10 GB\n"
    assert main(["cache", "--clear"]) == 0
    assert "holds 0 sets" in capsys.readouterr().out
    assert list((tmp_path / "kept").iterdir()) == []


def test_nothing_is_kept_on_request(pets, tmp_path, monkeypatch):
    monkeypatch.setattr(_cache, "default_folder", lambda: tmp_path / "kept")
    assert train(pets, tmp_path / "run", "--no-cache") == 0
    assert not (tmp_path / "kept").exists()


@pytest.mark.parametrize("options", [[], ["--no-cache"]])
def test_processes_of_compare_read_what_the_command_decoded(pets, tmp_path, monkeypatch, options):
    monkeypatch.setattr(_cache, "default_folder", lambda: tmp_path / "kept")
    kept = []

    def look(name, argument, path, arguments, reading):
        kept.extend(Path(arguments.cache).glob("*.npy"))
        raise ValueError("seen")

    monkeypatch.setattr(_compare, "in_a_process_of_its_own", look)
    arguments = ["--data", str(pets), "--networks", "dense", "--out", str(tmp_path / "run")]
    assert main(["compare", *arguments, *options]) == 2
    assert len(kept) == 1
    assert kept[0].exists() == (not options)


def test_mistakes_name_their_files(pets, tmp_path):
    wrong = pets / "val" / "dog" / "in the wrong folder.png"
    Image.new("RGB", (60, 40), "red").save(wrong)
    options = ["--learning-rate", "0.02", "--epochs", "10"]
    assert train(pets, tmp_path / "run", "--random-state", "1", *options) == 0
    with (tmp_path / "run" / "mistakes.csv").open(newline="", encoding="utf-8") as file:
        header, row = csv.reader(file)
    columns = ["actual", "predicted", "probability", "probability of actual", "suspect label"]
    assert header == ["index", "file", *columns]
    assert row[1:4] == [str(wrong), "dog", "cat"]
    assert 0.5 < float(row[4]) <= 1
    assert float(row[4]) + float(row[5]) == pytest.approx(1, abs=1e-5)  # of two classes
    assert row[6] == "yes"


def test_evaluate_names_the_files_of_mistakes(model, pets, tmp_path):
    wrong = pets / "val" / "dog" / "in the wrong folder.png"
    Image.new("RGB", (60, 40), "red").save(wrong)
    argv = [model, "--data", str(pets)]
    for subset in ("test", "all"):
        path = tmp_path / f"{subset}.csv"
        assert main(["evaluate", *argv, "--subset", subset, "--mistakes", str(path)]) == 0
        with path.open(newline="", encoding="utf-8") as file:
            _, row = csv.reader(file)
        assert row[1:4] == [str(wrong), "dog", "cat"]


@pytest.mark.slow
def test_mistakes_among_pictures_that_are_no_files_have_an_index(tmp_path):
    assert train("digits", tmp_path / "run", "--limit", "100") == 0
    with (tmp_path / "run" / "mistakes.csv").open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    columns = ["actual", "predicted", "probability", "probability of actual", "suspect label"]
    assert header == ["index", *columns]
    assert all(row[1] != row[2] for row in rows)
    assert [float(row[3]) for row in rows] == sorted((float(row[3]) for row in rows), reverse=True)


def test_evaluation_leaves_a_folder_for_a_page(model, pets, tmp_path):
    out = tmp_path / "evaluation"
    assert main(["evaluate", model, "--data", str(pets), "--subset", "all", "--out", str(out)]) == 0
    assert sorted(path.name for path in out.iterdir()) == sorted(EVALUATION_FILES)
    assert main(["report", str(out)]) == 0
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "Evaluation: evaluation" in page
    assert "Class by class" in page


@pytest.mark.slow
def test_labels_are_suspect_by_networks_that_did_not_learn_them(pets, tmp_path):
    """The network learned the wrong label by heart, and its copies did not see it."""
    wrong = pets / "train" / "dog" / "in the wrong folder.png"
    Image.new("RGB", (60, 40), "red").save(wrong)
    options = ["--learning-rate", "0.02", "--epochs", "10", "--random-state", "1"]
    assert train(pets, tmp_path / "run", *options) == 0
    argv = [str(tmp_path / "run" / "model.safetensors"), "--data", str(pets)]
    options = ["--subset", "train", "--cv", "3", "--mistakes", str(tmp_path / "mistakes.csv")]
    assert main(["evaluate", *argv, *options]) == 0
    with (tmp_path / "mistakes.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {row["file"]: row["suspect label"] for row in rows}[str(wrong)] == "yes"
