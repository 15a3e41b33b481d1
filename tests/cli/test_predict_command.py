"""``skcifar predict``."""

import csv
import io
import json
import os
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from one_line_errors import error_of
from PIL import Image

from skcifar import load_model, make_dense_pipeline, make_pretrained_pipeline, save_model
from skcifar.cli._parser import main

COLORS = {"cat": "red", "dog": "blue", "bird": "lime"}


def save_model_of(colors, path):
    """Save a model that knows classes by their colours."""
    X = np.stack([np.asarray(Image.new("RGB", (4, 4), color)) for color in colors.values()] * 20)
    pipeline = make_dense_pipeline(
        hidden_layer_sizes=(8,), epochs=20, learning_rate=0.02, batch_size=3, random_state=0
    )
    save_model(pipeline.fit(X, list(colors) * 20), path)
    return str(path)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return save_model_of(COLORS, tmp_path_factory.mktemp("model") / "model.safetensors")


@pytest.fixture
def photos(tmp_path):
    """A cat and a dog, and one of each deeper inside."""
    folder = tmp_path / "photos"
    for inside in (folder, folder / "more"):
        inside.mkdir()
        for name in ("cat", "dog"):
            Image.new("RGB", (60, 40), COLORS[name]).save(inside / f"{name}.png")
    return folder


def cells_of(line):
    return line.split("   ")[0].strip(), *line.split()[-3:]


def test_table_has_file_class_probability_and_second_class(model, photos, capsys):
    files = [str(photos / "cat.png"), str(photos / "dog.png")]
    assert main(["predict", model, *files]) == 0
    header, *lines = capsys.readouterr().out.splitlines()
    assert header.split("   ")[0].strip() == "file"
    assert header.endswith("class     probability   second class")
    expected = load_model(model).predict_proba(files).max(axis=1)
    for line, file, name, probability in zip(lines, files, ("cat", "dog"), expected, strict=True):
        assert cells_of(line)[:3] == (file, name, f"{probability:.3f}")
        assert cells_of(line)[3] in COLORS.keys() - {name}


def test_model_with_a_network_of_keras_asks_for_trust(photos, tmp_path, capsys):
    inputs = keras.Input((8, 8, 3))
    keras.Model(inputs, keras.layers.Conv2D(2, 3)(inputs)).save(tmp_path / "body.keras")
    pipeline = make_pretrained_pipeline(network=tmp_path / "body.keras", epochs=1)
    X = np.random.default_rng(0).integers(256, size=(8, 8, 8, 3), dtype=np.uint8)
    save_model(pipeline.fit(X, ["a", "b"] * 4), tmp_path / "model")
    arguments = ["predict", str(tmp_path / "model"), str(photos)]
    assert main(arguments) == 2
    assert "trusted=True" in capsys.readouterr().err
    assert main([*arguments, "--trusted"]) == 0


def test_columns_are_aligned_whatever_width_their_letters_have(model, photos, capsys):
    (photos / "cat.png").rename(photos / "日本.png")
    assert main(["predict", model, str(photos)]) == 0
    lines = capsys.readouterr().out.splitlines()
    wide = next(line for line in lines if "日本" in line)
    assert wide.index("cat") == lines[0].index("class") - 2  # each of the two is two wide


def test_folder_stands_for_all_files_in_it(model, photos, capsys):
    (photos / "Thumbs.db").write_bytes(b"of a system")
    assert main(["predict", model, str(photos)]) == 0
    found = [cells_of(line)[:2] for line in capsys.readouterr().out.splitlines()[1:]]
    names = [("cat.png", "cat"), ("dog.png", "dog")]
    names += [("more/cat.png", "cat"), ("more/dog.png", "dog")]
    assert found == [(str(photos / file), name) for file, name in names]


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="names are always text there")
def test_paths_come_from_standard_input_whatever_they_are(model, photos, capsys, monkeypatch):
    odd = os.fsencode(photos) + b"/\xff.png"
    Path(os.fsdecode(odd)).write_bytes((photos / "cat.png").read_bytes())
    lines = b"\r\n".join([os.fsencode(photos / "dog.png"), b"", odd]) + b"\n"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(lines)))
    assert main(["predict", model, "-", "--csv", str(photos / "table.csv")]) == 0
    assert [line.split()[1] for line in capsys.readouterr().out.splitlines()[1:]] == ["dog", "cat"]
    assert odd in (photos / "table.csv").read_bytes()


@pytest.mark.parametrize("stdin", [None, io.TextIOWrapper(io.BytesIO(b"\n"))])
def test_nothing_to_predict_is_an_error(model, tmp_path, stdin, capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdin", stdin)
    assert "Name " in error_of(capsys, ["predict", model, "-"])
    (tmp_path / "empty").mkdir()
    assert "There are no files in" in error_of(capsys, ["predict", model, str(tmp_path / "empty")])


def test_files_that_are_no_pictures_are_listed_and_the_rest_is_done(model, photos, capsys):
    (photos / "bad.png").write_bytes(b"no picture")
    assert main(["predict", model, str(photos / "missing.png"), str(photos)]) == 2
    reported = capsys.readouterr()
    first, second = reported.err.splitlines()
    assert "missing.png cannot be read as a picture (it does not exist)" in first
    assert "bad.png cannot be read as a picture (its format is unknown)" in second
    assert len(reported.out.splitlines()) == 5


def test_nothing_readable_is_reported_alone(model, tmp_path, capsys):
    assert main(["predict", model, str(tmp_path / "missing.png")]) == 2
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_json_has_the_best_three_classes(model, photos, capsys):
    assert main(["predict", model, str(photos / "cat.png"), "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["picture"], row["class"]) == (str(photos / "cat.png"), "cat")
    probabilities = [best["probability"] for best in row["classes"]]
    assert len(probabilities) == 3
    assert probabilities == sorted(probabilities, reverse=True)


def test_csv_is_the_table(model, photos, tmp_path):
    path = tmp_path / "table.csv"
    assert main(["predict", model, str(photos / "cat.png"), "--csv", str(path)]) == 0
    header, row = csv.reader(path.open(newline="", encoding="utf-8"))
    assert header == ["file", "class", "probability", "second class"]
    assert row[:2] == [str(photos / "cat.png"), "cat"]
    assert 0.3 < float(row[2]) <= 1


def test_less_probable_classes_are_unknown(photos, tmp_path, capsys):
    model = save_model_of({"red": "red", "also red": "red", "blue": "blue"}, tmp_path / "model")
    out = tmp_path / "sorted"
    options = ["--min-probability", "0.8", "--sort-into", str(out)]
    assert main(["predict", model, str(photos), *options]) == 0
    *_, line = capsys.readouterr().out.splitlines()
    assert line == "2 of 4 are unknown"
    assert sorted(path.name for path in out.iterdir()) == ["blue", "unknown"]


def test_class_named_unknown_leaves_no_word_for_what_is(photos, tmp_path, capsys):
    model = save_model_of({"unknown": "red", "dog": "blue"}, tmp_path / "model")
    argv = ["predict", model, str(photos), "--min-probability", "0.5"]
    assert "has a class unknown" in error_of(capsys, argv)


@pytest.mark.parametrize("typed", ["-0.1", "1.1", "nan", "high"])
def test_probability_that_is_none_is_refused(typed, capsys):
    with pytest.raises(SystemExit):
        main(["predict", "model", "photo", f"--min-probability={typed}"])
    assert "must be a number from 0 to 1" in capsys.readouterr().err


def test_sorting_copies_and_replaces_nothing(model, photos, tmp_path):
    out = tmp_path / "sorted"
    before = (photos / "cat.png").read_bytes()
    (out / "cat").mkdir(parents=True)
    (out / "cat" / "cat.png").write_bytes(b"kept")
    (out / "cat" / "cat-2.png").symlink_to(tmp_path / "nothing")
    assert main(["predict", model, str(photos), "--sort-into", str(out)]) == 0
    assert sorted(path.name for path in (out / "cat").iterdir()) == [
        *("cat-2.png", "cat-3.png", "cat-4.png", "cat.png")
    ]
    assert (out / "cat" / "cat.png").read_bytes() == b"kept"
    assert (out / "cat" / "cat-3.png").read_bytes() == before == (photos / "cat.png").read_bytes()
    assert sorted(path.name for path in (out / "dog").iterdir()) == ["dog-2.png", "dog.png"]
    assert not (tmp_path / "nothing").exists()


@pytest.mark.parametrize("name", ["../outside", "..", "a/b", "/tmp/x", "a\\b", "C:", "a\x1b[2J"])
def test_class_that_leads_elsewhere_is_no_folder(name, photos, tmp_path, capsys):
    model = save_model_of({name: "red", "dog": "blue"}, tmp_path / "model")
    out = tmp_path / "in" / "sorted"
    reported = error_of(capsys, ["predict", model, str(photos), "--sort-into", str(out)])
    assert "cannot be the name of a folder" in reported
    assert not (tmp_path / "in").exists()


def test_file_that_cannot_be_copied_is_reported_and_nothing_half_written(
    model, photos, tmp_path, capsys, monkeypatch
):
    def full(original, copy):
        copy.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("shutil.copyfileobj", full)
    out = tmp_path / "sorted"
    assert main(["predict", model, str(photos / "cat.png"), "--sort-into", str(out)]) == 2
    assert "cat (No space left on device)" in capsys.readouterr().err
    assert list((out / "cat").iterdir()) == []


def test_model_of_greys_takes_files(tmp_path, photos, capsys):
    pipeline = make_dense_pipeline(image_size=(4, 4), n_channels=1, epochs=1)
    files = [str(photos / "cat.png"), str(photos / "dog.png")]
    save_model(pipeline.fit(files, ["cat", "dog"]), tmp_path / "model")
    assert main(["predict", str(tmp_path / "model"), str(photos)]) == 0
