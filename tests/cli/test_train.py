"""``simspine train``."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.cli.main import main
from tests.jobs.test_training_tasks import DETECTOR, SETTINGS, picture_set


def test_a_lifter_is_trained_in_two_goes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config, folder = tmp_path / "tiny.toml", tmp_path / "made"
    config.write_text(SETTINGS)
    command = ["train", "lifter", "--config", str(config), "--out", str(folder)]
    assert main([*command, "--steps", "1"]) == 0
    assert "step 1 of 4; run it again to go on" in capsys.readouterr().out
    assert main(command) == 0
    said = capsys.readouterr().out
    assert str(folder / "lifter.pt") in said
    assert "spine" in said
    assert " mm" in said


def test_bad_settings_are_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "bad.toml"
    config.write_text("[lifter]\nwidht = 3")
    assert main(["train", "lifter", "--config", str(config), "-o", str(tmp_path / "x")]) == 1
    assert capsys.readouterr().err == f"{config}: [lifter] has no setting named “widht”.\n"


def test_a_detector_is_trained_on_pictures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config, folder = tmp_path / "tiny.toml", tmp_path / "made"
    config.write_text(DETECTOR)
    command = ["train", "detector", "--config", str(config), "--out", str(folder)]
    pictures = str(picture_set(tmp_path / "set"))
    assert main([*command, "--pictures", pictures, "--device", "cpu"]) == 0
    said = capsys.readouterr().out
    assert str(folder / "detector.pt") in said
    assert "px of the network's input" in said
    assert main([*command, "--pictures", str(tmp_path / "none")]) == 1
    assert "none" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["hrnet"],
        ["lifter", "--steps", "0"],
        ["lifter", "--pictures", "x"],
        ["detector", "--validation", "x"],
    ],
)
def test_wrong_arguments(arguments: list[str]) -> None:
    assert main(["train", *arguments]) == 2
