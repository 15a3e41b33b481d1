"""``skcifar explain``, on pictures whose colour is their class."""

import numpy as np
import pytest
from one_line_errors import error_of
from PIL import Image

from skcifar import make_dense_pipeline, save_model
from skcifar.cli._parser import main


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "model.safetensors"
    X = np.zeros((40, 4, 4, 3), np.uint8)
    X[::2, ..., 0] = X[1::2, ..., 2] = 255
    pipeline = make_dense_pipeline(
        hidden_layer_sizes=(8,), epochs=20, learning_rate=0.02, random_state=0
    )
    save_model(pipeline.fit(X, ["red", "blue"] * 20), path)
    return str(path)


@pytest.fixture
def photo(tmp_path):
    Image.new("RGB", (60, 40), "red").save(tmp_path / "photo.png")
    return str(tmp_path / "photo.png")


@pytest.mark.parametrize("method", ["occlusion", "gradient"])
def test_a_picture_is_written_for_each_file(model, photo, tmp_path, capsys, method):
    out = tmp_path / "out"
    assert main(["explain", model, photo, "--out", str(out), "--method", method]) == 0
    (path,) = out.iterdir()
    assert path.name == f"photo-{method}.png"
    with Image.open(path) as picture:
        assert picture.format == "PNG"
    assert capsys.readouterr().out.startswith(f"{path}   red   ")


def test_files_of_one_name_are_written_beside_each_other(model, photo, tmp_path):
    main(["explain", model, photo, photo, "--out", str(tmp_path / "out")])
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["photo-occlusion-2.png", "photo-occlusion.png"]


def test_another_class_can_be_explained(model, photo, tmp_path):
    options = ["--out", str(tmp_path), "--class", "blue"]
    assert main(["explain", model, photo, *options]) == 0


def test_a_class_that_the_model_does_not_know_is_refused(model, photo, capsys):
    error = error_of(capsys, ["explain", model, photo, "--class", "green"])
    assert "no class 'green'. Give one of blue, red" in error


def test_what_cannot_be_read_is_left_out_and_reported(model, photo, tmp_path, capsys):
    (tmp_path / "bad.png").write_bytes(b"no picture")
    bad = str(tmp_path / "bad.png")
    assert main(["explain", model, bad, photo, "--out", str(tmp_path / "out")]) == 2
    assert "bad.png cannot be read as a picture" in capsys.readouterr().err
    assert (tmp_path / "out" / "photo-occlusion.png").exists()
