"""Signals that tell where a recording is wrong."""
