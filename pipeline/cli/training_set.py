"""``simspine training-set``: pictures of a recording with a person's labels, for teaching."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from pipeline.cli.arguments import (
    add_command,
    add_frames,
    add_out,
    add_path,
    add_person,
    add_views,
    frames_within,
    opened_with,
    point_to_project,
    positive,
)
from pipeline.cli.output import Exit, ProgressBar, counted


def add_training_set_command(commands: Any) -> None:
    """Add ``training-set`` to argparse's subparsers."""
    parser = add_command(
        commands,
        _training_set,
        "training-set",
        "write pictures of the views with a person's final labels in them, in COCO's form",
    )
    add_path(parser)
    add_out(parser, "DIR", "folder to make: annotations.json and a folder of pictures per view")
    add_person(parser)
    add_views(parser)
    add_frames(parser)
    parser.add_argument(
        "--every", type=positive, default=1, metavar="N", help="every N-th frame (default: all)"
    )
    parser.add_argument(
        "--corrected-only",
        action="store_true",
        help="only frames in which a point was placed or flagged",
    )
    parser.add_argument("--json", action="store_true", help="what was done as JSON, for programs")


def _training_set(arguments: argparse.Namespace) -> int:
    from pipeline.cli.recording import chosen_person
    from pipeline.jobs.training_set import set_request, training_set_steps

    out: Path = arguments.out
    with ProgressBar() as bar:
        opened = opened_with(bar, arguments.path, with_authors=True, with_subjects=True)
        person = chosen_person(opened, arguments.person)
        sequence = opened.sequence
        request = set_request(
            out,
            arguments.views and tuple(arguments.views),
            arguments.every,
            arguments.corrected_only,
            sequence=sequence,
            track=person.track,
            frames=frames_within(arguments.frames, sequence.n_frames, sequence.info.name),
            authorship=dict(opened.authorship),
            subject=opened.subjects.get(person.track),
        )
        tally = bar.follow(training_set_steps(request))
    point_to_project(opened)
    done = {"person": person.number, **tally.as_data()}
    if arguments.json:
        print(json.dumps(done, indent=1, ensure_ascii=False))
        return Exit.OK
    print(
        f"{out}: {counted(tally.pictures, 'picture')} of person {person.number}, "
        f"{tally.visible} points visible and {tally.hidden} hidden, {tally.placed} placed by hand"
    )
    for words, number in tally.as_data()["left_out"].items():
        print(f"Left out: {counted(number, 'picture')} {words}")
    return Exit.OK
