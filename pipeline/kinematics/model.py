"""An articulated body as plain arrays: joints, functions, coordinates, markers and meshes.

Ground is body -1. The pose of body ``b`` is ``ground_from_parent @ parent_from_joint[b] @ motion
@ joint_from_body[b]``, where ``motion`` turns about ``axes[b, 0]``, ``axes[b, 1]``, ``axes[b, 2]``
in this order (each carried along by the ones before it) and is moved along the fixed
``axes[b, 3:6]``: the conventions of OpenSim's ``CustomJoint``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

GROUND = -1
CONSTANT, LINEAR, SPLINE = 0, 1, 2
ROTATIONAL, TRANSLATIONAL, COUPLED = 0, 1, 2


@dataclass(frozen=True, slots=True, eq=False)
class KinematicModel:
    """An articulated body of B bodies with one joint each, Q coordinates and M markers.

    Lengths are metres, angles radians, masses kilograms. Arrays are read-only.

    Attributes
    ----------
    body_names, joint_names
        B names; ``joint_names[b]`` joins body ``b`` to its parent.
    parents
        (B,) index of the parent, always smaller than the own one; -1 is ground.
    parent_from_joint, joint_from_body
        (B, 3, 4) constant transforms on either side of the joint's motion.
    axes
        (B, 6, 3) unit axes: three of rotation, then three of translation.
    axis_function, axis_coordinate
        (B, 6) index into the function table, and of the coordinate it takes (-1: a constant).
    function_kind
        (F,) ``CONSTANT``, ``LINEAR`` or ``SPLINE``.
    function_terms
        (F, 2) slope and offset; the offset is the value of a constant, a spline has zeros.
    function_knots
        (F + 1,) spline ``f`` owns the rows ``function_knots[f]:function_knots[f + 1]`` of
        ``knots``.
    knots
        (N, 3) argument, value and derivative: a cubic between two knots, and straight on with
        the end's derivative outside, as OpenSim's ``SimmSpline``.
    coordinate_names, default, lower, upper
        Q names, (Q,) default values and ranges; the range binds only where ``clamped``.
    clamped, locked
        (Q,) flags; a locked coordinate stays at its default.
    motion
        (Q,) ``ROTATIONAL``, ``TRANSLATIONAL`` or ``COUPLED``.
    coupled_to, coupler_function
        (Q,) the independent coordinate that drives this one (-1: none, it is independent) and
        the function of it that gives this one's value (-1: none).
    marker_names, marker_bodies, marker_locations
        M names, (M,) bodies (-1: fixed in ground) and (M, 3) positions in the body's frame.
    mesh_files, mesh_bodies, body_from_mesh, mesh_scale
        G file names as the model gives them, (G,) bodies, (G, 3, 4) transforms applied after
        the (G, 3) scale factors.
    masses, mass_centres
        (B,) and (B, 3), in the body's frame.
    """

    name: str
    body_names: tuple[str, ...]
    joint_names: tuple[str, ...]
    parents: IntArray
    parent_from_joint: FloatArray
    joint_from_body: FloatArray
    axes: FloatArray
    axis_function: IntArray
    axis_coordinate: IntArray
    function_kind: IntArray
    function_terms: FloatArray
    function_knots: IntArray
    knots: FloatArray
    coordinate_names: tuple[str, ...]
    default: FloatArray
    lower: FloatArray
    upper: FloatArray
    clamped: NDArray[np.bool_]
    locked: NDArray[np.bool_]
    motion: IntArray
    coupled_to: IntArray
    coupler_function: IntArray
    marker_names: tuple[str, ...]
    marker_bodies: IntArray
    marker_locations: FloatArray
    mesh_files: tuple[str, ...]
    mesh_bodies: IntArray
    body_from_mesh: FloatArray
    mesh_scale: FloatArray
    masses: FloatArray
    mass_centres: FloatArray

    def __post_init__(self) -> None:
        for field, (kind, _) in array_fields(self).items():
            array = np.array(getattr(self, field), dtype=kind, order="C")
            array.setflags(write=False)
            object.__setattr__(self, field, array)
        _check(self)

    @property
    def n_bodies(self) -> int:
        return len(self.body_names)

    @property
    def n_coordinates(self) -> int:
        return len(self.coordinate_names)

    @property
    def n_markers(self) -> int:
        return len(self.marker_names)


def array_fields(model: KinematicModel) -> dict[str, tuple[type[Any], tuple[int, ...]]]:
    """Every array field of ``model``: its element type and its shape."""
    b, q, m, g = (
        len(model.body_names),
        len(model.coordinate_names),
        len(model.marker_names),
        len(model.mesh_files),
    )
    f, n = len(model.function_kind), len(model.knots)
    return {
        "parents": (np.int64, (b,)),
        "parent_from_joint": (np.float64, (b, 3, 4)),
        "joint_from_body": (np.float64, (b, 3, 4)),
        "axes": (np.float64, (b, 6, 3)),
        "axis_function": (np.int64, (b, 6)),
        "axis_coordinate": (np.int64, (b, 6)),
        "function_kind": (np.int64, (f,)),
        "function_terms": (np.float64, (f, 2)),
        "function_knots": (np.int64, (f + 1,)),
        "knots": (np.float64, (n, 3)),
        "default": (np.float64, (q,)),
        "lower": (np.float64, (q,)),
        "upper": (np.float64, (q,)),
        "clamped": (np.bool_, (q,)),
        "locked": (np.bool_, (q,)),
        "motion": (np.int64, (q,)),
        "coupled_to": (np.int64, (q,)),
        "coupler_function": (np.int64, (q,)),
        "marker_bodies": (np.int64, (m,)),
        "marker_locations": (np.float64, (m, 3)),
        "mesh_bodies": (np.int64, (g,)),
        "body_from_mesh": (np.float64, (g, 3, 4)),
        "mesh_scale": (np.float64, (g, 3)),
        "masses": (np.float64, (b,)),
        "mass_centres": (np.float64, (b, 3)),
    }


def name_fields() -> tuple[str, ...]:
    """The fields that are tuples of names."""
    return tuple(field.name for field in fields(KinematicModel) if field.type == "tuple[str, ...]")


def coordinate_index(model: KinematicModel, name: str) -> int:
    """Index of the coordinate ``name``; KeyError naming it where there is none."""
    return _index(model.coordinate_names, name, "coordinate")


def body_index(model: KinematicModel, name: str) -> int:
    """Index of the body ``name``; KeyError naming it where there is none."""
    return _index(model.body_names, name, "body")


def marker_index(model: KinematicModel, name: str) -> int:
    """Index of the marker ``name``; KeyError naming it where there is none."""
    return _index(model.marker_names, name, "marker")


def free_coordinates(model: KinematicModel) -> NDArray[np.bool_]:
    """(Q,) coordinates that a solver may choose: neither locked nor driven by another."""
    return ~model.locked & (model.coupled_to < 0)


def rotational_coordinates(model: KinematicModel) -> frozenset[str]:
    """Names of the coordinates that are angles, in degrees in OpenSim's files.

    Those that OpenSim calls coupled, also where they are rotations, are not among them.
    """
    places = np.flatnonzero(model.motion == ROTATIONAL)
    return frozenset(model.coordinate_names[place] for place in places)


def subtree(model: KinematicModel, body: int) -> NDArray[np.bool_]:
    """(B,) ``body`` and every body that it carries."""
    inside = np.zeros(model.n_bodies, dtype=np.bool_)
    for b in range(body, model.n_bodies):
        parent = model.parents[b]
        inside[b] = b == body or (parent >= 0 and inside[parent])
    return inside


def with_markers(
    model: KinematicModel, names: Sequence[str], bodies: Sequence[str], locations: FloatArray
) -> KinematicModel:
    """``model`` with these markers instead of its own.

    Parameters
    ----------
    names, bodies
        M marker names and the names of the bodies they are fixed to.
    locations
        (M, 3) metres in the body's frame.

    Raises
    ------
    KeyError
        For a body that the model lacks.
    ValueError
        For a marker named twice or a location that is no number.
    """
    return replace(
        model,
        marker_names=tuple(names),
        marker_bodies=np.array([body_index(model, body) for body in bodies], dtype=np.int64),
        marker_locations=np.asarray(locations, dtype=np.float64).reshape(len(names), 3),
    )


def _index(names: tuple[str, ...], name: str, what: str) -> int:
    try:
        return names.index(name)
    except ValueError:
        raise KeyError(f"the model has no {what} named {name}") from None


def _check(model: KinematicModel) -> None:
    for field, (_, shape) in array_fields(model).items():
        found = getattr(model, field).shape
        if found != shape:
            raise ValueError(f"{field} has the shape {found} instead of {shape}")
    b, q, f = model.n_bodies, model.n_coordinates, len(model.function_kind)
    if len(model.joint_names) != b:
        raise ValueError(f"{len(model.joint_names)} joints for {b} bodies")
    for field in ("body_names", "joint_names", "coordinate_names", "marker_names"):
        names: tuple[str, ...] = getattr(model, field)
        if len(set(names)) != len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise ValueError(f"{twice} appears twice in {field}")
    if np.any(model.parents >= np.arange(b)):
        raise ValueError("a body comes before its parent")
    _within("parents", model.parents, b, GROUND)
    _within("axis_function", model.axis_function, f, 0)
    _within("axis_coordinate", model.axis_coordinate, q, -1)
    _within("coupled_to", model.coupled_to, q, -1)
    _within("coupler_function", model.coupler_function, f, -1)
    _within("marker_bodies", model.marker_bodies, b, GROUND)
    _within("mesh_bodies", model.mesh_bodies, b, GROUND)
    _within("function_kind", model.function_kind, SPLINE + 1, CONSTANT)
    _within("motion", model.motion, COUPLED + 1, ROTATIONAL)
    _check_functions(model)
    driven = model.coupled_to >= 0
    if np.any(driven != (model.coupler_function >= 0)):
        raise ValueError("a driven coordinate without a function, or the other way round")
    if np.any(driven[model.coupled_to[driven]]):
        raise ValueError("a driven coordinate drives another")
    for field, (kind, _) in array_fields(model).items():
        if kind is np.float64 and not np.all(np.isfinite(getattr(model, field))):
            raise ValueError(f"{field} holds a value that is no number")
    if not np.allclose(np.linalg.norm(model.axes, axis=-1), 1.0, atol=1e-9):
        raise ValueError("an axis is no unit vector")


def _check_functions(model: KinematicModel) -> None:
    starts = model.function_knots
    if starts[0] != 0 or starts[-1] != len(model.knots) or np.any(np.diff(starts) < 0):
        raise ValueError("the knots do not fit the functions")
    for f in np.flatnonzero(model.function_kind == SPLINE):
        x = model.knots[starts[f] : starts[f + 1], 0]
        if len(x) < 2 or np.any(np.diff(x) <= 0.0):
            raise ValueError("a spline's arguments do not increase")
    if np.any((model.axis_coordinate < 0) & (model.function_kind[model.axis_function] != CONSTANT)):
        raise ValueError("an axis with a function but no coordinate")


def _within(field: str, values: IntArray, stop: int, start: int) -> None:
    if values.size and not (start <= values.min() and values.max() < stop):
        bad = int(values.max() if values.max() >= stop else values.min())
        raise ValueError(f"{field} points to {bad}, outside {start} to {stop - 1}")


def degrees_per_unit(model: KinematicModel) -> FloatArray:
    """(Q,) factor from a coordinate's inner value to that in a motion file in degrees.

    OpenSim writes rotational coordinates in degrees, all others as they are: coordinates of
    the coupled type stay in radians in the same file.
    """
    return np.where(model.motion == ROTATIONAL, math.degrees(1.0), 1.0)
