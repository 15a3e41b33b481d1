"""The version, which the package and its files bear."""

__version__ = "0.1.0"
