"""``simspine render`` makes a recording that the other commands read, and says what it cannot."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.cli.main import main
from pipeline.cli.output import Exit
from pipeline.synthesis.made_recording import load_truth
from pipeline.synthesis.motion_families import named_families

SMALL = ["--cameras", "2", "--frames", "5", "--size", "128x96", "--seed", "3"]


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rendered") / "sitting"
    assert main(["render", str(folder), "--motion", "sitting-down", *SMALL]) == Exit.OK
    return folder


def test_the_folder_has_pose2sims_layout_and_the_truth(rendered: Path) -> None:
    names = {p.name for p in rendered.iterdir()}
    assert names == {"videos", "calibration", "pose", "truth.json", "truth.npz"}
    assert sorted(p.name for p in (rendered / "videos").iterdir()) == ["cam_1.mp4", "cam_2.mp4"]
    truth = load_truth(rendered)
    assert truth.xyz.shape == (5, 37, 3)
    assert truth.xy.shape == (5, 2, 37, 2)
    assert truth.errors == ()
    assert truth.coordinates.shape == (5, len(truth.coordinate_names))
    assert "lumbar_lower_flex" in truth.coordinate_names


def test_other_commands_read_it_and_find_the_truth(
    rendered: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["info", str(rendered)]) == Exit.OK
    assert "5 frames" in capsys.readouterr().out
    out = tmp_path / "points.trc"
    assert main(["triangulate", str(rendered), "-o", str(out)]) == Exit.OK
    rows = [line.split("\t") for line in out.read_text(encoding="utf-8").splitlines()[5:] if line]
    values = np.array([[float(v) if v else np.nan for v in row[2 : 2 + 37 * 3]] for row in rows])
    found = values.reshape(len(rows), 37, 3)
    error = np.linalg.norm(found - load_truth(rendered).xyz, axis=-1)
    # Two small pictures with a detector's noise.
    assert np.nanmedian(error) < 0.10


def test_the_same_seed_gives_the_same_files(rendered: Path, tmp_path: Path) -> None:
    again = tmp_path / "again"
    assert main(["render", str(again), "--motion", "sitting-down", *SMALL]) == Exit.OK
    for path in sorted(p for p in rendered.rglob("*") if p.is_file()):
        assert path.read_bytes() == (again / path.relative_to(rendered)).read_bytes(), path.name


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--motion", "flying"], "flying"),
        (["--motion", "walking", "--cameras", "17"], "1 to 16 cameras"),
        (["--motion", "walking", "--size", "33x44"], "33x44"),
        (["--motion", "walking", "--size", "wide"], "wide"),
        (["--motion", "walking", "--frames", "0"], "'0'"),
        (["--motion", "walking", "--fps", "0"], "'0'"),
        (["--motion", "walking", "--seed", "-1"], "'-1'"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert main(["render", str(tmp_path / "x"), *arguments]) == Exit.USAGE
    assert said in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_holds_something_is_left_alone(
    rendered: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(rendered.rglob("*"))
    assert main(["render", str(rendered), "--motion", "walking"]) == Exit.FAILED
    assert "already exists" in capsys.readouterr().err
    assert sorted(rendered.rglob("*")) == before


def test_every_family_can_be_asked_for() -> None:
    names = named_families()
    assert {"forward-bending", "walking", "sitting-down", "lifting", "lunging"} <= set(names)
    assert all(" " not in name for name in names)
