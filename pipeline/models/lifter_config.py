"""How a lifter is trained, from a TOML file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipeline.data.errors import UserError
from pipeline.models.training_config import read_settings


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
    training = read_settings(path, "lifter", LifterTraining, _LEAST, _PARTS)
    if training.width % 8:
        raise UserError(f"{path}: width must be a multiple of 8, not {training.width}.")
    return training
