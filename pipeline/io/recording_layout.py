"""What a folder of videos, calibration and detections is: which file belongs to which camera.

Nothing is decoded here; the result is a plan that a person may mend before it is loaded.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.data.camera import SyncMap
from pipeline.data.errors import Finding, UserError
from pipeline.io.calibration import Calibration, compare_distortion, read_calibration
from pipeline.io.name_matching import Match, match_names
from pipeline.io.recording_files import find_recording_files


@dataclass(frozen=True, slots=True)
class ViewPlan:
    """One camera of a recording and its files.

    ``sync`` None means that it is worked out from the videos when the recording is loaded.
    """

    camera: str
    video: Path | None = None
    detections: Path | None = None
    sync: SyncMap | None = None


@dataclass(frozen=True, slots=True)
class RecordingPlan:
    """What is to be opened; change it with :func:`dataclasses.replace`.

    Parameters
    ----------
    root : Path
        Folder of the recording.
    name : str
        What it is called.
    views : tuple of ViewPlan
        In the order of the ``V`` axis.
    calibration : Path or None
        The file that will be read, None if there is none (3D needs one).
    alternatives : tuple of Path
        Other calibrations that were found.
    skeleton : str or None
        File stem of the skeleton of the detections; None: recognise it.
    up : str
        Up axis of the calibration's world, a key of
        :data:`pipeline.data.camera.WORLD_FROM_UP`.
    findings : tuple of Finding
        What was noticed.
    """

    root: Path
    name: str
    views: tuple[ViewPlan, ...] = ()
    calibration: Path | None = None
    alternatives: tuple[Path, ...] = ()
    skeleton: str | None = None
    up: str = "z"
    findings: tuple[Finding, ...] = ()


def recognise(path: Path) -> RecordingPlan:
    """Work out what a folder holds.

    Known are Pose2Sim's projects (``videos``, ``calibration``, ``pose/<camera>_json``; before
    0.4 ``raw-2d``, ``calib-2d``, ``pose-2d``; a calibration may lie up to two levels above the
    trial) and any folder with videos, at most two levels deep, and a calibration.

    Parameters
    ----------
    path : Path
        The folder, or a video or calibration file in it.

    Returns
    -------
    RecordingPlan
        Without ``calibration`` if none was found.

    Raises
    ------
    UserError
        The path does not exist, or holds neither videos nor detections.
    """
    found = find_recording_files(path)
    if not found.videos and not found.detections:
        raise UserError(
            f"“{found.root.name}” holds no recording: there are no videos and no detections in it."
        )
    calibrations = list(found.calibrations)
    if path in calibrations:
        calibrations = [path, *(p for p in calibrations if p != path)]
    plan = _plan(found.root, list(found.videos), calibrations, list(found.detections))
    return replace(plan, findings=(*found.findings, *plan.findings))


def plan_from_files(
    videos: Sequence[Path], calibration: Path | None, detections: Sequence[Path] = ()
) -> RecordingPlan:
    """A plan of files picked by hand.

    Parameters
    ----------
    videos : sequence of Path
        Video files.
    calibration : Path or None
        Calibration file.
    detections : sequence of Path
        Folders of detections, one per view.

    Raises
    ------
    UserError
        Nothing was picked, a file does not exist, or the calibration cannot be used.
    """
    if not videos and not detections:
        raise UserError("A recording needs at least one video or one folder of detections.")
    for path in (*videos, *detections):
        if not path.exists():
            raise UserError(f"“{path.name}” does not exist.")
    root = Path(os.path.commonpath([p.parent.resolve() for p in (*videos, *detections)]))
    if calibration is not None:
        read_calibration(calibration)
    paths = [] if calibration is None else [calibration]
    return _plan(root, list(videos), paths, list(detections))


def with_calibration(plan: RecordingPlan, calibration: Path) -> RecordingPlan:
    """The same plan with another calibration, its views kept.

    Parameters
    ----------
    plan : RecordingPlan
        A plan whose cameras have the same names in the new file.
    calibration : Path
        The new file; the old one becomes an alternative.

    Raises
    ------
    UserError
        The file cannot be used, or lacks a camera of the plan.
    """
    chosen = read_calibration(calibration)
    names = {camera.name for camera in chosen.cameras}
    missing = [view.camera for view in plan.views if view.camera not in names]
    if missing:
        raise UserError(f"{calibration.name} has no camera named {missing[0]}.")
    old = () if plan.calibration is None else (plan.calibration,)
    paths = [p for p in (*old, *plan.alternatives) if p != calibration]
    others, unreadable = _readable(paths)
    about_calibration = {"distortion-scale", "calibration-alternative", "units", "no-calibration"}
    kept = [f for f in plan.findings if f.code not in about_calibration]
    return replace(
        plan,
        calibration=calibration,
        alternatives=tuple(other.path for other in others),
        findings=(*kept, *unreadable, *_calibration_findings(chosen, others)),
    )


def _plan(
    root: Path, videos: list[Path], calibrations: list[Path], folders: list[Path]
) -> RecordingPlan:
    usable, findings = _readable(calibrations)
    if not usable:
        message = f"“{root.name}” has no usable calibration, which 3D needs (.toml or .qca.txt)."
        findings.append(Finding("error", "no-calibration", message, root))
        views, more = _views(
            root, [v.stem for v in videos] or [f.name for f in folders], videos, folders
        )
        return RecordingPlan(root, root.name, views, findings=(*findings, *more))
    chosen, *others = usable
    findings += _calibration_findings(chosen, others)
    views, more = _views(root, [c.name for c in chosen.cameras], videos, folders)
    return RecordingPlan(
        root,
        root.name,
        views,
        chosen.path,
        tuple(other.path for other in others),
        findings=(*findings, *more),
    )


def _calibration_findings(chosen: Calibration, others: list[Calibration]) -> list[Finding]:
    findings = list(chosen.findings)
    proofs = [proof for other in others if (proof := compare_distortion(chosen, other))]
    if proofs:
        findings = [f for f in findings if f.code != "distortion-scale"] + proofs
    if others:
        names = ", ".join(other.path.name for other in others)
        message = f"{chosen.path.name} is used as the calibration; {names} could be used instead."
        findings.append(Finding("info", "calibration-alternative", message, chosen.path))
    return findings


def _readable(paths: Iterable[Path]) -> tuple[list[Calibration], list[Finding]]:
    usable: list[Calibration] = []
    findings: list[Finding] = []
    for path in paths:
        try:
            usable.append(read_calibration(path))
        except UserError as error:
            findings.append(Finding("error", "unreadable-calibration", str(error), path))
    return usable, findings


def _views(
    root: Path, cameras: list[str], videos: list[Path], folders: list[Path]
) -> tuple[tuple[ViewPlan, ...], list[Finding]]:
    by_video = match_names(cameras, [video.stem for video in videos])
    by_folder = match_names(cameras, [folder.name for folder in folders])
    findings = [
        *_by_order(cameras, [v.name for v in videos], by_video, root),
        *_by_order(cameras, [f.name for f in folders], by_folder, root),
    ]
    for spare, paths, what in (
        (by_video.spare, videos, "video"),
        (by_folder.spare, folders, "folder of detections"),
    ):
        for index in spare:
            path = paths[index]
            message = f"The {what} “{path.name}” belongs to no camera of the calibration."
            findings.append(Finding("warning", "no-camera", message, path))
    views = []
    unused = []
    for name, video, folder in zip(cameras, by_video.index, by_folder.index, strict=True):
        if video is None and folder is None:
            unused.append(name)
            continue
        views.append(
            ViewPlan(
                name,
                None if video is None else videos[video],
                None if folder is None else folders[folder],
            )
        )
        if video is None:
            message = f"The camera {name} has no video in “{root.name}”."
            findings.append(Finding("warning", "no-video", message, root))
        elif folder is None and folders:
            message = f"The camera {name} has no detections in “{root.name}”."
            findings.append(Finding("warning", "no-detections", message, root))
    if unused:
        some = "camera" if len(unused) == 1 else "cameras"
        message = f"“{root.name}” has no video and no detections of the {some} {', '.join(unused)}."
        findings.append(Finding("warning", "no-video", message, root))
    return tuple(views), findings


def _by_order(cameras: list[str], names: list[str], match: Match, root: Path) -> list[Finding]:
    if not match.by_order:
        return []
    pairs = []
    for target in match.by_order:
        index = match.index[target]
        if index is not None:
            pairs.append(f"{names[index]} to {cameras[target]}")
    message = f"In “{root.name}” these were matched by order only: {', '.join(pairs)}."
    return [Finding("warning", "matched-by-order", message, root)]
