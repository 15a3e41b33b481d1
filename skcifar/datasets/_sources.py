"""A source named in one word, a folder, or a table, as pictures with the names of their classes."""

import math
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold, train_test_split

from ._archives import DatasetError
from ._cifar10 import fetch_cifar10
from ._digits import load_digit_images
from ._duplicates import near_duplicates
from ._folders import in_short, list_folder, list_table, parts_of_names
from ._pictures import compiled, read_listing

NAMED = {"cifar10": fetch_cifar10, "digits": load_digit_images}
TABLES = (".csv", ".tsv")

# The share of a folder's pictures that is kept for testing where the folder does not say itself.
TEST_FRACTION = 0.2


class Pictures(NamedTuple):
    """Pictures with the names of their classes, and their paths where they are files."""

    images: np.ndarray
    names: np.ndarray
    filenames: np.ndarray | None = None


def load_train_test(source, *, limit=None, **options):
    """Load training and test pictures of a data set by name, of a folder, or of a CSV file."""
    if source in NAMED:
        parts = [_limited(part, limit, what=source) for part in _load_named(source, **options)]
    else:
        parts = _read_files(source, _train_test, limit, **options)
    train, test = parts
    _check_trained(source, train.names, test.names)
    report = options.get("report")
    if report is not None and train.filenames is not None:
        rows, twins = near_duplicates(test.images, train.images)
        if len(rows):
            report(
                f"{len(rows):,} of {len(test.names):,} test pictures are nearly the same as a"
                f" training picture, such as {test.filenames[rows[0]]} and"
                f" {train.filenames[twins[0]]}: accuracy will seem higher than it is; group_by"
                " (--group-by) keeps what belongs together on one side"
            )
    return train, test


def load_all(source, *, limit=None, **options):
    """Load all pictures of a source, training and test pictures alike."""
    if source in NAMED:
        images, names = (
            np.concatenate([getattr(part, name) for part in _load_named(source, **options)])
            for name in ("images", "names")
        )
        return _limited(Pictures(images, names), limit, what=source)
    (pictures,) = _read_files(source, _undivided, limit, **options)
    return pictures


def _load_named(source, *, data_home=None, n_retries=3, **of_files):
    """Load the training and the test pictures of a data set; ``of_files`` do not matter to it."""
    options = {"data_home": data_home, "n_retries": n_retries} if source == "cifar10" else {}
    parts = [NAMED[source](subset=subset, **options) for subset in ("train", "test")]
    return [Pictures(part.images, part.target_names[part.target]) for part in parts]


def _read_files(
    source,
    divide,
    limit,
    *,
    image_size=(32, 32),
    n_channels=3,
    report=lambda line: None,
    data_home=None,
    n_retries=None,
    layout="auto",
    label_pattern=None,
    path_column="path",
    label_column="label",
    subset_column=None,
    group_by=None,
    **options,
):
    """Read the pictures of a folder or a table, in the parts that ``divide`` makes."""
    path = Path(source)
    if path.suffix.lower() in TABLES and path.is_file():
        listing = list_table(
            path, path_column=path_column, label_column=label_column, subset_column=subset_column
        )
    else:
        listing = list_folder(path, layout=layout, label_pattern=compiled(label_pattern))
    groups = None
    if group_by is not None:
        pattern = compiled(group_by, "group_by")
        groups = parts_of_names(listing.paths, pattern, parameter="group_by", group="group")
    parts = {}
    for subset, rows in divide(listing, groups, report).items():
        kept = _limited_rows([listing.labels[row] for row in rows], limit, what=source)
        parts[subset] = [rows[row] for row in kept]
    subsets = [subset for subset, rows in parts.items() for _ in rows]
    listing = listing.take([row for rows in parts.values() for row in rows], subsets=subsets)
    images, listing, lines = read_listing(listing, (*image_size, n_channels), **options)
    for line in lines:
        report(line)
    names, filenames = np.array(listing.labels), np.array(listing.paths)
    found, begin = [], 0
    for subset in parts:
        part = slice(begin, begin + listing.subsets.count(subset))
        found.append(Pictures(images[part], names[part], filenames[part]))
        begin = part.stop
    return found


def _undivided(listing, groups, report):
    return {"": range(len(listing.paths))}


def _train_test(listing, groups, report):
    """Return the rows for training and those for testing."""
    rows = {subset: [] for subset in listing.subsets}
    for row, subset in enumerate(listing.subsets):
        rows[subset].append(row)
    labels = np.array(listing.labels)
    if len(rows) == 1 and not rows.keys() & {"validation", "test"}:
        train, test = _split(labels, groups, what=listing.source)
        whole = "" if groups is None else ", in whole groups"
        report(f"one in five pictures of each class is kept for testing{whole}")
        return {"train": train, "test": test}
    if "train" not in rows:
        raise DatasetError(
            f"{listing.source} has pictures for {' and '.join(rows)}, but none for training. Add"
            " some, or give a folder that is divided only into classes."
        )
    tested = "test" if "test" in rows else "validation"
    unused = "; validation is not used" if {"test", "validation"} <= rows.keys() else ""
    train, test = rows["train"], rows[tested]
    _check_trained(listing.source, labels[train], labels[test])
    report(f"train is used for training, {tested} for testing{unused}")
    if groups is not None:
        of_train, of_test = ({groups[row] for row in part} for part in (train, test))
        if of_train & of_test:
            both = sorted(of_train & of_test)
            report(
                f"groups on both sides: {len(both)} of {len(of_train | of_test)} ({in_short(both)})"
            )
    return {"train": train, "test": test}


def _check_trained(source, train_names, test_names):
    strange = sorted(set(test_names) - set(train_names))
    if strange:
        raise DatasetError(
            f"{source} has test pictures of {', '.join(strange)}, but no training pictures of"
            " them. Add some, or remove those."
        )


def _split(labels, groups, *, what):
    """Return rows for training and for testing, with pictures of each class on both sides."""
    counts = Counter(labels.tolist())
    single = [name for name, count in counts.items() if count == 1]
    if len(counts) == 1 or single:
        reason = (
            f"there is only one picture of {in_short(single)}"
            if single
            else f"there is only one class, {labels[0]}"
        )
        raise DatasetError(
            f"{what} cannot be split with pictures of each class on both sides: {reason}. Give at"
            " least two classes of two pictures each."
        )
    if groups is None:
        n_test = max(math.ceil(TEST_FRACTION * len(labels)), len(counts))
        return train_test_split(
            np.arange(len(labels)), test_size=n_test, stratify=labels, random_state=0
        )
    n_folds = min(round(1 / TEST_FRACTION), len(set(groups)), *counts.values())
    if n_folds > 1:
        folds = StratifiedGroupKFold(n_folds, shuffle=True, random_state=0)
        for train, test in folds.split(labels, labels, groups):
            if set(labels[train]) == set(labels[test]):
                return train, test
    raise DatasetError(
        f"{what} cannot be split by groups with pictures of each class on both sides. Give several"
        " groups of each class, or another group_by (--group-by)."
    )


def _limited(pictures, limit, *, what):
    rows = _limited_rows(pictures.names, limit, what=what)
    if len(rows) == len(pictures.names):
        return pictures
    return Pictures(pictures.images[rows], pictures.names[rows])


def _limited_rows(names, limit, *, what):
    """Return the rows of no more than so many pictures, of each class some."""
    names = np.asarray(names)
    if limit is None or limit >= len(names):
        return np.arange(len(names))
    n_classes = len(set(names))
    if limit < n_classes:
        raise DatasetError(f"{what} has {n_classes} classes, so the limit of {limit} is too low.")
    # Each class is taken from its beginning, as far as all others: none is left out.
    order = np.random.RandomState(0).permutation(len(names))
    place = np.empty(len(names))
    for name in set(names):
        of_class = names[order] == name
        place[of_class] = np.linspace(0, 1, of_class.sum(), endpoint=False)
    return order[np.argsort(place, kind="stable")[:limit]]
