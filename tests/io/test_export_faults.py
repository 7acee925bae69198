"""A failed export leaves the old file and says in one sentence what and why."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.data.errors import UserError
from pipeline.io.export import FORMATS, export
from tests.io.exports import request

FULL_DISK = """
import resource, sys
from pathlib import Path
from pipeline.data.errors import UserError
from pipeline.io.export import export
from tests.io.exports import request
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), resource.RLIM_INFINITY))
try:
    export(request(Path(sys.argv[1]), sys.argv[2]))
except UserError as error:
    print(error)
"""


@pytest.mark.skipif(os.name == "nt", reason="resource limits")
@pytest.mark.parametrize(("format", "limit"), [("csv", 10_000), ("openpose", 100), ("trc", 0)])
def test_full_disk(format: str, limit: int, tmp_path: Path) -> None:
    path = tmp_path / "out"
    export(request(path, format, frames=(0, 1)))
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    result = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(path), format, str(limit)],
        cwd=Path(__file__).resolve().parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout == (
        f"{path} could not be written: the disk is full or the file too large for it.\n"
    )
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("format", FORMATS)
def test_folder_is_missing(format: str, tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "out"
    with pytest.raises(UserError) as caught:
        export(request(path, format))
    assert str(caught.value) == (
        f"{path} could not be written: the folder {path.parent} does not exist."
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("format", FORMATS)
def test_folder_is_a_file(format: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("old")
    with pytest.raises(UserError, match=r"the folder .*file is not a folder\.$"):
        export(request(tmp_path / "file" / "out", format))
    assert (tmp_path / "file").read_text() == "old"


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs a folder that takes no files")
@pytest.mark.parametrize("format", FORMATS)
def test_folder_takes_no_files(format: str) -> None:
    with pytest.raises(UserError) as caught:
        export(request(Path("/proc/out"), format))
    assert str(caught.value) == (
        "/proc/out could not be written: its folder takes no files from you."
    )


@pytest.mark.parametrize("format", ["trc", "csv", "coco"])
def test_target_is_a_folder(format: str, tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        export(request(tmp_path, format))
    assert str(caught.value) == f"{tmp_path} could not be written: it is a folder."
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="POSIX devices")
def test_devices_are_not_replaced() -> None:
    with pytest.raises(UserError, match=r"^/dev/null could not be written: it is no regular file"):
        export(request(Path("/dev/null"), "csv"))
    assert Path("/dev/null").is_char_device()


@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")
def test_permissions_and_links_survive(tmp_path: Path) -> None:
    real, link = tmp_path / "real.csv", tmp_path / "link.csv"
    real.write_text("old")
    real.chmod(0o640)
    link.symlink_to(real)
    export(request(link, "csv"))
    assert link.is_symlink()
    assert real.read_text().startswith("# SIMSPINE Viewer")
    assert real.stat().st_mode & 0o777 == 0o640


def test_a_read_only_file_is_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "out.csv"
    path.write_text("old")
    monkeypatch.setattr("pipeline.io.atomic.os.access", lambda *_: False)  # root may everything
    with pytest.raises(UserError, match=r"out\.csv could not be written: it is read-only\.$"):
        export(request(path, "csv"))
    assert path.read_text() == "old"


@pytest.mark.parametrize("n_renames", [0, 1])
def test_a_folder_that_cannot_be_swapped_stays(
    n_renames: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "out"
    export(request(path, "openpose", frames=(0, 1)))
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    rename, calls = os.rename, []

    def failing(source: object, target: object) -> None:
        calls.append(source)
        if len(calls) == n_renames + 1:
            raise PermissionError(13, "Permission denied")
        rename(source, target)  # type: ignore[arg-type]

    monkeypatch.setattr("pipeline.io.atomic.os.rename", failing)
    with pytest.raises(UserError, match="out could not be written: "):
        export(request(path, "openpose"))
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before
    assert list(tmp_path.iterdir()) == [path]
