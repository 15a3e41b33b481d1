"""What there is to show of a run, of a comparison, of a search and of an evaluation."""

import csv
import io
import json
import os
from contextlib import suppress
from functools import partial
from itertools import islice
from pathlib import Path
from urllib.parse import quote

from .._files import MODEL
from .._pictures import COMPARISON, COMPARISON_OF_ONE, EVALUATION, RUN, SEARCH
from ._tables import (
    Cell,
    Table,
    class_table,
    history_table,
    numbers_table,
    params_table,
    recall_table,
    versions_table,
)

BEST_EPOCH = "The star marks the best epoch in validation."
NO_VALIDATION = (
    "Nothing was held out for validation; with --validation-fraction 0.1 there are also curves for"
    " pictures that are not trained on, and the best epoch is marked."
)
N_MISTAKES = 20  # in the table


def read_run(folder):
    """Gather what a training run left."""
    epochs = folder.read("history.csv", _describe_epochs)
    page = {
        "kind": "Training run",
        "histories": [epochs] if epochs else [],
        "models": {"network": MODEL} if folder.has(MODEL) else {},
        "expected_pictures": RUN,
        **_read_predictions(folder),
    }
    if epochs:
        validation = BEST_EPOCH if "val_accuracy" in epochs.columns else NO_VALIDATION
        page["notes"]["learning_curves.png"] = (
            f"All values are in the table of epochs. {validation}"
        )
    return page | folder.read("metrics.json", _describe_run)


def read_evaluation(folder):
    """Gather what an evaluation left."""
    page = {"kind": "Evaluation", "expected_pictures": EVALUATION, **_read_predictions(folder)}
    return page | folder.read("evaluation.json", _describe_evaluation)


def _read_predictions(folder):
    """Gather what is left of predictions."""
    mistakes = folder.read("mistakes.csv", partial(_list_mistakes, folder.page_folder))
    notes = {"mistakes.png": "All mistakes are in mistakes.csv."} if mistakes else {}
    return {"mistakes": mistakes, "notes": notes}


def read_comparison(folder):
    """Gather what a comparison left."""
    page = {"kind": "Comparison", "expected_pictures": COMPARISON}
    return page | folder.read("comparison.json", partial(_describe_comparison, folder))


def read_search(folder):
    """Gather what a search left."""
    page = {
        "kind": "Search",
        "ranking": folder.read("cv_results.csv", _rank),
        "models": {"best": MODEL} if folder.has(MODEL) else {},
        "expected_pictures": SEARCH,
    }
    if folder.has("learning_curves.csv"):
        page["notes"] = {"learning_curves.png": "Each value is in learning_curves.csv."}
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
    page = _describe(metrics, models={name: metrics}, params={name: metrics["params"]})
    return page | {
        "by_class": class_table(metrics["by_class"]),
        "rare": "test_balanced_accuracy" in metrics,
    }


def _describe_evaluation(content):
    metrics = json.loads(content)
    name = metrics["model"]
    how = "all" if metrics["subset"] == "all" else f"those of the {metrics['subset']} part"
    facts = {"Data": metrics["data"], "Pictures": f"{metrics['n_test']:,}, {how}"}
    if metrics["n_folds"]:
        facts["Predicted by"] = f"{metrics['n_folds']} copies of the model, trained on the others"
    return {
        "facts": facts,
        "numbers": numbers_table({name: metrics}),
        "by_class": class_table(metrics["by_class"]),
        "params": params_table({name: metrics["params"]}),
        "versions": versions_table(metrics["versions"]),
        "elsewhere": {"The model": name},
    }


def _list_mistakes(page_folder, content):
    """Tabulate the surest mistakes, with links to files that are there."""
    rows = csv.DictReader(io.StringIO(content.decode(errors="surrogateescape"), newline=""))
    what = "file" if "file" in rows.fieldnames else "index"
    listed = [
        [
            Cell(row[what], link=_link(row[what], page_folder) if what == "file" else ""),
            Cell(row["predicted"], f"{float(row['probability']):.3f}"),
            Cell(row["actual"], f"{float(row['probability of actual']):.3f}"),
            Cell(row["suspect label"]),
        ]
        for row in islice(rows, N_MISTAKES)
    ]
    columns = [what, "taken for", "actual", "suspect label"]
    return Table("The surest mistakes", columns, listed, numeric=False) if listed else {}


def _link(file, page_folder):
    """Return the way from the page to a file, if the file is there."""
    if not Path(file).is_file():
        return ""
    with suppress(ValueError):  # on another drive
        return quote(os.fsencode(os.path.relpath(file, page_folder)))
    return ""


def _describe_search(content):
    metrics = json.loads(content)
    best = {_short(name): value for name, value in metrics["best_params"].items()}
    models = {"best candidate": metrics}
    page = _describe(metrics, models=models, params={"best candidate": best})
    return page | {"recall": recall_table(models)}


def _describe_comparison(folder, content):
    # importing it takes longer than writing the page of a run
    from .._comparison import MCNEMAR, OF_MANY_PAIRS, describe_test

    comparison = json.loads(content)
    models = {model["name"]: model for model in comparison["models"]}
    own = {name: m["file"] for name, m in models.items() if m["trained_here"]}
    elsewhere = {name: m["file"] for name, m in models.items() if not m["trained_here"]}
    params = {name: m["params"] for name, m in models.items()}
    tests = [describe_test(test) for test in comparison["tests"]]
    return _describe(comparison, models=models, params=params) | {
        "recall": recall_table(models),
        "confidence": f"{100 * comparison['confidence']:g} %",
        "tests": tests,
        "explanation": f"{MCNEMAR} {OF_MANY_PAIRS}" if len(tests) > 1 else MCNEMAR,
        "histories": [history_table(f"Epochs of {n}", m["history"]) for n, m in models.items()],
        "models": {name: file for name, file in own.items() if folder.has(file)},
        "elsewhere": elsewhere,
        "expected_pictures": COMPARISON_OF_ONE if len(models) == 1 else COMPARISON,
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
