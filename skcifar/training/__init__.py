"""How networks are compiled and trained, and how they predict."""

from .. import _keras  # says what keeps Keras from being imported
from ._settings import show_versions

__all__ = ["show_versions"]
