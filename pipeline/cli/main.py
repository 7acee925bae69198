"""The program ``simspine``: recordings looked at, triangulated and exported without a window."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Generator, Iterator
from pathlib import Path

from pipeline import __version__
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
from pipeline.cli.dataset import add_dataset_command
from pipeline.cli.detect import add_detect_command
from pipeline.cli.fine_tune import add_fine_tune_command
from pipeline.cli.lift import add_lift_command
from pipeline.cli.model_commands import add_model_commands
from pipeline.cli.models import add_models_command
from pipeline.cli.output import CommandError, Exit, ProgressBar, Step, counted
from pipeline.cli.render import add_render_command
from pipeline.cli.train import add_train_command
from pipeline.cli.training_set import add_training_set_command
from pipeline.data.errors import UserError

FORMATS = ("trc", "csv", "openpose", "coco")
STAGES = ("triangulated", "final")

EPILOG = """\
PATH is the folder of a recording (videos, a calibration, detections), which is read anew and in
memory: nothing is written beside it; or a .simspine project, with all corrections made in it.

exit codes: 0 done, 1 failed, 2 wrong arguments, 3 the input cannot be used, 4 there is no such
person, 130 interrupted. An error is one sentence on stderr; an interrupted or failed command
leaves the old file as it was.
"""


def main(argv: list[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a console may lack ° and ×
    try:
        arguments = _parser().parse_args(argv)
        code = int(arguments.run(arguments))
        sys.stdout.flush()
    except SystemExit as done:  # argparse has said what there is to say
        return int(done.code or 0)
    except CommandError as error:
        return _complain(str(error), error.code)
    except UserError as error:
        return _complain(str(error), Exit.FAILED)
    except KeyboardInterrupt:
        return _complain("Interrupted.", Exit.INTERRUPTED)
    except BrokenPipeError:
        # The reader, such as `head`, has enough; the interpreter's own flush must not complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.OK
    return code


def _complain(message: str, code: Exit) -> int:
    print(message, file=sys.stderr)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="simspine",
        description="Look at, triangulate and export multi-camera recordings without a window.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"simspine {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    info = add_command(commands, _info, "info", "what a recording holds, and what is odd about it")
    add_path(info)
    info.add_argument("--json", action="store_true", help="as JSON, for programs")

    triangulate = add_command(commands, _triangulate, "triangulate", "write 3D markers as TRC")
    add_path(triangulate)
    add_person(triangulate)
    triangulate.add_argument(
        "--calibration", type=Path, metavar="FILE", help="instead of the one the folder has"
    )
    add_out(triangulate, "FILE.trc")

    export = add_command(commands, _export, "export", "write 2D or 3D points in a file format")
    add_path(export)
    export.add_argument("--format", required=True, choices=FORMATS, help="what to write")
    add_out(export, "OUT")
    add_person(export)
    add_frames(export)

    export.add_argument(
        "--stage",
        choices=STAGES,
        default="final",
        help="3D points of each frame by itself, or solved over time (default: %(default)s)",
    )

    refine = add_command(
        commands, _refine, "refine", "correct where the cameras stand, from a person's points"
    )
    add_path(refine)
    add_person(refine)
    refine.add_argument(
        "--apply", action="store_true", help="write the correction into the project (can be undone)"
    )
    refine.add_argument("--json", action="store_true", help="as JSON, for programs")

    add_model_commands(commands)
    add_dataset_command(commands)
    add_training_set_command(commands)
    add_train_command(commands)
    add_fine_tune_command(commands)

    add_detect_command(commands)
    add_lift_command(commands)
    add_models_command(commands)

    demo = add_command(commands, _demo, "demo", "make a synthetic recording with known truth")
    demo.add_argument("folder", type=Path, metavar="DIR", help="folder to make")
    add_render_command(commands)

    add_command(commands, _doctor, "doctor", "check the installation; exit code 1 if it is broken")
    return parser


def _info(arguments: argparse.Namespace) -> int:
    from pipeline.cli.info import as_json, as_text

    with ProgressBar() as bar:
        opened = opened_with(bar, arguments.path)
    point_to_project(opened)
    print(as_json(opened) if arguments.json else as_text(opened))
    return Exit.OK


def _triangulate(arguments: argparse.Namespace) -> int:
    from pipeline.cli.recording import chosen_person
    from pipeline.io.export import ExportRequest, export_steps
    from pipeline.quality.heldout import COUNTED_SCORE, quality_steps

    with ProgressBar() as bar:
        opened = opened_with(bar, arguments.path, calibration=arguments.calibration)
        person = chosen_person(opened, arguments.person)
        sequence = opened.sequence
        request = ExportRequest(sequence, person.track, "trc", arguments.out, stage="triangulated")
        bar.follow(_closable(export_steps(request)))
        quality = bar.follow(quality_steps(sequence, person.track))
    point_to_project(opened)
    score = f"with a score above {COUNTED_SCORE}"
    reprojection, heldout = (
        _pixels(errors.overall.median, errors.overall.n)
        for errors in (quality.reprojection, quality.heldout)
    )
    print(
        f"{arguments.out}: {counted(quality.n_markers, 'marker')} in "
        f"{counted(sequence.n_frames, 'frame')}, person {person.number}\n"
        f"Median reprojection error: {reprojection} {score}, in all views\n"
        f"Median held-out-camera error: {heldout} {score}, each predicted from the other views"
    )
    return Exit.OK


def _pixels(error: float, n: int) -> str:
    return f"{error:.2f} px over {counted(n, 'detection')}" if n else "no detections to measure it"


def _export(arguments: argparse.Namespace) -> int:
    from pipeline.cli.recording import chosen_person
    from pipeline.io.export import ExportRequest, export_steps

    with ProgressBar() as bar:
        opened = opened_with(bar, arguments.path, with_authors=True)
        person = chosen_person(opened, arguments.person)
        n_frames = opened.sequence.n_frames
        first, end = frames_within(arguments.frames, n_frames, opened.sequence.info.name)
        request = ExportRequest(
            opened.sequence,
            person.track,
            arguments.format,
            arguments.out,
            frames=(first, end),
            authorship=dict(opened.authorship),
            stage=arguments.stage,
        )
        bar.follow(_closable(export_steps(request)))
    point_to_project(opened)
    print(f"{arguments.out}: {counted(end - first, 'frame')} of person {person.number}")
    return Exit.OK


def _closable(steps: Iterator[Step]) -> Generator[Step, None, None]:
    yield from steps


def _refine(arguments: argparse.Namespace) -> int:
    from pipeline.cli import refine
    from pipeline.cli.recording import chosen_person
    from pipeline.geometry.refine_sequence import camera_report_steps
    from pipeline.jobs.camera_tasks import as_data

    if arguments.apply:
        refine.check_applicable(arguments.path)
    with ProgressBar() as bar:
        opened = opened_with(bar, arguments.path)
        person = chosen_person(opened, arguments.person)
        cameras = opened.sequence.cameras
        report = bar.follow(camera_report_steps(opened.sequence, person.track))
    point_to_project(opened)
    applied = arguments.apply and report.accepted
    if applied:
        refine.apply(opened.path, report.refinement.cameras, person.track)
    if arguments.json:
        print(refine.as_json(as_data(report, cameras), person, applied))
    else:
        print(refine.as_text(report, cameras.names, person))
    if applied:
        print(f"Written into {opened.path.name}, as one step that can be undone.", file=sys.stderr)
    elif arguments.apply:
        raise CommandError(Exit.FAILED, "Nothing was written, because nothing was accepted.")
    return Exit.OK


def _demo(arguments: argparse.Namespace) -> int:
    from pipeline.jobs.steps import reported
    from pipeline.synthesis.demo import make_demo

    with ProgressBar() as bar:
        bar.follow(reported(lambda report: make_demo(arguments.folder, progress=report)))
    print(arguments.folder)
    return Exit.OK


def _doctor(_: argparse.Namespace) -> int:
    from pipeline.cli.doctor import as_text, gathered, is_healthy, judged

    lines = judged(gathered())
    print(as_text(lines))
    return Exit.OK if is_healthy(lines) else Exit.FAILED
