"""Tables of what a run left, as text. Nothing here trusts a value to be of its kind."""

import json
import math
from itertools import zip_longest
from typing import NamedTuple

LONG = 20  # rows from which on a table is folded away

# by key: what it is, its unit, its decimals, and how much of it one unit is
MEASURES = {
    "test_accuracy": ("Accuracy on test pictures", "share that is right", 4, 1),
    "test_loss": ("Loss on test pictures", "cross-entropy, nats", 4, 1),
    "train_accuracy": ("Accuracy on training pictures", "share that is right", 4, 1),
    "train_loss": ("Loss on training pictures", "cross-entropy, nats", 4, 1),
    "best_validation_score": ("Mean accuracy on folds left out", "share that is right", 4, 1),
    "n_parameters": ("Parameters of the network", "", 0, 1),
    "epochs": ("Epochs", "passes over the pictures", 0, 1),
    "n_folds": ("Folds", "", 0, 1),
    "n_fits": ("Fits", "", 0, 1),
    "fit_seconds": ("Time to train", "seconds", 1, 1),
    "seconds": ("Time to search", "seconds", 1, 1),
    "refit_seconds": ("Time to train the best on all pictures", "seconds", 1, 1),
    "predict_seconds": ("Time to predict all test pictures", "seconds", 2, 1),
    "peak_memory_bytes": ("Most memory used", "MB", 0, 10**6),
}


class Cell(NamedTuple):
    """A value, and what is written small beside it."""

    text: str
    note: str = ""


class Table(NamedTuple):
    """Names of columns, and rows of cells that begin with the name of the row."""

    title: str
    columns: list
    rows: list
    numeric: bool = True

    @property
    def is_long(self):
        return len(self.rows) > LONG


def numbers_table(models):
    """Tabulate what was measured of models, a column each."""
    rows = []
    for key, (name, unit, digits, scale) in MEASURES.items():
        if any(key in model for model in models.values()):
            cells = [
                Cell(
                    tell_number(model.get(key), digits, scale),
                    _tell_interval(model.get(f"{key}_interval"), digits, scale),
                )
                for model in models.values()
            ]
            rows.append([Cell(name, unit), *cells])
    return Table("The numbers", ["", *models], rows) if rows else None


def params_table(params):
    """Tabulate parameters of models, a column each."""
    names = list(dict.fromkeys(name for values in params.values() for name in values))
    rows = [
        [Cell(name), *(Cell(tell(p[name]) if name in p else "-") for p in params.values())]
        for name in names
    ]
    return Table("Parameters", ["", *params], rows, numeric=False) if rows else None


def versions_table(versions):
    """Tabulate versions by the name of the library, or return None where there are none."""
    rows = [[Cell(name), Cell(tell(version))] for name, version in dict_of(versions).items()]
    return Table("Versions", ["", "version"], rows, numeric=False) if rows else None


def history_table(title, history):
    """Tabulate lists of values by epoch, or return None where there are none."""
    history = {name: values for name, values in dict_of(history).items() if list_of(values)}
    epochs = zip_longest(*history.values())
    rows = [
        [Cell(str(number)), *(Cell(tell_number(value, 4)) for value in values)]
        for number, values in enumerate(epochs, start=1)
    ]
    return Table(title, ["epoch", *history], rows) if rows else None


def csv_table(title, rows):
    """Tabulate the rows of a CSV file, the first of them the names of the columns."""
    header, *rows = rows
    rows = [[Cell(row[0]), *(Cell(tell_number(number_of(v), 4)) for v in row[1:])] for row in rows]
    return Table(title, header, rows)


def tell_number(value, digits, scale=1):
    """Format a number with the given decimals, and anything else as it is."""
    if value is None:
        return "not known"
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return tell(value)
    if isinstance(value, float) and not math.isfinite(value):
        return "not a number" if math.isnan(value) else "infinite" if value > 0 else "-infinite"
    try:
        if isinstance(value, int) and scale == 1:
            return f"{value:,}"
        return f"{value / scale:,.{digits}f}" if abs(value) < 1e12 else f"{value / scale:.4g}"
    except OverflowError:
        return tell(value)


def tell(value):
    """Tell any value that JSON knows: text as it is, the rest as Python writes it."""
    if isinstance(value, str):
        return value
    if isinstance(value, (list, dict)):
        try:
            return json.dumps(value, ensure_ascii=False)
        except RecursionError:
            return "[...]"
    return str(value)


def number_of(text):
    """Return the number that a text stands for, or the text itself where it stands for none."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    return text


def dict_of(value):
    """Return a value that is a dict, and an empty one in place of anything else."""
    return value if isinstance(value, dict) else {}


def list_of(value):
    """Return a value that is a list, and an empty one in place of anything else."""
    return value if isinstance(value, list) else []


def _tell_interval(interval, digits, scale):
    match interval:
        case [low, high] if None not in interval:
            return f"{tell_number(low, digits, scale)} to {tell_number(high, digits, scale)}"
    return ""
