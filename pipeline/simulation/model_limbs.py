"""Shoulder girdle, arms and legs of the model: one row per axis of the right side, mirrored."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from pipeline.simulation.model_rows import LimbAxis
from pipeline.simulation.model_tables import SpineTables
from pipeline.simulation.neutral_pose import MM, SIDES, limb_joints, sided
from pipeline.simulation.opensim_api import osim


def axis_named(
    transform: Any, number: int, coordinate: str, axis: tuple[float, float, float], slope: float
) -> None:
    """Let one axis of a SpatialTransform follow ``slope`` times a coordinate."""
    names = osim.ArrayStr()
    names.append(coordinate)
    part = transform.updTransformAxis(number)
    part.setCoordinateNames(names)
    part.setAxis(osim.Vec3(*axis))
    part.set_function(osim.LinearFunction(slope, 0.0))


def add_limbs(model: Any, tables: SpineTables, frames: dict[str, np.ndarray]) -> None:
    """Add the bodies and joints of both sides to a model that has its trunk.

    ``frames`` are the (4, 4) neutral-from-body transforms of all bodies.
    """
    for side, sign in SIDES.items():
        for row in tables.segments:
            if row.side == "both":
                com = osim.Vec3(row.com_x_mm * MM, row.com_y_mm * MM, sign * row.com_z_mm * MM)
                inertia = osim.Inertia(row.ixx_kgm2, row.iyy_kgm2, row.izz_kgm2)
                model.addBody(osim.Body(f"{row.body}_{side}", row.mass_kg, com, inertia))
        for name, axes in limb_joints(tables).items():
            _add_joint(model, f"{name}_{side}", axes, side, frames)


def _add_joint(
    model: Any, name: str, axes: list[LimbAxis], side: str, frames: dict[str, np.ndarray]
) -> None:
    bodies = model.getBodySet()
    trunk = {body: frame for body, frame in frames.items() if body[-2:] not in ("_r", "_l")}
    parent_name = sided(axes[0].parent, side, trunk)
    child_name = f"{axes[0].child}_{side}"
    parent_from_child = np.linalg.inv(frames[parent_name]) @ frames[child_name]
    place = osim.Vec3(*parent_from_child[:3, 3].round(9).tolist())
    angle = math.atan2(parent_from_child[1, 0], parent_from_child[0, 0])
    turned, zero = osim.Vec3(0.0, 0.0, round(angle, 12)), osim.Vec3(0)
    ends = bodies.get(parent_name), place, turned, bodies.get(child_name), zero, zero
    if not axes[0].coordinate:
        model.addJoint(osim.WeldJoint(name, *ends))
        return
    transform = osim.SpatialTransform()
    used = []
    for number, axis in enumerate(axes):
        used.append(_mirrored(axis, SIDES[side]))
        axis_named(transform, number, f"{axis.coordinate}_{side}", used[-1], 1.0)
    for number in range(len(axes), 3):
        used.append(_another_axis(used))
        transform.updTransformAxis(number).setAxis(osim.Vec3(*used[-1]))
        transform.updTransformAxis(number).set_function(osim.Constant(0.0))
    model.addJoint(osim.CustomJoint(name, *ends, transform))
    joint = model.getJointSet().get(name)
    for number, axis in enumerate(axes):
        coordinate = joint.upd_coordinates(number)
        assert axis.min_deg is not None
        assert axis.max_deg is not None
        assert axis.default_deg is not None
        coordinate.setRangeMin(math.radians(axis.min_deg))
        coordinate.setRangeMax(math.radians(axis.max_deg))
        coordinate.setDefaultValue(math.radians(axis.default_deg))
        coordinate.setDefaultClamped(axis.clamped == "yes")
        coordinate.setDefaultLocked(axis.locked == "yes")


def _mirrored(axis: LimbAxis, sign: float) -> tuple[float, float, float]:
    # A rotation axis is a pseudovector: mirrored left to right, X and Y change sign, Z does not.
    assert axis.axis_x is not None
    assert axis.axis_y is not None
    assert axis.axis_z is not None
    return sign * axis.axis_x, sign * axis.axis_y, axis.axis_z


def _another_axis(used: list[tuple[float, float, float]]) -> tuple[float, float, float]:
    # OpenSim wants three rotation axes of which no two neighbours are parallel.
    for axis in ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)):
        if all(abs(float(np.dot(axis, other))) < 0.9 for other in used):
            return axis
    raise ValueError("no axis left")
