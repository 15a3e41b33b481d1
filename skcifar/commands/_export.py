"""``skcifar export``."""

from pathlib import Path

from ._shared import complain, quiet_tensorflow


def export(arguments):
    """Write a saved model as ONNX, and tell what it takes and gives."""
    with quiet_tensorflow():
        from ..exporting import export_onnx
        from ..persistence import load_model

    pipeline = load_model(arguments.model)
    try:
        model = export_onnx(pipeline, arguments.file)
    except ImportError as error:  # of onnx
        complain(error)
        return 2
    taken, given = (
        " and ".join(map(_told, side)) for side in (model.graph.input, model.graph.output)
    )
    kilobytes = Path(arguments.file).stat().st_size / 1000
    print(f"{arguments.file} takes {taken}, gives {given}; {kilobytes:,.0f} kB")
    return 0


def _told(value):
    from onnx import TensorProto

    tensor = value.type.tensor_type
    axes = (axis.dim_param or str(axis.dim_value) for axis in tensor.shape.dim)
    return (
        f"{value.name} ({TensorProto.DataType.Name(tensor.elem_type).lower()}, {' x '.join(axes)})"
    )
