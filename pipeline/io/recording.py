"""Opening a recording: cameras in the project's world, time axes and every detected person."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.data.camera import WORLD_FROM_UP, Camera, CameraGroup, SyncMap, turned
from pipeline.data.errors import Finding, UserError
from pipeline.io.calibration import read_calibration
from pipeline.io.recording_layout import (
    RecordingPlan,
    ViewPlan,
    plan_from_files,
    recognise,
    with_calibration,
)
from pipeline.io.recording_people import on_sequence_axis, read_all_detections, several_people
from pipeline.io.video_index import index_video
from pipeline.io.video_numbers import frame_number_warning

__all__ = [
    "LoadedRecording",
    "RecordingPlan",
    "Report",
    "ViewPlan",
    "load_recording",
    "plan_from_files",
    "recognise",
    "with_calibration",
]

# Frames per second where nothing says otherwise, as SIMSPINE's own recordings have.
_DEFAULT_FPS = 50.0
# Relative difference of two frame rates that rounding in file headers explains.
_SAME_FPS = 1e-3
# Share of the work that the videos are; the rest are the detections.
_VIDEO_SHARE = 0.5

#: Is told how far work has come, in 0..1, and what is done next; may raise to end it.
Report = Callable[[float, str], None]


@dataclass(frozen=True, slots=True, eq=False)
class LoadedRecording:
    """A recording as the window needs it.

    Parameters
    ----------
    plan : RecordingPlan
        What was loaded.
    cameras : CameraGroup
        V cameras in the project's Y-up world, metres.
    n_frames : int
        T, the length of the longest view.
    fps : float
        Sequence frames per second.
    syncs : tuple of SyncMap
        Per view; ``n_frames`` is 0 where there are no pictures.
    video_sizes : tuple of (int, int) or None
        Width and height of each video as displayed; None where there are no pictures.
    instances_xy : (T, V, P, K, 2) float32 array
        Every detected person in the project's skeleton, pixels of the video; NaN if missing.
    instances_score : (T, V, P, K) float32 array
        Confidence, 0 where missing.
    findings : tuple of Finding
        Those of the plan, and what was noticed while loading.
    """

    plan: RecordingPlan
    cameras: CameraGroup
    n_frames: int
    fps: float
    syncs: tuple[SyncMap, ...]
    video_sizes: tuple[tuple[int, int] | None, ...]
    instances_xy: NDArray[np.float32]
    instances_score: NDArray[np.float32]
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class _Video:
    size: tuple[int, int]
    n_frames: int
    fps: float


def load_recording(plan: RecordingPlan, report: Report | None = None) -> LoadedRecording:
    """Read calibration, video facts and detections of a plan.

    A video or a detection file that cannot be read leaves its view without pictures or its frame
    without people, with a finding; pictures and calibrations are never rescaled.

    Parameters
    ----------
    plan : RecordingPlan
        From :func:`recognise` or :func:`plan_from_files`, mended or not.
    report : callable, optional
        Is called before each video and before the detections of each view.

    Returns
    -------
    LoadedRecording
        Everything of the recording but the pictures.

    Raises
    ------
    UserError
        There is no calibration, or nothing that it could be used for.
    """
    cameras = _cameras(plan)
    findings: list[Finding] = list(plan.findings)
    tell = report or (lambda fraction, text: None)
    videos: list[_Video | None] = []
    for number, (view, camera) in enumerate(zip(plan.views, cameras, strict=True)):
        if view.video is not None:
            tell(_VIDEO_SHARE * number / len(cameras), f"Reading {view.video.name}")
        videos.append(_video(view, camera, findings))
    rate, fps = _common_rate(plan.views, videos, findings)
    detections = read_all_detections(
        [view.detections for view in plan.views],
        [video.n_frames if video else None for video in videos],
        [video.size if video else None for video in videos],
        plan.skeleton,
        findings,
        lambda fraction, text: tell(_VIDEO_SHARE + (1.0 - _VIDEO_SHARE) * fraction, text),
    )
    syncs = tuple(
        replace(view.sync or SyncMap(rate=r), n_frames=video.n_frames if video else 0)
        for view, video, r in zip(plan.views, videos, rate, strict=True)
    )
    lengths = [_length(sync, sync.n_frames) for sync in syncs if sync.n_frames] or [
        _length(sync, len(d.xy)) for sync, d in zip(syncs, detections, strict=True) if d
    ]
    n_frames = max(lengths, default=0)
    if not n_frames:
        raise UserError(f"“{plan.name}” has no readable video and no readable detections.")
    _different_lengths(plan.views, videos, findings)
    findings.extend(several_people([view.camera for view in plan.views], detections))
    xy, score = on_sequence_axis(n_frames, syncs, detections)
    return LoadedRecording(
        plan=plan,
        cameras=CameraGroup(tuple(cameras)),
        n_frames=n_frames,
        fps=fps,
        syncs=syncs,
        video_sizes=tuple(video.size if video else None for video in videos),
        instances_xy=xy,
        instances_score=score,
        findings=tuple(findings),
    )


def _cameras(plan: RecordingPlan) -> list[Camera]:
    if plan.calibration is None:
        raise UserError(
            f"“{plan.name}” has no calibration, and 3D needs one: add a .toml (Pose2Sim, Anipose, "
            "Caliscope) or a Qualisys .qca.txt."
        )
    if plan.up not in WORLD_FROM_UP:
        known = ", ".join(WORLD_FROM_UP)
        raise UserError(f"“{plan.name}” cannot be turned to up axis {plan.up}, only to {known}.")
    if not plan.views:
        raise UserError(f"No video or detections of “{plan.name}” belong to a calibrated camera.")
    by_name = {c.name: c for c in read_calibration(plan.calibration).cameras}
    missing = [view.camera for view in plan.views if view.camera not in by_name]
    if missing:
        raise UserError(f"{plan.calibration.name} has no camera named {missing[0]}.")
    return [turned(by_name[view.camera], WORLD_FROM_UP[plan.up]) for view in plan.views]


def _video(view: ViewPlan, camera: Camera, findings: list[Finding]) -> _Video | None:
    if view.video is None:
        return None
    try:
        index = index_video(view.video)
    except UserError as error:
        findings.append(Finding("error", "unreadable-video", str(error), view.video))
        return None
    findings.extend(index.findings)
    if text := frame_number_warning(index):
        findings.append(Finding("info", "frame-numbers", text, view.video))
    size = (index.width, index.height)
    if size != camera.size:
        message = (
            f"The video {view.video.name} is {size[0]}×{size[1]} px but its calibration was made "
            f"for {camera.size[0]}×{camera.size[1]} px; nothing was rescaled."
        )
        findings.append(Finding("warning", "size-mismatch", message, view.video))
    return _Video(size, index.frame_count, index.fps)


def _common_rate(
    views: Sequence[ViewPlan], videos: Sequence[_Video | None], findings: list[Finding]
) -> tuple[list[float], float]:
    """Video frames per sequence frame of each view, and the sequence's frames per second.

    Videos of different rates are put on one time axis only where their durations say that the
    rates are true: copies of one recording often carry a wrong rate in the header.
    """
    known = [video for video in videos if video is not None and video.fps > 0]
    if not known:
        return [1.0] * len(videos), _DEFAULT_FPS
    reference = max(known, key=lambda video: (video.fps, video.n_frames))
    rates = []
    for view, video in zip(views, videos, strict=True):
        rate = 1.0
        if video is not None and video.fps > 0 and view.video is not None:
            ratio = video.fps / reference.fps
            if abs(ratio - 1) > _SAME_FPS:
                by_rate = abs(video.n_frames / ratio - reference.n_frames)
                by_count = abs(video.n_frames - reference.n_frames)
                rate = ratio if by_rate < by_count else 1.0
                done = (
                    "they were put on one time axis"
                    if rate != 1.0
                    else "as the durations do not fit that, frames were matched by number"
                )
                message = (
                    f"The video {view.video.name} has {video.fps:.4g} frames per second and "
                    f"another one {reference.fps:.4g}; {done}."
                )
                findings.append(Finding("warning", "fps-mismatch", message, view.video))
        rates.append(rate)
    return rates, reference.fps


def _length(sync: SyncMap, n_frames: int) -> int:
    """Sequence frames needed to reach the last of ``n_frames`` video frames."""
    return max(math.floor((n_frames - 1 - sync.offset) / sync.rate) + 1, 0)


def _different_lengths(
    views: Sequence[ViewPlan], videos: Sequence[_Video | None], findings: list[Finding]
) -> None:
    counts = [
        (view.video.name, video.n_frames)
        for view, video in zip(views, videos, strict=True)
        if video is not None and view.video is not None
    ]
    if len({count for _, count in counts}) > 1:
        listing = ", ".join(f"{name} {count}" for name, count in counts)
        message = f"The videos have different numbers of frames: {listing}."
        findings.append(Finding("warning", "frame-count-mismatch", message))
