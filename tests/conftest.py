"""Fixtures and guards shared by all tests."""

from __future__ import annotations

import gc
import itertools
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

REPOSITORY = Path(__file__).resolve().parents[1]

HOMES = ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME")

# A collection looks through all there is, which takes 70 ms: once for so many tests.
_TESTS_PER_COLLECTION = 20
_tests = itertools.count(1)


def _test_data() -> Path:
    default = REPOSITORY.parent / "shared" / "data"
    return Path(os.environ.get("SIMSPINE_TEST_DATA", default))


def _real_recording(name: str) -> Path:
    folder = _test_data() / name
    if not folder.is_dir():
        message = f"real recording not found: {folder} (set SIMSPINE_TEST_DATA)"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return folder


@pytest.fixture(scope="session")
def balancing_source() -> Path:
    """The delivered four-camera recording; read only, never write here."""
    return _real_recording("balancing")


@pytest.fixture(scope="session")
def gait2354() -> Path:
    """OpenSim's gait example with its published results; read only."""
    return _real_recording("gait2354")


@pytest.fixture(scope="session")
def pose2sim_model() -> Path:
    """Pose2Sim's model with a flexible lumbar spine, its markers and set-ups; read only."""
    return _real_recording("pose2sim_model")


@pytest.fixture
def balancing(balancing_source: Path, tmp_path: Path) -> Path:
    """A copy of the real recording in a temporary folder, videos linked."""
    target = tmp_path / "balancing"
    target.mkdir()
    for entry in balancing_source.iterdir():
        if entry.name == "videos":
            (target / "videos").mkdir()
            for video in entry.iterdir():
                (target / "videos" / video.name).symlink_to(video)
        elif entry.name != "reference":
            shutil.copytree(entry, target / entry.name, copy_function=shutil.copyfile)
    for folder in target.rglob("*"):
        if folder.is_dir():
            folder.chmod(0o755)
    return target


@pytest.fixture(scope="session")
def compiled_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where all tests of a run, and the workers they start, keep compiled kernels."""
    base = tmp_path_factory.getbasetemp()
    return (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "numba"


def _own_homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for variable in HOMES:
            patch.setenv(variable, str(tmp_path_factory.mktemp(variable.lower())))
        yield


@pytest.fixture(scope="session", autouse=True)
def _no_real_homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What tests share is made before a test has its own folders: it must not see a user's."""
    yield from _own_homes(tmp_path_factory)


@pytest.fixture(scope="module", autouse=True)
def _homes_of_a_module(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What a module's tests share must not see what another module's window left behind."""
    yield from _own_homes(tmp_path_factory)


@pytest.fixture(autouse=True)
def _isolated_homes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, compiled_once: Path) -> None:
    """Settings, caches and user data of each test live in its own folder.

    Compiled kernels are shared: making them takes half a minute.
    """
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(compiled_once))
    for variable in HOMES:
        monkeypatch.setenv(variable, str(tmp_path / variable.lower()))


@pytest.fixture(autouse=True)
def _garbage_in_the_main_thread() -> Iterator[None]:
    """As in the program: decode threads must never finalise Qt or VTK wrappers (PYSIDE-810)."""
    gc.disable()
    yield
    gc.collect(2 if next(_tests) % _TESTS_PER_COLLECTION == 0 else 1)
