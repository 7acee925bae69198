"""Reading OpenPose-style 2D detections: one JSON file per frame, several people per file.

Detections are mapped by name onto the project's skeleton. A zero x or a zero y means "not
detected", whatever the score: OpenPose writes (0, y, 0.69) for points it did not find.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.data.errors import Finding, UserError
from pipeline.data.skeleton import load_skeleton, project_skeleton, shipped_skeletons
from pipeline.io.detection_files import FrameFiles, frame_ranges
from pipeline.io.detection_skeleton import recognise_skeleton

__all__ = ["Detections", "FrameFiles", "read_detections"]

# Files named one by one before the rest is summed up.
_NAMED_FILES = 20
# A point this far outside, as a part of the picture's size, is no rounding at its edge.
_OUTSIDE_MARGIN = 0.1


@dataclass(frozen=True, slots=True, eq=False)
class Detections:
    """2D detections of one view, in the project's skeleton.

    Parameters
    ----------
    xy : (T, P, K, 2) float32 array
        Pixels of the original video; NaN where missing. P is the most people in one frame; the
        order of people is the file's and carries no identity.
    score : (T, P, K) float32 array
        Confidence from 0 to 1; 0 where missing.
    skeleton : str or None
        File stem of the skeleton the files were written in; None if there was nobody.
    findings : tuple of Finding
        Unreadable files, gaps, the choice of skeleton and doubtful coordinates.
    """

    xy: NDArray[np.float32]
    score: NDArray[np.float32]
    skeleton: str | None
    findings: tuple[Finding, ...] = ()

    @property
    def n_people(self) -> NDArray[np.intp]:
        """(T,) number of people per frame."""
        count: NDArray[np.intp] = (self.score > 0).any(axis=2).sum(axis=1)
        return count


def read_detections(
    folder: Path | FrameFiles,
    *,
    skeleton: str | None = None,
    n_frames: int | None = None,
    first: int | None = None,
    size: tuple[int, int] | None = None,
) -> Detections:
    """Read the detections of one view.

    Parameters
    ----------
    folder : Path or FrameFiles
        Folder of JSON files, or its listing.
    skeleton : str, optional
        File stem of the skeleton of the files; recognised from the points if not given.
    n_frames : int, optional
        Frames of the video: the result has this many.
    first : int, optional
        The number, as in the file names, that is frame 0; found from the numbers if not given.
    size : (int, int), optional
        Width and height of the video in pixels, to count points outside it.

    Returns
    -------
    Detections
        A file that cannot be used leaves its frame empty and is named in a finding.

    Raises
    ------
    UserError
        The folder cannot be read, or ``skeleton`` is not a shipped one.
    """
    if skeleton is not None and skeleton not in shipped_skeletons():
        raise UserError(f"There is no skeleton named {skeleton}.")
    files = folder if isinstance(folder, FrameFiles) else FrameFiles.of_folder(folder)
    findings = list(files.findings)
    offset = files.first_frame(n_frames) if first is None else first
    if offset:
        message = f"The first frame of “{files.folder.name}” is number {offset} in its file names."
        findings.append(Finding("info", "frame-offset", message, files.folder))
    length = n_frames if n_frames is not None else max(files.last - offset + 1, 0)
    people = _People.read(files, offset, length)
    findings += people.findings
    findings += _coverage(files, offset, length)
    stem = skeleton
    counts = Counter(len(points) for points in people.points)
    if stem is None and counts:
        stem, choice = recognise_skeleton(people.points, files.folder)
        findings.append(choice)
    if stem is None:
        return Detections(*_empty(length), None, tuple(findings))
    people, wrong = people.with_points(len(load_skeleton(stem)), files.folder)
    findings += wrong
    xy, score = people.arrays(length, stem)
    findings += _outside(xy, size, files.folder)
    return Detections(xy, score, stem, tuple(findings))


@dataclass(frozen=True, slots=True)
class _People:
    """Every detected person of a view as parallel lists: frame, file, (K, 3) x y score."""

    frames: list[int]
    names: list[str]
    points: list[NDArray[np.float64]]
    findings: list[Finding]

    @staticmethod
    def read(files: FrameFiles, offset: int, length: int) -> _People:
        people = _People([], [], [], [])
        faults: list[tuple[str, str]] = []
        for number, name in zip(files.numbers.tolist(), files.names, strict=True):
            frame = number - offset
            if not 0 <= frame < length:
                continue
            try:
                found = _people_of_file(files.folder / name)
            except ValueError as fault:
                faults.append((name, str(fault)))
                continue
            people.frames.extend([frame] * len(found))
            people.names.extend([name] * len(found))
            people.points.extend(found)
        people.findings.extend(_named("unreadable-detections", files.folder, faults))
        return people

    def with_points(self, count: int, folder: Path) -> tuple[_People, list[Finding]]:
        """Those with the skeleton's number of points, and findings that name the others."""
        keep = [len(points) == count for points in self.points]
        wrong = {
            name: f"it has a person with {len(points)} points instead of {count}"
            for name, points, good in zip(self.names, self.points, keep, strict=True)
            if not good
        }
        kept = replace(
            self,
            frames=[f for f, good in zip(self.frames, keep, strict=True) if good],
            names=[n for n, good in zip(self.names, keep, strict=True) if good],
            points=[p for p, good in zip(self.points, keep, strict=True) if good],
        )
        return kept, _named("wrong-point-count", folder, list(wrong.items()))

    def arrays(self, length: int, skeleton: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """(T, P, K, 2) pixels and (T, P, K) scores in the project's skeleton."""
        if not self.points:
            return _empty(length)
        frames = np.array(self.frames)
        # The files are in frame order, so people of one frame stand next to each other.
        rank = np.arange(len(frames)) - np.searchsorted(frames, frames, side="left")
        target = project_skeleton()
        mapping = load_skeleton(skeleton).mapping_onto(target)
        points = np.stack(self.points)[:, mapping]
        with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite, so missing
            xy, score = points[..., :2].astype(np.float32), points[..., 2]
        missing = ~np.isfinite(xy).all(axis=-1) | (xy == 0).any(axis=-1) | (mapping < 0)[np.newaxis]
        xy[missing] = np.nan
        score[missing | ~np.isfinite(score)] = 0.0
        all_xy = np.full((length, rank.max() + 1, len(target), 2), np.nan, dtype=np.float32)
        all_score = np.zeros(all_xy.shape[:-1], dtype=np.float32)
        all_xy[frames, rank] = xy
        all_score[frames, rank] = np.clip(score, 0.0, 1.0)
        return all_xy, all_score


def _people_of_file(path: Path) -> list[NDArray[np.float64]]:
    """(K, 3) arrays of a file's people; ValueError with the reason as the end of a sentence."""
    try:
        document: Any = json.loads(path.read_bytes())
    except IsADirectoryError as error:
        raise ValueError("it is a folder, not a file") from error
    except OSError as error:
        raise ValueError(f"it cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise ValueError("it is not UTF-8 text") from error
    except (ValueError, RecursionError) as error:
        empty = path.stat().st_size == 0
        raise ValueError("it is empty" if empty else "it is not complete JSON") from error
    people = document.get("people") if isinstance(document, dict) else None
    if not isinstance(people, list):
        raise ValueError("it has no list of people")
    return [points for points in map(_person, people) if len(points)]


def _person(entry: Any) -> NDArray[np.float64]:
    values = entry.get("pose_keypoints_2d") if isinstance(entry, dict) else None
    if not isinstance(values, list):
        raise ValueError("it has a person without “pose_keypoints_2d”")
    if len(values) % 3:
        raise ValueError(f"it has a person with {len(values)} numbers, which is not x, y, score")
    try:
        return np.array(values, dtype=np.float64).reshape(-1, 3)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError("it has a person whose points are not numbers") from error


def _empty(length: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    n_points = len(project_skeleton())
    return (
        np.full((length, 0, n_points, 2), np.nan, dtype=np.float32),
        np.zeros((length, 0, n_points), dtype=np.float32),
    )


def _named(code: str, folder: Path, faults: Sequence[tuple[str, str]]) -> list[Finding]:
    findings = [
        Finding("error", code, f"{folder.name}/{name} was not used: {fault}.", folder / name)
        for name, fault in faults[:_NAMED_FILES]
    ]
    rest = faults[_NAMED_FILES:]
    if rest:
        message = (
            f"{len(rest)} more files of “{folder.name}” were not used, from {rest[0][0]} to "
            f"{rest[-1][0]}."
        )
        findings.append(Finding("error", code, message, folder))
    return findings


def _coverage(files: FrameFiles, offset: int, length: int) -> list[Finding]:
    findings = []
    frames = files.numbers - offset
    present = np.zeros(length, dtype=bool)
    present[frames[(frames >= 0) & (frames < length)]] = True
    gaps = np.flatnonzero(~present)
    if len(gaps) and len(files.numbers):
        message = f"“{files.folder.name}” has no file for {frame_ranges(gaps)}."
        findings.append(Finding("warning", "missing-detections", message, files.folder))
    beyond = int(((frames < 0) | (frames >= length)).sum())
    if beyond:
        message = (
            f"{beyond} files of “{files.folder.name}” lie outside the {length} frames of the "
            "recording and were not used."
        )
        findings.append(Finding("warning", "detections-outside", message, files.folder))
    return findings


def _outside(xy: NDArray[np.float32], size: tuple[int, int] | None, folder: Path) -> list[Finding]:
    if size is None:
        return []
    extent = np.array(size, dtype=np.float32)
    low, high = -_OUTSIDE_MARGIN * extent, (1 + _OUTSIDE_MARGIN) * extent
    # NaN compares false on both sides.
    count = int(((xy < low) | (xy > high)).any(axis=-1).sum())
    if not count:
        return []
    message = (
        f"{count} points in “{folder.name}” lie far outside the picture of {size[0]}×{size[1]} px; "
        "they were kept."
    )
    return [Finding("warning", "outside-picture", message, folder)]
