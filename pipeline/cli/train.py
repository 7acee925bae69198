"""``simspine train``: networks of our own, taught by the simulator."""

from __future__ import annotations

import argparse
from pathlib import Path

from pipeline.cli.arguments import add_command
from pipeline.cli.output import CommandError, Exit, ProgressBar


def add_train_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """``simspine train lifter``."""
    train = add_command(commands, _train, "train", "teach a network on simulated people")
    train.add_argument("network", choices=("lifter",), help="what is taught")
    train.add_argument(
        "--config", type=Path, metavar="FILE", help="settings as TOML; the shipped ones without it"
    )
    train.add_argument(
        "-o", "--out", type=Path, metavar="DIR", default=Path("lifter-training"),
        help="folder for weights, state and history; a training begun there goes on "
        "(default: %(default)s)",
    )  # fmt: skip
    train.add_argument(
        "--threads", type=_count, metavar="N", help="of the processor, for the network"
    )
    train.add_argument(
        "--steps", type=_count, metavar="N", help="stop after so many steps; go on another time"
    )


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 on")
    return int(text)


def _train(arguments: argparse.Namespace) -> int:
    from pipeline.data.resources import resource_path
    from pipeline.jobs.messages import Done, Failed, Job, Progress
    from pipeline.jobs.runner import run_job
    from pipeline.jobs.training_tasks import train_lifter

    config = arguments.config or resource_path("training", "lifter.toml")
    args = {"config": config, "folder": arguments.out, "threads": arguments.threads}
    if arguments.steps is not None:
        args["steps"] = arguments.steps
    job = Job(0, "train_lifter", args, title="Training the lifter")
    ending = None
    with ProgressBar() as bar:
        for event in run_job(job, {"train_lifter": train_lifter}):
            if isinstance(event, Progress):
                bar.show(event.fraction, event.text)
            ending = event
    if isinstance(ending, Failed):
        raise CommandError(Exit.FAILED, ending.message)
    if isinstance(ending, Done):
        print(_report(ending.result, arguments.out))
    return Exit.OK


def _report(result: dict[str, object], folder: Path) -> str:
    if result["weights"] is None:
        where = f"{folder}: step {result['step']} of {result['steps']}; run it again to go on"
    else:
        where = f"{result['weights']}"
    if "spine_mm" in result:
        where += (
            f"\nOn simulated clips that were not trained on, once laid over the truth: spine "
            f"{result['spine_mm']:.1f} mm, all points {result['all_mm']:.1f} mm"
        )
    return where
