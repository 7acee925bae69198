"""A part of the file that cannot be read is told once; what needs it is empty, the rest goes on."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest

from pipeline.data import edits
from pipeline.data.errors import UserError
from pipeline.data.history import Place
from pipeline.data.patch import Change
from simspine_viewer.curve_store import CurveStore
from simspine_viewer.document import Document
from simspine_viewer.job_manager import JobManager
from simspine_viewer.job_planner import JobPlanner
from simspine_viewer.lane_store import LaneStore
from simspine_viewer.lanes import BY_ID
from simspine_viewer.quality_monitor import QualityMonitor
from simspine_viewer.simulations import Simulations
from simspine_viewer.stages import Stage
from simspine_viewer.timeline_axis import TimeView
from tests.viewer.fakes import ANNOTATED, Bench, open_bench
from tests.viewer.long_recording import empty_sequence
from tests.viewer.window import wait_until

pytestmark = pytest.mark.gui

SENTENCE = "walk.simspine is damaged: part 1 of its layer 'instances2d.score' cannot be read."
N, INSIDE, OUTSIDE, KEYPOINT = 900, 300, 600, 5
DAMAGED = slice(256, 512)


@dataclass(eq=False)
class Damaged:
    """A recording of which one part cannot be read, and what was said of it."""

    bench: Bench
    told: list[str] = field(default_factory=list)

    @property
    def document(self) -> Document:
        return self.bench.document


@pytest.fixture
def damaged(qapp) -> Damaged:
    sequence = empty_sequence(N)

    def load(number: int) -> np.ndarray:
        raise UserError(SENTENCE)

    sequence.layer("instances2d.score").keep_elsewhere([1], load)
    made = Damaged(open_bench(sequence))
    made.document.unreadable.connect(made.told.append)
    return made


def test_a_frame_in_it_is_empty_and_others_are_there(damaged: Damaged) -> None:
    document = damaged.document
    for frame in (INSIDE, INSIDE + 1, INSIDE):
        points = document.points_at(frame)
        assert points.frame == frame
        assert np.isnan(points.xy).all()
    place = edits.place_point(document.sequence, ANNOTATED, OUTSIDE, 0, KEYPOINT, (7.0, 8.0))
    document.commit("Place", place, Place(OUTSIDE))
    points = document.points_at(OUTSIDE)
    assert points.xy[0, KEYPOINT].tolist() == [7.0, 8.0]
    empty = document.points_at(INSIDE)
    for name in ("xy", "score", "manual", "flags", "xyz", "reprojected", "residual", "rms",
                 "sigma", "source", "fused", "fused_sigma", "fused_source", "label",
                 "label_sigma", "label_source"):  # fmt: skip
        assert getattr(points, name).shape == getattr(empty, name).shape, name
        assert getattr(points, name).dtype.kind == getattr(empty, name).dtype.kind, name
    assert damaged.told == [SENTENCE]


def _view() -> TimeView:
    view = TimeView()
    view.set_axis(N)
    return view


def test_lanes_curves_and_quality_of_the_rest_are_computed(damaged: Damaged) -> None:
    document = damaged.document
    lanes = LaneStore(document, damaged.bench.cursor, damaged.bench.selection)
    lanes.reload()
    curves = CurveStore(document, _view())
    curves.want([KEYPOINT], 0)
    monitor = QualityMonitor(document)
    document.opened.emit()
    wait_until(lambda: lanes.complete and curves.complete and monitor.errors is not None)
    known = np.ones(N, bool)
    known[DAMAGED] = False
    np.testing.assert_array_equal(lanes.known(BY_ID["confidence"]), known)
    np.testing.assert_array_equal(np.isfinite(curves.values(KEYPOINT)["edited"]), known)
    assert damaged.told == [SENTENCE]


def test_a_trail_through_it_is_not_drawn(damaged: Damaged) -> None:
    trails = damaged.bench.editor.trails
    assert trails.in_view(0, KEYPOINT, INSIDE, 5, Stage.WORK).places.shape == (0, 2)
    assert trails.in_view(0, KEYPOINT, OUTSIDE, 5, Stage.WORK).places.shape == (11, 2)
    assert damaged.told == [SENTENCE]


def test_an_edit_in_it_is_kept_and_heard_of(damaged: Damaged) -> None:
    document = damaged.document
    heard: list[Change] = []
    document.changed.connect(heard.append)
    patches = edits.place_point_3d(document.sequence, ANNOTATED, INSIDE, KEYPOINT, (0, 1, 0))
    document.commit("Place", patches, Place(INSIDE))
    assert [change.group for change in heard] == ["manual3d"]
    assert document.history.position == 1
    assert document.sequence.read("manual3d.xyz", [INSIDE], ANNOTATED)[0, KEYPOINT, 1] == 1
    assert damaged.told == [SENTENCE]


def test_solving_in_the_window_stops_there_until_something_changes(damaged: Damaged) -> None:
    damaged.bench.project.read_only = True
    damaged.document.sequence.stamps.forget("points3d", ANNOTATED)
    damaged.bench.cursor.set_frame(INSIDE)
    jobs = JobManager()
    planner = JobPlanner(
        damaged.document, damaged.bench.cursor, jobs, Simulations(damaged.document, jobs)
    )
    planner.plan_now()
    assert damaged.told == [SENTENCE]
    planner.plan_now()
    assert not planner.pending
    jobs.close()


def test_it_is_told_again_of_another_project(damaged: Damaged) -> None:
    damaged.document.points_at(INSIDE)
    damaged.document.close()
    damaged.document.open(damaged.bench.project)  # type: ignore[arg-type]
    damaged.document.points_at(INSIDE)
    assert damaged.told == [SENTENCE] * 2
