"""``skcifar search``, on a few digits."""

import csv
import json
import subprocess
import sys

import matplotlib.pyplot as plt
import numpy as np
import pytest
from one_line_errors import error_of
from sklearn.dummy import DummyClassifier
from sklearn.model_selection import ParameterGrid

from skcifar import ResumableHalvingGridSearchCV, load_model, make_dense_pipeline
from skcifar.cli._parser import main
from skcifar.datasets import load_train_test
from skcifar.runs._files import SEARCH_FILES
from skcifar.runs._search import (
    FACTOR,
    PRESETS,
    RESOURCE,
    check_grids,
    describe_plan,
    make_search,
    plan_rounds,
    write_search,
)

GRID = "hidden_layer_sizes = [[], [10]]\nlearning_rate = [0.001, 0.01]\n"
QUICK = ["search", "--data", "digits", "--limit", "120", "--epochs", "2", "--cv", "2"]


@pytest.fixture
def grid(tmp_path):
    """Writes a grid file and returns its path."""

    def write(text=GRID):
        path = tmp_path / "grid.toml"
        path.write_text(text, encoding="utf-8")
        return str(path)

    return write


@pytest.fixture(scope="session")
def out(tmp_path_factory):
    """A folder that ``skcifar search`` wrote."""
    folder = tmp_path_factory.mktemp("search")
    (folder / "grid.toml").write_text(GRID)
    argv = [*QUICK, "--grid", str(folder / "grid.toml"), "--out", str(folder / "out")]
    assert main(argv) == 0
    return folder / "out"


def rows_of(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


# --- what is written ---


def test_search_writes_its_files_and_nothing_else(out):
    assert sorted(path.name for path in out.iterdir()) == sorted(SEARCH_FILES)


def test_metrics_are_those_of_the_best_model(out):
    metrics = json.loads((out / "metrics.json").read_text())
    assert set(metrics) == {
        *("data", "n_train", "n_test", "n_folds", "n_fits", "epochs", "n_parameters"),
        *("best_params", "best_validation_score", "test_loss", "test_accuracy"),
        *("seconds", "refit_seconds", "versions"),
    }
    assert (metrics["n_train"], metrics["n_folds"], metrics["n_fits"]) == (120, 2, 8)
    model = load_model(out / "model.safetensors")
    _, (X, y, _) = load_train_test("digits", limit=120)
    assert model.score(X, y) == metrics["test_accuracy"]
    params = model.get_params()
    for name, value in metrics["best_params"].items():
        assert params[name] == (tuple(value) if isinstance(value, list) else value)
    assert params["classify__epochs"] == metrics["epochs"] == 2


def test_results_have_a_row_for_each_candidate(out):
    rows = rows_of(out / "cv_results.csv")
    assert [row["candidate"] for row in rows] == ["0", "1", "2", "3"]
    assert {row["param_classify__hidden_layer_sizes"] for row in rows} == {"()", "(10,)"}
    best = min(rows, key=lambda row: int(row["rank_test_score"]))
    metrics = json.loads((out / "metrics.json").read_text())
    assert float(best["mean_test_score"]) == metrics["best_validation_score"]
    assert float(best["param_classify__learning_rate"]) in metrics["best_params"].values()


def test_curves_have_a_row_for_each_epoch_of_each_fold(out):
    rows = rows_of(out / "learning_curves.csv")
    assert list(rows[0]) == ["candidate", "fold", "epoch", "loss", "accuracy"]
    places = [(row["candidate"], row["fold"], row["epoch"]) for row in rows]
    assert places == [(c, f, e) for c in "0123" for f in "01" for e in "12"]
    assert all(float(row["loss"]) > 0 for row in rows)


@pytest.mark.slow
def test_validation_while_training_is_in_the_curves(grid, tmp_path):
    path = grid(
        "validation_fraction = [0.3]\nearly_stopping = [true]\nhidden_layer_sizes = [[], [5]]"
    )
    assert main([*QUICK, "--grid", path, "--out", str(tmp_path / "out")]) == 0
    rows = rows_of(tmp_path / "out" / "learning_curves.csv")
    assert list(rows[0])[3:] == ["loss", "accuracy", "val_loss", "val_accuracy"]


@pytest.mark.parametrize("name", ["scores.png", "learning_curves.png"])
def test_pictures_are_pictures(out, name):
    assert plt.imread(out / name).std() > 0


# --- what is printed ---


def test_plan_fits_and_ranking_are_reported(grid, tmp_path, capsys):
    assert main([*QUICK, "--grid", grid(), "--out", str(tmp_path / "out")]) == 0
    printed = capsys.readouterr()
    lines = printed.out.splitlines()
    assert lines[0] == "digits: 120 training and 120 test pictures of 10 classes"
    assert lines[1] == "4 candidates on 2 folds make 8 fits of 2 epochs"
    for number, line in enumerate(lines[2:10], start=1):
        assert line.startswith(f"fit {number}/8   score 0.")
        assert "time left 0:" in line
    assert "best mean 0." in lines[9]
    assert [line[:2] for line in lines[11:15]] == ["1.", "2.", "3.", "4."]
    means = [float(line.split()[1]) for line in lines[11:15]]
    assert means == sorted(means, reverse=True)
    assert "±" in lines[11]
    assert lines[16] == f"best: {lines[11].split(maxsplit=4)[4]}"
    assert lines[18].startswith("test   loss ")
    assert lines[-1] == f"{tmp_path / 'out'} holds {', '.join(SEARCH_FILES)}"
    assert printed.err == ""


@pytest.mark.slow
def test_failing_candidate_is_reported_and_does_not_end_the_search(grid, tmp_path, capsys):
    path = grid("learning_rate = [0.001, 1e30]\nhidden_layer_sizes = [[5]]")
    assert main([*QUICK, "--grid", path, "--out", str(tmp_path / "out")]) == 0
    printed = capsys.readouterr()
    failed = [line for line in printed.out.splitlines() if "failed" in line]
    assert len(failed) == 2
    assert "failed with hidden_layer_sizes=(5,), learning_rate=1e+30: ValueError" in failed[0]
    assert printed.err == ""
    results = rows_of(tmp_path / "out" / "cv_results.csv")
    assert [row["mean_test_score"] == "nan" for row in results] == [False, True]


def test_search_where_all_fail_is_one_line(grid, tmp_path, capsys):
    path = grid("learning_rate = [1e30]")
    message = error_of(capsys, [*QUICK, "--grid", path, "--out", str(tmp_path / "out")])
    assert "All the 2 fits failed" in message


# --- going on ---


@pytest.mark.slow
def test_same_command_goes_on_where_it_was(grid, tmp_path, capsys):
    argv = [*QUICK, "--grid", grid(), "--out", str(tmp_path / "out")]
    assert main(argv) == 0
    journal = tmp_path / "out" / "journal.jsonl"
    results = (tmp_path / "out" / "cv_results.csv").read_bytes()
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[:6]))
    capsys.readouterr()
    assert main(argv) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[2] == "5 of 8 fits were already done"
    assert [line[:8] for line in printed[3:6]] == ["fit 6/8 ", "fit 7/8 ", "fit 8/8 "]
    assert main(argv) == 0
    assert "8 of 8 fits were already done" in capsys.readouterr().out
    again = (tmp_path / "out" / "cv_results.csv").read_bytes()
    scores = [
        [row[1:5] for row in csv.reader(text.decode().splitlines())] for text in (results, again)
    ]
    assert scores[0] == scores[1]


def test_interrupt_says_how_to_go_on(grid, tmp_path, capsys, monkeypatch):
    from skcifar import DenseClassifier

    fits = []
    fit = DenseClassifier.fit

    def fit_twice(self, *arguments, **options):
        fits.append(self)
        if len(fits) > 2:
            raise KeyboardInterrupt
        return fit(self, *arguments, **options)

    argv = [*QUICK, "--grid", grid(), "--out", str(tmp_path / "out")]
    monkeypatch.setattr(DenseClassifier, "fit", fit_twice)
    assert main(argv) == 130
    (line,) = capsys.readouterr().err.splitlines()
    journal = tmp_path / "out" / "journal.jsonl"
    assert line == (
        f"skcifar: error: interrupted, 2 of 8 fits are in {journal}. The same command resumes from"
        " there."
    )
    monkeypatch.undo()
    assert main(argv) == 0
    assert "2 of 8 fits were already done" in capsys.readouterr().out


def test_folder_of_another_search_is_refused(out, grid, capsys):
    argv = [*QUICK, "--grid", grid(GRID), "--out", str(out), "--epochs", "3"]
    message = error_of(capsys, argv)
    assert "differs in estimator__classify__epochs (2 there, 3 here)" in message


# --- halving ---


def test_halving_gives_epochs_to_the_best(grid, tmp_path, capsys):
    argv = [*QUICK, "--grid", grid(), "--out", str(tmp_path / "out"), "--halving", "--epochs", "3"]
    assert main(argv) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == "4 candidates on 2 folds, by epochs: 4 of 1, 2 of 3, make 12 fits"
    assert lines[13].startswith("fit 12/12 ")
    rows = rows_of(tmp_path / "out" / "cv_results.csv")
    assert [(row["iter"], row["n_resources"]) for row in rows] == [("0", "1")] * 4 + [
        ("1", "3")
    ] * 2
    assert [row["candidate"] for row in rows[:4]] == ["0", "1", "2", "3"]
    parameters = [name for name in rows[0] if name.startswith("param_")]
    parameters.remove("param_classify__epochs")
    known = {row["candidate"]: [row[name] for name in parameters] for row in rows[:4]}
    assert all(known[row["candidate"]] == [row[name] for name in parameters] for row in rows)
    curves = rows_of(tmp_path / "out" / "learning_curves.csv")
    assert list(curves[0])[:4] == ["candidate", "iter", "fold", "epoch"]
    last = {row["candidate"] for row in curves if row["iter"] == "1"}
    assert last == {row["candidate"] for row in rows[4:]}
    assert load_model(tmp_path / "out" / "model.safetensors")["classify"].n_iter_ == 3
    assert [line[:2] for line in lines[15:19]] == ["1.", "2.", "3.", "4."]


class TakesEpochs(DummyClassifier):
    def __init__(self, number=0, epochs=1):
        super().__init__()
        self.number = number
        self.epochs = epochs


@pytest.mark.parametrize("n_candidates", [1, 2, 3, 8, 9, 10, 30])
@pytest.mark.parametrize("epochs", [1, 2, 3, 10, 100])
def test_plan_is_what_scikit_learn_does(n_candidates, epochs):
    search = ResumableHalvingGridSearchCV(
        TakesEpochs(),
        {"number": range(n_candidates)},
        resource="epochs",
        max_resources=epochs,
        factor=FACTOR,
        cv=2,
    ).fit(np.zeros((4, 1)), [0, 1, 0, 1])
    rounds = list(zip(search.n_candidates_, search.n_resources_, strict=True))
    assert plan_rounds(n_candidates, epochs) == rounds


# --- mistakes ---


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "droput = [0.1]",
            "grid.toml: droput is not a parameter of DenseClassifier. Did you mean dropout?",
        ),
        ("classify__droput = [0.1]", "Did you mean dropout?"),
        ("scale__max = [1]", "scale__max is not a parameter of PixelScaler. Did you mean"),
        ("nonsense = [1]", "parameter of DenseClassifier. A grid may have activation, batch_n"),
        ("classifier__epochs = [1]", "classifier__epochs is not a parameter of Pipeline. A grid"),
        (
            "dropout = 0.1",
            "dropout must be a list of values to try, got 0.1. Write dropout = [0.1]",
        ),
        ("dropout = []", "dropout must be a list of values to try, got []"),
        ("dropout = [2.0]", "dropout=2.0 cannot be fitted. The 'dropout' parameter"),
        ('dropout = ["a"]', "dropout=a cannot be fitted"),
        ("hidden_layer_sizes = [[10, 0]]", "hidden_layer_sizes=(10, 0) cannot be fitted"),
        ("hidden_layer_sizes = [1.5]", "A list as a value needs its own brackets: [[512, 256]]"),
        ("dropout = [", "grid.toml is not TOML"),
        ("", "grid.toml has no parameters"),
        ("droput = 0.1", "droput is not a parameter of DenseClassifier. Did you mean dropout?"),
        (
            "dropout = [0.0]\nclassify__dropout = [0.1]",
            "grid.toml: dropout and classify__dropout are the same parameter. Leave one of them",
        ),
        (
            "[classify]\ndropout = [0.1]",
            "classify is a table, but a grid is flat. Write classify__dropout = [0.1]",
        ),
        ("dropout = [0.1, 0.2, 0.1]", "dropout=0.1 is there twice. Remove one of them."),
        (
            "[[grid]]\ndropout = [0.1]\n[[grid]]\nclassify__dropout = [0.2, 0.1]",
            "dropout=0.1 is there twice. Remove one of them.",
        ),
        ("grid = [1]", "several grids are tables, each of which begins with [[grid]]"),
        (
            "weight_decay = [1]\n[[grid]]\ndropout = [0.0]",
            "has weight_decay outside its [[grid]] tables",
        ),
        ("[[grid]]\ndropout = [0.0]\n[[grid]]", "has no parameters"),
    ],
)
def test_mistake_in_the_grid_is_one_line(grid, tmp_path, capsys, text, message):
    folder = tmp_path / "out"
    assert message in error_of(capsys, [*QUICK, "--grid", grid(text), "--out", str(folder)])
    assert not folder.exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--grid", "nowhere.toml"], "nowhere.toml is not a file"),
        (["--grid", "."], ". is not a file"),
        (["--grid", "a", "--preset", "quick"], "not allowed with argument"),
        (["--preset", "nonsense"], "invalid choice: 'nonsense'"),
        (["--cv", "1"], "--cv: must be an int from 2"),
        (["--cv", "50"], "n_splits=50 cannot be greater than the number of members"),
        (["--jobs", "0"], "--jobs: must be an int from 1"),
        (["--epochs", "0"], "--epochs: must be an int from 1"),
        (["--data", "nowhere"], "nowhere is not a folder"),
    ],
)
def test_mistake_is_one_line(tmp_path, capsys, monkeypatch, options, message):
    monkeypatch.chdir(tmp_path)
    assert message in error_of(capsys, [*QUICK, *options])


def test_grid_that_is_no_text_is_reported(tmp_path, capsys):
    (tmp_path / "grid.toml").write_bytes(b"\xff\xfe")
    message = error_of(capsys, [*QUICK, "--grid", str(tmp_path / "grid.toml")])
    assert "grid.toml is not TOML" in message


def test_epochs_are_no_candidates_of_a_halving_search(grid, capsys):
    message = error_of(capsys, [*QUICK, "--halving", "--grid", grid("epochs = [1, 2]")])
    assert "a halving search sets the epochs itself" in message


def test_scheduler_that_is_none_is_reported(grid, tmp_path, capsys):
    pytest.importorskip("distributed")
    argv = [*QUICK, "--grid", grid(), "--out", str(tmp_path), "--scheduler", "nonsense"]
    assert "No Dask scheduler answers at 'nonsense'" in error_of(capsys, argv)


def test_missing_dask_is_reported(grid, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    argv = [*QUICK, "--grid", grid(), "--out", str(tmp_path), "--scheduler", "tcp://127.0.0.1:1"]
    assert 'pip install "skcifar[dask]"' in error_of(capsys, argv)


@pytest.mark.slow
def test_other_processes_do_not_chatter(grid, tmp_path):
    argv = [*QUICK, "--grid", grid("dropout = [0.0]"), "--jobs", "2", "--out", str(tmp_path / "o")]
    printed = subprocess.run(
        [sys.executable, "-m", "skcifar", *argv], capture_output=True, text=True, check=True
    )
    assert printed.stderr == ""
    assert "fit 2/2" in printed.stdout


# --- grids ---


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_can_be_fitted(preset):
    pipeline = make_dense_pipeline()
    grids = check_grids(preset, pipeline, source=preset, halving=True)
    assert len(ParameterGrid(grids)) >= 4


@pytest.mark.slow
def test_several_grids_become_several(grid, tmp_path, capsys):
    path = grid(
        "[[grid]]\nhidden_layer_sizes = [[]]\n[[grid]]\nclassify__dropout = [0.0, 0.5]\n"
        "hidden_layer_sizes = [[5]]\nscale__max_value = [255]"
    )
    assert main([*QUICK, "--grid", path, "--out", str(tmp_path / "out")]) == 0
    assert "3 candidates on 2 folds make 6 fits" in capsys.readouterr().out
    rows = rows_of(tmp_path / "out" / "cv_results.csv")
    assert [row["param_classify__dropout"] for row in rows] == ["", "0.0", "0.5"]


def test_none_is_a_value_and_a_missing_one_is_not(tmp_path):
    grid = [{"classify__random_state": [None]}, {"classify__dropout": [0.0]}]
    search = make_search(make_dense_pipeline(epochs=1), grid, halving=False, cv=2)
    images = np.arange(8 * 2 * 2 * 3, dtype=np.uint8).reshape(8, 2, 2, 3)
    write_search(tmp_path, search.fit(images, ["é", "b"] * 4), {})
    rows = rows_of(tmp_path / "cv_results.csv")
    assert [row["param_classify__random_state"] for row in rows] == ["None", ""]


def test_epochs_of_the_grid_are_not_reported_as_those_of_all():
    search = make_search(make_dense_pipeline(), [{RESOURCE: [1, 2]}], halving=False, cv=3)
    assert describe_plan(search) == ("2 candidates on 3 folds make 6 fits", 6)
