"""``simspine simulate`` as published, with other models, and with known markers."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from pipeline.cli.main import main
from pipeline.cli.output import Exit
from pipeline.io.motion_files import read_motion
from pipeline.io.trc import Trc, read_trc, write_trc
from pipeline.kinematics.published import CHAIN
from pipeline.synthesis.demo import make_demo
from tests.cli.flexing import N_FRAMES, flexing_recording
from tests.cli.helpers import Capture, said_one_sentence

pytestmark = pytest.mark.opensim


@pytest.fixture(scope="module")
def flexing(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, np.ndarray]:
    place = tmp_path_factory.mktemp("flexing")
    cameras = make_demo(place / "demo", n_frames=2, size=(1600, 1600), render=False)
    return place / "bend", flexing_recording(place / "bend", cameras.folder)


def lordosis(out: Path) -> np.ndarray:
    with (out / "angles.csv").open(encoding="utf-8", newline="") as file:
        return np.array([float(row["lumbar_lordosis_deg"]) for row in csv.DictReader(file)])


def slope(out: Path, truth: np.ndarray) -> float:
    return float(np.polyfit(np.degrees(truth), lordosis(out), 1)[0])


def test_the_published_run_crushes_lumbar_flexion_and_the_default_does_not(
    flexing: tuple[Path, np.ndarray], tmp_path: Path, capsys: Capture
) -> None:
    folder, truth = flexing
    assert np.degrees(np.ptp(truth)) > 30
    ours, published = tmp_path / "ours", tmp_path / "published"
    assert main(["simulate", str(folder), "-o", str(ours)]) == Exit.OK
    assert "Made by" not in capsys.readouterr().out
    arguments = ["simulate", str(folder), "-o", str(published), "--simspine-compatible"]
    assert main(arguments) == Exit.OK
    said = capsys.readouterr().out
    assert "published constants and formulas (--simspine-compatible) on our own model" in said
    assert "Labels and angles disagree, as published" in said
    assert 0.75 < slope(ours, truth) < 1.1
    assert abs(slope(published, truth)) < 0.15

    # Both say what made them, in the report and in the labels.
    for out, words in ((ours, "own spine model and fusion by variances"),
                       (published, "published constants and formulas")):  # fmt: skip
        assert words in (out / "report.html").read_text(encoding="utf-8")
        assert words in (out / "labels.trc").read_text(encoding="utf-8").splitlines()[0]
    # Step 5 holds the Hip to the measured one, and the column is a blend.
    labels, measured = (read_trc(published / name) for name in ("labels.trc", "measured.trc"))
    hip = labels.names.index("Hip")
    apart = labels.xyz[:, hip] - measured.xyz[:, measured.names.index("Hip")]
    assert np.abs(apart).max() < 0.01
    with (published / "labels.csv").open(encoding="utf-8") as file:
        sources = {row["keypoint"]: row["source"] for row in csv.DictReader(file)}
    assert {sources[name] for name in CHAIN} == {"blended"}
    assert sources["LHeel"] == "simulated"
    assert sources["LKnee"] == "triangulated"


@pytest.mark.realdata
def test_a_model_of_the_users_is_followed_on_arrays(
    flexing: tuple[Path, np.ndarray], pose2sim_model: Path, tmp_path: Path, capsys: Capture
) -> None:
    folder, truth = flexing
    model = pose2sim_model / "Model_Pose2Sim_muscles_flex.osim"
    out = tmp_path / "out"
    assert main(["simulate", str(folder), "-o", str(out), "--model", str(model)]) == Exit.OK
    said = capsys.readouterr().out
    assert f"Made by the model {model.name}" in said
    assert "33 markers were put on it" in said
    assert "left as measured: LEye, REye, LEar, REar" in said
    assert not (out / "angles.csv").exists()
    assert "none of our vertebrae" in (out / "report.html").read_text(encoding="utf-8")
    motion = read_motion(out / "angles.mot")
    assert len(motion.columns) == 62
    # Its seven-fold coupled lumbar flexion, forward being negative, follows the true one.
    found = motion.column("L5_S1_Flex_Ext")
    assert np.corrcoef(found, truth)[0, 1] > 0.95
    published = tmp_path / "published"
    arguments = ["simulate", str(folder), "-o", str(published), "--model", str(model)]
    assert main([*arguments, "--simspine-compatible"]) == Exit.OK
    crushed = read_motion(published / "angles.mot").column("L5_S1_Flex_Ext")
    assert np.ptp(crushed) < 0.1 * np.ptp(found)

    from pipeline.simulation.osim_model import load_model

    subject = load_model(out / "subject.osim", strip=False)
    assert subject.getForceSet().getSize() == 0
    assert len(read_trc(out / "labels.trc").names) == 37


@pytest.mark.realdata
@pytest.mark.parametrize("with_set", [False, True])
def test_a_model_of_the_legs_only_gives_what_it_has(
    flexing: tuple[Path, np.ndarray], gait2354: Path, with_set: bool, tmp_path: Path,
    capsys: Capture,
) -> None:  # fmt: skip
    folder, truth = flexing
    arguments = ["simulate", str(folder), "--model", str(gait2354 / "gait2354_simbody.osim")]
    if with_set:
        arguments += ["--marker-set", str(gait2354 / "gait2354_Scale_MarkerSet.xml")]
    out = tmp_path / "out"
    assert main([*arguments, "-o", str(out)]) == Exit.OK
    said = capsys.readouterr().out
    assert "RHip at origin of femur_r" in said
    assert ("RKnee at R.Knee.Lat and R.Knee.Med" in said) == with_set
    assert "left as measured: " in said
    hips = read_motion(out / "angles.mot").column("hip_flexion_r")
    if with_set:  # hip joints alone do not tell how the pelvis is tilted
        # Bent by 20 degrees; its marker on the sacrum is not quite where our keypoint is.
        assert np.median(hips[-10:]) - np.median(hips[20:50]) == pytest.approx(20, abs=12)
        assert np.corrcoef(hips, truth)[0, 1] < -0.95


def test_known_markers_replace_those_of_their_names(
    flexing: tuple[Path, np.ndarray], tmp_path: Path, capsys: Capture
) -> None:
    folder, _ = flexing
    times = np.arange(N_FRAMES) / 50.0
    at = np.tile([0.5, 1.0, 0.25], (N_FRAMES, 1, 1))
    at[-1] = np.nan
    known = tmp_path / "known.trc"
    write_trc(known, Trc(("LWrist",), times, at, 50.0))
    out = tmp_path / "out"
    assert main(["simulate", str(folder), "-o", str(out), "--known", str(known)]) == Exit.OK
    capsys.readouterr()
    measured = read_trc(out / "measured.trc")
    wrist = measured.xyz[:, measured.names.index("LWrist")]
    np.testing.assert_allclose(wrist[:-1], at[:-1, 0], atol=1e-6)
    assert np.linalg.norm(wrist[-1] - at[0, 0]) > 0.05


@pytest.mark.parametrize(
    ("trc", "words"),
    [
        (Trc(("LWrist",), np.arange(5) / 100, np.ones((5, 1, 3)), 100.0),
         ["100 frames per second", "the recording 50"]),
        (Trc(("Elsewhere",), np.arange(5) / 50, np.ones((5, 1, 3)), 50.0), ["no marker"]),
        (Trc(("LWrist",), 99 + np.arange(5) / 50, np.ones((5, 1, 3)), 50.0), ["no frame"]),
    ],
    ids=["another rate", "other names", "other times"],
)  # fmt: skip
def test_known_markers_that_do_not_fit(
    trc: Trc, words: list[str], flexing: tuple[Path, np.ndarray], tmp_path: Path, capsys: Capture
) -> None:
    known = tmp_path / "known.trc"
    write_trc(known, trc)
    out = tmp_path / "out"
    assert main(["simulate", str(flexing[0]), "-o", str(out), "--known", str(known)]) == Exit.FAILED
    said_one_sentence(capsys, Exit.FAILED, str(known), *words)
