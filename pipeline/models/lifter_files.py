"""Files of a lifter: its weights in half precision, and the state of a training."""

from __future__ import annotations

import os
import pickle
import uuid
import zipfile
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from pipeline.data.errors import UserError
from pipeline.models.checkpoint import read_checkpoint
from pipeline.models.lifter_input import EXTRA, PER_POINT
from pipeline.models.lifter_network import LifterNetwork, LifterSpec

_KIND = "simspine-lifter"


def save_lifter(network: LifterNetwork, path: Path, card: dict[str, Any]) -> None:
    """Write weights, and ``card`` (plain values about their making), whole or not at all."""
    tensors = {name: value.half() for name, value in network.state_dict().items()}
    write_state(
        path, {"kind": _KIND, "root": network.spec.root, "card": card, "state_dict": tensors}
    )


def read_lifter(path: Path) -> LifterNetwork:
    """The network whose weights :func:`save_lifter` wrote, ready to be used.

    Raises
    ------
    UserError
        If the file cannot be read, is cut off, contains code or holds no lifter.
    """
    state = dict(read_checkpoint(path).state)
    try:
        network = LifterNetwork(_spec(state))
        network.load_state_dict(state)
    except (KeyError, IndexError, RuntimeError, ValueError, ZeroDivisionError) as error:
        raise UserError(f"{path} holds no lifter.") from error
    return network.eval().requires_grad_(False)


def read_card(path: Path) -> dict[str, Any]:
    """What a file of weights says about its making; UserError as :func:`read_lifter`."""
    card = read_state(path).get("card")
    if not isinstance(card, dict):
        raise UserError(f"{path} says nothing about its making.")
    return card


def write_state(path: Path, content: dict[str, Any]) -> None:
    """Write tensors and plain values; the file is the old one or the whole new one."""
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        torch.save(content, temporary)
        os.replace(temporary, path)
    except (OSError, RuntimeError) as error:
        # torch.save says that the disk is full with a RuntimeError.
        temporary.unlink(missing_ok=True)
        raise UserError(f"{path} could not be written: {error}.") from error


def read_state(path: Path) -> dict[str, Any]:
    """Read what :func:`write_state` wrote; nothing in the file is run.

    Raises
    ------
    UserError
        If the file cannot be read or is no such file.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror or error}.") from error
    except (pickle.UnpicklingError, EOFError, RuntimeError, ValueError, KeyError) as error:
        raise UserError(f"{path} is cut off or damaged.") from error
    except zipfile.BadZipFile as error:
        raise UserError(f"{path} is cut off or damaged.") from error
    if not isinstance(content, dict):
        raise UserError(f"{path} is cut off or damaged.")
    return content


def _spec(state: dict[str, Tensor]) -> LifterSpec:
    """The shape, from the shapes of the tensors."""
    width, features = state["enter.weight"].shape
    points = (features - EXTRA) // PER_POINT
    temporal = "blocks.0.over_time.mix" in state
    return LifterSpec(
        points=points,
        angles=(len(state["leave.bias"]) - 1 - 4 * points) // 2,
        frames=state["blocks.0.over_time.mix"].shape[1] if temporal else 1,
        width=width,
        blocks=len({name.split(".")[1] for name in state if name.startswith("blocks.")}),
        widening=state["blocks.0.widen.weight"].shape[0] // width,
        temporal=temporal,
    )
