"""OpenPose JSON: a folder per camera, a file per picture, corrected points of one person."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline import __version__
from pipeline.data.observations import observations
from pipeline.io.atomic import atomic_folder
from pipeline.io.export_request import BLOCK, ExportRequest, Step, file_stems, pictures

FOLDER_SUFFIX = "_json"
# How a file of ours begins, by which it is told from a detector's own.
_MARK = '{"version": 1.3, "generator": "SIMSPINE Viewer '
# What file managers leave in folders that were looked at.
_LITTER = {".DS_Store", "Thumbs.db", "desktop.ini"}
# What OpenPose writes where it does not track people.
_NO_PERSON_ID = -1
# OpenPose's (0, 0) is "not found", also in a single coordinate.
_NEAREST_TO_ZERO = 1e-4


def openpose_steps(request: ExportRequest) -> Iterator[Step]:
    """Write a request's points in all views; see :func:`pipeline.io.export.export_steps`."""
    sequence = request.sequence
    stems = file_stems(sequence.cameras.names)
    with atomic_folder(request.path, is_our_export) as folder:
        for view, stem in enumerate(stems):
            view_folder = folder / f"{stem}{FOLDER_SUFFIX}"
            view_folder.mkdir()
            numbers, frames = pictures(request, view)
            for first in range(0, len(frames), BLOCK):
                rows = slice(first, first + BLOCK)
                seen = observations(sequence, request.track, frames[rows])
                for number, xy, score in zip(
                    numbers[rows], seen.xy[:, view], seen.score[:, view], strict=True
                ):
                    document = person_document(xy, score)
                    (view_folder / f"{stem}.{number:04d}.json").write_text(document, "utf-8")
                done = min((first + BLOCK) / len(frames), 1.0)
                yield (view + done) / len(stems), f"Writing {stem}"


def person_document(xy: NDArray[np.floating], score: NDArray[np.floating]) -> str:
    """Text of a file with one person's K points, (K, 2) px and (K,); nobody where all are NaN."""
    xy, score = np.asarray(xy, np.float64), np.asarray(score, np.float64)
    found = np.isfinite(xy).all(axis=-1)
    people = []
    if found.any():
        values = np.column_stack([np.round(xy, 4), np.round(score, 6)])
        values[:, :2][values[:, :2] == 0] = _NEAREST_TO_ZERO
        values[~found] = 0.0
        people.append({"person_id": [_NO_PERSON_ID], "pose_keypoints_2d": values.ravel().tolist()})
    return f'{_MARK}{__version__}", "people": {json.dumps(people)}}}'


def is_our_export(folder: Path) -> bool:
    """True where a folder holds nothing but files of an earlier export of ours.

    A detector's own output looks alike but cannot be made again from here, so it is told apart.
    """
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name in _LITTER:
                continue
            if not entry.name.endswith(FOLDER_SUFFIX) or not entry.is_dir(follow_symlinks=False):
                return False
            with os.scandir(entry) as files:
                if not all(_is_ours(file) for file in files):
                    return False
    return True


def _is_ours(entry: os.DirEntry[str]) -> bool:
    if entry.name in _LITTER:
        return True
    if not entry.name.endswith(".json") or not entry.is_file(follow_symlinks=False):
        return False
    with open(entry, "rb") as handle:
        return handle.read(len(_MARK)) == _MARK.encode()
