"""Makes the skins of the demo world's people: ``python -m pipeline.synthesis.build_human``.

The shapes of :mod:`pipeline.synthesis.human_shape` become meshes, coarse over the body and fine
over head, back and hands; every point is bound to the model's bodies. The result is shipped in
``resources/people``, since making it takes a minute.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array
from scipy.spatial import cKDTree

from pipeline.data.resources import resource_path
from pipeline.kinematics.forward import body_transforms
from pipeline.kinematics.model import KinematicModel, array_fields, name_fields
from pipeline.synthesis.human_shape import HIPS, Rest, arm, foot, hand, leg, skin, trunk
from pipeline.synthesis.motions import generic_model
from pipeline.synthesis.people import INFLUENCES, PARTS, resting
from pipeline.synthesis.physique import scaled
from pipeline.synthesis.surface_net import Field, gradient, surface_net

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_COARSE = 0.012  # m
# Boxes (low, high corner) that get a finer mesh, and its spacing.
_HEAD = ((-0.125, 1.500, -0.110), (0.135, 1.765, 0.110), 0.0048)
_BACK = ((-0.200, 0.960, -0.150), (-0.045, 1.515, 0.150), 0.0060)
_HAND_SPACING = 0.0055
_SMOOTHINGS, _SMOOTHINGS_HIP = 14, 40
_COLUMN = ("L5", "L4", "L3", "L2", "L1", "T12", "T11", "T10", "T9", "T8", "T7", "T6", "T5", "T4",
           "T3", "T2", "T1", "C7", "C6", "C5", "C4", "C3", "C2", "C1")  # fmt: skip


def rest_of(model: KinematicModel, woman: float) -> Rest:
    """The model's joints in the resting pose."""
    poses = body_transforms(model, resting(model)[None])[0]
    joints = {name: poses[b, :, 3] for b, name in enumerate(model.body_names)}
    return Rest(joints, poses[model.body_names.index("hand_r"), :, :3], woman)


def _planes(low: float, high: float, spacing: float) -> FloatArray:
    return np.arange(low, high + spacing, spacing)


def _boxed(
    field: Field, low: Iterable[float], high: Iterable[float], spacing: float
) -> tuple[FloatArray, IntArray]:
    axes = tuple(_planes(a, b, spacing) for a, b in zip(low, high, strict=True))
    return surface_net(field, axes)


def _mirror(points: FloatArray, faces: IntArray) -> tuple[FloatArray, IntArray]:
    return points * [1.0, 1.0, -1.0], faces[:, ::-1]


def meshes(rest: Rest) -> tuple[FloatArray, IntArray]:
    """Points (N, 3) and triangles (F, 3) of the whole skin; fine parts overlap the coarse one."""

    def field(p: FloatArray) -> FloatArray:
        return skin(p, rest)

    wrist = rest.joints["hand_r"]
    tip = wrist - 0.20 * rest.hand[:, 1]
    around = np.stack([wrist, tip])
    low, high = around.min(axis=0) - 0.062, around.max(axis=0) + 0.062
    points, faces = _boxed(field, (-0.2, -0.012, -0.72), (0.3, 1.78, 0.72), _COARSE)
    boxes = [_HEAD, _BACK]
    fine = [_boxed(field, *box) for box in boxes]
    one = _boxed(field, low, high, _HAND_SPACING)
    fine += [one, _mirror(*one)]
    boxes += [(tuple(low), tuple(high), _HAND_SPACING)]
    boxes += [((low[0], low[1], -high[2]), (high[0], high[1], -low[2]), _HAND_SPACING)]
    keep = np.ones(len(faces), bool)
    for a, b, _ in boxes:
        inside = ((points > np.array(a) + _COARSE) & (points < np.array(b) - _COARSE)).all(axis=1)
        keep &= ~np.asarray(inside)[faces].all(axis=1)
    faces = faces[keep]
    all_points, all_faces, first = [points], [faces], len(points)
    for more, triangles in fine:
        all_points.append(more)
        all_faces.append(triangles + first)
        first += len(more)
    points, faces = np.concatenate(all_points), np.concatenate(all_faces)
    used = np.unique(faces)
    number = np.full(len(points), -1)
    number[used] = np.arange(len(used))
    return points[used], number[faces]


def _parts(points: FloatArray, rest: Rest) -> NDArray[np.int64]:
    """(N,) which of ``PARTS`` is nearest."""
    p = points.copy()
    p[:, 2] = np.abs(p[:, 2])
    thigh, shank = leg(p, rest)
    upper, lower = arm(p, rest)
    middle = trunk(p, rest)
    skull = np.where(p[:, 1] > HIPS + 0.60, -1.0, 1.0)
    distances = {
        "trunk": middle, "head": skull, "thigh": thigh, "shank": shank, "foot": foot(p, rest),
        "arm": upper, "forearm": lower, "hand": hand(p, rest),
    }  # fmt: skip
    return np.asarray(np.argmin(np.stack([distances[name] for name in PARTS]), axis=0), np.int64)


def _bound(points: FloatArray, rest: Rest, model: KinematicModel) -> FloatArray:
    """(N, B) shares before they are smoothed."""
    names = model.body_names
    weights = np.zeros((len(points), len(names)))
    part = _parts(points, rest)
    z = points[:, 2]

    def along(start: str, stop: str) -> FloatArray:
        a, b = rest.joints[start], rest.joints[stop]
        p = points.copy()
        p[:, 2] = np.abs(z)
        return np.asarray((p - a) @ (b - a) / ((b - a) @ (b - a)))

    # The trunk turns with the vertebra at its height, the vertebrae with each other's neighbours.
    heights = [rest.joints[n][1] - HIPS for n in _COLUMN]
    heights = [0.085, *[h + 0.012 for h in heights], rest.joints["skull"][1] - HIPS + 0.004]
    chain = ["pelvis", *_COLUMN, "skull"]
    level = np.interp(points[:, 1] - HIPS, heights, np.arange(len(chain)))
    # In front the trunk hangs from the breast bone and the pelvis: levels are told by their skin.
    low = np.minimum(level.astype(int), len(chain) - 2)
    share = level - low
    column = np.zeros_like(weights)
    rows = np.arange(len(points))
    index = np.array([names.index(n) for n in chain])
    np.add.at(column, (rows, index[low]), 1.0 - share)
    np.add.at(column, (rows, index[low + 1]), share)
    for side, own in (("r", z >= 0.0), ("l", z < 0.0)):
        sides = {name: part == PARTS.index(name) for name in PARTS}
        toes = np.clip((along("calcn_r", "toes_r") - 0.93) / 0.14, 0.0, 1.0)
        for name, body, by in (
            ("thigh", "femur", 1.0), ("shank", "tibia", 1.0), ("arm", "humerus", 1.0),
            ("forearm", "radius", 1.0), ("hand", "hand", 1.0), ("foot", "calcn", 1.0 - toes),
            ("foot", "toes", toes),
        ):  # fmt: skip
            share = np.where(own & sides[name], by, 0.0)
            weights[:, names.index(f"{body}_{side}")] += share
    middle = (part == PARTS.index("trunk")) | (part == PARTS.index("head"))
    weights[middle] = column[middle]
    # The shoulder girdle carries the slope of the neck and the shoulder blade.
    y = points[:, 1] - HIPS
    girdle = np.clip((np.abs(z) - 0.045) / 0.06, 0.0, 1.0) * np.clip((y - 0.36) / 0.10, 0.0, 1.0)
    girdle = np.where(part == PARTS.index("trunk"), 0.85 * girdle, 0.0)
    weights *= (1.0 - girdle)[:, None]
    for side, own in (("r", z >= 0.0), ("l", z < 0.0)):
        weights[own, names.index(f"scapula_{side}")] += girdle[own]
    return weights


def _neighbours(points: FloatArray, faces: IntArray) -> csr_array:
    n = len(points)
    a = np.concatenate([faces[:, i] for i in range(3)])
    b = np.concatenate([faces[:, (i + 1) % 3] for i in range(3)])
    ones = np.ones(2 * len(a))
    table = csr_array(coo_array((ones, (np.concatenate([a, b]), np.concatenate([b, a]))), (n, n)))
    table.data[:] = 1.0
    count = np.asarray(table.sum(axis=1))
    return csr_array(table.multiply(1.0 / count[:, None]))


def shares(points: FloatArray, rest: Rest, model: KinematicModel) -> FloatArray:
    """(N, B) share of every body in moving a point; smooth over the skin."""
    field: Field = lambda p: skin(p, rest, detail=False)  # noqa: E731
    even, faces = _boxed(field, (-0.2, -0.012, -0.72), (0.3, 1.78, 0.72), 0.012)
    table, weights = _neighbours(even, faces), _bound(even, rest, model)
    height = even[:, 1] - HIPS
    hips = np.exp(-(((height + 0.03) / 0.13) ** 2))[:, None]
    right = np.column_stack([even[:, :2], np.abs(even[:, 2])])
    far = np.linalg.norm(right - rest.joints["humerus_r"], axis=1)
    shoulder = np.exp(-((far / 0.11) ** 2))[:, None]
    soft = np.maximum(hips, shoulder)
    for i in range(_SMOOTHINGS_HIP):
        smoothed = table @ weights
        part = 0.7 if i < _SMOOTHINGS else 0.7 * soft
        weights = weights + part * (smoothed - weights)
    distance, near = cKDTree(even).query(points, 4)
    by = 1.0 / (distance + 1e-3) ** 2
    by /= by.sum(axis=1, keepdims=True)
    return np.asarray((weights[near] * by[..., None]).sum(axis=1))


def _shade(points: FloatArray, normals: FloatArray, rest: Rest) -> FloatArray:
    """(N,) how open the surroundings are, 0 to 1 (Evans 2006)."""
    dark = np.zeros(len(points))
    for reach, weight in ((0.008, 0.5), (0.02, 0.5), (0.045, 0.45), (0.09, 0.3)):
        gap = skin(points + reach * normals, rest)
        dark += weight * np.clip(1.0 - gap / reach, 0.0, 1.0)
    return np.clip(1.0 - 0.75 * dark, 0.15, 1.0)


def build(model: KinematicModel, woman: float) -> dict[str, Any]:
    """The arrays of a skin, as :func:`pipeline.synthesis.people.load_skin` reads them."""
    rest = rest_of(model, woman)
    points, faces = meshes(rest)
    normals = gradient(lambda p: skin(p, rest), points, 6e-4)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    weights = shares(points, rest, model)
    order = np.argsort(-weights, axis=1)[:, :INFLUENCES]
    most = np.take_along_axis(weights, order, axis=1)
    most /= most.sum(axis=1, keepdims=True)
    smooth = skin(points, rest, detail=False)
    return {
        "points": np.round(points * 1.8e4).astype(np.int16),
        "normals": np.round(normals * 127.0).astype(np.int8),
        "faces": faces.astype(np.uint16),
        "bodies": order.astype(np.uint8),
        "shares": np.round(most * 255.0).astype(np.uint8),
        "open": np.round(_shade(points, normals, rest) * 255.0).astype(np.uint8),
        "relief": np.clip(np.round(smooth * 1e4), -127, 127).astype(np.int8),
        "part": _parts(points, rest).astype(np.uint8),
    }


def stored_model(model: KinematicModel) -> dict[str, Any]:
    """The arrays of a model without its meshes, as ``plain_model`` reads them."""
    bare = scaled(model, {})
    arrays: dict[str, Any] = {"name": np.array(bare.name)}
    arrays |= {field: np.array(getattr(bare, field), dtype=np.str_) for field in name_fields()}
    return arrays | {field: getattr(bare, field) for field in array_fields(bare)}


def main() -> None:
    """Write both skins."""
    folder = Path(resource_path("people"))
    folder.mkdir(exist_ok=True)
    arrays: dict[str, Any] = stored_model(generic_model())
    np.savez_compressed(folder / "model.npz", **arrays)
    for name, woman in (("man", 0.0), ("woman", 1.0)):
        arrays = build(generic_model(), woman)
        np.savez_compressed(folder / f"{name}.npz", **arrays)
        print(name, len(arrays["points"]), "points", len(arrays["faces"]), "triangles")


if __name__ == "__main__":
    main()
