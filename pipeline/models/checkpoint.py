"""Reads the tensors of a PyTorch checkpoint, and never runs what is in the file.

mmengine averages weights while training (EMA). In what it saves, ``state_dict`` then holds the
averages and ``ema_state_dict`` the raw weights of the last step, against what the names say; so
``ema_state_dict`` is read only where the other is missing.
"""

from __future__ import annotations

import pickle
import re
import warnings
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from pipeline.data.errors import UserError


class _Ignored:
    """Stands for what training leaves in a checkpoint beside tensors, such as loss curves."""

    def __new__(cls, *_args: object, **_named: object) -> _Ignored:
        return super().__new__(cls)

    def __init__(self, *_args: object, **_named: object) -> None: ...

    def __setstate__(self, _state: object) -> None: ...


def _ignored(*_args: object) -> _Ignored:
    return _Ignored()


# What mmengine writes into `meta`, `message_hub` and schedulers. None of it is needed, so none of
# it is let in: each name stands for an object without content, `getattr` too.
_NAMES = (
    "mmengine.logging.history_buffer.HistoryBuffer",
    "mmengine.config.config.ConfigDict",
    "mmengine.config.config.Config",
    "numpy.core.multiarray._reconstruct",
    "numpy._core.multiarray._reconstruct",
    "numpy.core.multiarray.scalar",
    "numpy._core.multiarray.scalar",
    "numpy.ndarray",
    "numpy.dtype",
    "_codecs.encode",
    "__builtin__.getattr",
    "builtins.getattr",
)
_CALLED = ("_reconstruct", "scalar", "encode", "getattr")
_STAND_INS: list[Any] = [
    (_ignored if name.endswith(_CALLED) else _Ignored, name) for name in _NAMES
]


@dataclass(frozen=True, slots=True, eq=False)
class Checkpoint:
    """Tensors by name, float32, and the text of the training configuration if it is there."""

    state: Mapping[str, Tensor]
    configuration: str = ""


def read_checkpoint(path: Path) -> Checkpoint:
    """Tensors of a network as mmpose, or ``torch.save(model.state_dict())``, wrote them.

    Optimiser, schedulers and loss curves are left out; ``module.`` before all names is removed.

    Raises
    ------
    UserError
        If the file cannot be read, is no checkpoint, is cut off or contains code.
    """
    content = _content(path)
    if not isinstance(content, dict):
        raise UserError(f"{path} is no checkpoint of a network: it holds no named tensors.")
    state = next(
        (
            content[key]
            for key in ("state_dict", "ema_state_dict")
            if isinstance(content.get(key), dict)
        ),
        content,
    )
    tensors = {
        str(name): value.float() if value.is_floating_point() else value
        for name, value in state.items()
        if isinstance(value, Tensor)
    }
    if tensors.pop("steps", None) is not None or all(n.startswith("module.") for n in tensors):
        tensors = {name.removeprefix("module."): value for name, value in tensors.items()}
    if not tensors:
        raise UserError(f"{path} is no checkpoint of a network: it holds no named tensors.")
    for name, tensor in tensors.items():
        if not torch.isfinite(tensor).all():
            raise UserError(f"{path} is damaged: {name} has values that are no numbers.")
    meta = content.get("meta")
    text = meta.get("cfg") if isinstance(meta, dict) else None
    return Checkpoint(tensors, text if isinstance(text, str) else "")


def _content(path: Path) -> object:
    try:
        with path.open("rb") as handle:
            start = handle.read(8)
        is_zip, whole = start.startswith(b"PK"), zipfile.is_zipfile(path)
        if is_zip and not whole:
            raise UserError(f"{path} is cut off or damaged: the end of the file is missing.")
        with torch.serialization.safe_globals(_STAND_INS), warnings.catch_warnings():
            # Other pickle protocols than its own are warned of, and then read or refused.
            warnings.simplefilter("ignore", UserWarning)
            return torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        reason = error.strerror or "it cannot be opened"
        raise UserError(f"{path} cannot be read: {reason}.") from error
    except pickle.UnpicklingError as error:
        raise UserError(_refusal(path, str(error))) from error
    except EOFError as error:
        raise UserError(f"{path} is cut off or damaged: the end of the file is missing.") from error
    except (
        RuntimeError,
        ValueError,
        KeyError,
        IndexError,
        TypeError,
        AttributeError,
        UnicodeDecodeError,
    ) as error:
        # torch.load meets bytes of every kind and has no exception of its own for bad ones.
        if is_zip and not _holds_pickle(path):
            raise UserError(f"{path} is no PyTorch checkpoint, but another archive.") from error
        if "TorchScript" in str(error):
            raise UserError(
                f"{path} is a TorchScript program; the checkpoint it was made from is needed."
            ) from error
        raise UserError(f"{path} is cut off or damaged: its tensors cannot be read.") from error


def _refusal(path: Path, message: str) -> str:
    found = re.search(r"GLOBAL ([\w.]+)", message)
    if found:
        return (
            f"{path} was not loaded, because it asks for {found[1]} to be run, which a file of "
            "weights has no need of."
        )
    if path.suffix.lower() == ".onnx":
        return f"{path} is an ONNX file, not a PyTorch checkpoint."
    return f"{path} is no PyTorch checkpoint."


def _holds_pickle(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.endswith("data.pkl") for name in archive.namelist())
    except zipfile.BadZipFile:
        return True
