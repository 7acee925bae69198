"""The lines and bands of a quantity in the visible frames."""

from __future__ import annotations

import math
from functools import cache

import numpy as np

from simspine_viewer import curves_data as data
from simspine_viewer.curves_data import Angle, FloatArray, Quantity
from simspine_viewer.curves_plot import Curve
from simspine_viewer.theme import Theme
from simspine_viewer.timeline_axis import TimeView


@cache
def angle_limits(quantity: str) -> tuple[float, float] | None:
    """Usual limits of a joint of the column in degrees; None for what has none."""
    from pipeline.kinematics.angle_sigma import angle_limits as radians_of

    limits = radians_of(quantity)
    return None if limits is None else (math.degrees(limits[0]), math.degrees(limits[1]))


def keypoint_curves(
    values: dict[str, FloatArray],
    quantity: Quantity,
    colour: str,
    view: TimeView,
    fps: float,
    *,
    band: bool,
) -> list[Curve]:
    """Of a keypoint: where there is a final curve, what was triangulated is dashed under it."""
    start, stop = _visible(view)
    final = quantity.staged and data.has_final(values, start, stop)
    edited = values["edited"][start:stop] > 0
    made = []
    if final:
        under = data.curve(values, quantity.id, start, stop, fps, final=False)
        made.append(Curve(colour, start, under, dashed=True))
    line = data.curve(values, quantity.id, start, stop, fps, final=final)
    sigma = None
    if band and quantity.id in "xyz":
        sigma = values["final_sigma" if final else "sigma"][start:stop]
    return [*made, Curve(colour, start, line, band=sigma, edited=edited)]


def angle_curves(angle: Angle, theme: Theme, view: TimeView, *, band: bool) -> list[Curve]:
    """Of the body: dashed where the priors speak, in the band of one SD."""
    start, stop = _visible(view)
    values, seen = angle.values[start:stop], angle.seen[start:stop]
    # A frame more at both ends, so that the line goes on.
    prior = np.pad(~seen, 1)
    prior = prior[:-2] | prior[1:-1] | prior[2:]
    made = [
        Curve(theme.muted, start, np.where(prior, values, np.nan), dashed=True),
        Curve(theme.text, start, np.where(seen, values, np.nan)),
    ]
    if band:
        sigma = angle.sigma[start:stop]
        made.append(Curve(theme.accent, start, values, band=sigma, hidden=True))
    return made


def _visible(view: TimeView) -> tuple[int, int]:
    return max(view.start - 1, 0), min(view.stop + 1, view.n_frames)
