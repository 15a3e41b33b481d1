"""``skcifar export``."""

from pathlib import Path

from ._shared import complain, quiet_tensorflow


def export(arguments):
    """Write a saved model as ONNX, and tell what it takes and gives."""
    with quiet_tensorflow():
        from ..persistence._models import load_model
        from ..persistence._onnx import describe_value, export_onnx

    pipeline = load_model(arguments.model)
    try:
        model = export_onnx(pipeline, arguments.file)
    except ImportError as error:  # of onnx
        complain(error)
        return 2
    taken, given = (
        " and ".join(map(describe_value, side)) for side in (model.graph.input, model.graph.output)
    )
    kilobytes = Path(arguments.file).stat().st_size / 1000
    print(f"{arguments.file} takes {taken}, gives {given}; {kilobytes:,.0f} kB")
    return 0
