"""What the command ``simulate`` tells about its result."""

from __future__ import annotations

import numpy as np

from pipeline.jobs.simulation_run import Simulated
from pipeline.simulation.outcome import DEFAULT


def as_text(done: Simulated) -> str:
    """What was made and how well it fits, for people."""
    outcome = done.outcome
    error = outcome.marker_error
    lacking = [
        name
        for place, name in enumerate(done.measured.names)
        if name in outcome.marker_names and not np.isfinite(error[:, place]).any()
    ]
    distance = (
        f"{1000 * np.nanmedian(error):.1f} mm"
        if np.isfinite(error).any()
        else "at an unknown distance"
    )
    lines = [
        f"{len(outcome.labels.xyz)} frames; the model lies {distance} from the measured points "
        "(median)"
    ]
    if outcome.made_by != DEFAULT:
        lines.append(f"Made by {outcome.made_by}")
    if lacking and outcome.made_by == DEFAULT:
        lines.append(f"From the model and its priors alone: {', '.join(lacking)}")
    return "\n".join((*lines, *outcome.notes, *(f"  {path}" for path in done.files)))
