"""What commands of ``simspine`` share: arguments, and how what they name is opened."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.cli.output import CommandError, Exit, ProgressBar

if TYPE_CHECKING:
    from pipeline.cli.recording import Opened  # loads numpy, for which --help does not wait


def add_command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    run: Callable[[argparse.Namespace], int],
    name: str,
    text: str,
) -> argparse.ArgumentParser:
    """A command of its own; its help is its description too."""
    parser = commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
    parser.set_defaults(run=run)
    return parser


def add_path(parser: argparse.ArgumentParser) -> None:
    """What is looked at: a recording or a project."""
    parser.add_argument("path", type=Path, metavar="PATH", help="recording folder or .simspine")


def add_person(parser: argparse.ArgumentParser) -> None:
    """Whom it is about."""
    parser.add_argument(
        "--person",
        type=int,
        metavar="N",
        help="number as shown by info; without it the one picked in the project, else the first "
        "who is not ignored",
    )


def add_out(parser: argparse.ArgumentParser, metavar: str, text: str = "file to write") -> None:
    """Where the result goes."""
    parser.add_argument("-o", "--out", type=Path, required=True, metavar=metavar, help=text)


def add_frames(parser: argparse.ArgumentParser) -> None:
    """Which frames: read with :func:`frames_within`."""
    parser.add_argument(
        "--frames",
        type=frame_span,
        metavar="A:B",
        help="frames A to B-1, counted from 0; either may be left out",
    )


def add_views(parser: argparse.ArgumentParser) -> None:
    """Which views that have a video."""
    parser.add_argument(
        "--views", nargs="+", metavar="CAMERA", help="only these (default: all with a video)"
    )


def opened_with(bar: ProgressBar, path: Path, **options: Any) -> Opened:
    """Read a recording, showing how far that is."""
    from pipeline.cli.recording import open_recording
    from pipeline.jobs.steps import reported

    bar.show(0.0, "Reading")
    return bar.follow(reported(lambda report: open_recording(path, report=report, **options)))


def point_to_project(opened: Opened) -> None:
    """Say so where a folder has a project whose corrections were not read."""
    if opened.corrected is not None:
        print(
            f"“{opened.path.name}” has a project with corrections: give {opened.corrected} to use "
            "them.",
            file=sys.stderr,
        )


def frame_span(text: str) -> tuple[int | None, int | None]:
    """Frames ``A:B`` of the command line, either left out."""
    first, colon, last = text.partition(":")
    parts = [part.strip() for part in (first, last)]
    if not colon or not all(part.isdecimal() or not part for part in parts):
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form A:B, such as 10:50")
    start, stop = (int(part) if part else None for part in parts)
    return start, stop


def frames_within(
    span: tuple[int | None, int | None] | None, n_frames: int, name: str
) -> tuple[int, int]:
    """First frame and the one after the last; CommandError where a recording has no such ones."""
    start, stop = span or (None, None)
    first, end = start or 0, n_frames if stop is None else stop
    if not first < end <= n_frames:
        raise CommandError(
            Exit.USAGE, f"--frames {first}:{end} is not within 0:{n_frames}, the frames of {name}."
        )
    return first, end


def positive(text: str) -> int:
    """A whole number of 1 or more, as argparse's ``type``."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of 1 or more")
    return int(text)
