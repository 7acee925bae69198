"""``simspine lift``: one view alone, of the demo and of the real recording; and what is refused."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.cli.main import main
from pipeline.cli.output import Exit
from pipeline.io.opening import open_in_memory
from pipeline.io.recording import recognise
from pipeline.io.trc import read_trc
from pipeline.jobs.lifting import lift_view, remarks
from pipeline.quality.procrustes import aligned_errors
from pipeline.synthesis.demo import DemoRecording
from tests.cli.helpers import N_FRAMES, Capture, said_one_sentence, tree

FloatArray = NDArray[np.float64]


def test_a_view_is_lifted_and_written(demo: DemoRecording, tmp_path: Path, capsys: Capture) -> None:
    before, out = tree(demo.folder), tmp_path / "new" / "lifted"
    camera = demo.cameras[1]
    arguments = ["lift", str(demo.folder), "--view", camera.name, "-o", str(out)]
    assert main([*arguments, "--frames", "2:"]) == Exit.OK
    streams = capsys.readouterr()
    assert f"Person 1 by {camera.name} in {N_FRAMES - 2} of {N_FRAMES - 2} frames" in streams.out
    assert "metres from the sacrum" in streams.err
    assert tree(demo.folder) == before
    points = read_trc(out / "lifted.trc")
    assert len(points.times) == N_FRAMES - 2
    assert points.times[0] == pytest.approx(2 / points.rate)
    hip = points.xyz[:, points.names.index("Hip")]
    assert np.abs(hip).max() < 0.01
    # The painted figure is upright, and so is what one view makes of it.
    head = points.xyz[:, points.names.index("Head")]
    assert (head[:, 1] > 0.4).all()
    apart = 1000.0 * np.nanmean(aligned_errors(points.xyz, demo.truth.xyz[2:]))
    said = next(line for line in streams.out.splitlines() if "mm from the points" in line)
    assert abs(float(said.split()[0]) - apart) < 0.3 * apart
    with (out / "lifted.csv").open() as handle:
        rows = list(csv.DictReader(handle))
    assert {row["frame"] for row in rows} == {str(frame) for frame in range(2, N_FRAMES)}
    first = next(row for row in rows if row["keypoint"] == "Head")
    np.testing.assert_allclose([float(first[f"{a}_m"]) for a in "xyz"], head[0], atol=1e-5)
    # Places are counted from the sacrum, which so is where it is.
    assert all((float(row["sigma_mm"]) > 0.0) == (row["keypoint"] != "Hip") for row in rows)
    with (out / "spine_angles.csv").open() as handle:
        angles = list(csv.DictReader(handle))
    assert len(angles) == N_FRAMES - 2
    assert len(angles[0]) == 2 + 2 * 11
    assert all(float(row["lumbar_bend_sd_deg"]) > 0.0 for row in angles)


def test_what_the_network_says_can_be_had_alone(
    demo: DemoRecording, tmp_path: Path, capsys: Capture
) -> None:
    arguments = ["lift", str(demo.folder), "--view", demo.cameras[1].name, "--json"]
    found = {}
    for name, more in (("fitted", []), ("raw", ["--raw"])):
        assert main([*arguments, "-o", str(tmp_path / name), *more]) == Exit.OK
        assert json.loads(capsys.readouterr().out)["fitted"] == (name == "fitted")
        found[name] = read_trc(tmp_path / name / "lifted.trc")
    points = found["fitted"].names
    ends = [points.index(f"L{name}") for name in ("Knee", "Ankle")]

    def spread(xyz: FloatArray) -> float:
        return float(np.ptp(np.linalg.norm(xyz[:, ends[0]] - xyz[:, ends[1]], axis=-1)))

    # Shanks keep their length in the model; a network does not know that they have to.
    assert spread(found["fitted"].xyz) < 0.003
    assert spread(found["fitted"].xyz) < 0.5 * spread(found["raw"].xyz)


@pytest.mark.realdata
def test_the_real_recording_by_each_view(balancing: Path, tmp_path: Path, capsys: Capture) -> None:
    mean_pose = 132.0  # mm, of the pose that people have on average: benchmarks/lifter.py
    for view in ("cam_01", "cam_02", "cam_03", "cam_04"):
        arguments = ["lift", str(balancing), "--view", view, "-o", str(tmp_path / view)]
        assert main([*arguments, "--json"]) == Exit.OK
        done = json.loads(capsys.readouterr().out)
        assert done["seen"] == done["frames"] == done["compared"] == 100
        assert done["apart_mm"] < mean_pose
        assert all(Path(path).is_file() for path in done["files"])


def test_faster_recordings_are_lifted_as_slower_ones(demo: DemoRecording) -> None:
    sequence, _ = open_in_memory(recognise(demo.folder))
    frames = np.arange(N_FRAMES)
    found = lift_view(sequence, 0, 0, frames)
    assert len(remarks(found)) == 1
    info = sequence.info
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sequence, "info", replace(info, fps=4.0 * info.fps))
        fast = lift_view(sequence, 0, 0, frames)
        patch.setattr(sequence, "info", replace(info, fps=10.0))
        assert "10 frames per second, fewer than the 25" in " ".join(
            remarks(lift_view(sequence, 0, 0, frames))
        )
    assert np.isfinite(fast.xyz).all()
    # Each of several slower recordings by itself: not the same, but nearly.
    assert 0.0 < np.abs(fast.xyz - found.xyz).max() < 0.2


def test_what_cannot_be_lifted_is_one_sentence(
    demo: DemoRecording, tmp_path: Path, capsys: Capture
) -> None:
    out = str(tmp_path / "out")
    folder = str(demo.folder)
    view = demo.cameras[0].name
    assert main(["lift", folder, "--view", "cam9", "-o", out]) == Exit.USAGE
    said_one_sentence(capsys, Exit.USAGE, "no view named “cam9”", view)
    assert main(["lift", folder, "--view", view, "-o", out, "--person", "7"]) == Exit.NO_PERSON
    said_one_sentence(capsys, Exit.NO_PERSON, "no person 7")
    assert main(["lift", folder, "--view", view, "-o", out, "--frames", "9:9"]) == Exit.USAGE
    said_one_sentence(capsys, Exit.USAGE, "--frames 9:9")
    broken = tmp_path / "broken.pt"
    broken.write_bytes(b"nothing")
    arguments = ["lift", folder, "--view", view, "-o", out, "--lifter", str(broken)]
    assert main(arguments) == Exit.FAILED
    said_one_sentence(capsys, Exit.FAILED, str(broken))
    assert not Path(out).exists()
    taken = tmp_path / "file"
    taken.write_text("")
    assert main(["lift", folder, "--view", view, "-o", str(taken)]) == Exit.FAILED
    said_one_sentence(capsys, Exit.FAILED, str(taken))
