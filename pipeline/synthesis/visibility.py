"""Which keypoints a camera sees: from a buffer of depths of somebody's skin and what stands around.

A keypoint lies under the skin, some of them deep. One of the column is seen where the skin of the
back over it is; any other where the skin in front of it is about as near as the skin nearest to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import lru_cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from pipeline.data.camera import Camera
from pipeline.data.skeleton import project_skeleton
from pipeline.kinematics.forward import marker_positions
from pipeline.kinematics.model import KinematicModel
from pipeline.synthesis.motions import keypoint_markers
from pipeline.synthesis.people import (
    Floats,
    Skin,
    bone_quaternions,
    chosen_skin,
    posed,
    resting,
)
from pipeline.synthesis.raster import fill
from pipeline.synthesis.stage import camera_places
from pipeline.synthesis.things import Thing

FloatArray = NDArray[np.float64]
Bools = NDArray[np.bool_]

# Edge of the cells in which the skin's points become one, metres, and pixels of the longer side
# of the buffer: what is wrong thereby is less than the allowance for a slanting look.
_CELL, _SIDE = 0.020, 420.0
_ALLOWED, _SLANT = 0.030, 1.6
# Points of the skin over the column are this near to the middle, metres.
_MIDDLE = 0.012
# What is nearer to a camera than this is not looked at, metres.
_NEAREST = 0.05


class Body(Protocol):
    """Somebody with a skin: a model, scaled, whose markers are where the keypoints are."""

    @property
    def model(self) -> KinematicModel: ...

    @property
    def skin(self) -> Skin: ...

    def __hash__(self) -> int: ...


@lru_cache(maxsize=4)
def plain_skin(skin: Skin) -> Skin:
    """A skin with few points, for depths only."""
    cell = np.floor(skin.points / _CELL).astype(np.int64)
    key = np.column_stack([cell, skin.part])
    _, first, number = np.unique(key, axis=0, return_index=True, return_inverse=True)
    number = number.ravel()
    faces = number[skin.faces]
    whole = (faces != np.roll(faces, 1, axis=1)).all(axis=1)
    count = np.bincount(number)[:, None]
    points = np.stack([np.bincount(number, skin.points[:, c]) for c in range(3)], -1) / count
    return Skin(
        points.astype(np.float32), skin.normals[first], faces[whole].astype(np.int32),
        skin.bodies[first], skin.shares[first], skin.open[first], skin.relief[first],
        skin.part[first],
    )  # fmt: skip


@lru_cache(maxsize=4)
def skin_depths(body: Body) -> FloatArray:
    """(37,) distance of every keypoint to the nearest skin in the resting pose, metres."""
    markers = marker_positions(body.model, resting(body.model)[None])[0]
    points = markers[keypoint_markers(body.model)]
    return np.asarray(cKDTree(body.skin.points).query(points)[0])


@lru_cache(maxsize=4)
def skin_over_column(body: Body) -> tuple[NDArray[np.intp], Skin]:
    """(C,) which keypoints are of the column, and the skin's C points over them on the back."""
    which = np.array(project_skeleton().column)
    rest = marker_positions(body.model, resting(body.model)[None])[0]
    places = rest[keypoint_markers(body.model)][which]
    points = body.skin.points
    behind = np.abs(points[:, 2]) < _MIDDLE
    chosen = []
    for place in places:
        near = np.abs(points[:, 1] - place[1]) + 10.0 * ~(behind & (points[:, 0] < place[0]))
        chosen.append(int(np.argmin(near)))
    return which, chosen_skin(body.skin, np.array(chosen))


def seen(body: Body, coordinates: FloatArray, cameras: Iterable[Camera], things: Thing) -> Bools:
    """(T, V, 37) whether each camera sees each keypoint in the poses (T, Q)."""
    cameras, allowed = list(cameras), _allowed(body)
    skin = plain_skin(body.skin)
    faces = np.concatenate([skin.faces, things.faces + np.int32(len(skin.points))])
    found = np.zeros((len(coordinates), len(cameras), len(allowed)), bool)
    for t, (points, looked_for, mesh) in enumerate(_instants(body, coordinates)):
        everything = np.concatenate([mesh, things.points])
        for v, camera in enumerate(cameras):
            found[t, v] = _clear(camera, everything, faces, looked_for, allowed)
            found[t, v] &= _inside(camera, points)
    return found


def unhidden(body: Body, coordinates: FloatArray, cameras: Iterable[Camera]) -> Bools:
    """(T, V, 37) whether the body itself hides no keypoint in the poses (T, Q), seen from cameras.

    What is out of the picture is judged as if the picture were larger, and what is behind a
    camera counts as hidden by nothing. Lenses change nothing in what is in front of what.
    """
    cameras, allowed = list(cameras), _allowed(body)
    faces = plain_skin(body.skin).faces
    found = np.ones((len(coordinates), len(cameras), len(allowed)), bool)
    for t, (_, looked_for, mesh) in enumerate(_instants(body, coordinates)):
        for v, camera in enumerate(cameras):
            near = _close_up(camera, mesh)
            if near is not None:
                found[t, v] = _clear(near, mesh, faces, looked_for, allowed)
    return found


def _allowed(body: Body) -> FloatArray:
    """(37,) how far under the nearest skin a keypoint may lie and be seen, metres."""
    allowed = _SLANT * skin_depths(body) + _ALLOWED
    allowed[skin_over_column(body)[0]] = _ALLOWED
    return allowed


def _instants(
    body: Body, coordinates: FloatArray
) -> Iterator[tuple[FloatArray, FloatArray, Floats]]:
    """By pose: keypoints (37, 3), the places by which they are judged, and the plain skin."""
    skin, bones = plain_skin(body.skin), bone_quaternions(body.model, coordinates)
    points = marker_positions(body.model, coordinates)[:, keypoint_markers(body.model)]
    column, over = skin_over_column(body)
    for bone, places in zip(bones, points, strict=True):
        looked_for = places.copy()
        looked_for[column] = posed(over, bone)[0]
        yield places, looked_for, posed(skin, bone)[0]


def _close_up(camera: Camera, mesh: Floats) -> Camera | None:
    """A lens of its own for a camera, whose picture a body fills; None where it is behind."""
    places = mesh @ camera.rotation.T + camera.translation
    places = places[places[:, 2] > _NEAREST]
    if not len(places):
        return None
    flat = places[:, :2] / places[:, 2:]
    low, extent = flat.min(axis=0), np.ptp(flat, axis=0)
    focal = _SIDE / float(extent.max())
    matrix = np.diag([focal, focal, 1.0])
    matrix[:2, 2] = -focal * low
    width, height = (int(n) + 1 for n in np.ceil(focal * extent))
    return replace(camera, size=(width, height), matrix=matrix, distortion=np.zeros(5))


def _inside(camera: Camera, points: FloatArray) -> Bools:
    places = camera_places(camera, points.astype(np.float32))
    xy, size = places[:, :2], np.array(camera.size)
    return np.asarray((places[:, 2] > 0.0) & ((xy >= -0.5) & (xy < size - 0.5)).all(axis=1))


def _clear(
    camera: Camera, mesh: Floats, faces: NDArray[np.int32], points: FloatArray, allowed: FloatArray
) -> Bools:
    """(37,) whether nothing is in front of points by more than is allowed."""
    scale = min(1.0, _SIDE / max(camera.size))
    places = camera_places(camera, np.concatenate([mesh, points.astype(np.float32)]))
    places[:, :2] *= scale
    own = places[len(mesh) :]
    width, height = (int(np.ceil(scale * n)) for n in camera.size)
    near, which = np.zeros((height, width), np.float32), np.zeros((height, width), np.int32)
    fill(places[: len(mesh)], faces, 0, 0, 1, False, near, which)
    column, row = np.round(own[:, :2]).astype(int).T
    front = near[np.clip(row, 0, height - 1), np.clip(column, 0, width - 1)]
    far = 1.0 / np.maximum(own[:, 2], 1e-6)
    return np.asarray((front <= 0.0) | (1.0 / np.maximum(front, 1e-6) > far - allowed))
