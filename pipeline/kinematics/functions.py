"""Values and derivatives of the model's functions, compiled, and coordinates made consistent."""

from __future__ import annotations

from typing import Any

import numpy as np

from pipeline.kinematics.compiled import entry
from pipeline.kinematics.model import CONSTANT, LINEAR, FloatArray, KinematicModel


@entry
def function_value(
    kind: int, slope: float, offset: float, knots: Any, start: int, stop: int, x: float
) -> tuple[float, float, float]:
    """Value, first and second derivative at ``x`` of one row of the function table.

    ``knots`` is flat: argument, value and derivative of one knot after the other, this function's
    from index ``start`` to ``stop``.
    """
    if kind == LINEAR:
        return slope * x + offset, slope, 0.0
    if kind == CONSTANT:
        return offset, 0.0, 0.0
    low, high = start, stop - 3
    if x <= knots[low]:
        return knots[low + 1] + knots[low + 2] * (x - knots[low]), knots[low + 2], 0.0
    if x >= knots[high]:
        return knots[high + 1] + knots[high + 2] * (x - knots[high]), knots[high + 2], 0.0
    while high - low > 3:
        middle = low + 3 * ((high - low) // 6)
        if x < knots[middle]:
            high = middle
        else:
            low = middle
    width = knots[high] - knots[low]
    rise = (knots[high + 1] - knots[low + 1]) / width
    c2 = (3.0 * rise - 2.0 * knots[low + 2] - knots[high + 2]) / width
    c3 = (knots[low + 2] + knots[high + 2] - 2.0 * rise) / (width * width)
    h = x - knots[low]
    return (
        knots[low + 1] + h * (knots[low + 2] + h * (c2 + h * c3)),
        knots[low + 2] + h * (2.0 * c2 + 3.0 * h * c3),
        2.0 * c2 + 6.0 * h * c3,
    )


def evaluate(model: KinematicModel, function: int, x: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Values and first derivatives of row ``function`` of the table at ``x``, of any shape."""
    start, stop = 3 * model.function_knots[function : function + 2]
    slope, offset = model.function_terms[function]
    kind, knots = int(model.function_kind[function]), model.knots.reshape(-1)
    if kind == LINEAR:
        values = np.asarray(x, dtype=np.float64)
        return slope * values + offset, np.full(values.shape, slope)
    flat = [
        function_value(kind, slope, offset, knots, start, stop, float(value))
        for value in np.ravel(x)
    ]
    found = np.array([row[:2] for row in flat]).reshape(*np.shape(x), 2)
    return found[..., 0], found[..., 1]


def consistent(model: KinematicModel, coordinates: FloatArray) -> FloatArray:
    """Coordinates whose driven members follow from their drivers.

    Parameters
    ----------
    coordinates
        (..., Q) metres and radians; what driven coordinates hold is not looked at.

    Returns
    -------
    FloatArray
        (..., Q) a new, contiguous array.
    """
    result = np.array(coordinates, dtype=np.float64, order="C")
    driven = np.flatnonzero(model.coupled_to >= 0)
    if not driven.size:
        return result
    functions = model.coupler_function[driven]
    linear = model.function_kind[functions] == LINEAR
    terms, targets = model.function_terms[functions[linear]], driven[linear]
    result[..., targets] = terms[:, 0] * result[..., model.coupled_to[targets]] + terms[:, 1]
    for q, function in zip(driven[~linear], functions[~linear], strict=True):
        result[..., q] = evaluate(model, int(function), result[..., model.coupled_to[q]])[0]
    return result
