"""The import rules at run time: what a process has loaded, not what the source says."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

QT = ("PySide6", "shiboken6")
HEAVY = ("torch", "opensim")


def _loaded(statement: str) -> set[str]:
    """Top-level names and project modules in ``sys.modules`` of a fresh process."""
    code = f"{statement}\nimport sys, json\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    modules = json.loads(done.stdout.splitlines()[-1])
    return {m.partition(".")[0] for m in modules} | set(modules)


def test_the_guard_bites() -> None:
    """Positive control: a process that does import Qt is seen to have it."""
    assert "PySide6" in _loaded("import PySide6.QtCore")


@pytest.mark.parametrize(
    "statement",
    [
        "import pipeline.cli.main",
        "import pipeline.jobs.tasks, pipeline.jobs.worker",
        "import pipeline.io.opening, pipeline.io.export",
        "import pipeline.geometry.reconstruct, pipeline.quality.signals",
    ],
)
def test_the_pipeline_never_loads_qt(statement: str) -> None:
    assert not _loaded(statement) & set(QT)


def test_the_window_loads_neither_worker_code_nor_heavy_packages() -> None:
    loaded = _loaded("import simspine_viewer.main_window")
    assert "PySide6" in loaded
    forbidden = {
        *HEAVY,
        "pipeline.models",
        "pipeline.synthesis",
        "pipeline.jobs.tasks",
        "pipeline.jobs.worker",
    }
    assert not loaded & forbidden


@pytest.mark.parametrize(
    "statement", ["import pipeline.cli.main", "import pipeline.jobs.tasks, pipeline.jobs.worker"]
)
def test_commands_and_workers_load_pytorch_only_when_a_network_runs(statement: str) -> None:
    assert "torch" not in _loaded(statement)


def test_the_headless_opencv_is_installed() -> None:
    """The GUI wheel replaces Qt's plugin path at import and breaks PySide6 (opencv-python#736)."""
    from importlib.metadata import distributions

    names = {d.metadata["Name"].lower() for d in distributions() if d.metadata["Name"]}
    assert "opencv-python-headless" in names
    assert not names & {"opencv-python", "opencv-contrib-python"}


@pytest.mark.gui
def test_qt_keeps_its_references_to_none() -> None:
    """PySide6 6.12.0 on Python 3.11 drops one reference to None per void call and then aborts."""
    code = (
        "import sys\nfrom PySide6.QtWidgets import QApplication, QLabel\n"
        "app = QApplication([])\nlabel = QLabel()\nlabel.update()\n"
        "before = sys.getrefcount(None)\n"
        "for _ in range(200): label.update()\n"
        "print(before - sys.getrefcount(None))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert int(done.stdout) < 50
