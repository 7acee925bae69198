"""Checkpoints as training and publishing leave them, and files that are none."""

from __future__ import annotations

import collections
import os
import pickle
import sys
import types
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from pipeline.data.errors import UserError
from pipeline.models import load_pose_network
from tests.truth.pose_networks import random_weights

State = dict[str, Tensor]


@pytest.fixture(scope="module")
def weights() -> State:
    return random_weights("s")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "spinepose-s.pth"


def _refused(path: Path) -> str:
    """The sentence that is said of a file."""
    with pytest.raises(UserError) as refusal:
        load_pose_network(path)
    text = str(refusal.value)
    assert text.startswith(str(path))
    assert text.endswith(".")
    assert "\n" not in text
    return text.removeprefix(str(path)).strip()


def _same(path: Path, weights: State) -> None:
    loaded = load_pose_network(path).state_dict()
    assert set(loaded) == set(weights)
    assert all(torch.equal(loaded[name], tensor) for name, tensor in weights.items())


@pytest.fixture
def curve(monkeypatch: pytest.MonkeyPatch) -> object:
    """Pickles as mmengine's HistoryBuffer does: arrays, and methods through ``getattr``."""

    def mean(self: object) -> float:
        return 0.0

    mean.__qualname__, mean.__module__ = "HistoryBuffer.mean", "mmengine.logging.history_buffer"
    kind = type("HistoryBuffer", (), {"mean": mean, "__module__": mean.__module__})
    for name in ("mmengine", "mmengine.logging", mean.__module__):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    monkeypatch.setattr(sys.modules[mean.__module__], "HistoryBuffer", kind, raising=False)
    made = kind()
    made.__dict__ |= {"values": np.arange(3.0), "means": collections.OrderedDict(mean=mean)}
    return made


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_all_that_training_leaves_is_passed_over(
    weights: State, path: Path, zipped: bool, curve: object
) -> None:
    meta = {
        "cfg": "model = dict()",
        "dataset_meta": {"sigmas": np.ones(37), "ids": np.arange(3), "one": np.float64(1)},
    }
    hub = {"log_scalars": collections.OrderedDict(loss=curve)}
    optimizer = {"state": {0: {"exp_avg": torch.ones(2)}}, "param_groups": [{"lr": 0.1}]}
    averaged = {f"module.{name}": tensor + 1 for name, tensor in weights.items()}
    content = {
        "meta": meta,
        "state_dict": collections.OrderedDict(weights),
        "message_hub": hub,
        "optimizer": optimizer,
        "param_schedulers": [{"last_step": 3}],
        "ema_state_dict": {"steps": torch.tensor(7), **averaged},
    }
    torch.save(content, path, _use_new_zipfile_serialization=zipped)
    _same(path, weights)


def test_averaged_weights_serve_where_there_are_no_others(weights: State, path: Path) -> None:
    averaged = {f"module.{name}": tensor for name, tensor in weights.items()}
    torch.save({"ema_state_dict": {"steps": torch.tensor(7), **averaged}}, path)
    _same(path, weights)


def test_a_state_dict_by_itself_and_one_of_several_devices(weights: State, path: Path) -> None:
    torch.save(weights, path)
    _same(path, weights)
    torch.save({"state_dict": {f"module.{name}": t for name, t in weights.items()}}, path)
    _same(path, weights)


def test_half_precision_becomes_single(weights: State, path: Path) -> None:
    torch.save({n: t.half() if t.is_floating_point() else t for n, t in weights.items()}, path)
    assert {p.dtype for p in load_pose_network(path).parameters()} == {torch.float32}


def test_another_number_of_keypoints(path: Path) -> None:
    torch.save({"state_dict": random_weights("s", 26)}, path)
    assert load_pose_network(path).spec.n_keypoints == 26
    with pytest.raises(UserError, match=r"finds 26 keypoints, but 37 are needed here\.$"):
        load_pose_network(path, n_keypoints=37)


def test_a_heatmap_network_is_read_as_it_was_trained(path: Path) -> None:
    text = "codec = dict(type='UDPHeatmap', input_size=(288, 384), sigma=3)"
    torch.save({"meta": {"cfg": text}, "state_dict": random_weights("hrnet", 3)}, path)
    spec = load_pose_network(path).spec
    assert (spec.codec, spec.input_size, spec.n_keypoints) == ("udp", (288, 384), 3)


class _Code:
    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, ("touch ran",)


@pytest.mark.parametrize("kind", ["zip", "legacy", "bare"])
def test_code_in_a_checkpoint_is_named_and_not_run(
    weights: State, path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(path.parent)
    content = {"meta": {"hook": _Code()}, "state_dict": weights}
    if kind == "bare":
        path.write_bytes(pickle.dumps(content["meta"], protocol=2))
    else:
        torch.save(content, path, _use_new_zipfile_serialization=kind == "zip")
    text = _refused(path)
    assert "was not loaded" in text
    assert "posix.system" in text or "nt.system" in text
    assert not (path.parent / "ran").exists()


def test_the_stand_ins_let_nothing_in(path: Path) -> None:
    """``getattr`` is allowed by name only: what it would fetch is never reached."""
    found: list[object] = []

    class Fetch:
        def __reduce__(self) -> tuple[object, tuple[object, str]]:
            return getattr, (found, "append")

    torch.save({"meta": {"x": Fetch()}, "state_dict": {"a": torch.ones(1)}}, path)
    assert "a network that is not known here" in _refused(path)


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
@pytest.mark.parametrize("part", [0.02, 0.3, 0.999])
def test_a_file_that_is_cut_off(weights: State, path: Path, zipped: bool, part: float) -> None:
    torch.save({"state_dict": weights}, path, _use_new_zipfile_serialization=zipped)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(part * len(whole))])
    assert _refused(path).startswith("is cut off or damaged")


def test_files_that_are_no_checkpoints(tmp_path: Path) -> None:
    empty, text, archive, onnx = (tmp_path / n for n in ("a.pth", "b.pth", "c.pth", "d.onnx"))
    empty.write_bytes(b"")
    text.write_text("Not Found\n")
    onnx.write_bytes(b"\x08\x08\x12\x07pytorch")
    with zipfile.ZipFile(archive, "w") as handle:
        handle.writestr("letter.txt", "hello")
    assert _refused(empty) == "is cut off or damaged: the end of the file is missing."
    assert _refused(text) == "is no PyTorch checkpoint."
    assert _refused(archive) == "is no PyTorch checkpoint, but another archive."
    assert _refused(onnx) == "is an ONNX file, not a PyTorch checkpoint."
    assert _refused(tmp_path / "none.pth") == "cannot be read: No such file or directory."
    assert _refused(tmp_path).startswith("cannot be read: ")


def test_checkpoints_of_something_else(weights: State, path: Path) -> None:
    torch.save([torch.ones(3)], path)
    assert _refused(path) == "is no checkpoint of a network: it holds no named tensors."
    torch.save({"state_dict": {"layer1.0.conv1.weight": torch.ones(3)}}, path)
    assert "holds a network that is not known here: it is neither SpinePose" in _refused(path)
    shallow = {n: t for n, t in weights.items() if n != "head.gau.o.weight"}
    torch.save(shallow, path)
    assert "the tensor head.gau.o.weight is missing" in _refused(path)
    torch.save({n: t for n, t in weights.items() if n != "head.mlp.0.g"}, path)
    assert _refused(path) == "is no complete RTMPose-s: head.mlp.0.g is missing."
    torch.save({**weights, "head.mlp.0.g": torch.ones(2)}, path)
    assert "head.mlp.0.g is of shape (2,) instead of (1,)" in _refused(path)
    torch.save({**weights, "neck.0.weight": torch.ones(2)}, path)
    assert _refused(path) == "is no RTMPose-s: that has no neck.0.weight."
    torch.save({**weights, "head.mlp.0.g": torch.full((1,), torch.nan)}, path)
    assert "head.mlp.0.g has values that are no numbers" in _refused(path)
