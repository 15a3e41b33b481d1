"""``skcifar explain``."""

from itertools import count
from pathlib import Path

from ._arguments import add_model, add_pictures, trusted_argument
from ._shared import load_picture_model, picture_files, readable_pictures
from ._terminal import write


def add_parser(subparsers):
    """Add the subcommand and its arguments."""
    parser = subparsers.add_parser(
        "explain",
        parents=[trusted_argument()],
        help="draw which parts of pictures determined the answer",
        description="Write a copy of each picture with the parts that determined the answer"
        " coloured.",
    )
    add_model(parser)
    add_pictures(parser)
    parser.add_argument(
        "--out",
        default="skcifar-explain",
        metavar="DIR",
        help="folder to write to; pictures of the same name are replaced (default: %(default)s)",
    )
    parser.add_argument(
        "--method",
        choices=("occlusion", "gradient", "grad-cam"),
        default="occlusion",
        help="occlusion hides one part after another; gradient shows how strongly the class depends"
        " on each pixel; grad-cam shows what the last convolutions found (default: %(default)s)",
    )
    parser.add_argument(
        "--class",
        dest="label",
        metavar="NAME",
        help="class to explain, such as the one you expected (default: the predicted one)",
    )
    parser.set_defaults(run=explain)


def explain(arguments):
    """Write a picture of what carried the answer for each picture file."""
    from matplotlib import pyplot as plt

    from ..displays import ExplanationDisplay, save_figure

    plt.switch_backend("Agg")  # files only; a window would need a screen
    model, reading = load_picture_model(arguments.model, trusted=arguments.trusted)
    label = arguments.label and _label(arguments.label, model.classes_)
    files = picture_files(arguments.pictures)
    folder = Path(arguments.out)
    folder.mkdir(parents=True, exist_ok=True)
    taken, n_failed = set(), 0
    for file in files:
        pictures, readable = readable_pictures([file], reading)
        if not readable:
            n_failed += 1
            continue
        display = ExplanationDisplay.from_estimator(
            model, pictures, method=arguments.method, label=label
        )
        path = folder / _free_name(Path(file).stem, arguments.method, taken)
        save_figure(display.figure_, path)
        plt.close(display.figure_)
        write(f"{path}   {display.y_pred[0]}   {display.probabilities[0]:.3f}")
    return 2 if n_failed else 0


def _label(name, classes):
    """Return the class of a name, which the model may know by a number."""
    for label in classes:
        if str(label) == name:
            return label
    raise ValueError(
        f"The model has no class {name!r}. Give one of {', '.join(map(str, classes))} as --class."
    )


def _free_name(stem, method, taken):
    """Return a name that no other picture of this run has."""
    names = (f"{stem}-{method}{'' if number == 1 else f'-{number}'}.png" for number in count(1))
    name = next(name for name in names if name not in taken)
    taken.add(name)
    return name
