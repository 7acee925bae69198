"""A body of 37 points in jerky motion, and a detector whose errors last.

Nothing here is what the batch solve assumes: accelerations are switched on and off at random,
limbs change their length with soft tissue, left and right differ, and errors are correlated in
time, biased per view, and sometimes wild.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.data.camera import CameraGroup
from pipeline.data.skeleton import project_skeleton
from tests.truth.cameras import observe

FloatArray = NDArray[np.float64]

# Parent, and the way from it in metres: x to the left, y up, z ahead.
_BONES: dict[str, tuple[str, tuple[float, float, float]]] = {
    "spine_01": ("hip", (0.0, 0.09, 0.01)),
    "spine_02": ("spine_01", (0.0, 0.08, 0.01)),
    "spine_03": ("spine_02", (0.0, 0.10, -0.01)),
    "spine_04": ("spine_03", (0.0, 0.13, -0.02)),
    "spine_05": ("spine_04", (0.0, 0.12, 0.01)),
    "neck": ("spine_05", (0.0, 0.09, 0.03)),
    "neck_02": ("neck", (0.0, 0.06, 0.03)),
    "neck_03": ("neck_02", (0.0, 0.05, 0.02)),
    "head": ("neck_03", (0.0, 0.18, 0.02)),
    "nose": ("neck_03", (0.0, 0.05, 0.13)),
    "left_eye": ("neck_03", (0.032, 0.09, 0.11)),
    "left_ear": ("neck_03", (0.075, 0.06, 0.02)),
    "left_clavicle": ("spine_05", (0.025, 0.03, 0.11)),
    "left_shoulder": ("left_clavicle", (0.15, 0.02, -0.08)),
    "left_elbow": ("left_shoulder", (0.06, -0.28, 0.0)),
    "left_wrist": ("left_elbow", (0.02, -0.24, 0.06)),
    "left_latissimus": ("spine_04", (0.095, 0.04, 0.0)),
    "left_hip": ("hip", (0.09, -0.04, 0.08)),
    "left_knee": ("left_hip", (0.02, -0.42, 0.02)),
    "left_ankle": ("left_knee", (0.01, -0.41, -0.03)),
    "left_heel": ("left_ankle", (0.0, -0.07, -0.05)),
    "left_big_toe": ("left_ankle", (-0.01, -0.08, 0.17)),
    "left_small_toe": ("left_ankle", (0.06, -0.08, 0.13)),
}  # fmt: skip
# Points that turn by themselves; the others keep the orientation of their parent.
_TURNING = ("spine_02", "spine_04", "neck", "neck_02", "shoulder", "elbow", "hip", "knee", "ankle")


def _bones() -> dict[str, tuple[str, FloatArray]]:
    bones = {}
    for name, (parent, way) in _BONES.items():
        bones[name] = (parent, np.array(way))
        if name.startswith("left_"):
            mirrored = np.array([-1.0, 1.0, 1.0]) * way
            bones[name.replace("left_", "right_")] = (parent.replace("left_", "right_"), mirrored)
    return bones


def _switched(random: np.random.Generator, n: int, fps: float, size: float) -> FloatArray:
    """(n, 3) a spring that is pulled one way or another for random times: jerky, bounded."""
    place, speed, pull = np.zeros(3), np.zeros(3), np.zeros(3)
    out = np.empty((n, 3))
    for frame in range(n):
        if random.random() < 5.0 / fps:  # five switches a second
            pull = random.choice([-1.0, 0.0, 1.0], 3) * size
        for _ in range(4):
            speed += (30.0 * (pull - place) - 5.0 * speed) / (4.0 * fps)
            place = place + speed / (4.0 * fps)
        out[frame] = place
    return out


def _rotations(vectors: FloatArray) -> FloatArray:
    """(n, 3, 3) rotation matrices, by Rodrigues' formula."""
    angle = np.linalg.norm(vectors, axis=-1)[:, None, None]
    x, y, z = (vectors / np.maximum(angle[..., 0], 1e-12)).T
    zero = np.zeros_like(x)
    cross = np.array([[zero, -z, y], [z, zero, -x], [-y, x, zero]]).transpose(2, 0, 1)
    return np.eye(3) + np.sin(angle) * cross + (1.0 - np.cos(angle)) * cross @ cross


def moving_body(n: int, fps: float = 60.0, seed: int = 0, vigour: float = 0.5) -> FloatArray:
    """(n, 37, 3) points in metres, Y up, around (0, 1, 0); ``vigour`` in radians of the joints."""
    random = np.random.default_rng(seed)
    skeleton = project_skeleton()
    points = np.full((n, len(skeleton), 3), np.nan)
    hip = skeleton.index("hip")
    points[:, hip] = np.array([0.0, 0.95, 0.0]) + _switched(random, n, fps, 0.3)
    turned = {"hip": _rotations(_switched(random, n, fps, 0.6 * vigour))}
    for name, (parent, way) in _bones().items():
        turned[name] = turned[parent]
        if name.removeprefix("left_").removeprefix("right_") in _TURNING:
            own = _switched(random, n, fps, vigour * (0.3 if "spine" in name else 1.0))
            turned[name] = turned[parent] @ _rotations(own)
        # Two percent between left and right, one more with time.
        phase, pace = random.uniform(0.0, 6.3), random.uniform(0.5, 3.0)
        stretch = random.normal(1.0, 0.02) + 0.01 * np.sin(phase + pace * np.arange(n) / fps)
        basis = turned[name] if name in ("left_hip", "right_hip") else turned[parent]
        from_parent = (turned[parent] if "hip" in name else basis) @ way
        points[:, skeleton.index(name)] = (
            points[:, skeleton.index(parent)] + from_parent * stretch[:, None]
        )
    return points


@dataclass(frozen=True, slots=True, eq=False)
class Detector:
    """How a detector errs: pixels, seconds and shares."""

    lasting_px: float = 5.0
    lasting_s: float = 0.1
    white_px: float = 2.5
    bias_px: float = 2.0
    wild: float = 0.02
    wild_px: float = 90.0
    missed: float = 0.06


def detected_body(
    cameras: CameraGroup, points: FloatArray, fps: float = 60.0, seed: int = 1,
    detector: Detector | None = None,
) -> tuple[FloatArray, FloatArray]:  # fmt: skip
    """Pixels (n, V, K, 2), NaN where missed, and scores (n, V, K)."""
    how = detector or Detector()
    random = np.random.default_rng(seed)
    n, k, _ = points.shape
    xy = observe(cameras, points.reshape(-1, 3)).reshape(n, k, -1, 2).transpose(0, 2, 1, 3).copy()
    kept = np.exp(-1.0 / (how.lasting_s * fps))
    drift = random.normal(0.0, how.lasting_px, xy.shape[1:])
    for frame in range(n):
        drift = kept * drift + np.sqrt(1.0 - kept**2) * random.normal(
            0.0, how.lasting_px, drift.shape
        )
        xy[frame] += drift
    xy += random.normal(0.0, how.white_px, xy.shape) + random.normal(0.0, how.bias_px, xy.shape[1:])
    wild = random.random(xy.shape[:3]) < how.wild
    way = random.uniform(0.0, 2.0 * np.pi, wild.sum())
    xy[wild] += how.wild_px * np.stack([np.cos(way), np.sin(way)], axis=-1)
    score = random.uniform(0.35, 0.95, xy.shape[:3])
    missed = random.random(xy.shape[:3]) < how.missed
    xy[missed], score[missed] = np.nan, 0.0
    return xy, score
