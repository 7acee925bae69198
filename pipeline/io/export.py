"""Exports: one way from a sequence to a file of any format, in small steps, whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pipeline.io.export_coco import coco_steps
from pipeline.io.export_csv import csv_steps
from pipeline.io.export_openpose import openpose_steps
from pipeline.io.export_request import FORMATS, ExportRequest, Step, check_request
from pipeline.io.trc import trc_steps

__all__ = ["FORMATS", "ExportRequest", "export", "export_steps"]

_WRITERS: dict[str, Callable[[ExportRequest], Iterator[Step]]] = {
    "trc": trc_steps,
    "csv": csv_steps,
    "openpose": openpose_steps,
    "coco": coco_steps,
}


def export_steps(request: ExportRequest) -> Iterator[Step]:
    """Export in small steps.

    The new file takes its place after the last step, when the iterator is exhausted. Where it is
    closed before, or fails, the old file is untouched and nothing else is left behind.

    Parameters
    ----------
    request : ExportRequest

    Yields
    ------
    (fraction, what)
        Progress in 0..1 and a few words.

    Raises
    ------
    UserError
        The person, frames or format does not exist, or the file cannot be written.
    """
    check_request(request)
    yield from _WRITERS[request.format](request)


def export(request: ExportRequest) -> None:
    """Run :func:`export_steps` to its end."""
    for _ in export_steps(request):
        pass
