"""The head's shape: skull, face, nose, lips, ears; see :mod:`pipeline.synthesis.human_shape`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.synthesis.shape_fields import capsule, carved, ellipsoid, joined

FloatArray = NDArray[np.float64]

#: Centre of the right eyeball, and its radius, metres.
EYE = np.array([0.0765, 1.643, 0.0315])
EYE_RADIUS = 0.0122


def _at(*place: float) -> FloatArray:
    return np.array(place)


def head(p: FloatArray, woman: float) -> FloatArray:
    """Distance to the head of points (N, 3) whose Z is not negative; ``woman`` 0 to 1."""
    w = woman
    d = ellipsoid(p, _at(-0.004, 1.663, 0.0), _at(0.096, 0.086, 0.0745))
    # Face, cheeks, jaw, chin.
    d = joined(d, ellipsoid(p, _at(0.030, 1.622, 0.0), _at(0.062, 0.076, 0.0600 - 0.002 * w)), 0.03)
    d = joined(d, ellipsoid(p, _at(0.060, 1.606, 0.026), _at(0.030, 0.034, 0.026)), 0.020)
    jaw = 0.014 - 0.002 * w
    d = joined(
        d,
        capsule(p, _at(0.012, 1.578, 0.044 - 0.003 * w), _at(0.064, 1.546, 0.014), jaw, jaw),
        0.03,
    )
    d = joined(d, ellipsoid(p, _at(0.072, 1.543, 0.0), _at(0.021, 0.018, 0.021 - 0.003 * w)), 0.022)
    d = joined(d, ellipsoid(p, _at(0.056, 1.572, 0.0), _at(0.028, 0.030, 0.038 - 0.003 * w)), 0.022)
    # Neck into the skull.
    r = 0.053 - 0.006 * w
    d = joined(d, capsule(p, _at(-0.030, 1.49, 0.0), _at(-0.010, 1.60, 0.0), r, r - 0.002), 0.025)
    # Eye sockets, brows, eyeballs behind their lids.
    d = carved(d, ellipsoid(p, _at(0.099, 1.643, 0.031), _at(0.017, 0.012, 0.021)), 0.016)
    brow = 0.0055 - 0.002 * w
    d = joined(d, capsule(p, _at(0.083, 1.660, 0.012), _at(0.073, 1.661, 0.044), brow, brow), 0.014)
    d = joined(d, ellipsoid(p, EYE, np.full(3, EYE_RADIUS)), 0.005)
    # Nose: bridge, tip, wings.
    n = 1.0 - 0.12 * w
    d = joined(
        d, capsule(p, _at(0.083, 1.652, 0.0), _at(0.098, 1.613, 0.0), 0.0062 * n, 0.0085 * n), 0.011
    )
    d = joined(d, ellipsoid(p, _at(0.1005, 1.608, 0.0), _at(0.0095, 0.0085, 0.0100) * n), 0.006)
    d = joined(d, ellipsoid(p, _at(0.092, 1.604, 0.0105), _at(0.0105, 0.0080, 0.0066) * n), 0.006)
    # Lips, and the hollow above the chin.
    lip = 0.0068 + 0.0008 * w
    d = joined(
        d, capsule(p, _at(0.0850, 1.5745, 0.0), _at(0.0775, 1.5712, 0.019), lip, 0.0040), 0.008
    )
    d = joined(
        d, capsule(p, _at(0.0840, 1.5640, 0.0), _at(0.0770, 1.5685, 0.017), lip, 0.0040), 0.008
    )
    d = carved(
        d, capsule(p, _at(0.0965, 1.5695, 0.0), _at(0.0850, 1.5702, 0.021), 0.0022, 0.0016), 0.004
    )
    d = carved(d, ellipsoid(p, _at(0.100, 1.5545, 0.0), _at(0.0075, 0.005, 0.016)), 0.012)
    return joined(d, _ear(p), 0.006)


def _ear(p: FloatArray) -> FloatArray:
    # Tilted back, standing off the head.
    middle = _at(-0.004, 1.629, 0.0745)
    tilt = np.radians(14.0)
    turn = np.array(
        [[np.cos(tilt), np.sin(tilt), 0.0], [-np.sin(tilt), np.cos(tilt), 0.0], [0.0, 0.0, 1.0]]
    )
    q = (p - middle) @ turn.T
    q[:, 2] += 0.45 * q[:, 0]
    shell = ellipsoid(q, _at(0.0, 0.0, 0.0), _at(0.0165, 0.0295, 0.0080))
    shell = carved(
        shell, ellipsoid(q, _at(0.003, 0.002, 0.0095), _at(0.0100, 0.0195, 0.0060)), 0.004
    )
    return joined(shell, ellipsoid(q, _at(-0.001, -0.025, 0.0), _at(0.010, 0.010, 0.006)), 0.006)
