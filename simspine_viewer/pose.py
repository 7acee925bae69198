"""The simulated body at one frame, as the 3D view, panes and panels draw it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from pipeline.kinematics.model import KinematicModel

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Pose:
    """A simulated body at one frame.

    Attributes
    ----------
    model
        The same object from frame to frame; its markers are the keypoints of the skeleton.
    ground_from_body
        (B, 3, 4), metres, world.
    coordinates
        (Q,) radians and metres.
    markers
        (K, 3) metres; NaN where the model has no such marker.
    live
        Solved for a drag under way.
    """

    model: KinematicModel
    ground_from_body: FloatArray
    coordinates: FloatArray
    markers: FloatArray
    live: bool
