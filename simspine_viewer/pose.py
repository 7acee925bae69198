"""A simulated body at one frame, as the views draw it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from pipeline.kinematics.model import KinematicModel

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Pose:
    """A simulated body at one frame.

    What is drawn of it is remembered by identity: whoever hands poses out gives the same object
    until it changes, and the same ``model`` from frame to frame.

    Attributes
    ----------
    model : KinematicModel
        B bodies and Q coordinates.
    ground_from_body : (B, 3, 4) array
        Metres, world; NaN where a body cannot be placed.
    coordinates : (Q,) array
        Radians and metres.
    markers : (K, 3) array
        The model's markers, one per keypoint of the skeleton, metres; NaN where it has none.
    live : bool
        Solved for a drag under way.
    folders : tuple of Path
        Where meshes of its bones may lie, if the model is not ours.
    """

    model: KinematicModel
    ground_from_body: FloatArray
    coordinates: FloatArray
    markers: FloatArray
    live: bool = False
    folders: tuple[Path, ...] = ()
