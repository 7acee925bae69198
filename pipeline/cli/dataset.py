"""The command ``dataset``: every sequence below a folder simulated, on all cores or a cluster."""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.cli.arguments import add_command, add_out
from pipeline.cli.model_commands import add_how, plan_of
from pipeline.cli.output import CommandError, Exit, ProgressBar, counted
from pipeline.data.errors import UserError

if TYPE_CHECKING:
    from pipeline.jobs.dataset import Advanced, Begun
    from pipeline.jobs.dataset_summary import Row


def add_dataset_command(commands: Any) -> None:
    """Add ``dataset`` to argparse's subparsers."""
    parser = add_command(
        commands, _dataset, "dataset", "simulate every recording and project below a folder"
    )
    parser.add_argument("root", type=Path, metavar="ROOT", help="folder of subjects and sequences")
    add_out(parser, "OUT", "folder for the results; what is up to date in it is kept")
    add_how(parser)
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--jobs",
        type=_count,
        metavar="N",
        help="sequences side by side (default: what cores and memory have room for)",
    )
    where.add_argument(
        "--cluster", metavar="ADDRESS", help="of a Dask scheduler, such as tcp://host:8786"
    )
    parser.add_argument(
        "--quiet", action="store_true", help="no progress, only the table at the end"
    )


def _count(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of processes")
    return int(text)


def _dataset(arguments: argparse.Namespace) -> int:
    from pipeline.jobs.dataset import Begun, DatasetPlan, Looked, dataset_steps
    from pipeline.jobs.dataset_find import find_sequences

    root, out = arguments.root, arguments.out
    if root.resolve() == out.resolve():
        raise CommandError(
            Exit.USAGE, f"The results cannot go into {root}, which holds the recordings."
        )
    try:
        sequences = find_sequences(root, leave_out=out)
    except UserError as error:
        raise CommandError(Exit.UNUSABLE, str(error)) from error
    plan = DatasetPlan(root, out, plan_of(arguments), arguments.jobs, arguments.cluster)
    steps = dataset_steps(plan, sequences)
    teller = _Teller(arguments.quiet)
    try:
        while True:
            told = next(steps)
            if isinstance(told, Looked):
                teller.bar.show(told.done / told.total, "Looking at the recordings")
            elif isinstance(told, Begun):
                teller.begun(told)
            else:
                teller.advanced(told)
    except StopIteration as finished:
        rows: tuple[Row, ...] = finished.value
    except KeyboardInterrupt as error:
        raise CommandError(
            Exit.INTERRUPTED,
            "Interrupted; what is finished stays, and the same command goes on from there.",
        ) from error
    finally:
        teller.clear()
        steps.close()
    print(as_table(rows))
    failed = [row for row in rows if row.status == "failed"]
    print(_totals(rows, arguments.out))
    return Exit.FAILED if failed else Exit.OK


class _Teller:
    """What a person is told on stderr while it runs: a bar on a terminal, and a line each."""

    def __init__(self, quiet: bool) -> None:
        self.quiet = quiet
        self.bar = ProgressBar(io.StringIO() if quiet else None)

    def clear(self) -> None:
        """Take the bar away."""
        self.bar.__exit__(None, None, None)

    def begun(self, told: Begun) -> None:
        if self.quiet:
            return
        self.clear()
        kept = sum(row.status == "kept" for row in told.rows)
        print(_announced(told, kept), file=sys.stderr)

    def advanced(self, told: Advanced) -> None:
        if told.row is not None and not self.quiet:
            self.clear()
            print(f"{told.ended}/{told.total} {_line(told.row)}", file=sys.stderr)
        left = f"{told.ended}/{told.total}, about {duration(told.left)} left"
        self.bar.show(told.fraction, left)


def _announced(told: Begun, kept: int) -> str:
    estimate = told.estimate
    subjects = len({row.found.subject for row in told.rows})
    of_people = counted(subjects, "subject")
    lines = [
        f"{counted(len(told.rows), 'sequence')} of {of_people}; {kept} up to date, "
        f"{estimate.sequences} to be done"
    ]
    if estimate.sequences:
        if told.workers:
            takes = duration(estimate.seconds / told.workers)
            place = f"about {takes} with {counted(told.workers, 'process')}".replace(
                "processs", "processes"
            )
        else:
            place = f"about {duration(estimate.seconds)} of work for the cluster"
        lines.append(
            f"Estimate: {counted(estimate.frames, 'frame')}, {place}, "
            f"{size(estimate.n_bytes)} on the disk"
        )
        if estimate.n_bytes > estimate.free_bytes:
            lines.append(f"The disk has only {size(estimate.free_bytes)} left.")
    return "\n".join(lines)


def _line(row: Row) -> str:
    if row.state is None:
        return f"{row.found.key}: failed. {row.reason}"
    error = row.state.marker_error
    fit = "" if error is None else f", {error:.1f} mm"
    return f"{row.found.key}: {counted(row.frames, 'frame')}{fit}, {row.state.seconds:.1f} s"


def as_table(rows: Sequence[Row]) -> str:
    """Every sequence in a line, what failed with its reason."""
    cells = [("sequence", "", "frames", "error mm", "seconds", "")]
    for row in rows:
        state = row.state
        if state is None:
            cells.append((row.found.key, row.status, str(row.frames or ""), "", "", row.reason))
            continue
        error = "" if state.marker_error is None else f"{state.marker_error:.1f}"
        cells.append(
            (
                row.found.key,
                {"kept": "up to date"}.get(row.status, row.status),
                str(row.frames),
                error,
                f"{state.seconds:.1f}",
                "; ".join(state.flags),
            )
        )
    widths = [max(len(line[place]) for line in cells) for place in range(5)]
    return "\n".join(
        f"{a:{widths[0]}}  {b:{widths[1]}}  {c:>{widths[2]}}  {d:>{widths[3]}}  "
        f"{e:>{widths[4]}}  {f}".rstrip()
        for a, b, c, d, e, f in cells
    )


def _totals(rows: Sequence[Row], out: Path) -> str:
    counts = {what: sum(row.status == what for row in rows) for what in ("done", "kept", "failed")}
    text = f"{counts['done']} done, {counts['kept']} up to date, {counts['failed']} failed"
    more = f"; details in {out / 'dataset.log'}" if counts["failed"] else ""
    return f"{text}; table in {out / 'dataset.csv'}{more}"


def duration(seconds: float) -> str:
    """A length of time as people say it: ``40 s``, ``12 min``, ``3 h 20 min``."""
    if seconds < 90:
        return f"{max(round(seconds), 1)} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"


def size(n_bytes: float) -> str:
    """Room on a disk as people say it: ``12 MB``, ``3.4 GB``."""
    return f"{n_bytes / 1e6:.0f} MB" if n_bytes < 1e9 else f"{n_bytes / 1e9:.1f} GB"
