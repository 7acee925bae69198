"""``simspine lift``: a person in space from one view alone, by the lifter."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from pipeline.cli.arguments import (
    add_command,
    add_frames,
    add_out,
    add_path,
    add_person,
    frames_within,
    opened_with,
    point_to_project,
)
from pipeline.cli.output import CommandError, Exit, ProgressBar


def add_lift_command(commands: Any) -> None:
    """Add ``lift`` to argparse's subparsers."""
    lift = add_command(commands, _lift, "lift", "a person in space from one view alone")
    add_path(lift)
    lift.add_argument("--view", required=True, metavar="CAMERA", help="the one that is looked at")
    add_out(lift, "DIR", "folder to write: lifted.trc, lifted.csv, spine_angles.csv")
    add_person(lift)
    add_frames(lift)
    lift.add_argument(
        "--lifter", type=Path, metavar="FILE", help="weights of “simspine train lifter”"
    )
    lift.add_argument(
        "--raw",
        action="store_true",
        help="what the network says, without the body model fitted to the lines of sight",
    )
    lift.add_argument("--json", action="store_true", help="what was done as JSON, for programs")


def _lift(arguments: argparse.Namespace) -> int:
    import numpy as np

    from pipeline.cli.recording import chosen_person
    from pipeline.jobs.lifting import lift_view, remarks, write_lifted

    with ProgressBar() as bar:
        opened = opened_with(bar, arguments.path)
        sequence = opened.sequence
        names = sequence.cameras.names
        if arguments.view not in names:
            raise CommandError(
                Exit.USAGE,
                f"“{sequence.info.name}” has no view named “{arguments.view}”; there are "
                f"{', '.join(names)}.",
            )
        person = chosen_person(opened, arguments.person)
        first, stop = frames_within(arguments.frames, sequence.n_frames, sequence.info.name)
        bar.show(0.3, "Lifting")
        found = lift_view(
            sequence,
            person.track,
            names.index(arguments.view),
            np.arange(first, stop, dtype=np.intp),
            arguments.lifter,
            arguments.raw,
            lambda share: bar.show(0.4 + 0.5 * share, "Fitting the body model"),
        )
        bar.show(0.9, "Writing")
        files = write_lifted(arguments.out, found)
    point_to_project(opened)
    apart = found.apart[np.isfinite(found.apart)]
    done = {
        "person": person.number,
        "view": arguments.view,
        "frames": len(found.frames),
        "seen": int(found.seen.sum()),
        "fitted": found.fitted,
        "apart_mm": round(1000.0 * float(np.mean(apart)), 2) if len(apart) else None,
        "compared": len(apart),
        "files": [str(path) for path in files],
    }
    if arguments.json:
        print(json.dumps(done, indent=1, ensure_ascii=False))
        return Exit.OK
    of = f"{done['seen']} of {len(found.frames)} frames"
    print(f"Person {person.number} by {arguments.view} in {of}")
    if len(apart):
        print(
            f"{done['apart_mm']:.0f} mm from the points of all views in {len(apart)} frames (mean, "
            "once laid over them)"
        )
    print("\n".join(f"  {path}" for path in files))
    for sentence in remarks(found):
        print(sentence, file=sys.stderr)
    return Exit.OK
