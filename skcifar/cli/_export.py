"""``skcifar export``."""

from pathlib import Path

from ._arguments import add_model, data_arguments, trusted_argument
from ._shared import labels_of, load_picture_model, load_train_test_pictures, source_of
from ._terminal import write


def add_parser(subparsers):
    """Add the subcommand and its arguments."""
    parser = subparsers.add_parser(
        "export",
        parents=[data_arguments(default=None), trusted_argument()],
        help="write a saved model as a page for any browser, or as ONNX",
        description="Write a saved model for programs without Python or Keras, from the pixels to"
        " the label. A FILE named *.html becomes a page that classifies pictures in any browser,"
        " offline; with --data it shows ten test pictures, and says how many of"
        " all it gets right. Phones often refuse local files: put the page on any web server."
        " A FILE named *.onnx becomes ONNX, which needs the onnx library.",
    )
    add_model(parser)
    parser.add_argument("file", metavar="FILE", help="file to write, *.html or *.onnx")
    parser.add_argument(
        "--precision",
        choices=("float32", "float16"),
        help="how a page keeps the weights; float16 takes half the space (default: float32)",
    )
    parser.add_argument("--title", metavar="TEXT", help="heading of a page")
    parser.set_defaults(run=export)


def export(arguments):
    """Write a saved model as a page or as ONNX, and print what was written."""
    from ..files._pages import SUFFIXES

    suffix = Path(arguments.file).suffix.lower()
    if suffix in SUFFIXES:
        return _export_page(arguments)
    if suffix != ".onnx":
        raise ValueError(f"FILE must be *.html, for a page, or *.onnx, got {arguments.file}.")
    for name in ("data", "precision", "title"):
        if getattr(arguments, name) is not None:
            raise ValueError(f"--{name} is for pages. Name the file *.html, or leave it out.")
    return _export_onnx(arguments)


def _export_page(arguments):
    from ..persistence import export_html

    pipeline, reading = load_picture_model(arguments.model, trusted=arguments.trusted)
    options = {name: getattr(arguments, name) for name in ("precision", "title")}
    options = {name: value for name, value in options.items() if value is not None}
    if arguments.data is not None:
        if arguments.data == "auto":
            arguments.data = source_of(pipeline.classes_, arguments.model)
        source, _, (X, names, _) = load_train_test_pictures(arguments, reading)
        options |= {"X": X, "y": labels_of(names, pipeline.classes_, source, arguments.model)}
    accuracy = export_html(pipeline, arguments.file, **options)
    right = "" if accuracy is None else f"right on {100 * accuracy:.1f} % of the test pictures; "
    write(f"{arguments.file} classifies in a browser; {right}{_kilobytes(arguments.file)}")
    return 0


def _export_onnx(arguments):
    from ..persistence._models import load_model
    from ..persistence._onnx import describe_value, write_onnx

    pipeline = load_model(arguments.model, trusted=arguments.trusted)
    model = write_onnx(pipeline, arguments.file)
    taken, given = (
        " and ".join(map(describe_value, side)) for side in (model.graph.input, model.graph.output)
    )
    write(f"{arguments.file} takes {taken}, gives {given}; {_kilobytes(arguments.file)}")
    return 0


def _kilobytes(path):
    return f"{Path(path).stat().st_size / 1000:,.0f} kB"
