"""What a comparison reports and what it leaves: a table, sentences and a folder."""

import textwrap
from collections import Counter
from itertools import chain, count

from rich.cells import cell_len

from ..files._atomic import write_csv, write_json
from ._files import COMPARISON_FILES
from ._pictures import COMPARISON, COMPARISON_OF_ONE, Comparison
from ._training import draw, remove_stale

MODELS_IN_A_ROW = 3  # so that tables fit into 100 columns
WIDTH = 100
LEVEL = 0.05  # p-values below it count as hardly chance
MCNEMAR = (
    "McNemar's test: p is the probability that two equally good models differ this much or more."
)
OF_MANY_PAIRS = "Of twenty such pairs that are equally good, one has p < 0.05 by chance."
UNKNOWN = "-"

NO_COLUMNS = frozenset({"history", "params", "test_recall"})


def distinct_names(paths, taken):
    """Name model files as shortly as distinguishes them."""
    n_with = Counter([*(path.stem for path in paths), *taken])
    used = set(taken)
    names = []
    for path in paths:
        alone = n_with[path.stem] == 1
        short = path.stem if alone else f"{path.resolve().parent.name}/{path.stem}"
        numbered = (f"{short} ({number})" for number in count(2))
        name = next(name for name in chain([short], numbered) if name not in used)
        used.add(name)
        names.append(name)
    return names


def format_table(models):
    """Return the numbers of models side by side, as lines below a blank one."""
    lines = []
    for start in range(0, len(models), MODELS_IN_A_ROW):
        lines += ["", *_table_of(models[start : start + MODELS_IN_A_ROW])]
    return lines


def describe_tests(tests):
    """Return a sentence on what each of McNemar's tests means, as lines below a blank one."""
    if not tests:
        return []
    sentences = [MCNEMAR, *map(describe_test, tests)]
    if len(tests) > 1:
        sentences.append(OF_MANY_PAIRS)
    return ["", *(line for sentence in sentences for line in textwrap.wrap(sentence, WIDTH))]


def describe_test(test):
    """Describe one of McNemar's tests in a sentence on what it means."""
    first, second = test["models"]
    n_first, n_second = test["n_only_first_right"], test["n_only_second_right"]
    pvalue = test["pvalue"]
    probability = "p < 0.0001" if pvalue < 0.0001 else f"p = {pvalue:.4f}"
    if pvalue < LEVEL:
        better = first if n_first > n_second else second
        meaning = f"that is hardly chance, so {better} is the better one on pictures like these"
    else:
        meaning = "that may well be chance, so neither is shown to be better"
    return (
        f"Only {first} is right on {n_first:,} test pictures, only {second} on {n_second:,}"
        f" ({probability}): {meaning}."
    )


def write_comparison(folder, comparison, *, X_test, y_test, y_pred, filenames, random_state):
    """Write the files of :data:`COMPARISON_FILES`, and return why the picture failed."""
    models = comparison["models"]
    remove_stale(folder, COMPARISON_FILES)
    write_json(folder / "comparison.json", comparison)
    rows = [_csv_row(model) for model in models]
    write_csv(folder / "comparison.csv", [rows[0].keys(), *(row.values() for row in rows)])
    histories = {model["name"]: model["history"] for model in models}
    of = Comparison(X_test, y_test, y_pred, histories, filenames, random_state)
    return draw(folder, COMPARISON if len(models) > 1 else COMPARISON_OF_ONE, of)


def _table_of(models):
    columns = [["", *MEASURES]]
    columns += [
        [model["name"], *(describe(model) for describe in MEASURES.values())] for model in models
    ]
    if recalls := models[0].get("test_recall"):
        columns[0] += ["balanced accuracy", *(f"recall of {name}" for name in recalls)]
        for model, column in zip(models, columns[1:], strict=True):
            values = [model["test_balanced_accuracy"], *model["test_recall"].values()]
            column += [f"{value:.4f}" for value in values]
    widths = [max(map(cell_len, column)) for column in columns]
    return [
        "   ".join(
            cell + " " * (width - cell_len(cell)) for cell, width in zip(row, widths, strict=True)
        ).rstrip()
        for row in zip(*columns, strict=True)
    ]


def _number(name, form, factor=1):
    """Return a function that formats a number of a model, and a dash where it has none."""

    def describe(model):
        return UNKNOWN if model[name] is None else form.format(model[name] * factor)

    return describe


def _with_interval(name):
    def describe(model):
        low, high = model[f"{name}_interval"]
        return f"{model[name]:.4f} [{low:.4f}, {high:.4f}]"

    return describe


MEASURES = {
    "parameters": _number("n_parameters", "{:,}"),
    "epochs": _number("epochs", "{:,}"),
    "training loss": _with_interval("train_loss"),
    "training accuracy": _with_interval("train_accuracy"),
    "test loss": _with_interval("test_loss"),
    "test accuracy": _with_interval("test_accuracy"),
    "training time": _number("fit_seconds", "{:,.1f} s"),
    "prediction time": _number("predict_seconds", "{:,.2f} s"),
    "peak memory": _number("peak_memory_bytes", "{:,.0f} MB", 1e-6),
}


def _csv_row(model):
    """Give both ends of an interval a column of their own."""
    row = {}
    for name, value in model.items():
        if name.endswith("_interval"):
            measure = name.removesuffix("_interval")
            row[f"{measure}_low"], row[f"{measure}_high"] = value
        elif name not in NO_COLUMNS:
            row[name] = value
    return row
