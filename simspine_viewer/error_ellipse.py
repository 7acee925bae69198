"""How well a 3D point is known, as it looks in one view: one standard deviation as an ellipse."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from pipeline.data.camera import Camera, CameraGroup
from pipeline.geometry.projection import project
from pipeline.geometry.triangulation import triangulate
from simspine_viewer.document import FramePoints
from simspine_viewer.stages import Stage, stage_sigma, stage_xyz

FloatArray = NDArray[np.float64]

_STEP = 1e-4  # m; the projection is straight over that far beyond what can be drawn
_CORNERS = 48


def point_covariance(
    cameras: CameraGroup, points: FramePoints, keypoint: int, stage: Stage
) -> tuple[FloatArray, FloatArray]:
    """Place (3,) m of a point of a stage, and its covariance (3, 3) m²; NaN where unknown.

    Of a simulated point nothing is known. Of final points and labels only the standard deviation
    along the longest axis is known: it stands for all three.
    """
    if stage is Stage.MODEL:
        return np.full(3, np.nan), np.full((3, 3), np.nan)
    if stage in (Stage.FINAL, Stage.LABELS):
        sigma = stage_sigma(points, stage)[keypoint] / 1000.0
        return stage_xyz(points, stage)[keypoint], np.eye(3) * sigma**2
    if not np.isfinite(points.sigma[keypoint]):  # nobody measured where a person put it in 3D
        return points.xyz[keypoint], np.full((3, 3), np.nan)
    return points.xyz[keypoint], _covariance(cameras, points, keypoint)


@lru_cache(maxsize=4)  # asked for by every view
def _covariance(cameras: CameraGroup, points: FramePoints, keypoint: int) -> FloatArray:
    solved = triangulate(
        cameras,
        points.xy[None, :, keypoint],
        points.score[None, :, keypoint],
        manual=points.manual[None, :, keypoint],
    )
    return np.asarray(solved.covariance[0])


def ellipse_in_view(camera: Camera, xyz: FloatArray, covariance: FloatArray) -> FloatArray | None:
    """Outline (n, 2) px of one standard deviation; None where it cannot be told.

    To first order: the covariance goes through the slope of the projection at the point.
    """
    if not np.isfinite(covariance).all():
        return None
    around = xyz + _STEP * np.concatenate([np.zeros((1, 3)), np.eye(3), -np.eye(3)])
    xy = project(camera, around)
    slope = (xy[1:4] - xy[4:7]).T / (2 * _STEP)  # (2, 3) px per metre
    if not np.isfinite(slope).all():
        return None
    spread, axes = np.linalg.eigh(slope @ covariance @ slope.T)
    angle = np.linspace(0, 2 * np.pi, _CORNERS, endpoint=False)
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    return np.asarray(xy[0] + circle * np.sqrt(np.maximum(spread, 0.0)) @ axes.T)
