"""From a model's name or a file to a detector that runs."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

from pipeline.data.errors import UserError
from pipeline.data.skeleton import Skeleton, load_skeleton, shipped_skeletons
from pipeline.models.batches import Detector
from pipeline.models.cards import SUFFIXES, ModelCard
from pipeline.models.files import Step
from pipeline.models.store import ModelStore
from pipeline.models.variants import NetworkSpec


@dataclass(frozen=True, slots=True)
class Weights:
    """A file of weights, the order of its keypoints, and what it is called for people."""

    file: Path
    skeleton: Skeleton
    title: str


def read_spec(file: Path, onnx: bool | None = None) -> NetworkSpec:
    """What a file of weights holds, without code in it being run.

    ``onnx`` says whether it is an ONNX file, if its name does not.

    Raises
    ------
    UserError
        If it cannot be used; one sentence that names it and the cause.
    """
    if is_onnx(file) if onnx is None else onnx:
        from pipeline.models.onnx_detector import onnx_spec

        return onnx_spec(file)
    from pipeline.models.network import load_pose_network

    return load_pose_network(file).spec


def is_onnx(file: Path) -> bool:
    """Whether a file is to be run by ONNX Runtime."""
    return file.suffix.lower() == ".onnx"


def check_card(card: ModelCard, file: Path) -> str:
    """What a file holds, in words, and that it is what its card says; UserError where not."""
    if card.kind == "lifter":
        from pipeline.models.lifter_files import read_lifter

        return f"lifter of windows of {read_lifter(file).spec.frames} frames"
    spec = read_spec(file, card.is_onnx)
    skeleton = load_skeleton(card.skeleton)
    if spec.n_keypoints != len(skeleton):
        raise UserError(
            f"{file} finds {spec.n_keypoints} keypoints, but {skeleton.title} has {len(skeleton)}."
        )
    return f"{spec.variant}, {spec.n_keypoints} keypoints"


def find_weights(
    store: ModelStore, model: str, skeleton: str | None = None
) -> Generator[Step, None, Weights]:
    """The file of a model by its name, or a file that a person names, ready to be loaded.

    Parameters
    ----------
    store : ModelStore
    model : str
        A name in ``store``, or the path of a file.
    skeleton : str, optional
        File stem of the skeleton of a file's keypoints; by default the one with as many.

    Raises
    ------
    UserError
        If there is no such model or file, its licence is not accepted, or it is another file than
        was remembered.
    """
    file = Path(model).expanduser()
    if file.suffix.lower() in SUFFIXES or file.is_file():
        if not file.is_file():
            raise UserError(f"{file} cannot be read: there is no such file.")
        yield 0.0, f"Reading {file.name}"
        return Weights(file.absolute(), skeleton_of(file, read_spec(file), skeleton), file.stem)
    card = store.card(model)
    if card.kind != "pose":
        raise UserError(f"{card.title} finds no keypoints in pictures: it is a {card.kind}.")
    if skeleton not in (None, card.skeleton):
        raise UserError(f"{card.title} finds the keypoints of {card.skeleton}, not of {skeleton}.")
    place = yield from store.usable(card)
    return Weights(place, load_skeleton(card.skeleton), card.title)


def skeleton_of(file: Path, spec: NetworkSpec, name: str | None) -> Skeleton:
    """The skeleton of a name, or else the only one with as many keypoints as a network finds."""
    if name is not None:
        if name not in shipped_skeletons():
            raise UserError(
                f"There is no skeleton “{name}”; there are {', '.join(shipped_skeletons())}."
            )
        chosen = load_skeleton(name)
        if len(chosen) != spec.n_keypoints:
            raise UserError(
                f"{file} finds {spec.n_keypoints} keypoints, but {chosen.title} has {len(chosen)}."
            )
        return chosen
    fitting = [
        skeleton
        for skeleton in map(load_skeleton, shipped_skeletons())
        if len(skeleton) == spec.n_keypoints
    ]
    if not fitting:
        sizes = sorted({len(load_skeleton(stem)) for stem in shipped_skeletons()})
        *most, last = map(str, sizes)
        raise UserError(
            f"{file} finds {spec.n_keypoints} keypoints, and only skeletons of "
            f"{', '.join(most)} or {last} are known."
        )
    if len(fitting) > 1:
        names = " or ".join(skeleton.name for skeleton in fitting)
        raise UserError(
            f"{file} finds {spec.n_keypoints} keypoints, which may be {names}: say which."
        )
    return fitting[0]


def load_detector(weights: Weights, device: str = "auto", *, batch: int | None = None) -> Detector:
    """A detector on a device.

    Raises
    ------
    UserError
        If the file cannot be used, has other keypoints, or the device is not there.
    """
    if is_onnx(weights.file):
        from pipeline.models.onnx_detector import OnnxDetector

        return OnnxDetector(weights.file, weights.skeleton, device, batch=batch)
    from pipeline.models.detector import PoseDetector
    from pipeline.models.network import load_pose_network

    network = load_pose_network(weights.file, len(weights.skeleton))
    return PoseDetector(network, weights.skeleton, device, batch=batch)
