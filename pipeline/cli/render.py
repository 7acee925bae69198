"""The command ``render``: a recording of somebody drawn at random, with known truth."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from pipeline.cli.arguments import add_command, positive
from pipeline.cli.output import CommandError, Exit, ProgressBar, counted
from pipeline.synthesis.motion_families import named_families

_LEAST, _MOST = 64, 7680  # px


def add_render_command(commands: Any) -> None:
    """Add ``render`` to argparse's subparsers."""
    parser = add_command(
        commands, _render, "render", "make a recording of somebody who moves, with known truth"
    )
    parser.add_argument("folder", type=Path, metavar="DIR", help="folder to make")
    parser.add_argument(
        "--motion", required=True, choices=tuple(named_families()), metavar="NAME",
        help=f"what is done: {', '.join(named_families())}",
    )  # fmt: skip
    parser.add_argument(
        "--cameras", type=positive, default=4, metavar="N", help="1 to 16 (default: %(default)s)"
    )
    parser.add_argument(
        "--frames", type=positive, default=240, metavar="N", help="default: %(default)s"
    )
    parser.add_argument(
        "--fps", type=_rate, default=30.0, metavar="F", help="frames per second (default: 30)"
    )
    parser.add_argument(
        "--size", type=_size, default=(1280, 720), metavar="WxH",
        help="of the pictures, even numbers (default: 1280x720)",
    )  # fmt: skip
    parser.add_argument(
        "--seed", type=_seed, default=0, metavar="N",
        help="another person, room and course of the movement for every number (default: 0)",
    )  # fmt: skip


def _seed(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number of 0 or more")
    return int(text)


def _rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = 0.0
    if not 1.0 <= rate <= 1000.0:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of frames per second, 1 to 1000")
    return rate


def _size(text: str) -> tuple[int, int]:
    width, by, height = text.lower().partition("x")
    numbers = [int(n) if n.isdecimal() else 0 for n in (width, height)]
    if not by or any(n % 2 or not _LEAST <= n <= _MOST for n in numbers):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no size such as 1280x720, of even numbers from {_LEAST} to {_MOST}"
        )
    return numbers[0], numbers[1]


def _render(arguments: argparse.Namespace) -> int:
    from pipeline.jobs.steps import reported
    from pipeline.synthesis.rendered import MAX_CAMERAS, render_recording

    if arguments.cameras > MAX_CAMERAS:
        raise CommandError(
            Exit.USAGE, f"A recording has 1 to {MAX_CAMERAS} cameras, not {arguments.cameras}."
        )
    with ProgressBar() as bar:
        made = bar.follow(
            reported(
                lambda report: render_recording(
                    arguments.folder,
                    arguments.motion,
                    n_views=arguments.cameras,
                    n_frames=arguments.frames,
                    fps=arguments.fps,
                    size=arguments.size,
                    seed=arguments.seed,
                    progress=report,
                )
            )
        )
    cameras = counted(len(made.cameras), "camera")
    print(f"{made.folder}: {counted(len(made.truth.xyz), 'frame')} of {cameras}, with the truth")
    return Exit.OK
