"""How a detector is trained, from a TOML file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipeline.data.errors import UserError
from pipeline.models.training_config import read_settings

#: Networks that are trained from nothing: our own, and RTMPose's sizes.
NETWORKS = ("pyramid", "t", "s", "m", "l", "x")


@dataclass(frozen=True, slots=True)
class DetectorTraining:
    """All that decides how a training goes; the same values give the same course of it.

    Parameters
    ----------
    network : str
        ``pyramid``, our own, or RTMPose's size: ``t``, ``s``, ``m``, ``l``, ``x``.
    begin : str
        File of weights to go on from, which then say the network; empty for none.
    seed : int
        Of the weights, of the drawn pictures and of how they are cut out.
    pictures, validation_pictures : int
        How many are drawn to teach and to validate, where no set of pictures is given.
    steps, batch : int
        Steps of the optimiser, and pictures in each.
    width, features : int
        Of ``pyramid``: channels of the first map, and of the last one.
    learning_rate, inner_rate, warm_up, weight_decay : float, float, int, float
        Of AdamW, and of Muon for the kernels inside; rates rise over ``warm_up`` steps and fall
        along a half cosine.
    average : float
        Part of the old weights that the running average keeps in a step.
    validate_every : int
        Steps between two validations.
    turn : float
        Standard deviation of how pictures are turned, degrees.
    zoom : float
        Standard deviation of the logarithm of the size at which a person is cut out.
    shift : float
        Standard deviation of where, in parts of the cut-out.
    wide : float
        Part of the pictures in which a person is cut out up to three times as wide.
    colours : float
        How much colours are changed, 0 to 1.
    hide : float
        Part of the pictures in which a rectangle is hidden.
    half : bool
        Compute in 16 bits where the processor does that faster.
    frozen : bool
        Leave the statistics of batch normalisations as they are, for a few pictures.
    """

    network: str = "pyramid"
    begin: str = ""
    seed: int = 1
    pictures: int = 28800
    validation_pictures: int = 256
    steps: int = 5000
    batch: int = 64
    width: int = 16
    features: int = 64
    learning_rate: float = 1e-3
    inner_rate: float = 0.02
    warm_up: int = 100
    weight_decay: float = 0.01
    average: float = 0.998
    validate_every: int = 250
    turn: float = 15.0
    zoom: float = 0.15
    shift: float = 0.04
    wide: float = 0.1
    colours: float = 0.5
    hide: float = 0.3
    half: bool = True
    frozen: bool = False


_LEAST = {
    "steps": 1, "batch": 2, "pictures": 1, "validation_pictures": 1, "width": 4, "features": 8,
    "validate_every": 1,
}  # fmt: skip
_PARTS = ("average", "wide", "colours", "hide")


def read_detector_training(path: Path) -> DetectorTraining:
    """The table ``[detector]`` of a TOML file; what it leaves out has its default.

    Raises
    ------
    UserError
        If the file cannot be read or says something that is no training, naming file and cause.
    """
    training = read_settings(path, "detector", DetectorTraining, _LEAST, _PARTS)
    if training.network not in NETWORKS:
        raise UserError(
            f"{path}: network must be one of {', '.join(NETWORKS)}, not “{training.network}”."
        )
    return training
