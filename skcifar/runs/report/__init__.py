"""One page that shows a run or what is like it, and needs no network to be read."""

import re
from pathlib import Path

from ...files._pages import check_page_name, read_template, write_page
from .._files import JOURNAL, MODEL, PAGE
from ._contents import loading_code, read_comparison, read_evaluation, read_run, read_search
from ._embedded import read_pictures
from ._folder import Folder

TEMPLATE = Path(__file__).parent / "report.html.jinja"

# By the first of these files, the numbers, a folder is known, or where no numbers are left, by any.
# Of several kinds the latest is shown. A search leaves most of what a run leaves, the table last.
KINDS = (
    (read_evaluation, ("evaluation.json",)),
    (read_comparison, ("comparison.json", "comparison.csv", "comparison.png")),
    (read_search, ("cv_results.csv", "learning_curves.csv", "scores.png", JOURNAL)),
    (read_run, ("metrics.json", MODEL, "history.csv", "predictions.png")),
)

# what a page may have; which of it there is depends on the kind of the folder, and on damage
SECTIONS = (
    *("facts", "numbers", "confidence", "by_class", "rare", "recall", "tests", "explanation"),
    *("ranking", "mistakes", "histories", "params", "versions", "models", "elsewhere", "notes"),
)

# what HTML does not allow, even escaped, and halves of characters, which UTF-8 does not
NO_TEXT = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")


def write_report(folder, *, path=None):
    """Write one page of what a command left; return its path, and what is missing or damaged."""
    folder = Path(folder)
    path = folder / PAGE if path is None else Path(path)
    if not folder.is_dir():
        raise ValueError(f"{folder} is not a folder. Give one that skcifar train wrote.")
    check_page_name(path)
    read = _reader_of(folder)
    files = Folder(folder, path.parent)
    page = {section: {} for section in SECTIONS} | read(files)
    page["pictures"] = read_pictures(files, page["expected_pictures"], page["notes"])
    page["loading"], page["predicting"] = loading_code(page["models"])
    page |= {"name": folder.resolve().name, "problems": files.problems}
    html = read_template(TEMPLATE).render(page)
    write_page(path, NO_TEXT.sub("\N{REPLACEMENT CHARACTER}", html))
    return path, files.problems


def _reader_of(folder):
    """Return the function that reads what the latest command left in a folder."""
    numbers = [(read, folder / names[0]) for read, names in KINDS]
    if there := [(read, path) for read, path in numbers if path.is_file()]:
        return max(there, key=lambda kind: kind[1].stat().st_mtime_ns)[0]
    for read, names in KINDS:
        if any((folder / name).exists() for name in names):
            return read
    raise ValueError(
        f"{folder} holds nothing that a run leaves, such as metrics.json. Give a folder that"
        " skcifar train, compare, search or evaluate --out wrote."
    )
