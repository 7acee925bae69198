"""The words of a video pane: its strip, its tooltips, and why a picture is missing."""

from __future__ import annotations

import math
import statistics

import numpy as np

from pipeline.data.source import Flag
from simspine_viewer.document import Document, FramePoints
from simspine_viewer.overlay_scene import OverlayScene
from simspine_viewer.overlay_spine import level_at
from simspine_viewer.palette import LOW_SCORE
from simspine_viewer.pane_header import HeaderItem, Kind
from simspine_viewer.pane_transform import PaneTransform
from simspine_viewer.picture import NO_FRAME, NO_VIDEO, NOT_DECODABLE, Picture, Tier

_SHORT = {NO_FRAME: "no frame", NO_VIDEO: "no video", NOT_DECODABLE: "not decodable"}
_ADJUST = "◐"  # half light, half dark
_SIZE_BADGE = "size ≠ calibration"


def template_items(camera: str, document: Document) -> list[HeaderItem]:
    """The strip's lasting items at their widest, so that its height does not change in play."""
    last = "8" * len(str(document.sequence.n_frames)) if document.is_open else "8888"
    return [
        HeaderItem(camera, "name"),
        HeaderItem(f"frame {last}"),
        HeaderItem("median 888.8 px"),
        HeaderItem(_ADJUST),
    ]


def widest_items(camera: str) -> list[HeaderItem]:
    """The items that no pane may be too narrow for."""
    return [HeaderItem(camera, "name"), HeaderItem(_SIZE_BADGE, "warning")]


def items(
    camera: str,
    view: int,
    document: Document,
    frame: int,
    picture: Picture | None,
    picture_size: tuple[int, int] | None,
    points: FramePoints | None,
    is_late: bool,
    is_adjusted: bool = False,
) -> list[HeaderItem]:
    """Texts of the strip, badges last."""
    row = [
        HeaderItem(camera, "name", f"Camera {camera}"),
        HeaderItem(f"frame {frame}", tooltip="Frame on the recording's own time axis, from 0"),
    ]
    seen = [] if points is None else points.residual[view].tolist()
    seen = [residual for residual in seen if math.isfinite(residual)]
    if seen:  # so few that numpy takes ten times as long
        row.append(
            HeaderItem(
                f"median {statistics.median(seen):.1f} px",
                tooltip="Median distance in this view between the observed points and the"
                f" reprojected 3D points ({len(seen)} points)",
            )
        )
    tooltip = "Brightness, contrast and gamma of this view: click to change how it is shown"
    if is_adjusted:
        row.append(HeaderItem(f"{_ADJUST} adjusted", "busy", tooltip, "adjust"))
    else:
        row.append(HeaderItem(_ADJUST, "plain", tooltip, "adjust"))
    if picture is not None:
        row += _picture_items(frame, picture)
    if is_late:
        row.append(HeaderItem("decoding…", "busy", "The cursor's frame is being decoded"))
    if picture_size is not None and document.is_open:
        row += _size_items(picture_size, document.sequence.cameras[view].size)
    return row


def _picture_items(frame: int, picture: Picture) -> list[HeaderItem]:
    row = []
    if picture.video_frame not in (-1, frame):
        row.append(
            HeaderItem(
                f"video {picture.video_frame}",
                tooltip="Frame of this camera's own video that is shown at this instant",
            )
        )
    if picture.reason:
        kind: Kind = "warning" if picture.reason in _SHORT else "error"
        text = _SHORT.get(picture.reason, "unreadable")
        row.append(HeaderItem(text, kind, sentence(picture.reason)))
    if picture.frames_early:
        early = picture.frames_early
        row.append(
            HeaderItem(
                f"keyframe, {early} frame{'s' if early > 1 else ''} earlier",
                "warning",
                "The video's own frame is not decoded yet. What is shown is an earlier one, so the"
                " points do not belong to it and cannot be moved",
            )
        )
    elif picture.tier is Tier.PROXY:
        row.append(
            HeaderItem(
                "proxy",
                tooltip="A small copy of this very frame; the full picture comes when the cursor"
                " rests",
            )
        )
    if picture.suspect:
        row.append(
            HeaderItem(
                "suspect",
                "warning",
                "The video is damaged shortly before this frame: what is shown may be older",
            )
        )
    return row


def _size_items(picture: tuple[int, int], calibration: tuple[int, int]) -> list[HeaderItem]:
    if picture == calibration:
        return []
    tooltip = (
        f"The video is {picture[0]} × {picture[1]} pixels, its calibration is for"
        f" {calibration[0]} × {calibration[1]}. Nothing is rescaled: points are drawn at the"
        " calibration's pixels, so they may be off."
    )
    return [HeaderItem(_SIZE_BADGE, "warning", tooltip)]


def sentence(reason: str) -> str:
    """A reason as a sentence of its own."""
    whole = reason[0].upper() + reason[1:] if reason in _SHORT else reason
    return whole if whole.endswith(".") else f"{whole}."


def tooltip(
    scene: OverlayScene, keypoint: int, transform: PaneTransform, at: tuple[float, float]
) -> str:
    """What is to be said about a keypoint, or (-1) about a widget position."""
    if keypoint >= 0:
        return keypoint_tooltip(scene, keypoint)
    level = "" if scene.spine is None else level_at(scene.spine, transform, at)
    return f"{level} (simulated)" if level else ""


def keypoint_tooltip(scene: OverlayScene, keypoint: int) -> str:
    """Name, origin and numbers of a keypoint in one view."""
    point = scene.skeleton.keypoints[keypoint]
    lines = [f"{point.marker} ({point.name.replace('_', ' ')})"]
    if scene.manual[keypoint]:
        lines.append("placed by hand")
    elif scene.observed[keypoint]:
        score = float(scene.score[keypoint])
        lines.append(f"score {score:.2f}" + (" (low)" if score < LOW_SCORE else ""))
        if scene.spread is not None and np.isfinite(scene.spread[keypoint]).all():
            across, down = scene.spread[keypoint].tolist()
            lines.append(f"the detector's SD: {across:.1f} px across, {down:.1f} px down")
    elif scene.flags[keypoint] & Flag.REJECTED:
        lines.append("detection rejected; shown where the other views put it")
    else:
        lines.append("not seen here; shown where the other views put it")
    if scene.occluded[keypoint]:
        lines.append("occluded")
    if np.isfinite(scene.residual[keypoint]):
        lines.append(f"residual {scene.residual[keypoint]:.1f} px")
    return "\n".join(lines)
