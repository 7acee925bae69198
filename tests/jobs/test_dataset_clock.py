"""Estimates follow what the first sequences took."""

from __future__ import annotations

from pathlib import Path

import pytest


def state(frames: int, seconds: float):  # type: ignore[no-untyped-def]
    from pipeline.jobs.dataset_state import SequenceState

    return SequenceState("", "", frames, seconds, None, (), {})


def test_a_slow_computer_is_noticed(tmp_path: Path) -> None:
    from pipeline.jobs.dataset_clock import Clock

    clock = Clock([1000] * 10, 1.0)
    before = clock.estimate(tmp_path)
    assert (before.sequences, before.frames) == (10, 10_000)
    assert 5e6 < before.n_bytes < 500e6
    clock.finished(0, state(1000, 3 * before.seconds / 10))
    assert clock.left(1) == pytest.approx(3 * before.seconds * 0.9)
    assert clock.left(3) == pytest.approx(before.seconds * 0.9)
    assert clock.fraction() == pytest.approx(0.1)
    clock.moved(1, 0.5)
    assert clock.fraction() == pytest.approx(0.15)
    # A failed one says nothing about speed.
    clock.finished(1, None)
    assert clock.left(1) == pytest.approx(3 * before.seconds * 0.8)


def test_one_long_sequence_is_not_shared_between_workers(tmp_path: Path) -> None:
    from pipeline.jobs.dataset_clock import Clock

    clock = Clock([100_000, 10], 1.0)
    assert clock.left(8) == pytest.approx(Clock([100_000], 1.0).left(1))


def test_earlier_runs_set_the_pace() -> None:
    from pipeline.jobs.dataset_clock import Clock, pace

    usual = Clock([500], 1.0).left(1)
    assert pace([]) == 1.0
    assert pace([state(500, 2 * usual)]) == pytest.approx(2.0)


def test_memory_bounds_the_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    from pipeline.jobs import dataset_clock

    monkeypatch.setattr(dataset_clock, "_free_memory", lambda: 1 << 20)
    assert dataset_clock.room_for_workers() == 1
    monkeypatch.setattr(dataset_clock, "_free_memory", lambda: None)
    assert dataset_clock.room_for_workers() >= 1
