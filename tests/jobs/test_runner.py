"""Every task ends once: what the runner makes of good and bad ones, without a process."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.jobs.messages import Cancelled, Done, Event, Failed, Job, Progress
from pipeline.jobs.runner import run_job
from tests.jobs.bad_tasks import TASKS

ENDINGS = (Done, Failed, Cancelled)


class _After:
    """Cancelled from the n-th question on."""

    def __init__(self, n: int) -> None:
        self._left = n

    def __call__(self) -> bool:
        self._left -= 1
        return self._left < 0


def _run(task: str, cancelled_after: int = 10**9, **args: object) -> list[Event]:
    return list(run_job(Job(7, task, dict(args), title="A job"), TASKS, _After(cancelled_after)))


def test_a_task_gives_its_events_and_its_result() -> None:
    assert _run("count", n=2) == [
        Progress(7, 0.5, "1"),
        Progress(7, 1.0, "2"),
        Done(7, {"n": 2}),
    ]


def test_a_task_without_an_ending_is_done() -> None:
    assert _run("silent")[-1] == Done(7)


@pytest.mark.parametrize(
    ("task", "expected"),
    [
        ("user_error", "walk.mp4 cannot be read."),
        ("bug", "A job failed (KeyError: 'frames')."),
        ("no such", "There is no task named no such."),
        ("two_endings", "This is the only ending."),
    ],
)
def test_a_task_fails_in_one_sentence(task: str, expected: str) -> None:
    ending = _run(task)[-1]
    assert isinstance(ending, Failed)
    assert ending.message == expected


def test_only_a_bug_has_details() -> None:
    bug, error = _run("bug")[-1], _run("user_error")[-1]
    assert isinstance(bug, Failed)
    assert "KeyError" in bug.detail
    assert isinstance(error, Failed)
    assert error.detail == ""


@pytest.mark.parametrize("cancelled_after", [0, 1, 2, 10**9])
@pytest.mark.parametrize(
    "task", ["count", "silent", "user_error", "bug", "two_endings", "no such", "partial"]
)
def test_there_is_exactly_one_ending_and_it_is_last(task: str, cancelled_after: int) -> None:
    events = _run(task, cancelled_after)
    assert [isinstance(event, ENDINGS) for event in events].count(True) == 1
    assert isinstance(events[-1], ENDINGS)


def test_a_cancelled_task_is_closed_where_it_stands() -> None:
    assert _run("count", 0) == [Cancelled(7)]
    assert _run("count", 2) == [Progress(7, 1 / 3, "1"), Progress(7, 2 / 3, "2"), Cancelled(7)]


def test_an_error_while_closing_is_told() -> None:
    events = _run("bug_while_closing", 2)
    assert isinstance(events[-1], Failed)
    assert "disk full" in events[-1].message


@pytest.mark.parametrize("task", ["file", "thread"])
def test_cancelling_leaves_no_half_file(task: str, tmp_path: Path) -> None:
    assert _run(task, 4, path=str(tmp_path / "walk.trc"))[-1] == Cancelled(7)
    assert list(tmp_path.iterdir()) == []
