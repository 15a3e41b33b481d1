"""How networks are compiled and trained, and how they predict."""

from .. import _keras  # starts Keras before others do
from ._environment import show_versions

__all__ = ["show_versions"]
