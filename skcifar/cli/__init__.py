"""The ``skcifar`` command."""

from ._parser import main

__all__ = ["main"]
