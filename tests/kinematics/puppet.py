"""A small articulated body, and its forward kinematics by scipy: truth for the kinematics tests.

A free root, a back of three bodies whose bending is shared by linear couplers, two arms with a
ball joint and a clamped elbow, and a knee that slides along a spline as it turns.
"""

from __future__ import annotations

import numpy as np
from scipy.interpolate import CubicHermiteSpline
from scipy.spatial.transform import Rotation

from pipeline.kinematics.model import CONSTANT, LINEAR, SPLINE, FloatArray, KinematicModel

KNOTS = np.array(
    [[0.0, 0.0, 0.02], [0.5, 0.012, 0.03], [1.2, 0.02, -0.01], [2.0, 0.004, -0.02]]
)  # argument, value, derivative
COORDINATES = [
    "root_tilt", "root_list", "root_turn", "root_x", "root_y", "root_z",
    "back_flex", "back_bend", "upper_flex", "upper_bend",
    "arm_r_flex", "arm_r_add", "arm_r_rot", "elbow_r",
    "arm_l_flex", "arm_l_add", "arm_l_rot", "elbow_l", "knee", "toe",
]  # fmt: skip
BODIES = ["pelvis", "low", "high", "arm_r", "fore_r", "arm_l", "fore_l", "shank", "foot"]
PARENTS = [-1, 0, 1, 2, 3, 2, 5, 0, 7]
OFFSETS = [
    (0, 0, 0), (-0.05, 0.1, 0), (0, 0.2, 0), (0, 0.25, 0.18), (0, -0.3, 0),
    (0, 0.25, -0.18), (0, -0.3, 0), (0, -0.4, 0.1), (0, -0.45, 0),
]  # fmt: skip
# Body, OpenSim axis, direction, coordinate, function.
_Z, _X, _Y = (0.0, 0.0, 1.0), (1.0, 0.0, 0.0), (0.0, 1.0, 0.0)
_SLANTED = (0.6, 0.0, 0.8)
MOTIONS = [
    (0, 0, _Z, "root_tilt", "one"), (0, 1, _X, "root_list", "one"), (0, 2, _Y, "root_turn", "one"),
    (0, 3, _X, "root_x", "one"), (0, 4, _Y, "root_y", "one"), (0, 5, _Z, "root_z", "one"),
    (1, 0, _Z, "back_flex", "one"), (1, 1, _X, "back_bend", "one"),
    (2, 0, _Z, "upper_flex", "one"), (2, 1, _X, "upper_bend", "one"),
    (3, 0, _Z, "arm_r_flex", "one"), (3, 1, _X, "arm_r_add", "one"), (3, 2, _Y, "arm_r_rot", "one"),
    (4, 0, _SLANTED, "elbow_r", "one"),
    (5, 0, _Z, "arm_l_flex", "one"), (5, 1, _X, "arm_l_add", "minus"),
    (5, 2, _Y, "arm_l_rot", "minus"), (6, 0, _SLANTED, "elbow_l", "one"),
    (7, 0, _Z, "knee", "minus"), (7, 4, _Y, "knee", "spline"), (8, 0, _Z, "toe", "one"),
]  # fmt: skip
COUPLED = {"upper_flex": ("back_flex", 1.5), "upper_bend": ("back_bend", -0.5)}
RANGES = {"elbow_r": (0.0, 2.6), "elbow_l": (0.0, 2.6), "knee": (0.0, 2.2)}
_BEFORE = Rotation.from_euler("XYZ", [0.2, -0.3, 0.4])
_AFTER = Rotation.from_euler("XYZ", [-0.5, 0.1, 0.2])
MARKERS_PER_BODY = 4


def puppet(markers_on_foot: bool = True) -> KinematicModel:
    """The body, with markers on every part."""
    b, q = len(BODIES), len(COORDINATES)
    functions = {"zero": 0, "one": 1, "minus": 2, "spline": 3, "flex": 4, "bend": 5}
    axes = np.tile(np.eye(3), (b, 2, 1))
    axis_function, axis_coordinate = np.zeros((b, 6), int), np.full((b, 6), -1)
    for body, k, direction, coordinate, function in MOTIONS:
        axes[body, k] = direction
        axis_function[body, k] = functions[function]
        axis_coordinate[body, k] = COORDINATES.index(coordinate)
    before, after = np.zeros((b, 3, 4)), np.zeros((b, 3, 4))
    before[:, :, :3], after[:, :, :3] = np.eye(3), np.eye(3)
    before[:, :, 3] = OFFSETS
    for body in (4, 6, 7):
        before[body, :, :3], after[body, :, :3] = _BEFORE.as_matrix(), _AFTER.as_matrix()
        after[body, :, 3] = (0.01, -0.02, 0.03)
    coupled, coupler = np.full(q, -1), np.full(q, -1)
    for name, (driver, _) in COUPLED.items():
        coupled[COORDINATES.index(name)] = COORDINATES.index(driver)
        coupler[COORDINATES.index(name)] = functions["flex" if "flex" in name else "bend"]
    lower, upper = np.full(q, -1.5), np.full(q, 1.5)
    for name, (low, high) in RANGES.items():
        lower[COORDINATES.index(name)], upper[COORDINATES.index(name)] = low, high
    default = np.zeros(q)
    default[COORDINATES.index("toe")] = 0.3
    carrying = range(b if markers_on_foot else b - 1)
    places = np.random.default_rng(7).uniform(-0.12, 0.12, (len(carrying) * MARKERS_PER_BODY, 3))
    return KinematicModel(
        name="puppet",
        body_names=tuple(BODIES),
        joint_names=tuple(f"{body}_joint" for body in BODIES),
        parents=np.array(PARENTS),
        parent_from_joint=before,
        joint_from_body=after,
        axes=axes,
        axis_function=axis_function,
        axis_coordinate=axis_coordinate,
        function_kind=np.array([CONSTANT, LINEAR, LINEAR, SPLINE, LINEAR, LINEAR]),
        function_terms=np.array([[0, 0], [1, 0], [-1, 0], [0, 0], [1.5, 0], [-0.5, 0]], float),
        function_knots=np.array([0, 0, 0, 0, 4, 4, 4]),
        knots=KNOTS,
        coordinate_names=tuple(COORDINATES),
        default=default,
        lower=lower,
        upper=upper,
        clamped=np.array([name in RANGES for name in COORDINATES]),
        locked=np.array([name == "toe" for name in COORDINATES]),
        motion=np.array(
            [1 if name in ("root_x", "root_y", "root_z") else 0 for name in COORDINATES]
        ),
        coupled_to=coupled,
        coupler_function=coupler,
        marker_names=tuple(
            f"{BODIES[body]}_{k}" for body in carrying for k in range(MARKERS_PER_BODY)
        ),
        marker_bodies=np.repeat(np.array(carrying), MARKERS_PER_BODY),
        marker_locations=places,
        mesh_files=("pelvis.vtp",),
        mesh_bodies=np.array([0]),
        body_from_mesh=np.hstack([np.eye(3), np.zeros((3, 1))])[None],
        mesh_scale=np.ones((1, 3)),
        masses=np.ones(b),
        mass_centres=np.zeros((b, 3)),
    )


def true_poses(model: KinematicModel, coordinates: FloatArray) -> FloatArray:
    """(B, 3, 4) poses for (Q,) coordinates, from the lists above and scipy alone."""
    value = dict(zip(COORDINATES, coordinates, strict=True))
    for name, (driver, factor) in COUPLED.items():
        value[name] = factor * value[driver]
    poses = np.empty((len(BODIES), 3, 4))
    for body, parent in enumerate(PARENTS):
        before = after = Rotation.identity()
        moved = np.zeros(3)
        end = np.zeros(3)
        if body in (4, 6, 7):
            before, after, end = _BEFORE, _AFTER, np.array([0.01, -0.02, 0.03])
        turn = Rotation.identity()
        for owner, k, direction, coordinate, function in MOTIONS:
            if owner != body:
                continue
            x = value[coordinate] * (-1.0 if function == "minus" else 1.0)
            if function == "spline":
                x = spline(x)
            if k < 3:
                turn = turn * Rotation.from_rotvec(x * np.array(direction))
            else:
                moved += x * np.array(direction)
        rotation, origin = Rotation.identity(), np.zeros(3)
        if parent >= 0:
            rotation = Rotation.from_matrix(poses[parent, :, :3])
            origin = poses[parent, :, 3]
        origin = origin + rotation.apply(
            np.array(OFFSETS[body]) + before.apply(moved + turn.apply(end))
        )
        poses[body, :, :3] = (rotation * before * turn * after).as_matrix()
        poses[body, :, 3] = origin
    return poses


def spline(x: float) -> float:
    """The knee's slide: cubic between the knots, straight outside."""
    inside = float(np.clip(x, KNOTS[0, 0], KNOTS[-1, 0]))
    cubic = CubicHermiteSpline(*KNOTS.T)
    return float(cubic(inside) + cubic(inside, 1) * (x - inside))


def true_markers(model: KinematicModel, coordinates: FloatArray) -> FloatArray:
    """(T, M, 3) marker positions for (T, Q) coordinates, by scipy."""
    found = []
    for frame in coordinates:
        poses = true_poses(model, frame)[model.marker_bodies]
        found.append(
            np.einsum("mij,mj->mi", poses[:, :, :3], model.marker_locations) + poses[:, :, 3]
        )
    return np.array(found)


def movement(frames: int, seed: int = 0) -> FloatArray:
    """(T, Q) smooth coordinates within the ranges, at 50 frames a second."""
    rng = np.random.default_rng(seed)
    seconds = np.arange(frames)[:, None] / 50.0
    q = len(COORDINATES)
    waves = 0.5 * np.sin(
        2.0 * np.pi * rng.uniform(0.2, 0.7, q) * seconds + rng.uniform(0.0, 6.3, q)
    )
    for name, (low, high) in RANGES.items():
        c = COORDINATES.index(name)
        waves[:, c] = 0.5 * (low + high) + 0.8 * (high - low) * waves[:, c]
    waves[:, COORDINATES.index("toe")] = 0.3
    for name, (driver, factor) in COUPLED.items():
        waves[:, COORDINATES.index(name)] = factor * waves[:, COORDINATES.index(driver)]
    return waves
