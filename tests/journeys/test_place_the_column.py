"""Nine column points are placed by hand in one frame of the real recording, in every view."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from pipeline.geometry.projection import project_views
from simspine_viewer.main_window import MainWindow
from tests.viewer.window import at_pixel, main_window, open_and_settle, settle

pytestmark = [pytest.mark.gui, pytest.mark.realdata]

FRAME = 10
# One screen pixel of an enlarged pane is about three picture pixels, and the cameras of this
# recording disagree by ten: what a careful click can reach is a few centimetres.
TOLERANCE = 0.03


def _intended_column(window: MainWindow) -> np.ndarray:
    """(9, 3) a gently curved line from between the hips to the neck and on towards the head."""
    skeleton = window.document.sequence.info.skeleton
    xyz = window.document.points_at(FRAME).xyz
    hip = (xyz[skeleton.index("LHip")] + xyz[skeleton.index("RHip")]) / 2
    neck, head = xyz[skeleton.index("Neck")], xyz[skeleton.index("Head")]
    base = hip + 0.85 * (neck - hip)
    share = np.array([0.0, 0.17, 0.33, 0.5, 0.67, 0.83, 1.0])
    trunk = hip + share[:, None] * (base - hip)
    return np.vstack([trunk, base + 0.35 * (head - base), base + 0.6 * (head - base)])


def test_place_the_nine_points(balancing: Path, qtbot) -> None:
    with main_window((1600, 900)) as window:
        open_and_settle(window, balancing)
        document, grid, selection = window.document, window.grid, window.selection
        window.time.set_frame(FRAME)
        settle(window)
        intended = _intended_column(window)
        clicks = project_views(document.sequence.cameras, intended)  # (9, V, 2)
        column = document.sequence.info.skeleton.column
        missing = np.isnan(document.points_at(FRAME).xyz[list(column), 0])
        assert missing.sum() == 8, "only the neck comes from the detector"

        window.inspector.keypoints.selectRow(column[0])
        QTest.keyClick(window, Qt.Key.Key_P)
        assert window.editor.placing
        n_views, placed = document.sequence.n_views, 0
        for view in range(n_views):
            selection.set(view=view)
            QTest.keyClick(window, Qt.Key.Key_Return)
            settle(window)
            pane = grid.panes[view]
            assert pane.isVisible()
            assert sum(p.isVisible() for p in grid.panes) == 1
            for number, keypoint in enumerate(column):
                window.inspector.keypoints.selectRow(keypoint)
                at = at_pixel(window, view, clicks[number, view])
                assert pane.rect().contains(at)
                QTest.mouseClick(pane, Qt.MouseButton.LeftButton, pos=at)
                placed += 1
                assert document.history.position == placed, "one click, one undo step"
            QTest.keyClick(window, Qt.Key.Key_Return)
        QTest.keyClick(window, Qt.Key.Key_P)
        assert not window.editor.placing

        points = document.points_at(FRAME)
        assert points.manual[:, list(column)].all()
        error = np.linalg.norm(points.xyz[list(column)] - intended, axis=-1)
        assert error.max() < TOLERANCE, error
        assert (points.residual[:, list(column)] < 12).all()
        assert window.timeline.signals is not None
        assert window.timeline.signals.edited[FRAME] == placed

        for _ in range(placed):
            QTest.keyClick(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
        assert not document.history.can_undo
        undone = document.points_at(FRAME)
        assert not undone.manual.any()
        assert np.isnan(undone.xyz[list(column), 0]).sum() == 8
