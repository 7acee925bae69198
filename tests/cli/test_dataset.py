"""``simspine dataset``: all sequences below a folder, gone on with, interrupted, on a cluster."""

from __future__ import annotations

import csv
import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numba
import pytest

import pipeline.kinematics.compiled  # noqa: F401 - names the folder of compiled kernels
from pipeline.cli.main import main
from pipeline.cli.output import Exit
from pipeline.synthesis.demo import DemoRecording
from tests.cli.helpers import Capture, process, said_one_sentence, tree

pytestmark = pytest.mark.opensim


@pytest.fixture(autouse=True)
def _compiled_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers find the kernels that this process has compiled, though its homes are new."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", numba.config.CACHE_DIR)


@pytest.fixture
def dataset(demo: DemoRecording, tmp_path: Path) -> Path:
    """Two sequences of a subject, and one of another that lacks its calibration."""
    root = tmp_path / "data"
    for name in ("S1/walk", "S1/again"):
        shutil.copytree(demo.folder, root / name)
    shutil.copytree(demo.folder / "videos", root / "S2" / "jump" / "videos")
    return root


def rows_of(out: Path) -> dict[str, dict[str, str]]:
    with (out / "dataset.csv").open(encoding="utf-8", newline="") as file:
        return {f"{row['subject']}/{row['sequence']}": row for row in csv.DictReader(file)}


def states(out: Path) -> dict[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in out.rglob("sequence.json")}


@pytest.mark.worker
def test_a_dataset_is_done_and_kept(dataset: Path, tmp_path: Path, capsys: Capture) -> None:
    shutil.rmtree(dataset / "S1" / "again")
    before = tree(dataset)
    out = tmp_path / "out"
    arguments = ["dataset", str(dataset), "-o", str(out), "--jobs", "2"]
    assert main(arguments) == Exit.FAILED
    streams = capsys.readouterr()
    assert "2 sequences of 2 subjects; 0 up to date, 2 to be done" in streams.err
    assert "Estimate: 12 frames, about " in streams.err
    assert "with 2 processes" in streams.err
    assert "1 done, 0 up to date, 1 failed" in streams.out
    found = rows_of(out)
    assert found["S1/walk"]["status"] == "done"
    assert found["S1/walk"]["frames"] == "12"
    assert 0 < float(found["S1/walk"]["median_marker_error_mm"]) < 40
    assert found["S2/jump"]["status"] == "failed"
    assert "no calibration" in found["S2/jump"]["reason"]
    assert (out / "S1" / "walk" / "labels.trc").is_file()
    assert not (out / "S2" / "jump").exists()
    assert not list(out.rglob(".*"))
    assert tree(dataset) == before

    old = states(out)
    shutil.rmtree(dataset / "S2")
    assert main([*arguments, "--quiet"]) == Exit.OK
    streams = capsys.readouterr()
    assert streams.err == ""
    assert "0 done, 1 up to date, 0 failed" in streams.out
    assert states(out) == old


@pytest.mark.worker
def test_only_what_is_half_there_or_made_otherwise_is_done_again(
    dataset: Path, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.jobs.dataset_pool._TASKS", "tests.jobs.dataset_stand_in")
    out = tmp_path / "out"
    arguments = ["dataset", str(dataset), "-o", str(out), "--quiet"]
    assert main(arguments) == Exit.OK
    walk, again, jump = (str(out / name / "sequence.json")
                         for name in ("S1/walk", "S1/again", "S2/jump"))  # fmt: skip

    def redone() -> set[str]:
        old = states(out)
        assert main(arguments) == Exit.OK
        new = states(out)
        return {path for path, when in new.items() if old.get(path) != when}

    assert redone() == set()
    (out / "S1" / "again" / "labels.trc").unlink()
    assert redone() == {again}
    (out / "S1" / "walk" / "sequence.json").write_text("{")
    assert redone() == {walk}
    shutil.copytree(dataset / "S1" / "walk" / "calibration", dataset / "S2" / "calibration")
    assert redone() == {jump}
    arguments += ["--spine", "extended"]
    assert redone() == {walk, again, jump}
    capsys.readouterr()
    assert main(arguments) == Exit.OK
    assert "0 done, 3 up to date, 0 failed" in capsys.readouterr().out


@pytest.mark.worker
@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_ctrl_c_leaves_no_half_sequence_and_says_how_to_go_on(
    dataset: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    with process("dataset", dataset, "-o", out, "--jobs", "1", "--quiet") as running:
        end = time.monotonic() + 120
        while not list(out.glob("S1/.*.part")):
            assert running.poll() is None
            assert time.monotonic() < end
            time.sleep(0.02)
        running.send_signal(signal.SIGINT)
        assert running.stderr is not None
        said = running.stderr.read()
    assert running.returncode == Exit.INTERRUPTED
    assert said == (
        "Interrupted; what is finished stays, and the same command goes on from there.\n"
    )
    assert not list(out.rglob(".*"))
    assert not list(out.rglob("labels.trc"))
    assert "stopped" in (out / "dataset.log").read_text()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--jobs", "0"], ["no number of processes"]),
        (["--jobs", "2", "--cluster", "tcp://localhost:1"], ["not allowed with"]),
    ],
)
def test_wrong_arguments(arguments: list[str], words: list[str], capsys: Capture) -> None:
    assert main(["dataset", "somewhere", "-o", "out", *arguments]) == Exit.USAGE
    said = capsys.readouterr().err
    assert all(word in said for word in words)


def test_folders_that_cannot_be_used(dataset: Path, tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "empty").mkdir()
    for root, word in ((tmp_path / "none", "does not exist"), (tmp_path / "empty", "no recording")):
        assert main(["dataset", str(root), "-o", str(tmp_path / "out")]) == Exit.UNUSABLE
        said_one_sentence(capsys, Exit.UNUSABLE, str(root), word)
    assert main(["dataset", str(dataset), "-o", str(dataset)]) == Exit.USAGE
    said_one_sentence(capsys, Exit.FAILED, "holds the recordings")
    (tmp_path / "file").touch()
    assert main(["dataset", str(dataset), "-o", str(tmp_path / "file")]) == Exit.FAILED
    said_one_sentence(capsys, Exit.FAILED, "cannot be made: file exists")


@pytest.mark.parametrize("address", ["localhost:8786", "tcp://127.0.0.1:9"])
def test_a_cluster_that_is_not_there(
    address: str, dataset: Path, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("distributed")
    from pipeline.jobs import dataset_pool

    monkeypatch.setattr(dataset_pool, "_CONNECT_SECONDS", 1.0)
    arguments = ["dataset", str(dataset), "-o", str(tmp_path / "out"), "--cluster", address]
    assert main(arguments) == Exit.FAILED
    said_one_sentence(capsys, Exit.FAILED, address)


def test_dask_is_not_installed(
    dataset: Path, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    out = tmp_path / "out"
    arguments = ["dataset", str(dataset), "-o", str(out), "--cluster", "tcp://127.0.0.1:9"]
    assert main(arguments) == Exit.FAILED
    said_one_sentence(capsys, Exit.FAILED, "--cluster needs Dask", "python -m pip install")


@pytest.fixture
def cluster() -> Iterator[str]:
    """A scheduler with one worker process."""
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=True, dashboard_address=None
    ) as cluster:
        yield cluster.scheduler_address


@pytest.mark.worker
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_a_dask_cluster_does_the_same(
    dataset: Path, tmp_path: Path, capsys: Capture, cluster: str
) -> None:
    shutil.rmtree(dataset / "S1" / "again")
    out = tmp_path / "out"
    assert main(["dataset", str(dataset), "-o", str(out), "--cluster", cluster]) == Exit.FAILED
    streams = capsys.readouterr()
    assert "of work for the cluster" in streams.err
    found = rows_of(out)
    assert found["S1/walk"]["status"] == "done"
    assert found["S2/jump"]["status"] == "failed"
    assert "no calibration" in found["S2/jump"]["reason"]
    assert (out / "S1" / "walk" / "labels.trc").is_file()
