"""What subcommands have in common: pictures, models and scores."""

import os
import sys
from collections import defaultdict
from pathlib import Path

from ._terminal import complain, printable, write

# arguments that say where pictures are and how they are read, as the loaders call them
READING = (
    *("data_home", "limit", "layout", "label_pattern", "path_column", "label_column"),
    *("subset_column", "group_by", "skip_unreadable", "cache"),
)


def print_data(source, y_train, y_test, *, with_hint=False):
    """Print how many pictures there are; return the line on rare classes, if there is one."""
    from ..runs._balance import describe_imbalance

    imbalance = describe_imbalance(y_train)
    write(
        f"{source}: {len(y_train):,} training and {len(y_test):,} test pictures of"
        f" {len(set(y_train))} classes",
        *filter(None, [imbalance]),
    )
    if imbalance and with_hint:
        write("--class-weight balanced lets each class count the same")
    return imbalance


def list_files(folder, names):
    """Say which of some files a folder holds."""
    return f"{folder} holds {', '.join(name for name in names if (folder / name).exists())}"


def make_pipeline(network, **given):
    """Make the pipeline of a network with what was typed; what is None is left to the network."""
    from ..pipelines import PIPELINES

    given = {name: value for name, value in given.items() if value is not None}
    pipeline = PIPELINES[network]()
    known = pipeline["classify"].get_params()
    for name in given:
        if name not in known:
            raise ValueError(
                f"--{name.replace('_', '-')} is not for the {network} network. Leave it out, or"
                " choose another --network."
            )
    pipeline["classify"].set_params(**given)
    return pipeline


def suit_to_data(pipeline, source, typed=()):
    """Set what depends on the pictures, unless it was typed: a digit in a mirror is none."""
    known = pipeline["classify"].get_params().keys() - typed
    if source == "digits" and "horizontal_flip" in known:
        pipeline["classify"].set_params(horizontal_flip=False)


def typed_reading(arguments):
    """Return what size picture files get and how, as was typed."""
    typed = {"image_size": arguments.image_size, "resize": arguments.resize}
    typed = {name: value for name, value in typed.items() if value is not None}
    if typed and arguments.data in ("auto", "cifar10", "digits"):
        raise ValueError(
            "--image-size and --resize are for pictures in files. Name these with --data FOLDER."
        )
    return {"image_size": (32, 32), "resize": "crop", "n_channels": 3} | typed


def reading_options(arguments, reading, *, quiet=False):
    """Return the options of the loaders that were typed."""
    options = {name: getattr(arguments, name) for name in READING} | reading
    if quiet:
        return options
    from ._progress import reading_progress

    return options | {"report": write, "progress": reading_progress}


def load_train_test_pictures(arguments, reading, *, quiet=False):
    """Return the name of the source, training pictures with labels, test pictures likewise."""
    from ..datasets import load_train_test

    options = reading_options(arguments, reading, quiet=quiet)
    if arguments.data != "auto":
        return arguments.data, *load_train_test(arguments.data, **options)
    if arguments.data_home is not None:
        return "cifar10", *load_train_test("cifar10", **options)
    try:
        # one round is enough where there is something to fall back on
        return "cifar10", *load_train_test("cifar10", n_retries=0, **options)
    except OSError as error:
        _warn_that_digits_stand_in(error)
        return "digits", *load_train_test("digits", **options)


def _warn_that_digits_stand_in(error):
    from rich.console import Console
    from rich.panel import Panel
    from rich.text import Text

    text = Text.assemble(
        "CIFAR-10 is not on this machine and could not be downloaded, so ",
        ("the network learns scikit-learn's handwritten digits instead", "bold"),
        ".\n\nTo get CIFAR-10, run this again where the internet can be reached. Or download"
        " cifar-10-binary.tar.gz from https://www.cs.toronto.edu/~kriz/cifar.html yourself and say"
        " where it is with --data-home DIR\n\n",
        (printable(error), "dim"),
    )
    Console(stderr=True).print(Panel(text, title="Not CIFAR-10", style="yellow"))


def load_picture_model(path, *, trusted):
    """Return a model for pictures, and what size picture files get for it and how."""
    from sklearn.pipeline import Pipeline

    from ..persistence._models import load_model
    from ..preprocessing import ImageResizer

    model = load_model(path, trusted=trusted)
    first = model[0] if isinstance(model, Pipeline) else model
    shape = first.sample_shape_
    if len(shape) != 3 or shape[-1] not in (1, 3):
        raise ValueError(
            f"{path} takes samples of shape {shape}, not pictures. Give a model that was trained"
            " on pictures of shape (height, width, n_channels), with n_channels 1 or 3."
        )
    resize = first.resize if isinstance(first, ImageResizer) else "crop"
    return model, {"image_size": shape[:2], "resize": resize, "n_channels": shape[2]}


def picture_files(named):
    """Return the paths of all files that are named, that folders hold, and that come in."""
    from ..datasets._folders import files_in

    files, left_out = [], defaultdict(list)
    for name in named:
        if name == "-":
            files += _paths_from_input()
        elif Path(name).is_dir():
            files += files_in(name, left_out)
        else:
            files.append(name)
    for reason, paths in left_out.items():
        complain(f"left out, {reason}: {', '.join(map(str, paths))}", kind="warning")
    if not files:
        raise ValueError(
            f"There are no files in {' and '.join(named)}. Name pictures, or other folders."
        )
    return files


def _paths_from_input():
    if sys.stdin is None:
        raise ValueError("Standard input is closed. Name files, or pipe paths in, one per line.")
    lines = sys.stdin.buffer.read().split(b"\n")
    return [os.fsdecode(line) for line in (line.rstrip(b"\r") for line in lines) if line]


def readable_pictures(files, reading):
    """Return the pictures of all files that can be read, and which of the files these are."""
    import numpy as np

    from ..datasets._picture_files import decode_all

    pictures = np.empty((len(files), *reading["image_size"], reading["n_channels"]), np.uint8)
    _, unreadable = decode_all(files, pictures, resize=reading["resize"])
    for row, reason in unreadable.items():
        complain(f"{files[row]} cannot be read as a picture ({reason}) and is left out")
    readable = [row for row in range(len(files)) if row not in unreadable]
    return pictures[readable], readable


def source_of(classes, path):
    """Name the data set that a saved model was trained on, by its classes."""
    from ..datasets import CIFAR10_CLASS_NAMES, load_digit_images

    if set(classes) == set(CIFAR10_CLASS_NAMES):
        return "cifar10"
    if set(classes) == set(load_digit_images().target_names):  # strings; numbers could be anything
        return "digits"
    raise ValueError(
        f"What {path} was trained on cannot be inferred from its classes, which are"
        f" {', '.join(classes.astype(str))}. Name the pictures with --data."
    )


def labels_of(names, classes, source, model, *, known=None):
    """Translate names of classes into the labels that a model was trained on.

    ``known`` are all names that the data have, where these may be some of them only.
    """
    label_of = dict(zip(classes.astype(str), classes, strict=True))
    known = sorted(set(names if known is None else known))
    if not set(known) <= set(label_of) and classes.tolist() == list(range(len(known))):
        # a model that learned the data set's own numbers, which follow its sorted names
        label_of = dict(zip(known, classes, strict=True))
    strange = [name for name in known if name not in label_of]
    if strange:
        raise ValueError(
            f"{source} has pictures of {', '.join(strange)}, which {model} was"
            f" not trained on. Give pictures of {', '.join(classes.astype(str))}."
        )
    return [label_of[name] for name in names]


def score(model, X, y):
    """Return the article's pair of loss and accuracy, and the probabilities behind it."""
    probabilities = model.predict_proba(X)
    return *score_probabilities(y, probabilities, model.classes_), probabilities


def score_probabilities(y, probabilities, classes):
    """Return the article's pair of loss and accuracy."""
    from sklearn.metrics import accuracy_score, log_loss

    y_pred = classes[probabilities.argmax(axis=1)]
    loss = log_loss(y, probabilities, labels=classes)
    return float(loss), float(accuracy_score(y, y_pred))
