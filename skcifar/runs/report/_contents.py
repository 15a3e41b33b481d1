"""What there is to show of a run, of a comparison and of a search."""

import json

from ._folder import parse_object, parse_table
from ._tables import (
    Cell,
    Table,
    csv_table,
    dict_of,
    history_table,
    list_of,
    number_of,
    numbers_table,
    params_table,
    tell,
    tell_number,
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
    recorded = folder.read("metrics.json", parse_object)
    metrics = recorded or {}
    history = folder.read("history.csv", parse_table)
    network = tell(metrics.get("network", "network"))
    return _page(
        "Training run",
        recorded,
        facts=_facts(metrics),
        numbers=_numbers(folder, "metrics.json", {network: metrics}),
        histories=[csv_table("Epochs", history)] if history else [],
        params=params_table({network: dict_of(metrics.get("params"))}),
        versions=versions_table(metrics.get("versions")),
        models={network: MODEL} if folder.has(MODEL) else {},
        expected_pictures={
            "predictions.png": PREDICTIONS,
            "learning_curves.png": (
                "Two line charts: loss and accuracy against the epoch",
                "Loss and accuracy after each epoch of training; their last values are beside"
                f" the curves.{' All values are in the table of epochs.' if history else ''}",
            ),
        },
    )


def read_comparison(folder):
    """Gather what a comparison left, as :func:`read_run` does for a run."""
    recorded = folder.read("comparison.json", parse_object)
    comparison = recorded or {}
    table = folder.read("comparison.csv", parse_table)
    models = {
        tell(model.get("name", "network")): model
        for model in list_of(comparison.get("models"))
        if isinstance(model, dict)
    }
    numbers = _numbers(folder, "comparison.json", models)
    if table and not numbers:
        numbers = csv_table("The numbers", table)
    files = {name: tell(model.get("file", f"{name}.safetensors")) for name, model in models.items()}
    own = {name: file for name, file in files.items() if models[name].get("trained_here")}
    histories = [history_table(f"Epochs of {n}", m.get("history")) for n, m in models.items()]
    return _page(
        "Comparison",
        recorded,
        facts=_facts(comparison),
        numbers=numbers,
        confidence=_tell_share(comparison.get("confidence")),
        **_tell_tests(folder, comparison),
        histories=[history for history in histories if history],
        params=params_table({name: dict_of(model.get("params")) for name, model in models.items()}),
        versions=versions_table(comparison.get("versions")),
        models={name: file for name, file in own.items() if folder.has(file)},
        elsewhere={name: file for name, file in files.items() if name not in own},
        expected_pictures={"comparison.png": PREDICTED_CLASSES if len(models) == 1 else COMPARED},
    )


def read_search(folder):
    """Gather what a search left, as :func:`read_run` does for a run."""
    recorded = folder.read("metrics.json", parse_object)
    metrics = recorded or {}
    best = {_short(name): value for name, value in dict_of(metrics.get("best_params")).items()}
    results = folder.read("cv_results.csv", parse_table)
    where = " Each value is in learning_curves.csv." if folder.has("learning_curves.csv") else ""
    return _page(
        "Search",
        recorded,
        facts=_facts(metrics),
        numbers=_numbers(folder, "metrics.json", {"best candidate": metrics}),
        ranking=_ranking(folder, results) if results else None,
        params=params_table({"best candidate": best}),
        versions=versions_table(metrics.get("versions")),
        models={"best": MODEL} if folder.has(MODEL) else {},
        expected_pictures={
            "scores.png": (
                "Charts of mean accuracy against each of the parameters that were searched",
                "Mean accuracy on the folds left out and its spread, against each parameter.",
            ),
            "learning_curves.png": (
                "Line charts of loss and accuracy of the candidates against the epoch",
                f"Learning curves of the candidates.{where}",
            ),
        },
    )


def _page(kind, recorded, **contents):
    """Fill in what a kind of folder has none of."""
    nothing = {"confidence": None, "tests": [], "histories": [], "ranking": None, "elsewhere": {}}
    nothing |= {"explanation": "", "absent": "None were recorded."}
    if recorded is None:
        nothing["absent"] = "None could be read."
    loading, asking = _loading(contents["models"])
    return {"kind": kind, "loading": loading, "asking": asking, **nothing, **contents}


def _numbers(folder, name, models):
    numbers = numbers_table(models)
    if not numbers and not folder.blames(name):
        folder.problems.append(f"{name} holds no numbers")
    return numbers


def _facts(metrics):
    """Tell what was learned, by name."""
    facts = {}
    if "data" in metrics:
        facts["Data"] = tell(metrics["data"])
    if "n_train" in metrics or "n_test" in metrics:
        n_train, n_test = (tell_number(metrics.get(key), 0) for key in ("n_train", "n_test"))
        facts["Pictures"] = f"{n_train} for training, {n_test} for testing"
    if classes := list_of(metrics.get("classes")):
        facts[f"{len(classes)} classes"] = ", ".join(map(tell, classes))
    return facts


def _tell_tests(folder, comparison):
    """Tell each of McNemar's tests in a sentence, and what they are."""
    # importing it takes longer than writing the page of a run
    from .._comparison import MCNEMAR, OF_MANY_PAIRS, tell_test

    sentences = []
    for test in list_of(comparison.get("tests")):
        match test:
            case {
                "models": [first, second],
                "n_only_first_right": int(),
                "n_only_second_right": int(),
                "pvalue": (int() | float()) as pvalue,
            } if 0 <= pvalue <= 1:
                sentences.append(tell_test(test | {"models": [tell(first), tell(second)]}))
            case _:
                folder.problems.append("comparison.json holds a test that cannot be told")
    explanation = f"{MCNEMAR} {OF_MANY_PAIRS}" if len(sentences) > 1 else MCNEMAR
    return {"tests": sentences, "explanation": explanation}


def _tell_share(share):
    return f"{100 * share:g} %" if isinstance(share, float) else None


def _ranking(folder, results):
    """Rank candidates by the last row of each; those of later rounds of halving are better."""
    header, *rows = results
    rows = [dict(zip(header, map(number_of, row), strict=True)) for row in rows]
    needed = ("candidate", "mean_test_score", "std_test_score")
    if lacking := [name for name in needed if name not in header]:
        folder.problems.append(f"cv_results.csv has no column {', '.join(lacking)}")
        return None

    def place(row):
        mean, round_ = row["mean_test_score"], row.get("iter", 0)
        numbers = [v if isinstance(v, (int, float)) and v == v else -1 for v in (round_, mean)]
        return [-number for number in numbers]

    last = {}
    for row in sorted(rows, key=place):
        last.setdefault(row["candidate"], row)
    names = [name for name in header if name.startswith("param_")]
    table = [
        [
            Cell(f"{number}."),
            Cell(
                tell_number(row["mean_test_score"], 4), f"± {tell_number(row['std_test_score'], 4)}"
            ),
            *(Cell(tell(row[name])) for name in names),
        ]
        for number, row in enumerate(last.values(), start=1)
    ]
    short = [_short(name.removeprefix("param_")) for name in names]
    return Table("Ranking of candidates", ["", "mean accuracy", *short], table, numeric=False)


def _short(name):
    """Leave out the step of the pipeline, which is the same for all that is searched."""
    return name.removeprefix("classify__")


def _loading(models):
    """Write the Python that loads models, and that which asks the first of them."""
    calls = {name: f"load_model({_python(file)})" for name, file in models.items()}
    if len(calls) > 1:
        lines = [f"    {_python(name)}: {call}," for name, call in calls.items()]
        loaded = "\n".join(["models = {", *lines, "}"])
        first = f"models[{_python(next(iter(calls)))}]"
    else:
        loaded, first = f"model = {''.join(calls.values())}", "model"
    return f"from skcifar import load_model\n\n{loaded}", f"{first}.predict(X)"


def _python(text):
    return json.dumps(text, ensure_ascii=False)
