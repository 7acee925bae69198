"""Humerus, ulna, radius and hand of the right side, each in its body's frame, palm forward."""

from __future__ import annotations

import numpy as np

from pipeline.simulation.bones.shapes import Mesh, Point, bone, ellipsoid, joined, tube, turned
from pipeline.simulation.model_tables import SpineTables

_DOWN = (0.0, 0.0, 1.0)
# Phalanges of thumb to little finger, in mm (metacarpals are in the table).
_PHALANGES = ((32, 22), (40, 23, 17), (45, 27, 18), (41, 26, 18), (33, 18, 16))
# Base of each metacarpal and the direction its finger points to.
_RAYS: tuple[tuple[Point, Point], ...] = (
    ((9.0, -21.0, 20.0), (0.40, -0.80, 0.45)),
    ((3.0, -27.0, 12.0), (0.06, -0.985, 0.16)),
    ((3.0, -28.0, 2.0), (0.06, -0.998, 0.02)),
    ((2.0, -27.0, -7.0), (0.07, -0.99, -0.11)),
    ((1.0, -25.0, -15.0), (0.08, -0.97, -0.23)),
)


def humerus(tables: SpineTables) -> Mesh:
    """The right humerus; its frame's origin is the middle of the head."""
    elbow = -284.0
    bottom = 22.0 - tables.size("humerus", "length_mm")
    shaft = bone(
        [
            (-2, -6, 6),
            (0, -28, 12),
            (2, -70, 12),
            (2, -130, 9),
            (1, -200, 5),
            (0, -250, 2),
            (0, -276, -1),
        ],
        [(16, 17), (14, 14), (11, 11), (10, 10), (9.5, 9.5), (16, 8), (25, 7)],
        10,
        8,
        up=(1, 0, 0),
    )
    return joined(
        [
            shaft,
            ellipsoid((-1.0, 1.0, -1.0), (23.0, 22.0, 23.0), 9, 6),
            ellipsoid((2.0, -9.0, 17.0), (14.0, 19.0, 9.0), 7, 5),
            ellipsoid((17.0, -12.0, 8.0), (8.0, 13.0, 7.0), 6, 4),
            turned(
                (3.0, elbow, -4.0),
                (0, 0, 1),
                [(-18, 4), (-18, 12), (-8, 8), (4, 11), (5, 4)],
                10,
            ),
            ellipsoid((4.0, elbow + 1.0, 12.0), (10.0, 0.5 * (elbow - bottom) + 9.0, 10.0), 8, 5),
            ellipsoid((-2.0, elbow + 10.0, -29.0), (6.0, 9.0, 7.0), 6, 4),
            ellipsoid((0.0, elbow + 9.0, 24.0), (6.0, 9.0, 6.0), 6, 4),
        ]
    )


def ulna(tables: SpineTables) -> Mesh:
    """The right ulna; origin in the elbow joint."""
    end = 14.0 - tables.size("ulna", "length_mm")
    return joined(
        [
            bone(
                [
                    (-18, 14, -5),
                    (-18, -6, -5),
                    (-10, -28, -5),
                    (-7, -80, -8),
                    (-4, -170, -9),
                    (-2, end + 12, -12),
                    (-2, end, -12),
                ],
                [(8, 7), (10, 8), (8, 10), (6.5, 7.5), (5.5, 5.5), (6, 6), (7.5, 7.5)],
                11,
                7,
                up=(1, 0, 0),
            ),
            # Olecranon's beak and the coronoid process hold the trochlea between them.
            ellipsoid((-13.0, 12.0, -5.0), (9.0, 6.0, 9.0), 8, 5),
            tube([(-14, -22, -5), (2, -18, -4), (12, -13, -4)], [(9, 8), (8, 6), (6, 4)], 7),
            tube(
                [(-6, end + 4, -14), (-6, end - 3, -16), (-6, end - 8, -17)], [3.5, 3, 2], 5, _DOWN
            ),
        ]
    )


def radius(tables: SpineTables) -> Mesh:
    """The right radius; origin in the middle of its head."""
    end = 6.0 - tables.size("radius", "length_mm")
    return joined(
        [
            turned((0, -2, 0), (0, 1, 0), [(-6, 5), (-4, 11), (6, 11.5), (5, 4)], 10),
            bone(
                [
                    (0, 0, 0),
                    (1, -18, -2),
                    (3, -38, -4),
                    (4, -110, 4),
                    (3, -170, 2),
                    (1, end + 22, -4),
                    (0, end + 2, -5),
                ],
                [(6, 6), (6, 6), (7.5, 8), (6.5, 6.5), (6.5, 6.5), (12, 8), (16, 9.5)],
                11,
                8,
                up=(1, 0, 0),
            ),
            ellipsoid((6.0, -36.0, -8.0), (5.0, 10.0, 5.0), 6, 5),
            tube([(0, end + 6, 8), (0, end - 5, 9), (0, end - 9, 9)], [5, 4, 2], 6, _DOWN),
        ]
    )


def hand(tables: SpineTables) -> Mesh:
    """The right hand; origin in the wrist, fingers down, slightly bent."""
    carpals = [
        ellipsoid((1.0, 1.0, 9.0), (9.0, 8.5, 10.5), 6, 4),
        ellipsoid((0.0, 1.0, -5.0), (9.0, 8.5, 8.5), 6, 4),
        ellipsoid((1.0, -3.0, -16.0), (8.0, 9.5, 7.0), 6, 4),
        ellipsoid((7.0, -13.0, 18.0), (8.0, 8.5, 8.0), 6, 4),
        ellipsoid((2.0, -16.0, 10.0), (8.5, 10.0, 6.5), 6, 4),
        ellipsoid((2.0, -15.0, 1.0), (9.0, 11.5, 7.5), 6, 4),
        ellipsoid((2.0, -15.0, -12.0), (9.0, 10.0, 9.0), 6, 4),
    ]
    fingers: list[Mesh] = []
    for number, (base, line) in enumerate(_RAYS, start=1):
        at = np.array(base)
        along = np.array(line) / np.linalg.norm(line)
        lengths = (tables.size("hand", f"metacarpal_{number}_mm"), *_PHALANGES[number - 1])
        for place, length in enumerate(lengths):
            fingers.append(_long_bone(at, along, length, (6.0, 5.2, 4.4, 3.8)[place]))
            at = at + (length + 1.0) * along
            along = _bent(along, 8.0 if place else 10.0)
    return joined([*carpals, *fingers])


def _long_bone(start: np.ndarray, along: np.ndarray, length: float, thick: float) -> Mesh:
    points = [tuple(start + at * length * along) for at in (0.03, 0.5, 0.97)]
    return tube(points, [thick, 0.62 * thick, 0.86 * thick], 4, (1.0, 0.0, 0.2))


def _bent(along: np.ndarray, degrees: float) -> np.ndarray:
    """The direction turned towards the palm (+X)."""
    angle = np.radians(degrees)
    bent: np.ndarray = np.cos(angle) * along + np.sin(angle) * np.array([1.0, 0.0, 0.0])
    return np.asarray(bent / np.linalg.norm(bent))
