"""How networks are compiled and trained, and how they predict."""

from ._settings import show_versions

__all__ = ["show_versions"]
