"""Where every body, joint and marker of the model lies in neutral standing, from the tables alone.

The neutral frame has its origin between the hip joint centres, X forward, Y up, Z right; there
the pelvis has this very frame and the limbs are parallel to it (arms straight down, palms
forward). Lengths are metres. Plain numpy: the tests compare OpenSim's own poses with it.
"""

from __future__ import annotations

import math

import numpy as np

from pipeline.simulation.model_rows import KeypointMarker, LimbAxis
from pipeline.simulation.model_tables import SpineTables

MM = 1e-3
SIDES = {"r": 1.0, "l": -1.0}


def neutral_frames(tables: SpineTables) -> dict[str, np.ndarray]:
    """(4, 4) neutral-from-body transform of every body of the model, in metres."""
    frames = {"pelvis": np.eye(4)}
    frames["sacrum"] = _planar(
        tables.posture("s1_x") * MM, tables.posture("s1_y") * MM, -tables.posture("sacral_slope")
    )
    for joint in tables.joints:
        frames[joint.child] = frames[joint.parent] @ _planar(
            joint.loc_x_mm * MM, joint.loc_y_mm * MM, joint.neutral_zrot_deg
        )
    for axis in limb_joints(tables).values():
        for side, sign in SIDES.items():
            place = np.array([axis[0].x_mm, axis[0].y_mm, sign * axis[0].z_mm]) * MM
            frame = np.eye(4)
            if axis[0].frame == "parent":
                place = place + frames[sided(axis[0].parent, side, frames)][:3, 3]
            frame[:3, 3] = place
            frames[f"{axis[0].child}_{side}"] = frame
    return frames


def limb_joints(tables: SpineTables) -> dict[str, list[LimbAxis]]:
    """The rows of each limb joint, from the trunk outwards, in the table's order."""
    joints: dict[str, list[LimbAxis]] = {}
    for row in tables.limb_joints:
        joints.setdefault(row.joint, []).append(row)
    return joints


def sided(body: str, side: str, known: dict[str, np.ndarray]) -> str:
    """The name of a limb's parent: a trunk body as it is, a limb body with its side."""
    return body if body in known else f"{body}_{side}"


def centre_in_body(tables: SpineTables, body: str) -> np.ndarray:
    """(3,) centre of a vertebral body (of the ring for C1) in its own frame, in metres."""
    joint = next(row for row in tables.joints if row.child == body)
    return np.array([joint.centre_x_mm, joint.centre_y_mm, 0.0]) * MM


def skin_in_body(tables: SpineTables, body: str) -> np.ndarray:
    """(3,) skin point behind a vertebra's spinous process in its own frame, in metres."""
    point = next(row for row in tables.spine_points if row.body == body)
    return np.array([point.skin_x_mm, point.skin_y_mm, 0.0]) * MM


def marker_in_body(
    tables: SpineTables, marker: KeypointMarker, frames: dict[str, np.ndarray]
) -> np.ndarray:
    """(3,) position of a marker in its body's frame, in metres."""
    if marker.kind == "depth":
        assert marker.depth is not None
        centre = centre_in_body(tables, marker.body)
        return np.asarray(centre + marker.depth * (skin_in_body(tables, marker.body) - centre))
    assert marker.x_mm is not None
    assert marker.y_mm is not None
    assert marker.z_mm is not None
    place = np.array([marker.x_mm, marker.y_mm, marker.z_mm]) * MM
    if marker.frame == "body":
        return place
    frame = frames[marker.body]
    return np.asarray(frame[:3, :3].T @ (place - frame[:3, 3]))


def endplate_normal(tables: SpineTables, body: str, plate: str) -> np.ndarray:
    """(3,) unit normal of an end-plate in its body's frame; ``plate`` is "inf" or "sup".

    The sacrum has only its upper one, which is its frame's own Y axis.

    Source: normal = (sin d, cos d, 0), d being the end-plate's pitch less the body's.
    """
    if body == "sacrum":
        return np.array([0.0, 1.0, 0.0])
    joint = next(row for row in tables.joints if row.child == body)
    pitch = joint.pitch_inf_deg if plate == "inf" else joint.pitch_sup_deg
    if pitch is None:
        raise ValueError(f"{body} has no end-plates")
    tilt = math.radians(pitch - joint.pitch_mid_deg)
    return np.array([math.sin(tilt), math.cos(tilt), 0.0])


def _planar(x: float, y: float, rotation_deg: float) -> np.ndarray:
    cos, sin = math.cos(math.radians(rotation_deg)), math.sin(math.radians(rotation_deg))
    return np.array([[cos, -sin, 0, x], [sin, cos, 0, y], [0, 0, 1, 0], [0, 0, 0, 1.0]])
