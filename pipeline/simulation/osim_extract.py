"""The joints, functions, couplers, markers and meshes of an OpenSim model, as arrays."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.data.errors import UserError
from pipeline.kinematics.model import (
    CONSTANT,
    COUPLED,
    GROUND,
    LINEAR,
    ROTATIONAL,
    SPLINE,
    TRANSLATIONAL,
    KinematicModel,
)
from pipeline.simulation.opensim_api import osim

# Index of OpenSim's six elementary axes that each coordinate of a joint type moves along.
_SIMPLE_JOINTS = {
    "WeldJoint": (),
    "PinJoint": (2,),
    "SliderJoint": (3,),
    "UniversalJoint": (0, 1),
    "PlanarJoint": (2, 3, 4),
    "GimbalJoint": (0, 1, 2),
    # OpenSim runs Simbody with Euler angles, never quaternions: a body-fixed X-Y-Z sequence.
    "BallJoint": (0, 1, 2),
    "FreeJoint": (0, 1, 2, 3, 4, 5),
}
_MOTIONS = {1: ROTATIONAL, 2: TRANSLATIONAL, 3: COUPLED}
_MAX_DEPTH = 10


class NotInArraysError(UserError):
    """The model holds something that only the OpenSim engine can follow."""


class _Functions:
    """The function table while it grows."""

    def __init__(self) -> None:
        self.kinds: list[int] = []
        self.terms: list[tuple[float, float]] = []
        self.knots: list[list[tuple[float, float, float]]] = []

    def add(
        self,
        kind: int,
        slope: float = 0.0,
        offset: float = 0.0,
        knots: list[tuple[float, float, float]] | None = None,
    ) -> int:
        self.kinds.append(kind)
        self.terms.append((slope, offset))
        self.knots.append(knots or [])
        return len(self.kinds) - 1

    def constant(self, index: int) -> bool:
        return self.kinds[index] == CONSTANT

    def arrays(self) -> dict[str, Any]:
        counts = [len(knots) for knots in self.knots]
        return {
            "function_kind": np.array(self.kinds, dtype=np.int64),
            "function_terms": np.array(self.terms, dtype=float).reshape(-1, 2),
            "function_knots": np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
            "knots": np.array([k for knots in self.knots for k in knots]).reshape(-1, 3),
        }


def kinematics_of(model: Any, path: Path) -> tuple[KinematicModel, list[str]]:
    """``model`` as arrays, and what was left out, in sentences; ``path`` names it in errors.

    Raises
    ------
    NotInArraysError
        For a joint, function or constraint that arrays cannot express.
    UserError
        Where the model has no joints, or two markers or bodies of the same name.
    """
    state = model.initSystem()
    notes: list[str] = []
    functions = _Functions()
    coordinates = _coordinates(model)
    joints = _ordered_joints(model, path)
    names = tuple(child for child, _, _ in joints)
    number = {name: index for index, name in enumerate(names)} | {"ground": GROUND}
    rows = [_joint_rows(joint, functions, coordinates["coordinate_names"], path)
            for _, _, joint in joints]  # fmt: skip
    bodies = [model.getBodySet().get(name) for name in names]
    try:
        extracted = KinematicModel(
            name=str(model.getName()),
            body_names=names,
            joint_names=tuple(str(joint.getName()) for _, _, joint in joints),
            parents=np.array([number[parent] for _, parent, _ in joints], dtype=np.int64),
            parent_from_joint=np.array([row[0] for row in rows]).reshape(-1, 3, 4),
            joint_from_body=np.array([row[1] for row in rows]).reshape(-1, 3, 4),
            axes=np.array([row[2] for row in rows]).reshape(-1, 6, 3),
            axis_function=np.array([row[3] for row in rows], dtype=np.int64).reshape(-1, 6),
            axis_coordinate=np.array([row[4] for row in rows], dtype=np.int64).reshape(-1, 6),
            masses=np.array([body.getMass() for body in bodies]),
            mass_centres=np.array([_vec(body.getMassCenter()) for body in bodies]).reshape(-1, 3),
            **coordinates,
            **_couplers(model, functions, coordinates["coordinate_names"], path),
            **_markers(model, number),
            **_meshes(model, number),
            **functions.arrays(),
        )
    except ValueError as error:
        raise UserError(f"{path} is no usable model: {error}.") from error
    del state
    if not extracted.n_markers:
        notes.append(f"{path} has no markers.")
    return extracted, notes


def _vec(vector: Any) -> list[float]:
    return [float(vector.get(k)) for k in range(3)]


def _matrix(transform: Any) -> np.ndarray:
    rotation, origin = transform.R().asMat33(), transform.p()
    result = np.empty((3, 4))
    for i in range(3):
        for j in range(3):
            result[i, j] = rotation.get(i, j)
        result[i, 3] = origin.get(i)
    return result


def _inverse(matrix: np.ndarray) -> np.ndarray:
    rotation = matrix[:, :3].T
    return np.hstack([rotation, (-rotation @ matrix[:, 3])[:, None]])


def _base_name(frame: Any) -> str:
    return str(frame.findBaseFrame().getName())


def _coordinates(model: Any) -> dict[str, Any]:
    found = model.getCoordinateSet()
    each = [found.get(index) for index in range(found.getSize())]
    return {
        "coordinate_names": tuple(str(c.getName()) for c in each),
        "default": np.array([c.getDefaultValue() for c in each]),
        "lower": np.array([c.getRangeMin() for c in each]),
        "upper": np.array([c.getRangeMax() for c in each]),
        "clamped": np.array([c.getDefaultClamped() for c in each], dtype=np.bool_),
        "locked": np.array([c.getDefaultLocked() for c in each], dtype=np.bool_),
        "motion": np.array([_MOTIONS.get(c.getMotionType(), COUPLED) for c in each]),
    }


def _ordered_joints(model: Any, path: Path) -> list[tuple[str, str, Any]]:
    """(child, parent, joint), every parent before its children."""
    found = model.getJointSet()
    if not found.getSize():
        raise UserError(f"{path} has no joints.")
    waiting: dict[str, tuple[str, Any]] = {}
    for index in range(found.getSize()):
        joint = found.get(index)
        child, parent = _base_name(joint.getChildFrame()), _base_name(joint.getParentFrame())
        if child in waiting or child == "ground":
            raise _refusal(path, f"the loop or reversed joint {joint.getName()}")
        waiting[child] = (parent, joint)
    if missing := [
        str(body.getName())
        for body in (model.getBodySet().get(i) for i in range(model.getBodySet().getSize()))
        if str(body.getName()) not in waiting
    ]:
        raise _refusal(path, f"the body {missing[0]}, which has no joint,")
    ordered: list[tuple[str, str, Any]] = []
    placed = {"ground"}
    while waiting:
        ready = [child for child, (parent, _) in waiting.items() if parent in placed]
        if not ready:
            raise _refusal(path, f"the closed chain around {next(iter(waiting))}")
        for child in ready:
            parent, joint = waiting.pop(child)
            ordered.append((child, parent, joint))
            placed.add(child)
    return ordered


def _refusal(path: Path, what: str) -> NotInArraysError:
    return NotInArraysError(
        f"{path}: {what} cannot be expressed in arrays; use the OpenSim engine."
    )


def _joint_rows(
    joint: Any, functions: _Functions, coordinate_names: tuple[str, ...], path: Path
) -> tuple[Any, Any, np.ndarray, list[int], list[int]]:
    """Transforms on both sides, six axes, their functions and their coordinates."""
    kind, name = str(joint.getConcreteClassName()), str(joint.getName())
    before = _matrix(joint.getParentFrame().findTransformInBaseFrame())
    after = _inverse(_matrix(joint.getChildFrame().findTransformInBaseFrame()))
    axes = np.tile(np.eye(3), (2, 1))
    driving = [-1] * 6
    if kind == "CustomJoint":
        transform = osim.CustomJoint.safeDownCast(joint).getSpatialTransform()
        table = []
        for k in range(6):
            axis = transform.getTransformAxis(k)
            axes[k] = _vec(axis.getAxis())
            axes[k] /= np.linalg.norm(axes[k])
            inputs = axis.getCoordinateNamesInArray()
            function = _function(
                axis.getFunction(), functions, _refuse_joint(path, name, kind, axis.getFunction())
            )
            if inputs.getSize() > 1:
                raise _refuse_joint(path, name, kind, axis.getFunction())()
            if inputs.getSize() == 1 and not functions.constant(function):
                driving[k] = coordinate_names.index(str(inputs.get(0)))
            elif not functions.constant(function):
                value = axis.getFunction().calcValue(osim.Vector(1, 0.0))
                function = functions.add(CONSTANT, offset=float(value))
            table.append(function)
    elif kind in _SIMPLE_JOINTS:
        moving = _SIMPLE_JOINTS[kind]
        table = [
            functions.add(LINEAR, 1.0) if k in moving else functions.add(CONSTANT) for k in range(6)
        ]
        for position, k in enumerate(moving):
            driving[k] = coordinate_names.index(str(joint.get_coordinates(position).getName()))
    else:
        raise _refusal(path, f"joint {name} of type {kind}")
    return before, after, axes, table, driving


def _refuse_joint(
    path: Path, name: str, kind: str, function: Any
) -> Callable[[], NotInArraysError]:
    what = f"joint {name} of type {kind} with a {function.getConcreteClassName()}"
    return lambda: _refusal(path, what)


def _function(function: Any, functions: _Functions, refusal: Callable[[], NotInArraysError]) -> int:
    """Index in the table of ``function``, multipliers multiplied out."""
    factor = 1.0
    for _ in range(_MAX_DEPTH):
        multiplier = osim.MultiplierFunction.safeDownCast(function)
        if multiplier is None:
            break
        factor *= multiplier.getScale()
        function = multiplier.getFunction()
    kind = str(function.getConcreteClassName())
    if kind == "Constant":
        value = osim.Constant.safeDownCast(function).getValue()
        return functions.add(CONSTANT, offset=factor * value)
    if kind == "LinearFunction":
        linear = osim.LinearFunction.safeDownCast(function)
        return functions.add(LINEAR, factor * linear.getSlope(), factor * linear.getIntercept())
    if kind == "SimmSpline":
        spline = osim.SimmSpline.safeDownCast(function)
        points = [(float(spline.getX(k)), float(spline.getY(k))) for k in range(spline.getSize())]
        if len(points) >= 2 and all(a[0] < b[0] for a, b in pairwise(points)):
            first = osim.StdVectorInt((0,))
            knots = [
                (x, factor * y, factor * float(spline.calcDerivative(first, osim.Vector(1, x))))
                for x, y in points
            ]
            return functions.add(SPLINE, knots=knots)
    raise refusal()


def _couplers(
    model: Any, functions: _Functions, names: tuple[str, ...], path: Path
) -> dict[str, Any]:
    driver = np.full(len(names), -1, dtype=np.int64)
    function = np.full(len(names), -1, dtype=np.int64)
    found = model.getConstraintSet()
    for index in range(found.getSize()):
        constraint = found.get(index)
        name, kind = str(constraint.getName()), str(constraint.getConcreteClassName())
        if not constraint.get_isEnforced():
            continue
        what = f"constraint {name} of type {kind}"
        coupler = osim.CoordinateCouplerConstraint.safeDownCast(constraint)
        if coupler is None:
            raise _refusal(path, what)
        inputs = coupler.getIndependentCoordinateNames()
        dependent = names.index(str(coupler.getDependentCoordinateName()))
        if inputs.getSize() != 1 or driver[dependent] >= 0:
            raise _refusal(path, f"{what} of several coordinates")
        rule = coupler.getFunction()
        entry = _function(
            rule,
            functions,
            lambda what=what, rule=rule: _refusal(  # type: ignore[misc]
                path, f"{what} with a {rule.getConcreteClassName()}"
            ),
        )
        scale = float(
            osim.PropertyHelper.getValueDouble(constraint.getPropertyByName("scale_factor"))
        )
        functions.terms[entry] = tuple(scale * term for term in functions.terms[entry])  # type: ignore[assignment]
        functions.knots[entry] = [(x, scale * y, scale * d) for x, y, d in functions.knots[entry]]
        driver[dependent], function[dependent] = names.index(str(inputs.get(0))), entry
    _fold_chains(driver, function, functions, names, path)
    locked = [model.getCoordinateSet().get(n).getDefaultLocked() for n in names]
    for both in np.flatnonzero((driver >= 0) & np.array(locked, dtype=np.bool_)):
        raise _refusal(path, f"the locked and driven coordinate {names[both]}")
    for coordinate in (model.getCoordinateSet().get(n) for n in names):
        if coordinate.getDefaultIsPrescribed():
            raise _refusal(path, f"the prescribed coordinate {coordinate.getName()}")
    return {"coupled_to": driver, "coupler_function": function}


def _fold_chains(
    driver: np.ndarray,
    function: np.ndarray,
    functions: _Functions,
    names: tuple[str, ...],
    path: Path,
) -> None:
    """A coordinate driven by a driven one is driven by the first of the chain instead."""
    for dependent in np.flatnonzero(driver >= 0):
        for _ in range(len(names)):
            middle = driver[dependent]
            if driver[middle] < 0:
                break
            outer, inner = int(function[dependent]), int(function[middle])
            if functions.kinds[outer] == SPLINE or functions.kinds[inner] == SPLINE:
                raise _refusal(path, f"the chain of couplers of {names[dependent]}")
            (slope, offset), (first, shift) = functions.terms[outer], functions.terms[inner]
            function[dependent] = functions.add(LINEAR, slope * first, slope * shift + offset)
            driver[dependent] = driver[middle]
        else:
            raise _refusal(path, f"the ring of couplers of {names[dependent]}")


def _markers(model: Any, number: dict[str, int]) -> dict[str, Any]:
    found = model.getMarkerSet()
    names, bodies, locations = [], [], []
    for index in range(found.getSize()):
        marker = found.get(index)
        frame = marker.getParentFrame()
        body_from_frame = _matrix(frame.findTransformInBaseFrame())
        names.append(str(marker.getName()))
        bodies.append(number[_base_name(frame)])
        own = np.array(_vec(marker.get_location()))
        locations.append(body_from_frame[:, :3] @ own + body_from_frame[:, 3])
    return {
        "marker_names": tuple(names),
        "marker_bodies": np.array(bodies, dtype=np.int64),
        "marker_locations": np.array(locations).reshape(-1, 3),
    }


def _meshes(model: Any, number: dict[str, int]) -> dict[str, Any]:
    files, bodies, transforms, scales = [], [], [], []
    for component in model.getComponentsList():
        mesh = osim.Mesh.safeDownCast(component)
        if mesh is None or not mesh.getGeometryFilename():
            continue
        frame = mesh.getFrame()
        files.append(str(mesh.getGeometryFilename()))
        bodies.append(number[_base_name(frame)])
        transforms.append(_matrix(frame.findTransformInBaseFrame()))
        scales.append(_vec(mesh.get_scale_factors()))
    return {
        "mesh_files": tuple(files),
        "mesh_bodies": np.array(bodies, dtype=np.int64),
        "body_from_mesh": np.array(transforms).reshape(-1, 3, 4),
        "mesh_scale": np.array(scales).reshape(-1, 3),
    }
