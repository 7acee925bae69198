"""How much the parts of the body count against each other: factors that a person chooses."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pipeline.data.errors import UserError
from pipeline.kinematics.subject import Subject

#: Parts in the order in which they are shown, and words in the names of their markers.
PARTS: Mapping[str, tuple[str, ...]] = {
    "head": ("nose", "eye", "ear", "head"),
    "column": ("spine", "neck"),
    "arms": ("shoulder", "elbow", "wrist", "clavicle", "latissimus"),
    "pelvis": ("hip",),
    "legs": ("knee", "ankle", "toe", "heel"),
}
#: The highest factor; the lowest is 0, which leaves a part out.
HIGHEST = 10.0


def part_of(marker: str) -> str | None:
    """The part of the body that a marker belongs to; None where its name tells none."""
    name = marker.lower()
    return next((part for part, words in PARTS.items() if any(w in name for w in words)), None)


def check_part_weights(weights: Mapping[str, float]) -> None:
    """UserError for a part that is none, a factor out of its range, or nothing left to follow."""
    for part, weight in weights.items():
        if part not in PARTS:
            raise UserError(f"“{part}” is no part of the body that has a weight.")
        if not (math.isfinite(weight) and 0.0 <= weight <= HIGHEST):
            raise UserError(f"The weight of the part “{part}” is not from 0 to {HIGHEST:g}.")
    if all(weights.get(part, 1.0) == 0.0 for part in PARTS):
        raise UserError("At least one part of the body needs a weight above 0.")


def part_factors(markers: tuple[str, ...], weights: Mapping[str, float]) -> NDArray[np.float64]:
    """(K,) factors of markers; 1 for parts that are not named and markers of no part.

    Raises
    ------
    UserError
        As :func:`check_part_weights`.
    """
    check_part_weights(weights)
    return np.array([weights.get(part_of(name) or "", 1.0) for name in markers])


def with_part_weights(subject: Subject, weights: Mapping[str, float]) -> Subject:
    """The subject with other factors on its markers; those it had are forgotten.

    Raises
    ------
    UserError
        As :func:`check_part_weights`.
    """
    return replace(subject, factors=part_factors(subject.model.marker_names, weights))
