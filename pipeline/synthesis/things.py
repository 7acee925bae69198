"""Things that stand in a room and before cameras: boxes, stools, chairs, tables, poles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.synthesis.looks import CLOTHS, Colour, linear

FloatArray = NDArray[np.float64]
Floats = NDArray[np.float32]
Ints = NDArray[np.int32]

_WOODS: tuple[Colour, ...] = ((178, 134, 92), (120, 84, 56), (206, 176, 136), (92, 92, 96))
# Longest edge of a face: lenses bend longer ones visibly.
_LONGEST = 0.12


@dataclass(frozen=True, slots=True, eq=False)
class Thing:
    """A thing's points (V, 3), normals (V, 3), linear colours (V, 3) and triangles (F, 3)."""

    points: Floats
    normals: Floats
    colours: Floats
    faces: Ints


def joined_things(things: Sequence[Thing]) -> Thing:
    """Several things as one."""
    first, faces = 0, []
    for thing in things:
        faces.append(thing.faces + first)
        first += len(thing.points)
    if not things:
        nothing = np.zeros((0, 3), np.float32)
        return Thing(nothing, nothing, nothing, np.zeros((0, 3), np.int32))
    return Thing(
        np.concatenate([t.points for t in things]),
        np.concatenate([t.normals for t in things]),
        np.concatenate([t.colours for t in things]),
        np.concatenate(faces).astype(np.int32),
    )


def box(low: FloatArray, high: FloatArray, colour: Colour) -> Thing:
    """A box along the axes; its edges are a little lighter, as worn edges are."""
    points, normals, faces, colours = [], [], [], []
    first = 0
    for axis in range(3):
        u, v = (axis + 1) % 3, (axis + 2) % 3
        nu = max(1, int(np.ceil((high[u] - low[u]) / _LONGEST)))
        nv = max(1, int(np.ceil((high[v] - low[v]) / _LONGEST)))
        for sign in (-1.0, 1.0):
            a, b = np.meshgrid(np.linspace(0, 1, nu + 1), np.linspace(0, 1, nv + 1), indexing="ij")
            side = np.empty((a.size, 3))
            side[:, u] = low[u] + a.ravel() * (high[u] - low[u])
            side[:, v] = low[v] + b.ravel() * (high[v] - low[v])
            side[:, axis] = high[axis] if sign > 0 else low[axis]
            n = np.zeros((a.size, 3))
            n[:, axis] = sign
            number = first + np.arange(a.size).reshape(a.shape)
            p, q, r, s = (x.ravel() for x in (number[:-1, :-1], number[1:, :-1], number[1:, 1:],
                                              number[:-1, 1:]))  # fmt: skip
            quads = np.concatenate([np.stack([p, q, r], -1), np.stack([p, r, s], -1)])
            faces.append(quads if sign > 0 else quads[:, ::-1])
            edge = np.minimum(np.minimum(a, 1 - a), np.minimum(b, 1 - b)).ravel() < 1e-6
            colours.append(linear(colour) * (1.0 + 0.10 * edge[:, None]))
            points.append(side)
            normals.append(n)
            first += a.size
    return Thing(
        np.concatenate(points).astype(np.float32), np.concatenate(normals).astype(np.float32),
        np.concatenate(colours).astype(np.float32), np.concatenate(faces).astype(np.int32),
    )  # fmt: skip


def placed(thing: Thing, x: float, z: float, turn: float) -> Thing:
    """A thing turned about the vertical and moved over the floor."""
    c, s = np.cos(turn), np.sin(turn)
    turned = np.array([[c, 0.0, s], [0.0, 1.0, 0.0], [-s, 0.0, c]])
    points = thing.points @ turned.T + [x, 0.0, z]
    normals = thing.normals @ turned.T
    return Thing(points.astype(np.float32), normals.astype(np.float32), thing.colours, thing.faces)


def stool(height: float, wide: float, colour: Colour, legs: Colour) -> Thing:
    """A seat on four legs."""
    h = 0.5 * wide
    parts = [box(np.array([-h, height - 0.05, -h]), np.array([h, height, h]), colour)]
    parts += [
        box(
            np.array([x - 0.018, 0.0, z - 0.018]),
            np.array([x + 0.018, height - 0.05, z + 0.018]),
            legs,
        )
        for x in (-h + 0.03, h - 0.03)
        for z in (-h + 0.03, h - 0.03)
    ]
    return joined_things(parts)


def chair(height: float, colour: Colour, legs: Colour) -> Thing:
    """A stool with a back, towards -X."""
    back = [
        box(
            np.array([-0.22, height + 0.18, -0.20]), np.array([-0.19, height + 0.45, 0.20]), colour
        ),
        *(
            box(
                np.array([-0.215, height, z - 0.015]),
                np.array([-0.195, height + 0.45, z + 0.015]),
                legs,
            )
            for z in (-0.18, 0.18)
        ),
    ]
    return joined_things([stool(height, 0.44, colour, legs), *back])


def table(height: float, long: float, deep: float, colour: Colour, legs: Colour) -> Thing:
    """A plate on four legs."""
    a, b = 0.5 * long, 0.5 * deep
    parts = [box(np.array([-a, height - 0.035, -b]), np.array([a, height, b]), colour)]
    parts += [
        box(
            np.array([x - 0.022, 0.0, z - 0.022]),
            np.array([x + 0.022, height - 0.035, z + 0.022]),
            legs,
        )
        for x in (-a + 0.05, a - 0.05)
        for z in (-b + 0.05, b - 0.05)
    ]
    return joined_things(parts)


def draw_thing(rng: np.random.Generator) -> Thing:
    """A thing of a kind and size drawn at random, standing on the floor over the origin."""
    colour = CLOTHS[rng.integers(len(CLOTHS))]
    wood = _WOODS[rng.integers(len(_WOODS))]
    kind = rng.integers(5)
    if kind == 0:
        size = np.array([rng.uniform(0.25, 0.6), rng.uniform(0.25, 0.6), rng.uniform(0.25, 0.6)])
        return box(np.array([-0.5, 0.0, -0.5]) * size, np.array([0.5, 1.0, 0.5]) * size, wood)
    if kind == 1:
        return stool(rng.uniform(0.40, 0.70), rng.uniform(0.30, 0.45), colour, wood)
    if kind == 2:
        return chair(rng.uniform(0.42, 0.48), colour, wood)
    if kind == 3:
        return table(
            rng.uniform(0.55, 0.95), rng.uniform(0.7, 1.4), rng.uniform(0.4, 0.7), wood, wood
        )
    height, wide = rng.uniform(1.2, 2.2), rng.uniform(0.03, 0.10)
    return joined_things([
        box(np.array([-wide, 0.0, -wide]) / 2, np.array([wide, 2 * height, wide]) / 2, colour),
        box(np.array([-0.16, 0.0, -0.16]), np.array([0.16, 0.03, 0.16]), (60, 62, 66)),
    ])  # fmt: skip
