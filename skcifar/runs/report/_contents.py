"""What there is to show of a run, of a comparison and of a search."""

import csv
import io
import json
from functools import partial

from ._tables import (
    Cell,
    Table,
    history_table,
    numbers_table,
    params_table,
    recall_table,
    versions_table,
)

MODEL = "model.safetensors"
# what a picture shows, and how to read it
MARKS = "Right predictions have a check mark and are blue, wrong ones have a cross and are orange."
PREDICTIONS = (
    "Test pictures, with the predicted class, its probability and the actual class under each",
    "Under each picture the class that was predicted, the probability that it has for the network,"
    f" and the actual class. {MARKS}",
)
MISTAKES = (
    "The surest mistakes on test pictures, with the class taken for, the actual class and the file"
    " or the index under each",
    "Pictures of which the network was surest, and wrong: the class that it took each for, and the"
    " actual one, with their probabilities, and the file, or the index among the test pictures.",
)
PREDICTED_CLASSES = (
    "Test pictures, with the predicted and the actual class under each",
    f"Under each picture the class that was predicted, then the actual one. {MARKS}",
)
COMPARED = (
    "Charts of the networks' accuracy against the epoch, of the classes that each confuses, and"
    " test pictures with what each network predicts for them",
    "Accuracy after each epoch of training, how often each class was taken for which, and test"
    " pictures with every network's prediction: right ones have a check mark, wrong ones a cross.",
)


def read_run(folder):
    """Gather what a training run left."""
    epochs = folder.read("history.csv", _describe_epochs)
    where = " All values are in the table of epochs." if epochs else ""
    listed = " All mistakes are in mistakes.csv." if folder.has("mistakes.csv") else ""
    page = {
        "kind": "Training run",
        "histories": [epochs] if epochs else [],
        "models": {"network": MODEL} if folder.has(MODEL) else {},
        "expected_pictures": {
            "predictions.png": PREDICTIONS,
            "mistakes.png": (MISTAKES[0], MISTAKES[1] + listed),
            "learning_curves.png": (
                "Two line charts: loss and accuracy against the epoch",
                "Loss and accuracy after each epoch of training; their last values are beside"
                f" the curves.{where}",
            ),
        },
    }
    return page | folder.read("metrics.json", _describe_run)


def read_comparison(folder):
    """Gather what a comparison left."""
    page = {"kind": "Comparison", "expected_pictures": {"comparison.png": COMPARED}}
    return page | folder.read("comparison.json", partial(_describe_comparison, folder))


def read_search(folder):
    """Gather what a search left."""
    where = " Each value is in learning_curves.csv." if folder.has("learning_curves.csv") else ""
    page = {
        "kind": "Search",
        "ranking": folder.read("cv_results.csv", _rank),
        "models": {"best": MODEL} if folder.has(MODEL) else {},
        "expected_pictures": {
            "scores.png": (
                "Charts of mean accuracy against each of the parameters that were searched",
                "Mean accuracy on the folds left out and its spread, against each parameter.",
            ),
            "learning_curves.png": (
                "Line charts of loss and accuracy of the candidates against the epoch",
                f"Learning curves of the candidates.{where}",
            ),
        },
    }
    return page | folder.read("metrics.json", _describe_search)


def loading_code(models):
    """Write the Python that loads models, and that which predicts by the first of them."""
    calls = {name: f"load_model({_python(file)})" for name, file in models.items()}
    if len(calls) > 1:
        lines = [f"    {_python(name)}: {call}," for name, call in calls.items()]
        loaded = "\n".join(["models = {", *lines, "}"])
        first = f"models[{_python(next(iter(calls)))}]"
    else:
        loaded, first = f"model = {''.join(calls.values())}", "model"
    return f"from skcifar import load_model\n\n{loaded}", f"{first}.predict(X)"


def _describe_run(content):
    metrics = json.loads(content)
    name = metrics["network"]
    return _describe(metrics, models={name: metrics}, params={name: metrics["params"]})


def _describe_search(content):
    metrics = json.loads(content)
    best = {_short(name): value for name, value in metrics["best_params"].items()}
    name = "best candidate"
    return _describe(metrics, models={name: metrics}, params={name: best})


def _describe_comparison(folder, content):
    # importing it takes longer than writing the page of a run
    from .._comparison import MCNEMAR, OF_MANY_PAIRS, describe_test

    comparison = json.loads(content)
    models = {model["name"]: model for model in comparison["models"]}
    own = {name: m["file"] for name, m in models.items() if m["trained_here"]}
    elsewhere = {name: m["file"] for name, m in models.items() if not m["trained_here"]}
    params = {name: m["params"] for name, m in models.items()}
    tests = [describe_test(test) for test in comparison["tests"]]
    pictures = PREDICTED_CLASSES if len(models) == 1 else COMPARED
    return _describe(comparison, models=models, params=params) | {
        "confidence": f"{100 * comparison['confidence']:g} %",
        "tests": tests,
        "explanation": f"{MCNEMAR} {OF_MANY_PAIRS}" if len(tests) > 1 else MCNEMAR,
        "histories": [history_table(f"Epochs of {n}", m["history"]) for n, m in models.items()],
        "models": {name: file for name, file in own.items() if folder.has(file)},
        "elsewhere": elsewhere,
        "expected_pictures": {"comparison.png": pictures},
    }


def _describe(metrics, *, models, params):
    """Describe the data, the numbers, the parameters and the versions."""
    facts = {
        "Data": metrics["data"],
        "Pictures": f"{metrics['n_train']:,} for training, {metrics['n_test']:,} for testing",
    }
    if classes := metrics.get("classes"):
        facts[f"{len(classes)} classes"] = ", ".join(map(str, classes))
    return {
        "facts": facts,
        "numbers": numbers_table(models),
        "recall": recall_table(models),
        "params": params_table(params),
        "versions": versions_table(metrics["versions"]),
    }


def _describe_epochs(content):
    rows = _read_csv(content)
    history = {name: [float(row[name]) for row in rows] for name in rows[0] if name != "epoch"}
    return history_table("Epochs", history)


def _rank(content):
    """Rank candidates by the last row of each; those of later rounds of halving are better."""
    rows = _read_csv(content)
    rows.sort(key=lambda row: (-int(row.get("iter", 0)), int(row["rank_test_score"])))
    last = {}
    for row in rows:
        last.setdefault(row["candidate"], row)
    names = [name for name in rows[0] if name.startswith("param_")]
    ranking = []
    for place, row in enumerate(last.values(), start=1):
        mean, std = (f"{float(row[f'{name}_test_score']):.4f}" for name in ("mean", "std"))
        params = [Cell(row[name]) for name in names]
        ranking.append([Cell(f"{place}."), Cell(mean, f"± {std}"), *params])
    short = [_short(name.removeprefix("param_")) for name in names]
    return Table("Ranking of candidates", ["", "mean accuracy", *short], ranking, numeric=False)


def _read_csv(content):
    return list(csv.DictReader(io.StringIO(content.decode(), newline="")))


def _short(name):
    """Leave out the step of the pipeline, which is the same for all that is searched."""
    return name.removeprefix("classify__")


def _python(text):
    return json.dumps(text, ensure_ascii=False)
