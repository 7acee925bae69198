"""What is to be exported, and the ways of going through it that the formats share."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.data.errors import UserError
from pipeline.data.frame_ranges import n_frames_in, nearest_first
from pipeline.data.observations import track_ids
from pipeline.data.sequence import Sequence
from pipeline.geometry.fuse import solve_fused
from pipeline.geometry.reconstruct import solve_points3d
from pipeline.io.project_authorship import Authorship

FORMATS: tuple[str, ...] = ("trc", "csv", "openpose", "coco")

#: Which 3D points are written: those of each frame by itself, or those solved over time.
STAGES: tuple[str, ...] = ("triangulated", "final")
STAGE_GROUPS = {"triangulated": "points3d", "final": "fused"}

#: How far an export has come, in 0..1, and what it is doing.
Step = tuple[float, str]

# Frames between two steps: long enough to be efficient, short enough to be cancelled. Solving over
# time reads half a second more on either side.
BLOCK, FUSED_BLOCK = 100, 400
_NOT_IN_FILE_NAMES = re.compile(r'[<>:"/\\|?*\x00-\x1f]')


@dataclass(frozen=True, slots=True, eq=False)
class ExportRequest:
    """One person of a recording to be written in one format.

    Parameters
    ----------
    sequence : Sequence
        Its derived points are brought up to date where the format needs them.
    track : int
        The person.
    format : str
        One of :data:`FORMATS`.
    path : Path
        File to be written; for ``openpose`` a folder.
    frames : (int, int), optional
        First frame and the one after the last; all by default.
    authorship : dict, optional
        Of ``Project.authorship()``; without it the export names nobody.
    title : str
        Name of the project; that of the recording by default.
    stage : str
        Which of :data:`STAGES` the 3D points are of.
    """

    sequence: Sequence
    track: int
    format: str
    path: Path
    frames: tuple[int, int] | None = None
    authorship: dict[tuple[str, int], Authorship] | None = None
    title: str = ""
    stage: str = "final"

    @property
    def name(self) -> str:
        """Name of the project on one line."""
        return " ".join((self.title or self.sequence.info.name).split())

    @property
    def span(self) -> tuple[int, int]:
        """First frame and the one after the last."""
        return self.frames or (0, self.sequence.n_frames)


def check_request(request: ExportRequest) -> None:
    """UserError where the format, the frames or the person does not exist."""
    if request.format not in FORMATS:
        known = ", ".join(FORMATS)
        raise UserError(
            f"{request.path} was not written: there is no format {request.format!r}, only {known}."
        )
    if request.stage not in STAGES:
        raise UserError(
            f"{request.path} was not written: there are no {request.stage!r} points, only "
            f"{' and '.join(STAGES)} ones."
        )
    (start, stop), n_frames = request.span, request.sequence.n_frames
    if not 0 <= start < stop <= n_frames:
        raise UserError(
            f"{request.path} was not written: frames {start} to {stop - 1} are not among the "
            f"frames 0 to {n_frames - 1} of “{request.name}”."
        )
    known_tracks = track_ids(request.sequence)
    if request.track not in known_tracks:
        listing = ", ".join(str(track + 1) for track in known_tracks) or "none"
        raise UserError(
            f"{request.path} was not written: “{request.name}” has no person {request.track + 1} "
            f"(there is: {listing})."
        )


def blocks(request: ExportRequest) -> Iterator[NDArray[np.intp]]:
    """The frames of a request, at most :data:`BLOCK` at a time."""
    start, stop = request.span
    for first in range(start, stop, BLOCK):
        yield np.arange(first, min(first + BLOCK, stop), dtype=np.intp)


def solve_steps(request: ExportRequest) -> Iterator[Step]:
    """Bring the 3D points of the request's stage and frames up to date."""
    sequence, track = request.sequence, request.track
    start, stop = request.span
    final = request.stage == "final"
    stale = sequence.stamps.stale(STAGE_GROUPS[request.stage], track)
    stale[:start] = stale[stop:] = False
    ranges = nearest_first(stale, start, FUSED_BLOCK if final else BLOCK)
    done, total = 0, n_frames_in(ranges)
    for first, end in ranges.tolist():
        block = np.arange(first, end, dtype=np.intp)
        patches = (solve_fused if final else solve_points3d)(sequence, track, block)
        sequence.land(patches, block, sequence.revision)
        done += len(block)
        yield done / total, "Solving over time" if final else "Triangulating"


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """3D points of n frames: ``xyz`` (n, K, 3) m, ``sigma`` (n, K) mm, ``source`` (n, K)."""

    xyz: NDArray[np.float32]
    sigma: NDArray[np.float32]
    source: NDArray[np.uint8]


def points_of(request: ExportRequest, frames: NDArray[np.intp]) -> Points:
    """Points of the request's stage, which must be up to date in ``frames``."""
    group = STAGE_GROUPS[request.stage]
    return Points(
        *(
            request.sequence.read(f"{group}.{name}", frames, request.track)
            for name in ("xyz", "sigma", "source")
        )
    )


def pictures(request: ExportRequest, view: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Video frames of a view that the request's frames show, and the sequence frame of each.

    Both (n,), ascending. A slow video shows one picture in several sequence frames; the one in
    which a person said most about it speaks for the picture, else the first.
    """
    sync = request.sequence.syncs[view]
    start, stop = request.span
    frames = np.arange(start, stop, dtype=np.intp)
    shown = sync.video_frames(frames)
    # Without a video the files of detections alone count; they have no known end.
    inside = (shown >= 0) & ((shown < sync.n_frames) | (sync.n_frames == 0))
    frames, shown = frames[inside], shown[inside]
    video_frames, first = np.unique(shown, return_index=True)
    if len(video_frames) == len(shown):
        return video_frames, frames
    said = np.concatenate([_values_said(request, block, view) for block in blocks(request)])
    order = np.lexsort((frames, -said[inside], shown))
    return video_frames, frames[order][first]


def _values_said(request: ExportRequest, block: NDArray[np.intp], view: int) -> NDArray[np.intp]:
    xy = request.sequence.read_pictures("manual2d.xy", block, request.track)[:, view]
    flags = request.sequence.read_pictures("manual2d.flags", block, request.track)[:, view]
    return np.asarray((np.isfinite(xy[..., 0]) | (flags != 0)).sum(axis=-1), np.intp)


def file_stems(names: tuple[str, ...]) -> tuple[str, ...]:
    """Camera names as they can stand in file names, all different in any letter case."""
    stems: list[str] = []
    for view, name in enumerate(names):
        stem = _NOT_IN_FILE_NAMES.sub("_", name).strip(" .") or f"view{view}"
        if stem.lower() in (other.lower() for other in stems):
            stem = f"{stem}-{view}"
        stems.append(stem)
    return tuple(stems)
