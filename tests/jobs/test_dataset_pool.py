"""Sequences on processes of this computer: one that fails or dies costs only itself."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.worker


@pytest.fixture
def pool(monkeypatch: pytest.MonkeyPatch) -> Any:
    from pipeline.jobs import dataset_pool

    monkeypatch.setattr(dataset_pool, "_TASKS", "tests.jobs.dataset_stand_in")
    return dataset_pool


def work_of(out: Path, *names: str) -> list[Any]:
    from pipeline.jobs.dataset_state import SequenceJob
    from pipeline.jobs.simulation_plan import SimulationPlan

    plan = SimulationPlan(threads=1)
    return [SequenceJob(Path(name), out / name, plan, "options") for name in names]


def test_what_fails_or_dies_stops_nothing_else(pool: Any, tmp_path: Path) -> None:
    names = ("a", "dies", "raises", "b", "refuses", "c")
    out = tmp_path / "out"
    out.mkdir()
    work = work_of(out, *names)
    events = list(pool.local_events(work, 2))
    results = {e.number: e.result for e in events if isinstance(e, pool.Finished)}
    assert sorted(results) == list(range(6))
    done = {names[number] for number, result in results.items() if result.state is not None}
    assert done == {"a", "b", "c"}
    assert "stopped unexpectedly" in results[1].reason
    assert "ZeroDivisionError: by nothing" in results[2].reason
    assert "Traceback" in results[2].detail
    assert results[4].reason == "There is nobody in it."
    assert all(result.reason.count(".") >= 1 for result in results.values() if not result.state)
    # One thread in each worker, and this process as it was.
    assert (out / "a" / "labels.trc").read_text() == "1,1"
    assert os.environ.get("NUMBA_NUM_THREADS") is None
    pool.remove_leftovers(out / "dies")
    assert {path.name for path in out.iterdir()} == {"a", "b", "c"}


def test_closing_stops_the_work_and_leaves_no_half_folder(pool: Any, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    events = pool.local_events(work_of(out, "endless", "a"), 1)
    assert isinstance(next(events), pool.Moved)
    while not any(out.iterdir()):
        next(events)
    events.close()
    assert list(out.iterdir()) == []
