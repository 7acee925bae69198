"""Skull with face and lower jaw, in the skull's frame (origin in the atlanto-occipital joint)."""

from __future__ import annotations

import numpy as np

from pipeline.simulation.bones.shapes import (
    Mesh,
    Point,
    bone,
    both_sides,
    ellipsoid,
    joined,
    star,
    tube,
)
from pipeline.simulation.model_tables import SpineTables

# Scalp and face are some 5 mm thick over the bone.
_SKIN_MM = 5.0
_MIDDLE: Point = (22.0, 45.0, 0.0)
_AROUND, _ROWS = 40, 24


def skull(tables: SpineTables) -> Mesh:
    """The skull in its own frame, in mm."""
    length = tables.size("skull", "length_mm") - 2 * _SKIN_MM
    breadth = tables.size("skull", "breadth_mm") - 2 * _SKIN_MM
    vertex = next(row for row in tables.markers if row.keypoint == "head")
    assert vertex.y_mm is not None
    crown = vertex.y_mm - _SKIN_MM
    centre_x = 3.0
    # Brain case, forehead, back of the head, base, face, cheeks, upper jaw: centre and half axes.
    solids: list[tuple[Point, Point]] = [
        ((centre_x - 4.0, crown - 62.0, 0.0), (0.5 * length - 2.0, 62.0, 0.5 * breadth)),
        ((centre_x + 36.0, crown - 66.0, 0.0), (55.0, 50.0, 57.0)),
        ((centre_x - 44.0, crown - 76.0, 0.0), (48.0, 46.0, 56.0)),
        ((8.0, 22.0, 0.0), (52.0, 24.0, 50.0)),
        ((60.0, 22.0, 0.0), (33.0, 42.0, 36.0)),
        ((72.0, 36.0, 0.0), (18.0, 24.0, 9.0)),
        ((74.0, -12.0, 0.0), (21.0, 26.0, 29.0)),
    ]
    paired: list[tuple[Point, Point]] = [
        ((78.0, 55.0, 24.0), (15.0, 6.5, 26.0)),
        ((71.0, 12.0, 42.0), (17.0, 11.0, 13.0)),
        ((62.0, 36.0, 49.0), (9.0, 20.0, 6.0)),
        ((6.0, 8.0, 50.0), (14.0, 22.0, 13.0)),
    ]
    for (x, y, z), half in paired:
        solids += [((x, y, z), half), ((x, y, -z), half)]
    hollows: list[tuple[Point, Point]] = [
        ((92.0, 36.0, 27.0), (31.0, 16.0, 16.5)),
        ((92.0, 36.0, -27.0), (31.0, 16.0, 16.5)),
        ((101.0, 7.0, 0.0), (24.0, 15.0, 10.5)),
        ((46.0, 36.0, 80.0), (17.0, 26.0, 22.0)),
        ((46.0, 36.0, -80.0), (17.0, 26.0, 22.0)),
    ]
    parts = [star(_MIDDLE, lambda d: _distance(d, solids, hollows), _AROUND, _ROWS, 0.5)]
    parts += both_sides([_cheek_arch(), _orbit_rim(), *_jaw(tables)])
    parts.append(_teeth(-33.0))
    parts.append(_teeth(-40.0))
    # Nasal bones.
    parts.append(
        bone([(86, 44, 0), (95, 32, 0), (101, 22, 0)], [(6, 4), (5, 3.5), (5, 2)], 4, 6, (1, 0, 0))
    )
    return joined(parts)


def _distance(
    directions: np.ndarray,
    solids: list[tuple[Point, Point]],
    hollows: list[tuple[Point, Point]],
) -> np.ndarray:
    """Where rays from the middle leave the rounded union of the solids less the hollows."""
    leaves = np.stack([_crossings(directions, *solid)[1] for solid in solids])
    # A soft maximum: seams between the solids are rounded over some millimetres.
    softness = 2.5
    top = leaves.max(axis=0)
    reach = top + softness * np.log(np.exp((leaves - top) / softness).sum(axis=0))
    for hollow in hollows:
        enters = _crossings(directions, *hollow)[0]
        reach = np.minimum(reach, np.where(np.isfinite(enters), np.maximum(enters, 20.0), reach))
    return np.asarray(reach)


def _crossings(directions: np.ndarray, centre: Point, half: Point) -> tuple[np.ndarray, np.ndarray]:
    """Where rays enter (infinite: never) and leave (minus infinity: never) an ellipsoid."""
    start = (np.asarray(_MIDDLE) - centre) / half
    ray = directions / np.asarray(half)
    a, b, c = (ray**2).sum(-1), ray @ start, start @ start - 1.0
    root = b * b - a * c
    hit = root > 0
    depth = np.sqrt(np.where(hit, root, 0.0))
    enters, leaves = (-b - depth) / a, (-b + depth) / a
    hit &= leaves > 0
    return np.where(hit, enters, np.inf), np.where(hit, leaves, -1e3)


def _cheek_arch() -> Mesh:
    return bone(
        [(70, 10, 47), (54, 10, 61), (34, 12, 66), (16, 17, 61)],
        [(4.0, 7.0), (2.6, 4.6), (2.6, 4.0), (4.0, 5.0)],
        7,
        6,
    )


def _orbit_rim() -> Mesh:
    # Oval, its outer edge further back than its inner one; drawn over its start to close it.
    angle = np.linspace(0.0, 2 * np.pi, 13)
    aside, above = np.cos(angle), np.sin(angle)
    path = np.stack(
        [
            79.5 - 8.0 * aside - 3.0 * aside**2 + 2.0 * above,
            36.0 + 17.5 * above,
            28.0 + 20.0 * aside,
        ],
        -1,
    )
    thick = 3.3 + 0.9 * aside + 0.7 * above
    return tube(path, [(t, 1.1 * t) for t in thick], 5, up=(1, 0, 0))


def _jaw(tables: SpineTables) -> list[Mesh]:
    gonion = 0.5 * tables.size("skull", "bigonial_mm") - 3.0
    condyle = 0.5 * tables.size("skull", "bicondylar_mm") - 8.0
    ramus = tables.size("skull", "ramus_mm")
    top = (16.0, 9.0, condyle)
    angle = (22.0, 9.0 - ramus, gonion)
    upright = bone(
        [
            top,
            (21.0, -8.0, condyle - 1.0),
            (26.0, -30.0, gonion + 2.0),
            (33.0, angle[1] - 4, gonion),
        ],
        [(4.0, 7.0), (3.2, 13.0), (3.4, 17.0), (4.0, 16.0)],
        5,
        7,
        up=(1, 0, 0),
        power=2.6,
    )
    horizontal = bone(
        [
            (23.0, angle[1] + 7.0, gonion),
            (50.0, -55.0, 0.82 * gonion),
            (74.0, -60.0, 0.52 * gonion),
            (87.0, -61.0, 0.22 * gonion),
            (89.5, -61.0, -1.0),
        ],
        [(6.0, 13.0), (6.0, 13.0), (5.5, 14.0), (6.0, 15.5), (6.5, 16.0)],
        7,
        7,
        power=2.4,
    )
    coronoid = tube(
        [(34, -26, gonion + 1), (40, -6, gonion + 2), (40, 4, gonion + 3)],
        [(3, 9), (2.5, 5), (2, 2)],
        6,
        up=(1, 0, 0),
    )
    chin = ellipsoid((91.0, -70.0, 5.0), (6.0, 7.0, 11.0), 7, 4)
    return [upright, horizontal, coronoid, chin]


def _teeth(y: float) -> Mesh:
    half = [(48, 25.0), (66, 23.5), (80, 17.5), (89, 8.5), (91, 0.0)]
    path = [(x, y, z) for x, z in half] + [(x, y, -z) for x, z in half[-2::-1]]
    return bone(path, [(3.6, 4.6)] * len(path), 11, 4, power=3.0)
