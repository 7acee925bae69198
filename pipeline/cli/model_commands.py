"""The commands of ``simspine`` that scale, fit and simulate: their arguments, and what they run."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.cli.arguments import (
    add_command,
    add_out,
    add_path,
    add_person,
    opened_with,
    point_to_project,
)
from pipeline.cli.output import CommandError, Exit, ProgressBar

if TYPE_CHECKING:
    from pipeline.jobs.simulation_plan import SimulationPlan

_MOST = {"height": 3.0, "mass": 500.0}  # m, kg: above this a unit is wrong


def add_model_commands(commands: Any) -> None:
    """Add ``scale``, ``ik`` and ``simulate`` to argparse's subparsers."""
    scale = add_command(commands, _scale, "scale", "scale a model to a subject's markers")
    scale.add_argument(
        "--markers", type=Path, required=True, nargs="+", metavar="FILE.trc", help="of the subject"
    )
    _add_model(scale, required=False, text="generic model (default: that of the set-up, or ours)")
    scale.add_argument("--setup", type=Path, metavar="X.xml", help="set-up of OpenSim's ScaleTool")
    scale.add_argument(
        "--engine",
        choices=("robust", "opensim"),
        default="robust",
        help="medians over chosen frames, or ScaleTool as it is (default: %(default)s)",
    )
    _add_subject(scale)
    add_out(scale, "SUBJECT.osim")

    fit = add_command(commands, _ik, "ik", "joint angles of a model that follows markers")
    _add_model(fit, required=True, text="with markers")
    fit.add_argument(
        "--markers", type=Path, required=True, metavar="FILE.trc", help="to be followed"
    )
    fit.add_argument(
        "--tasks", type=Path, metavar="SETUP.xml", help="set-up of OpenSim's IK: weights, targets"
    )
    fit.add_argument(
        "--engine",
        choices=("fast", "opensim"),
        default="fast",
        help="our own solver or OpenSim's (default: %(default)s)",
    )
    add_out(fit, "OUT.mot")

    simulate = add_command(
        commands, _simulate, "simulate", "fit a model to a person; write labels and angles"
    )
    add_path(simulate)
    add_person(simulate)
    add_how(simulate)
    simulate.add_argument(
        "--known",
        type=Path,
        metavar="FILE.trc",
        help="markers, as of motion capture, that replace measured ones of the same name",
    )
    _add_subject(simulate)
    add_out(simulate, "DIR", "folder for the files")


def add_how(parser: argparse.ArgumentParser) -> None:
    """Add how people are simulated: what ``simulate`` and ``dataset`` share."""
    parser.add_argument(
        "--spine",
        choices=("core", "extended"),
        default="core",
        help="11 or 13 free coordinates (default: %(default)s)",
    )
    _add_model(parser, required=False, text="OpenSim model to follow the points instead of ours")
    parser.add_argument(
        "--marker-set", type=Path, metavar="FILE.xml", help="markers to be added to that model"
    )
    parser.add_argument(
        "--simspine-compatible",
        action="store_true",
        help="SIMSPINE's published constants and formulas, faults included",
    )


def plan_of(arguments: argparse.Namespace) -> SimulationPlan:
    """The arguments of :func:`add_how`, and the subject's where the command has them."""
    from pipeline.jobs.simulation_plan import SimulationPlan

    height, mass, known = (getattr(arguments, name, None) for name in (*_MOST, "known"))
    compatible, model = arguments.simspine_compatible, arguments.model
    if arguments.marker_set is not None and model is None:
        raise CommandError(Exit.USAGE, "--marker-set needs a --model to put the markers on.")
    if compatible and (height is not None or mass is not None):
        raise CommandError(
            Exit.USAGE, "--simspine-compatible takes no --height and no --mass: all weigh 70 kg."
        )
    if arguments.spine != "core" and (compatible or model is not None):
        raise CommandError(Exit.USAGE, "--spine is about our own model and fusion only.")
    for file in (model, arguments.marker_set, known):
        if file is not None and not file.is_file():
            raise CommandError(Exit.UNUSABLE, f"{file} cannot be read: there is no such file.")
    return SimulationPlan(
        spine=arguments.spine,
        height=height,
        mass=mass,
        model=model and model.absolute(),
        marker_set=arguments.marker_set and arguments.marker_set.absolute(),
        compatible=compatible,
        known=known and known.absolute(),
    )


def _add_model(parser: argparse.ArgumentParser, *, required: bool, text: str) -> None:
    parser.add_argument("--model", type=Path, required=required, metavar="M.osim", help=text)


def _add_subject(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--height", type=float, metavar="M", help="stature in metres, if known")
    parser.add_argument("--mass", type=float, metavar="KG", help="body mass, if known")


def _check_subject(arguments: argparse.Namespace) -> None:
    for name, most in _MOST.items():
        value = getattr(arguments, name)
        if value is not None and not 0.0 < value < most:
            unit = "metres" if name == "height" else "kilograms"
            raise CommandError(Exit.USAGE, f"--{name} {value:g} is no person's {name} in {unit}.")


def _scale(arguments: argparse.Namespace) -> int:
    from pipeline.cli.scale import scale_steps

    _check_subject(arguments)
    with ProgressBar() as bar:
        text = bar.follow(
            scale_steps(
                arguments.markers,
                arguments.out,
                arguments.model,
                arguments.setup,
                arguments.engine,
                arguments.height,
                arguments.mass,
            )
        )
    print(text)
    return Exit.OK


def _ik(arguments: argparse.Namespace) -> int:
    from pipeline.cli.ik import ik_steps

    with ProgressBar() as bar:
        text = bar.follow(
            ik_steps(
                arguments.model,
                arguments.markers,
                arguments.out,
                arguments.tasks,
                arguments.engine,
            )
        )
    print(text)
    return Exit.OK


def _simulate(arguments: argparse.Namespace) -> int:
    from pipeline.cli.recording import chosen_person
    from pipeline.cli.simulate import as_text
    from pipeline.jobs.simulation_run import simulation_steps

    _check_subject(arguments)
    plan = plan_of(arguments)
    with ProgressBar() as bar:
        opened = opened_with(bar, arguments.path)
        person = chosen_person(opened, arguments.person)
        done = bar.follow(simulation_steps(opened.sequence, person.track, arguments.out, plan))
    point_to_project(opened)
    print(as_text(done))
    return Exit.OK
