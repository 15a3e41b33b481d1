"""``skcifar export``."""

from pathlib import Path

from ._arguments import model_arguments
from ._terminal import complain, write


def add_parser(subparsers):
    """Add the subcommand and its arguments."""
    parser = subparsers.add_parser(
        "export",
        parents=[model_arguments()],
        help="write a saved model as ONNX, for programs without Python or Keras",
        description="Write a saved model as ONNX, from the pixels to the label: pictures go in, and"
        " labels and probabilities come out. Needs the onnx library.",
    )
    parser.add_argument("model", metavar="MODEL", help="a file that skcifar train wrote")
    parser.add_argument("file", metavar="FILE", help="file to write, usually named *.onnx")
    parser.set_defaults(run=export)


def export(arguments):
    """Write a saved model as ONNX, and print its inputs and outputs."""
    from ..persistence._models import load_model
    from ..persistence._onnx import describe_value, export_onnx

    pipeline = load_model(arguments.model, trusted=arguments.trusted)
    try:
        model = export_onnx(pipeline, arguments.file)
    except ImportError as error:  # of onnx
        complain(error)
        return 2
    taken, given = (
        " and ".join(map(describe_value, side)) for side in (model.graph.input, model.graph.output)
    )
    kilobytes = Path(arguments.file).stat().st_size / 1000
    write(f"{arguments.file} takes {taken}, gives {given}; {kilobytes:,.0f} kB")
    return 0
