import csv
import json
import os
import shutil
import signal
import subprocess
import sys
from functools import partial

import matplotlib.pyplot as plt
import numpy as np
import pytest
from other_processes import kill_process, memory_with, raise_data, raise_error, run_out_of_luck
from PIL import Image

from skcifar import (
    DenseClassifier,
    load_digit_images,
    load_model,
    make_dense_pipeline,
    mcnemar_test,
    save_model,
)
from skcifar.cli._parser import main
from skcifar.cli._processes import in_a_process_of_its_own
from skcifar.datasets import load_train_test
from skcifar.runs._comparison import describe_tests, distinct_names, format_table
from skcifar.runs._files import COMPARISON_FILES

DATA = ["--data", "digits", "--limit", "100"]
QUICK = [*DATA, "--epochs", "1"]
NONE = [*DATA, "--networks", "none"]


@pytest.fixture(scope="session")
def saved(tmp_path_factory):
    """A model file that ``skcifar train`` wrote."""
    folder = tmp_path_factory.mktemp("earlier")
    options = ["--epochs", "2", "--hidden-layer-sizes", "20"]
    assert main(["train", *DATA, *options, "--out", str(folder)]) == 0
    return folder / "model.safetensors"


@pytest.fixture(scope="session")
def reported(saved, tmp_path_factory):
    """What ``skcifar compare`` printed of a network and a saved model, and the folder it wrote."""
    folder = tmp_path_factory.mktemp("compare") / "out"
    options = ["--networks", "dense", "--out", str(folder)]
    done = subprocess.run(
        [sys.executable, "-m", "skcifar", "compare", str(saved), *QUICK, *options],
        capture_output=True,
        text=True,
        check=True,
    )
    done.folder = folder
    return done


@pytest.fixture(scope="session")
def comparison(reported):
    return json.loads((reported.folder / "comparison.json").read_text(encoding="utf-8"))


def error_of(capsys, argv):
    """Run the command with a mistake in it and return the one line that it prints."""
    assert main(["compare", *argv]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    return line


# --- what is written ---


@pytest.mark.slow
def test_compare_writes_its_files_and_nothing_else(reported):
    names = sorted(path.name for path in reported.folder.iterdir())
    assert names == sorted(["dense.safetensors", *COMPARISON_FILES])


@pytest.mark.slow
def test_comparison_shows_the_data(comparison):
    assert (comparison["data"], comparison["n_train"], comparison["n_test"]) == ("digits", 100, 100)
    assert comparison["classes"] == list("0123456789")
    assert comparison["confidence"] == 0.95
    assert "keras" in comparison["versions"]


@pytest.mark.slow
def test_comparison_shows_the_models(comparison, saved):
    dense, model = comparison["models"]
    assert set(dense) == set(model)
    assert (dense["name"], dense["file"], dense["trained_here"]) == (
        *("dense", "dense.safetensors", True),
    )
    assert (model["name"], model["file"], model["trained_here"]) == ("model", str(saved), False)
    assert (dense["epochs"], model["epochs"]) == (1, 2)
    assert model["n_parameters"] == 3072 * 20 + 20 + 20 * 10 + 10
    assert model["params"]["hidden_layer_sizes"] == [20]
    assert len(model["history"]["loss"]) == 2


@pytest.mark.slow
def test_only_a_network_that_was_trained_has_time_and_memory_of_training(comparison):
    dense, model = comparison["models"]
    assert dense["fit_seconds"] > 0
    assert dense["peak_memory_bytes"] > 50e6
    assert model["fit_seconds"] is model["peak_memory_bytes"] is None
    assert min(dense["predict_seconds"], model["predict_seconds"]) > 0


@pytest.mark.slow
def test_saved_model_is_scored_as_skcifar_train_scored_it(comparison, saved):
    metrics = json.loads((saved.parent / "metrics.json").read_text())
    model = comparison["models"][1]
    for name in ("train_loss", "train_accuracy", "test_loss", "test_accuracy"):
        assert model[name] == metrics[name]


@pytest.mark.slow
def test_network_is_the_one_that_skcifar_train_trains(comparison, reported, tmp_path):
    assert main(["train", *QUICK, "--out", str(tmp_path)]) == 0
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    dense = comparison["models"][0]
    assert dense["test_accuracy"] == metrics["test_accuracy"]
    assert dense["n_parameters"] == metrics["n_parameters"]
    paths = tmp_path / "model.safetensors", reported.folder / "dense.safetensors"
    weights = [load_model(path)["classify"].model_.get_weights() for path in paths]
    for trained, compared in zip(*weights, strict=True):
        np.testing.assert_array_equal(trained, compared)


@pytest.mark.slow
def test_test_is_that_of_the_models_predictions(comparison, reported, saved):
    _, (X, y, _) = load_train_test("digits", limit=100)
    models = load_model(reported.folder / "dense.safetensors"), load_model(saved)
    expected = mcnemar_test(y, *(model.predict(X) for model in models))
    assert comparison["tests"] == [{"models": ["dense", "model"], **expected}]


@pytest.mark.slow
def test_table_of_the_file_has_a_row_for_each_model(comparison, reported):
    with (reported.folder / "comparison.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for row, model in zip(rows, comparison["models"], strict=True):
        assert row["name"] == model["name"]
        assert float(row["test_accuracy"]) == model["test_accuracy"]
        ends = float(row["test_accuracy_low"]), float(row["test_accuracy_high"])
        assert list(ends) == model["test_accuracy_interval"]
    assert rows[1]["fit_seconds"] == ""


@pytest.mark.slow
def test_picture_is_a_picture(reported):
    assert plt.imread(reported.folder / "comparison.png").std() > 0


# --- what is printed ---


@pytest.mark.slow
def test_network_is_named_before_its_epochs(reported):
    lines = reported.stdout.splitlines()
    assert lines[0] == "digits: 100 training and 100 test pictures of 10 classes"
    assert lines[2] == "dense"
    assert lines[3].startswith("epoch 1/1   loss ")


@pytest.mark.slow
def test_table_shows_each_measure_of_each_model(reported, comparison):
    lines = reported.stdout.splitlines()
    begin = next(number for number, line in enumerate(lines) if line.split() == ["dense", "model"])
    table = lines[begin : begin + 10]
    assert [line[: table[0].index("dense")].strip() for line in table[1:]] == [
        *("parameters", "epochs", "training loss", "training accuracy", "test loss"),
        *("test accuracy", "training time", "prediction time", "peak memory"),
    ]
    start = table[0].index("model")
    model = comparison["models"][1]
    assert [line[start:] for line in table[1:]] == [
        f"{model['n_parameters']:,}",
        "2",
        *(
            "{:.4f} [{:.4f}, {:.4f}]".format(model[name], *model[f"{name}_interval"])
            for name in ("train_loss", "train_accuracy", "test_loss", "test_accuracy")
        ),
        "-",
        f"{model['predict_seconds']:.2f} s",
        "-",
    ]


@pytest.mark.slow
def test_files_are_reported_and_tensorflow_is_silent(reported):
    files = ", ".join(["dense.safetensors", *COMPARISON_FILES])
    assert reported.stdout.splitlines()[-1] == f"{reported.folder} holds {files}"
    assert reported.stderr == ""


def model_of(name):
    numbers = {"n_parameters": 1_234_567, "epochs": 30}
    for measure in ("train_loss", "train_accuracy", "test_loss", "test_accuracy"):
        numbers |= {measure: 0.5, f"{measure}_interval": (0.25, 0.75)}
    costs = {"fit_seconds": 1234.5, "predict_seconds": 1.5, "peak_memory_bytes": 1.5e9}
    return {"name": name, **numbers, **costs}


def test_table_of_three_models_fits_into_100_columns():
    lines = format_table([model_of(name) for name in ("dense", "convolutional", "whitening")])
    assert max(map(len, lines)) <= 100


def test_columns_are_below_their_names():
    _, *lines = format_table([model_of("日本"), model_of("b")])
    assert lines[3].index("0.5000") == lines[0].index("日")
    assert lines[3].rindex("0.5000") == lines[0].index("b") + 2  # each of the two is two wide


def test_more_models_make_more_tables():
    lines = format_table([model_of(name) for name in "abcd"])
    assert [lines[1].split(), lines[len(lines) // 2 + 1].split()] == [["a", "b", "c"], ["d"]]


@pytest.mark.parametrize(
    ("n_first", "n_second", "pvalue", "sentence"),
    [
        (
            *(10, 1200, 1e-300),
            "Only a is right on 10 test pictures, only b on 1,200 (p < 0.0001): that is hardly"
            " chance, so b is the better one on pictures like these.",
        ),
        (
            *(30, 15, 0.0357),
            "Only a is right on 30 test pictures, only b on 15 (p = 0.0357): that is hardly chance,"
            " so a is the better one on pictures like these.",
        ),
        (
            *(3, 3, 1.0),
            "Only a is right on 3 test pictures, only b on 3 (p = 1.0000): that may well be chance,"
            " so neither is shown to be better.",
        ),
    ],
)
def test_sentence_says_what_a_test_means(n_first, n_second, pvalue, sentence):
    counts = {"n_only_first_right": n_first, "n_only_second_right": n_second, "pvalue": pvalue}
    _, _, *printed = describe_tests([{"models": ["a", "b"], **counts}])
    assert max(map(len, printed)) <= 100
    assert " ".join(printed) == sentence


# --- saved models ---


@pytest.mark.slow
def test_saved_models_alone_are_compared_on_the_data_they_know(saved, tmp_path, capsys):
    shutil.copy(saved, tmp_path / "copy.safetensors")
    models = [str(saved), str(tmp_path / "copy.safetensors")]
    options = ["--networks", "none", "--limit", "100", "--out", str(tmp_path / "out")]
    assert main(["compare", *models, *options]) == 0
    reported = capsys.readouterr()
    assert reported.out.startswith("digits: 100 training")
    assert "Only model is right on 0 test pictures, only copy on 0 (p = 1.0000)" in reported.out
    assert reported.err == ""
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(COMPARISON_FILES)


def test_single_model_is_reported_without_a_test(saved, tmp_path, capsys):
    assert main(["compare", str(saved), *NONE, "--out", str(tmp_path / "out")]) == 0
    assert "McNemar" not in capsys.readouterr().out
    assert json.loads((tmp_path / "out" / "comparison.json").read_text())["tests"] == []
    assert plt.imread(tmp_path / "out" / "comparison.png").std() > 0


@pytest.mark.slow
def test_model_that_learned_numbers_is_compared_by_names(saved, tmp_path):
    X, y = load_digit_images(return_X_y=True)
    pipeline = make_dense_pipeline(epochs=1, hidden_layer_sizes=(), random_state=0).fit(X, y)
    save_model(pipeline, tmp_path / "numbers")
    models = [str(tmp_path / "numbers"), str(saved)]
    assert main(["compare", *models, *NONE, "--out", str(tmp_path / "out")]) == 0
    comparison = json.loads((tmp_path / "out" / "comparison.json").read_text())
    _, (X_test, names, _) = load_train_test("digits", limit=100)
    first, second = pipeline.predict(X_test).astype(str), load_model(saved).predict(X_test)
    assert comparison["models"][0]["test_accuracy"] == np.mean(first == names)
    assert comparison["tests"][0]["pvalue"] == mcnemar_test(names, first, second).pvalue


def test_own_pictures_are_read_at_the_size_of_the_model(tmp_path, capsys):
    for name in ("blue", "red"):
        (tmp_path / "own" / name).mkdir(parents=True)
        for number in range(10):
            Image.new("RGB", (9, 9), name).save(tmp_path / "own" / name / f"{number}.png")
    X = np.zeros((4, 8, 8, 3), dtype=np.uint8)
    model = make_dense_pipeline(epochs=1).fit(X, ["blue", "red"] * 2)
    save_model(model, tmp_path / "small")
    options = ["--data", str(tmp_path / "own"), "--networks", "none"]
    assert main(["compare", str(tmp_path / "small"), *options, "--out", str(tmp_path / "out")]) == 0
    reported = capsys.readouterr()
    assert f"\n{tmp_path / 'own'}: 16 training and 4 test pictures of 2 classes\n" in reported.out
    assert reported.err == ""


@pytest.fixture(scope="session")
def bad_models(blobs, tmp_path_factory):
    """Model files that cannot be compared, by what is reported of them."""
    folder = tmp_path_factory.mktemp("bad")
    (folder / "damaged").write_bytes(b"no model")
    save_model(DenseClassifier(epochs=1).fit(*blobs), folder / "rows")
    pictures = np.zeros((10, 32, 32, 3), dtype=np.uint8)
    save_model(make_dense_pipeline(epochs=1).fit(pictures, ["cat", "dog"] * 5), folder / "pets")
    small = make_dense_pipeline(epochs=1).fit(pictures[:, :9, :8], list("0123456789"))
    save_model(small, folder / "small")
    return {
        folder / "missing": "missing is not a file",
        folder / "damaged": "damaged is cut short or is not a model file",
        folder / "rows": "rows takes samples of shape (4,), not pictures",
        folder / "pets": "was not trained on. Give pictures of cat, dog.",
        folder
        / "small": "small takes pictures of 9 x 8 pixels (crop), but those of digits are read at"
        " 32 x 32",
    }


def test_models_that_cannot_be_compared_are_reported_and_the_others_are_shown(
    bad_models, saved, tmp_path, capsys
):
    models = [str(saved), *map(str, bad_models)]
    assert main(["compare", *models, *NONE, "--out", str(tmp_path / "out")]) == 2
    reported = capsys.readouterr()
    lines = reported.err.splitlines()
    assert len(lines) == len(bad_models)
    for path, message in bad_models.items():
        assert any(str(path) in line and message in line for line in lines)
    assert "test accuracy" in reported.out
    models = json.loads((tmp_path / "out" / "comparison.json").read_text())["models"]
    assert [model["name"] for model in models] == ["model"]


@pytest.mark.parametrize("name", ["missing", "pets"])
def test_where_no_model_is_left_only_the_error_is_reported(name, bad_models, tmp_path, capsys):
    (model,) = (path for path in bad_models if path.name == name)
    message = error_of(capsys, [str(model), *NONE, "--out", str(tmp_path / "out")])
    assert bad_models[model] in message
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("paths", "taken", "names"),
    [
        (["x/a.s", "x/b.s"], [], ["a", "b"]),
        (["x/a.s", "y/a.s", "y/b.s"], [], ["x/a", "y/a", "b"]),
        (["x/dense.s"], ["dense"], ["x/dense"]),
        (["x/a.s", "x/a.s", "w/x/a.t"], [], ["x/a", "x/a (2)", "x/a (3)"]),
    ],
)
def test_names_distinguish_models(tmp_path, paths, taken, names):
    assert distinct_names([tmp_path / path for path in paths], taken) == names


# --- mistakes ---


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--networks", "dense,nonsense"], "--networks: 'nonsense' is not a network. Give some of"),
        (["--networks", ""], "--networks: '' is not a network"),
        (["--networks", "dense,dense"], "dense is given twice"),
        (["--networks", "none"], "There is nothing to compare"),
        (["--limit", "5"], "digits has 10 classes, so the limit of 5 is too low"),
        (["--data", "nowhere"], "nowhere is not a folder"),
    ],
)
def test_mistake_is_one_line(tmp_path, capsys, monkeypatch, options, message):
    monkeypatch.chdir(tmp_path)
    assert message in error_of(capsys, [*QUICK, *options])
    assert not list(tmp_path.iterdir())


def test_epochs_must_be_a_number(capsys):
    with pytest.raises(SystemExit) as exit_:
        main(["compare", "--epochs", "0"])
    assert exit_.value.code == 2
    assert "--epochs: must be an int from 1" in capsys.readouterr().err


def test_saved_model_is_not_replaced_by_a_network_of_its_name(saved, tmp_path, capsys):
    path = tmp_path / "dense.safetensors"
    shutil.copy(saved, path)
    message = error_of(capsys, [str(path), *QUICK, "--out", str(tmp_path)])
    assert "would be replaced by the new dense network" in message
    assert path.read_bytes() == saved.read_bytes()


# --- processes ---


@pytest.mark.skipif(sys.platform == "win32", reason="peak memory is not known there")
def test_memory_counts_what_one_network_had_only():
    large = np.ones(300_000_000, np.uint8)  # of this process, which the others' must not count
    assert 1_000_000 < in_a_process_of_its_own(memory_with, "a", 1) < len(large)
    assert in_a_process_of_its_own(memory_with, "a", 300_000_000) > 300_000_000


@pytest.mark.parametrize("error", [ValueError("why"), MemoryError("why"), OSError("why")])
def test_error_of_another_process_is_reported_with_the_network(error):
    with pytest.raises(ValueError, match=r"^dense: why$"):
        in_a_process_of_its_own(raise_error, "dense", error)


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such signals")
def test_process_that_was_killed_is_reported():
    with pytest.raises(OSError, match=r"dense: .* killed before it was done \(exit code -9\)"):
        in_a_process_of_its_own(kill_process, "dense")


def test_network_that_cannot_be_trained_is_reported_and_the_others_are_shown(
    saved, tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr("skcifar.cli._compare._train", run_out_of_luck)
    options = [*QUICK, "--networks", "dense,whitening", "--out", str(tmp_path / "out")]
    assert main(["compare", str(saved), *options]) == 2
    reported = capsys.readouterr()
    assert reported.err.splitlines() == [
        "skcifar: error: dense: out of luck",
        "skcifar: error: whitening: out of luck",
    ]
    assert "test accuracy" in reported.out


def test_warning_that_digits_stand_in_is_shown_once(data_home, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("skcifar.cli._compare._train", raise_data)
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(data_home))
    options = ["--limit", "100", "--out", str(tmp_path / "out")]
    assert main(["compare", *options, "--networks", "dense,whitening"]) == 2
    reported = capsys.readouterr().err
    assert reported.count("Not CIFAR-10") == 1
    assert "error: dense: digits of (32, 32)\n" in reported
    assert "error: whitening: digits of (32, 32)\n" in reported


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="there are no process groups")
def test_interrupt_ends_both_processes_in_one_line(tmp_path):
    """An interrupt as the terminal sends it: to both."""
    options = [*DATA, "--networks", "dense", "--epochs", "100000", "--out", str(tmp_path / "out")]
    command = subprocess.Popen(
        [sys.executable, "-m", "skcifar", "compare", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # a job in the background of a shell has it ignored, and so would what it starts
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    )
    lines = iter(command.stdout.readline, "")
    assert any(line.startswith("epoch ") for line in lines), command.stderr.read()
    os.killpg(command.pid, signal.SIGINT)
    _, errors = command.communicate(timeout=60)  # which waits for all who have the other end
    assert errors == "skcifar: error: interrupted\n"
    assert command.returncode == 130
    assert not list((tmp_path / "out").iterdir())
