"""Model files, and export to other programs."""

from ._graph_layers import ExportError
from ._models import ModelFileError, load_model, save_model
from ._onnx import export_onnx

__all__ = ["ExportError", "ModelFileError", "export_onnx", "load_model", "save_model"]
