"""What is to be exported, and the ways of going through it that the formats share."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.data.errors import UserError
from pipeline.data.frame_ranges import n_frames_in, nearest_first
from pipeline.data.observations import track_ids
from pipeline.data.patch import Patch
from pipeline.data.sequence import Sequence
from pipeline.geometry.fuse import solve_fused
from pipeline.geometry.reconstruct import solve_points3d
from pipeline.io.project_authorship import Authorship
from pipeline.io.stored_subject import StoredSubject

FORMATS: tuple[str, ...] = ("trc", "csv", "openpose", "coco")

#: Which 3D points are written: those of each frame by itself, those solved over time, or these put
#: together with the body model.
STAGES: tuple[str, ...] = ("triangulated", "final", "labels")
_LAYERS = {
    "triangulated": "points3d.{}",
    "final": "fused.{}",
    "labels": "kinematics.label_{}",
}

Solve = Callable[[Sequence, int, NDArray[np.intp]], tuple[Patch, ...]]

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
    subject : StoredSubject, optional
        The person's body model, needed for labels.
    """

    sequence: Sequence
    track: int
    format: str
    path: Path
    frames: tuple[int, int] | None = None
    authorship: dict[tuple[str, int], Authorship] | None = None
    title: str = ""
    stage: str = "final"
    subject: StoredSubject | None = None

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
            f"{', '.join(STAGES)} ones."
        )
    if request.stage == "labels" and request.subject is None:
        raise UserError(
            f"{request.path} was not written: person {request.track + 1} of “{request.name}” has "
            "no body model yet; simulate first (Tools ▸ Simulate)."
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
    group = _LAYERS[request.stage].partition(".")[0]
    stale = sequence.stamps.stale(group, track)
    stale[:start] = stale[stop:] = False
    ranges = nearest_first(stale, start, BLOCK if group == "points3d" else FUSED_BLOCK)
    done, total = 0, n_frames_in(ranges)
    solve, doing = _solver(request)
    for first, end in ranges.tolist():
        block = np.arange(first, end, dtype=np.intp)
        sequence.land(solve(sequence, track, block), block, sequence.revision)
        done += len(block)
        yield done / total, doing


def _solver(request: ExportRequest) -> tuple[Solve, str]:
    """What brings the points of the request's stage up to date, and what it is doing."""
    if request.stage == "triangulated":
        return solve_points3d, "Triangulating"
    if request.stage == "final" or request.subject is None:
        return solve_fused, "Solving over time"
    # Loads compiled code, for which nothing else waits.
    from pipeline.kinematics.follow_sequence import check_subject, solve_kinematics
    from pipeline.kinematics.subject import subject_from

    subject = subject_from(request.subject.content, request.path)
    check_subject(subject, request.sequence)
    return partial(solve_kinematics, subject=subject), "Following with the body model"


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """3D points of n frames: ``xyz`` (n, K, 3) m, ``sigma`` (n, K) mm, ``source`` (n, K)."""

    xyz: NDArray[np.float32]
    sigma: NDArray[np.float32]
    source: NDArray[np.uint8]


def points_of(request: ExportRequest, frames: NDArray[np.intp]) -> Points:
    """Points of the request's stage, which must be up to date in ``frames``."""
    layer = _LAYERS[request.stage]
    return Points(
        *(
            request.sequence.read(layer.format(name), frames, request.track)
            for name in ("xyz", "sigma", "source")
        )
    )


def pictures(
    request: ExportRequest, view: int, chosen: NDArray[np.intp] | None = None
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Video frames of a view that the request's frames show, and the sequence frame of each.

    Both (n,), ascending. A slow video shows one picture in several sequence frames; the one in
    which a person said most about it speaks for the picture, else the first. ``chosen`` are
    ascending frames of the request to be looked at instead of all.
    """
    sync = request.sequence.syncs[view]
    frames = np.arange(*request.span, dtype=np.intp) if chosen is None else chosen
    shown = sync.video_frames(frames)
    # Without a video the files of detections alone count; they have no known end.
    inside = (shown >= 0) & ((shown < sync.n_frames) | (sync.n_frames == 0))
    frames, shown = frames[inside], shown[inside]
    video_frames, first = np.unique(shown, return_index=True)
    if len(video_frames) == len(shown):
        return video_frames, frames
    parts = [frames[i : i + BLOCK] for i in range(0, len(frames), BLOCK)]
    said = np.concatenate([_values_said(request, block, view) for block in parts])
    order = np.lexsort((frames, -said, shown))
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
