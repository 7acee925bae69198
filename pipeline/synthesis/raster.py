"""Triangles to pixels, compiled: projection through the exact lens, depth, and what is in front.

A sample is a place between pixels: ``fine`` by ``fine`` of them make a pixel, whose centre has
whole coordinates. Depths are kept as their inverse, which is straight along a picture's lines; 0
is nothing.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.kinematics.compiled import entry

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]


@entry
def project_points(
    points: Floats, rotation: Floats, translation: Floats, matrix: Floats, lens: Floats, out: Floats
) -> None:
    """Pixels and inverse depth (N, 3) of world points (N, 3); depth 0 behind the camera.

    ``lens`` holds k1, k2, p1, p2, k3 (OpenCV's model).
    """
    for i in range(points.shape[0]):
        x = translation[0]
        y = translation[1]
        z = translation[2]
        for c in range(3):
            x += rotation[0, c] * points[i, c]
            y += rotation[1, c] * points[i, c]
            z += rotation[2, c] * points[i, c]
        if z < 0.05:
            out[i, 0] = 0.0
            out[i, 1] = 0.0
            out[i, 2] = 0.0
            continue
        w = 1.0 / z
        x *= w
        y *= w
        u = x * x + y * y
        radial = 1.0 + u * (lens[0] + u * (lens[1] + u * lens[4]))
        dx = x * radial + 2.0 * lens[2] * x * y + lens[3] * (u + 2.0 * x * x)
        dy = y * radial + lens[2] * (u + 2.0 * y * y) + 2.0 * lens[3] * x * y
        out[i, 0] = matrix[0, 0] * dx + matrix[0, 1] * dy + matrix[0, 2]
        out[i, 1] = matrix[1, 1] * dy + matrix[1, 2]
        out[i, 2] = w


@entry
def fill(
    places: Floats,
    faces: Ints,
    left: int,
    top: int,
    fine: int,
    both: bool,
    near: Floats,
    which: Ints,
) -> None:
    """Draw triangles (F, 3) into ``near`` (inverse depth) and ``which`` (face + 1).

    ``left`` and ``top`` are the pixel of the first sample; without ``both`` triangles that turn
    their back are left out.
    """
    height, width = near.shape
    half = 0.5 * fine - 0.5
    for f in range(faces.shape[0]):
        a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
        wa, wb, wc = places[a, 2], places[b, 2], places[c, 2]
        if wa <= 0.0 or wb <= 0.0 or wc <= 0.0:
            continue
        xa = (places[a, 0] - left) * fine + half
        ya = (places[a, 1] - top) * fine + half
        xb = (places[b, 0] - left) * fine + half
        yb = (places[b, 1] - top) * fine + half
        xc = (places[c, 0] - left) * fine + half
        yc = (places[c, 1] - top) * fine + half
        area = (xb - xa) * (yc - ya) - (yb - ya) * (xc - xa)
        # Counter-clockwise from outside is clockwise where Y points down.
        if area == 0.0 or (area > 0.0 and not both):
            continue
        x0 = max(0, int(np.ceil(min(xa, xb, xc))))
        x1 = min(width - 1, int(np.floor(max(xa, xb, xc))))
        y0 = max(0, int(np.ceil(min(ya, yb, yc))))
        y1 = min(height - 1, int(np.floor(max(ya, yb, yc))))
        if x0 > x1 or y0 > y1:
            continue
        inverse = 1.0 / area
        ub_x, ub_y = (yc - ya) * inverse, -(xc - xa) * inverse
        uc_x, uc_y = -(yb - ya) * inverse, (xb - xa) * inverse
        for y in range(y0, y1 + 1):
            ub = (x0 - xa) * ub_x + (y - ya) * ub_y
            uc = (x0 - xa) * uc_x + (y - ya) * uc_y
            for x in range(x0, x1 + 1):
                if ub >= -1e-5 and uc >= -1e-5 and ub + uc <= 1.00001:
                    w = wa + ub * (wb - wa) + uc * (wc - wa)
                    if w > near[y, x]:
                        near[y, x] = w
                        which[y, x] = f + 1
                ub += ub_x
                uc += uc_x


@entry
def light_depth(places: Floats, faces: Ints, depth: Floats) -> None:
    """Least third coordinate of triangles seen along a light, on a map with cells of size 1."""
    height, width = depth.shape
    for f in range(faces.shape[0]):
        a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
        xa, ya, za = places[a, 0], places[a, 1], places[a, 2]
        xb, yb, zb = places[b, 0], places[b, 1], places[b, 2]
        xc, yc, zc = places[c, 0], places[c, 1], places[c, 2]
        area = (xb - xa) * (yc - ya) - (yb - ya) * (xc - xa)
        if area == 0.0:
            continue
        x0 = max(0, int(np.ceil(min(xa, xb, xc))))
        x1 = min(width - 1, int(np.floor(max(xa, xb, xc))))
        y0 = max(0, int(np.ceil(min(ya, yb, yc))))
        y1 = min(height - 1, int(np.floor(max(ya, yb, yc))))
        if x0 > x1 or y0 > y1:
            continue
        inverse = 1.0 / area
        ub_x, ub_y = (yc - ya) * inverse, -(xc - xa) * inverse
        uc_x, uc_y = -(yb - ya) * inverse, (xb - xa) * inverse
        for y in range(y0, y1 + 1):
            ub = (x0 - xa) * ub_x + (y - ya) * ub_y
            uc = (x0 - xa) * uc_x + (y - ya) * uc_y
            for x in range(x0, x1 + 1):
                if ub >= -1e-4 and uc >= -1e-4 and ub + uc <= 1.0001:
                    z = za + ub * (zb - za) + uc * (zc - za)
                    depth[y, x] = min(depth[y, x], z)
                ub += ub_x
                uc += uc_x
