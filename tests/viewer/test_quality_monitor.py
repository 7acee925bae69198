"""The held-out-camera error follows edits, and only what changed is measured again."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.data import edits
from pipeline.data.history import Place
from pipeline.quality.heldout import heldout_block
from simspine_viewer.quality_monitor import QualityMonitor
from tests.viewer.fakes import open_bench

pytestmark = pytest.mark.gui


def test_it_is_measured_and_follows_an_edit(qtbot) -> None:
    document = open_bench().document
    monitor = QualityMonitor(document)
    document.opened.emit()
    qtbot.waitUntil(lambda: monitor.errors is not None)
    assert monitor.errors is not None
    before = monitor.errors.overall
    sequence = document.sequence
    expected = heldout_block(sequence, document.person, np.arange(sequence.n_frames))
    assert before.median == pytest.approx(np.nanmedian(expected))
    assert before.n == np.isfinite(expected).sum()

    for keypoint in range(12):
        xy = document.points_at(1).xy[0, keypoint] + 200
        patches = edits.place_point(sequence, document.person, 1, 0, keypoint, xy)
        document.commit("Move", patches, Place(1, 0, keypoint, document.person))
    qtbot.waitUntil(lambda: monitor.errors is not None and monitor.errors.overall.p90 > before.p90)


def test_another_person_is_measured_anew(qtbot) -> None:
    document = open_bench().document
    monitor = QualityMonitor(document)
    document.opened.emit()
    qtbot.waitUntil(lambda: monitor.errors is not None)
    document.set_person(1)
    assert monitor.errors is None
    qtbot.waitUntil(lambda: monitor.errors is not None)


def test_closing_forgets(qtbot) -> None:
    document = open_bench().document
    monitor = QualityMonitor(document)
    document.opened.emit()
    document.close()
    assert monitor.errors is None
    assert not monitor.busy
    qtbot.wait(1000)
    assert monitor.errors is None
