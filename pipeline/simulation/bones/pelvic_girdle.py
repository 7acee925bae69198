"""Sacrum with coccyx, and the two hip bones.

The hip bones are drawn in the pelvis frame (origin between the hip joint centres), the sacrum in
its own (origin in the middle of the S1 end-plate, Y along that plate's normal).
"""

from __future__ import annotations

import math

import numpy as np

from pipeline.simulation.bones.shapes import (
    Mesh,
    bone,
    both_sides,
    domed,
    ellipsoid,
    joined,
    loft,
    plate,
    smooth_path,
    superellipse,
    tube,
    turned,
)
from pipeline.simulation.model_tables import SpineTables

# Where along the sacrum its sections lie, their breadth and depth in parts of the largest.
_SACRUM_SECTIONS = (
    (-0.02, 0.52, 0.70),
    (0.07, 0.90, 0.94),
    (0.20, 1.00, 1.00),
    (0.32, 0.94, 0.90),
    (0.48, 0.76, 0.72),
    (0.68, 0.60, 0.56),
    (0.88, 0.46, 0.40),
    (1.00, 0.26, 0.28),
)


def sacrum(tables: SpineTables) -> Mesh:
    """The sacrum in its own frame, in mm."""
    breadth, length = tables.size("sacrum", "breadth_mm"), tables.size("sacrum", "length_mm")
    turn = math.radians(tables.size("sacrum", "kyphosis_deg"))
    wide, deep = (
        tables.size("sacrum", "endplate_width_mm"),
        tables.size("sacrum", "endplate_depth_mm"),
    )
    centre, heading = _sacral_line(length, turn)
    cos, sin = superellipse(16, 2.4)
    rings, backs = [], []
    for at, across, depth in _SACRUM_SECTIONS:
        place, ahead = centre(at), heading(at)
        # The front is hollow from side to side; the back rises to the middle crest.
        thick = 0.5 * 40.0 * depth
        out = np.where(cos > 0, 0.45 * cos, 1.2 * cos * (1.0 - 0.35 * np.abs(sin) ** 1.5))
        out = out + 0.30 * sin**2
        rings.append(
            place
            + np.outer(2.0 * depth * np.ones(16), ahead)
            + np.outer(thick * out, ahead)
            + np.outer(0.5 * breadth * across * sin, (0.0, 0.0, 1.0))
        )
        backs.append(place - (1.2 * 20.0 - 2.0) * depth * ahead)
    round_x, round_y = superellipse(14, 2.3)
    top = np.stack([0.5 * deep * round_x, 0 * round_x, 0.5 * wide * round_y], -1)
    # The bodies of S1 and S2 stand out in front of the plate and sink into it further down.
    body_rings = [top]
    for at, scale in ((0.14, 0.92), (0.30, 0.82), (0.48, 0.50)):
        place = centre(at) + (8.0 - 22.0 * at) * heading(at)
        cos_at, sin_at = math.cos(turn * at), math.sin(turn * at)
        level = np.stack([top[:, 0] * cos_at, top[:, 0] * sin_at, top[:, 2]], -1)
        body_rings.append(scale * level + place)
    body = loft(np.array(body_rings), (1.2, 0.0))
    crest = [
        ellipsoid(tuple(backs[i] - 1.5 * heading(at)), (5.5, 8.5, 3.6), 6, 4)
        for i, at in ((1, 0.1), (3, 0.32), (4, 0.48))
    ]
    facets = both_sides(
        [
            tube(
                [(-16.0, -8.0, 17.0), (-23.0, 5.0, 19.0), (-26.0, 14.0, 20.0)],
                [(6.0, 8.0), (5.0, 7.0), (4.0, 6.0)],
                5,
                up=(1, 0, 0),
            )
        ]
    )
    end, on = centre(1.0), heading(1.0)
    down_there = np.array([on[1], -on[0], 0.0])
    coccyx = bone(
        [
            tuple(end - 5.0 * on),
            tuple(end + 12.0 * down_there - 4.0 * on),
            tuple(end + 26.0 * down_there + 3.0 * on),
        ],
        [(11.0, 5.0), (7.5, 4.0), (3.0, 2.5)],
        4,
        6,
        up=(1, 0, 0),
    )
    return joined([domed(np.array(rings), (0.0, 2.0)), body, *crest, *facets, coccyx])


def _sacral_line(length: float, turn: float):  # type: ignore[no-untyped-def]
    # A circular arc that starts straight down from the end-plate and curves forward.
    radius = length / turn

    def centre(at: float) -> np.ndarray:
        angle = turn * at
        return np.array([radius * (1 - math.cos(angle)) - 10.0, -radius * math.sin(angle), 0.0])

    def heading(at: float) -> np.ndarray:
        return np.array([math.cos(turn * at), math.sin(turn * at), 0.0])

    return centre, heading


def pelvis(tables: SpineTables) -> Mesh:
    """Both hip bones and the symphysis in the pelvis frame, in mm."""
    cup = 0.5 * tables.size("pelvis", "acetabulum_mm")
    side = 84.0
    right = [
        _ilium(tables),
        _acetabulum(side, cup),
        # Column from the sciatic notch over the socket's back to the ischial tuberosity.
        bone(
            [(-34, 34, 74), (-26, 4, 80), (-26, -32, 76), (-36, -62, 66), (-30, -80, 58)],
            [(11, 14), (13, 13), (12, 13), (14, 17), (8, 12)],
            8,
            8,
            up=(1, 0, 0),
        ),
        # Ischial spine.
        tube([(-34, -2, 72), (-50, -8, 58), (-56, -10, 52)], [(7, 6), (4, 3), (2, 2)], 5),
        # Superior ramus of the pubis, its body, and the inferior ramus back to the ischium.
        bone(
            [(14, 8, 86), (30, -2, 62), (46, -9, 34), (53, -14, 10)],
            [(13, 13), (8.5, 8), (7, 7.5), (9, 9)],
            7,
            7,
        ),
        bone(
            [(53, -12, 9.5), (49, -28, 8.5), (40, -44, 9.5)],
            [(5.5, 8), (5.5, 8), (5, 7)],
            4,
            7,
            up=(1, 0, 0),
        ),
        bone(
            [(42, -42, 10), (22, -60, 26), (-4, -76, 44), (-26, -80, 57)],
            [(4.5, 7), (4, 6.5), (4.5, 7.5), (7, 10)],
            6,
            6,
            up=(1, 0, 0),
        ),
        # Iliopectineal line: the brim from the pubis to the sacroiliac joint.
        bone(
            [(24, 14, 84), (4, 26, 80), (-24, 42, 68), (-50, 66, 55), (-66, 84, 50)],
            [(9, 10), (9, 9), (8, 9), (7, 10), (5, 9)],
            7,
            6,
        ),
    ]
    symphysis = ellipsoid((48.0, -27.0, 0.0), (6.5, 18.0, 6.0), 8, 6)
    return joined([*both_sides(right), symphysis])


def _ilium(tables: SpineTables) -> Mesh:
    half = 0.5 * tables.size("pelvis", "crest_breadth_mm")
    asis = 0.5 * tables.size("pelvis", "asis_breadth_mm")
    crest = [
        (58, 82, asis),
        (46, 106, 0.94 * half),
        (22, 128, half - 3.0),
        (-10, 139, half - 5.0),
        (-40, 141, 0.86 * half),
        (-68, 136, 0.66 * half),
        (-88, 122, 0.46 * half),
        (-98, 108, 47.0),
    ]
    base = [
        (42, 42, 104),
        (33, 22, 101),
        (15, 14, 97),
        (-6, 14, 93),
        (-28, 26, 82),
        (-46, 44, 66),
        (-64, 60, 54),
        (-88, 78, 46),
    ]
    upper, lower = smooth_path(crest, 11), smooth_path(base, 11)
    levels = (0.0, 0.06, 0.3, 0.6, 0.85, 1.0)
    grid = []
    for level in levels:
        row = upper + level * (lower - upper)
        # The wing is hollow on its inner side: its middle lies further out and back.
        bulge = 4.0 * level * (1 - level)
        row = row + bulge * np.array([0.0, 0.0, 5.0])
        # Front border: a notch between the two anterior spines.
        row[0] += bulge * np.array([-7.0, 0.0, 0.0])
        grid.append(row)
    thickness = np.array([6.0, 13.0, 6.5, 6.0, 13.0, 20.0])[:, None] * np.ones(11)
    return plate(np.array(grid), thickness)


def _acetabulum(side: float, radius: float) -> Mesh:
    # Opens outwards, 45 degrees down and 20 degrees forward.
    axis = (0.26, -0.62, 0.74)
    angles = np.radians(np.linspace(8, 84, 5))
    bowl = [(-radius * math.cos(a), radius * math.sin(a)) for a in angles]
    shell = [
        (-(radius + 7.0) * math.cos(a), (radius + 6.0) * math.sin(a))
        for a in np.radians([84, 60, 34, 10])
    ]
    return turned((0.0, 0.0, side), axis, [*bowl, *shell], 12)
