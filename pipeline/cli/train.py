"""``simspine train``: networks of our own, taught by the simulator or by pictures."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from pipeline.cli.arguments import add_command, positive
from pipeline.cli.output import CommandError, Exit, ProgressBar


def add_train_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """``simspine train lifter|detector``."""
    train = add_command(commands, _train, "train", "teach a network on simulated people")
    train.add_argument("network", choices=("lifter", "detector"), help="what is taught")
    train.add_argument(
        "--config", type=Path, metavar="FILE", help="settings as TOML; the shipped ones without it"
    )
    train.add_argument(
        "-o", "--out", type=Path, metavar="DIR",
        help="folder for weights, state and history; a training begun there goes on "
        "(default: lifter-training or detector-training)",
    )  # fmt: skip
    train.add_argument(
        "--pictures", type=Path, metavar="DIR",
        help="detector: pictures with keypoints to teach, in place of drawn ones",
    )  # fmt: skip
    train.add_argument(
        "--validation", type=Path, metavar="DIR",
        help="detector: pictures with keypoints to judge; without it, a tenth of --pictures",
    )  # fmt: skip
    train.add_argument(
        "--device", choices=("auto", "cuda", "mps", "cpu"), default="auto",
        help="detector: where it is computed (default: %(default)s)",
    )  # fmt: skip
    train.add_argument(
        "--threads", type=positive, metavar="N", help="of the processor, for the network"
    )
    train.add_argument(
        "--steps", type=positive, metavar="N", help="stop after so many steps; go on another time"
    )


def _train(arguments: argparse.Namespace) -> int:
    from pipeline.cli.job import result_of
    from pipeline.data.resources import resource_path
    from pipeline.jobs.messages import Job
    from pipeline.jobs.training_tasks import train_detector, train_lifter

    network = arguments.network
    if network == "lifter" and (arguments.pictures or arguments.validation):
        raise CommandError(Exit.USAGE, "A lifter is taught with movements, not with pictures.")
    if arguments.validation and not arguments.pictures:
        raise CommandError(Exit.USAGE, "--validation goes with --pictures.")
    folder = arguments.out or Path(f"{network}-training")
    args = {
        "config": arguments.config or resource_path("training", f"{network}.toml"),
        "folder": folder,
    }
    for name in ("pictures", "validation", "device", "threads", "steps"):
        if getattr(arguments, name) is not None:
            args[name] = getattr(arguments, name)
    task = train_lifter if network == "lifter" else train_detector
    job = Job(0, f"train_{network}", args, title=f"Training the {network}")
    with ProgressBar() as bar:
        done = result_of(job, task, bar)
    print(_report(done, folder))
    return Exit.OK


def _report(result: dict[str, Any], folder: Path) -> str:
    if result["weights"] is None:
        where = f"{folder}: step {result['step']} of {result['steps']}; run it again to go on"
    else:
        where = f"{result['weights']}"
    if "spine_mm" in result:
        where += (
            f"\nOn simulated clips that were not trained on, once laid over the truth: spine "
            f"{result['spine_mm']:.1f} mm, all points {result['all_mm']:.1f} mm"
        )
    if "error_px" in result:
        where += (
            f"\nOn pictures that were not trained on: {result['error_px']:.2f} px of the network's "
            f"input from the truth; AUC {result['auc']:.3f} (30 px of the pictures, best possible "
            "0.95)"
        )
    return where
