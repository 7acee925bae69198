"""What is fixed in each vertebra of our model: end-plates, centre, how far its joint can go."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from pipeline.data.resources import resource_path

FloatArray = NDArray[np.float64]

_SACRUM = "sacrum"  # its frame lies on the S1 end-plate: no tilt, centre at the origin


@dataclass(frozen=True, slots=True)
class Vertebra:
    """One vertebra in the frame of its body (X forward, Y up along it).

    Attributes
    ----------
    lower, upper : float
        Pitch of the end-plates, radians, positive leaning forward.
    centre : (x, y)
        Centre of the vertebral body in its middle plane, metres, before scaling.
    """

    lower: float
    upper: float
    centre: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Level:
    """A joint between two vertebrae, and how far it goes, radians, all positive."""

    name: str
    child: str
    parent: str
    flexion: float
    extension: float
    bending: float
    twist: float


@cache
def vertebrae() -> dict[str, Vertebra]:
    """Sacrum and L5 to C2 by body name, from ``resources/spine_model/joints.csv``."""
    found = {_SACRUM: Vertebra(0.0, 0.0, (0.0, 0.0))}
    for row in _rows("joints.csv"):
        if not row["pitch_inf_deg"] or not row["pitch_sup_deg"]:  # C1 and skull have none
            continue
        middle = float(row["pitch_mid_deg"])
        lower, upper = (
            math.radians(float(row[f"pitch_{side}_deg"]) - middle) for side in ("inf", "sup")
        )
        centre = (1e-3 * float(row["centre_x_mm"]), 1e-3 * float(row["centre_y_mm"]))
        found[row["child"]] = Vertebra(lower, upper, centre)
    return found


@cache
def levels() -> tuple[Level, ...]:
    """The joints of the column, bottom to top, from ``joints.csv`` and ``level_limits.csv``."""
    limits = {row["level"]: row for row in _rows("level_limits.csv")}
    found = []
    for row in _rows("joints.csv"):
        most = limits[row["level"]]
        ranges = (
            math.radians(float(most[f"{what}_deg"])) for what in ("flex", "ext", "bend", "twist")
        )
        found.append(Level(row["level"], row["child"], row["parent"], *ranges))
    return tuple(found)


def _rows(name: str) -> list[dict[str, str]]:
    with resource_path("spine_model", name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
