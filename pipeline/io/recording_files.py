"""Finding the videos, calibrations and detections of a recording in a folder tree."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from pipeline.data.errors import Finding, UserError
from pipeline.io.calibration import is_calibration_name
from pipeline.io.image_files import IMAGE_SUFFIXES, has_pictures
from pipeline.io.name_matching import natural_key
from pipeline.io.picture_set import is_picture_set

VIDEO_SUFFIXES = (
    *(".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg"),
    *(".ts", ".mts", ".m2ts", ".wmv", ".mxf"),
)
# Pose2Sim's names, new ones first; the second of each pair was used up to 0.3.
VIDEO_FOLDERS = ("videos", "raw-2d")
POSE_FOLDERS = ("pose", "pose-2d", "openpose", "spinepose")
# Pictures of boards and pose overlays are no views of the recording.
_NOT_VIEWS = ("calib", "intrinsic", "extrinsic", "pose")
NOT_MEDIA = ("calib", "intrinsic", "extrinsic")
_DEPTH = 2
# A Pose2Sim session keeps one calibration above its participants and trials.
_LEVELS_UP = 2


@dataclass(frozen=True, slots=True)
class RecordingFiles:
    """What lies in a recording's folder, each kind in natural order, the likeliest first.

    ``videos`` are files, or folders of numbered pictures.

    ``findings`` name folders that could not be looked into.
    """

    root: Path
    videos: tuple[Path, ...]
    calibrations: tuple[Path, ...]
    detections: tuple[Path, ...]
    findings: tuple[Finding, ...] = ()


def find_recording_files(path: Path) -> RecordingFiles:
    """Collect by name and place, without opening anything.

    Parameters
    ----------
    path : Path
        Folder of a recording, or a video or calibration file in it.

    Returns
    -------
    RecordingFiles
        Calibrations are searched up to two levels above the folder if it has none.

    Raises
    ------
    UserError
        The path does not exist, is another kind of file, or cannot be listed.
    """
    root = _root_of(path)
    findings: list[Finding] = []
    files, json_folders, picture_folders = _walk(root, findings)
    return RecordingFiles(
        root,
        _videos(root, files, picture_folders),
        _calibrations(root, files),
        _detections(root, json_folders),
        tuple(findings),
    )


def _walk(root: Path, findings: list[Finding]) -> tuple[list[Path], list[Path], list[Path]]:
    """Files, folders of JSON numbered by frame, and folders of numbered pictures."""
    files: list[Path] = []
    json_folders: list[Path] = []
    picture_folders: list[Path] = []
    pending = [(root, 0)]
    while pending:
        folder, depth = pending.pop()
        try:
            with os.scandir(folder) as entries:
                has_frames = False
                pictures: list[str] = []
                for entry in entries:
                    if entry.name.startswith("."):
                        continue
                    if entry.name.endswith(".json"):
                        # Numbered by frame, unlike settings and lists of points.
                        has_frames = has_frames or any(c.isdigit() for c in entry.name)
                    elif entry.is_dir() and not _is_named_like_a_file(entry.name):
                        if depth < _DEPTH and not is_picture_set(Path(entry.path)):
                            pending.append((Path(entry.path), depth + 1))
                    elif entry.name.lower().endswith(IMAGE_SUFFIXES):
                        pictures.append(entry.name)
                    else:
                        files.append(Path(entry.path))
        except OSError as error:
            message = f"The folder “{folder.name}” cannot be read: {error.strerror}."
            if folder == root:
                raise UserError(message) from error
            findings.append(Finding("error", "unreadable-folder", message, folder))
            continue
        if has_frames and folder != root:
            json_folders.append(folder)
        if folder != root and has_pictures(pictures):
            picture_folders.append(folder)
    return files, json_folders, picture_folders


def _is_named_like_a_file(name: str) -> bool:
    # A folder called cam01.mp4 is a mistake that its reader names.
    return name.lower().endswith((*VIDEO_SUFFIXES, ".toml", ".qca.txt", ".qca.xml"))


def _root_of(path: Path) -> Path:
    if not path.exists():
        raise UserError(f"“{path.name}” does not exist.")
    if path.is_dir():
        return path
    if path.suffix.lower() not in VIDEO_SUFFIXES and not is_calibration_name(path):
        raise UserError(f"“{path.name}” is neither a folder nor a video nor a calibration.")
    folder = path.parent
    lowered = folder.name.lower()
    inside = lowered in VIDEO_FOLDERS or lowered.startswith("calib")
    return folder.parent if inside else folder


def _parts(root: Path, path: Path) -> tuple[str, ...]:
    return tuple(part.lower() for part in path.relative_to(root).parts[:-1])


def _videos(root: Path, files: list[Path], picture_folders: list[Path]) -> tuple[Path, ...]:
    every = [file for file in files if file.suffix.lower() in VIDEO_SUFFIXES]
    inside = [f for f in picture_folders if any(p in VIDEO_FOLDERS for p in _parts(root, f))]
    # Elsewhere pictures may be anything (plots): only where there is no video are they views.
    pictures = inside or ([] if every else picture_folders)
    views = [v for v in every if not any(p.startswith(_NOT_VIEWS) for p in _parts(root, v))]
    views += [f for f in pictures if not any(p.startswith(_NOT_VIEWS) for p in _names(root, f))]
    chosen = _in_first_group(root, views or every, VIDEO_FOLDERS)
    return tuple(sorted(chosen, key=lambda p: natural_key(p.stem)))


def _names(root: Path, folder: Path) -> tuple[str, ...]:
    return (*_parts(root, folder), folder.name.lower())


def _detections(root: Path, folders: list[Path]) -> tuple[Path, ...]:
    candidates = [
        folder
        for folder in folders
        if not any(part.startswith(NOT_MEDIA) for part in _names(root, folder))
    ]
    chosen = _in_first_group(root, candidates, POSE_FOLDERS)
    named = [folder for folder in chosen if folder.name.lower().endswith("_json")]
    return tuple(sorted(named or chosen, key=lambda p: natural_key(p.name)))


def _in_first_group(root: Path, paths: list[Path], groups: tuple[str, ...]) -> list[Path]:
    for group in groups:
        inside = [path for path in paths if group in _parts(root, path)]
        if inside:
            return inside
    return paths


def _calibrations(root: Path, files: list[Path]) -> tuple[Path, ...]:
    found = [file for file in files if is_calibration_name(file)]
    # A TOML elsewhere may be anything (a project's settings); only where nothing says
    # "calibration" is it tried.
    found = [f for f in found if _says_calibration(root, f)] or found
    folder = root
    for _ in range(_LEVELS_UP):
        if found:
            break
        folder = folder.parent
        found = [
            file
            for calib in _listed(folder)
            if calib.name.lower().startswith("calib") and calib.is_dir()
            for file in _listed(calib)
            if file.is_file() and is_calibration_name(file)
        ]
    # A TOML is what other tools of the recording used; then by name, so that it is stable.
    return tuple(sorted(found, key=lambda p: (p.suffix.lower() != ".toml", len(p.parts), p.name)))


def _says_calibration(root: Path, file: Path) -> bool:
    parts = (*_parts(root, file), file.name.lower())
    return any("calib" in p for p in parts) or file.name.lower().endswith((".qca.txt", ".qca.xml"))


def _listed(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        # A folder above the recording that may not be listed holds no calibration for us.
        return []
