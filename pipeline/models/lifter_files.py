"""The file of a lifter: its weights in half precision."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import Tensor

from pipeline.data.errors import UserError
from pipeline.models.checkpoint import read_checkpoint
from pipeline.models.lifter_input import EXTRA, PER_POINT
from pipeline.models.lifter_network import LifterNetwork, LifterSpec
from pipeline.models.state_files import write_state

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
