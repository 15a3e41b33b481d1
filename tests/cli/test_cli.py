import contextlib
import csv
import io
import json
import subprocess
import sys
from functools import partial

import matplotlib.pyplot as plt
import numpy as np
import pytest
from one_line_errors import error_of
from PIL import Image
from small_networks import weights_of

from skcifar import (
    fetch_cifar10,
    load_digit_images,
    load_model,
    make_dense_pipeline,
    save_model,
)
from skcifar.classifiers import CLASSIFIERS
from skcifar.cli._parameters import LEFT_OUT
from skcifar.cli._parser import SUBCOMMANDS, main
from skcifar.pipelines import PIPELINES
from skcifar.runs._files import RUN_FILES

PICTURES = [name for name in RUN_FILES if name.endswith(".png")]
QUICK = ["--data", "digits", "--limit", "200", "--epochs", "3", "--hidden-layer-sizes", "20"]


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """A folder that ``skcifar train`` wrote, and what it printed."""
    folder, printed = tmp_path_factory.mktemp("run"), io.StringIO()
    with contextlib.redirect_stdout(printed):
        assert main(["train", *QUICK, "--out", str(folder)]) == 0
    return folder, printed.getvalue()


@pytest.fixture(scope="session")
def run(trained):
    return trained[0]


# --- train ---


def test_train_writes_its_files_and_nothing_else(run):
    assert sorted(path.name for path in run.iterdir()) == sorted(RUN_FILES)


def test_train_shows_the_numbers_of_the_run(run):
    metrics = json.loads((run / "metrics.json").read_text())
    assert set(metrics) == {
        *("network", "data", "n_train", "n_test", "n_parameters", "epochs", "fit_seconds"),
        *("train_loss", "train_accuracy", "test_loss", "test_accuracy", "params", "versions"),
        *("test_calibration_error", "test_calibration_error_interval", "by_class"),
        *("n_answers_at_95_percent", "min_probability_at_95_percent"),
    }
    assert metrics["data"] == "digits"
    assert (metrics["n_train"], metrics["n_test"]) == (200, 200)
    assert metrics["n_parameters"] == 3072 * 20 + 20 + 20 * 10 + 10
    assert metrics["epochs"] == 3


def test_numbers_are_those_of_the_saved_model(run):
    from skcifar.datasets import load_train_test

    metrics = json.loads((run / "metrics.json").read_text())
    model = load_model(run / "model.safetensors")
    for name, (X, y, _) in zip(
        ("train", "test"), load_train_test("digits", limit=200), strict=True
    ):
        assert model.score(X, y) == metrics[f"{name}_accuracy"]
        actual = model.predict_proba(X)[np.arange(len(y)), np.searchsorted(model.classes_, y)]
        assert -np.log(actual).mean() == pytest.approx(metrics[f"{name}_loss"], rel=1e-5)


def test_history_has_a_row_for_each_epoch(run):
    with (run / "history.csv").open() as file:
        rows = list(csv.DictReader(file))
    history = load_model(run / "model.safetensors")["classify"].history_
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    assert [float(row["loss"]) for row in rows] == history["loss"]
    assert [float(row["accuracy"]) for row in rows] == history["accuracy"]


def test_pictures_are_pictures(run):
    assert (
        plt.imread(run / "predictions.png").shape[1]
        > plt.imread(run / "predictions.png").shape[0] * 3
    )  # a row
    assert plt.imread(run / "learning_curves.png").std() > 0


def test_train_shows_each_epoch_and_the_outcome(trained):
    lines = trained[1].splitlines()
    assert lines[0] == "digits: 200 training and 200 test pictures of 10 classes"
    for epoch, line in enumerate(lines[1:4], start=1):
        assert line.startswith(f"epoch {epoch}/3   loss ")
        assert "accuracy" in line
        assert "time left 0:" in line
    assert "61,670 parameters, trained in" in lines[5]
    assert lines[6].startswith("training   loss ")
    assert lines[7].startswith("test       loss ")


@pytest.mark.slow
def test_same_random_state_trains_the_same_network(run, tmp_path):
    main(["train", *QUICK, "--out", str(tmp_path)])
    first, second = (load_model(folder / "model.safetensors") for folder in (run, tmp_path))
    for a, b in zip(
        first["classify"].model_.get_weights(), second["classify"].model_.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(a, b)


@pytest.mark.slow
def test_auto_takes_cifar10_where_it_is_at_hand(tiny_cifar10, tmp_path, capsys):
    options = ["--data-home", str(tiny_cifar10), "--epochs", "1", "--hidden-layer-sizes", "5"]
    assert main(["train", *options, "--out", str(tmp_path / "run")]) == 0
    reported = capsys.readouterr()
    assert reported.out.startswith("cifar10: 100 training and 20 test pictures of 10 classes")
    assert reported.err == ""


@pytest.mark.slow
def test_auto_falls_back_on_digits_with_a_warning(data_home, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(data_home))
    options = ["--limit", "100", "--epochs", "1", "--hidden-layer-sizes", "5"]
    assert main(["train", *options, "--out", str(tmp_path)]) == 0
    reported = capsys.readouterr()
    assert reported.out.startswith("digits: 100 training")
    assert "Not CIFAR-10" in reported.err
    assert "cifar-10-binary.tar.gz" in reported.err


def test_no_digits_stand_in_for_what_was_asked_for(data_home, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    options = ["--data-home", str(data_home), "--out", str(tmp_path / "run")]
    assert main(["train", *options]) == 2
    reported = capsys.readouterr().err.splitlines()[-1]
    assert f"cifar-10-python.tar.gz is in {data_home}, in a folder there, or in" in reported


@pytest.mark.slow
@pytest.mark.parametrize("place", [".", "..", "cifar-10-batches-bin"])
def test_data_home_may_be_the_folder_itself_or_one_too_high(tiny_cifar10, tmp_path, capsys, place):
    options = ["--data-home", str(tiny_cifar10 / place), "--hidden-layer-sizes", "5"]
    assert main(["train", *options, "--epochs", "1", "--out", str(tmp_path / "run")]) == 0
    assert capsys.readouterr().out.startswith("cifar10: 100 training and 20 test pictures")


def test_cifar10_by_name_does_not_fall_back(data_home, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    options = ["--data", "cifar10", "--data-home", str(data_home), "--out", str(tmp_path / "run")]
    assert main(["train", *options]) == 2
    assert "could not be downloaded" in capsys.readouterr().err.splitlines()[-1]


def test_damaged_cifar10_is_no_reason_to_fall_back(tiny_cifar10, tmp_path, capsys):
    (tiny_cifar10 / "cifar-10-batches-bin" / "test_batch.bin").write_bytes(b"short")
    options = ["--data-home", str(tiny_cifar10), "--out", str(tmp_path / "run")]
    assert "test_batch.bin" in error_of(capsys, ["train", *options])


@pytest.mark.slow
def test_chatter_of_tensorflow_does_not_reach_the_user(tmp_path):
    reported = subprocess.run(
        [sys.executable, "-m", "skcifar", "train", *QUICK, "--out", str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": "", "HOME": str(tmp_path)},
    )
    assert reported.stderr == ""
    assert reported.stdout.startswith("digits: 200")


@pytest.mark.slow
def test_names_are_reported_as_they_are(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("$x^$", "[b]", "日本"):
        (tmp_path / "[red]own[/b]" / name).mkdir(parents=True)
        for number in range(5):
            path = tmp_path / "[red]own[/b]" / name / f"{number}.png"
            Image.new("L", (9, 9), 80 * number).save(path)
    options = ["--epochs", "1", "--hidden-layer-sizes", "5", "--out", ":smile:[/b]"]
    assert main(["train", "--data", "[red]own[/b]", *options]) == 0
    reported = capsys.readouterr()
    assert "\n[red]own[/b]: 12 training and 3 test pictures of 3 classes\n" in reported.out
    assert ":smile:[/b] holds model.safetensors" in reported.out
    assert reported.err == ""
    written = (tmp_path / ":smile:[/b]").iterdir()
    assert sorted(path.name for path in written) == sorted(RUN_FILES)


@pytest.mark.slow
def test_auto_falls_back_where_nothing_can_be_kept(tmp_path, capsys, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path / "file"))
    options = ["--limit", "100", "--epochs", "1", "--out", str(tmp_path / "run")]
    assert main(["train", *options]) == 0
    assert "Not CIFAR-10" in capsys.readouterr().err


def test_mistake_in_the_data_leaves_no_folder(tmp_path, capsys):
    out = tmp_path / "run"
    error_of(capsys, ["train", "--data", str(tmp_path / "nowhere"), "--out", str(out)])
    assert not out.exists()


@pytest.mark.slow
@pytest.mark.parametrize("network", ["convolutional", "whitening"])
def test_train_takes_other_networks(network, tmp_path):
    options = ["--data", "digits", "--limit", "64", "--epochs", "1", "--network", network]
    assert main(["train", *options, "--out", str(tmp_path)]) == 0
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert metrics["network"] == network
    assert metrics["params"].get("horizontal_flip") is not True  # a digit in a mirror is none
    steps = load_model(tmp_path / "model.safetensors").named_steps
    assert list(steps) == ["resize", "scale", "classify"]


def test_parameters_of_the_network_are_options(tmp_path):
    options = ["--dropout", "0.25", "--validation-fraction", "0.3", "--early-stopping"]
    options += ["--class-weight", "balanced", "--no-shuffle", "--learning-rate-schedule", "cosine"]
    options += ["--optimizer", "muon", "--learning-rate", "auto"]
    assert main(["train", *QUICK, *options, "--out", str(tmp_path)]) == 0
    params = json.loads((tmp_path / "metrics.json").read_text())["params"]
    typed = {
        "dropout": 0.25,
        "validation_fraction": 0.3,
        "early_stopping": True,
        "class_weight": "balanced",
        "shuffle": False,
        "learning_rate_schedule": "cosine",
        "optimizer": "muon",
        "learning_rate": "auto",
    }
    assert {name: params[name] for name in typed} == typed


@pytest.mark.parametrize("module", SUBCOMMANDS)
def test_help_shows_no_value_of_python(module, capsys):
    with pytest.raises(SystemExit):
        main([module.__name__.rpartition("_")[2], "--help"])
    assert "None" not in capsys.readouterr().out


@pytest.mark.parametrize("cls", CLASSIFIERS.values())
def test_help_explains_each_parameter_of_each_network(cls, capsys):
    with pytest.raises(SystemExit):
        main(["train", "--help"])
    text = " ".join(capsys.readouterr().out.split())
    for name in cls().get_params().keys() - LEFT_OUT:
        assert f"--{name.replace('_', '-')}" in text


@pytest.mark.slow
def test_training_ends_with_the_minutes_that_were_typed(tmp_path, capsys):
    options = ["--data", "digits", "--limit", "200", "--hidden-layer-sizes", "20"]
    assert main(["train", *options, "--minutes", "0.01", "--out", str(tmp_path)]) == 0
    assert "epoch 1   loss" in capsys.readouterr().out
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    chosen = load_model(tmp_path / "model.safetensors")["classify"].chosen_
    assert metrics["epochs"] == chosen["epochs"] < 100


@pytest.mark.slow
@pytest.mark.parametrize(("typed", "value"), [("yes", True), ("alternate", "alternate")])
def test_digits_are_mirrored_if_that_was_typed(typed, value, tmp_path):
    options = ["--data", "digits", "--limit", "64", "--epochs", "1", "--network", "convolutional"]
    assert main(["train", *options, "--horizontal-flip", typed, "--out", str(tmp_path)]) == 0
    params = json.loads((tmp_path / "metrics.json").read_text())["params"]
    assert params["horizontal_flip"] == value


def test_other_words_than_yes_no_and_alternate_are_refused(capsys):
    error = error_of(capsys, ["train", "--horizontal-flip", "maybe"])
    assert "--horizontal-flip: must be yes, no, alternate, got 'maybe'" in error


def test_options_of_other_networks_are_refused_before_anything_is_read(capsys, tmp_path):
    options = ["--network", "whitening", "--hidden-layer-sizes", "20", "--data", "nowhere"]
    error = error_of(capsys, ["train", *options, "--out", str(tmp_path / "out")])
    assert "--hidden-layer-sizes is not for the whitening network" in error
    assert not (tmp_path / "out").exists()


# --- evaluate and predict ---


def test_evaluate_prints_the_pair_and_a_table_by_class(run, capsys):
    assert main(["evaluate", str(run / "model.safetensors"), "--limit", "200"]) == 0
    metrics = json.loads((run / "metrics.json").read_text())
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "digits: 200 test pictures"
    pair = f"[{metrics['test_loss']:.4f}, {metrics['test_accuracy']:.4f}]"
    assert lines[1] == f"[loss, accuracy]: {pair}"
    assert "precision" in lines[3]
    assert [line.split()[0] for line in lines[5:15]] == list("0123456789")


def test_evaluate_takes_the_training_pictures_too(run, capsys):
    options = ["--limit", "200", "--subset", "train"]
    assert main(["evaluate", str(run / "model.safetensors"), *options]) == 0
    metrics = json.loads((run / "metrics.json").read_text())
    assert f"{metrics['train_accuracy']:.4f}]" in capsys.readouterr().out


def test_evaluate_takes_all_pictures_of_a_folder(run, tmp_path, capsys):
    images, labels = load_digit_images(return_X_y=True)
    for label in range(10):
        (tmp_path / str(label)).mkdir()
        image = Image.fromarray(images[labels == label][0])
        image.save(tmp_path / str(label) / "0.png")
    options = ["--data", str(tmp_path), "--subset", "all"]
    assert main(["evaluate", str(run / "model.safetensors"), *options]) == 0
    assert f"\n{tmp_path}: 10 pictures\n" in capsys.readouterr().out


@pytest.mark.parametrize("source", ["digits", "cifar10"])
def test_evaluate_takes_a_model_of_numbers(source, tiny_cifar10, tmp_path, capsys):
    load = {"digits": load_digit_images, "cifar10": partial(fetch_cifar10, data_home=tiny_cifar10)}
    X, y = load[source](subset="test", return_X_y=True)
    pipeline = make_dense_pipeline(epochs=5, hidden_layer_sizes=(), random_state=0).fit(X, y)
    save_model(pipeline, tmp_path / "model")
    options = ["--data", source, "--data-home", str(tiny_cifar10)]
    assert main(["evaluate", str(tmp_path / "model"), *options]) == 0
    assert f"{pipeline.score(X, y):.4f}]" in capsys.readouterr().out


def test_evaluate_does_not_guess_what_numbers_stand_for(tmp_path, capsys):
    X, y = load_digit_images(subset="test", return_X_y=True)
    save_model(make_dense_pipeline(epochs=1).fit(X, y), tmp_path / "model")
    assert "the pictures with --data" in error_of(capsys, ["evaluate", str(tmp_path / "model")])


def test_evaluate_refuses_pictures_of_other_classes(run, tiny_cifar10, capsys):
    options = ["--data", "cifar10", "--data-home", str(tiny_cifar10)]
    message = error_of(capsys, ["evaluate", str(run / "model.safetensors"), *options])
    assert "cifar10 has pictures of airplane" in message


@pytest.mark.slow
def test_own_pictures_go_all_the_way(tmp_path, capsys):
    for name in ("blue", "red"):
        (tmp_path / "own" / name).mkdir(parents=True)
        for number in range(10):
            Image.new("RGB", (9, 9), name).save(tmp_path / "own" / name / f"{number}.png")
    own, out = str(tmp_path / "own"), tmp_path / "run"
    assert main(["train", "--data", own, "--epochs", "20", "--out", str(out)]) == 0
    model = str(out / "model.safetensors")
    assert main(["evaluate", model, "--data", own]) == 0
    capsys.readouterr()
    assert main(["predict", model, f"{own}/red/0.png"]) == 0
    assert capsys.readouterr().out.splitlines()[1].split()[1] == "red"


def test_evaluate_requests_the_folder_of_own_pictures(blobs, tmp_path, capsys):
    X = np.zeros((4, 8, 8, 3), dtype=np.uint8)
    save_model(make_dense_pipeline(epochs=1).fit(X, ["a", "b"] * 2), tmp_path / "model")
    assert "the pictures with --data" in error_of(capsys, ["evaluate", str(tmp_path / "model")])


# --- mistakes ---


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--epochs", "0"], "--epochs: must be a float in the range (0.0, inf) or auto, got '0'"),
        (
            ["--epochs", "many"],
            "--epochs: must be a float in the range (0.0, inf) or auto, got 'many'",
        ),
        (["--dropout", "1"], "--dropout: must be a float in the range [0.0, 1.0), got '1'"),
        (["--dropout", "nan"], "--dropout: must be a float in the range [0.0, 1.0), got 'nan'"),
        (["--class-weight", "heavy"], "--class-weight: invalid choice: 'heavy'"),
        (["--hidden-layer-sizes", "200,0"], "--hidden-layer-sizes: must be ints of at least 1"),
        (
            ["--learning-rate", "-1"],
            "--learning-rate: must be a float in the range (0.0, inf) or auto, got '-1'",
        ),
        (
            ["--batch-size", "0"],
            "--batch-size: must be an int in the range [1, inf) or auto",
        ),
        (["--limit", "0"], "--limit: must be an int from 1"),
        (["--random-state", "-1"], "--random-state: must be an int from 0"),
        (["--limit", "5"], "digits has 10 classes, so the limit of 5 is too low"),
        (["--data", ""], "--data: must be auto, cifar10, digits or a folder"),
        pytest.param(
            ["--hidden-layer-sizes", "2147483647"],
            "do not fit into memory",
            marks=pytest.mark.slow,  # TensorFlow waits 10 s for memory
        ),
        (["--learning-rate", "1e300", "--limit", "20"], "Lower the learning rate"),
        (["--data", "nowhere"], "nowhere is not a folder"),
        (["--nonsense"], "unrecognized arguments: --nonsense"),
    ],
)
def test_mistake_is_one_line(tmp_path, capsys, monkeypatch, options, message):
    monkeypatch.chdir(tmp_path)
    assert message in error_of(capsys, ["train", "--data", "digits", *options])


def test_command_without_subcommand_is_reported(capsys):
    assert "COMMAND" in error_of(capsys, [])


def test_folder_that_cannot_be_written_to_is_reported_before_training(tmp_path, capsys):
    (tmp_path / "file").touch()
    message = error_of(capsys, ["train", *QUICK, "--out", str(tmp_path / "file" / "run")])
    assert "Not a directory" in message


@pytest.mark.parametrize("command", [["evaluate"], ["predict", "picture.png"]])
def test_file_that_is_no_model_is_reported(tmp_path, capsys, command):
    path = tmp_path / "model.safetensors"
    path.write_bytes(b"no model")
    name, *rest = command
    assert "is not a model file" in error_of(capsys, [name, str(path), *rest])


def test_model_for_rows_is_refused(blobs, tmp_path, capsys):
    from skcifar import DenseClassifier

    save_model(DenseClassifier(epochs=1).fit(*blobs), tmp_path / "model")
    message = error_of(capsys, ["predict", str(tmp_path / "model"), "picture.png"])
    assert "takes samples of shape (4,), not pictures" in message


def test_every_network_can_be_named(capsys):
    from skcifar.classifiers import CLASSIFIERS

    with pytest.raises(SystemExit):
        main(["train", "--help"])
    assert f"{{{','.join(CLASSIFIERS)}}}" in capsys.readouterr().out


def test_name_of_a_file_cannot_draw_on_the_terminal(tmp_path, capsys):
    message = error_of(capsys, ["evaluate", str(tmp_path / "\x1b[2Jmodel")])
    assert r"\x1b[2Jmodel is not a file" in message


def test_interrupt_is_one_line(tmp_path, capsys, monkeypatch):
    def interrupt(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("skcifar.classifiers.DenseClassifier.fit", interrupt)
    assert main(["train", *QUICK, "--out", str(tmp_path)]) == 130
    assert capsys.readouterr().err == (
        "skcifar: error: interrupted in the first epoch, so nothing is saved\n"
    )


@pytest.mark.slow
def test_resumed_training_ends_with_the_network_of_an_unbroken_one(tmp_path, capsys, run):
    argv = ["train", *QUICK, "--out", str(tmp_path), "--checkpoint", str(tmp_path / "checkpoint")]
    assert main([*argv, "--epochs", "2"]) == 0
    capsys.readouterr()
    assert main([*argv, "--resume"]) == 0
    assert "resumes after epoch 2\nepoch 3/3" in capsys.readouterr().out
    resumed, whole = (load_model(folder / "model.safetensors")[-1] for folder in (tmp_path, run))
    np.testing.assert_array_equal(weights_of(resumed), weights_of(whole))
    assert resumed.history_ == whole.history_
    assert main([*argv, "--resume"]) == 0
    assert "nothing is left to train" in capsys.readouterr().out


def test_checkpoint_that_is_there_is_not_begun_anew(tmp_path, capsys):
    path = tmp_path / "checkpoint"
    path.write_bytes(b"precious")
    message = error_of(capsys, ["train", *QUICK, "--checkpoint", str(path)])
    assert f"{path} already exists. Add --resume" in message
    assert path.read_bytes() == b"precious"


def test_resuming_from_nothing_is_refused(capsys):
    assert "--checkpoint FILE" in error_of(capsys, ["train", *QUICK, "--resume"])


def test_file_that_is_no_checkpoint_is_not_resumed(tmp_path, capsys):
    path = tmp_path / "checkpoint"
    path.write_bytes(b"text")
    argv = ["train", *QUICK, "--checkpoint", str(path), "--resume", "--out", str(tmp_path)]
    assert "is not a checkpoint file" in error_of(capsys, argv)


def test_interrupted_training_leaves_its_network_beside_earlier_runs(
    tmp_path, capsys, monkeypatch, run
):
    from skcifar.cli._progress import EpochProgress

    def interrupt(self, epoch, logs=None):
        if epoch == 1:
            raise KeyboardInterrupt

    model = tmp_path / "model.safetensors"
    model.write_bytes(b"of an earlier run")
    monkeypatch.setattr(EpochProgress, "on_epoch_end", interrupt)
    assert main(["train", *QUICK, "--out", str(tmp_path)]) == 130
    path = tmp_path / "interrupted.safetensors"
    assert capsys.readouterr().err == (
        f"skcifar: error: interrupted; {path} holds the network as it was after epoch 1\n"
    )
    assert load_model(path)[-1].n_iter_ == 1
    assert model.read_bytes() == b"of an earlier run"


def test_version_is_that_of_the_package(capsys):
    import skcifar

    with pytest.raises(SystemExit) as exit_:
        main(["--version"])
    assert exit_.value.code == 0
    assert capsys.readouterr().out == f"skcifar {skcifar.__version__}\n"


def test_names_of_networks_are_those_of_the_pipelines(capsys):
    with pytest.raises(SystemExit):
        main(["train", "--help"])
    assert f"{{{','.join(PIPELINES)}}}" in capsys.readouterr().out


def test_picture_that_fails_costs_nothing_else(tmp_path, capsys, monkeypatch):
    def fail(figure, path):
        raise OSError("no fonts")

    monkeypatch.setattr("skcifar.runs._training.save_figure", fail)
    (tmp_path / "learning_curves.png").write_bytes(b"of an earlier run")
    (tmp_path / "report.html").write_bytes(b"of an earlier run")
    assert main(["train", *QUICK, "--epochs", "1", "--out", str(tmp_path)]) == 0
    warnings = capsys.readouterr().err.splitlines()
    assert warnings == [
        f"skcifar: warning: {name} could not be drawn (OSError: no fonts)" for name in PICTURES
    ]
    left = {path.name for path in tmp_path.iterdir()}
    assert left == set(RUN_FILES) - set(PICTURES)


def test_interrupt_after_training_leaves_the_model(tmp_path, monkeypatch):
    def interrupt(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("skcifar.cli._train.score", interrupt)
    assert main(["train", *QUICK, "--epochs", "1", "--out", str(tmp_path)]) == 130
    assert load_model(tmp_path / "model.safetensors")[-1].n_iter_ == 1
