"""SIMSPINE's processing without a window: data, geometry, files, jobs and the command line."""

__version__ = "0.2.0"
