"""What goes down to a worker and what comes back up.

A job's events end with exactly one of ``Done``, ``Failed`` or ``Cancelled``; the runner sees to
that. Paths and frame indices go down, never images.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pipeline.data.patch import Patch

if TYPE_CHECKING:
    from pipeline.geometry.track_limbs import LimbLengths


@dataclass(frozen=True, slots=True)
class Job:
    """A unit of work: ``task`` names one of the worker's ``TASKS``, as in ``pipeline.jobs.tasks``.

    ``base_revision`` is the revision of the sequence the arguments were read from.
    """

    id: int
    task: str
    args: dict[str, Any] = field(default_factory=dict)
    base_revision: int = 0
    title: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """Anything a worker says about a job."""

    job_id: int


@dataclass(frozen=True, slots=True)
class Progress(Event):
    """``fraction`` in 0..1 and a few words on what is being done."""

    fraction: float
    text: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Partial(Event):
    """Derived values for ``frames``, to be landed by ``Sequence.land``.

    ``lengths`` are the person's, where the values were solved with them.
    """

    patches: tuple[Patch, ...]
    frames: NDArray[np.intp]
    lengths: LimbLengths | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Detected(Event):
    """Keypoints of one person in n pictures, for ``pipeline.data.detection_edits.set_detections``.

    ``frames`` and ``views`` are (n,); ``points`` (n, K, 5) in the project's skeleton: x, y (px),
    score, standard deviations of x and y (px), NaN where not found.
    """

    track: int
    frames: NDArray[np.intp]
    views: NDArray[np.intp]
    points: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Pace(Event):
    """Where a network runs, how many pictures it sees at once and how many in a second."""

    device: str
    batch: int
    per_second: float


@dataclass(frozen=True, slots=True)
class Remark(Event):
    """One sentence that the user should hear while the job goes on."""

    text: str


@dataclass(frozen=True, slots=True)
class File(Event):
    """A file that was written."""

    path: Path


@dataclass(frozen=True, slots=True)
class Done(Event):
    """The job is complete; ``result`` is small and picklable."""

    result: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Failed(Event):
    """The job ended with an error: one sentence for the user, details for the log."""

    message: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Cancelled(Event):
    """The job was stopped on request."""


Ending = Done | Failed | Cancelled

# Control messages on the pipe; the first two go down as (word, job id), the last comes up alone.
CANCEL = "cancel"
CLOSE = "close"
HEARTBEAT = "heartbeat"
