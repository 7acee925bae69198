"""CSV in long form: every value with its source, residual, author and time of the last edit."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import repeat
from math import floor, isfinite, isnan
from typing import Any, TextIO

import numpy as np
from numpy.typing import NDArray

from pipeline import __version__
from pipeline.data.observations import Observations, observations
from pipeline.data.sequence import Sequence
from pipeline.data.source import Flag, Source
from pipeline.geometry.projection import project_views
from pipeline.geometry.reconstruct import COUNTED_SCORE, root_mean_square
from pipeline.io.atomic import atomic_text
from pipeline.io.export_request import ExportRequest, Points, Step, blocks, points_of, solve_steps
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

_STAGES = {
    "triangulated": "triangulated, each frame by itself",
    "final": "final, solved over time",
    "labels": "labels, solved over time and put together with the body model",
}

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
        f"points in world: {_STAGES[request.stage]}",
    ]
    for camera, video, sync in zip(
        request.sequence.cameras, info.videos, request.sequence.syncs, strict=True
    ):
        source = video.path.name if video.path else "none"
        whole = floor(sync.offset)
        half = f"{sync.offset - whole + 0.5!r}" if sync.offset != whole else "1/2"
        lines.append(
            f"camera {camera.name}: {video.size[0]}x{video.size[1]} px, video {source}, "
            f"video frame = floor(frame * {sync.rate + sync.drift!r} + {half}) + {whole}"
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

    @staticmethod
    def in_views(
        authorship: Authorship | None, sequence: Sequence, frames: NDArray[np.intp]
    ) -> _Edits:
        """(n, V, K) of consecutive frames; a value's author goes where its picture is shown."""
        shape = (len(frames), sequence.n_views, sequence.n_keypoints)
        edits = _Edits.of(authorship, shape, int(frames[0]))
        for view in range(sequence.n_views):
            if not sequence.is_moved(view):
                continue
            rows = sequence.stored_rows(view, frames)
            edits.author[:, view], edits.time[:, view] = "", np.nan
            there = rows >= 0
            if there.any():
                first, last = int(rows[there].min()), int(rows.max())
                stored = _Edits.of(authorship, (last + 1 - first, *shape[1:]), first)
                edits.author[there, view] = stored.author[rows[there] - first, view]
                edits.time[there, view] = stored.time[rows[there] - first, view]
        return edits

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
    views = _Edits.in_views(given.get(("manual2d", track)), sequence, frames)
    shape = (len(frames), sequence.n_keypoints)
    points = _Edits.of(given.get(("manual3d", track)), shape, int(frames[0]))
    residual = _view_residuals(request, frames, seen)
    solved = _solved(request, frames, seen, residual)
    parts = (
        _world_rows(sequence.info.skeleton.names, solved, points, views.newest_view(seen.manual)),
        _view_rows(request, seen, residual, views),
    )
    for row, frame in enumerate(frames.tolist()):
        head = (frame, f"{frame / sequence.info.fps:.6f}", track + 1)  # people count from 1
        for number, rows in parts:
            first, last = np.searchsorted(number, (row, row + 1))
            yield from (head + values for values in rows[first:last])


@dataclass(frozen=True, slots=True, eq=False)
class _Solved:
    """3D points of a block: ``points``, and (n, K) residual in px and number of views."""

    points: Points
    residual: NDArray[np.floating]
    n_views: NDArray[np.integer]


def _solved(
    request: ExportRequest,
    frames: NDArray[np.intp],
    seen: Observations,
    residual: NDArray[np.float64],
) -> _Solved:
    points = points_of(request, frames)
    if request.stage == "triangulated":
        rms, n_views = (
            request.sequence.read(f"points3d.{name}", frames, request.track)
            for name in ("residual", "n_views")
        )
        return _Solved(points, rms, n_views)
    there = np.isfinite(residual)
    counted = there & (seen.score >= COUNTED_SCORE)
    counted |= there & ~counted.any(axis=1, keepdims=True)
    by_point = np.where(counted, residual, np.nan).swapaxes(1, 2)
    n_views = np.isfinite(seen.xy).all(axis=-1).sum(axis=1)
    return _Solved(points, root_mean_square(by_point), n_views)


def _world_rows(
    names: tuple[str, ...], solved: _Solved, placed: _Edits, from_views: _Edits
) -> tuple[NDArray[np.intp], list[Row]]:
    """Position in the block, ascending, and the columns from ``keypoint`` on, per 3D point."""
    xyz, sigma, source = solved.points.xyz, solved.points.sigma, solved.points.source
    residual, n_views = solved.residual, solved.n_views
    by_hand, from_hand = np.equal(source, Source.MANUAL_3D), np.equal(source, Source.MANUAL_2D)
    author = np.where(by_hand, placed.author, np.where(from_hand, from_views.author, ""))
    time = np.where(by_hand, placed.time, np.where(from_hand, from_views.time, np.nan))
    here = np.nonzero(np.isfinite(xyz).all(axis=-1))
    columns: tuple[Iterable[Any], ...] = (
        *((names[k] for k in here[1].tolist()), repeat("world")),
        *(_numbers(xyz[here][:, axis], 6) for axis in range(3)),
        *(repeat(""), (_LABELS[value] for value in source[here].tolist())),
        *(_numbers(residual[here], 4), _numbers(sigma[here], 4), n_views[here].tolist()),
        *(repeat(""), author[here].tolist(), map(_moment, time[here].tolist())),
    )
    return here[0], list(zip(*columns, strict=False))  # what repeats has no end


def _view_rows(
    request: ExportRequest, seen: Observations, residual: NDArray[np.float64], edits: _Edits
) -> tuple[NDArray[np.intp], list[Row]]:
    """As :func:`_world_rows`, per view and keypoint that has a point or a flag."""
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
    xyz = points_of(request, frames).xyz.astype(np.float64)
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
