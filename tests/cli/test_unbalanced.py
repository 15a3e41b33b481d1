"""What the commands tell of classes that are rare."""

import json

import numpy as np
import pytest
from PIL import Image

from skcifar.cli._parser import main
from skcifar.datasets import _cache
from skcifar.runs._balance import balance_scores, describe_imbalance
from skcifar.runs.report import write_report

QUICK = ["--epochs", "1"]
LINE = (
    "the rarest class, dog, has 4 of 24 pictures (16.7 %), less than half of an even share"
    " (50.0 %), so balanced accuracy and recall by class say more than accuracy"
)
ADVICE = "--class-weight balanced lets each class count the same"


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setattr(_cache, "default_folder", lambda: tmp_path / "kept")


@pytest.fixture
def pets(tmp_path):
    for name, color, n_pictures in (("cat", "red", 25), ("dog", "blue", 5)):
        (tmp_path / "pets" / name).mkdir(parents=True)
        for n in range(n_pictures):
            Image.new("RGB", (6, 4), color).save(tmp_path / "pets" / name / f"{n}.png")
    return str(tmp_path / "pets")


@pytest.mark.parametrize(
    ("counts", "is_rare"), [([6, 2], False), ([7, 2], True), ([9, 4, 2], True), ([5, 5], False)]
)
def test_class_is_rare_below_half_of_an_even_share(counts, is_rare):
    y = np.repeat([f"class {n}" for n in range(len(counts))], counts)
    assert bool(describe_imbalance(y)) == is_rare


def test_balanced_accuracy_is_the_mean_of_recalls():
    scores = balance_scores(["a"] * 4 + ["b"] * 2, ["a", "a", "a", "b", "b", "c"])
    assert scores == {"test_balanced_accuracy": 0.625, "test_recall": {"a": 0.75, "b": 0.5}}


def test_train_tells_of_rare_classes(pets, tmp_path, capsys):
    out = tmp_path / "run"
    assert main(["train", "--data", pets, "--out", str(out), *QUICK]) == 0
    lines = capsys.readouterr().out.splitlines()
    where = lines.index(LINE)
    assert lines[where + 1] == ADVICE
    metrics = json.loads((out / "metrics.json").read_text())
    recalls = metrics["test_recall"]
    assert f"test       balanced accuracy {np.mean(list(recalls.values())):.4f}" in lines
    assert f"recall     dog {recalls['dog']:.4f}" in lines
    page = write_report(out)[0].read_text(encoding="utf-8")
    assert "Some classes are rare" in page
    assert "Balanced accuracy on test pictures" in page


def test_weighted_classes_need_no_advice(pets, tmp_path, capsys):
    options = [*QUICK, "--class-weight", "balanced"]
    assert main(["train", "--data", pets, "--out", str(tmp_path / "run"), *options]) == 0
    assert ADVICE not in capsys.readouterr().out.splitlines()


@pytest.mark.slow
def test_nothing_is_told_of_classes_of_one_size(tmp_path, capsys):
    options = ["--limit", "100", "--hidden-layer-sizes", "5", *QUICK]
    assert main(["train", "--data", "digits", "--out", str(tmp_path), *options]) == 0
    assert "balanced" not in capsys.readouterr().out
    assert "test_recall" not in json.loads((tmp_path / "metrics.json").read_text())
    assert "Some classes are rare" not in write_report(tmp_path)[0].read_text(encoding="utf-8")


@pytest.mark.slow
def test_evaluate_and_compare_tell_of_rare_classes(pets, tmp_path, capsys):
    main(["train", "--data", pets, "--out", str(tmp_path / "run"), *QUICK])
    model = str(tmp_path / "run" / "model.safetensors")
    capsys.readouterr()
    assert main(["evaluate", model, "--data", pets, "--subset", "train"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert LINE in lines
    assert any(line.startswith("balanced accuracy: ") for line in lines)
    out = tmp_path / "compare"
    options = ["--networks", "dense", "--class-weight", "balanced", "--epochs", "1"]
    assert main(["compare", model, "--data", pets, "--out", str(out), *options]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert LINE in lines
    assert ADVICE not in lines
    assert any(line.startswith("recall of dog ") for line in lines)
    params = {
        model["name"]: model["params"]["class_weight"]
        for model in json.loads((out / "comparison.json").read_text())["models"]
    }
    assert params == {"dense": "balanced", "model": None}
    assert "Recall by class" in write_report(out)[0].read_text(encoding="utf-8")
    assert "test_recall" not in (out / "comparison.csv").read_text()


@pytest.mark.slow
def test_search_tells_of_rare_classes(pets, tmp_path, capsys):
    (tmp_path / "grid.toml").write_text("class_weight = ['balanced']\nhidden_layer_sizes = [[5]]")
    arguments = ["--grid", str(tmp_path / "grid.toml"), *QUICK, "--cv", "2"]
    assert main(["search", "--data", pets, "--out", str(tmp_path / "out"), *arguments]) == 0
    assert any(line.startswith("recall     dog ") for line in capsys.readouterr().out.splitlines())
