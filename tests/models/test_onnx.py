"""ONNX files behind the interface of PyTorch networks."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.data.errors import UserError
from pipeline.data.skeleton import project_skeleton
from pipeline.models.detector import PoseDetector
from pipeline.models.loading import Weights, load_detector, read_spec
from tests.truth.tiny_pose_network import SIZE, exported, tiny_network

onnxruntime = pytest.importorskip("onnxruntime")
pytest.importorskip("onnx")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("onnx")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch's own exporter is being replaced
        return {
            "any": exported(tiny_network(), folder / "any.onnx"),
            "one": exported(tiny_network(), folder / "one.onnx", batch=1),
            "three": exported(tiny_network(), folder / "three.onnx", batch=3),
            "part": exported(tiny_network().backbone, folder / "part.onnx", 1, ("features",)),
        }


def _people(n: int = 5) -> list[tuple[NDArray[np.uint8], NDArray[np.float64]]]:
    rng = np.random.default_rng(2)
    picture = rng.integers(0, 255, (30, 40, 3), dtype=np.uint8).repeat(8, 0).repeat(8, 1)
    return [(picture, np.array((20.0 + 9 * i, 10.0, 150.0 + 9 * i, 210.0))) for i in range(n)]


@pytest.mark.parametrize("kind", ["any", "one", "three"])
def test_the_same_keypoints_as_the_network_it_was_made_from(
    files: dict[str, Path], kind: str
) -> None:
    truth = PoseDetector(tiny_network(), project_skeleton(), "cpu").detect(_people())
    found = load_detector(Weights(files[kind], project_skeleton(), kind), "cpu").detect(_people())
    np.testing.assert_allclose(found.points, truth.points, atol=0.02)
    np.testing.assert_allclose(found.scores, truth.scores, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(found.sd, truth.sd, rtol=0.02)
    assert np.ptp(truth.points, axis=1).min() > 5  # it says something


def test_what_a_file_holds(files: dict[str, Path]) -> None:
    spec = read_spec(files["any"])
    assert (spec.n_keypoints, spec.input_size, spec.codec) == (37, SIZE, "simcc")


def test_too_little_memory_halves_the_batch(
    files: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    detector = load_detector(Weights(files["any"], project_skeleton(), "any"), "cpu", batch=4)
    whole = detector.detect(_people()).points
    run = detector._session.run  # type: ignore[attr-defined]

    class Small:
        def run(self, outputs: None, given: dict[str, NDArray[np.float32]]) -> list[NDArray]:
            if len(given["pictures"]) > 2:
                raise onnxruntime.capi.onnxruntime_pybind11_state.RuntimeException(
                    "Failed to allocate memory for requested buffer of size 99"
                )
            out: list[NDArray] = run(outputs, given)
            return out

    monkeypatch.setattr(detector, "_session", Small())
    np.testing.assert_allclose(detector.detect(_people()).points, whole, atol=1e-3)
    assert detector.batch == 2
    assert detector.notes == [
        "The memory of CPU (ONNX Runtime) was too small for 4 pictures at a time; going on with 2."
    ]


def test_a_file_that_is_cut_off(files: dict[str, Path], tmp_path: Path) -> None:
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(files["any"].read_bytes()[:20_000])
    with pytest.raises(UserError, match=r"broken\.onnx is no ONNX network, or it is cut off"):
        read_spec(broken)


def test_a_network_that_is_no_pose_network(files: dict[str, Path]) -> None:
    with pytest.raises(UserError, match=r"part\.onnx is no pose network: it gives neither"):
        read_spec(files["part"])


def test_no_onnx_runtime(files: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(UserError, match=r"any\.onnx is an ONNX file, .* is not installed: pip"):
        read_spec(files["any"])


def test_a_device_that_is_not_there(files: dict[str, Path]) -> None:
    weights = Weights(files["any"], project_skeleton(), "any")
    with pytest.raises(UserError, match="“tpu” is no device"):
        load_detector(weights, "tpu")
    if "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
        with pytest.raises(UserError, match="cannot use CUDA"):
            load_detector(weights, "cuda")
