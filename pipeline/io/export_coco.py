"""COCO keypoints JSON: one annotation per picture in which the person is seen."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from pipeline import __version__
from pipeline.data.observations import Observations, observations
from pipeline.data.source import Flag, Source
from pipeline.io.atomic import atomic_text
from pipeline.io.export_request import BLOCK, ExportRequest, Step, file_stems, pictures
from pipeline.io.picture_set import HIDDEN, NOT_LABELLED, VISIBLE, annotation, category


def coco_steps(request: ExportRequest) -> Iterator[Step]:
    """Write a request's points in all views; see :func:`pipeline.io.export.export_steps`."""
    shown = [pictures(request, view) for view in range(request.sequence.n_views)]
    # Numbered through all views in this order, from 1.
    first_ids = np.cumsum([1, *(len(frames) for _, frames in shown)]).tolist()
    n_all = max(first_ids[-1] - 1, 1)
    with atomic_text(request.path) as handle:
        head = {
            "info": coco_info(request),
            "licenses": [],
            "categories": [category(request.sequence.info.skeleton)],
        }
        handle.write(
            json.dumps(head, ensure_ascii=False, indent=1).rstrip("}\n") + ',\n "images": ['
        )
        images = (
            image_of(request, view, number, frame, image_id)
            for view, (numbers, frames) in enumerate(shown)
            for image_id, (number, frame) in enumerate(
                zip(numbers.tolist(), frames.tolist(), strict=True), first_ids[view]
            )
        )
        _write_list(handle, images)
        handle.write('],\n "annotations": [')
        separator = "\n"
        for view, (_, frames) in enumerate(shown):
            for first in range(0, len(frames), BLOCK):
                block = frames[first : first + BLOCK]
                seen = observations(request.sequence, request.track, block)
                found = _annotations(request, seen, view, first_ids[view] + first)
                separator = _write_list(handle, found, separator)
                done = first_ids[view] - 1 + first + len(block)
                yield done / n_all, f"Writing {request.sequence.cameras[view].name}"
        handle.write("]\n}\n")


def _write_list(handle: TextIO, items: Iterator[dict[str, Any]], separator: str = "\n") -> str:
    """Append items to an open list, one a line; returns what goes before the next one."""
    for item in items:
        handle.write(separator + json.dumps(item, ensure_ascii=False, allow_nan=False))
        separator = ",\n"
    return separator


def coco_info(request: ExportRequest) -> dict[str, Any]:
    """COCO's ``info`` of what is written of a request."""
    now = datetime.now(UTC)
    return {
        "description": request.name,
        "version": f"SIMSPINE Viewer {__version__}",
        "year": now.year,
        "contributor": ", ".join(_authors(request)),
        "date_created": now.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "pixel_convention": "original video image, origin top left, pixel centres at integers",
        "fps": request.sequence.info.fps,
    }


def _authors(request: ExportRequest) -> list[str]:
    given = (request.authorship or {}).get(("manual2d", request.track))
    return [given.authors[i] for i in np.unique(given.author)] if given else []


def image_of(
    request: ExportRequest, view: int, number: int, frame: int, image_id: int
) -> dict[str, Any]:
    """COCO's entry of a picture: video frame ``number`` of a view, seen at a sequence frame."""
    info = request.sequence.info
    stem = file_stems(info.cameras.names)[view]
    width, height = info.videos[view].size
    return {
        "id": image_id,
        "file_name": f"{stem}/{stem}_{number:06d}.jpg",
        "width": width,
        "height": height,
        "camera": info.cameras[view].name,
        "video": _relative(info.videos[view].path, request.path),
        "frame_index": number,
        "sequence_frame": frame,
    }


def _relative(video: Path | None, export: Path) -> str | None:
    if video is None:
        return None
    try:
        return Path(os.path.relpath(video, export.resolve().parent)).as_posix()
    except ValueError:  # another drive
        return video.as_posix()


def _annotations(
    request: ExportRequest, seen: Observations, view: int, first_id: int
) -> Iterator[dict[str, Any]]:
    xy, score = seen.xy[:, view], np.round(seen.score[:, view], 6)
    there = np.asarray(np.isfinite(xy).all(axis=-1))
    occluded = (seen.flags[:, view] & Flag.OCCLUDED) != 0
    visible = np.where(there, np.where(occluded, HIDDEN, VISIBLE), NOT_LABELLED)
    source = np.where(seen.manual[:, view], int(Source.MANUAL_2D), int(Source.DETECTED))
    for t in np.flatnonzero(there.any(axis=-1)).tolist():
        yield {
            # One person: at most one annotation per image.
            **annotation(first_id + t, xy[t], visible[t]),
            "simspine": {
                "person": request.track + 1,
                "source": [
                    Source(s if h else 0).label for s, h in zip(source[t], there[t], strict=True)
                ],
                "score": score[t].tolist(),
            },
        }
