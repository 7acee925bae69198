"""What an imperfect keypoint detector would say: correlated noise, scores, gaps, planted errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d
from scipy.signal import lfilter

from pipeline.data.skeleton import Skeleton
from pipeline.synthesis.motion_courses import minimum_jerk

FloatArray = NDArray[np.float64]
Bools = NDArray[np.bool_]
Kind = Literal["swap", "jump", "outlier", "lost", "drift", "zero-x"]

# All pixel figures hold for pictures 640 px wide and scale with them.
REFERENCE_WIDTH = 640.0
# Standard deviation (px) of a seen keypoint; those not named have LIMB_SIGMA.
LIMB_SIGMA, SPINE_SIGMA = 2.1, 3.2
_SIGMA = {"nose": 1.6, "eye": 1.5, "ear": 1.8, "head": 2.2, "left_hip": 3.0, "right_hip": 3.0,
          "clavicle": 2.6, "latissimus": 3.4, "toe": 2.4}  # fmt: skip
_VIEW_FACTOR = (1.0, 1.12, 0.95, 1.18)
# A hidden point is guessed: this much noisier, and off by a constant in units of its sigma.
HIDDEN_NOISE, HIDDEN_BIAS = 1.5, 1.8
CORRELATION_SECONDS = 0.2
WHITE_SHARE = 0.3
_MISSING_IF_HIDDEN, _MISSING_IF_SEEN = -1.6, -3.1


@dataclass(frozen=True, slots=True)
class PlantedError:
    """A gross error put into one view's detections on purpose.

    It concerns frames ``start`` to ``stop - 1`` and the named keypoints; ``size`` is the largest
    displacement in pixels (0 where points were taken away).
    """

    kind: Kind
    view: int
    start: int
    stop: int
    keypoints: tuple[str, ...]
    size: float


@dataclass(frozen=True, slots=True, eq=False)
class Detections:
    """``xy`` (T, V, K, 2) px, zero where missing; ``score`` (T, V, K); what was planted."""

    xy: FloatArray
    score: FloatArray
    errors: tuple[PlantedError, ...]


def keypoint_sigma(skeleton: Skeleton) -> FloatArray:
    """(K,) standard deviation in px of each keypoint's noise at the reference width, when seen."""
    sigma = np.full(len(skeleton), LIMB_SIGMA)
    for k, name in enumerate(skeleton.names):
        sigma[k] = next((s for part, s in _SIGMA.items() if part in name), sigma[k])
    sigma[list(skeleton.column)] = SPINE_SIGMA
    return sigma


def _correlated(rng: np.random.Generator, shape: tuple[int, ...], fps: float) -> FloatArray:
    """First-order autoregressive noise along the first axis, unit variance from the start."""
    rho = np.exp(-1.0 / (CORRELATION_SECONDS * fps))
    drive = rng.standard_normal(shape)
    drive[1:] *= np.sqrt(1.0 - rho**2)
    return np.asarray(lfilter([1.0], [1.0, -rho], drive, axis=0))


# Kind, start as a fraction of the recording, frames (of 240), view, size (px), keypoints.
_LEFT_ARM = ("left_elbow", "left_wrist")
_RIGHT_ARM = ("right_elbow", "right_wrist")
_LEG = ("hip", "knee", "ankle", "big_toe", "small_toe", "heel")
_PLAN: tuple[tuple[Kind, float, int, int, float, tuple[str, ...]], ...] = (
    ("swap", 0.05, 5, 3, 0.0, (*_LEFT_ARM, *_RIGHT_ARM)),
    ("jump", 0.12, 5, 0, 50.0, ("spine_03",)),
    ("outlier", 0.21, 1, 3, 110.0, ("left_wrist",)),
    ("drift", 0.25, 40, 0, 30.0, ("spine_04",)),
    ("zero-x", 0.30, 6, 2, 0.0, ("nose",)),
    ("jump", 0.36, 5, 1, 44.0, ("spine_02",)),
    ("lost", 0.42, 14, 2, 0.0, _LEFT_ARM),
    ("outlier", 0.50, 1, 1, 70.0, ("neck",)),
    ("zero-x", 0.55, 4, 3, 0.0, ("right_ear",)),
    ("jump", 0.60, 5, 0, 58.0, ("spine_05",)),
    ("drift", 0.63, 45, 1, 34.0, ("spine_01",)),
    ("outlier", 0.70, 1, 0, 95.0, ("right_ankle",)),
    ("swap", 0.79, 6, 2, 0.0, tuple(f"{s}_{p}" for s in ("left", "right") for p in _LEG)),
    ("lost", 0.90, 10, 3, 0.0, tuple(f"right_{p}" for p in _LEG[1:])),
)


def _plant(
    skeleton: Skeleton,
    xy: FloatArray,
    score: FloatArray,
    clean: FloatArray,
    width: float,
    rng: np.random.Generator,
) -> tuple[PlantedError, ...]:
    n, views = xy.shape[:2]
    planted = []
    for kind, begin, frames, view, size, names in _PLAN:
        start = int(begin * n)
        stop = start + max(1, min(frames, round(frames * n / 240.0)))
        rows, v = np.arange(start, stop), view % views
        keypoints = [skeleton.index(name) for name in names]
        where = np.ix_(rows, np.array([v]), np.array(keypoints))
        place = clean[where]
        scale = width / REFERENCE_WIDTH
        heading = rng.uniform(0.0, 2.0 * np.pi)
        push = size * scale * np.array([np.cos(heading), np.sin(heading)])
        level = np.clip(score[where], 0.45, 1.0)
        if kind == "swap":
            half = len(keypoints) // 2
            place = np.concatenate([place[:, :, half:], place[:, :, :half]], axis=2)
        elif kind in ("jump", "outlier"):
            place = place + push
        elif kind == "drift":
            ramp = minimum_jerk(rows.astype(np.float64), [(start - 1.0, 0.0), (stop - 1.0, 1.0)])
            place = place + ramp[:, None, None, None] * push
        elif kind == "zero-x":
            place = place * [0.0, 1.0]
            level = np.maximum(level, 0.62)
        else:
            place, level = np.zeros_like(place), np.zeros_like(level)
        moved = np.linalg.norm(place - clean[where], axis=-1)
        largest = float(moved.max()) if kind not in ("lost", "zero-x") else 0.0
        xy[where], score[where] = place, level
        planted.append(PlantedError(kind, v, start, stop, tuple(names), round(largest, 2)))
    return tuple(planted)


def detect(
    skeleton: Skeleton,
    truth: FloatArray,
    visible: Bools,
    size: tuple[int, int],
    fps: float,
    seed: int,
    planted: bool = True,
) -> Detections:
    """Simulated detections of one person.

    Parameters
    ----------
    skeleton : Skeleton
    truth : (T, V, K, 2) array
        True places in pixels.
    visible : (T, V, K) array
        What :func:`pipeline.synthesis.visibility.seen` says.
    size : (int, int)
        Width and height of the pictures; points outside are missing.
    fps : float
    seed : int
        The same seed gives the same detections.
    planted : bool
        Whether gross errors are put in on purpose.
    """
    rng = np.random.default_rng(seed)
    n, views, count = visible.shape
    scale = size[0] / REFERENCE_WIDTH
    factor = np.array([_VIEW_FACTOR[v % len(_VIEW_FACTOR)] for v in range(views)])
    sigma = scale * factor[:, None] * keypoint_sigma(skeleton)
    # A point comes into sight over a few frames, not at once.
    hidden = uniform_filter1d(1.0 - visible, max(1, round(0.25 * fps)), axis=0, mode="nearest")

    slow = _correlated(rng, (n, views, count, 2), fps)
    fast = rng.standard_normal((n, views, count, 2))
    noise = np.sqrt(1.0 - WHITE_SHARE**2) * slow + WHITE_SHARE * fast
    heading = rng.uniform(0.0, 2.0 * np.pi, (views, count))
    bias = HIDDEN_BIAS * np.stack([np.cos(heading), np.sin(heading)], axis=-1)
    spread = 1.0 + (HIDDEN_NOISE - 1.0) * hidden
    clean = truth + sigma[..., None] * (spread[..., None] * noise + hidden[..., None] * bias)

    spine = np.zeros(count)
    spine[list(skeleton.column)] = 1.0
    seen_score, hidden_score = 0.88 - 0.10 * spine, 0.50 - 0.20 * spine
    wobble = _correlated(rng, (n, views, count), fps)
    score = seen_score + (hidden_score - seen_score) * hidden
    score = score - 0.02 * np.linalg.norm(noise, axis=-1) + 0.035 * wobble
    score = np.clip(score, 0.05, 0.98)

    dropout = _correlated(rng, (n, views, count), fps)
    gone = dropout < np.where(hidden > 0.5, _MISSING_IF_HIDDEN, _MISSING_IF_SEEN)
    gone |= ((clean < 0.0) | (clean > np.array(size) - 1.0)).any(axis=-1)
    xy = np.where(gone[..., None], 0.0, clean)
    score = np.where(gone, 0.0, score)
    errors = _plant(skeleton, xy, score, clean, float(size[0]), rng) if planted else ()
    return Detections(xy, score, errors)


def openpose_person(xy: FloatArray, score: FloatArray) -> dict[str, object]:
    """One OpenPose person from keypoints (K, 2) and scores (K,)."""
    flat = np.round(np.column_stack([xy, score]), 3).ravel().tolist()
    empty = ("face_keypoints_2d", "hand_left_keypoints_2d", "hand_right_keypoints_2d",
             "pose_keypoints_3d")  # fmt: skip
    person: dict[str, object] = {"person_id": [-1], "pose_keypoints_2d": flat}
    return person | {name: [] for name in empty}
