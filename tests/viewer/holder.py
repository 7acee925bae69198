"""Holds a project open in a process of its own: ``python -m tests.viewer.holder PROJECT``."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.io.project import Project


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Within this context another process has the project open for editing."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.viewer.holder", str(path)],
        cwd=Path(__file__).resolve().parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        assert process.stdout.readline().strip() == "open"
        yield
    finally:
        process.stdin.close()
        process.wait(20)
        process.stdout.close()


if __name__ == "__main__":
    with Project.open(Path(sys.argv[1])):
        print("open", flush=True)
        sys.stdin.read()
