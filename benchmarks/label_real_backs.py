"""Places points on the real recording's back in our own window: markers, or the column's levels.

Run from the repository: ``python -m benchmarks.label_real_backs RECORDING [--part markers|column]
[--show FOLDER]``. What is read, and written, lies in ``tests/data/real_backs`` (see README.md
there): ``starts.csv`` has the markers that were placed; ``markers.csv`` is what came of following
them; ``column.csv`` has the nine levels, which are placed in every frame and not followed.
``--show`` writes enlarged pictures of every result to look at; they are not for the repository.

Nothing is reached into: points are placed by dragging in the editor, followed with the command
"Track Forward in the Video", and written by the CSV export.
"""

from __future__ import annotations

import argparse
import csv
import os
import shutil
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import cv2
import numpy as np
from numpy.typing import NDArray
from PySide6.QtWidgets import QApplication

from benchmarks.real_backs_labels import FOLDER, SLOTS, Mark, read_marks, write_marks
from pipeline.io.export import ExportRequest, export_steps
from pipeline.io.video import VideoReader
from simspine_viewer.main_window import MainWindow
from simspine_viewer.point_tracker import PointTracker
from tests.viewer.window import main_window, open_and_settle, settle, wait_until

TILE, ZOOM, COLUMNS = 33, 4, 10
SEEN_UNTIL = {("cam_03", "LPSIS"): 85}  # then the waistband covers it


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("recording", type=Path)
    parser.add_argument("--part", choices=("markers", "column"), default="markers")
    parser.add_argument("--show", type=Path)
    told = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["XDG_CONFIG_HOME"] = os.environ["XDG_CACHE_HOME"] = scratch
        copy = copied(told.recording, Path(scratch))
        application = QApplication(sys.argv[:1])
        with main_window((1600, 900)) as window:
            open_and_settle(window, copy)
            label = labelled if told.part == "markers" else column
            marks = label(window, Path(scratch) / "labels.csv")
        path = FOLDER / f"{told.part}.csv"
        write_marks(path, marks)
        print(f"{len(marks)} points written to {path}")
        if told.show:
            show(copy, marks, told.show)
        application.processEvents()
    return 0


def copied(recording: Path, scratch: Path) -> Path:
    """The recording in a folder of its own, videos linked, so that its project is a new one."""
    copy = scratch / "balancing"
    copy.mkdir()
    for entry in recording.iterdir():
        if entry.name == "videos":
            (copy / "videos").symlink_to(entry.resolve())
        elif entry.name != "reference":
            shutil.copytree(entry, copy / entry.name, copy_function=shutil.copyfile)
    return copy


def labelled(window: MainWindow, out: Path) -> list[Mark]:
    """Every marker of every view, as the export has it."""
    views = window.document.sequence.cameras.names
    skeleton = window.document.sequence.info.skeleton
    slots = {marker: skeleton.index(slot) for marker, slot in SLOTS.items()}
    starts = read_marks(FOLDER / "starts.csv")
    place(window, starts, slots)
    for command in ("track-forward", "track-back"):
        for mark in starts:
            window.time.set_frame(mark.frame)
            window.selection.set(view=views.index(mark.view), keypoint=slots[mark.marker])
            window.frame_range.clear()
            last = SEEN_UNTIL.get((mark.view, mark.marker))
            if last is not None:
                window.frame_range.between(0, last)
            follow(window, command)
    return exported(window, out, starts, slots)


def column(window: MainWindow, out: Path) -> list[Mark]:
    """The nine levels in both views, as the export has them."""
    names = window.document.sequence.info.skeleton.markers
    marks = read_marks(FOLDER / "column.csv")
    slots = {mark.marker: names.index(mark.marker) for mark in marks}
    place(window, marks, slots)
    return exported(window, out, marks, slots)


def place(window: MainWindow, marks: list[Mark], slots: dict[str, int]) -> None:
    """Drag every point to where it was read."""
    views = window.document.sequence.cameras.names
    for mark in marks:
        window.time.set_frame(mark.frame)
        view, keypoint = views.index(mark.view), slots[mark.marker]
        window.selection.set(view=view, keypoint=keypoint)
        window.editor.drag_in_view(view, keypoint, np.array([mark.x, mark.y]))
        window.editor.release()
    settle(window)


def follow(window: MainWindow, command: str) -> None:
    """One command of the menu, and what the window says of it."""
    before = window.document.history.position
    window.status.clearMessage()
    window.table.actions[command].trigger()
    tracker = window.findChild(PointTracker)
    assert tracker is not None
    wait_until(lambda: not tracker.running)
    said = window.status.currentMessage()
    assert window.document.history.position - before in (0, 1), "one command, one undo step"
    print(f"frame {window.time.frame:3d}: {said}", flush=True)


def exported(
    window: MainWindow, path: Path, starts: list[Mark], slots: dict[str, int]
) -> list[Mark]:
    """The points placed by a person or followed for one, from a table exported to ``path``."""
    document = window.document
    project = document.project
    assert project is not None
    request = ExportRequest(
        document.sequence, document.person, "csv", path, authorship=project.authorship()
    )
    for _ in export_steps(request):
        pass
    placed = {(mark.view, mark.marker, mark.frame) for mark in starts}
    names = document.sequence.info.skeleton.names
    markers = {names[slot]: marker for marker, slot in slots.items()}
    found = []
    with path.open(encoding="utf-8", newline="") as handle:
        rows = csv.DictReader(line for line in handle if not line.startswith("#"))
        for row in rows:
            if row["space"] == "world" or "manual" not in row["source"]:
                continue
            marker = markers.get(row["keypoint"])
            if marker is None or not row["x"]:
                continue
            frame = int(row["frame"])
            how = "placed" if (row["space"], marker, frame) in placed else "followed"
            found.append(Mark(row["space"], marker, frame, float(row["x"]), float(row["y"]), how))
    return found


def show(recording: Path, marks: list[Mark], folder: Path) -> None:
    """One sheet of enlarged pictures for each marker and view."""
    folder.mkdir(parents=True, exist_ok=True)
    videos = sorted((recording / "videos").iterdir())
    for view in sorted({mark.view for mark in marks}):
        with VideoReader(videos[int(view.removeprefix("cam_")) - 1]) as reader:
            for marker in sorted({mark.marker for mark in marks if mark.view == view}):
                own = [mark for mark in marks if (mark.view, mark.marker) == (view, marker)]
                tiles = [_tile(reader.get(mark.frame), mark) for mark in own]
                tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % COLUMNS)
                rows = [np.hstack(tiles[i : i + COLUMNS]) for i in range(0, len(tiles), COLUMNS)]
                cv2.imwrite(str(folder / f"{view}_{marker}.png"), np.vstack(rows))


def _tile(picture: NDArray[np.uint8] | None, mark: Mark) -> NDArray[np.uint8]:
    assert picture is not None
    colours = np.ascontiguousarray(picture[..., :3])
    patch = cv2.getRectSubPix(colours, (TILE, TILE), (mark.x, mark.y))
    tile = cv2.resize(patch, None, fx=ZOOM, fy=ZOOM, interpolation=cv2.INTER_CUBIC)
    middle = TILE * ZOOM // 2
    cv2.drawMarker(tile, (middle, middle), (0, 0, 255), cv2.MARKER_CROSS, 11, 1)
    colour = (0, 255, 0) if mark.how == "placed" else (0, 255, 255)
    cv2.putText(tile, str(mark.frame), (3, 12), 0, 0.42, colour, 1)
    return np.asarray(tile, np.uint8)


if __name__ == "__main__":
    sys.exit(main())
