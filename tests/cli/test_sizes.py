"""The size that picture files get in the commands."""

import pytest
from one_line_errors import error_of
from PIL import Image

from skcifar import load_model
from skcifar.cli._parser import main
from skcifar.datasets import _cache

QUICK = ["--epochs", "1", "--hidden-layer-sizes", "5"]


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setattr(_cache, "default_folder", lambda: tmp_path / "kept")


@pytest.fixture
def pets(tmp_path):
    for name, color in (("cat", "red"), ("dog", "blue")):
        (tmp_path / "pets" / name).mkdir(parents=True)
        for n in range(5):
            Image.new("RGB", (60, 40), color).save(tmp_path / "pets" / name / f"{n}.png")
    return tmp_path / "pets"


def train(pets, out, *options):
    assert main(["train", "--data", str(pets), "--out", str(out), *QUICK, *options]) == 0
    return out / "model.safetensors"


@pytest.mark.parametrize(
    ("typed", "size", "said"),
    [
        pytest.param([], (32, 32), "cut to the middle at 32 x 32 pixels", marks=pytest.mark.slow),
        (["--image-size", "8x6", "--resize", "stretch"], (8, 6), "stretched to 8 x 6 pixels"),
        pytest.param(
            ["--image-size", "9", "--resize", "pad"],
            (9, 9),
            "padded to 9 x 9 pixels",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_size_is_said_and_is_in_the_model(typed, size, said, pets, tmp_path, capsys):
    path = train(pets, tmp_path / "run", *typed)
    assert said in capsys.readouterr().out.splitlines()[1]
    resizer = load_model(path)["resize"]
    assert resizer.sample_shape_ == (*size, 3)
    assert resizer.resize == (typed[-1] if typed else "crop")


def test_evaluate_and_predict_read_as_the_model_does(pets, tmp_path, capsys):
    path = train(pets, tmp_path / "run", "--image-size", "9", "--resize", "pad")
    capsys.readouterr()
    assert main(["evaluate", str(path), "--data", str(pets)]) == 0
    assert "padded to 9 x 9 pixels" in capsys.readouterr().out
    assert main(["predict", str(path), str(pets / "cat" / "0.png")]) == 0


def test_size_is_for_files(tmp_path, capsys):
    reported = error_of(capsys, ["train", "--data", "digits", "--image-size", "9"])
    assert "--image-size and --resize are for pictures in files" in reported


@pytest.mark.parametrize("typed", ["0", "x9", "9x9x9", "nine"])
def test_sizes_that_are_none_are_refused(typed, capsys):
    with pytest.raises(SystemExit):
        main(["train", "--data", "pets", "--image-size", typed])
    assert f"must be a number of pixels, or height x width such as 48x64, got {typed!r}" in (
        capsys.readouterr().err
    )


@pytest.mark.slow
def test_search_reads_at_the_size_that_is_asked_for(pets, tmp_path):
    (tmp_path / "grid.toml").write_text("hidden_layer_sizes = [[3], [5]]")
    arguments = ["--grid", str(tmp_path / "grid.toml"), "--epochs", "1", "--cv", "2"]
    arguments += ["--data", str(pets), "--out", str(tmp_path / "out"), "--image-size", "9"]
    assert main(["search", *arguments]) == 0
    loaded = load_model(tmp_path / "out" / "model.safetensors")
    assert loaded["resize"].sample_shape_ == (9, 9, 3)


@pytest.mark.slow
def test_compare_reads_as_the_saved_model_does(pets, tmp_path, capsys):
    padded = train(pets, tmp_path / "padded", "--image-size", "9", "--resize", "pad")
    cut = train(pets, tmp_path / "cut", "--image-size", "9")
    capsys.readouterr()
    arguments = ["--data", str(pets), "--networks", "none", "--out", str(tmp_path / "out")]
    assert main(["compare", str(padded), str(cut), *arguments]) == 2
    captured = capsys.readouterr()
    assert "padded to 9 x 9 pixels" in captured.out
    assert "9 x 9 pixels (crop), but those of" in captured.err
    reported = error_of(capsys, ["compare", str(padded), *arguments, "--resize", "crop"])
    assert "--image-size and --resize are those of the saved models" in reported
