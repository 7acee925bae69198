"""Ribs, costal cartilages, sternum, clavicles and scapulae, drawn in the neutral mid-hip frame."""

from __future__ import annotations

import numpy as np

from pipeline.simulation.bones.shapes import (
    Mesh,
    bone,
    both_sides,
    domed,
    joined,
    plate,
    smooth_path,
    superellipse,
    tube,
)
from pipeline.simulation.model_tables import SpineTables

# Half breadth of the chest along each pair of ribs in parts of the largest, how far the rib falls
# from its angle to its front end (mm), and how far its front lies before the vertebral joint (mm).
_CHEST = (
    (0.43, 34, 66),
    (0.62, 52, 84),
    (0.74, 70, 98),
    (0.83, 88, 111),
    (0.90, 104, 122),
    (0.95, 120, 131),
    (0.985, 136, 138),
    (1.00, 150, 141),
    (0.99, 154, 138),
    (0.96, 150, 128),
    (0.91, 132, 112),
    (0.82, 92, 88),
)
# How far behind the transverse process the rib bends forward, in mm.
_REAR = (1, 6, 11, 14, 16, 16, 16, 15, 14, 12, 9, 5)
_RIB_STEPS = 13
# The measured arcs made shorter, so that the cartilages have room on a chest of this size.
_RIB_LENGTH = 0.9


def rib_line(tables: SpineTables, frames: dict[str, np.ndarray], number: int) -> np.ndarray:
    """(S, 3) the right rib's line from its head to its front end, in the neutral frame, mm."""
    body = f"T{number}"
    share, fall, reach = _CHEST[number - 1]
    half = share * (0.5 * tables.size("thorax", "breadth_mm") - 4.0)
    shape = next(row for row in tables.vertebra_shapes if row.body == body)
    origin = frames[body][:3, 3] * 1e3
    joint = next(row for row in tables.joints if row.child == body)
    turn = frames[body][:3, :3]
    back = joint.centre_x_mm - 0.5 * shape.endplate_depth_mm
    head = origin + turn @ (back + 3.0, joint.centre_y_mm + 5.0, 0.5 * shape.endplate_width_sup_mm)
    span = 0.5 * shape.transverse_span_mm
    tubercle = origin + turn @ (back - 22.0, joint.centre_y_mm + 4.0, span + 1.0)
    # An ellipse round the chest; its rear is the rib's angle, behind the transverse process.
    rear = tubercle[0] - _REAR[number - 1]
    front = origin[0] + reach
    centre, long = 0.5 * (rear + front), 0.5 * (front - rear)
    start = np.arcsin(min(1.0, (span + 10.0) / half))
    angle = np.linspace(start, 2.9, 24)
    x = centre - long * np.sign(np.cos(angle)) * np.abs(np.cos(angle)) ** 0.9
    z = half * np.sin(angle) ** 0.85
    y = tubercle[1] - fall * ((angle - start) / (np.pi - start)) ** 1.15
    line = np.concatenate([[head, 0.5 * (head + tubercle), tubercle], np.stack([x, y, z], -1)])
    fine = smooth_path(line, 200)
    arc = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(fine, axis=0), axis=1))])
    length = min(_RIB_LENGTH * tables.size("rib", f"arc_{number}_mm"), arc[-1])
    at = np.linspace(0, length, _RIB_STEPS)
    return np.stack([np.interp(at, arc, fine[:, i]) for i in range(3)], axis=-1)


def ribs(tables: SpineTables, frames: dict[str, np.ndarray], number: int) -> Mesh:
    """The pair of ribs of one thoracic vertebra."""
    line = rib_line(tables, frames, number)
    radii = np.full((_RIB_STEPS, 2), (3.0, 6.0))
    radii[:2] = (4.0, 5.0)
    if number == 1:
        radii[2:] = (5.5, 3.2)
    if number > 10:
        radii[-4:] *= np.linspace(1.0, 0.45, 4)[:, None]
    # The flat of the ribs stands upright, that of the first pair lies.
    return joined(both_sides([tube(line, radii, 4)]))


def cartilages(tables: SpineTables, frames: dict[str, np.ndarray], number: int) -> Mesh:
    """Costal cartilages of pairs 1 to 10: to the sternum, from the eighth on to the one above."""
    start = rib_line(tables, frames, number)
    end = _cartilage_end(tables, frames, number)
    tip, on = start[-1], start[-1] - start[-2]
    on = on / np.linalg.norm(on)
    gap = np.linalg.norm(end - tip)
    path = smooth_path(
        np.array([tip - 2.0 * on, tip + 0.33 * gap * on, 0.3 * tip + 0.7 * end, end]), 5
    )
    return joined(both_sides([tube(path, [(3.2, 5.6)] * 5, 4)]))


def _cartilage_end(tables: SpineTables, frames: dict[str, np.ndarray], number: int) -> np.ndarray:
    if number > 7:
        above = rib_line(tables, frames, number - 1)[-1]
        end = _cartilage_end(tables, frames, number - 1)
        return np.asarray(above + 0.45 * (end - above) - (0.0, 5.0, 0.0))
    notch = _notch(tables)
    down = (0.13, 0.335, 0.52, 0.66, 0.78, 0.88, 0.96)[number - 1]
    total = tables.size("sternum", "manubrium_length_mm") + tables.size("sternum", "body_length_mm")
    half = 0.5 * tables.size("sternum", "body_width_mm")
    aside = (1.35 * half, 0.85 * half, 0.8 * half, 0.9 * half, 0.95 * half, 0.8 * half, 0.5 * half)
    return np.asarray(notch + _sternal(down * total, tables) + (0.0, 0.0, aside[number - 1]))


def _notch(tables: SpineTables) -> np.ndarray:
    point = next(row for row in tables.body_points if row.point == "notch")
    return np.array([point.x_mm, point.y_mm, 0.0])


def _sternal(down: float, tables: SpineTables) -> np.ndarray:
    # The manubrium leans 30 degrees forward of straight down, the body 18: an angle of 168.
    first = min(down, tables.size("sternum", "manubrium_length_mm"))
    rest = max(down - first, 0.0)
    return np.array([0.50 * first + 0.31 * rest, -0.866 * first - 0.951 * rest, 0.0])


def sternum(tables: SpineTables) -> Mesh:
    """Manubrium, body and xiphoid process."""
    head = tables.size("sternum", "manubrium_length_mm")
    length = tables.size("sternum", "body_length_mm")
    width, narrow = (
        tables.size("sternum", "manubrium_width_mm"),
        tables.size("sternum", "body_width_mm"),
    )
    thick = 0.5 * tables.size("sternum", "thickness_mm")
    sections = (
        (-1.0, 0.40 * width, 0.7),
        (6.0, 0.5 * width, 1.0),
        (0.55 * head, 0.42 * width, 1.0),
        (head, 0.36 * narrow, 0.9),
        (head + 0.35 * length, 0.44 * narrow, 0.95),
        (head + 0.72 * length, 0.5 * narrow, 0.9),
        (head + 0.97 * length, 0.34 * narrow, 0.75),
        (head + length + 8.0, 0.16 * narrow, 0.5),
        (head + length + 28.0, 0.10 * narrow, 0.35),
    )
    path = [_notch(tables) + _sternal(down, tables) - (thick, 0.0, 0.0) for down, _, _ in sections]
    return tube(
        path, [(half, depth * thick) for _, half, depth in sections], 10, up=(1, 0, 0), power=3.0
    )


def clavicle(tables: SpineTables, ends: tuple[np.ndarray, np.ndarray]) -> Mesh:
    """The right clavicle between its two joints (neutral frame, mm), S-shaped."""
    inner, outer = ends
    radius = 0.5 * tables.size("clavicle", "diameter_mm")
    along = outer - inner
    bend = (
        (0.0, 0.0),
        (0.14, 4.0),
        (0.34, 11.0),
        (0.54, 3.0),
        (0.74, -7.5),
        (0.90, -6.0),
        (1.0, -2.0),
    )
    points = [tuple(inner + at * along + (ahead, 0.0, 0.0)) for at, ahead in bend]
    radii = [(9, 9), (7, 7), (radius, radius), (radius, radius), (7, 5), (9, 4.5), (8, 4)]
    return bone(points, radii, 12, 8)


def scapula(joint: np.ndarray, tables: SpineTables) -> Mesh:
    """The right scapula (neutral frame, mm); ``joint`` is the acromioclavicular joint."""
    inner = smooth_path([(-92, 549, 79), (-108, 515, 76), (-119, 470, 83), (-127, 405, 99)], 8)
    outer = smooth_path([(-74, 551, 96), (-52, 519, 142), (-84, 470, 132), (-122, 402, 105)], 8)
    across = np.linspace(0.0, 1.0, 5)
    grid = inner[:, None] + across[None, :, None] * (outer - inner)[:, None]
    # The blade is hollow towards the ribs.
    grid = grid + (4.0 * across * (1 - across))[None, :, None] * np.array([-6.0, 0.0, -3.0])
    thick = np.full((8, 5), 4.0)
    thick[:, 0], thick[:, -1] = 6.5, 10.0
    glenoid = np.array([-42.0, 519.0, 153.0])
    out = np.array([0.60, 0.05, 0.80])
    tall, wide = (
        tables.size("scapula", "glenoid_height_mm"),
        tables.size("scapula", "glenoid_width_mm"),
    )
    cos, sin = superellipse(12, 2.0)
    side = np.cross(out, (0.0, 1.0, 0.0))
    side /= np.linalg.norm(side)
    oval = 0.5 * wide * cos[:, None] * side + 0.5 * tall * sin[:, None] * np.array([0.0, 1.0, 0.0])
    head = domed(
        np.array(
            [
                glenoid - 13 * out + 0.6 * oval,
                glenoid - 3 * out + 0.9 * oval,
                glenoid + 1.5 * out + oval,
            ]
        ),
        (0.0, -2.5),
    )
    tip = tuple(joint + np.array([-2.0, 1.0, 4.0]))
    ridge = smooth_path([(-110, 516, 79), (-102, 524, 104), (-86, 533, 134), (-66, 543, 160)], 7)
    blade = smooth_path([(-106, 515, 79), (-92, 519, 104), (-74, 524, 130), (-56, 530, 148)], 7)
    spine = plate(
        np.stack([ridge, 0.5 * (ridge + blade), blade], 1),
        np.array([8.0, 4.0, 5.0])[None] * np.ones((7, 1)),
    )
    acromion = bone(
        [(-74, 539, 148), (-62, 546, 168), (-42, 551, 184), tip],
        [(6, 5), (11, 4.5), (13, 4.5), (9, 4)],
        6,
        7,
    )
    coracoid = bone(
        [(-50, 530, 142), (-34, 543, 146), (-14, 540, 152), (-2, 528, 158)],
        [(8, 8), (7, 6), (6, 5), (5, 5)],
        6,
        6,
    )
    return joined([plate(grid, thick), head, spine, acromion, coracoid])
