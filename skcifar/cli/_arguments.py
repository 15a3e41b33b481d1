"""Arguments and their types that several subcommands share."""

import argparse
import math


def data_arguments(default="auto"):
    """Return a parent parser of the arguments that choose pictures."""
    data = argparse.ArgumentParser(add_help=False)
    data.add_argument(
        "--data",
        type=source,
        default=default,
        metavar="auto|cifar10|digits|FOLDER|CSV",
        help="pictures: CIFAR-10, scikit-learn's handwritten digits, a folder of your own with"
        " one folder per class (or train and val or test, each of that form), or a CSV file of"
        " paths and labels; if not divided, a fifth is kept for testing"
        f" (default: {default or 'none'})",
    )
    data.add_argument(
        "--layout",
        choices=("auto", "classes", "splits"),
        default="auto",
        help="what the folders in FOLDER are (default: inferred from their names)",
    )
    data.add_argument(
        "--label-pattern",
        metavar="REGEX",
        help="regular expression that finds the class in the name of a file, if folders are not"
        " classes, such as '^[a-z]+'",
    )
    for column, name in (("path", "path"), ("label", "label"), ("subset", None)):
        data.add_argument(
            f"--{column}-column",
            default=name,
            metavar="NAME",
            help=f"column of the {column}s in CSV (default: {name or 'none'})",
        )
    data.add_argument(
        "--group-by",
        metavar="REGEX",
        help="regular expression that finds in the name of a file what must not be divided between"
        " training and testing, such as a patient or a day",
    )
    data.add_argument(
        "--skip-unreadable",
        action="store_true",
        help="leave out files that cannot be read as pictures, and name them",
    )
    data.add_argument(
        "--no-cache",
        dest="cache",
        action="store_false",
        help="do not keep decoded pictures for the next command; see skcifar cache",
    )
    data.add_argument(
        "--data-home",
        metavar="DIR",
        help="where CIFAR-10 is, or where to keep it: the folder that holds its folder or archive,"
        " or one of these itself (default: scikit-learn's data folder)",
    )
    data.add_argument(
        "--limit",
        type=positive_int,
        metavar="N",
        help="use at most N training and N test pictures (default: all)",
    )
    return data


def add_image_size(parser):
    """Add the arguments that say what size picture files get, and how."""
    parser.add_argument(
        "--image-size",
        type=image_size,
        metavar="N|HxW",
        help="height and width in pixels to resize pictures of FOLDER or CSV to (default: 32)",
    )
    # those of datasets._picture_files.RESIZE, which is slow to import
    parser.add_argument(
        "--resize",
        choices=("crop", "pad", "stretch"),
        help="how to resize a picture of other proportions: crop it to its middle, pad it with"
        " black margins, or stretch it (default: crop)",
    )


def trusted_argument():
    """Return a parent parser of the argument of all that reads model files."""
    trusted = argparse.ArgumentParser(add_help=False)
    trusted.add_argument(
        "--trusted",
        action="store_true",
        help="let Keras build a network from a model file, as a PretrainedClassifier needs; only"
        " for files from people you trust",
    )
    return trusted


def add_model(parser):
    parser.add_argument("model", metavar="MODEL", help="file written by skcifar train")


def add_pictures(parser):
    parser.add_argument(
        "pictures",
        metavar="PICTURE|FOLDER|-",
        nargs="+",
        help="picture files (JPEG, PNG, GIF, BMP, TIFF, WebP, AVIF or PPM), folders of them, or -"
        " for paths from standard input, one per line",
    )


def add_random_state(parser):
    parser.add_argument(
        "--random-state",
        type=seed,
        default=0,
        metavar="N",
        help="seed; the same seed gives the same network (default: %(default)s)",
    )


def source(text):
    if not text:
        raise argparse.ArgumentTypeError("must be auto, cifar10, digits or a folder, got nothing")
    return text


def int_from(lowest, highest):
    def parse(text):
        try:
            value = int(text)
        except ValueError:
            value = None
        if value is None or not lowest <= value <= highest:
            raise argparse.ArgumentTypeError(
                f"must be an int from {lowest} to {highest}, got {text!r}"
            )
        return value

    return parse


positive_int = int_from(1, 2**31 - 1)  # which is as far as TensorFlow counts
seed = int_from(0, 2**32 - 1)


def jobs(text):
    return -1 if text == "-1" else positive_int(text)


def positive_float(text):
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"must be a number above 0, got {text!r}")
    return value


def probability(text):
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"must be a number from 0 to 1, got {text!r}")
    return value


def image_size(text):
    height, _, width = text.lower().partition("x")
    try:
        return positive_int(height), positive_int(width or height)
    except argparse.ArgumentTypeError:
        raise argparse.ArgumentTypeError(
            f"must be a number of pixels, or height x width such as 48x64, got {text!r}"
        ) from None


def sizes(text):
    try:
        return tuple(positive_int(size) for size in text.split(","))
    except argparse.ArgumentTypeError:
        raise argparse.ArgumentTypeError(
            f"must be ints of at least 1, separated by commas, such as 200,150, got {text!r}"
        ) from None
