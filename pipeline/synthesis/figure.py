"""The figure's skin: lofted quads in the bind pose, bound to bones by weights, with colours.

Every part is a grid of rings; a ring is a closed curve of points. The back carries a furrow along
the midline and small marks on the skin over the vertebrae, so that the spine can be seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from pipeline.synthesis import body, flesh
from pipeline.synthesis.body import BONE, BONES, SPINE_BONES, FloatArray
from pipeline.synthesis.flesh import (
    LEG_SEGMENTS,
    SHOES,
    SHORTS_LENGTH,
    TORSO_SEGMENTS,
    Part,
    step,
)
from pipeline.synthesis.motion import SIDES

HAIR = (74.0, 52.0, 40.0)
SHORTS = (44.0, 62.0, 104.0)
SOLES = (92.0, 98.0, 112.0)
BONE_MARK = (128.0, 74.0, 60.0)
STICKER = (250.0, 250.0, 246.0)
STICKER_CORE = (196.0, 38.0, 52.0)
WAISTBAND = 0.070


@dataclass(frozen=True, slots=True, eq=False)
class Figure:
    """A skin of N points, F quads, H shadow hulls and D flat marks.

    Parameters
    ----------
    points : (N, 3) array
        Bind pose, metres.
    weights : (N, B) sparse array
        Share of each bone in moving a point; rows sum to one.
    faces : (F, 4) int array
        Corners, counter-clockwise from outside.
    beside : (4, F) int array
        The faces next to each face, itself at an end.
    colours : (F, 3) array
        RGB 0..255 before light, darkened in hollows.
    hulls : tuple of int arrays
        Points whose convex hulls together cover the figure, for its shadow.
    marks : (D, M, 3) array
        Corners of the marks in the bind pose.
    mark_bones : (D,) int array
    mark_normals : (D, 3) array
        Outward in the bind pose.
    mark_colours : (D, 3) array
    """

    points: FloatArray
    weights: csr_array
    faces: NDArray[np.intp]
    beside: NDArray[np.intp]
    colours: FloatArray
    hulls: tuple[NDArray[np.intp], ...]
    marks: FloatArray
    mark_bones: NDArray[np.intp]
    mark_normals: FloatArray
    mark_colours: FloatArray


def _albedo(part: Part, centres: FloatArray) -> FloatArray:
    """(F, 3) colours of a part's faces from their places in the bind pose."""
    colours = np.empty(centres.shape)
    colours[:] = part.paint
    x, y, z = centres.T
    bone = int(part.weights.sum(axis=(0, 1)).argmax())
    if part.paint == SHOES:
        colours[y < y.min() + 0.018] = SOLES
    elif BONES[bone] == "skull" and np.ptp(y) > 0.1:
        skull = body.BIND_ORIGIN[bone]
        hairline = 0.088 - 0.9 * np.clip(0.045 - (x - skull[0]), 0.0, 0.10)
        over = np.maximum(hairline, -0.045)
        share = step(y - skull[1], over - 0.006, over + 0.006)[:, None]
        colours += share * (np.array(HAIR) - colours)
    elif part.points.shape[1] == TORSO_SEGMENTS:
        furrow = np.exp(-((z / 0.014) ** 2)) * (x < -0.03) * (y > WAISTBAND)
        colours *= 1.0 - 0.13 * furrow[:, None]
        colours[y < WAISTBAND] = SHORTS
    elif part.points.shape[1] == LEG_SEGMENTS:
        colours[y > -SHORTS_LENGTH] = SHORTS
    return colours


def _marks() -> tuple[FloatArray, NDArray[np.intp], FloatArray, FloatArray]:
    """Marks on the skin of the back, and the face."""
    angle = np.linspace(0.0, 2.0 * np.pi, 12, endpoint=False)
    corners, bones, normals, colours = [], [], [], []

    def add(bone: int, centre: FloatArray, normal: FloatArray, size: tuple[float, float],
            colour: tuple[float, float, float]) -> None:  # fmt: skip
        normal = normal / np.linalg.norm(normal)
        side = np.cross(normal, [0.0, 1.0, 0.0])
        side /= np.linalg.norm(side)
        up = np.cross(side, normal)
        ring = size[0] * np.cos(angle)[:, None] * side + size[1] * np.sin(angle)[:, None] * up
        corners.append(centre + ring)
        bones.append(bone)
        normals.append(normal)
        colours.append(colour)

    levels = [level for level in SPINE_BONES if level not in ("C1", "C2", "C3", "C4", "skull")]
    skin = np.array([body.SACRUM_SKIN, *(body.midline_skin(level) for level in levels)])
    slope = np.gradient(skin, axis=0)
    outward = np.stack([-slope[:, 1], slope[:, 0], 0.0 * slope[:, 2]], axis=-1)
    for bone, centre, normal in zip(
        (0, *(BONE[level] for level in levels)), skin, outward, strict=True
    ):
        add(bone, centre, normal, (0.0055, 0.0055), BONE_MARK)
    table = body.keypoint_table()
    for name in ("hip", "spine_01", "spine_02", "spine_03", "spine_04", "spine_05", "neck",
                 "neck_02"):  # fmt: skip
        bone, centre = table[name]
        normal = outward[np.argmin(np.linalg.norm(skin - centre, axis=-1))]
        add(bone, centre, normal, (0.0105, 0.0105), STICKER)
        add(bone, centre, normal, (0.0055, 0.0055), STICKER_CORE)
    skull, head = BONE["skull"], body.BIND_ORIGIN[BONE["skull"]]
    for s in SIDES:
        place = head + np.array([0.096, 0.030, s * 0.031])
        normal = np.array([1.0, 0.0, 0.35 * s])
        add(skull, place, normal, (0.0125, 0.0065), (245.0, 243.0, 240.0))
        add(skull, place, normal, (0.0055, 0.0060), (58.0, 44.0, 40.0))
        add(skull, place + np.array([0.0, 0.022, 0.0]), normal, (0.0155, 0.0034), HAIR)
    add(skull, head + np.array([0.105, -0.042, 0.0]), np.array([1.0, -0.2, 0.0]), (0.022, 0.0045),
        (176.0, 96.0, 92.0))  # fmt: skip
    return np.array(corners), np.array(bones), np.array(normals), np.array(colours)


@cache
def build_figure() -> Figure:
    """The figure in its bind pose; built once."""
    parts = [flesh.torso(), flesh.head()]
    for side in (0, 1):
        parts += [flesh.arm(side), *flesh.hand(side), flesh.leg(side)]
        parts += [flesh.foot(side), flesh.ear(side)]
    points, weights, faces, beside, colours, hulls = [], [], [], [], [], []
    first = first_face = 0
    for part in parts:
        rings, segments = part.points.shape[:2]
        number = first + np.arange(rings * segments).reshape(rings, segments)
        after = np.roll(number, -1, axis=1)
        quads = np.stack([number[:-1], after[:-1], after[1:], number[1:]], axis=-1).reshape(-1, 4)
        flat = part.points.reshape(-1, 3)
        corner = flat[quads - first]
        middle = corner.mean(axis=1)
        normal = np.cross(corner[:, 2] - corner[:, 0], corner[:, 3] - corner[:, 1])
        outward = middle - part.points.mean(axis=1).repeat(segments, axis=0)[: len(middle)]
        if np.sum(normal * outward) < 0.0:
            quads = quads[:, ::-1]
        face = first_face + np.arange(len(quads)).reshape(rings - 1, segments)
        rows = np.arange(rings - 1)
        beside.append(
            np.stack(
                [face[np.maximum(rows - 1, 0)], face[np.minimum(rows + 1, rings - 2)],
                 np.roll(face, 1, axis=1), np.roll(face, -1, axis=1)]
            ).reshape(4, -1)
        )  # fmt: skip
        points.append(flat)
        weights.append(part.weights.reshape(len(flat), -1))
        faces.append(quads)
        colours.append(_albedo(part, middle))
        hulls += [number[i : i + 5].ravel() for i in range(0, rings - 1, 4)]
        first += len(flat)
        first_face += len(quads)
    return Figure(
        np.concatenate(points),
        csr_array(np.concatenate(weights)),
        np.concatenate(faces),
        np.concatenate(beside, axis=1),
        np.concatenate(colours),
        tuple(hulls),
        *_marks(),
    )


def skinned(figure: Figure, rotation: FloatArray, origin: FloatArray) -> FloatArray:
    """(N, 3) skin of one instant by linear blending of the bones (B, 3, 3) and (B, 3)."""
    shift = origin - np.einsum("bij,bj->bi", rotation, body.BIND_ORIGIN)
    # Columns: where each bone takes the unit vectors, then the origin.
    affine = np.concatenate([rotation.transpose(0, 2, 1).reshape(-1, 9), shift], axis=1)
    blended = figure.weights @ affine
    x, y, z = figure.points.T[..., None]
    moved = x * blended[:, 0:3] + y * blended[:, 3:6] + z * blended[:, 6:9]
    return np.asarray(moved + blended[:, 9:])
