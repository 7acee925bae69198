"""Training a lifter: it learns, it goes on where it stopped, and it refuses what makes no sense."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest
import torch

from pipeline.data.errors import UserError
from pipeline.data.resources import resource_path
from pipeline.models.lifter_config import LifterTraining, read_lifter_training
from pipeline.models.lifter_files import read_lifter
from pipeline.models.state_files import read_card
from pipeline.models.train_lifter import WEIGHTS, train_lifter
from pipeline.models.training import HISTORY, STATE
from pipeline.synthesis.lifting_samples import LiftingBatch, draw_batch

TINY = LifterTraining(
    seed=4, steps=8, clips=6, frames=9, repeats=2, width=16, blocks=1, warm_up=2,
    validate_every=3, validation_clips=6,
)  # fmt: skip


def _batches(number: int) -> LiftingBatch:
    return draw_batch(TINY.seed if number >= 0 else 99, abs(number), TINY.clips, TINY.frames)


def _trained(folder: Path, stops: tuple[int, ...] = ()) -> dict[str, torch.Tensor]:
    for stop in stops:
        run = train_lifter(TINY, _batches, folder)
        assert len(list(itertools.islice(run, stop))) == stop
        run.close()
    states = list(train_lifter(TINY, _batches, folder, {"name": "tiny"}))
    assert states[-1].step == TINY.steps
    return torch.load(folder / STATE, weights_only=True)["network"]


@pytest.mark.parametrize("stops", [(1,), (3, 2)])
def test_a_training_that_was_stopped_ends_as_one_that_was_not(
    tmp_path: Path, stops: tuple[int, ...]
) -> None:
    whole, parts = _trained(tmp_path / "whole"), _trained(tmp_path / "parts", stops)
    for name, value in whole.items():
        assert torch.equal(value, parts[name]), name
    for name in (HISTORY,):
        assert (tmp_path / "whole" / name).read_text() == (tmp_path / "parts" / name).read_text()


def test_the_history_has_a_line_for_each_validation(tmp_path: Path) -> None:
    _trained(tmp_path)
    lines = [json.loads(line) for line in (tmp_path / HISTORY).read_text().splitlines()]
    assert [line["step"] for line in lines] == [3, 6, 8]
    assert all(0.0 < line["spine_mm"] < 500.0 and line["loss"] > 0.0 for line in lines)
    card = read_card(tmp_path / WEIGHTS)
    best = min(lines, key=lambda line: line["spine_mm"])
    assert card["step"] == best["step"]
    assert card["spine_mm"] == best["spine_mm"]
    assert card["settings"]["seed"] == TINY.seed
    assert read_lifter(tmp_path / WEIGHTS).spec.frames == 9


def test_it_learns() -> None:
    """On clips that stay the same, the loss falls to less than half."""
    same = _batches(0)
    settings = {"steps": 120, "clips": 6, "frames": 9, "width": 32, "blocks": 1, "warm_up": 5}
    training = LifterTraining(**settings, validate_every=1000, validation_clips=6)  # type: ignore[arg-type]
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        losses = [s.loss for s in train_lifter(training, lambda _: same, Path(folder))]
    assert sum(losses[-5:]) < 0.5 * sum(losses[:5])


def test_another_seed_gives_other_weights(tmp_path: Path) -> None:
    from dataclasses import replace

    for name, seed in (("a", 1), ("b", 2)):
        training = replace(TINY, steps=1, seed=seed)
        list(train_lifter(training, _batches, tmp_path / name))
    a, b = (torch.load(tmp_path / n / STATE, weights_only=True)["network"] for n in "ab")
    assert not torch.equal(a["enter.weight"], b["enter.weight"])


def test_a_folder_of_another_training_is_refused(tmp_path: Path) -> None:
    from dataclasses import replace

    run = train_lifter(TINY, _batches, tmp_path)
    next(run)
    run.close()
    with pytest.raises(UserError, match="another learning_rate; choose another folder"):
        next(train_lifter(replace(TINY, learning_rate=0.5), _batches, tmp_path))
    (tmp_path / STATE).write_bytes((tmp_path / STATE).read_bytes()[:1000])
    with pytest.raises(UserError, match=r"training\.pt is cut off or damaged"):
        next(train_lifter(TINY, _batches, tmp_path))
    torch.save({"step": 3}, tmp_path / STATE)
    with pytest.raises(UserError, match="not the state of such a training"):
        next(train_lifter(TINY, _batches, tmp_path))


def test_a_training_goes_on_from_weights_of_its_shape(tmp_path: Path) -> None:
    from dataclasses import replace

    _trained(tmp_path / "first")
    weights = tmp_path / "first" / WEIGHTS
    frozen = replace(TINY, steps=1, begin=str(weights), learning_rate=1e-9, inner_rate=1e-9)
    list(train_lifter(frozen, _batches, tmp_path / "second"))
    first, second = (read_lifter(tmp_path / n / WEIGHTS).state_dict() for n in ("first", "second"))
    for name, value in first.items():
        torch.testing.assert_close(second[name], value, atol=1e-3, rtol=1e-3)
    with pytest.raises(UserError, match="another shape"):
        next(train_lifter(replace(frozen, blocks=2), _batches, tmp_path / "third"))
    with pytest.raises(UserError, match="cannot be read"):
        next(train_lifter(replace(frozen, begin="none.pt"), _batches, tmp_path / "fourth"))


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot be made"):
        next(train_lifter(TINY, _batches, tmp_path / "file" / "folder"))


def test_a_network_of_single_frames_is_trained(tmp_path: Path) -> None:
    from dataclasses import replace

    training = replace(TINY, steps=2, temporal=False)
    list(train_lifter(training, _batches, tmp_path))
    assert read_lifter(tmp_path / WEIGHTS).spec.frames == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "has no table [lifter]"),
        ("[lifter", "is no TOML file"),
        ("[lifter]\nstep = 5", "has no setting named “step”"),
        ("[lifter]\nsteps = 0", "steps must be a whole number from 1 on, not 0"),
        ("[lifter]\nsteps = 2.5", "steps must be a whole number from 1 on, not 2.5"),
        ("[lifter]\nsteps = 'many'", "steps must be a number, not 'many'"),
        ("[lifter]\nbegin = 3", "begin must be text, not 3"),
        ("[lifter]\ntemporal = 1", "temporal must be true or false, not 1"),
        ("[lifter]\nseed = true", "seed must be a number, not True"),
        ("[lifter]\nlearning_rate = 0", "learning_rate must be above 0, not 0"),
        ("[lifter]\naverage = 1.5", "average must be from 0 to 1, not 1.5"),
        ("[lifter]\nwidth = 20", "width must be a multiple of 8, not 20"),
    ],
)
def test_settings_that_make_no_sense_are_one_sentence(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(text)
    with pytest.raises(UserError) as refused:
        read_lifter_training(path)
    assert said in str(refused.value)
    assert str(path) in str(refused.value)
    assert "\n" not in str(refused.value)


def test_settings_that_are_not_there_are_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read"):
        read_lifter_training(tmp_path / "none.toml")


@pytest.mark.parametrize("name", ["lifter", "lifter_further", "lifter_per_frame"])
def test_shipped_settings_are_read(name: str) -> None:
    training = read_lifter_training(resource_path("training", f"{name}.toml"))
    assert training.temporal == (name != "lifter_per_frame")
