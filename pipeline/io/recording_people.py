"""The detected people of all views on one time axis."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.data.camera import SyncMap
from pipeline.data.errors import Finding, UserError
from pipeline.data.skeleton import project_skeleton
from pipeline.io.detection_files import FrameFiles, frame_zero
from pipeline.io.detections import Detections, read_detections

_ORDERS_OF_25 = ("body_25", "body_25b")


def read_all_detections(
    folders: Sequence[Path | None],
    lengths: Sequence[int | None],
    sizes: Sequence[tuple[int, int] | None],
    skeleton: str | None,
    findings: list[Finding],
    report: Callable[[float, str], None] = lambda fraction, text: None,
) -> list[Detections | None]:
    """Detections of every view, numbered alike and in one skeleton.

    Parameters
    ----------
    folders : sequence of Path or None
        Folder of each view.
    lengths, sizes : sequence
        Frames and picture size of each view's video; None where there is none.
    skeleton : str or None
        File stem of the skeleton; None: recognise it.
    findings : list of Finding
        Is appended to.
    report : callable
        Is told before each view, with the share of views that is done and the folder's name.

    Returns
    -------
    list of Detections or None
        None where a view has no folder, or one that cannot be read.
    """
    files = _frame_files(folders, lengths, findings)
    longest = max((n for n in lengths if n is not None), default=None)

    def read(index: int, stem: str | None) -> Detections | None:
        entry = files[index]
        if entry is None:
            return None
        report(index / len(files), f"Reading “{entry[0].folder.name}”")
        own = lengths[index]
        return read_detections(
            entry[0],
            skeleton=stem,
            first=entry[1],
            n_frames=longest if own is None else own,
            size=sizes[index],
        )

    found = [read(i, skeleton) for i in range(len(files))]
    people = dict.fromkeys(_ORDERS_OF_25, 0)
    for d in found:
        if d is not None and d.skeleton in people:
            people[d.skeleton] += int(d.n_people.sum())
    if all(people.values()):
        # One detector wrote all views, so the order that most people have is everyone's.
        usual = max(people, key=lambda stem: people[stem])
        found = [
            read(i, usual) if d is not None and d.skeleton in people else d
            for i, d in enumerate(found)
        ]
        some = next(folder for folder in folders if folder is not None)
        message = (
            f"The views in {some.parent.name} seem to order their 25 points differently; all were "
            f"read as {usual}."
        )
        findings.append(Finding("warning", "skeleton", message, some.parent))
    for d in found:
        if d is not None:
            findings.extend(d.findings)
    return found


def several_people(names: Sequence[str], detections: Sequence[Detections | None]) -> list[Finding]:
    """A finding naming the views that show more than one person at once, or none."""
    crowded = [
        f"{name} ({most})"
        for name, d in zip(names, detections, strict=True)
        if d is not None and (most := int(d.n_people.max(initial=0))) > 1
    ]
    if not crowded:
        return []
    message = f"There are several people at once in {', '.join(crowded)}."
    return [Finding("info", "several-people", message)]


def on_sequence_axis(
    n_frames: int, syncs: Sequence[SyncMap], detections: Sequence[Detections | None]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Detections of all views by sequence frame.

    Parameters
    ----------
    n_frames : int
        T.
    syncs : sequence of SyncMap
        Per view; ``n_frames`` is not used.
    detections : sequence of Detections or None
        Per view, by video frame.

    Returns
    -------
    xy : (T, V, P, K, 2) float32 array
        Pixels, NaN where missing.
    score : (T, V, P, K) float32 array
        Confidence, 0 where missing.
    """
    n_people = max((d.xy.shape[1] for d in detections if d is not None), default=0)
    n_points = len(project_skeleton())
    xy = np.full((n_frames, len(syncs), n_people, n_points, 2), np.nan, dtype=np.float32)
    score = np.zeros(xy.shape[:-1], dtype=np.float32)
    for view, (sync, d) in enumerate(zip(syncs, detections, strict=True)):
        if d is None:
            continue
        axis = replace(sync, n_frames=len(d.xy))
        pairs = [(t, f) for t in range(n_frames) if (f := axis.video_frame(t)) is not None]
        if pairs:
            frames, sources = np.array(pairs).T
            people = d.xy.shape[1]
            xy[frames, view, :people] = d.xy[sources]
            score[frames, view, :people] = d.score[sources]
    return xy, score


def _frame_files(
    folders: Sequence[Path | None], lengths: Sequence[int | None], findings: list[Finding]
) -> list[tuple[FrameFiles, int] | None]:
    """Listing and number of frame 0 of each view.

    A view whose numbers cover its video exactly speaks for itself; the others share what all of
    them together say, so that a view that starts late (nobody in it yet) is not shifted.
    """
    listed: list[FrameFiles | None] = []
    for folder in folders:
        files = None
        if folder is not None:
            try:
                files = FrameFiles.of_folder(folder)
            except UserError as error:
                findings.append(Finding("error", "unreadable-detections", str(error), folder))
        listed.append(files)
    some = [files for files in listed if files is not None and len(files.numbers)]
    first = min((files.first for files in some), default=0)
    last = max((files.last for files in some), default=-1)
    shared = frame_zero(first, last, max((n for n in lengths if n is not None), default=None))
    return [
        None
        if files is None
        else (files, files.first if files.last - files.first + 1 == length else shared)
        for files, length in zip(listed, lengths, strict=True)
    ]
