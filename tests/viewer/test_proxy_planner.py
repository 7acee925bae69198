"""Small copies are planned around the cursor, one line in the list of jobs, never in the way."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from pipeline.data import edits
from pipeline.data.history import Place
from pipeline.data.sequence import VideoRef
from pipeline.io.proxy_store import SEGMENT_FRAMES
from pipeline.io.video_frames import VideoIndex
from pipeline.jobs.messages import Cancelled, Done, Event, Failed, File, Job, Progress
from simspine_viewer import proxy_planner
from simspine_viewer.frame_loader import FrameLoader, KnownVideo
from simspine_viewer.job_manager import JobManager
from simspine_viewer.proxy_planner import TITLE, ProxyPlanner, is_slow
from simspine_viewer.settings import Settings
from tests.viewer.fakes import Bench, FakeProject, make_sequence, open_bench
from tests.viewer.window import wait_until

pytestmark = pytest.mark.gui

N = 4 * SEGMENT_FRAMES
SIZE = (1000, 1000)


def index(
    name: str = "a.mp4", n: int = N, size: tuple[int, int] = SIZE, group: int = 250
) -> VideoIndex:
    keys, frames = np.arange(0, n, group, dtype=np.int64), np.arange(n, dtype=np.int64)
    clean, lead = np.ones(len(keys), np.bool_), np.zeros(len(keys), np.int64)
    return VideoIndex(
        Path(name), "h264", "pts", Fraction(1, 50), frames, keys, keys, keys, keys, clean, lead,
        *size,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("described", "slow"),
    [
        (index(), True),
        (index(n=100, size=(1080, 1920), group=100), True),  # short, but each seek takes 0.7 s
        (index(n=100, size=(160, 160), group=100), False),
        (index(group=12), False),
        (index(group=15, size=(1080, 1920)), False),
        (index(group=10, size=(3840, 2160)), True),
        (index(group=1, size=(640, 480)), False),
    ],
)
def test_what_is_quick_as_it_is_needs_no_copy(described: VideoIndex, slow: bool) -> None:
    assert is_slow(described) == slow


class FakeWorker:
    """Keeps the jobs it is given; the test says what comes of them."""

    def __init__(self) -> None:
        self.jobs: list[Job] = []
        self.events: list[Event] = []

    def start(self) -> None: ...

    def submit(self, job: Job) -> None:
        self.jobs.append(job)

    def cancel(self, job_id: int) -> None:
        self.events.append(Cancelled(job_id))

    def poll(self) -> list[Event]:
        events, self.events = self.events, []
        return events

    def close(self) -> None: ...

    def say(self, *events: Event) -> None:
        self.events += events
        wait_until(lambda: not self.events)

    @property
    def segments(self) -> list[tuple[str, int]]:
        """Video and segment of each job."""
        return [(Path(j.args["video"]).stem, j.args["segments"][0]) for j in self.jobs]


class Plan:
    """A planner for a recording of two slow videos, the second 100 frames ahead of the first."""

    def __init__(self) -> None:
        videos = tuple(VideoRef(None, SIZE, N) for _ in range(2))
        self.bench: Bench = open_bench(make_sequence(n_frames=2, n_views=2, videos=videos))
        self.bench.cursor.set_range(N, 50.0)
        self.worker = FakeWorker()
        self.jobs = JobManager(worker=self._worker)  # type: ignore[arg-type]
        self.loader, self.settings = FrameLoader(), Settings()
        self.planner = ProxyPlanner(
            self.bench.document, self.bench.cursor, self.loader, self.jobs, self.settings
        )

    def _worker(self, kind: str) -> FakeWorker:
        assert kind == "media"
        return self.worker

    def show_videos(self, *names: str) -> None:
        for view, name in enumerate(names):
            self.loader.video_opened.emit(KnownVideo(view, name, index(f"{name}.mp4")))
        self.wait_for_jobs(1)

    def wait_for_jobs(self, count: int) -> None:
        wait_until(lambda: len(self.worker.jobs) >= count)

    def make(self, key: str, segment: int) -> None:
        """What the worker would leave on the disk."""
        path = self.planner.store.segment_path(key, segment)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes(1000))

    def finish(self) -> None:
        """The worker has made what it was given last."""
        count, job = len(self.worker.jobs), self.worker.jobs[-1]
        self.make(job.args["key"], job.args["segments"][0])
        self.worker.say(Done(job.id))
        wait_until(lambda: len(self.worker.jobs) > count or self.planner.share_done == 1.0)

    @property
    def lines(self) -> list[tuple[str, str]]:
        """Title and words of the jobs that the user sees."""
        return [(state.job.title, state.text) for state in self.jobs.jobs]


@pytest.fixture
def plan(qtbot, monkeypatch: pytest.MonkeyPatch) -> Iterator[Plan]:
    monkeypatch.setattr(proxy_planner, "QUIET_MS", 30)
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    made = Plan()
    yield made
    made.jobs.close()
    made.loader.close()


def test_all_views_near_the_cursor_come_first_then_the_rest(plan: Plan) -> None:
    plan.bench.cursor.set_frame(2 * SEGMENT_FRAMES + 10)
    plan.show_videos("a", "b")
    for _ in range(2 * 4):
        plan.finish()
    asked = plan.worker.segments
    assert set(asked[:2]) == {("a", 2), ("b", 2)}
    assert len(asked) == len(set(asked)) == 8
    near = [abs(segment - 2) for _, segment in asked]
    assert near == sorted(near)
    assert plan.worker.jobs[0].args["in_use"] == ["a", "b"]


def test_a_corrected_time_axis_says_which_part_of_a_video_is_near(plan: Plan) -> None:
    document = plan.bench.document
    shift = edits.set_sync(document.sequence, 0, 0.0, -0.4)
    document.commit("Drift", shift, Place(0))
    plan.bench.cursor.set_frame(2 * SEGMENT_FRAMES + 10)
    plan.show_videos("a")
    assert plan.worker.segments == [("a", 1)]


def test_the_list_of_jobs_shows_one_line_for_all(plan: Plan) -> None:
    plan.show_videos("a", "b")
    assert plan.lines == [(TITLE, "0 %")]
    plan.worker.say(Progress(plan.worker.jobs[-1].id, 0.8, "a.mp4: frames 0 to 499"))
    assert plan.lines == [(TITLE, "10 %")]
    plan.worker.say(File(plan.worker.jobs[-1].id, Path("00000.mp4")))
    assert plan.jobs.jobs[0].files == []
    for _ in range(4):
        plan.finish()
        assert len(plan.lines) == 1
    assert plan.lines == [(TITLE, "50 %")]
    assert plan.jobs.jobs[0].fraction == pytest.approx(0.5)


def test_a_jump_takes_the_work_along(plan: Plan) -> None:
    plan.show_videos("a")
    plan.bench.cursor.set_frame(N - 1)
    plan.wait_for_jobs(2)
    assert plan.worker.segments == [("a", 0), ("a", 3)]
    assert len(plan.lines) == 1


def test_a_small_move_leaves_the_work_alone(plan: Plan, qtbot) -> None:
    plan.show_videos("a")
    plan.bench.cursor.set_frame(SEGMENT_FRAMES + 3)
    qtbot.wait(150)
    assert len(plan.worker.jobs) == 1


def test_who_cancels_is_left_in_peace_until_asking_again(plan: Plan, qtbot) -> None:
    plan.show_videos("a")
    plan.jobs.cancel(plan.worker.jobs[0].id)
    wait_until(lambda: not plan.jobs.running)
    plan.bench.cursor.set_frame(700)
    qtbot.wait(150)
    assert len(plan.worker.jobs) == 1
    plan.planner.set_enabled(True)
    plan.wait_for_jobs(2)


def test_a_failure_is_said_once_and_not_tried_again(plan: Plan, qtbot) -> None:
    plan.show_videos("a")
    plan.worker.say(Failed(plan.worker.jobs[0].id, "The disk is nearly full."))
    qtbot.wait(150)
    assert plan.lines == [(TITLE, "The disk is nearly full.")]
    assert len(plan.worker.jobs) == 1


def test_play_from_the_videos_themselves_is_not_held_up(plan: Plan, qtbot) -> None:
    plan.show_videos("a")
    plan.bench.cursor.play()
    wait_until(lambda: not plan.jobs.running)
    qtbot.wait(150)
    assert len(plan.worker.jobs) == 1
    plan.bench.cursor.pause()
    plan.wait_for_jobs(2)


def test_play_from_copies_goes_on_beside_the_work(plan: Plan, qtbot) -> None:
    plan.show_videos("a")
    plan.finish()
    plan.bench.cursor.play()
    qtbot.wait(100)
    assert plan.jobs.running
    plan.bench.cursor.pause()


def test_switched_off_nothing_is_made_and_it_is_remembered(plan: Plan, qtbot) -> None:
    plan.show_videos("a")
    plan.planner.set_enabled(False)
    wait_until(lambda: not plan.jobs.running)
    qtbot.wait(150)
    assert len(plan.worker.jobs) == 1
    assert not Settings.load().use_proxies


@pytest.mark.parametrize("everything", [False, True])
def test_deleting_frees_the_disk_and_ends_the_work(plan: Plan, everything: bool) -> None:
    plan.make("elsewhere", 0)
    plan.show_videos("a")
    plan.make("a", 0)
    plan.make("a", 1)
    assert plan.planner.used_bytes() == (2000, 3000)
    plan.planner.delete(everything)
    assert plan.planner.used_bytes() == (0, 0 if everything else 1000)
    wait_until(lambda: not plan.jobs.running)
    assert not plan.settings.use_proxies


def test_closing_the_recording_ends_the_work(plan: Plan, qtbot) -> None:
    plan.show_videos("a", "b")
    plan.bench.document.close()
    wait_until(lambda: not plan.jobs.running)
    qtbot.wait(100)
    assert plan.lines == []
    plan.bench.document.open(FakeProject(make_sequence(n_frames=2)))  # type: ignore[arg-type]
    qtbot.wait(100)
    assert len(plan.worker.jobs) == 1
