"""Vertebrae C1 to L5: body, pedicles, laminae, articular, transverse and spinous processes.

In each vertebra's own frame: origin in the joint below, X forward, Y up along the body, Z right.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from pipeline.simulation.bones.shapes import (
    Mesh,
    bone,
    both_sides,
    ellipsoid,
    joined,
    loft,
    tube,
)
from pipeline.simulation.model_rows import ColumnJoint, SpinePoint, VertebraShape
from pipeline.simulation.model_tables import SpineTables

_AROUND = 12
_WAIST = 0.90
_DISH_MM = 1.2


@dataclass(frozen=True, slots=True)
class _Frame:
    """What the parts of one vertebra share, in mm."""

    shape: VertebraShape
    x: float
    y: float
    tilt_inf: float
    tilt_sup: float
    spinous_x: float
    spinous_y: float

    @property
    def back(self) -> float:
        return self.x - 0.5 * self.shape.endplate_depth_mm

    @property
    def half(self) -> float:
        return 0.5 * self.shape.height_mid_mm

    @property
    def pillar(self) -> float:
        """How far the articular pillar lies from the midline."""
        return 0.5 * (self.shape.canal_width_mm + self.shape.pedicle_width_mm)

    @property
    def region(self) -> str:
        return self.shape.body[0]


def vertebra(tables: SpineTables, body: str) -> Mesh:
    """The mesh of one vertebra in its own frame, in mm."""
    joint = next(row for row in tables.joints if row.child == body)
    point = next(row for row in tables.spine_points if row.body == body)
    if body == "C1":
        return joined(_atlas(tables, joint, point))
    shape = next(row for row in tables.vertebra_shapes if row.body == body)
    assert joint.pitch_inf_deg is not None
    assert joint.pitch_sup_deg is not None
    frame = _Frame(
        shape,
        joint.centre_x_mm,
        joint.centre_y_mm,
        math.radians(joint.pitch_inf_deg - joint.pitch_mid_deg),
        math.radians(joint.pitch_sup_deg - joint.pitch_mid_deg),
        point.spinous_x_mm,
        point.spinous_y_mm,
    )
    parts = [_body(frame), _spinous(frame)]
    parts += both_sides([_arch(frame), _transverse(frame), _articular(frame)])
    if body == "C2":
        parts += _dens(frame, tables)
    return joined(parts)


def _body(frame: _Frame) -> Mesh:
    shape = frame.shape
    low, high = frame.y - frame.half, frame.y + frame.half
    mean = 0.5 * (shape.endplate_width_inf_mm + shape.endplate_width_sup_mm)
    rings = [
        _endplate(frame, shape.endplate_width_inf_mm, 1.0, low, frame.tilt_inf),
        _endplate(frame, mean, _WAIST, frame.y, 0.5 * (frame.tilt_inf + frame.tilt_sup)),
        _endplate(frame, shape.endplate_width_sup_mm, 1.0, high, frame.tilt_sup),
    ]
    if frame.region == "C":
        # The uncinate lips: the upper end-plate of C3 to C7 rises at its sides.
        rings[2][:, 1] += 2.5 * (np.abs(rings[2][:, 2]) / (0.5 * shape.endplate_width_sup_mm)) ** 4
    return loft(np.array(rings), (_DISH_MM, _DISH_MM))


def _endplate(frame: _Frame, width: float, scale: float, y: float, tilt: float) -> np.ndarray:
    angle = 2 * np.pi * np.arange(_AROUND) / _AROUND
    cos, sin = np.cos(angle), np.sin(angle)
    size = (np.abs(cos) ** 2.3 + np.abs(sin) ** 2.3) ** (-1.0 / 2.3)
    ahead, aside = cos * size, sin * size
    # Back wall: hollowed towards the canal; thoracic bodies are heart-shaped, narrower in front.
    hollow = {"C": 0.10, "T": 0.22, "L": 0.16}[frame.region]
    ahead = np.where(ahead < -1e-6, ahead + hollow * np.exp(-((aside / 0.45) ** 2)), ahead)
    if frame.region == "T":
        aside = aside * (1.0 - 0.14 * np.clip(ahead, 0, 1))
    x = 0.5 * frame.shape.endplate_depth_mm * scale * ahead
    return np.stack([frame.x + x, y - math.tan(tilt) * x, 0.5 * width * scale * aside], axis=-1)


def _pedicle_y(frame: _Frame) -> float:
    rise = {"C": 0.05, "T": 0.42, "L": 0.38}[frame.region]
    return frame.y + rise * frame.half


def _lamina_back(frame: _Frame) -> float:
    return frame.back - frame.shape.canal_depth_mm


def _lamina_y(frame: _Frame) -> float:
    drop = {"C": 0.25, "T": 0.45, "L": 0.42}[frame.region]
    return frame.y - drop * frame.half


def _arch(frame: _Frame) -> Mesh:
    shape, y = frame.shape, _pedicle_y(frame)
    inner = frame.pillar * (0.80 if frame.region == "C" else 0.94)
    depth = shape.canal_depth_mm
    half_w, half_h = 0.5 * shape.pedicle_width_mm, 0.5 * shape.pedicle_height_mm
    lamina = max(0.36 * shape.height_mid_mm, 5.0)
    thick = 2.6 if frame.region == "C" else 3.2
    path = [
        (frame.back + 4.0, y, inner),
        (frame.back - 0.45 * depth, y, frame.pillar),
        (frame.back - 0.85 * depth, 0.5 * (y + _lamina_y(frame)), 0.62 * frame.pillar),
        (_lamina_back(frame) - 2.5, _lamina_y(frame), -1.0),
    ]
    radii = [(half_w, half_h), (half_w, half_h), (thick, lamina), (thick, lamina)]
    return tube(path, radii, around=4, power=2.6)


def _spinous(frame: _Frame) -> Mesh:
    shape = frame.shape
    inset = {"C": 1.0, "T": -3.0, "L": -1.5}[frame.region]
    start = np.array([_lamina_back(frame) + inset, _lamina_y(frame) + 1.0, 0.0])
    tip = np.array([frame.spinous_x, frame.spinous_y, 0.0])
    tall = 0.5 * shape.spinous_height_mm
    blade = {"C": 2.6, "T": 3.0, "L": 3.2}[frame.region]
    forked = frame.region == "C" and shape.body != "C7"
    wide = 6.5 if forked else {"C": 4.5, "T": 4.2, "L": 4.2}[frame.region]
    middle = 0.5 * (start + tip) - (0.0, 0.0 if frame.region == "L" else 0.12 * tall, 0.0)
    droop = 0.0 if frame.region != "L" else -0.2 * tall
    path = [start, middle, tip + np.array([0.0, droop, 0.0])]
    end = 0.55 if forked else {"C": 0.85, "T": 0.62, "L": 1.15}[frame.region]
    return tube(
        path,
        [
            (blade + 1.0, (0.8 if frame.region == "T" else 1.1) * tall),
            (blade - 0.4, 1.05 * tall),
            (wide, end * tall),
        ],
        around=4,
        power=4.0,
    )


def _transverse(frame: _Frame) -> Mesh:
    shape = frame.shape
    tip_z = 0.5 * shape.transverse_span_mm
    y = _pedicle_y(frame)
    if frame.region == "C":
        # Beside the body, in front of the pillar, slightly down: the gutter of the nerve root.
        path = [
            (frame.x - 2.0, y, 0.42 * shape.endplate_width_inf_mm),
            (frame.x - 3.0, y, 0.7 * tip_z),
            (frame.x - 5.0, y - 3.0, tip_z),
        ]
        return tube(path, [(5.0, 3.0), (5.5, 2.4), (4.0, 3.6)], around=4, up=(0, 1, 0))
    root = frame.back - 0.5 * shape.canal_depth_mm
    if frame.region == "L":
        reach = tip_z - frame.pillar
        path = [
            (root, y, frame.pillar - 1.0),
            (root - 0.20 * reach, y + 0.5, frame.pillar + 0.5 * reach),
            (root - 0.38 * reach, y + 2.0, tip_z),
        ]
        return tube(path, [(3.0, 6.0), (2.4, 4.6), (2.2, 4.8)], around=4, power=3.0)
    # Thoracic: swept 38 degrees back (30 to 45) and rising a little, thick end for the rib.
    reach = tip_z - frame.pillar + 2.0
    back = math.tan(math.radians(38.0)) * reach
    path = [
        (root, y, frame.pillar - 2.0),
        (root - 0.55 * back, y + 0.5, frame.pillar + 0.5 * reach),
        (root - back, y + 1.5, tip_z),
    ]
    return tube(path, [(4.6, 5.2), (3.6, 4.2), (4.8, 5.4)], around=4, power=3.0)


def _articular(frame: _Frame) -> Mesh:
    """One pillar from the upper facet to the lower one, leaning as the facets do."""
    shape = frame.shape
    root = frame.back - 0.62 * shape.canal_depth_mm
    top, bottom = frame.y + frame.half, frame.y - frame.half
    if frame.region == "C":
        lean = 4.0
        path = [
            (root + lean, top + 1.5, frame.pillar + 3.0),
            (root, frame.y, frame.pillar + 3.5),
            (root - lean - 1.0, bottom - 2.5, frame.pillar + 3.0),
        ]
        return tube(path, [(6.0, 5.5), (5.6, 5.6), (6.0, 5.0)], 4, up=(1, 0, 0), power=3.0)
    if frame.region == "T":
        path = [
            (root + 1.5, top + 4.0, frame.pillar - 0.5),
            (root - 1.5, frame.y, frame.pillar - 1.0),
            (root - 6.8, bottom - 4.0, 0.85 * frame.pillar),
        ]
        return tube(path, [(5.0, 2.4), (4.6, 3.6), (4.6, 2.4)], 4, up=(1, 0, 0), power=3.0)
    path = [
        (root + 1.5, top + 5.5, frame.pillar + 1.5),
        (root - 3.5, frame.y - 0.1 * frame.half, frame.pillar - 2.5),
        (root - 8.5, bottom - 6.5, frame.pillar - 4.0),
    ]
    return tube(path, [(6.4, 7.0), (4.8, 4.6), (5.2, 5.2)], 4, up=(1, 0, 0), power=3.0)


def _dens(frame: _Frame, tables: SpineTables) -> list[Mesh]:
    radius = 0.5 * tables.size("C2", "dens_diameter_mm")
    low = frame.y - frame.half
    top = low + tables.size("C2", "height_with_dens_mm")
    path = [
        (frame.x + 1.0, frame.y + 0.4 * frame.half, 0.0),
        (frame.x + 1.5, frame.y + 1.5 * frame.half, 0.0),
        (frame.x + 0.5, top - 4.0, 0.0),
        (frame.x - 0.5, top, 0.0),
    ]
    radii = [radius + 2.0, 0.86 * radius, radius, 0.45 * radius]
    return [tube(path, radii, 6, up=(1, 0, 0))]


def _atlas(tables: SpineTables, joint: ColumnJoint, point: SpinePoint) -> list[Mesh]:
    span = 0.5 * tables.size("C1", "transverse_span_mm")
    width = 0.5 * tables.size("C1", "ring_inner_width_mm")
    mass = 0.5 * tables.size("C1", "lateral_mass_mm")
    arch = 0.5 * tables.size("C1", "anterior_arch_mm")
    y, back = joint.centre_y_mm, point.spinous_x_mm
    depth = tables.size("C1", "ring_inner_depth_mm")
    front = 12.0
    side = width + mass
    right = [
        bone(
            [(front, y, -0.5), (front - 2.5, y, 0.6 * width), (0.0, y, side - 2.0)],
            [(2.6, arch), (2.4, 0.9 * arch), (3.0, 0.9 * arch)],
            4,
            5,
        ),
        ellipsoid((-3.0, y, side), (11.0, 9.0, mass + 1.0), 7, 4),
        tube(
            [(-4.0, y, side), (-6.0, y, 0.7 * span + 0.3 * side), (-8.0, y - 1.0, span)],
            [(5.5, 4.5), (4.5, 3.6), (4.6, 4.2)],
            5,
        ),
        bone(
            [
                (-8.0, y + 1.0, side - 1.0),
                (0.5 * (back - depth), y + 1.0, width + 0.5),
                (back + 6.0, y + 1.0, 0.45 * width),
                (back + 1.5, y + 1.0, -0.5),
            ],
            [(3.2, 3.8), (2.8, 3.6), (2.8, 4.0), (3.2, 4.6)],
            5,
            5,
        ),
    ]
    return both_sides(right)
