"""Model files, and export to other programs."""

from .. import _keras  # starts Keras before others do
from ._graph_layers import ExportError as ExportError
from ._models import ModelFileError as ModelFileError
from ._models import load_model, save_model
from ._onnx import export_onnx
from ._page import export_html

__all__ = ["export_html", "export_onnx", "load_model", "save_model"]
