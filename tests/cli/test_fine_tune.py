"""``simspine fine-tune``: corrected frames teach a small network, and nothing else is touched."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.cli.main import main
from pipeline.cli.output import Exit
from pipeline.io.opening import create_project
from pipeline.io.recording import recognise
from pipeline.models.cards import read_card
from pipeline.models.network import load_pose_network
from pipeline.synthesis.demo import DemoRecording
from tests.cli.helpers import N_FRAMES, Capture, said_one_sentence, tree
from tests.truth.corrected import corrected_project
from tests.truth.tiny_pose_network import tiny_checkpoint

SETTINGS = """
[detector]
steps = 4
batch = 4
validate_every = 2
half = false
frozen = true
learning_rate = {rate}
inner_rate = {rate}
average = 0.0
"""


@pytest.fixture(scope="module")
def corrected(demo: DemoRecording, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return corrected_project(demo, tmp_path_factory.mktemp("tuned") / "walk.simspine")


def _config(folder: Path, rate: str = "1e-3") -> Path:
    path = folder / "settings.toml"
    path.write_text(SETTINGS.format(rate=rate))
    return path


def test_a_model_learns_from_corrected_frames(
    corrected: Path, tmp_path: Path, capsys: Capture
) -> None:
    weights = tiny_checkpoint(tmp_path / "tiny.pth")
    bytes_before, project_before = weights.read_bytes(), tree(corrected.parent)
    out = tmp_path / "tuned"
    command = ["fine-tune", str(corrected), "--model", str(weights), "-o", str(out)]
    command += ["--config", str(_config(tmp_path)), "--device", "cpu"]
    assert main([*command, "--json"]) == Exit.OK
    done = json.loads(capsys.readouterr().out)
    assert done["frames"] == N_FRAMES
    assert done["judged"] < done["taught"]
    assert done["better"]  # a random network, which any teaching makes better
    assert done["after"]["error_px"] < done["before"]["error_px"]
    made = Path(done["weights"])
    assert made.parent == out
    card = read_card(made.with_suffix(".toml"))
    assert card.name == done["name"] == "tiny-walk"
    assert card.trained_on == f"{N_FRAMES} corrected frames of walk"
    assert load_pose_network(made, 37).spec == load_pose_network(weights).spec
    assert weights.read_bytes() == bytes_before
    assert tree(corrected.parent) == project_before
    weights.unlink()
    again = ["fine-tune", str(corrected), "--model", str(made), "-o", str(out)]
    assert main(again) == Exit.FAILED
    said_one_sentence(
        capsys, Exit.FAILED, f"{out} holds a training already; choose another folder."
    )


def test_weights_that_did_not_get_better_are_not_kept(
    corrected: Path, tmp_path: Path, capsys: Capture
) -> None:
    weights = tiny_checkpoint(tmp_path / "tiny.pth")
    out = tmp_path / "tuned"
    command = ["fine-tune", str(corrected), "--model", str(weights), "-o", str(out)]
    assert main([*command, "--config", str(_config(tmp_path, "1e-30"))]) == Exit.OK
    assert "It did not get better, and nothing was kept" in capsys.readouterr().out
    assert not list(out.glob("tiny-*"))


def test_a_project_without_corrections_is_told(
    demo: DemoRecording, corrected: Path, tmp_path: Path, capsys: Capture
) -> None:
    weights = tiny_checkpoint(tmp_path / "tiny.pth")
    path = tmp_path / "plain.simspine"
    create_project(recognise(demo.folder), path, "somebody").close()
    out = str(tmp_path / "tuned")
    command = ["fine-tune", str(path), "--model", str(weights), "-o", out]
    assert main(command) == Exit.FAILED
    assert "nobody has corrected a point" in capsys.readouterr().err
    command = ["fine-tune", str(corrected), "--model", str(weights), "-o", out, "--frames", ":6"]
    assert main(command) == Exit.FAILED
    assert "Only 6 frames with corrections can be used, and at least 10" in capsys.readouterr().err


def test_wrong_arguments_are_one_sentence(
    demo: DemoRecording, corrected: Path, tmp_path: Path, capsys: Capture
) -> None:
    out = str(tmp_path / "tuned")
    assert main(["fine-tune", str(demo.folder), "--model", "x", "-o", out]) == Exit.USAGE
    said_one_sentence(capsys, Exit.USAGE, "“walk” is no project: corrections are in a project.")
    assert main(["fine-tune", str(corrected), "--model", "spinepose-m", "-o", out]) == Exit.FAILED
    assert "spinepose-m" in capsys.readouterr().err
    assert not Path(out).exists()
