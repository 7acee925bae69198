"""Keypoints of people in pictures by a network in an ONNX file, run by ONNX Runtime.

The file has to give rows of bins (SimCC), two to a pixel of its input: x in its first output, y in
its second, as SpinePose's library fetches them. Heatmaps are taken where the file's metadata say
in ``codec`` how their cells lie, because their shapes do not.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any, get_args

import numpy as np
import torch

from pipeline.data.errors import UserError
from pipeline.data.skeleton import Skeleton
from pipeline.models.batches import BATCH, Detector, FloatArray, Picture
from pipeline.models.crop import MEAN, STD
from pipeline.models.decode import Refinement
from pipeline.models.devices import DEVICES
from pipeline.models.variants import Codec, NetworkSpec

_BINS_PER_PIXEL = 2
_HEAT_STEP = 4
_PROVIDERS = {
    "cuda": ("CUDAExecutionProvider", "CUDA"),
    "mps": ("CoreMLExecutionProvider", "CoreML"),
    "cpu": ("CPUExecutionProvider", "CPU"),
}
_MEAN, _STD = np.array(MEAN, np.float32), np.array(STD, np.float32)


class OnnxDetector(Detector):
    """A network in an ONNX file on a device."""

    def __init__(
        self,
        file: Path,
        skeleton: Skeleton,
        device: str = "auto",
        *,
        batch: int | None = None,
        refine: Refinement = "subbin",
    ) -> None:
        """Load a file.

        Parameters
        ----------
        file : Path
        skeleton : Skeleton
            Its keypoints in the network's order.
        device : str
            ``auto``, ``cuda``, ``mps`` or ``cpu``.
        batch : int, optional
            Crops at once.
        refine : str
            See :mod:`pipeline.models.decode`.

        Raises
        ------
        UserError
            If ONNX Runtime or the device is not there, or the file cannot be used.
        """
        self._session, kind = _session(file, device)
        spec, self._fixed = _spec(file, self._session)
        title = f"{_PROVIDERS[kind][1]} (ONNX Runtime)"
        super().__init__(spec, skeleton, title, batch or self._fixed or BATCH[kind], refine)
        self._input = self._session.get_inputs()[0].name

    def _forward(self, crops: Picture) -> tuple[FloatArray, ...]:
        colours = (crops.astype(np.float32) - _MEAN) / _STD
        pictures = np.ascontiguousarray(colours.transpose(0, 3, 1, 2))
        if self._fixed is None:
            return self._run(pictures)
        parts = []
        for first in range(0, len(pictures), self._fixed):
            some = pictures[first : first + self._fixed]
            empty = np.zeros((self._fixed - len(some), *some.shape[1:]), np.float32)
            out = self._run(np.concatenate((some, empty)))
            parts.append([part[: len(some)] for part in out])
        return tuple(np.concatenate(part) for part in zip(*parts, strict=True))

    def _run(self, pictures: FloatArray) -> tuple[FloatArray, ...]:
        try:
            out = self._session.run(None, {self._input: pictures})
        except Exception as error:  # ONNX Runtime has no exception type for its memory
            if "allocate memory" in str(error) or "out of memory" in str(error):
                raise MemoryError from error
            raise
        return tuple(np.asarray(part, np.float32) for part in out)


def onnx_spec(file: Path) -> NetworkSpec:
    """What an ONNX file's network is; UserError as :class:`OnnxDetector`."""
    return _spec(file, _session(file, "cpu")[0])[0]


def _session(file: Path, device: str) -> tuple[Any, str]:
    try:
        onnxruntime: Any = importlib.import_module("onnxruntime")
    except ImportError as error:
        raise UserError(
            f"{file} is an ONNX file, and ONNX Runtime, which runs those, is not installed: "
            "pip install “simspine-viewer[onnx]”."
        ) from error
    there = onnxruntime.get_available_providers()
    kind = device.partition(":")[0]
    if kind == "auto":
        kind = next(one for one, (provider, _) in _PROVIDERS.items() if provider in there)
    if kind not in _PROVIDERS:
        raise UserError(f"“{device}” is no device; there are {', '.join(DEVICES)}.")
    provider, title = _PROVIDERS[kind]
    if provider not in there:
        raise UserError(f"The ONNX Runtime on this machine cannot use {title}.")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 4  # what is wrong is said in a sentence
    try:
        return onnxruntime.InferenceSession(file.read_bytes(), options, [provider]), kind
    except OSError as error:
        raise UserError(f"{file} cannot be read: {error.strerror}.") from error
    except Exception as error:  # ONNX Runtime's own types are not public
        raise UserError(f"{file} is no ONNX network, or it is cut off or damaged.") from error


def _spec(file: Path, session: Any) -> tuple[NetworkSpec, int | None]:
    """What the network is, and the number of pictures it takes, if that is fixed."""
    inputs = session.get_inputs()
    shape: list[Any] = inputs[0].shape if len(inputs) == 1 else []
    if len(shape) != 4 or any(type(side) is not int for side in shape[1:]) or shape[1] != 3:
        raise UserError(f"{file} is no pose network: it does not take one picture of a known size.")
    n, _, height, width = shape
    fixed = n if isinstance(n, int) else None
    # Shapes that exporters note down are often those of other sizes, or none.
    blank = np.zeros((fixed or 1, 3, height, width), np.float32)
    try:
        outputs = session.run(None, {inputs[0].name: blank})
    except Exception as error:  # ONNX Runtime's own types are not public
        raise UserError(f"{file} cannot be run: ONNX Runtime gave up on a picture.") from error
    shapes = [np.shape(out)[1:] for out in outputs]
    if [len(s) for s in shapes] == [2, 2]:
        (keypoints, across), (_, down) = shapes
        if (across, down) == (_BINS_PER_PIXEL * width, _BINS_PER_PIXEL * height):
            return NetworkSpec(file.stem, keypoints, (width, height), "simcc"), fixed
    elif [s[1:] for s in shapes] == [(height // _HEAT_STEP, width // _HEAT_STEP)]:
        codec = session.get_modelmeta().custom_metadata_map.get("codec")
        if codec in get_args(Codec):
            return NetworkSpec(file.stem, shapes[0][0], (width, height), codec), fixed
        raise UserError(
            f"{file} gives heatmaps and does not say how their cells lie; its PyTorch checkpoint "
            "can be used instead."
        )
    raise UserError(f"{file} is no pose network: it gives neither rows of bins nor heatmaps.")
