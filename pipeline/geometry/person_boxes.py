"""Where a person is in a picture, as a box, from what is known of their points.

A box is (..., 4): x and y of the upper left and of the lower right corner, pixels; not a number
where nothing is known. It belongs to a track, so that who is in it is never guessed anew.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.data.camera import Camera
from pipeline.geometry.projection import project_views, undistort
from pipeline.geometry.triangulation import LINEAR_OPTIONS, triangulate

FloatArray = NDArray[np.float64]

# Pose2Sim's likelihood threshold: a point below it says little about where anything is.
SURE = 0.3
# A box of fewer points may be that of a hand.
LEAST_POINTS = 5
# SpinePose's tracker takes the box of all points 1.25 times as large (simspine_facts §7.4).
MARGIN = 1.25
# Shares of the stature (Drillis and Contini 1966, in Winter, Biomechanics and Motor Control).
_LIMBS = (
    *((f"{side}_hip", f"{side}_knee", 0.245) for side in ("left", "right")),
    *((f"{side}_knee", f"{side}_ankle", 0.246) for side in ("left", "right")),
    *((f"{side}_shoulder", f"{side}_elbow", 0.186) for side in ("left", "right")),
    *((f"{side}_elbow", f"{side}_wrist", 0.146) for side in ("left", "right")),
    *((f"{side}_hip", f"{side}_shoulder", 0.288) for side in ("left", "right")),
)
_STATURE = 1.7  # m
# Of all limbs' distances that one which a fifth of them are below: those seen from the side.
_LONGEST_LOOKING = 0.2
# Half the room around a standing person, m. With more of it, a neighbour is as much in the middle;
# crops show half as much again, in which somebody is found whose distance is wrong by a fifth.
_ROOM = np.array((0.5, 1.05, 0.5))
# Less of a box than this within the picture shows nobody.
_LEAST_VISIBLE = 0.1
# Reprojection error, as a part of the box's larger side, of points that two views agree on.
_AGREE = 0.05


def box_of_points(xy: ArrayLike, score: ArrayLike, margin: float = MARGIN) -> FloatArray:
    """Boxes around the sure ones of K points.

    Parameters
    ----------
    xy : (..., K, 2) array
        Pixels.
    score : (..., K) array
        Those from :data:`SURE` on count.
    margin : float
        Size of the box over that of the points.

    Returns
    -------
    (..., 4) array
        Not a number with fewer than :data:`LEAST_POINTS` sure points, or of no size.
    """
    points = np.asarray(xy, np.float64)
    sure = (np.asarray(score) >= SURE) & np.isfinite(points).all(axis=-1)
    low = np.where(sure[..., None], points, np.inf).min(axis=-2)
    high = np.where(sure[..., None], points, -np.inf).max(axis=-2)
    known = (sure.sum(axis=-1) >= LEAST_POINTS) & (high > low).all(axis=-1)
    box = np.concatenate(
        [np.where(known[..., None], low, np.nan), np.where(known[..., None], high, np.nan)], axis=-1
    )
    return grown(box, margin)


def grown(box: ArrayLike, factor: float) -> FloatArray:
    """Boxes (..., 4) ``factor`` times as large about their centres."""
    corners = np.asarray(box, np.float64)
    centre = (corners[..., :2] + corners[..., 2:]) / 2
    half = (corners[..., 2:] - corners[..., :2]) / 2 * factor
    return np.concatenate([centre - half, centre + half], axis=-1)


def boxes_from_world(
    cameras: Iterable[Camera], xyz: ArrayLike, margin: float = MARGIN
) -> FloatArray:
    """Boxes (..., V, 4) around points (..., K, 3) in world metres, seen by every camera."""
    pixels = np.moveaxis(project_views(cameras, xyz), -2, -3)  # (..., V, K, 2)
    return box_of_points(pixels, np.ones(pixels.shape[:-1]), margin)


def world_points(cameras: Iterable[Camera], xy: ArrayLike, score: ArrayLike) -> FloatArray:
    """(K, 3) points that two or more views agree on, of (V, K, 2) pixels and (V, K) scores.

    Not a number where views disagree by more than a twentieth of the person's size in the picture.
    """
    pixels, sure = np.asarray(xy, np.float64), np.array(score, np.float64)
    sure[sure < SURE] = 0.0
    by_point = pixels.transpose(1, 0, 2)
    solved = triangulate(tuple(cameras), by_point, sure.T, options=LINEAR_OPTIONS)
    boxes = box_of_points(pixels, sure, 1.0)
    with np.errstate(invalid="ignore"):
        limit = _AGREE * np.nanmax(np.nan_to_num(boxes[:, 2:] - boxes[:, :2]), axis=-1)
        counted = (sure.T > 0) & np.isfinite(solved.residual)
        wrong = (np.where(counted, solved.residual, 0.0) > limit).any(axis=-1)
    return np.where(wrong[:, None], np.nan, solved.xyz)


def boxes_from_one_view(
    cameras: Iterable[Camera], view: int, xy: ArrayLike, score: ArrayLike, names: Sequence[str]
) -> FloatArray:
    """Boxes (V, 4) in all views of a person whom one view shows, by how large they are there.

    A limb looks at most as long as it is, so that the longest-looking ones tell the distance of a
    person of usual stature.

    Parameters
    ----------
    cameras : iterable of V cameras
        In a world with Y up.
    view : int
        The one that shows the person.
    xy, score : (K, 2) and (K,) arrays
        What it shows.
    names : sequence of K str
        The keypoints.
    """
    views = tuple(cameras)
    points, sure = np.asarray(xy, np.float64), np.asarray(score) >= SURE
    flat = undistort(views[view], points)
    known = {name: i for i, name in enumerate(names) if sure[i] and np.isfinite(flat[i]).all()}
    looks = [
        (known[a], known[b], share * _STATURE)
        for a, b, share in _LIMBS
        if a in known and b in known
    ]
    if not looks:
        return np.full((len(views), 4), np.nan)
    lengths = np.array([np.linalg.norm(flat[a] - flat[b]) for a, b, _ in looks])
    true = np.array([length for _, _, length in looks])
    depth = float(np.quantile(true / np.maximum(lengths, 1e-6), _LONGEST_LOOKING))
    ends = sorted({i for a, b, _ in looks for i in (a, b)})
    middle = np.array([*flat[ends].mean(axis=0), 1.0]) * depth
    camera = views[view]
    centre = camera.rotation.T @ (middle - camera.translation)
    corners = centre + np.array(list(itertools.product((-1.0, 1.0), repeat=3))) * _ROOM
    return boxes_from_world(views, corners, 1.0)


def windows(size: tuple[int, int]) -> FloatArray:
    """(n, 4) boxes in which to look for somebody in a picture (w, h) nobody knows anything of.

    The whole picture, its halves and its thirds from side to side, each of them overlapping the
    next one by half.
    """
    width, height = size
    parts = [
        (i * width / (2 * n), (i + 2) * width / (2 * n))
        for n in (1, 2, 3)
        for i in range(2 * n - 1)
    ]
    return np.array([(low, 0.0, high, height) for low, high in parts])


def is_in_picture(box: ArrayLike, size: tuple[int, int]) -> NDArray[np.bool_]:
    """Whether enough of boxes (..., 4) is within a picture (w, h) to find anybody there."""
    corners = np.asarray(box, np.float64)
    inside = np.clip(corners, 0.0, np.array((*size, *size), np.float64))

    def area(b: FloatArray) -> FloatArray:
        return np.asarray((b[..., 2] - b[..., 0]) * (b[..., 3] - b[..., 1]))

    with np.errstate(invalid="ignore"):
        return np.asarray(area(inside) > _LEAST_VISIBLE * area(corners))


def likeness(
    xy: ArrayLike, score: ArrayLike, other: ArrayLike, other_score: ArrayLike, sigmas: ArrayLike
) -> FloatArray:
    """How much two sets of points are the same person in the same place, 0 to 1.

    COCO's object keypoint similarity over the points that both are sure of, with the area of the
    other's box; -1 where they share fewer than :data:`LEAST_POINTS`.

    Parameters
    ----------
    xy, other : (..., K, 2) arrays
        Pixels.
    score, other_score : (..., K) arrays
    sigmas : (K,) array
        OKS constants of the keypoints.
    """
    a, b = np.asarray(xy, np.float64), np.asarray(other, np.float64)
    both = (np.asarray(score) >= SURE) & (np.asarray(other_score) >= SURE)
    both = both & np.isfinite(a).all(axis=-1) & np.isfinite(b).all(axis=-1)
    box = box_of_points(b, other_score, 1.0)
    area = (box[..., 2] - box[..., 0]) * (box[..., 3] - box[..., 1])
    with np.errstate(invalid="ignore", divide="ignore"):
        away = ((a - b) ** 2).sum(axis=-1) / (2 * area[..., None])
        # COCO's constants are twice the published sigmas.
        similar = np.exp(-away / (2 * np.asarray(sigmas, np.float64)) ** 2)
        mean = np.where(both, similar, 0.0).sum(axis=-1) / both.sum(axis=-1)
    return np.where(both.sum(axis=-1) >= LEAST_POINTS, np.nan_to_num(mean), -1.0)
