"""The version, which is that of the program inside the package."""

__version__ = "0.1.0"
