"""What the tests of the command line share."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.cli.output import Exit

N_FRAMES = 12
BODY = [
    "RHip", "RKnee", "RAnkle", "RBigToe", "RSmallToe", "RHeel", "LHip", "LKnee", "LAnkle",
    "LBigToe", "LSmallToe", "LHeel", "Neck", "Head", "Nose", "RShoulder", "RElbow", "RWrist",
    "LShoulder", "LElbow", "LWrist",
]  # fmt: skip
Capture = pytest.CaptureFixture[str]


def tree(folder: Path) -> dict[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in folder.rglob("*")}


def said_one_sentence(capsys: Capture, code: Exit, *words: str) -> None:
    """One sentence on stderr, with these words in it, and nothing else."""
    streams = capsys.readouterr()
    assert streams.out == ""
    assert streams.err.count("\n") == 1
    if code != Exit.USAGE:
        assert streams.err.rstrip().endswith(".")
    for word in words:
        assert word in streams.err


# A shell starts what it puts into the background with Ctrl+C ignored, and its children inherit
# that: as from a terminal, whatever the tests were started from.
_FROM_A_TERMINAL = (
    "import signal, runpy, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "sys.argv[0] = 'simspine'; runpy.run_module('pipeline.cli', run_name='__main__')"
)


def process(*arguments: str | Path, **options: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", _FROM_A_TERMINAL, *map(str, arguments)]
    return subprocess.Popen(command, text=True, stderr=subprocess.PIPE, **options)  # type: ignore[call-overload,no-any-return]
