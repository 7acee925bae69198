"""How a lifter is trained, from a TOML file."""

from __future__ import annotations

import tomllib
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from pipeline.data.errors import UserError


@dataclass(frozen=True, slots=True)
class LifterTraining:
    """All that decides how a training goes; the same values give the same weights.

    Parameters
    ----------
    seed : int
        Of the weights, of the data and of which clips are mirrored.
    begin : str
        File of weights of the same shape to go on from; empty for none.
    steps, clips, frames : int
        Steps of the optimiser, clips in each, and frames in a clip, which is the network's window.
    repeats : int
        How many steps in a row use the same clips, mirrored anew: making them takes time too.
    width, blocks, widening, temporal
        Of :class:`pipeline.models.lifter_network.LifterSpec`.
    learning_rate, inner_rate, warm_up, weight_decay : float, float, int, float
        Of AdamW, and of Muon for the matrices of the blocks; rates rise over ``warm_up`` steps
        and fall along a half cosine.
    average : float
        Part of the old weights that the running average keeps in a step.
    upright : float
        Part of the clips in which the vertical is given.
    validate_every, validation_clips : int
        Steps between two validations, and clips that each looks at.
    """

    seed: int = 1
    begin: str = ""
    steps: int = 5000
    clips: int = 48
    frames: int = 41
    repeats: int = 1
    width: int = 256
    blocks: int = 4
    widening: int = 2
    temporal: bool = True
    learning_rate: float = 1e-3
    inner_rate: float = 0.02
    warm_up: int = 200
    weight_decay: float = 0.01
    average: float = 0.998
    upright: float = 0.5
    validate_every: int = 250
    validation_clips: int = 256


_LEAST = {
    "steps": 1, "clips": 1, "frames": 1, "width": 8, "blocks": 1, "widening": 1,
    "repeats": 1, "validate_every": 1, "validation_clips": 1,
}  # fmt: skip
_PARTS = ("average", "upright")


def read_lifter_training(path: Path) -> LifterTraining:
    """The table ``[lifter]`` of a TOML file; what it leaves out has its default.

    Raises
    ------
    UserError
        If the file cannot be read or says something that is no training, naming file and cause.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror or error}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is no TOML file: {error}.") from error
    given = table.get("lifter")
    if not isinstance(given, dict):
        raise UserError(f"{path} has no table [lifter].")
    known = {field.name: field.default for field in fields(LifterTraining)}
    for name, value in given.items():
        if name not in known:
            raise UserError(f"{path}: [lifter] has no setting named “{name}”.")
        given[name] = _checked(path, name, value, known[name])
    training = LifterTraining(**given)
    if training.width % 8:
        raise UserError(f"{path}: width must be a multiple of 8, not {training.width}.")
    return training


def as_table(training: LifterTraining) -> dict[str, Any]:
    """The settings by name, as they stand in a file."""
    return asdict(training)


def _checked(path: Path, name: str, value: object, default: object) -> Any:
    if isinstance(default, bool):
        if isinstance(value, bool):
            return value
        raise UserError(f"{path}: {name} must be true or false, not {value!r}.")
    if isinstance(default, str):
        if isinstance(value, str):
            return value
        raise UserError(f"{path}: {name} must be text, not {value!r}.")
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UserError(f"{path}: {name} must be a number, not {value!r}.")
    if isinstance(default, int):
        least = _LEAST.get(name, 0)
        if not isinstance(value, int) or value < least:
            raise UserError(
                f"{path}: {name} must be a whole number from {least} on, not {value!r}."
            )
        return value
    most = 1.0 if name in _PARTS else float("inf")
    if not 0.0 <= value <= most or (name.endswith("_rate") and value == 0.0):
        limit = f"from 0 to {most:g}" if name in _PARTS else "above 0"
        raise UserError(f"{path}: {name} must be {limit}, not {value!r}.")
    return float(value)
