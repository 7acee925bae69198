"""Angles that clinicians read, from the poses of the bodies: between vertebrae, and of regions.

Regional angles lie in vertical planes that turn with the person: *up* is vertical, *right* the
horizontal part of the pelvis's Z axis, *forward* is square to both, so that they compare with
lateral and frontal radiographs. Definitions and normal values: ``docs/spine-model.md``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.kinematics.model import KinematicModel
from pipeline.kinematics.vertebrae import Level, levels, vertebrae

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

PELVIS, SACRUM = "pelvis", "sacrum"
_S1_HALF_DEPTH = 0.017  # m, from the centre of the S1 end-plate to its posterior corner
_LEAST_HORIZONTAL = 0.2  # of the pelvis's Z axis; below, a person lies on the side
_COBB = ("L5", "L4", "L3", "L2", "L1", "T12", "T11", "T10", "T9", "T8", "T7", "T6", "T5", "T4",
         "T3", "T2", "T1")  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Intervertebral:
    """Angles of the joints of the column against the neutral pose.

    Attributes
    ----------
    levels : tuple of Level
        J joints that the model has, bottom to top.
    angles : (T, J, 3) array
        Radians: flexion forward, bending to the right, twist to the left.
    """

    levels: tuple[Level, ...]
    angles: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Posture:
    """Regional angles (radians) and distances (metres), (T,) each; NaN where bodies lack.

    Attributes
    ----------
    lumbar_lordosis
        S1 upper to L1 upper end-plate.
    lower_lordosis
        S1 upper to L4 upper end-plate.
    thoracic_kyphosis, whole_kyphosis
        T4 upper to T12 lower, T1 upper to T12 lower end-plate.
    cervical_lordosis
        C7 lower to C2 lower end-plate.
    t1_slope, sacral_slope
        Upper end-plate to the horizontal.
    pelvic_tilt
        The line from between the hip joints to S1, to the vertical; positive: S1 behind.
    trunk_inclination, trunk_lean
        The line from S1 to C7 to the vertical, forward and to the right.
    cobb
        Largest difference of coronal tilt between two upper end-plates from L5 to T1.
    sagittal_axis
        C7 centre in front of the posterior corner of S1.
    cervical_axis
        C2 centre in front of C7 centre.
    coronal_balance
        C7 centre to the right of S1.
    """

    lumbar_lordosis: FloatArray
    lower_lordosis: FloatArray
    thoracic_kyphosis: FloatArray
    whole_kyphosis: FloatArray
    cervical_lordosis: FloatArray
    t1_slope: FloatArray
    sacral_slope: FloatArray
    pelvic_tilt: FloatArray
    trunk_inclination: FloatArray
    trunk_lean: FloatArray
    cobb: FloatArray
    sagittal_axis: FloatArray
    cervical_axis: FloatArray
    coronal_balance: FloatArray


def intervertebral_angles(model: KinematicModel, poses: FloatArray) -> Intervertebral:
    """Angles between neighbouring vertebrae, in the joints' own frames.

    The order is that of the joints: flexion about Z, then bending about X, then twist about Y (ISB,
    Wu et al., J Biomech 35:543, 2002).

    Parameters
    ----------
    model : KinematicModel
    poses : (T, B, 3, 4) array
        ``ground_from_body`` of every body.
    """
    here = {name: place for place, name in enumerate(model.body_names)}
    known = tuple(
        level for level in levels()
        if level.child in here and level.parent in here
        and model.parents[here[level.child]] == here[level.parent]
    )  # fmt: skip
    angles = np.zeros((len(poses), len(known), 3))
    for place, level in enumerate(known):
        child = here[level.child]
        relative = poses[:, here[level.parent], :, :3].swapaxes(-1, -2) @ poses[:, child, :, :3]
        before, after = model.parent_from_joint[child, :, :3], model.joint_from_body[child, :, :3]
        turn = before.T @ relative @ after.T
        angles[:, place] = np.stack(
            [
                np.arctan2(turn[:, 0, 1], turn[:, 1, 1]),
                np.arcsin(np.clip(turn[:, 2, 1], -1.0, 1.0)),
                np.arctan2(-turn[:, 2, 0], turn[:, 2, 2]),
            ],
            axis=-1,
        )
    return Intervertebral(known, angles)


def beyond_limits(found: Intervertebral) -> FloatArray:
    """(T, J, 3) how far each angle lies beyond what its joint does in people, radians; 0 within."""
    upper = np.array([[one.flexion, one.bending, one.twist] for one in found.levels]).reshape(-1, 3)
    lower = np.array([[-one.extension, -one.bending, -one.twist] for one in found.levels]).reshape(
        -1, 3
    )
    beyond = np.maximum(found.angles - upper, lower - found.angles)
    return np.asarray(np.maximum(beyond, 0.0), np.float64)


def posture(model: KinematicModel, poses: FloatArray) -> Posture:
    """Regional angles and distances; those whose vertebrae the model lacks are NaN.

    Parameters
    ----------
    model : KinematicModel
        With the bodies of our own: pelvis (its origin between the hip joints), sacrum, L5 to C1.
        Of a model without sacrum and L5 all is NaN: its pelvis has other axes.
    poses : (T, B, 3, 4) array
        ``ground_from_body`` of every body.
    """
    look = _Look(model, poses)
    s1 = look.pitch(SACRUM, "upper")
    t12 = look.pitch("T12", "lower")
    hips, sacrum, c7, c2 = (look.centre(body) for body in (PELVIS, SACRUM, "C7", "C2"))
    corner = sacrum - _S1_HALF_DEPTH * look.axis(SACRUM, 0)
    tilts = np.stack([look.tilt(body) for body in _COBB], axis=-1)
    return Posture(
        lumbar_lordosis=s1 - look.pitch("L1", "upper"),
        lower_lordosis=s1 - look.pitch("L4", "upper"),
        thoracic_kyphosis=look.pitch("T4", "upper") - t12,
        whole_kyphosis=look.pitch("T1", "upper") - t12,
        cervical_lordosis=look.pitch("C7", "lower") - look.pitch("C2", "lower"),
        t1_slope=look.pitch("T1", "upper"),
        sacral_slope=s1,
        pelvic_tilt=-look.lean(sacrum - hips),
        trunk_inclination=look.lean(c7 - sacrum),
        trunk_lean=look.lean(c7 - sacrum, look.right),
        cobb=tilts.max(axis=-1) - tilts.min(axis=-1),
        sagittal_axis=_along(c7 - corner, look.forward),
        cervical_axis=_along(c2 - c7, look.forward),
        coronal_balance=_along(c7 - sacrum, look.right),
    )  # fmt: skip


class _Look:
    """The bodies of one movement, seen from the person's side and front."""

    def __init__(self, model: KinematicModel, poses: FloatArray) -> None:
        names = model.body_names if {SACRUM, "L5"} <= set(model.body_names) else ()
        self._bodies = {name: poses[:, place] for place, name in enumerate(names)}
        self._missing = np.full((len(poses), 3), np.nan)
        self.up = np.broadcast_to([0.0, 1.0, 0.0], self._missing.shape)
        right = self.axis(PELVIS, 2) * (1.0, 0.0, 1.0)
        length = np.linalg.norm(right, axis=-1, keepdims=True)
        self.right = np.where(length > _LEAST_HORIZONTAL, right / np.maximum(length, 1e-9), np.nan)
        self.forward = np.cross(self.up, self.right)

    def axis(self, body: str, axis: int) -> FloatArray:
        """(T, 3) one axis of a body in ground."""
        pose = self._bodies.get(body)
        return self._missing if pose is None else pose[:, :, axis]

    def centre(self, body: str) -> FloatArray:
        """(T, 3) centre of a vertebral body, or the origin of another one."""
        pose, vertebra = self._bodies.get(body), vertebrae().get(body)
        if pose is None:
            return self._missing
        x, y = (0.0, 0.0) if vertebra is None else vertebra.centre
        return np.asarray(pose[:, :, 3] + x * pose[:, :, 0] + y * pose[:, :, 1])

    def _normal(self, body: str, plate: str) -> FloatArray:
        vertebra = vertebrae()[body]
        tilt = vertebra.upper if plate == "upper" else vertebra.lower
        return np.asarray(np.sin(tilt) * self.axis(body, 0) + np.cos(tilt) * self.axis(body, 1))

    def pitch(self, body: str, plate: str) -> FloatArray:
        """(T,) forward lean of an end-plate's normal."""
        return self.lean(self._normal(body, plate))

    def tilt(self, body: str) -> FloatArray:
        """(T,) lean of the upper end-plate's normal to the right."""
        return self.lean(self._normal(body, "upper"), self.right)

    def lean(self, line: FloatArray, towards: FloatArray | None = None) -> FloatArray:
        """(T,) angle of a line to the vertical, seen from the side or (right) from the front."""
        way = self.forward if towards is None else towards
        return np.asarray(np.arctan2(_along(line, way), _along(line, self.up)))


def _along(line: FloatArray, way: FloatArray) -> FloatArray:
    return np.asarray(np.einsum("ti,ti->t", line, way))
