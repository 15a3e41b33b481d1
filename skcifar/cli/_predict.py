"""``skcifar predict``."""

import json

from ._shared import load_picture_model
from ._terminal import complain, write

N_BEST = 3  # classes that are printed for each picture


def add_parser(subparsers):
    """Add the subcommand and its arguments."""
    parser = subparsers.add_parser(
        "predict", help="predict what pictures show", description="Predict what pictures show."
    )
    parser.add_argument("model", metavar="MODEL", help="a file that skcifar train wrote")
    parser.add_argument(
        "pictures",
        metavar="PICTURE",
        nargs="+",
        help="picture files (JPEG, PNG, GIF, BMP, TIFF, WebP, AVIF or PPM)",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=predict)


def predict(arguments):
    """Print the most probable classes of picture files."""
    from ..datasets import DatasetError, read_picture

    model, reading = load_picture_model(arguments.model)
    reported = []
    for name in arguments.pictures:
        try:
            picture = read_picture(name, **reading)
        except DatasetError as error:
            complain(error)
            continue
        probabilities = model.predict_proba(picture[None])[0]
        best = [
            {"class": str(model.classes_[i]), "probability": float(probabilities[i])}
            for i in probabilities.argsort()[::-1][:N_BEST]
        ]
        reported.append({"picture": name, "classes": best})
        if not arguments.json:
            line = "   ".join(f"{c['class']} {c['probability']:.3f}" for c in best)
            write(f"{name}:   {line}")

    if arguments.json:
        write(*json.dumps(reported, indent=2).split("\n"))
    return 0 if len(reported) == len(arguments.pictures) else 2
