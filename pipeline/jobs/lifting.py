"""What one view alone shows of a person in space, by the lifter: computed, and written to files."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pipeline.data.camera import Camera
from pipeline.data.errors import UserError
from pipeline.data.observations import observations
from pipeline.data.sequence import Sequence
from pipeline.geometry.projection import undistort
from pipeline.geometry.reconstruct import solve_points3d
from pipeline.io.atomic import atomic_text
from pipeline.io.trc import Trc, write_trc
from pipeline.quality.procrustes import aligned_errors
from pipeline.simulation.one_view import fit_view

if TYPE_CHECKING:
    from pipeline.models.lifter import Lifted

FloatArray = NDArray[np.float64]

# What the lifter was taught with, frames per second (pipeline.synthesis.lifting_samples).
_SLOWEST, _FASTEST = 25.0, 75.0
# Fewest points of a frame that other views agree on for it to be compared.
_LEAST_POINTS = 6


@dataclass(frozen=True, slots=True, eq=False)
class LiftedView:
    """A person in T frames as one view shows them.

    Attributes
    ----------
    names : (K,) str
        Markers of the keypoints.
    frames : (T,) int array
    times : (T,) array
        Seconds.
    rate : float
        Frames per second.
    xyz : (T, K, 3) array
        Metres from the sacrum, in axes that are turned as the world's (Y up); of the size that
        people usually have. NaN where nobody was seen near in time.
    sigma : (T, K) array
        Standard deviation along each axis, metres.
    angle_names, angles, angle_sigma
        Of our model's free spine coordinates: (A,) and (T, A) arrays in radians.
    seen : (T,) bool array
        Whether the view shows anything of the person.
    apart : (T,) array
        Mean distance in metres from the points of all views, once laid over them by turning,
        moving and scaling; NaN where these do not tell.
    fitted
        Whether the body model was fitted to the lines of sight.
    """

    names: tuple[str, ...]
    frames: NDArray[np.intp]
    times: FloatArray
    rate: float
    xyz: FloatArray
    sigma: FloatArray
    angle_names: tuple[str, ...]
    angles: FloatArray
    angle_sigma: FloatArray
    seen: NDArray[np.bool_]
    apart: FloatArray
    fitted: bool


def lift_view(
    sequence: Sequence,
    track: int,
    view: int,
    frames: NDArray[np.intp],
    weights: Path | None = None,
    raw: bool = False,
    tell: Callable[[float], None] | None = None,
) -> LiftedView:
    """Lift the points of one person in one view: detections with a person's corrections on top.

    Parameters
    ----------
    frames : (T,) int array
        Consecutive.
    weights : Path, optional
        A lifter that ``simspine train lifter`` made, in place of the shipped one.
    raw
        What the network says, without the body model fitted to the lines of sight.
    tell : callable, optional
        Told what share of the fit is done; what it raises ends the work.

    Raises
    ------
    UserError
        If the view shows nobody in these frames, or the weights cannot be used.
    """
    from pipeline.models.lifter import SPINE_ANGLES, Lifted, lift, load_lifter

    camera, info = sequence.cameras[view], sequence.info
    found = observations(sequence, track, frames)
    xy, score = found.xy[:, view], found.score[:, view]
    seen = np.asarray((np.isfinite(xy[..., 0]) & (score > 0.0)).any(axis=1))
    if not seen.any():
        raise UserError(f"{camera.name} shows nothing of person {track + 1} in these frames.")
    lifter = load_lifter(weights)
    n, k = score.shape
    xyz, sigma = np.full((n, k, 3), np.nan), np.full((n, k), np.nan)
    angles = np.full((n, len(SPINE_ANGLES)), np.nan)
    angle_sigma = angles.copy()
    # Faster recordings are several slower ones, each beginning a frame later.
    every = math.ceil(info.fps / _FASTEST)
    for first in range(every):
        part = slice(first, None, every)
        one = lift(lifter, xy[part], score[part], camera)
        xyz[part] = one.xyz
        sigma[part], angles[part], angle_sigma[part] = one.sigma, one.angles, one.angle_sigma
    said = Lifted(xyz, sigma, angles, angle_sigma)
    # Where nobody is seen in enough points to be placed, what the network says is all there is.
    points = (np.isfinite(xy[..., 0]) & (score > 0.0)).sum(axis=1)
    fitted = not raw and bool((points >= _LEAST_POINTS).any())
    if fitted:
        said = fitted_to_rays(said, xy, score, camera, info.fps, tell)
    xyz = said.xyz @ camera.rotation
    return LiftedView(
        names=tuple(point.marker for point in info.skeleton.keypoints),
        frames=frames,
        times=frames / info.fps,
        rate=info.fps,
        xyz=xyz,
        sigma=said.sigma,
        angle_names=tuple(SPINE_ANGLES),
        angles=said.angles,
        angle_sigma=said.angle_sigma,
        seen=seen,
        apart=_apart(sequence, track, frames, xyz),
        fitted=fitted,
    )


def fitted_to_rays(
    said: Lifted,
    xy: FloatArray,
    score: FloatArray,
    camera: Camera,
    rate: float,
    tell: Callable[[float], None] | None = None,
) -> Lifted:
    """What the lifter said of (T, 37, 2) pixels, with the body model fitted to the lines of sight.

    Parameters
    ----------
    said : Lifted
    xy, score
        As the lifter got them.
    rate : float
        Frames per second.
    tell : callable, optional
        Told what share is done; what it raises ends the work.

    Raises
    ------
    ValueError
        Where no frame shows four points.
    """
    from pipeline.models.lifter import SPINE_ANGLES, Lifted

    there = np.isfinite(xy).all(axis=-1) & (score > 0.0)
    directions = undistort(camera, np.where(there[..., None], xy, np.nan))
    fit = fit_view(
        directions, said.xyz, said.sigma, camera.rotation, rate, tuple(SPINE_ANGLES), tell
    )
    return Lifted(fit.xyz, fit.sigma, fit.angles, fit.angle_sigma)


def remarks(found: LiftedView) -> tuple[str, ...]:
    """What is to be known of a result, as sentences."""
    told = [
        "One view does not show sizes and depths: the lifter, taught on simulated people, guesses "
        "them. Places are metres from the sacrum, not from the room's origin."
    ]
    if found.rate < _SLOWEST:
        told.append(
            f"The recording has {found.rate:g} frames per second, fewer than the {_SLOWEST:g} to "
            f"{_FASTEST:g} that the lifter knows: movements look too fast to it."
        )
    lacking = int((~found.seen).sum())
    if lacking:
        told.append(f"In {lacking} frames the view shows nothing of the person.")
    return tuple(told)


def write_lifted(folder: Path, found: LiftedView) -> list[Path]:
    """Write ``lifted.trc``, ``lifted.csv`` with each SD, and ``spine_angles.csv``.

    Raises
    ------
    UserError
        A file cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{folder} cannot be made: {error.strerror}.") from error
    files = [folder / name for name in ("lifted.trc", "lifted.csv", "spine_angles.csv")]
    whole = Trc(found.names, found.times, found.xyz, found.rate)
    write_trc(files[0], whole, "lifted points", int(found.frames[0]) + 1)
    for path, rows in ((files[1], _point_rows(found)), (files[2], _angle_rows(found))):
        with atomic_text(path) as handle:
            csv.writer(handle, lineterminator="\n").writerows(rows)
    return files


def _point_rows(found: LiftedView) -> Iterator[list[str]]:
    yield ["frame", "time_s", "keypoint", "x_m", "y_m", "z_m", "sigma_mm"]
    moments = zip(found.frames.tolist(), found.times.tolist(), strict=True)
    for t, (frame, time) in enumerate(moments):
        for k, name in enumerate(found.names):
            if np.isfinite(found.xyz[t, k]).all():
                place = (f"{value:.6f}" for value in found.xyz[t, k])
                sigma = f"{1000.0 * found.sigma[t, k]:.2f}"
                yield [str(frame), f"{time:.6f}", name, *place, sigma]


def _angle_rows(found: LiftedView) -> Iterator[list[str]]:
    names = [f"{name}{end}" for name in found.angle_names for end in ("_deg", "_sd_deg")]
    yield ["frame", "time_s", *names]
    both = np.degrees(np.stack([found.angles, found.angle_sigma], axis=-1))
    for frame, time, row in zip(
        found.frames.tolist(), found.times.tolist(), both.reshape(len(both), -1), strict=True
    ):
        values = ("" if np.isnan(value) else f"{value:.3f}" for value in row)
        yield [str(frame), f"{time:.6f}", *values]


def _apart(sequence: Sequence, track: int, frames: NDArray[np.intp], xyz: FloatArray) -> FloatArray:
    truth = np.asarray(solve_points3d(sequence, track, frames)[0].new, np.float64)
    truth = truth.reshape(xyz.shape)
    both = np.asarray(np.isfinite(truth).all(axis=-1) & np.isfinite(xyz).all(axis=-1))
    apart = np.full(len(xyz), np.nan)
    told = both.sum(axis=1) >= _LEAST_POINTS
    if told.any():
        apart[told] = np.nanmean(aligned_errors(xyz[told], truth[told]), axis=1)
    return apart
