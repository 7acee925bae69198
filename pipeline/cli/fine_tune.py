"""``simspine fine-tune``: a pose model goes on to learn from the corrected frames of a project."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from pipeline.cli.arguments import (
    add_command,
    add_frames,
    add_out,
    add_person,
    add_views,
    frames_within,
    positive,
)
from pipeline.cli.output import CommandError, Exit, ProgressBar


def add_fine_tune_command(commands: Any) -> None:
    """Add ``fine-tune`` to argparse's subparsers."""
    parser = add_command(
        commands, _fine_tune, "fine-tune", "teach a pose model with a project's corrected frames"
    )
    parser.add_argument("path", type=Path, metavar="PROJECT", help="a project with corrections")
    parser.add_argument(
        "--model", required=True, metavar="NAME|FILE", help="which goes on to learn; it stays"
    )
    add_out(parser, "DIR", "folder to make: the new weights with their card, and the pictures")
    add_person(parser)
    add_views(parser)
    add_frames(parser)
    parser.add_argument("--config", type=Path, metavar="FILE", help="settings as TOML")
    parser.add_argument("--steps", type=positive, metavar="N", help="in place of those in it")
    parser.add_argument(
        "--device", choices=("auto", "cuda", "mps", "cpu"), default="auto",
        help="where it is computed (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="what was done as JSON, for programs")


def _fine_tune(arguments: argparse.Namespace) -> int:
    from pipeline.cli.job import result_of
    from pipeline.cli.recording import chosen_person, open_recording
    from pipeline.io.project_path import SUFFIX
    from pipeline.jobs.fine_tuning import fine_tune
    from pipeline.jobs.messages import Job

    path = arguments.path.expanduser().absolute()
    if path.suffix != SUFFIX:
        raise CommandError(
            Exit.USAGE, f"“{path.name}” is no project: corrections are in a project."
        )
    with ProgressBar() as bar:
        opened = open_recording(path)
        sequence = opened.sequence
        args: dict[str, Any] = {
            "project": str(path),
            "track": chosen_person(opened, arguments.person).track,
            "model": arguments.model,
            "folder": str(arguments.out),
            "views": arguments.views,
            "frames": frames_within(arguments.frames, sequence.n_frames, sequence.info.name),
            "device": arguments.device,
        }
        for name in ("config", "steps"):
            if getattr(arguments, name) is not None:
                args[name] = getattr(arguments, name)
        done = result_of(Job(0, "fine_tune", args, title="Fine-tuning"), fine_tune, bar)
    print(json.dumps(done, indent=1, ensure_ascii=False) if arguments.json else as_text(done))
    return Exit.OK


def as_text(done: dict[str, Any]) -> str:
    """What a fine-tuning came to, for people."""
    before, after = done["before"], done["after"]
    lines = [
        f"Taught with {done['taught']} pictures of {done['frames']} corrected frames; judged by "
        f"{done['judged']} pictures of the last ones",
        f"Error {before['error_px']:.2f} px of the network's input before, "
        f"{after['error_px']:.2f} px after",
    ]
    if done["better"]:
        lines.append(f"{done['weights']}: to keep it, simspine models add {done['weights']}")
    else:
        lines.append("It did not get better, and nothing was kept")
    return "\n".join(lines)
