"""Skinned people: a shipped skin fitted to somebody's model, and moved with its bodies.

Skins are made by :mod:`pipeline.synthesis.build_human` in a resting pose with arms and legs apart.
They are bound to the bodies of the shipped model by shares, and follow by dual quaternions
(Kavan et al. 2008), which keep limbs round where they bend and twist.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from pipeline.data.resources import resource_path
from pipeline.kinematics.compiled import entry
from pipeline.kinematics.forward import body_transforms
from pipeline.kinematics.functions import consistent
from pipeline.kinematics.model import (
    KinematicModel,
    coordinate_index,
    name_fields,
)
from pipeline.synthesis.physique import Build

FloatArray = NDArray[np.float64]
Floats = NDArray[np.float32]
Ints = NDArray[np.int32]
Sex = Literal["man", "woman"]

#: Resting pose: degrees by coordinate, the same on both sides; all others at their default.
REST = {"arm_add": -42.0, "hip_adduction": -9.0}
PARTS = ("trunk", "head", "thigh", "shank", "foot", "arm", "forearm", "hand")
INFLUENCES = 5
# How far flesh moves the skin outward per unit of stoutness (mass over the usual one, less 1),
# metres: front, side and back of the trunk, then by part; the back's is the markers' own.
_FLESH_TRUNK = (0.115, 0.080, 0.045)
_FLESH_HEIGHTS = ((0.80, 0.7), (0.95, 0.9), (1.10, 1.0), (1.25, 0.8), (1.38, 0.55), (1.48, 0.4),
                  (1.55, 0.35))  # fmt: skip
_FLESH = {"thigh": 0.050, "shank": 0.028, "arm": 0.036, "forearm": 0.016, "head": 0.014}


@dataclass(frozen=True, slots=True, eq=False)
class Skin:
    """A skin of V points and F triangles in the resting pose.

    Attributes
    ----------
    points, normals : (V, 3) arrays
        Metres; outward.
    faces : (F, 3) array
        Counter-clockwise from outside.
    bodies, shares : (V, 5) arrays
        Which bodies of the model move a point, and each one's share.
    open : (V,) array
        How much of the surroundings' light comes in, 0 to 1.
    relief : (V,) array
        How far spine, shoulder blades and muscles stand out, metres.
    part : (V,) array
        Index into ``PARTS``.
    """

    points: Floats
    normals: Floats
    faces: Ints
    bodies: Ints
    shares: Floats
    open: Floats
    relief: Floats
    part: Ints


def resting(model: KinematicModel) -> FloatArray:
    """(Q,) coordinates of the resting pose."""
    q = model.default.copy()
    for name, degrees in REST.items():
        for side in "rl":
            q[coordinate_index(model, f"{name}_{side}")] = np.radians(degrees)
    return np.asarray(consistent(model, q[None])[0])


@cache
def plain_model() -> KinematicModel:
    """The shipped model with 11 spine coordinates, as arrays, without meshes; needs no OpenSim."""
    with np.load(resource_path("people", "model.npz")) as stored:
        entries: dict[str, Any] = {name: stored[name] for name in stored.files}
    entries["name"] = str(entries["name"])
    entries |= {field: tuple(entries[field].tolist()) for field in name_fields()}
    return KinematicModel(**entries)


@cache
def load_skin(sex: Sex) -> Skin:
    """The shipped skin of a man or a woman of 1.75 m."""
    with np.load(resource_path("people", f"{sex}.npz")) as a:
        shares = a["shares"].astype(np.float32)
        normals = a["normals"].astype(np.float32)
        return Skin(
            points=a["points"].astype(np.float32) / np.float32(1.8e4),
            normals=normals / np.linalg.norm(normals, axis=1, keepdims=True),
            faces=a["faces"].astype(np.int32),
            bodies=a["bodies"].astype(np.int32),
            shares=shares / shares.sum(axis=1, keepdims=True),
            open=a["open"].astype(np.float32) / np.float32(255.0),
            relief=a["relief"].astype(np.float32) / np.float32(1e4),
            part=a["part"].astype(np.int32),
        )


def fitted(sex: Sex, model: KinematicModel, build: Build) -> Skin:
    """A shipped skin for a model that was scaled to a build."""
    skin, generic = load_skin(sex), plain_model()
    factors = build.factors
    before = body_transforms(generic, resting(generic)[None])[0]
    after = body_transforms(model, resting(model)[None])[0]
    size = np.array([factors.get(name, np.ones(3)) for name in model.body_names])
    turn = after[:, :, :3] * size[:, None] @ before[:, :, :3].transpose(0, 2, 1)
    shift = after[:, :, 3] - np.einsum("bij,bj->bi", turn, before[:, :, 3])
    tilt = after[:, :, :3] / size[:, None] @ before[:, :, :3].transpose(0, 2, 1)
    own_turn = np.einsum("vk,vkij->vij", skin.shares, turn[skin.bodies])
    own_shift = np.einsum("vk,vki->vi", skin.shares, shift[skin.bodies])
    own_tilt = np.einsum("vk,vkij->vij", skin.shares, tilt[skin.bodies])
    points = np.einsum("vij,vj->vi", own_turn, skin.points) + own_shift
    normals = np.einsum("vij,vj->vi", own_tilt, skin.normals)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    points = points + (build.stoutness * _flesh(sex))[:, None] * normals
    return with_points(skin, points, normals)


def with_points(skin: Skin, points: FloatArray, normals: FloatArray) -> Skin:
    """``skin`` with other points and normals (V, 3)."""
    return Skin(
        points.astype(np.float32), normals.astype(np.float32), skin.faces, skin.bodies,
        skin.shares, skin.open, skin.relief, skin.part,
    )  # fmt: skip


@cache
def _flesh(sex: Sex) -> FloatArray:
    """(V,) how far flesh moves each point outward per unit of stoutness, metres."""
    skin = load_skin(sex)
    front, side, back = _FLESH_TRUNK
    n = skin.normals.astype(np.float64)
    around = np.where(n[:, 0] > 0.0, front, back) * np.abs(n[:, 0]) + side * np.abs(n[:, 2])
    # Thickest about the waist and hips, thin over collar bones and neck.
    around = around * np.interp(skin.points[:, 1], *np.array(_FLESH_HEIGHTS).T)
    by_part = np.array([_FLESH.get(name, 0.0) for name in PARTS])
    values = np.where(skin.part == PARTS.index("trunk"), around, by_part[skin.part])
    return evened(skin.faces, values, 25)


def evened(faces: Ints, values: FloatArray, times: int) -> FloatArray:
    """(V,) values evened out ``times`` times with those of the neighbours on a mesh."""
    n = len(values)
    a, b = faces[:, [0, 1, 2]].ravel(), faces[:, [1, 2, 0]].ravel()
    count = np.maximum(np.bincount(a, minlength=n) + np.bincount(b, minlength=n), 1)
    for _ in range(times):
        values = (np.bincount(a, values[b], n) + np.bincount(b, values[a], n)) / count
    return values


def bone_quaternions(model: KinematicModel, coordinates: FloatArray) -> Floats:
    """(T, B, 8) dual quaternions from the resting pose to the poses (T, Q) of every body."""
    poses = body_transforms(model, coordinates)
    start = body_transforms(model, resting(model)[None])[0]
    turn = poses[..., :3] @ start[:, :, :3].transpose(0, 2, 1)
    shift = poses[..., 3] - np.einsum("tbij,bj->tbi", turn, start[:, :, 3])
    shape = turn.shape[:2]
    q = Rotation.from_matrix(turn.reshape(-1, 3, 3)).as_quat().reshape(*shape, 4)[..., [3, 0, 1, 2]]
    w, v = q[..., :1], q[..., 1:]
    dual = np.concatenate(
        [-0.5 * np.sum(shift * v, axis=-1, keepdims=True), 0.5 * (w * shift + np.cross(shift, v))],
        axis=-1,
    )
    return np.concatenate([q, dual], axis=-1).astype(np.float32)


@entry
def move_skin(
    points: Floats,
    normals: Floats,
    bodies: Ints,
    shares: Floats,
    bones: Floats,
    out_points: Floats,
    out_normals: Floats,
) -> None:
    """Points and normals (V, 3) carried by dual quaternions (B, 8), blended by shares."""
    q = np.empty(8, np.float32)
    for i in range(points.shape[0]):
        first = bodies[i, 0]
        q[:] = 0.0
        for k in range(bodies.shape[1]):
            share = shares[i, k]
            if share <= 0.0:
                continue
            b = bodies[i, k]
            same = np.float32(0.0)
            for c in range(4):
                same += bones[b, c] * bones[first, c]
            if same < 0.0:
                share = -share
            for c in range(8):
                q[c] += share * bones[b, c]
        scale = np.float32(1.0) / np.sqrt(q[0] * q[0] + q[1] * q[1] + q[2] * q[2] + q[3] * q[3])
        for c in range(8):
            q[c] *= scale
        w, x, y, z = q[0], q[1], q[2], q[3]
        tx = 2.0 * (-q[4] * x + q[5] * w - q[6] * z + q[7] * y)
        ty = 2.0 * (-q[4] * y + q[5] * z + q[6] * w - q[7] * x)
        tz = 2.0 * (-q[4] * z - q[5] * y + q[6] * x + q[7] * w)
        r00, r01, r02 = 1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)
        r10, r11, r12 = 2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)
        r20, r21, r22 = 2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)
        a, b_, c_ = points[i, 0], points[i, 1], points[i, 2]
        out_points[i, 0] = r00 * a + r01 * b_ + r02 * c_ + tx
        out_points[i, 1] = r10 * a + r11 * b_ + r12 * c_ + ty
        out_points[i, 2] = r20 * a + r21 * b_ + r22 * c_ + tz
        a, b_, c_ = normals[i, 0], normals[i, 1], normals[i, 2]
        out_normals[i, 0] = r00 * a + r01 * b_ + r02 * c_
        out_normals[i, 1] = r10 * a + r11 * b_ + r12 * c_
        out_normals[i, 2] = r20 * a + r21 * b_ + r22 * c_


def chosen_skin(skin: Skin, chosen: NDArray[np.intp]) -> Skin:
    """Some points (C,) of a skin, without faces."""
    return Skin(
        skin.points[chosen], skin.normals[chosen], skin.faces[:0], skin.bodies[chosen],
        skin.shares[chosen], skin.open[chosen], skin.relief[chosen], skin.part[chosen],
    )  # fmt: skip


def posed(skin: Skin, bones: Floats) -> tuple[Floats, Floats]:
    """Points and normals (V, 3) of a skin for the dual quaternions (B, 8) of one instant."""
    points, normals = np.empty_like(skin.points), np.empty_like(skin.normals)
    move_skin(skin.points, skin.normals, skin.bodies, skin.shares, bones, points, normals)
    return points, normals
