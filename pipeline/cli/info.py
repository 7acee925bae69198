"""``simspine info``: what a recording holds, for people and as JSON."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np

from pipeline.cli.output import counted
from pipeline.cli.recording import Opened, people
from pipeline.data.camera import Camera
from pipeline.data.presence import detected_in

SEVERITIES = ("error", "warning", "info")


def field_of_view(camera: Camera) -> tuple[float, float]:
    """Horizontal and vertical field of view in degrees, distortion left aside."""
    degrees = [
        math.degrees(2.0 * math.atan(size / (2.0 * float(camera.matrix[axis, axis]))))
        for axis, size in enumerate(camera.size)
    ]
    return degrees[0], degrees[1]


def facts(opened: Opened) -> dict[str, Any]:
    """Everything that is told, JSON-able; angles in degrees, positions in metres with Y up."""
    sequence, info = opened.sequence, opened.sequence.info
    detected, keypoints = detected_in(sequence)
    views = []
    for view, camera in enumerate(sequence.cameras):
        video, sync = info.videos[view], sequence.syncs[view]
        views.append(
            {
                "camera": camera.name,
                "size": list(camera.size),
                "field_of_view": [round(angle, 2) for angle in field_of_view(camera)],
                "position": [round(float(x), 4) for x in camera.centre],
                "distortion": [float(x) for x in camera.distortion],
                "video": None if video.path is None else str(video.path),
                "video_size": None if video.path is None else list(video.size),
                "video_frames": sync.n_frames,
                "offset": sync.offset,
                "rate": sync.rate + sync.drift,
                "frames_with_people": int(detected[:, view].sum()),
            }
        )
    return {
        "name": info.name,
        "path": str(opened.path),
        "frames": info.n_frames,
        "fps": round(info.fps, 6),
        "seconds": round(info.n_frames / info.fps, 3) if info.fps > 0 else None,
        "skeleton": info.skeleton.title,
        "detected_keypoints": [info.skeleton.markers[k] for k in np.flatnonzero(keypoints)],
        "views": views,
        "persons": [
            {
                "number": person.number,
                "frames": person.frames,
                "views": list(person.views),
                "ignored": person.ignored,
            }
            for person in people(sequence)
        ],
        "findings": [
            {
                "severity": finding.severity,
                "code": finding.code,
                "message": finding.message,
                "path": None if finding.path is None else str(finding.path),
            }
            for finding in sorted(
                opened.findings, key=lambda finding: SEVERITIES.index(finding.severity)
            )
        ],
    }


def as_json(opened: Opened) -> str:
    """The facts as JSON text."""
    return json.dumps(facts(opened), indent=1, ensure_ascii=False, allow_nan=False)


def as_text(opened: Opened) -> str:
    """The facts as lines to read."""
    told = facts(opened)
    lines = [
        told["name"],
        f"  {counted(told['frames'], 'frame')} at {told['fps']:.4g} per second, "
        f"{counted(len(told['views']), 'camera')}",
        "",
        "Cameras (position in metres, Y up)",
    ]
    for view in told["views"]:
        width, height = view["size"]
        across, down = view["field_of_view"]
        x, y, z = view["position"]
        lines += [
            f"  {view['camera']}: {width}×{height} px, field of view {across:.0f}°×{down:.0f}°, "
            f"at ({x:.2f}, {y:.2f}, {z:.2f})",
            f"    video: {_video(view)}",
            f"    detections: people in {counted(view['frames_with_people'], 'frame')}",
        ]
    keypoints = told["detected_keypoints"]
    lines += ["", f"Detected: {len(keypoints)} of the {told['skeleton']} keypoints"]
    if keypoints:
        lines.append(f"  {' '.join(keypoints)}")
    lines += ["", "People"]
    for person in told["persons"]:
        views = ", ".join(person["views"]) or "no view"
        ignored = " (ignored)" if person["ignored"] else ""
        frames = counted(person["frames"], "frame")
        lines.append(f"  Person {person['number']}: {frames} in {views}{ignored}")
    if not told["persons"]:
        lines.append("  nobody")
    if told["findings"]:
        lines += ["", "Findings"]
        lines += [f"  {entry['severity']}: {entry['message']}" for entry in told["findings"]]
    return "\n".join(lines)


def _video(view: dict[str, Any]) -> str:
    if view["video"] is None:
        return "none"
    width, height = view["video_size"]
    text = f"{view['video']}, {width}×{height} px, {counted(view['video_frames'], 'frame')}"
    if view["rate"] != 1.0 or view["offset"]:
        text += f", {view['rate']:.4g} per sequence frame from {view['offset']}"
    return text
