"""Tables of what a run left, as text."""

from typing import NamedTuple

LONG = 20  # rows from which on a table is folded away

# by key: what it is, its unit, its decimals, and how much of it one unit is
MEASURES = {
    "test_accuracy": ("Accuracy on test pictures", "share that is right", 4, 1),
    "test_balanced_accuracy": ("Balanced accuracy on test pictures", "mean recall", 4, 1),
    "test_loss": ("Loss on test pictures", "cross-entropy, nats", 4, 1),
    "test_calibration_error": (
        "Calibration error on test pictures",
        "mean gap between confidence and accuracy",
        4,
        1,
    ),
    "n_answers_at_95_percent": ("Test pictures answered if 95 % must be right", "", 0, 1),
    "min_probability_at_95_percent": ("Least probability of these answers", "", 3, 1),
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
    link: str = ""


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
    for key, (name, unit, *form) in MEASURES.items():
        if any(model.get(key) is not None for model in models.values()):
            cells = [
                Cell(
                    _format_number(model.get(key), *form),
                    _format_interval(model.get(f"{key}_interval"), *form),
                )
                for model in models.values()
            ]
            rows.append([Cell(name, unit), *cells])
    return Table("The numbers", ["", *models], rows)


def recall_table(models):
    """Tabulate the recall of each class by models, a column each, where that was measured."""
    recalls = [model.get("test_recall", {}) for model in models.values()]
    rows = [
        [Cell(name), *(Cell(_format_number(recall.get(name), 4)) for recall in recalls)]
        for name in dict.fromkeys(name for recall in recalls for name in recall)
    ]
    return Table("Recall by class", ["", *models], rows) if rows else None


def class_table(by_class):
    """Tabulate how many pictures each class has, and what is made of them."""
    columns = {
        "n_train": ("training pictures", 0),
        "n_test": ("test pictures", 0),
        "precision": ("precision", 3),
        "recall": ("recall", 3),
    }
    known = [key for key in columns if any(s[key] is not None for s in by_class.values())]
    rows = [
        [Cell(name), *(Cell(_format_number(scores[key], columns[key][1])) for key in known)]
        for name, scores in by_class.items()
    ]
    return Table("Class by class", ["", *(columns[key][0] for key in known)], rows)


def params_table(params):
    """Tabulate parameters of models, a column each."""
    names = dict.fromkeys(name for values in params.values() for name in values)
    rows = [
        [Cell(name), *(Cell(str(values.get(name, "-"))) for values in params.values())]
        for name in names
    ]
    return Table("Parameters", ["", *params], rows, numeric=False)


def versions_table(versions):
    """Tabulate versions by the name of the library."""
    rows = [[Cell(name), Cell(version)] for name, version in versions.items()]
    return Table("Versions", ["", "version"], rows, numeric=False)


def history_table(title, history):
    """Tabulate lists of values by epoch."""
    epochs = zip(*history.values(), strict=True)
    rows = [
        [Cell(str(number)), *(Cell(_format_number(value, 4)) for value in values)]
        for number, values in enumerate(epochs, start=1)
    ]
    return Table(title, ["epoch", *history], rows)


def _format_number(value, digits, scale=1):
    """Format a number, or None, with so many decimals in units of a scale."""
    return "not known" if value is None else f"{value / scale:,.{digits}f}"


def _format_interval(interval, digits, scale):
    """Format both ends of an interval, or nothing where one of them is not known."""
    if interval is None or None in interval:
        return ""
    return " to ".join(_format_number(end, digits, scale) for end in interval)
