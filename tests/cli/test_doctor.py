"""``simspine doctor``: every known trouble is found, told with its remedy, and sets the code."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from dataclasses import replace

import pytest

from pipeline.cli import doctor
from pipeline.cli.doctor import PACKAGES, QT, Facts, as_text, debian_packages, is_healthy, judged
from pipeline.cli.main import main
from tests.conftest import REPOSITORY

HEALTHY = Facts(
    python=(3, 11, 9),
    system="Linux-6.1",
    versions={**dict.fromkeys(PACKAGES, "9.9"), QT: "6.11.3", "shiboken6": "6.11.3"},
    broken={},
    opengl="llvmpipe",
)


def _with(**versions: str | None) -> Facts:
    found: dict[str, str | None] = {**HEALTHY.versions}
    for name, version in versions.items():
        found[name.replace("_", "-")] = version
    return replace(HEALTHY, versions={name: v for name, v in found.items() if v is not None})


def _qt(version: str, python: tuple[int, ...] = (3, 11, 9)) -> Facts:
    versions = {**HEALTHY.versions, QT: version, "shiboken6": version}
    return replace(HEALTHY, versions=versions, python=python)


def _problems(facts: Facts) -> list[str]:
    return [line.text for line in judged(facts) if line.level == "problem"]


def test_a_healthy_computer_has_no_problem() -> None:
    lines = judged(HEALTHY)
    assert is_healthy(lines)
    assert {line.level for line in lines} == {"ok"}
    text = as_text(lines)
    assert "ok       Python 3.11.9\n" in text
    for name in PACKAGES:
        assert f"ok       {name} " in text
    assert "llvmpipe" in text


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (replace(HEALTHY, python=(3, 10, 2)), ["Python 3.10.2", "3.11, 3.12 or 3.13"]),
        (replace(HEALTHY, python=(3, 14, 0)), ["Python 3.14.0", "3.11, 3.12 or 3.13"]),
        (_with(numpy=None), ["numpy is not installed", 'pip install "numpy"']),
        (
            replace(HEALTHY, broken={"vtk": "ImportError: libGL.so.1"}),
            ["vtk 9.9 cannot be imported", "libGL.so.1"],
        ),
        (
            _with(opencv_python="4.11"),
            ["opencv-python beside PySide6", "uninstall -y opencv-python opencv-python-headless"],
        ),
        (_with(opencv_contrib_python="4.11"), ["opencv-contrib-python beside PySide6"]),
        (_with(shiboken6="6.10.0"), ["shiboken6 6.10.0", "6.11.3"]),
        (
            replace(HEALTHY, missing=("libEGL.so.1", "libxcb-cursor.so.0")),
            ["sudo apt-get install --no-install-recommends -y libegl1 libxcb-cursor0"],
        ),
        (
            replace(HEALTHY, opengl=None, opengl_error="it crashed (exit code -11)"),
            ["3D view", "crashed (exit code -11)"],
        ),
    ],
)  # fmt: skip
def test_a_trouble_is_told_once_with_its_remedy(facts: Facts, words: list[str]) -> None:
    (problem,) = _problems(facts)
    for word in words:
        assert word in problem
    assert not is_healthy(judged(facts))


@pytest.mark.parametrize(
    ("version", "python", "trouble"),
    [
        ("6.8.3", (3, 11, 9), "too old"),
        ("6.9.0", (3, 11, 9), ""),
        ("6.10.2", (3, 13, 0), ""),
        ("6.11.0", (3, 11, 9), "dock widgets"),
        ("6.11.2", (3, 13, 0), "dock widgets"),
        ("6.11.3", (3, 11, 9), ""),
        ("6.12.0", (3, 11, 9), "references to None"),
        ("6.12.1", (3, 11, 9), "references to None"),
        ("6.12.0", (3, 12, 1), ""),
    ],
)
def test_the_traps_of_pyside(version: str, python: tuple[int, ...], trouble: str) -> None:
    problems = _problems(_qt(version, python))
    if not trouble:
        assert problems == []
        return
    (problem,) = problems
    assert trouble in problem
    assert version in problem
    assert "pip install" in problem


def test_no_display_is_a_note_only() -> None:
    lines = judged(replace(HEALTHY, has_display=False))
    assert [line.level for line in lines if "display" in line.text] == ["note"]
    assert is_healthy(lines)


def test_the_lists_are_those_of_the_project() -> None:
    with (REPOSITORY / "pyproject.toml").open("rb") as file:
        wanted = tomllib.load(file)["project"]["dependencies"]
    names = {requirement.split(">")[0].split("=")[0] for requirement in wanted}
    assert names == set(PACKAGES)
    assert doctor.QT_WANTED in wanted
    assert debian_packages()["libEGL.so.1"] == "libegl1"


def test_what_crashes_is_tried_in_another_process() -> None:
    crashed = doctor._python("import os; os.abort()")
    assert doctor._last_words(crashed).startswith("it crashed (exit code")
    failed = doctor._python(doctor._IMPORT, "no_such_module")
    assert "No module named 'no_such_module'" in doctor._last_words(failed)
    missing = doctor._python(doctor._LOAD_LIBRARIES, "libno-such.so.7")
    assert missing.stdout.split() == ["libno-such.so.7"]


def test_a_probe_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_TOO_LONG", 0.5)
    done = doctor._python("import time; time.sleep(60)")
    assert done.returncode
    assert "longer than" in doctor._last_words(done)


@pytest.mark.parametrize(("facts", "code"), [(HEALTHY, 0), (_qt("6.12.0"), 1)])
def test_the_exit_code_says_whether_it_works(
    facts: Facts, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(doctor, "gathered", lambda: facts)
    assert main(["doctor"]) == code
    assert capsys.readouterr().out == as_text(judged(facts)) + "\n"


def test_this_computer_is_looked_at_without_loading_qt() -> None:
    """The machine that runs the tests can run the program."""
    code = (
        "import sys\nfrom pipeline.cli.main import main\ncode = main(['doctor'])\n"
        "assert not {'PySide6', 'vtkmodules', 'cv2'} & set(sys.modules)\nsys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "off-screen OpenGL by " in done.stdout
