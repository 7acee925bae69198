"""One page in HTML about a simulation: what was measured, how it was scaled, what the angles do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from numpy.typing import NDArray

from pipeline.kinematics.follow import share_simulated
from pipeline.kinematics.measured import Measured, was_measured
from pipeline.kinematics.published import CHAIN
from pipeline.simulation.outcome import DEFAULT, Outcome

FloatArray = NDArray[np.float64]

_WIDTH, _HEIGHT, _MARGIN = 760, 170, 44
_COLOURS = ("#0b62c4", "#c2410c", "#15803d", "#7e22ce")
#: Plots: heading, and the columns that are drawn in it with their names.
_PLOTS: tuple[tuple[str, Mapping[str, str]], ...] = (
    ("Curvature of the spine (degrees)", {
        "lumbar_lordosis_deg": "lumbar lordosis, L1 to S1",
        "thoracic_kyphosis_deg": "thoracic kyphosis, T4 to T12",
        "cervical_lordosis_deg": "cervical lordosis, C2 to C7"}),
    ("Trunk and pelvis (degrees)", {
        "trunk_inclination_deg": "trunk, forward", "trunk_lean_deg": "trunk, to the right",
        "pelvic_tilt_deg": "pelvic tilt", "cobb_deg": "largest coronal difference, L5 to T1"}),
    ("Distances (millimetres)", {
        "sagittal_axis_mm": "C7 before S1", "cervical_axis_mm": "C2 before C7",
        "coronal_balance_mm": "C7 to the right of S1"}),
)  # fmt: skip

_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:820px;margin:2em auto;padding:0 1em;color:#1b1f24;
background:#fff}h1{font-size:1.5em}h2{font-size:1.15em;margin-top:2em}table{border-collapse:collapse;
font-variant-numeric:tabular-nums}th,td{padding:.2em .8em;text-align:right;border-bottom:1px solid
#d8dee4}th:first-child,td:first-child{text-align:left;padding-left:0}p.note{color:#57606a}
svg text{font:12px system-ui,sans-serif;fill:#57606a}svg{width:100%;height:auto}
"""


@dataclass(frozen=True, slots=True, eq=False)
class Angles:
    """(T,) columns in degrees or millimetres by name, and (T,) how many angles are out of range."""

    regions: Mapping[str, FloatArray]
    levels: Mapping[str, FloatArray]
    beyond: NDArray[np.intp]


def report_html(title: str, measured: Measured, found: Outcome, angles: Angles | None) -> str:
    """The whole page, with nothing loaded from elsewhere."""
    curves = {} if angles is None else angles.regions
    parts = [
        f"<h1>{escape(title)}</h1>",
        _summary(measured, found, angles),
        *(_plot(heading, measured.times, curves, lines) for heading, lines in _PLOTS),
        "<h2>Scaling</h2>",
        _scaling(found),
        "<h2>What the model leaves over</h2>",
        _residuals(measured, found),
    ]
    body = "\n".join(parts)
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}'
        f"</title><style>{_STYLE}</style></head><body>\n{body}\n</body></html>\n"
    )


def _summary(measured: Measured, found: Outcome, angles: Angles | None) -> str:
    n_frames = len(measured.times)
    here = was_measured(measured)
    made_by = f"Made by {escape(found.made_by)}."
    lines = [
        made_by if found.made_by == DEFAULT else f"<strong>{made_by}</strong>",
        f"{n_frames} frames at {measured.rate:g} per second; {int(here.sum())} of "
        f"{len(measured.names)} keypoints were measured.",
        *(escape(note) for note in found.notes),
    ]
    if np.isfinite(found.marker_error).any():
        lines.append(
            f"Median distance of the model to the measured points: "
            f"{1000 * np.nanmedian(found.marker_error):.1f} mm."
        )
    column = [measured.names.index(name) for name in CHAIN if name in found.marker_names]
    lacking = [measured.names[place] for place in column if not here[place]]
    if lacking and found.made_by == DEFAULT:
        share = share_simulated(found.labels, np.array(column))
        lines.append(
            f"<strong>{100 * share:.0f} % of the column's labels come from the model and its "
            f"priors alone</strong>, because nothing measured {', '.join(lacking)}: the angles "
            "between vertebrae are what is usual for this posture, not what this back did."
        )
    if angles is None:
        lines.append("This model has none of our vertebrae: there are no angles of the spine.")
    elif beyond := int((angles.beyond > 0).sum()):
        lines.append(f"In {beyond} frames a joint of the spine goes further than is usual.")
    return "".join(f"<p>{line}</p>" for line in lines)


def _plot(
    heading: str, times: FloatArray, columns: Mapping[str, FloatArray], lines: Mapping[str, str]
) -> str:
    drawn = {
        name: columns[name]
        for name in lines
        if name in columns and np.isfinite(columns[name]).any()
    }
    if not drawn:
        return ""
    values = np.concatenate(list(drawn.values()))
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    room = max(0.08 * (high - low), 1.0)
    low, high = low - room, high + room
    begin, length = float(times[0]), max(float(times[-1] - times[0]), 1e-9)
    x = _MARGIN + (times - begin) / length * (_WIDTH - _MARGIN - 8)
    shapes = [_grid(low, high, begin, begin + length)]
    for colour, (name, series) in zip(_COLOURS, drawn.items(), strict=False):
        y = _HEIGHT - 24 - (series - low) / (high - low) * (_HEIGHT - 34)
        steps = [
            f"{'L' if i and np.isfinite(y[i - 1]) else 'M'}{x[i]:.1f} {y[i]:.1f}"
            for i in range(len(y))
            if np.isfinite(y[i])
        ]
        shapes.append(
            f'<path d="{"".join(steps)}" fill="none" stroke="{colour}" stroke-width="1.6">'
            f"<title>{escape(lines[name])}</title></path>"
        )
    key = " &nbsp; ".join(
        f'<span style="color:{colour}">&#9644;</span> {escape(lines[name])}'
        for colour, name in zip(_COLOURS, drawn, strict=False)
    )
    return (
        f"<h2>{escape(heading)}</h2><p class=note>{key}</p>"
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(heading)}">'
        f"{''.join(shapes)}</svg>"
    )


def _grid(low: float, high: float, begin: float, end: float) -> str:
    step = next(s for s in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 1e9) if (high - low) / s <= 6)
    shapes = []
    for value in np.arange(np.ceil(low / step), high / step + 1e-9) * step:
        y = _HEIGHT - 24 - (value - low) / (high - low) * (_HEIGHT - 34)
        shapes.append(
            f'<line x1="{_MARGIN}" x2="{_WIDTH - 8}" y1="{y:.1f}" y2="{y:.1f}" stroke="#d8dee4"/>'
            f'<text x="{_MARGIN - 6}" y="{y + 4:.1f}" text-anchor="end">{value:g}</text>'
        )
    for share in (0.0, 0.5, 1.0):
        x = _MARGIN + share * (_WIDTH - _MARGIN - 8)
        anchor = ("start", "middle", "end")[round(2 * share)]
        shapes.append(
            f'<text x="{x:.0f}" y="{_HEIGHT - 6}" text-anchor="{anchor}">'
            f"{begin + share * (end - begin):.2f} s</text>"
        )
    return "".join(shapes)


def _scaling(found: Outcome) -> str:
    refined = {one.name: one for one in found.scaling.refined}
    rows = []
    for one in found.scaling.factors:
        if np.isnan(one.factor):
            row = (one.name, f"{found.scaling.unmeasured:.3f}", "not measured", "", "")
        else:
            left = ", ".join(f"{1000 * residual:+.1f}" for residual in one.residuals)
            said = "bounded by the stature" if one.bounded else ""
            row = (one.name, f"{one.factor:.3f}", f"{one.n_frames}", left, said)
        told = refined.get(one.name)
        if told is None:
            rows.append((*row, ""))
        else:
            why = "" if told.seen else ", mostly by the stature"
            rows.append((*row, f"{told.factor:.3f} ± {told.factor * told.sigma:.3f}{why}"))
    head = ("region", "by lengths", "frames", "left over (mm)", "", "as applied, by movements")
    return _table(head, rows)


def _residuals(measured: Measured, found: Outcome) -> str:
    error, moved = found.marker_error, found.labels.xyz - measured.xyz
    rows = []
    for place, name in enumerate(measured.names):
        if np.isfinite(error[:, place]).any():
            shown = (
                measured.sigma[:, place],
                error[:, place],
                np.linalg.norm(moved[:, place], axis=-1),
            )
            rows.append((name, *(_median_mm(one) for one in shown)))
    head = ("keypoint", "SD of the point (mm)", "point to model (mm)", "point to label (mm)")
    return _table(head, rows)


def _median_mm(values: FloatArray) -> str:
    return f"{1000 * np.nanmedian(values):.1f}" if np.isfinite(values).any() else ""


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    def line(cells: tuple[str, ...], tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells) + "</tr>"

    return f"<table>{line(head, 'th')}{''.join(line(row, 'td') for row in rows)}</table>"
