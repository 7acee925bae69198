"""From a sequence's observations to the fused points of one person: the batch solve of a track."""

from __future__ import annotations

import math
from collections.abc import Generator, Hashable, Iterator

import numpy as np
from numpy.typing import NDArray

from pipeline.data.observations import detections, observations
from pipeline.data.patch import Patch
from pipeline.data.sequence import Sequence
from pipeline.data.source import Source
from pipeline.geometry.track_edit import solve_track_window
from pipeline.geometry.track_input import Track, checked_track
from pipeline.geometry.track_limbs import LimbLengths
from pipeline.geometry.track_options import DEFAULT_TRACK_OPTIONS
from pipeline.geometry.track_solve import (
    CONTEXT_S,
    length_stretches,
    solve_track,
    subject_lengths_steps,
)

FloatArray = NDArray[np.floating]

# Frames read on both sides at least, as many as an edit makes stale.
REACH = 15
# So many frames at most are solved as a window amid what is up to date (an edit makes 31 stale).
FEW = 64


def solve_fused(
    sequence: Sequence, track: int, frames: NDArray[np.intp], lengths: LimbLengths | None = None
) -> tuple[Patch, ...]:
    """Patches that bring the ``fused`` layers of ``track`` up to date in ``frames`` (n,).

    What comes out does not depend on which other frames are asked for: a few amid others that are
    up to date, as after an edit, are solved with those held. A point placed in 3D stands
    where it was put, without a sigma; a point that fewer than two views see is ``INTERPOLATED``.
    ``lengths`` are by default :func:`track_lengths`.
    """
    frames = np.unique(np.asarray(frames, dtype=np.intp))
    if not len(frames):
        return ()
    if lengths is None:
        lengths = track_lengths(sequence, track)
    context = max(REACH, math.ceil(CONTEXT_S * sequence.info.fps))
    n_keypoints = sequence.n_keypoints
    xyz = np.empty((len(frames), n_keypoints, 3))
    sigma = np.empty((len(frames), n_keypoints))
    source = np.empty((len(frames), n_keypoints), np.uint8)
    # Runs whose contexts would overlap are solved together.
    breaks = np.flatnonzero(np.diff(frames) > context) + 1
    for rows in np.split(np.arange(len(frames)), breaks):
        low = max(0, int(frames[rows[0]]) - context)
        high = min(sequence.n_frames, int(frames[rows[-1]]) + 1 + context)
        part = slice(low, high)
        seen = observations(sequence, track, part)
        placed = sequence.read("manual3d.xyz", part, track).astype(np.float64)
        inside = frames[rows] - low
        window = slice(int(inside[0]), int(inside[-1]) + 1)
        stale = sequence.stamps.stale_at("fused", track, np.arange(low, high))
        stale[window] = False
        place: FloatArray
        deviation: FloatArray
        if window.stop - window.start <= FEW and not stale.any():
            present = sequence.read("fused.xyz", part, track)
            place = np.array(present, dtype=np.float64)
            deviation = np.full(place.shape[:2], np.nan)
            place[window], deviation[window] = solve_track_window(
                sequence.cameras, seen.xy, seen.score, present, window.start, window.stop,
                fps=sequence.info.fps, manual=seen.manual, placed=placed, lengths=lengths,
            )  # fmt: skip
        else:
            solution = solve_track(
                sequence.cameras, seen.xy, seen.score, skeleton=sequence.info.skeleton,
                fps=sequence.info.fps, manual=seen.manual, placed=placed, lengths=lengths,
            )  # fmt: skip
            place, deviation = solution.xyz, solution.sigma
        views = np.isfinite(seen.xy[..., 0]) & ((seen.score > 0.0) | seen.manual)
        known = np.isfinite(place[..., 0])
        whence = np.where(known, int(Source.TRIANGULATED), int(Source.NONE))
        whence[known & (views.sum(axis=1) < 2)] = Source.INTERPOLATED
        whence[known & seen.manual.any(axis=1)] = Source.MANUAL_2D
        whence[np.isfinite(placed[..., 0])] = Source.MANUAL_3D
        xyz[rows], sigma[rows] = place[inside], deviation[inside]
        source[rows] = whence[inside]
    index = np.stack(np.meshgrid(frames, np.arange(n_keypoints), indexing="ij"), -1).reshape(-1, 2)
    values: dict[str, NDArray[np.generic]] = {
        "fused.xyz": xyz.reshape(-1, 3),
        "fused.sigma": sigma.reshape(-1),
        "fused.source": source.reshape(-1),
    }
    return tuple(sequence.patch(name, index, value, track) for name, value in values.items())


def track_lengths(sequence: Sequence, track: int) -> LimbLengths:
    """Limb lengths of a person, from the detections alone.

    They stay while points are corrected, so that an edit changes nothing half a second away, and
    are measured again when cameras, time axes or the assignment of people change.
    """
    known = known_lengths(sequence, track)
    if known is not None:
        return known
    steps = measuring_lengths(sequence, track)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            lengths: LimbLengths = end.value
            return remember_lengths(sequence, track, lengths)


def lengths_state(sequence: Sequence, track: int) -> Hashable:
    """What the limb lengths of a track are measured from: they hold while this is the same."""
    return (
        sequence.cameras,
        sequence.syncs,
        track,
        sequence.layer("assignment.track").n_writes,
        sequence.layer("instances2d.xy").n_writes,
        sequence.layer("detected2d.points", track).n_writes,
    )


def known_lengths(sequence: Sequence, track: int) -> LimbLengths | None:
    """As :func:`track_lengths`, None where they would have to be measured first."""
    return sequence.recalled(f"track_lengths {track}", lengths_state(sequence, track))


def remember_lengths(sequence: Sequence, track: int, lengths: LimbLengths) -> LimbLengths:
    """Let ``lengths``, measured elsewhere from the present state, be those of a track."""
    state = lengths_state(sequence, track)
    return sequence.remembered(f"track_lengths {track}", state, lambda: lengths)


def measuring_lengths(sequence: Sequence, track: int) -> Generator[None, None, LimbLengths]:
    """Steps of about 50 ms, at most twelve, at whose end the limb lengths of a track are known."""

    def parts() -> Iterator[Track]:
        for start, stop in length_stretches(sequence.n_frames):
            xy, score = detections(sequence, track, slice(start, stop))
            yield checked_track(
                sequence.cameras, xy, score, None, None, sequence.info.fps, DEFAULT_TRACK_OPTIONS
            )

    return subject_lengths_steps(parts(), sequence.info.skeleton)
