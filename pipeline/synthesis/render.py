"""Paints the figure into the room: quads from far to near, antialiased, through the exact lens."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.data.camera import Camera
from pipeline.data.skeleton import Skeleton
from pipeline.synthesis import body
from pipeline.synthesis.body import FloatArray
from pipeline.synthesis.cameras import pixels
from pipeline.synthesis.figure import Figure, skinned
from pipeline.synthesis.room import (
    LIGHT,
    Image,
    cast_shadow,
    floor_map,
    paint_room,
    shadow_corners,
)

# Sub-pixels per pixel edge, and the fraction bits of cv2's fixed-point corners.
OVERSAMPLE = 2
SHIFT = 4
# Marks lie this much nearer to the camera than the skin they are on (m).
MARK_LIFT = 0.03
_FILL = np.array([0.62, 0.30, -0.72]) / np.linalg.norm([0.62, 0.30, -0.72])


@dataclass(frozen=True, slots=True, eq=False)
class Backdrop:
    """What one camera sees of the empty room, and where the floor is in its picture."""

    camera: Camera
    picture: Image
    floor_x: NDArray[np.float32]
    floor_y: NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Lit:
    """A figure at one instant, lit: corners (P, M, 3), normals (P, 3), RGB (P, 3), shadow."""

    points: FloatArray
    faces: NDArray[np.intp]
    normals: FloatArray
    middles: FloatArray
    colours: FloatArray
    marks: FloatArray
    mark_normals: FloatArray
    mark_colours: FloatArray
    shadow: Image


def backdrop(camera: Camera) -> Backdrop:
    """Trace the empty room for a camera; done once per recording."""
    return Backdrop(camera, paint_room(camera), *floor_map(camera))


def _light(normals: FloatArray, colours: FloatArray) -> FloatArray:
    key = np.clip(0.25 + 0.75 * (normals @ LIGHT), 0.0, None)
    fill = np.clip(normals @ _FILL, 0.0, None)
    sky = 0.5 + 0.5 * normals[:, 1]
    tint = (
        np.outer(0.34 + 0.16 * sky, [1.0, 1.0, 1.04])
        + np.outer(0.62 * key, [1.0, 0.97, 0.92])
        + np.outer(0.30 * fill, [0.95, 0.98, 1.05])
    )
    return np.asarray(colours * tint)


def _cross(a: FloatArray, b: FloatArray) -> FloatArray:
    # np.cross takes three times as long on so many short vectors.
    (ax, ay, az), (bx, by, bz) = a.T, b.T
    return np.stack([ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx], axis=-1)


def _length(a: FloatArray) -> FloatArray:
    return np.asarray(np.sqrt(np.einsum("ni,ni->n", a, a))[:, None])


def light_figure(figure: Figure, rotation: FloatArray, origin: FloatArray) -> Lit:
    """Skin, light and shadow of the figure for bones (B, 3, 3) and (B, 3) of one instant."""
    points = skinned(figure, rotation, origin)
    a, b, c, d = (points[figure.faces[:, i]] for i in range(4))
    normals = _cross(c - a, d - b)
    normals /= np.maximum(_length(normals), 1e-12)
    # Neighbours share their slant, so that the light runs smoothly over the facets.
    smooth = normals
    for _ in range(2):
        smooth = smooth + 0.75 * sum(smooth[n] for n in figure.beside)
        smooth /= np.maximum(_length(smooth), 1e-12)
    turn = rotation[figure.mark_bones]
    start = figure.marks - body.BIND_ORIGIN[figure.mark_bones][:, None]
    marks = np.einsum("dij,dmj->dmi", turn, start) + origin[figure.mark_bones][:, None]
    mark_normals = np.einsum("dij,dj->di", turn, figure.mark_normals)
    return Lit(
        points,
        figure.faces,
        normals,
        0.25 * (a + b + c + d),
        _light(smooth, figure.colours),
        marks,
        mark_normals,
        _light(mark_normals, figure.mark_colours),
        cast_shadow(points, figure.hulls),
    )


def _darken_floor(scene: Backdrop, shadow: Image) -> Image:
    picture = scene.picture.copy()
    # Only the part of the picture that can hold the shadow, on the half-size floor map.
    box = pixels(scene.camera, shadow_corners(shadow))
    rows, columns = scene.floor_x.shape
    left, top = np.clip(np.floor(box.min(axis=0) / 2).astype(int) - 1, 0, [columns - 1, rows - 1])
    right, bottom = np.clip(
        np.ceil(box.max(axis=0) / 2).astype(int) + 2, [left + 1, top + 1], [columns, rows]
    )
    part = np.s_[top:bottom, left:right]
    shade = cv2.remap(
        shadow, scene.floor_x[part], scene.floor_y[part], cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT, borderValue=255,
    )  # fmt: skip
    shade = cv2.resize(shade, None, fx=2.0, fy=2.0, interpolation=cv2.INTER_LINEAR)
    region = picture[2 * top : 2 * bottom, 2 * left : 2 * right]
    region[:] = cv2.multiply(region, cv2.merge([shade] * 3), scale=1.0 / 255.0)
    return picture


def paint(scene: Backdrop, lit: Lit) -> Image:
    """(H, W, 3) RGB picture of the figure in the room."""
    camera = scene.camera
    picture = _darken_floor(scene, lit.shadow)
    towards = camera.centre - lit.middles
    distance = _length(towards)[:, 0]
    facing = np.einsum("fi,fi->f", lit.normals, towards) / distance
    front = facing > 0.0
    # A little light from the rim keeps the outline apart from the room.
    colours = lit.colours[front] * (1.0 + 0.10 * (1.0 - facing[front, None]) ** 3)

    mark_middle = lit.marks.mean(axis=1)
    mark_towards = camera.centre - mark_middle
    mark_distance = np.linalg.norm(mark_towards, axis=1)
    seen = np.einsum("di,di->d", lit.mark_normals, mark_towards) > 0.12 * mark_distance

    xy = pixels(camera, lit.points)
    mark_xy = pixels(camera, lit.marks[seen])
    width, height = camera.size
    low = np.clip(np.floor(xy.min(axis=0)).astype(int) - 2, 0, [width - 1, height - 1])
    high = np.clip(np.ceil(xy.max(axis=0)).astype(int) + 3, low + 1, [width, height])

    def fixed(place: FloatArray) -> NDArray[np.int32]:
        # Centre of pixel i is sub-pixel (i + 0.5) * OVERSAMPLE - 0.5.
        sub = (place - low + 0.5) * OVERSAMPLE - 0.5
        return np.asarray(np.round(sub * (1 << SHIFT)), np.int32)

    # Marks are drawn in their own order where they lie on one another.
    layer = 1e-4 * np.arange(np.count_nonzero(seen))
    depth = np.concatenate([distance[front], mark_distance[seen] - MARK_LIFT - layer])
    paints = np.concatenate([colours, lit.mark_colours[seen]])
    rgb = np.clip(paints, 0.0, 255.0).astype(np.uint8).tolist()
    corners = [*fixed(xy)[lit.faces[front]], *fixed(mark_xy)]

    # Averaging down again gives back the room exactly, and mixes it into the figure's outline.
    region = picture[low[1] : high[1], low[0] : high[0]]
    sheet = cv2.resize(region, None, fx=OVERSAMPLE, fy=OVERSAMPLE, interpolation=cv2.INTER_NEAREST)
    fill, line = cv2.fillConvexPoly, cv2.LINE_8
    for i in np.argsort(-depth, kind="stable").tolist():
        fill(sheet, corners[i], rgb[i], line, SHIFT)
    region[:] = cv2.resize(sheet, region.shape[1::-1], interpolation=cv2.INTER_AREA)
    return picture


def sketch(camera: Camera, skeleton: Skeleton, xy: FloatArray, frame: int) -> Image:
    """A plain picture, quickly made: the links between true points (K, 2) and the frame number."""
    width, height = camera.size
    picture = np.full((height, width, 3), 214, np.uint8)
    tint = (int(camera.name.rsplit("_", 1)[-1]) * 37) % 60
    picture[:, :, 2] -= np.uint8(tint)
    thick = max(1, width // 160)
    places = np.round(np.clip(xy, -1e4, 1e4) * 16).astype(int)
    for a, b in skeleton.links:
        start, end = (tuple(places[k].tolist()) for k in (a, b))
        cv2.line(picture, start, end, (70, 84, 110), thick, cv2.LINE_AA, 4)
    cv2.putText(
        picture, str(frame), (4, height - 6), cv2.FONT_HERSHEY_PLAIN, max(0.8, width / 200),
        (40, 40, 40), 1, cv2.LINE_AA,
    )  # fmt: skip
    return picture
