"""Places in space from the points of one view: a small network, taught on simulated people only."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from pipeline.data.camera import Camera
from pipeline.data.resources import resource_path
from pipeline.data.skeleton import project_skeleton
from pipeline.geometry.projection import undistort
from pipeline.models.lifter_files import read_lifter
from pipeline.models.lifter_input import lifter_input
from pipeline.models.lifter_mirror import SPINE_ANGLES, mirrored
from pipeline.models.lifter_network import LifterNetwork

__all__ = ["SPINE_ANGLES", "Lifted", "lift", "load_lifter", "shipped_lifter"]

FloatArray = NDArray[np.float64]
Floats = NDArray[np.float32]

# Every frame is lifted in about so many windows.
_OVERLAP = 3
_TOGETHER = 64


@dataclass(frozen=True, slots=True, eq=False)
class Lifted:
    """What a lifter says of T frames.

    Attributes
    ----------
    xyz : (T, 37, 3) array
        Places relative to the hip (the sacrum) in the camera's axes (X right, Y down, Z ahead),
        metres; of the size that the person probably has, which one view cannot measure.
    sigma : (T, 37) array
        Standard deviation of each place along each axis, metres.
    angles, angle_sigma : (T, 11) arrays
        The coordinates :data:`SPINE_ANGLES` of our model and their standard deviations, radians.

    All are NaN in frames with nobody near in time.
    """

    xyz: FloatArray
    sigma: FloatArray
    angles: FloatArray
    angle_sigma: FloatArray


def shipped_lifter() -> Path:
    """The weights that come with the program."""
    return resource_path("models", "simspine_lifter.pt")


def load_lifter(path: Path | None = None) -> LifterNetwork:
    """Read a lifter: the shipped one, or a file that ``simspine train lifter`` wrote.

    Raises
    ------
    UserError
        If the file cannot be read or holds no lifter for our skeleton.
    """
    return read_lifter(path or shipped_lifter())


def lift(
    lifter: LifterNetwork,
    xy: ArrayLike,
    score: ArrayLike,
    camera: Camera,
    upright: bool = True,
) -> Lifted:
    """Lift the points that one view sees of one person.

    Parameters
    ----------
    lifter : LifterNetwork
        Of :func:`load_lifter`.
    xy : (T, 37, 2) array
        Pixels of the project's skeleton in consecutive frames (25 to 75 in a second); NaN where
        missing.
    score : (T, 37) array
        Confidence in 0..1; points without any are missing.
    camera : Camera
        Its lens is taken into account, and where up is; not where it stands.
    upright : bool
        False where the camera's turn in the world is not known.

    Raises
    ------
    ValueError
        For arrays of other shapes.
    """
    pixels, sure = np.asarray(xy, np.float64), np.asarray(score, np.float64)
    points = len(project_skeleton())
    if pixels.ndim != 3 or pixels.shape[1:] != (points, 2) or sure.shape != pixels.shape[:2]:
        raise ValueError(f"points of shape {pixels.shape} with scores of shape {sure.shape}")
    rays = undistort(camera, pixels).astype(np.float32)
    up = camera.rotation[:, 1].astype(np.float32) if upright else np.full(3, np.nan, np.float32)
    frames = lifter.spec.frames
    where = _windows(len(rays), frames)
    sums = [np.zeros((len(rays), n)) for n in (points * 3, points, len(SPINE_ANGLES))]
    sums.append(np.zeros_like(sums[-1]))
    total = np.zeros((len(rays), 1))
    sure = np.where(np.isfinite(rays).all(axis=-1), np.nan_to_num(sure), 0.0).astype(np.float32)
    seen = np.asarray((sure > 0.0).any(axis=1))
    # Near its ends a window knows less of what came before or comes after.
    weight = 1.0 - np.abs(np.arange(frames) - 0.5 * (frames - 1)) / (0.5 * frames + 1.0)
    for start in range(0, len(where), _TOGETHER):
        here = where[start : start + _TOGETHER]
        inside = np.asarray(here < len(rays))
        held = np.minimum(here, len(rays) - 1)
        given = np.where(inside[..., None], sure[held], 0.0).astype(np.float32)
        some = np.asarray((seen[held] & inside).any(axis=1))
        found = _both_ways(lifter, rays[held], given, np.tile(up, (len(here), 1)))
        share = (weight * some[:, None] * inside)[..., None]
        for values, sum_ in zip(found, sums, strict=True):
            flat = values.reshape(*here.shape, -1)
            np.add.at(sum_, held, flat * share)
        np.add.at(total, held, share)
    with np.errstate(invalid="ignore", divide="ignore"):
        xyz, sigma, angles, angle_sigma = (np.where(total > 0.0, s / total, np.nan) for s in sums)
    return Lifted(xyz.reshape(-1, points, 3), sigma, angles, angle_sigma)


def _windows(n: int, frames: int) -> NDArray[np.intp]:
    """(W, frames) indices of frames; from ``n`` on where the recording is shorter."""
    hop = max(1, frames // _OVERLAP)
    starts = np.unique(np.append(np.arange(0, max(n - frames, 0) + 1, hop), max(n - frames, 0)))
    return np.asarray(starts[:, None] + np.arange(frames)) if n else np.empty((0, frames), np.intp)


def _both_ways(
    lifter: LifterNetwork, rays: Floats, score: Floats, up: Floats
) -> tuple[Floats, Floats, Floats, Floats]:
    """The mean of what the network says of the windows and of their mirror images."""
    straight = _said(lifter, rays, score, up)
    nothing = np.zeros((*score.shape, 3), np.float32)
    no_angles = np.zeros((*score.shape[:2], len(SPINE_ANGLES)), np.float32)
    turned = mirrored(rays, score, up, nothing, no_angles)[:3]
    xyz, sigma, angles, angle_sigma = _said(lifter, *turned)
    _, back_sigma, _, back_xyz, back_angles = mirrored(rays, sigma, up, xyz, angles)
    other = (back_xyz, back_sigma, back_angles, angle_sigma)
    xyz, sigma, angles, angle_sigma = (0.5 * (a + b) for a, b in zip(straight, other, strict=True))
    return xyz, sigma, angles, angle_sigma


def _said(
    lifter: LifterNetwork, rays: Floats, score: Floats, up: Floats
) -> tuple[Floats, Floats, Floats, Floats]:
    given = lifter_input(rays, score, up)
    with torch.inference_mode():
        out = lifter(torch.from_numpy(given.features), torch.from_numpy(given.size))
    xyz = np.einsum("nij,ntkj->ntki", given.camera_from_view, out.xyz.numpy())
    return (
        xyz,
        np.exp(out.log_sigma.numpy()),
        out.angles.numpy(),
        np.exp(out.log_angle_sigma.numpy()),
    )
