"""What one pane draws over its picture: the points of one view, with a drag under way applied."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from pipeline.data.camera import Camera, CameraGroup
from pipeline.data.skeleton import Skeleton
from pipeline.data.source import Flag
from pipeline.geometry.epipolar import epipolar_fan
from simspine_viewer.document import FramePoints, Preview
from simspine_viewer.pane_transform import PaneTransform
from simspine_viewer.pose import Pose
from simspine_viewer.stages import Stage
from simspine_viewer.trails import Trail

FloatArray = NDArray[np.float64]

HIT_RADIUS = 10.0  # widget points; about half of what a fingertip needs, twice a drawn point
_ABSENT, _OCCLUDED = np.uint8(Flag.ABSENT), np.uint8(Flag.OCCLUDED)  # quicker than an IntFlag
PERSON_RADIUS = 6.0  # widget points from a bone of somebody else


@dataclass(frozen=True, slots=True, eq=False)
class EpipolarCurve:
    """Where a point seen by another camera can lie here: (n, 2) px from near to far."""

    camera: str
    xy: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class SpineCurve:
    """The levels of the simulated spine, bottom to top, where they fall in one picture.

    ``names`` (N), ``xy`` (N, 2) px with NaN for those out of sight, ``first`` (N,) true for the
    lowest level of a region. ``strong``: it is what is to be looked at.
    """

    names: tuple[str, ...]
    xy: FloatArray
    first: NDArray[np.bool_]
    strong: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class OverlayScene:
    """Everything drawn over one picture, in picture pixels.

    Parameters
    ----------
    skeleton : Skeleton
    xy, reprojected : (K, 2) arrays
        Observed points and the reprojected 3D points; NaN where there are none.
    score, residual : (K,) arrays
        Confidence 0 to 1; distance in px between observed and reprojected.
    manual : (K,) bool array
    flags : (K,) uint8 array
        :class:`Flag` values.
    others : dict
        (K, 2) points of the other people, by track.
    selected : int
        Selected keypoint, -1 for none.
    moving : int
        Keypoint that a drag is moving, -1 for none.
    curves : tuple of EpipolarCurve
        Of the selected keypoint.
    trail : Trail, optional
        Path of the selected keypoint, px.
    ellipse : (n, 2) array, optional
        Outline of one standard deviation of the selected keypoint's 3D point, px.
    spread : (K, 2) array, optional
        Standard deviation in x and y that a model gave with its points, px; NaN without.
    legend : str
        Which stage of the points this is.
    dragged_in : str
        The camera in whose picture the drag goes, empty for none: only its curve changes.
    spine : SpineCurve, optional
        Of the simulated body; moves with a drag.
    pose : Pose, optional
        Whose markers the points are, where that is what is shown.
    """

    skeleton: Skeleton
    xy: FloatArray
    reprojected: FloatArray
    score: FloatArray
    residual: FloatArray
    manual: NDArray[np.bool_]
    flags: NDArray[np.uint8]
    others: dict[int, FloatArray] = field(default_factory=dict)
    selected: int = -1
    moving: int = -1
    curves: tuple[EpipolarCurve, ...] = ()
    trail: Trail | None = None
    ellipse: FloatArray | None = None
    spread: FloatArray | None = None
    legend: str = ""
    dragged_in: str = ""
    spine: SpineCurve | None = None
    pose: Pose | None = None

    @property
    def handles(self) -> FloatArray:
        """(K, 2) where each keypoint can be taken hold of: observed, else reprojected."""
        observed = np.isfinite(self.xy).all(axis=1)
        return np.where((observed | self.absent)[:, None], self.xy, self.reprojected)

    @property
    def observed(self) -> NDArray[np.bool_]:
        return np.asarray(np.isfinite(self.xy).all(axis=1))

    @property
    def absent(self) -> NDArray[np.bool_]:
        return np.asarray((self.flags & _ABSENT) != 0)

    @property
    def occluded(self) -> NDArray[np.bool_]:
        return np.asarray((self.flags & _OCCLUDED) != 0)


def scene_of(
    points: FramePoints,
    view: int,
    skeleton: Skeleton,
    *,
    selected: int = -1,
    preview: Preview | None = None,
    curves: tuple[EpipolarCurve, ...] = (),
    stage: Stage = Stage.WORK,
    solved: FloatArray | None = None,
    hidden: frozenset[int] = frozenset(),
) -> OverlayScene:
    """The scene of one view; a preview of the same frame takes the place of what it moves.

    Parameters
    ----------
    solved : (K, 2) array, optional
        Where the 3D points of ``stage`` fall in this view, px; default: those triangulated.
    hidden : set of int
        Keypoints that are neither drawn nor hit.
    """
    xy, reprojected = points.xy[view].copy(), points.reprojected[view].copy()
    score, residual = points.score[view].copy(), points.residual[view].copy()
    manual, flags = points.manual[view], points.flags[view].copy()
    if stage is Stage.DETECTED:
        reprojected[:], residual[:] = np.nan, np.nan
    elif stage is not Stage.WORK:
        xy = (reprojected if solved is None else solved).copy()
        reprojected, residual = np.full_like(xy, np.nan), np.full_like(residual, np.nan)
        score = np.isfinite(xy[:, 0]).astype(float)
        manual, flags = np.zeros_like(manual), np.zeros_like(flags)
    moving = -1
    if preview is not None and preview.frame == points.frame:
        moving = preview.keypoint
        xy[moving], reprojected[moving] = preview.xy[view], preview.reprojected[view]
        residual[moving] = preview.residual[view]
        if stage not in (Stage.WORK, Stage.DETECTED) and preview.view != view:
            xy[moving], reprojected[moving], residual[moving] = reprojected[moving], np.nan, np.nan
        if preview.view == view:
            score[moving], flags[moving] = 1.0, flags[moving] & ~_ABSENT
    others = {track: other[view] for track, other in points.others.items()}
    if hidden:
        rows = list(hidden)
        xy[rows], reprojected[rows], residual[rows] = np.nan, np.nan, np.nan
    return OverlayScene(
        skeleton, xy, reprojected, score, residual, manual, flags, others, selected, moving, curves
    )


def epipolar_curves(
    cameras: CameraGroup, view: int, observed: FloatArray
) -> tuple[EpipolarCurve, ...]:
    """Curves in ``view`` from every other view in which the point is observed.

    Parameters
    ----------
    cameras : CameraGroup
    view : int
        View to draw in.
    observed : (V, 2) array
        The keypoint in each view, px; NaN where it is not observed.
    """
    return tuple(
        _curves_from(cameras.cameras, other, float(observed[other, 0]), float(observed[other, 1]))[
            view
        ]
        for other in range(len(cameras))
        if other != view and np.isfinite(observed[other]).all()
    )


# A drag moves the point of one view: the curves from all the others stay what they are, and those
# from it are worked out once for all panes.
@lru_cache(maxsize=64)
def _curves_from(
    cameras: tuple[Camera, ...], view: int, x: float, y: float
) -> tuple[EpipolarCurve, ...]:
    """Where a pixel of one view can lie in each of the views."""
    fan = epipolar_fan(cameras[view], (x, y), cameras)
    return tuple(EpipolarCurve(cameras[view].name, curve) for curve in fan)


def keypoint_at(
    scene: OverlayScene, transform: PaneTransform, position: tuple[float, float]
) -> int:
    """Keypoint whose handle is under a widget position: the selected one first, else the nearest.

    Returns -1 where none lies within :data:`HIT_RADIUS` on screen.
    """
    distance = np.linalg.norm(transform.to_widget(scene.handles) - position, axis=1)
    distance = np.where(np.isfinite(distance), distance, np.inf)
    if scene.selected >= 0 and distance[scene.selected] <= HIT_RADIUS:
        return scene.selected
    nearest = int(distance.argmin())
    return nearest if distance[nearest] <= HIT_RADIUS else -1


def person_at(scene: OverlayScene, transform: PaneTransform, position: tuple[float, float]) -> int:
    """Track of another person whose points or bones are under a widget position, else -1."""
    best, found = PERSON_RADIUS, -1
    links = np.array(scene.skeleton.links, np.intp).reshape(-1, 2)
    everything = np.concatenate([links, np.repeat(np.arange(len(scene.xy))[:, None], 2, axis=1)])
    for track, xy in scene.others.items():
        placed = transform.to_widget(xy)[everything]
        distance = _distance_to_segments(np.asarray(position, float), placed[:, 0], placed[:, 1])
        if distance <= best:
            best, found = distance, track
    return found


def _distance_to_segments(point: FloatArray, start: FloatArray, end: FloatArray) -> float:
    whole = np.isfinite(start).all(axis=1) & np.isfinite(end).all(axis=1)
    if not whole.any():
        return float("inf")
    start, along = start[whole], (end - start)[whole]
    squared = np.maximum((along**2).sum(axis=1), 1e-12)
    share = np.clip(((point - start) * along).sum(axis=1) / squared, 0.0, 1.0)
    return float(np.linalg.norm(start + share[:, None] * along - point, axis=1).min())
