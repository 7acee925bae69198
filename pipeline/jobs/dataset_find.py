"""Which folders below a dataset's root are recordings, and which have a project.

Folders called as those of Pose2Sim (``videos``, ``pose``) say where a recording is; only where none
does, videos lying about are looked at, then numbered pictures: plots may be numbered too.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline.data.errors import UserError
from pipeline.io.image_files import IMAGE_SUFFIXES, has_pictures
from pipeline.io.name_matching import natural_key
from pipeline.io.opening import SUFFIX, existing_project
from pipeline.io.picture_set import is_picture_set
from pipeline.io.recording_files import NOT_MEDIA, POSE_FOLDERS, VIDEO_FOLDERS, VIDEO_SUFFIXES


@dataclass(frozen=True, slots=True)
class Found:
    """One sequence of a dataset.

    Attributes
    ----------
    key : str
        Its place below the root, with ``/``: where its results lie below the output folder.
    path : Path
        What is opened: the recording's folder, or the project that was made of it.
    """

    key: str
    path: Path

    @property
    def subject(self) -> str:
        """Folder that the sequence shares with its siblings; empty where it lies in the root."""
        return self.key.rpartition("/")[0]

    @property
    def name(self) -> str:
        """Name of the sequence."""
        return self.key.rpartition("/")[2]


def find_sequences(root: Path, leave_out: Path | None = None) -> tuple[Found, ...]:
    """Every recording and project below a folder, in natural order.

    A recording of which a project was made is opened as that project, so that corrections count.
    Results of earlier runs are passed over.

    Parameters
    ----------
    root : Path
        A folder of recordings at any depth, or one recording.
    leave_out : Path, optional
        A folder that is not looked into.

    Raises
    ------
    UserError
        The folder is none, cannot be listed, or holds no recording.
    """
    root = root.expanduser().absolute()
    if not root.is_dir():
        what = "is not a folder" if root.exists() else "does not exist"
        raise UserError(f"{root} {what}.")
    if not os.access(root, os.R_OK | os.X_OK):
        raise UserError(f"The folder {root} cannot be read.")
    folders, projects = _candidates(root, leave_out)
    found: dict[str, Path] = {}
    used: set[Path] = set()
    for folder in folders:
        project = _project_of(folder)
        if project is not None:
            used.add(project)
        found[_key(root, folder)] = project or folder
    for project in projects:
        if project not in used:
            key = _key(root, project.with_suffix(""))
            found[key if key not in found else _key(root, project)] = project
    if not found:
        raise UserError(f"{root} holds no recording and no project.")
    return tuple(Found(key, found[key]) for key in sorted(found, key=_order))


def _order(key: str) -> list[object]:
    return [natural_key(part) for part in key.split("/")]


def _key(root: Path, path: Path) -> str:
    return root.name if path == root else path.relative_to(root).as_posix()


def _project_of(folder: Path) -> Path | None:
    try:
        return existing_project(folder)
    except UserError:  # it cannot be read, which is told when it is opened
        return None


def _candidates(root: Path, leave_out: Path | None) -> tuple[list[Path], list[Path]]:
    """Folders of recordings, and project files."""
    named: set[Path] = set()
    loose: set[Path] = set()
    pictures: set[Path] = set()
    projects = []
    for folder, files in _walk(root, leave_out):
        projects += [folder / name for name in files if name.endswith(SUFFIX)]
        videos = sum(name.lower().endswith(VIDEO_SUFFIXES) for name in files)
        frames = any(name.endswith(".json") and any(map(str.isdigit, name)) for name in files)
        if not (videos or frames or has_pictures(_pictures(files))):
            continue
        # A folder for each camera, or all cameras in one.
        above = folder if videos > 1 or folder == root else folder.parent
        if (by_name := _named_root(root, folder)) is not None:
            named.add(by_name)
        elif videos or frames:
            loose.add(above)
        else:
            pictures.add(above)
    chosen = list(named)
    for kind in (loose, pictures):
        deepest = [one for one in kind if not any(one in other.parents for other in kind)]
        chosen += [one for one in deepest if not any(_nested(one, other) for other in chosen)]
    return chosen, sorted(projects)


def _pictures(files: list[str]) -> list[str]:
    return [name for name in files if name.lower().endswith(IMAGE_SUFFIXES)]


def _nested(one: Path, other: Path) -> bool:
    return one == other or one in other.parents or other in one.parents


def _named_root(root: Path, folder: Path) -> Path | None:
    """The folder above one that is called as part of a recording."""
    for one in (folder, *folder.parents):
        if one == root:
            return None
        lowered = one.name.lower()
        if lowered in (*VIDEO_FOLDERS, *POSE_FOLDERS) or lowered.startswith("pose"):
            return one.parent
    return None


def _walk(root: Path, leave_out: Path | None) -> Iterator[tuple[Path, list[str]]]:
    passed = None if leave_out is None else leave_out.expanduser().absolute()
    for name, folders, files in os.walk(root, followlinks=True):
        here = Path(name)
        if here != root and is_picture_set(here):
            folders.clear()
            continue
        folders[:] = [
            one
            for one in folders
            if not one.startswith(".")
            and not one.lower().startswith(NOT_MEDIA)
            and here / one != passed
            and not _leads_back(here / one)
        ]
        yield here, [one for one in files if not one.startswith(".")]


def _leads_back(folder: Path) -> bool:
    """Whether a folder is a link to one that it lies in."""
    return folder.is_symlink() and folder.parent.resolve().is_relative_to(folder.resolve())
