"""Femur, tibia with fibula and patella, and foot of the right side, each in its body's frame."""

from __future__ import annotations

import numpy as np

from pipeline.simulation.bones.shapes import Mesh, Point, bone, ellipsoid, joined, tube, turned
from pipeline.simulation.model_tables import SpineTables

_AHEAD: Point = (1.0, 0.0, 0.0)


def femur(tables: SpineTables) -> Mesh:
    """The right femur; origin in the middle of its head."""
    head = 0.5 * tables.size("femur", "head_mm")
    knee_x, knee_y = -5.0, -412.0
    slope = np.radians(tables.size("femur", "neck_angle_deg") - 90.0)
    turn = np.radians(tables.size("femur", "anteversion_deg"))
    # From the head along the neck: outwards, down, and back by the anteversion.
    neck = np.array([-np.cos(slope) * np.sin(turn), -np.sin(slope), np.cos(slope) * np.cos(turn)])
    root = tuple(60.0 * neck)
    middle = tuple(26.0 * neck)
    shaft = bone(
        [
            (-12, -8, 54),
            (-11, -40, 50),
            (-6, -85, 42),
            (3, -160, 34),
            (5, -230, 25),
            (0, -310, 13),
            (-4, -370, 4),
            (-7, -396, 1),
        ],
        [(13, 12), (17, 16), (15, 15), (13.5, 14), (13.5, 14), (16, 14.5), (30, 18), (39, 23)],
        12,
        9,
        up=_AHEAD,
    )
    return joined(
        [
            shaft,
            ellipsoid((0.0, 0.0, 0.0), (head, head, head), 10, 7),
            bone([tuple(10.0 * neck), middle, root], [(15, 16), (12, 15), (15, 20)], 5, 8, _AHEAD),
            # Greater and lesser trochanter.
            ellipsoid((-13.0, -8.0, 60.0), (15.0, 22.0, 11.0), 7, 5),
            ellipsoid((-22.0, -62.0, 33.0), (9.0, 12.0, 9.0), 6, 4),
            # Condyles.
            ellipsoid((knee_x - 9.0, knee_y + 2.0, -22.0), (28.0, 20.0, 15.0), 8, 5),
            ellipsoid((knee_x - 7.0, knee_y + 2.0, 23.0), (29.0, 20.0, 15.0), 8, 5),
            ellipsoid((knee_x + 14.0, knee_y + 14.0, 0.0), (13.0, 18.0, 21.0), 8, 5),
        ]
    )


def shank(tables: SpineTables) -> Mesh:
    """The right tibia, fibula and patella; origin in the knee joint."""
    length = tables.size("fibula", "length_mm")
    tall = 0.5 * tables.size("patella", "height_mm")
    wide = 0.5 * tables.size("patella", "width_mm")
    deep = 0.5 * tables.size("patella", "thickness_mm")
    head_y = -46.0
    return joined(
        [
            bone(
                [
                    (-10, -22, 0),
                    (-9, -34, 0),
                    (-4, -64, 0),
                    (2, -110, 0),
                    (2, -220, -2),
                    (-2, -330, -3),
                    (-7, -395, -2),
                    (-8, -415, -2),
                ],
                [(38, 25), (38, 26), (22, 21), (14, 18), (12, 14), (11, 12), (20, 17), (24, 19)],
                12,
                8,
                up=_AHEAD,
                power=2.3,
            ),
            ellipsoid((18.0, -58.0, 2.0), (9.0, 17.0, 10.0), 8, 5),
            # Inner ankle.
            tube(
                [(-6, -405, -21), (-6, -428, -26), (-7, -440, -26)],
                [(6, 13), (6, 10), (4, 6)],
                7,
                _AHEAD,
            ),
            bone(
                [
                    (-22, head_y, 36),
                    (-23, head_y - 22, 37),
                    (-22, head_y - 60, 35),
                    (-17, -240, 31),
                    (-14, -370, 26),
                    (-14, -412, 28),
                    (-14, head_y - length, 27),
                ],
                [(10, 11), (8, 9), (5.5, 6), (6, 6), (6, 7), (8, 12), (5, 7)],
                10,
                6,
                up=_AHEAD,
            ),
            ellipsoid((34.0, 6.0, 0.0), (deep, tall, wide), 10, 7),
        ]
    )


def talus(tables: SpineTables) -> Mesh:
    """The right talus; origin in the ankle joint."""
    return joined(
        [
            turned((0, -4, 0), (0, 0, 1), [(-15, 8), (-15, 16), (0, 15), (15, 18), (15, 8)], 10),
            bone(
                [(-18, -14, 2), (0, -16, 0), (24, -14, -8), (36, -16, -11)],
                [(12, 9), (17, 9), (12, 11), (13, 12)],
                5,
                7,
            ),
        ]
    )


def hindfoot(tables: SpineTables) -> Mesh:
    """The right calcaneus, tarsals and metatarsals; origin at the heel's lower back edge."""
    length = tables.size("foot", "calcaneus_mm")
    back = -19.0
    parts = [
        bone(
            [
                (back, 0, 0),
                (back + 12, 5, 0),
                (back + 0.5 * length, 14, 1),
                (back + 0.75 * length, 12, 3),
                (back + length, 6, 7),
            ],
            [(11, 14), (15, 20), (14, 16), (16, 13), (13, 12)],
            8,
            9,
            power=2.5,
        ),
        # Shelf under the talus, navicular, cuboid and the three cuneiforms.
        ellipsoid((34.0, 22.0, -14.0), (13.0, 6.0, 9.0), 6, 4),
        ellipsoid((92.0, 25.0, -14.0), (9.0, 15.0, 19.0), 7, 5),
        ellipsoid((74.0, 6.0, 16.0), (20.0, 12.0, 13.0), 7, 5),
        ellipsoid((109.0, 19.0, -22.0), (12.0, 14.0, 9.0), 6, 4),
        ellipsoid((106.0, 24.0, -8.0), (10.0, 11.0, 8.0), 6, 4),
        ellipsoid((104.0, 20.0, 4.0), (11.0, 11.0, 8.0), 6, 4),
    ]
    heads: tuple[Point, ...] = (
        (181.0, -11.0, -22.0),
        (184.0, -11.0, -5.0),
        (178.0, -12.0, 9.0),
        (169.0, -13.0, 23.0),
        (156.0, -14.0, 36.0),
    )
    bases: tuple[Point, ...] = (
        (121.0, 15.0, -22.0),
        (114.0, 23.0, -7.0),
        (112.0, 19.0, 5.0),
        (99.0, 11.0, 16.0),
        (91.0, 2.0, 25.0),
    )
    for number, (head, base) in enumerate(zip(heads, bases, strict=True), start=1):
        line = np.array(base) - np.array(head)
        line *= tables.size("foot", f"metatarsal_{number}_mm") / np.linalg.norm(line)
        points = [tuple(np.array(head) + at * line) for at in (1.0, 0.75, 0.35, 0.0)]
        thick = 9.0 if number == 1 else 6.5
        parts.append(tube(points, [thick, 0.7 * thick, 0.62 * thick, 0.85 * thick], 4))
    return joined(parts)


def toes(tables: SpineTables) -> Mesh:
    """The right toes; origin in the middle of the metatarsophalangeal joints."""
    starts: tuple[Point, ...] = (
        (2.0, -9.0, -23.0),
        (6.0, -9.0, -6.0),
        (0.0, -10.0, 8.0),
        (-9.0, -11.0, 22.0),
        (-22.0, -12.0, 35.0),
    )
    lengths = (
        (29.0, 20.0),
        (24.0, 10.0, 8.0),
        (22.0, 9.0, 8.0),
        (20.0, 8.0, 7.0),
        (18.0, 6.0, 7.0),
    )
    parts: list[Mesh] = []
    for number, (start, pieces) in enumerate(zip(starts, lengths, strict=True)):
        at = np.array(start)
        along = np.array([1.0, -0.10, 0.05 + 0.03 * number])
        along /= np.linalg.norm(along)
        thick = 7.5 if number == 0 else 4.6
        for place, length in enumerate(pieces):
            size = thick * (1.0 - 0.1 * place)
            points = [tuple(at + share * length * along) for share in (0.04, 0.5, 0.94)]
            parts.append(tube(points, [size, 0.7 * size, 0.85 * size], 5))
            at = at + (length + 1.0) * along
    return joined(parts)
