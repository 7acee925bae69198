"""One keypoint in the middle of all panes, equally large in metres."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Sequence as Items

import numpy as np

from pipeline.data.camera import Camera
from simspine_viewer.document import FramePoints
from simspine_viewer.follow import Follow, followed_xy, middle_of
from simspine_viewer.pane_canvas import ZOOM_RANGE, PaneCanvas
from simspine_viewer.pane_transform import PaneTransform

CLOSE_UP = 0.4  # m across the smaller side of the smallest pane: a hip with what is around it


def close_ups(
    panes: Items[PaneCanvas], cameras: Iterable[Camera], points: FramePoints, keypoint: int
) -> list[PaneTransform | None]:
    """What every pane is to show so that a keypoint is in its middle, equally large in all.

    Equally large in metres at the keypoint's distance. None where a view can show neither the
    keypoint nor where its 3D point falls.
    """
    areas = [pane.picture_area() for pane in panes]
    per_metre = min(min(area.width(), area.height()) for area in areas) / CLOSE_UP
    known = np.isfinite(points.xyz[keypoint]).all()
    xyz = points.xyz[keypoint] if known else middle_of(points.xyz)
    found: list[PaneTransform | None] = []
    for view, (camera, area) in enumerate(zip(cameras, areas, strict=True)):
        xy = followed_xy(points, view, keypoint, Follow.KEYPOINT)
        depth = float(camera.rotation[2] @ xyz + camera.translation[2])
        if not (np.isfinite(xy).all() and depth > 0):
            found.append(None)
            continue
        focal = float(camera.matrix[0, 0] + camera.matrix[1, 1]) / 2
        scale = min(max(per_metre * depth / focal, ZOOM_RANGE[0]), ZOOM_RANGE[1])
        middle = area.center()
        x, y = xy.tolist()
        offset = (middle.x() - (x + 0.5) * scale, middle.y() - (y + 0.5) * scale)
        found.append(PaneTransform(scale, offset))
    return found
