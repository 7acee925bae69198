"""Our model fitted to what one view shows of somebody, from what the lifter says of the depths.

The lifter puts every point on its line of sight and guesses each depth; here the bones keep their
lengths. What one view cannot show stays as guessed: the stature, and how far away somebody is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from pipeline.data.resources import resource_path
from pipeline.data.skeleton import project_skeleton
from pipeline.kinematics.forward import marker_positions
from pipeline.kinematics.ik import solve
from pipeline.kinematics.ik_options import IkOptions, Prior
from pipeline.kinematics.ik_problem import unwrapped
from pipeline.kinematics.model import (
    KinematicModel,
    coordinate_index,
    marker_index,
    with_markers,
)
from pipeline.kinematics.ray_fit import Offsets, RayFit, Sight, fit_rays
from pipeline.kinematics.scale_measurements import keypoint_measurements
from pipeline.kinematics.scale_refinement import ScaleGroup, scaled_kinematics
from pipeline.simulation.model_tables import read_tables
from pipeline.simulation.osim_model import extract_kinematics

FloatArray = NDArray[np.float64]

# Poses are solved at about so many frames per second and points interpolated: a network's errors
# and those of detectors last longer.
_RATE = 14.0
# Frames that sizes are learnt from at most, and those that are one system of equations; frames
# that parts of a long recording have in common.
_SIZES, _PART, _SHARED = 150, 300, 14
# SD of the logarithm of a segment's size against the stature (Drillis and Contini 1966; ANSUR II
# 2012: shares of the stature vary by 3 to 5 % between people).
_PROPORTIONS = 0.045
# Where points sit on a body, metres; across its middle; and how much deeper under flesh the points
# of the back lie, in people of 60 to 110 kg (assumed).
_SEAT, _MIDDLE, _FLESH = 0.006, 0.003, 0.008
_BACK = ("Hip", "Spine_", "Neck", "LLatissimus", "RLatissimus")
# SD across a line of sight: at least, metres; and in SDs of what changes from one frame to the
# next. Errors of detectors last 0.2 s: of their SD that is 0.37 (pipeline.synthesis.detector), and
# as they last, each frame says less: twice the SD was best (decision 010).
_LEAST, _JITTER = 0.003, 5.4
# The lifter's errors along the lines of sight, in its SDs (they last as long as a clip), and what
# is common to all points, in the same.
_ALONG, _COMMON = 3.0, 10.0
_LEAST_GUESS = 0.003
# Points that tell where somebody is; jumps that tell how much a point does; the median of a normal
# value's size.
_LEAST_POINTS, _LEAST_JUMPS, _NORMAL = 4, 20, 0.6745
# SD of the logarithm of the whole size, which one view cannot show: that of adults' statures
# (ANSUR II 2012: 1.69 m, SD 0.09 m, men and women together).
_STATURE = 0.05
# A guess is wrong in the same way all through a clip, which no SD above knows: so many times larger
# than what the fit says is the error of places (2.23, 1.96 and 1.87 with true points, a detector's
# noise and a harsh one's) and of angles (1.39, 1.32, 1.28), in 16 clips of benchmarks/lifter.py
# with another seed.
_UNTOLD_PLACE, _UNTOLD_ANGLE = 2.0, 1.33
_PLACED = 0.03  # m, SD of a guessed point while the start is looked for
_LIMBS = (("Hip", "Knee"), ("Knee", "Ankle"), ("Shoulder", "Elbow"), ("Elbow", "Wrist"))


@dataclass(frozen=True, slots=True, eq=False)
class ViewFit:
    """Somebody in T frames, with bones that keep their lengths.

    Attributes
    ----------
    xyz : (T, 37, 3) array
        Metres from the sacrum in the camera's axes; NaN where nothing was guessed.
    sigma : (T, 37) array
        Standard deviation along each axis, metres.
    angles, angle_sigma : (T, A) arrays
        Of the coordinates that were asked for, radians.
    """

    xyz: FloatArray
    sigma: FloatArray
    angles: FloatArray
    angle_sigma: FloatArray


@cache
def keypoint_model() -> KinematicModel:
    """Our model with 11 spine coordinates, its markers in the order of the project's skeleton."""
    model = extract_kinematics(resource_path("models", "simspine_core.osim"))[0]
    at = np.array([marker_index(model, name) for name in project_skeleton().markers])
    bodies = [model.body_names[model.marker_bodies[m]] for m in at]
    return with_markers(model, project_skeleton().markers, bodies, model.marker_locations[at])


def fit_view(
    directions: FloatArray,
    guess: FloatArray,
    guess_sd: FloatArray,
    turn: FloatArray,
    rate: float,
    angle_names: Sequence[str],
    tell: Callable[[float], None] | None = None,
) -> ViewFit:
    """Fit the model to lines of sight.

    Parameters
    ----------
    directions : (T, 37, 2) array
        x/z and y/z of the project's keypoints in the camera, without distortion; NaN where
        missing.
    guess, guess_sd : (T, 37, 3) and (T, 37) arrays
        What the lifter says: metres from the sacrum in the camera's axes, and SD; NaN in frames
        without anybody near in time.
    turn : (3, 3) array
        From the world's axes (Y up) to the camera's.
    rate : float
        Frames per second.
    angle_names
        Coordinates of the model.
    tell : callable, optional
        Told what share is done; what it raises ends the work.

    Raises
    ------
    ValueError
        Where nothing was guessed, or no frame shows two points.
    """
    there = np.asarray(np.isfinite(guess).all(axis=(1, 2)))
    root = _root(directions, guess)
    placed = np.isfinite(root).all(axis=1) & there
    if not placed.any():
        raise ValueError("no frame shows enough points")
    frames = np.arange(len(guess))
    root = np.stack([np.interp(frames, frames[placed], r[placed]) for r in root.T], axis=1)
    count = max(2, round((len(frames) - 1) / max(1.0, rate / _RATE)) + 1)
    chosen = np.unique(np.round(np.linspace(0, len(frames) - 1, count)).astype(int))
    chosen = chosen if there[chosen].any() else np.flatnonzero(there)
    sight = Sight(
        directions=directions,
        direction_sd=_direction_sd(directions, root[:, 2]),
        guess=guess + root[:, None],
        guess_sd=_ALONG * np.maximum(guess_sd, _LEAST_GUESS),
        alike=np.eye(guess.shape[1]) + _COMMON**2,
        turn=turn,
        rate=rate,
    )
    sight = _of(sight, chosen)
    fits = _fitted(sight, tell)
    model = keypoint_model()
    angles = [coordinate_index(model, name) for name in angle_names]
    hip = marker_index(model, "Hip")
    points = np.concatenate([fit.points for fit in fits])
    points = points - points[:, hip : hip + 1]
    coordinates = np.concatenate([fit.coordinates for fit in fits])[:, angles]
    unsized = _STATURE * np.linalg.norm(points, axis=-1) / np.sqrt(3.0)
    place_sd = np.hypot(np.concatenate([fit.point_sd for fit in fits]), unsized)
    angle_sd = np.concatenate([fit.coordinate_sd for fit in fits])[:, angles]

    def at_all(values: FloatArray, smooth: bool) -> FloatArray:
        if len(chosen) == 1:
            return np.repeat(values, len(frames), axis=0)
        flat = values.reshape(len(values), -1)
        if smooth:
            found = CubicSpline(chosen, flat)(frames)
        else:
            found = np.stack([np.interp(frames, chosen, column) for column in flat.T], axis=1)
        found[~there] = np.nan
        return np.asarray(found.reshape(len(frames), *values.shape[1:]), np.float64)

    return ViewFit(
        at_all(points, smooth=True),
        _UNTOLD_PLACE * at_all(place_sd, smooth=False),
        at_all(coordinates, smooth=True),
        _UNTOLD_ANGLE * at_all(angle_sd, smooth=False),
    )


def _fitted(sight: Sight, tell: Callable[[float], None] | None) -> list[RayFit]:
    """Fits of all frames, in parts that follow each other; sizes are those of the whole."""
    model = _as_large(keypoint_model(), sight.guess)
    hip = marker_index(model, "Hip")
    priors = {
        row.name: Prior(0.0, float(np.radians(row.prior_sd_deg)))
        for row in read_tables().regional("core")
    }
    frames = np.arange(len(sight.guess))
    start = _start(model, sight, priors)
    groups, offsets = _groups(model), _offsets(model)
    if len(frames) <= _PART:
        return [fit_rays(model, sight, start, groups, offsets, priors, hip, tell)]
    starts = range(0, len(frames), _PART)

    def told(done: int) -> Callable[[float], None] | None:
        if tell is None:
            return None
        report = tell
        return lambda share: report((done + share) / (1 + len(starts)))

    some = np.round(np.linspace(0, len(frames) - 1, _SIZES)).astype(int)
    sizes = fit_rays(model, _of(sight, some), start[some], groups, offsets, priors, hip, told(0))
    none = Offsets(np.empty((0, model.n_markers, 3)), np.empty(0))
    found = []
    for number, first in enumerate(starts):
        stop = min(first + _PART, len(frames))
        part = frames[max(first - _SHARED, 0) : stop + _SHARED]
        fit = fit_rays(
            sizes.model, _of(sight, part), start[part], (), none, priors, hip,
            told(1 + number),
        )  # fmt: skip
        own = slice(first - part[0], stop - part[0])
        found.append(
            replace(
                fit,
                coordinates=fit.coordinates[own],
                coordinate_sd=fit.coordinate_sd[own],
                points=fit.points[own],
                # What the sizes are off by is the same all through.
                point_sd=np.hypot(fit.point_sd[own], np.median(sizes.point_sd, axis=0)),
            )
        )
    return found


def _of(sight: Sight, chosen: NDArray[np.intp]) -> Sight:
    """Some frames, about evenly spaced."""
    step = (chosen[-1] - chosen[0]) / max(len(chosen) - 1, 1) or 1.0
    return replace(
        sight,
        directions=sight.directions[chosen],
        direction_sd=sight.direction_sd[chosen],
        guess=sight.guess[chosen],
        guess_sd=sight.guess_sd[chosen],
        rate=sight.rate / step,
    )


def _root(directions: FloatArray, guess: FloatArray) -> FloatArray:
    """(T, 3) where the sacrum is, so that the guess is nearest to the lines of sight."""
    along = np.concatenate([directions, np.ones((*directions.shape[:2], 1))], axis=-1)
    along /= np.linalg.norm(along, axis=-1, keepdims=True)
    there = np.isfinite(along).all(axis=-1) & np.isfinite(guess).all(axis=-1)
    along = np.where(there[..., None], along, 0.0)
    across = (np.eye(3) - along[..., :, None] * along[..., None, :]) * there[..., None, None]
    right = -(across @ np.nan_to_num(guess)[..., None])[..., 0].sum(axis=1)
    found = np.full((len(guess), 3), np.nan)
    told = there.sum(axis=1) >= _LEAST_POINTS
    found[told] = np.linalg.solve(across.sum(axis=1)[told], right[told][..., None])[..., 0]
    found[~(found[:, 2] > 0.0)] = np.nan
    return found


def _direction_sd(directions: FloatArray, depth: FloatArray) -> FloatArray:
    """(T, M) from how much each point, and all of them, jump from frame to frame."""
    least = np.broadcast_to(_LEAST / depth[:, None], directions.shape[:2])
    jumps = np.abs(np.diff(directions, 3, axis=0)) / np.sqrt(20.0)
    if not np.isfinite(jumps).any():
        return np.array(least)
    usual = np.nanmedian(jumps) / _NORMAL
    per = np.full(directions.shape[1], usual)
    known = np.isfinite(jumps).sum(axis=(0, 2)) >= _LEAST_JUMPS
    per[known] = np.nanmedian(jumps[:, known], axis=(0, 2)) / _NORMAL
    return np.asarray(np.hypot(least, _JITTER * 0.5 * (per + usual)), np.float64)


def _as_large(model: KinematicModel, points: FloatArray) -> KinematicModel:
    """The model, as large as the limbs and the trunk of the points on average."""
    pairs = [(f"{side}{a}", f"{side}{b}") for side in "LR" for a, b in _LIMBS]
    pairs += [("LHip", "RHip"), ("Hip", "Neck")]
    ends = np.array([[marker_index(model, name) for name in pair] for pair in pairs])

    def lengths(xyz: FloatArray) -> FloatArray:
        return np.asarray(
            np.linalg.norm(xyz[..., ends[:, 0], :] - xyz[..., ends[:, 1], :], axis=-1)
        )

    usual = lengths(marker_positions(model, model.default))
    factor = float(np.nanmedian((lengths(points) / usual).mean(axis=-1)))
    return scaled_kinematics(model, np.full((model.n_bodies, 3), factor))


def _start(model: KinematicModel, sight: Sight, priors: dict[str, Prior]) -> FloatArray:
    """(T, Q) coordinates of the guess, gaps bridged."""
    options = IkOptions(priors=priors, marker_sd=_PLACED)
    found = unwrapped(model, solve(model, sight.guess @ sight.turn, options).coordinates)
    there, frames = np.isfinite(found).all(axis=1), np.arange(len(found))
    return np.stack([np.interp(frames, frames[there], c[there]) for c in found.T], axis=1)


def _groups(model: KinematicModel) -> tuple[ScaleGroup, ...]:
    found = []
    for one in keypoint_measurements(model.marker_names, model.body_names):
        bodies = one.bodies
        if one.name == "thorax":  # its breadth is a measurement of its own
            bodies = tuple((body, axes.replace("Z", "")) for body, axes in bodies)
        found.append(ScaleGroup(one.name, bodies, 0.0, _PROPORTIONS))
    return tuple(found)


def _offsets(model: KinematicModel) -> Offsets:
    """Points sit elsewhere on both sides alike; those of the back deeper or less deep together."""
    names = model.marker_names
    ways, sd = [], []
    for m, name in enumerate(names):
        other = names.index(f"R{name[1:]}") if name[0] == "L" and f"R{name[1:]}" in names else None
        if name[0] == "R" and f"L{name[1:]}" in names:
            continue
        for axis in range(3):
            way = np.zeros((len(names), 3))
            way[m, axis] = 1.0
            if other is not None:
                way[other, axis] = -1.0 if axis == 2 else 1.0
            ways.append(way)
            sd.append(_MIDDLE if other is None and axis == 2 else _SEAT)
    back = np.zeros((len(names), 3))
    back[[m for m, name in enumerate(names) if name.startswith(_BACK)], 0] = 1.0
    return Offsets(np.array([*ways, back]), np.array([*sd, _FLESH]))
