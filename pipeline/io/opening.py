"""One way from a path to a sequence: recognise, load, associate; in memory or as a project."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline import __version__
from pipeline.data.errors import Finding, UserError
from pipeline.data.layers import MAX_TRACKS
from pipeline.data.sequence import RecordingInfo, Sequence, VideoRef
from pipeline.data.skeleton import project_skeleton
from pipeline.geometry.association import associate
from pipeline.io.project import Project
from pipeline.io.project_path import SUFFIX, existing_project_for
from pipeline.io.recording import (
    RecordingPlan,
    Report,
    load_recording,
    recognise,
    with_calibration,
)
from pipeline.io.video_fingerprint import fingerprint

__all__ = [
    "SUFFIX",
    "ReadRecording",
    "create_project",
    "existing_project",
    "open_in_memory",
    "project_findings",
    "read_recording",
    "sequence_in_memory",
]

# Share of reading the files; what is left is finding out who is who.
_FILES_SHARE = 0.6


@dataclass(frozen=True, slots=True, eq=False)
class ReadRecording:
    """A recording's files read into arrays, before it is a sequence or a project.

    ``xy`` (T, V, P, K, 2) px and ``score`` (T, V, P, K) of every detected person, ``assignment``
    (T, V, P) the track of each; ``provenance`` is JSON-able.
    """

    info: RecordingInfo
    xy: NDArray[np.float32]
    score: NDArray[np.float32]
    assignment: NDArray[np.int16]
    findings: tuple[Finding, ...]
    provenance: dict[str, Any] = field(default_factory=dict)


def read_recording(plan: RecordingPlan, report: Report | None = None) -> ReadRecording:
    """Load a plan's files and find out which detected instances are the same person.

    ``report`` is called before each video, each view's detections and the rest; what it raises
    ends the reading.

    Raises
    ------
    UserError
        If the plan cannot be used at all, such as one without a calibration.
    """
    tell = report or (lambda fraction, text: None)
    loaded = load_recording(plan, lambda fraction, text: tell(_FILES_SHARE * fraction, text))
    tell(_FILES_SHARE, "Finding out who is who")
    assignment = associate(loaded.cameras, loaded.instances_xy, loaded.instances_score)
    paths = {view.camera: view.video for view in plan.views}
    videos = tuple(
        _video_ref(paths.get(camera.name) if size else None, size or camera.size, sync.n_frames)
        for camera, size, sync in zip(loaded.cameras, loaded.video_sizes, loaded.syncs, strict=True)
    )
    info = RecordingInfo(
        name=plan.name,
        fps=loaded.fps,
        n_frames=loaded.n_frames,
        cameras=loaded.cameras,
        videos=videos,
        syncs=loaded.syncs,
        skeleton=project_skeleton(),
        n_persons=loaded.instances_xy.shape[2],
    )
    provenance = {
        "version": __version__,
        "source": str(plan.root),
        "calibration": str(plan.calibration),
        "world_up": plan.up,
        "findings": [_finding_json(finding) for finding in loaded.findings],
    }
    return ReadRecording(
        info,
        loaded.instances_xy,
        loaded.instances_score,
        np.minimum(assignment, MAX_TRACKS - 1).astype(np.int16),
        loaded.findings,
        provenance,
    )


def _video_ref(path: Path | None, size: tuple[int, int], n_frames: int) -> VideoRef:
    try:
        known = None if path is None else fingerprint(path)
    except OSError:  # gone since it was read; opening the project will say so
        known = None
    return VideoRef(path, size, n_frames, known)


def sequence_in_memory(read: ReadRecording) -> Sequence:
    """A sequence of a recording that is only looked at, with no project on disk."""
    sequence = Sequence(read.info)
    for name, values in (
        ("instances2d.xy", read.xy),
        ("instances2d.score", read.score),
        ("assignment.track", read.assignment),
    ):
        store = sequence.layer(name)
        for number in range(store.n_chunks):
            start = number * store.rows
            store.set_chunk(number, values[start : start + store.rows_in(number)])
    return sequence


def create_project(
    plan: RecordingPlan, path: Path, author: str, report: Report | None = None
) -> Project:
    """Make the project file of a recording at ``path`` and open it."""
    read = read_recording(plan, report)
    return Project.create(
        path,
        read.info,
        author=author,
        xy=read.xy,
        score=read.score,
        assignment=read.assignment,
        recording=read.provenance,
    )


def existing_project(source: Path | RecordingPlan) -> Path | None:
    """The project that belongs to a path: itself, or the one made for a recording folder.

    A plan that is at hand saves looking through its folder again.
    """
    if isinstance(source, Path):
        if source.suffix == SUFFIX:
            if not source.exists():
                raise UserError(f"{source} does not exist.")
            return source
        source = recognise(source)
    return existing_project_for(source.root, source.name)


def open_in_memory(
    source: Path | RecordingPlan,
    calibration: Path | None = None,
    report: Report | None = None,
) -> tuple[Sequence, tuple[Finding, ...]]:
    """Look at a project or a recording folder without writing anything.

    A folder is read anew even where a project was made from it; give the project's own path to
    see what people changed. ``calibration`` replaces the file that a folder's plan chose.
    """
    if isinstance(source, Path):
        if source.suffix == SUFFIX:
            with Project.open(source, read_only=True) as project:
                return project.sequence, project_findings(project)
        source = recognise(source)
    plan = source if calibration is None else with_calibration(source, calibration)
    read = read_recording(plan, report)
    return sequence_in_memory(read), read.findings


def _finding_json(finding: Finding) -> dict[str, Any]:
    return {**asdict(finding), "path": str(finding.path) if finding.path else None}


def project_findings(project: Project) -> tuple[Finding, ...]:
    """What was noticed when a project was opened, then when its recording was first read."""
    read = (
        Finding(
            entry["severity"],
            entry["code"],
            entry["message"],
            Path(entry["path"]) if entry.get("path") else None,
        )
        for entry in project.recording.get("findings", [])
    )
    return (*project.findings, *read)
