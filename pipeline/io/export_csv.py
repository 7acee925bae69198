"""CSV in long form: every value with its source, residual, author and time of the last edit."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import repeat
from math import isfinite, isnan
from typing import Any, TextIO

import numpy as np
from numpy.typing import NDArray

from pipeline import __version__
from pipeline.data.observations import Observations, observations
from pipeline.data.source import Flag, Source
from pipeline.geometry.projection import project_views
from pipeline.io.atomic import atomic_text
from pipeline.io.export_request import ExportRequest, Step, blocks, solve_steps
from pipeline.io.project_authorship import Authorship, dense

COLUMNS = (
    *("frame", "time_s", "person", "keypoint", "space", "x", "y", "z", "score", "source"),
    *("residual_px", "sigma_mm", "n_views", "flags", "author", "edited_at"),
)

_FLAG_WORDS = tuple(
    " ".join(str(flag.name).lower() for flag in Flag if flag and flag & value)
    for value in range(int(max(Flag)) * 2)
)
_LABELS = tuple(source.label for source in Source)

Row = tuple[Any, ...]


def csv_steps(request: ExportRequest) -> Iterator[Step]:
    """Write a request's values in 3D and in all views; see :func:`pipeline.io.export.export_steps`.

    Rows are ordered by frame, then space (world first), then keypoint.
    """
    start, stop = request.span
    with atomic_text(request.path) as handle:
        for fraction, what in solve_steps(request):
            yield 0.5 * fraction, what
        _write_comments(handle, request)
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(COLUMNS)
        for frames in blocks(request):
            writer.writerows(_rows(request, frames))
            yield 0.5 + 0.5 * (int(frames[-1]) + 1 - start) / (stop - start), "Writing values"


def _write_comments(handle: TextIO, request: ExportRequest) -> None:
    info = request.sequence.info
    start, stop = request.span
    written = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    lines = [
        f"SIMSPINE Viewer {__version__}, written {written}",
        f"project: {request.name}",
        f"frames: {start} to {stop - 1} of 0 to {info.n_frames - 1}, {info.fps:.10g} per second; "
        "time_s = frame / frames per second",
        "units: x, y, z in metres where space is world (Y up), else x, y in pixels; "
        "sigma_mm in millimetres, residual_px in pixels",
        "pixels: original video image, origin top left, pixel centres at integers",
    ]
    for camera, video, sync in zip(
        request.sequence.cameras, info.videos, request.sequence.syncs, strict=True
    ):
        source = video.path.name if video.path else "none"
        lines.append(
            f"camera {camera.name}: {video.size[0]}x{video.size[1]} px, video {source}, "
            f"video frame = floor(frame * {sync.rate!r} + 1/2) + {sync.offset}"
        )
    handle.writelines(f"# {' '.join(line.split())}\n" for line in lines)


@dataclass(frozen=True, slots=True, eq=False)
class _Edits:
    """Who gave each value of a block and when: (n, V, K) or (n, K), "" for nobody."""

    author: NDArray[np.str_]
    time: NDArray[np.float64]

    @staticmethod
    def of(authorship: Authorship | None, shape: tuple[int, ...], start: int) -> _Edits:
        author, time = dense(authorship, shape, start)
        names = np.array([*(authorship.authors if authorship else ()), ""], dtype=object)
        return _Edits(names[author], time)  # nobody is -1, the last name

    def newest_view(self, manual: NDArray[np.bool_]) -> _Edits:
        """(n, K) the last edit among the views in which a person placed the point."""
        time = np.where(manual & np.isfinite(self.time), self.time, -np.inf)
        view = time.argmax(axis=1)[:, None]
        newest = np.take_along_axis(time, view, 1)[:, 0]
        author = np.take_along_axis(self.author, view, 1)[:, 0]
        known = np.isfinite(newest)
        return _Edits(np.where(known, author, ""), np.where(known, newest, np.nan))


def _rows(request: ExportRequest, frames: NDArray[np.intp]) -> Iterator[Row]:
    sequence, track = request.sequence, request.track
    seen = observations(sequence, track, frames)
    given = request.authorship or {}
    start = int(frames[0])
    views = _Edits.of(given.get(("manual2d", track)), seen.score.shape, start)
    points = _Edits.of(given.get(("manual3d", track)), (len(frames), sequence.n_keypoints), start)
    parts = (
        _world_rows(request, frames, points, views.newest_view(seen.manual)),
        _view_rows(request, frames, seen, views),
    )
    for row, frame in enumerate(frames.tolist()):
        head = (frame, f"{frame / sequence.info.fps:.6f}", track + 1)  # people count from 1
        for number, rows in parts:
            first, last = np.searchsorted(number, (row, row + 1))
            yield from (head + values for values in rows[first:last])


def _world_rows(
    request: ExportRequest, frames: NDArray[np.intp], placed: _Edits, from_views: _Edits
) -> tuple[NDArray[np.intp], list[Row]]:
    """Position in the block, ascending, and the columns from ``keypoint`` on, per 3D point."""
    sequence, track = request.sequence, request.track
    xyz, residual, sigma, n_views, source = (
        sequence.read(f"points3d.{name}", frames, track)
        for name in ("xyz", "residual", "sigma", "n_views", "source")
    )
    by_hand, from_hand = np.equal(source, Source.MANUAL_3D), np.equal(source, Source.MANUAL_2D)
    author = np.where(by_hand, placed.author, np.where(from_hand, from_views.author, ""))
    time = np.where(by_hand, placed.time, np.where(from_hand, from_views.time, np.nan))
    here = np.nonzero(np.isfinite(xyz).all(axis=-1))
    names = sequence.info.skeleton.names
    columns: tuple[Iterable[Any], ...] = (
        *((names[k] for k in here[1].tolist()), repeat("world")),
        *(_numbers(xyz[here][:, axis], 6) for axis in range(3)),
        *(repeat(""), (_LABELS[value] for value in source[here].tolist())),
        *(_numbers(residual[here], 4), _numbers(sigma[here], 4), n_views[here].tolist()),
        *(repeat(""), author[here].tolist(), map(_moment, time[here].tolist())),
    )
    return here[0], list(zip(*columns, strict=False))  # what repeats has no end


def _view_rows(
    request: ExportRequest, frames: NDArray[np.intp], seen: Observations, edits: _Edits
) -> tuple[NDArray[np.intp], list[Row]]:
    """As :func:`_world_rows`, per view and keypoint that has a point or a flag."""
    residual = _view_residuals(request, frames, seen)
    there = np.asarray(np.isfinite(seen.xy).all(axis=-1))
    source = np.where(seen.manual, int(Source.MANUAL_2D), int(Source.DETECTED))
    source = np.where(there, source, int(Source.NONE))
    score = np.where(there, seen.score, np.nan)
    noted = np.nonzero(there | (seen.flags != 0))
    names, cameras = request.sequence.info.skeleton.names, request.sequence.cameras.names
    columns: tuple[Iterable[Any], ...] = (
        *((names[k] for k in noted[2].tolist()), (cameras[v] for v in noted[1].tolist())),
        *(_numbers(seen.xy[noted][:, axis], 4) for axis in range(2)),
        *(repeat(""), _numbers(score[noted], 6)),
        *((_LABELS[value] for value in source[noted].tolist()), _numbers(residual[noted], 4)),
        *(repeat(""), repeat(""), (_FLAG_WORDS[value] for value in seen.flags[noted].tolist())),
        *(edits.author[noted].tolist(), map(_moment, edits.time[noted].tolist())),
    )
    return noted[0], list(zip(*columns, strict=False))


def _view_residuals(
    request: ExportRequest, frames: NDArray[np.intp], seen: Observations
) -> NDArray[np.float64]:
    """(n, V, K) px between each point and the projection of its 3D point, NaN without either."""
    sequence = request.sequence
    xyz = sequence.read("points3d.xyz", frames, request.track).astype(np.float64)
    projected = np.full((*xyz.shape[:2], sequence.n_views, 2), np.nan)
    here = np.isfinite(xyz).all(axis=-1)
    projected[here] = project_views(sequence.cameras, xyz[here])
    return np.asarray(np.linalg.norm(projected.swapaxes(1, 2) - seen.xy, axis=-1))


def _numbers(values: NDArray[Any], digits: int) -> Iterator[str]:
    """Numbers as text, empty for NaN."""
    return ("" if isnan(value) else f"{value:.{digits}f}" for value in values.tolist())


def _moment(time: float) -> str:
    if not isfinite(time):
        return ""
    return datetime.fromtimestamp(time, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"
