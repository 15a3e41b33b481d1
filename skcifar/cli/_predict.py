"""``skcifar predict``."""

import json
import shutil
from itertools import count
from pathlib import Path

from ._arguments import add_model, add_pictures, probability, trusted_argument
from ._shared import load_picture_model, picture_files, readable_pictures
from ._terminal import complain, printable, write

COLUMNS = ("file", "class", "probability", "second class")
UNKNOWN = "unknown"
N_BEST = 3  # classes that JSON has for each picture
N_AT_ONCE = 256  # pictures in memory


def add_parser(subparsers):
    """Add the subcommand and its arguments."""
    parser = subparsers.add_parser(
        "predict",
        parents=[trusted_argument()],
        help="predict what pictures show, and sort them",
        description="Predict what pictures show: a table of file, class, probability and second"
        " class.",
    )
    add_model(parser)
    add_pictures(parser)
    parser.add_argument(
        "--min-probability",
        type=probability,
        default=0.0,
        metavar="P",
        help="answer unknown if no class is that probable (default: always give a class)",
    )
    parser.add_argument("--csv", metavar="FILE", help="also write the table to a CSV file")
    parser.add_argument(
        "--sort-into",
        metavar="DIR",
        help="copy each file into a folder in DIR named after its class; existing files are not"
        " replaced, a number is added instead",
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    parser.set_defaults(run=predict)


def predict(arguments):
    """Print the most probable classes of picture files, and sort the files on request."""
    from ..files._atomic import write_csv

    model, reading = load_picture_model(arguments.model, trusted=arguments.trusted)
    names = [str(name) for name in model.classes_]
    sorted_into = arguments.sort_into and _folders(arguments.sort_into, [*names, UNKNOWN])
    if arguments.min_probability and UNKNOWN in names:
        raise ValueError(f"{arguments.model} has a class {UNKNOWN}. Leave --min-probability out.")
    files = picture_files(arguments.pictures)

    table = None if arguments.json else _Table(files, names)
    rows, n_not_copied = [], 0
    for begin in range(0, len(files), N_AT_ONCE):
        for row in _predict(model, reading, files[begin : begin + N_AT_ONCE]):
            row["class"], probability = row["classes"][0].values()
            if probability < arguments.min_probability:
                row["class"] = UNKNOWN
            rows.append(row)
            if table:
                file, name, value, second = _cells(row)
                table.write(file, name, f"{value:.3f}", second)
            if sorted_into and not _copied(row["picture"], sorted_into[row["class"]]):
                n_not_copied += 1

    if arguments.json:
        write(*json.dumps(rows, indent=2).split("\n"))
    elif arguments.min_probability:
        n_unknown = sum(row["class"] == UNKNOWN for row in rows)
        write("", f"{n_unknown:,} of {len(rows):,} are {UNKNOWN}")
    if arguments.csv:
        write_csv(Path(arguments.csv), [COLUMNS, *map(_cells, rows)])
    return 2 if n_not_copied or len(rows) < len(files) else 0


def _predict(model, reading, files):
    """Yield the most probable classes of each file that can be read."""
    pictures, readable = readable_pictures(files, reading)
    y_proba = model.predict_proba(pictures) if readable else []
    for row, probabilities in zip(readable, y_proba, strict=True):
        best = [
            {"class": str(model.classes_[i]), "probability": float(probabilities[i])}
            for i in probabilities.argsort()[::-1][:N_BEST]
        ]
        yield {"picture": files[row], "classes": best}


def _cells(row):
    first, second = row["classes"][:2]
    return row["picture"], row["class"], first["probability"], second["class"]


class _Table:
    """Writes lines in columns whose widths are known before the cells are."""

    def __init__(self, files, names):
        from rich.cells import cell_len

        self.length = cell_len
        columns = [[COLUMNS[0], *files], [COLUMNS[1], UNKNOWN, *names], [COLUMNS[2]], [""]]
        self.widths = [max(cell_len(printable(cell)) for cell in column) for column in columns]
        self.write(*COLUMNS)

    def write(self, *cells):
        padded = []
        for cell, width in zip(map(printable, cells), self.widths, strict=True):
            padded.append(cell + " " * (width - self.length(cell)))
        write("   ".join(padded).rstrip())


def _folders(parent, names):
    """Make the folder that files are sorted into, and return one for each class."""
    for name in names:
        # a model file may come from anybody, and a name such as ../.. leads elsewhere
        if name in ("", ".", "..") or not name.isprintable() or set(name) & set('/\\:"<>|?*'):
            raise ValueError(
                f"The class {name!r} cannot be the name of a folder, so nothing can be sorted"
                " into it. Leave --sort-into out."
            )
    parent = Path(parent)
    parent.mkdir(parents=True, exist_ok=True)
    return {name: parent / name for name in names}


def _copied(file, folder):
    """Copy a file into a folder, beside whatever is there, and return whether that went well."""
    file = Path(file)
    try:
        folder.mkdir(exist_ok=True)
        for number in count(1):
            target = folder / (file.name if number == 1 else f"{file.stem}-{number}{file.suffix}")
            try:
                copy = target.open("xb")
                break
            except FileExistsError:
                continue
        try:
            with copy, file.open("rb") as original:
                shutil.copyfileobj(original, copy)
            shutil.copystat(file, target)
        except BaseException:  # an interrupt, or a full disk
            target.unlink()
            raise
    except OSError as error:
        complain(f"{file} cannot be copied into {folder} ({error.strerror or error})")
        return False
    return True
