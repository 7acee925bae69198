"""``simspine models``: listed, got, added, checked, removed."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import platformdirs
import pytest

from pipeline.cli.main import main
from pipeline.cli.output import Exit
from pipeline.data.errors import UserError
from pipeline.models.cards import read_card, shipped_cards
from pipeline.models.store import ModelStore
from tests.cli.helpers import Capture, said_one_sentence
from tests.truth.tiny_pose_network import tiny_checkpoint


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    return tiny_checkpoint(tmp_path / "My net_2.pth")


def _listed(capsys: Capture) -> dict[str, dict[str, object]]:
    capsys.readouterr()
    assert main(["models", "list", "--json"]) == Exit.OK
    return {entry["name"]: entry for entry in json.loads(capsys.readouterr().out)}


def test_every_published_model_is_listed_with_its_licence(capsys: Capture) -> None:
    listed = _listed(capsys)
    for name in ("spinepose-s", "spinepose-m-onnx", "spinepose-x-v1", "hrnet-w32-simspine"):
        assert listed[name]["non_commercial"] is True
        assert listed[name]["licence"] == "CC BY-NC 4.0"
        assert listed[name]["skeleton"] == "spinetrack_37"
        assert listed[name]["state"] == "missing"
    assert listed["rtmpose-m-halpe26"]["licence"] == "Apache 2.0"
    assert main(["models", "list"]) == Exit.OK
    text = capsys.readouterr().out
    assert "SpinePose-m (version 2); CC BY-NC 4.0, not for commercial use" in text


def test_cards_agree_with_what_they_name() -> None:
    published = [card for card in shipped_cards() if card.addresses]
    assert len(published) == 25
    for card in published:
        assert card.is_onnx == card.name.endswith("-onnx")
        assert card.file_name.endswith((".pth", ".onnx"))
        assert card.input_size is not None
        assert f"{card.input_size[1]}x{card.input_size[0]}" in card.file_name
        assert card.sha256_starts in card.file_name
        assert card.non_commercial == ("dfki" in card.addresses[0])


def test_a_file_is_added_used_by_name_checked_and_removed(weights: Path, capsys: Capture) -> None:
    assert main(["models", "add", str(weights), "--licence", "MIT", "--title", "Mine"]) == Exit.OK
    assert capsys.readouterr().out.startswith("my-net_2: ")
    entry = _listed(capsys)["my-net_2"]
    assert entry["title"] == "Mine"
    assert entry["state"] == "there"
    assert entry["input_size"] == [64, 96]
    assert Path(str(entry["path"])).read_bytes() == weights.read_bytes()
    weights.unlink()
    assert main(["models", "check"]) == Exit.OK
    assert capsys.readouterr().out.startswith(
        "my-net_2: RTMPose of width 8, 37 keypoints, unchanged, since 2"
    )
    assert main(["models", "remove", "my-net_2"]) == Exit.OK
    assert "my-net_2" not in _listed(capsys)


def test_a_card_beside_a_file_is_taken_along(weights: Path, capsys: Capture) -> None:
    weights.with_suffix(".toml").write_text(
        'kind = "pose"\ntitle = "Taught"\nskeleton = "spinetrack_37"\nlicence = "BSD"\n'
        'non_commercial = false\ntrained_on = "the demo world"\nfile = "My net_2.pth"\n'
    )
    assert main(["models", "add", str(weights)]) == Exit.OK
    entry = _listed(capsys)["my-net_2"]
    assert (entry["title"], entry["trained_on"]) == ("Taught", "the demo world")
    assert main(["models", "list"]) == Exit.OK
    assert capsys.readouterr().out.startswith("my-net_2 ")  # what is here comes first


def test_cards_of_other_kinds_are_none_of_ours(weights: Path, capsys: Capture) -> None:
    main(["models", "add", str(weights), "--name", "mine"])
    folder = Path(str(_listed(capsys)["mine"]["path"])).parent
    (folder / "odd.toml").write_text('kind = "something else"\n')
    assert "odd" not in _listed(capsys)


def test_the_lifter_comes_with_the_program(capsys: Capture) -> None:
    entry = _listed(capsys)["simspine-lifter"]
    assert entry["kind"] == "lifter"
    assert entry["built_in"]
    assert entry["state"] == "there"
    assert main(["models", "check", "simspine-lifter"]) == Exit.OK
    assert "lifter of windows of 41 frames, unchanged" in capsys.readouterr().out
    assert main(["models", "remove", "simspine-lifter"]) == Exit.OK
    assert Path(str(_listed(capsys)["simspine-lifter"]["path"])).is_file()


def test_a_changed_file_is_noticed(weights: Path, capsys: Capture, tmp_path: Path) -> None:
    main(["models", "add", str(weights), "--name", "mine"])
    place = Path(str(_listed(capsys)["mine"]["path"]))
    tiny_checkpoint(place, seed=6)
    assert main(["models", "check", "mine"]) == Exit.FAILED
    said_one_sentence(capsys, Exit.FAILED, str(place), "SHA-256 differs", "--forget")


def test_another_file_is_not_a_listed_model(weights: Path, capsys: Capture) -> None:
    assert main(["models", "add", str(weights), "--name", "hrnet-w32-coco"]) == Exit.FAILED
    said_one_sentence(capsys, Exit.FAILED, "finds 37 keypoints", "COCO", "has 17")
    other = tiny_checkpoint(weights, 17)
    assert main(["models", "add", str(other), "--name", "hrnet-w32-coco"]) == Exit.FAILED
    said_one_sentence(capsys, Exit.FAILED, "SHA-256 starts with", "OpenMMLab says 81c58e40")


def test_a_name_that_is_taken(weights: Path, capsys: Capture) -> None:
    main(["models", "add", str(weights), "--name", "mine"])
    capsys.readouterr()
    assert main(["models", "add", str(weights), "--name", "mine"]) == Exit.FAILED
    said_one_sentence(capsys, Exit.FAILED, "a model named mine already")
    assert main(["models", "add", str(weights), "--name", "../up"]) == Exit.USAGE
    said_one_sentence(capsys, Exit.USAGE, "“../up” is no name of a model")


def test_an_unknown_name_is_answered_with_the_nearest(capsys: Capture) -> None:
    assert main(["models", "get", "spinepose-mm"]) == Exit.FAILED
    said_one_sentence(
        capsys, Exit.FAILED, "no model named “spinepose-mm”", "the nearest is spinepose-m or"
    )
    assert main(["models", "check", "zzz"]) == Exit.FAILED
    said_one_sentence(capsys, Exit.FAILED, "“zzz”", "names all")


def test_a_licence_has_to_be_accepted_before_anything_is_asked_for(capsys: Capture) -> None:
    assert main(["models", "get", "spinepose-m"]) == Exit.FAILED
    said_one_sentence(
        capsys, Exit.FAILED, "CC BY-NC 4.0", "forbids commercial use", "--accept-licence"
    )


def test_a_model_from_a_folder_needs_no_network(tmp_path: Path, capsys: Capture) -> None:
    stick = tmp_path / "stick"
    stick.mkdir()
    tiny_checkpoint(stick / "spinepose-s.pth")
    arguments = ["models", "get", "spinepose-s", "--accept-licence", "--from", str(stick)]
    assert main(arguments) == Exit.OK
    entry = _listed(capsys)["spinepose-s"]
    assert entry["state"] == "there"
    assert entry["accepted"] is True
    assert str(entry["path"]).endswith("spinepose-s_32xb256-10e_simspine-256x192.pth")


class _Code:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return eval, ("1 + 1",)


def test_files_that_cannot_be_used(tmp_path: Path, capsys: Capture, weights: Path) -> None:
    file = tmp_path / "bad.pth"
    whole = weights.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    assert main(["models", "add", str(file)]) == Exit.FAILED
    said_one_sentence(capsys, Exit.FAILED, str(file), "cut off or damaged")
    with file.open("wb") as handle:
        pickle.dump({"state_dict": _Code()}, handle, protocol=2)
    assert main(["models", "add", str(file)]) == Exit.FAILED
    said_one_sentence(capsys, Exit.FAILED, str(file), "asks for eval to be run", "not loaded")
    tiny_checkpoint(file, 5)
    assert main(["models", "add", str(file)]) == Exit.FAILED
    said_one_sentence(capsys, Exit.FAILED, "finds 5 keypoints, and only skeletons of 17, 25, 26")
    tiny_checkpoint(file, 25)
    assert main(["models", "add", str(file)]) == Exit.FAILED
    said_one_sentence(capsys, Exit.FAILED, "25 keypoints, which may be body_25 or body_25b")
    assert main(["models", "add", str(file), "--skeleton", "coco_17"]) == Exit.FAILED
    said_one_sentence(capsys, Exit.FAILED, "finds 25 keypoints, but COCO")
    assert main(["models", "add", str(tmp_path / "none.pth")]) == Exit.UNUSABLE
    said_one_sentence(capsys, Exit.UNUSABLE, "none.pth", "no such file")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("title = [", "is no model card"),
        ('title = "A"', "skeleton is missing"),
        ('title = "A"\nskeleton = 3', "skeleton is no str"),
        ('title = "A"\nskeleton = "hand"\nlicence = ""\nnon_commercial = true', "not known: hand"),
        (
            'title = "A"\nskeleton = "coco_17"\nlicence = ""\nnon_commercial = true\ncolour = 1',
            "what colour is",
        ),
        (
            'title = "A"\nskeleton = "coco_17"\nlicence = ""\nnon_commercial = true\n'
            'addresses = ["file:///etc/passwd"]',
            "not on the web",
        ),
        (
            'title = "A"\nskeleton = "coco_17"\nlicence = ""\nnon_commercial = true',
            "neither addresses nor a file",
        ),
    ],
)
def test_a_card_that_is_wrong_is_named(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "a.toml"
    path.write_text(text)
    with pytest.raises(UserError, match=words) as refused:
        read_card(path)
    assert str(path) in str(refused.value)


def test_models_are_kept_in_the_users_data(tmp_path: Path) -> None:
    data = platformdirs.user_data_path("simspine-viewer", appauthor=False)
    assert ModelStore().folder == data / "models"
