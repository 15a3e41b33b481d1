"""Finds the picture files of a folder or a table, with their labels. Opens none of them."""

import csv
import os
import re
import unicodedata
from collections import defaultdict
from dataclasses import dataclass, field, replace
from pathlib import Path

from ._archives import DatasetError

LAYOUTS = ("auto", "classes", "splits")

# Folders with these names, whatever their case, alone or before "set", "data" or "images".
SPLIT_NAMES = {
    "train": "train|training",
    "validation": "val|valid|validation|dev",
    "test": "test|testing|eval|evaluation",
}

# What file systems, desktops and archivers leave beside pictures, apart from what is hidden.
SYSTEM_NAMES = {
    *("thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", "__macosx", "@eadir", "lost+found"),
    *("$recycle.bin", "system volume information"),
}

MAX_NAMES = 3  # of files that are listed


@dataclass(frozen=True)
class Listing:
    """Picture files with their labels, and what was left out by the reason."""

    source: str
    paths: list
    labels: list
    subsets: list  # "" where there are none
    left_out: dict = field(default_factory=dict)

    def take(self, rows, **changed):
        """Return some of the files."""
        taken = {
            name: [getattr(self, name)[row] for row in rows]
            for name in ("paths", "labels", "subsets")
        }
        return replace(self, **taken | changed)


def list_folder(path, *, layout="auto", label_pattern=None):
    """List the pictures of a folder: of a folder for each class, or of such folders by split."""
    path, left_out = Path(path), defaultdict(list)
    folders = _folders(path, left_out)
    splits = _splits(path, folders, layout, by_folder=label_pattern is None)
    found = []
    if splits:
        beside = [str(folder) for folder in folders if folder not in splits.values()]
        left_out["folders beside the splits"] += beside
    elif label_pattern is not None:
        left_out.clear()
    for split, parent in splits.items() or [("", path)]:
        if label_pattern is None:
            classes = _folders(parent, left_out) if split else folders
            labelled = _by_folder(parent, classes, left_out)
        else:
            files = files_in(parent, left_out)
            labels = parts_of_names(files, label_pattern, parameter="label_pattern", group="label")
            labelled = zip(files, labels, strict=True)
        found += [(file, label, split) for file, label in labelled]
    if not found:
        raise DatasetError(
            f"{path} holds no folders with pictures. Give a folder that holds one for each class,"
            " named after the class, or a label_pattern (--label-pattern) that finds the class in"
            " the name of a file."
        )
    paths, labels, subsets = map(list, zip(*found, strict=True))
    _check_names(path, labels)
    return Listing(f"the folder {path}", paths, labels, subsets, left_out)


def list_table(path, *, path_column="path", label_column="label", subset_column=None):
    """List the pictures of a CSV file with a header; their paths are relative to its folder."""
    path = Path(path)
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            header = file.readline()
            file.seek(0)
            table = csv.DictReader(file, delimiter=max(",;\t", key=header.count))
            rows, columns = list(table), table.fieldnames or []
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(
            f"{path} cannot be read as a table ({error}). Give a CSV file in UTF-8 with a header."
        ) from error
    asked = {"path_column": path_column, "label_column": label_column}
    asked |= {"subset_column": subset_column} if subset_column is not None else {}
    for parameter, column in asked.items():
        if column not in columns:
            raise DatasetError(
                f"{path} has no column {column!r} (columns:"
                f" {', '.join(map(repr, columns)) or 'none'}). Name the right one with {parameter}"
                f" (--{parameter.replace('_', '-')})."
            )
        for number, row in enumerate(rows, start=2):
            if not row[column]:
                raise DatasetError(
                    f"{path} has nothing in column {column!r} of row {number}. Fill it in, or"
                    " remove the row."
                )
    if not rows:
        raise DatasetError(f"{path} has only a header. Add a row for each picture.")
    labels = [row[label_column] for row in rows]
    _check_names(path, labels)
    subsets = [""] * len(rows)
    if subset_column is not None:
        subsets = [split_of(row[subset_column]) for row in rows]
        for row, subset in zip(rows, subsets, strict=True):
            if subset is None:
                raise DatasetError(
                    f"{path} has {row[subset_column]!r} in column {subset_column!r}. Use train,"
                    " validation or test."
                )
    paths = [os.path.join(path.parent, row[path_column]) for row in rows]  # noqa: PTH118 (strings)
    return Listing(f"the table {path}", paths, labels, subsets)


def split_of(name):
    """Return "train", "validation" or "test" if a name stands for that, however it is spelt."""
    for split, names in SPLIT_NAMES.items():
        if re.fullmatch(rf"({names})[-_ ]?(set|data|images)?", name.strip(), re.IGNORECASE):
            return split
    return None


def _splits(path, folders, layout, *, by_folder):
    """Return the folder of each split, or nothing where the folders are classes."""
    found = [folder for folder in folders if split_of(folder.name)]
    if layout == "classes" or (layout == "auto" and not found):
        return {}
    usable = [f for f in found if not by_folder or "folder" in map(_kind, _entries(f))]
    names = ", ".join(folder.name for folder in found)
    if layout == "auto" and not (usable and found == folders):
        if found != folders and not usable and {split_of(f.name) for f in found} == {"train"}:
            return {}  # one of several vehicles
        raise DatasetError(
            f"It is unclear what {names} in {path} stands for: parts of a data set, each with a"
            ' folder for each class, or classes. Set layout="splits" or layout="classes"'
            " (--layout)."
        )
    if not usable:
        raise DatasetError(
            f"{path} should be divided into splits, but holds no train, validation or test with a"
            ' folder for each class inside. Add such folders, or set layout="classes" (--layout).'
        )
    splits = {split_of(folder.name): folder for folder in found}
    if len(splits) < len(found):
        raise DatasetError(f"{path} holds {names}, some of which mean the same. Merge them.")
    return {split: splits[split] for split in SPLIT_NAMES if split in splits}


def _by_folder(parent, folders, left_out):
    """Return the files of each class folder with its name."""
    _check_names(parent, [folder.name for folder in folders])
    found = []
    for folder in folders:
        files = files_in(folder, left_out)
        if not files:
            raise DatasetError(
                f"{folder} holds no pictures. Put some there or remove it: {parent} must hold one"
                " folder for each class, named after the class, with its pictures inside."
            )
        found += [(file, folder.name) for file in files]
    return found


def parts_of_names(files, pattern, *, parameter, group):
    """Return what a pattern finds in the names of files: a named group, the first one, or all."""
    group = group if group in pattern.groupindex else min(pattern.groups, 1)
    matches = [pattern.search(Path(file).name) for file in files]
    parts = [match[group] if match else None for match in matches]
    strange = [file for file, part in zip(files, parts, strict=True) if not part]
    if strange:
        raise DatasetError(
            f"{pattern.pattern!r} finds nothing in {len(strange)} of {len(files)} file names:"
            f" {in_short(strange)}. Correct {parameter}, or remove them."
        )
    return parts


def _check_names(path, labels):
    """Raise if names of classes cannot be printed, or can hardly be told from each other."""
    known = {}
    for label in sorted(set(labels)):
        # such names could not be saved with a model either
        if any(unicodedata.category(character) in ("Cc", "Cs") for character in label):
            raise DatasetError(
                f"{path} holds a class with an unreadable name, {label!a}. Give it another name."
            )
        twin = known.setdefault(unicodedata.normalize("NFKC", label).casefold(), label)
        if twin != label:
            raise DatasetError(
                f"{path} holds the classes {twin!a} and {label!a}, whose names differ only in"
                " case or Unicode form. Merge them, or rename one of them."
            )


def _folders(path, left_out):
    """Return the folders inside a folder, sorted by name."""
    if not path.is_dir():
        raise DatasetError(
            f"{path} is not a folder. Give a folder that holds one for each class, or a CSV file of"
            " paths and labels."
        )
    folders = []
    for entry in _entries(path):
        kind, inside = _kind(entry), Path(entry)
        if kind == "linked folders" and not path.resolve().is_relative_to(inside.resolve()):
            kind = "folder"
        if kind == "folder":
            folders.append(inside)
        else:
            left_out["files beside the class folders" if kind == "file" else kind].append(
                entry.path
            )
    return folders


def files_in(folder, left_out):
    """Return the paths of all files in a folder and in those within, sorted."""
    files, folders = [], [folder]
    while folders:  # a recursion would end at folders within folders by the thousand
        for entry in _entries(folders.pop()):
            kind = _kind(entry)
            if kind == "folder":
                folders.append(entry.path)
            elif kind == "file":
                files.append(entry.path)
            else:
                left_out[kind].append(entry.path)
    return sorted(files)


def _kind(entry):
    try:
        if entry.is_dir():
            return "linked folders" if entry.is_symlink() else "folder"
        if entry.is_file():
            return "file"
    except OSError:  # it leads in a circle
        pass
    return "links to nothing" if entry.is_symlink() else "entries that are not files"


def _entries(folder):
    """Return what a folder holds, sorted, but for what is hidden or the system's own."""
    try:
        with os.scandir(folder) as entries:
            seen = [e for e in entries if not e.name.startswith(".")]
    except OSError as error:
        raise DatasetError(
            f"{folder} cannot be listed ({error.strerror}). Get permission to read it, or"
            " move it elsewhere."
        ) from error
    seen = [entry for entry in seen if entry.name.lower() not in SYSTEM_NAMES]
    return sorted(seen, key=lambda entry: entry.name)


def in_short(names, n_most=MAX_NAMES):
    """Name the first of some files, and the number of the others."""
    n_more = len(names) - n_most
    return ", ".join(map(str, names[:n_most])) + (f" and {n_more} more" if n_more > 0 else "")
