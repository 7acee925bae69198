"""A point is placed once and followed through a video whose motion is known."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from pipeline.data.source import Flag
from simspine_viewer.main_window import MainWindow
from simspine_viewer.point_tracker import PointTracker
from tests.viewer.small import N_FRAMES, small_recording
from tests.viewer.window import (
    at_pixel,
    main_window,
    open_and_settle,
    project_of,
    settle,
    wait_until,
)

pytestmark = pytest.mark.gui

VIEW, SIDE, START = 0, 160, (80.0, 76.0)
CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


def _path() -> np.ndarray:
    """(T, 2) where the texture has moved to since the first frame, px."""
    frames = np.arange(N_FRAMES)
    return np.stack([3.0 * frames, 9.0 * np.sin(frames / 3.0)], axis=-1)


def _write_video(path: Path) -> None:
    noise = np.random.default_rng(11).normal(size=(SIDE * 3, SIDE * 3))
    smooth = cv2.GaussianBlur(noise, (0, 0), 3.0)
    texture = np.clip(128 + 50 * smooth / smooth.std(), 0, 255).astype(np.uint8)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=50, options={"crf": "8"})
        stream.width = stream.height = SIDE
        stream.pix_fmt = "yuv420p"
        for dx, dy in _path():
            shift = np.array([[1.0, 0.0, dx - SIDE], [0.0, 1.0, dy - SIDE]])
            seen = cv2.warpAffine(texture, shift, (SIDE, SIDE), flags=cv2.INTER_CUBIC)
            picture = np.repeat(seen[..., None], 3, axis=-1)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        container.mux(stream.encode(None))


@pytest.fixture(scope="module")
def opened(qapp: QApplication, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MainWindow]:
    recording = small_recording(tmp_path_factory.mktemp("follow"))
    _write_video(sorted((recording / "videos").iterdir())[VIEW])
    with main_window((1600, 900)) as shown:
        open_and_settle(shown, project_of(recording))
        yield shown


@pytest.fixture
def window(opened: MainWindow) -> MainWindow:
    """The open window with nothing done in it."""
    while opened.document.history.can_undo:
        opened.document.undo()
    opened.frame_range.clear()
    opened.time.set_frame(0)
    opened.selection.set(view=VIEW)
    opened.inspector.keypoints.selectRow(opened.document.sequence.info.skeleton.index("Spine_03"))
    opened.activateWindow()
    wait_until(opened.isActiveWindow)
    opened.setFocus()
    return opened


def _place(window: MainWindow, frame: int) -> np.ndarray:
    """A click in the picture where the texture's point is; returns where that fell."""
    window.time.set_frame(frame)
    settle(window)
    QTest.keyClick(window, Qt.Key.Key_P)
    pane = window.grid.panes[VIEW]
    at = at_pixel(window, VIEW, np.array(START) + _path()[frame])
    QTest.mouseClick(pane, Qt.MouseButton.LeftButton, pos=at)
    QTest.keyClick(window, Qt.Key.Key_P)
    placed = _placed(window)
    assert np.isfinite(placed[frame]).all()
    return placed[frame] - _path()[frame]


def _placed(window: MainWindow) -> np.ndarray:
    """(T, 2) the points a person placed or had followed, NaN where there is none."""
    document = window.document
    return document.sequence.read("manual2d.xy", track=document.person)[
        :, VIEW, window.selection.keypoint
    ]


def _track(window: MainWindow, *, back: bool = False) -> str:
    """The key is pressed; what the window says when it is done."""
    if back:
        QTest.keyClick(window, Qt.Key.Key_A, SHIFT)
    else:
        QTest.keyClick(window, Qt.Key.Key_A)
    tracker = window.findChild(PointTracker)
    assert tracker is not None
    wait_until(lambda: not tracker.running)
    return window.status.currentMessage()


def test_a_click_and_a_key_place_the_point_in_every_frame(window: MainWindow) -> None:
    origin = _place(window, 0)
    before = window.document.history.position
    said = _track(window)
    assert said == f"Followed Spine_03 in cam_1, frames 1 to {N_FRAMES - 1}."
    error = np.linalg.norm(_placed(window) - _path() - origin, axis=1)
    assert error.max() < 0.4, error
    history = window.document.history
    assert history.position == before + 1, "one command, one undo step"
    assert window.document.points_at(7).manual[VIEW, window.selection.keypoint]
    QTest.keyClick(window, Qt.Key.Key_Z, CTRL)
    assert np.isfinite(_placed(window)[:, 0]).tolist() == [True] + [False] * (N_FRAMES - 1)
    QTest.keyClick(window, Qt.Key.Key_Y, CTRL)
    assert np.isfinite(_placed(window)).all()


def test_back_to_the_start_of_the_range(window: MainWindow) -> None:
    origin = _place(window, 8)
    window.frame_range.between(3, 9)
    assert _track(window, back=True) == "Followed Spine_03 in cam_1, frames 3 to 7."
    placed = _placed(window)
    assert np.flatnonzero(np.isfinite(placed[:, 0])).tolist() == [3, 4, 5, 6, 7, 8]
    np.testing.assert_allclose(placed[3] - _path()[3], origin, atol=0.4)


def test_a_point_of_ones_own_ends_it_and_stays(window: MainWindow) -> None:
    _place(window, 6)
    own = _placed(window)[6]
    _place(window, 0)
    said = _track(window)
    assert said.startswith("Followed Spine_03 in cam_1, frames 1 to 5; from the point placed at")
    assert said.endswith("px away.")
    np.testing.assert_array_equal(_placed(window)[6], own)
    assert np.isnan(_placed(window)[7:]).all()
    window.time.set_frame(5)
    assert _track(window).startswith("There is no free frame")


def test_a_frame_said_to_be_hidden_ends_it(window: MainWindow) -> None:
    _place(window, 0)
    window.time.set_frame(4)
    window.editor.toggle(Flag.OCCLUDED)
    window.time.set_frame(0)
    assert _track(window) == "Followed Spine_03 in cam_1, frames 1 to 3."


def test_what_is_placed_meanwhile_stays(window: MainWindow) -> None:
    _place(window, 0)
    QTest.keyClick(window, Qt.Key.Key_A)
    window.time.set_frame(5)
    view, keypoint = window.selection.view, window.selection.keypoint
    window.editor.drag_in_view(view, keypoint, np.array([20.0, 30.0]))
    window.editor.release()
    tracker = window.findChild(PointTracker)
    assert tracker is not None
    wait_until(lambda: not tracker.running)
    np.testing.assert_array_equal(_placed(window)[5], (20.0, 30.0))
    assert np.isfinite(_placed(window)).all()


def test_what_cannot_be_followed_is_said(window: MainWindow) -> None:
    sequence = window.document.sequence
    window.editor.delete()
    position = window.document.history.position
    window.table.actions["track-forward"].trigger()
    assert window.status.currentMessage() == (
        "Place Spine_03 in cam_1 first: there is nothing to follow."
    )
    _place(window, 0)
    video = sequence.info.videos[VIEW].path
    assert video is not None
    away = video.rename(video.with_suffix(".away"))
    said = _track(window)
    away.rename(video)
    assert said.startswith("Spine_03 was not followed: ")
    assert video.name in said
    assert window.document.history.position == position + 1
    parts = window.editor.parts
    part = parts.part_of(window.selection.keypoint)
    assert part is not None
    parts.set_locked(part.id, True)
    refused: list[str] = []
    window.editor.refused.connect(refused.append)
    window.table.actions["track-forward"].trigger()
    parts.set_locked(part.id, False)
    assert refused
    assert not window.findChild(PointTracker).running
