"""A worker's tasks that only write a file, or go wrong as their folder is called."""

from __future__ import annotations

import os
import time
from collections.abc import Generator
from pathlib import Path

from pipeline.data.errors import UserError
from pipeline.io.atomic import atomic_folder
from pipeline.jobs.dataset_state import SequenceState, input_stamp, is_result, write_state
from pipeline.jobs.messages import Done, Event, Job, Progress
from pipeline.jobs.simulation_plan import make_folder

THREADS = ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS")


def _task(job: Job) -> Generator[Event, None, None]:
    work = job.args["work"]
    name = work.path.name
    make_folder(work.folder.parent)
    with atomic_folder(work.folder, is_result) as folder:
        if name == "dies":
            os._exit(7)
        if name == "raises":
            raise ZeroDivisionError("by nothing")
        if name == "refuses":
            raise UserError("There is nobody in it.")
        while name == "endless":
            yield Progress(job.id, 0.5, "working")
            time.sleep(0.05)
        (folder / "labels.trc").write_text(",".join(os.environ.get(n, "") for n in THREADS))
        yield Progress(job.id, 0.9, "writing")
        files = {"labels.trc": (folder / "labels.trc").stat().st_size}
        state = SequenceState(_stamp(work.path), work.options, 12, 0.1, 5.0, ("poor fit",), files)
        write_state(folder, state)
    yield Done(job.id, {"state": state})


def _stamp(path: Path) -> str:
    return input_stamp(path) if path.exists() else ""


TASKS = {"sequence": _task}
