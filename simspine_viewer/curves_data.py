"""What can be drawn as a curve, taken from the values of a keypoint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

#: Of :class:`pipeline.kinematics.angles.Posture`, with what they are called and their unit.
ANGLES = {
    "lumbar_lordosis": ("Lumbar lordosis", "°"),
    "thoracic_kyphosis": ("Thoracic kyphosis", "°"),
    "cervical_lordosis": ("Cervical lordosis", "°"),
    "pelvic_tilt": ("Pelvic tilt", "°"),
    "trunk_inclination": ("Trunk inclination", "°"),
    "trunk_lean": ("Trunk lean to the right", "°"),
    "cobb": ("Largest coronal tilt", "°"),
    "sagittal_axis": ("Sagittal vertical axis", "mm"),
}


@dataclass(frozen=True, slots=True, eq=False)
class Angle:
    """An angle (degrees) or distance (mm) of the body over T frames; NaN where it is not known.

    ``seen`` (T,) is True where the points, not the priors, decide.
    """

    values: FloatArray
    sigma: FloatArray
    seen: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Quantity:
    """One plot: its title, unit, and whether it has a final curve and a band of sigma.

    ``of_body``: an angle or distance of the person's body model, whatever keypoint is selected.
    """

    id: str
    title: str
    unit: str
    staged: bool = False
    of_body: bool = False


QUANTITIES: tuple[Quantity, ...] = (
    Quantity("x", "X", "mm", staged=True),
    Quantity("y", "Y (up)", "mm", staged=True),
    Quantity("z", "Z", "mm", staged=True),
    Quantity("speed", "Speed", "m/s", staged=True),
    Quantity("residual", "Residual", "px"),
    Quantity("sigma", "Sigma", "mm", staged=True),
    Quantity("model", "Body model off by", "mm"),
    Quantity("picture_x", "Picture x", "px"),
    Quantity("picture_y", "Picture y", "px"),
    *(Quantity(name, title, unit, of_body=True) for name, (title, unit) in ANGLES.items()),
)
_BY_ID = {quantity.id: quantity for quantity in QUANTITIES}
#: Ids of what is there for every recording.
FIXED = frozenset(_BY_ID)
DEFAULT = ("x", "y", "z")
#: Of a joint of the column, with how they are called; ids are as ``L4_L5.flexion``.
MOTIONS = {"flexion": "flexion", "bending": "bending to the right", "twist": "twist to the left"}
#: Ids of joint coordinates begin so: ``q.hip_flexion_r``.
COORDINATE = "q."
_METRES = ("_tx", "_ty", "_tz")
_SIDES = {"r": "right", "l": "left"}


def quantity_of(name: str) -> Quantity | None:
    """What an id stands for: a fixed quantity, a joint's angle or a coordinate; None for nothing.

    Whether a body model has that joint or coordinate is not asked.
    """
    if name in _BY_ID:
        return _BY_ID[name]
    if name.startswith(COORDINATE):
        coordinate = name.removeprefix(COORDINATE)
        unit = "mm" if coordinate.endswith(_METRES) else "°"
        return Quantity(name, coordinate_title(coordinate), unit, of_body=True)
    level, _, motion = name.partition(".")
    if level and motion in MOTIONS:
        return Quantity(name, f"{level_title(level)} {MOTIONS[motion]}", "°", of_body=True)
    return None


def readout(angle: Angle, frame: int, limits: tuple[float, float] | None) -> str:
    """What is known of an angle in one frame, for a person to read."""
    value, sigma = float(angle.values[frame]), float(angle.sigma[frame])
    if not np.isfinite(value):
        return ""
    text = f"{value:.1f}" + (f" ± {sigma:.1f}" if np.isfinite(sigma) else "")
    if not angle.seen[frame]:
        text += ", from the prior"
    if limits is not None and not limits[0] <= value <= limits[1]:
        text += ", beyond the usual range"
    return text.replace("-", "−")


def level_title(level: str) -> str:
    """How a joint of the column is called: ``L4–L5`` for ``L4_L5``."""
    return level.replace("_", "–")


def coordinate_title(coordinate: str) -> str:
    """How a joint coordinate is called: ``Right hip flexion`` for ``hip_flexion_r``."""
    words = coordinate.split("_")
    if words[-1] in _SIDES and len(words) > 1:
        words = [_SIDES[words.pop()], *words]
    text = " ".join(words)
    return text[:1].upper() + text[1:]


def curve(
    values: dict[str, FloatArray], quantity: str, start: int, stop: int, fps: float, *, final: bool
) -> FloatArray:
    """(stop - start,) values of a quantity in frames ``start`` to ``stop``; NaN in gaps.

    Speed is measured between the neighbours of a frame, so it needs both of them.
    """
    prefix = "final_" if final else ""
    if quantity == "speed":
        low, high = max(start - 1, 0), min(stop + 1, len(values["x"]))
        xyz = np.stack([values[prefix + axis][low:high] for axis in "xyz"], axis=-1)
        speed = np.full(high - low, np.nan)
        speed[1:-1] = np.linalg.norm(xyz[2:] - xyz[:-2], axis=-1) * fps / 2000.0
        return speed[start - low : start - low + stop - start]
    name = prefix + quantity if _BY_ID[quantity].staged else quantity
    return values[name][start:stop]


def has_final(values: dict[str, FloatArray], start: int, stop: int) -> bool:
    """Whether some of the frames have a final point."""
    return bool(np.isfinite(values["final_x"][start:stop]).any())


def csv_text(
    names: dict[int, str],
    values: dict[int, dict[str, FloatArray]],
    quantities: list[str],
    frames: tuple[int, int],
    fps: float,
    angles: Mapping[str, Angle] | None = None,
) -> str:
    """Curves as CSV: one line per frame, one column per keypoint, quantity and stage.

    Parameters
    ----------
    names : dict of int to str
        Marker names of the keypoints to write.
    values : dict
        Fields of each of them.
    quantities : list of str
        Ids, as :func:`quantity_of` knows them.
    frames : (int, int)
        First frame and the one after the last.
    fps : float
    angles : mapping, optional
        Values, SDs and what is seen of the quantities of the body, by id.
    """
    start, stop = frames
    header, columns = ["frame", "time_s"], []
    chosen = [one for one in map(quantity_of, quantities) if one is not None]
    for one in chosen:
        if one.of_body and angles and one.id in angles:
            name = f"{one.id.replace('.', '_')}_{'deg' if one.unit == '°' else 'mm'}"
            header += [name, f"{name}_sd", f"{name}_seen"]
            angle = angles[one.id]
            seen = np.where(np.isfinite(angle.values), angle.seen, np.nan)
            columns += [each[start:stop] for each in (angle.values, angle.sigma, seen)]
    for keypoint, name in names.items():
        for quantity in (one for one in chosen if not one.of_body):
            final_too = quantity.staged and has_final(values[keypoint], start, stop)
            for final in (False, True) if final_too else (False,):
                stage = "_final" if final else ""
                unit = quantity.unit.replace("/", "_per_")
                header.append(f"{name}_{quantity.id}{stage}_{unit}")
                columns.append(curve(values[keypoint], quantity.id, start, stop, fps, final=final))
        header.append(f"{name}_edited")
        columns.append(values[keypoint]["edited"][start:stop])
    lines = [",".join(header)]
    for row, frame in enumerate(range(start, stop)):
        cells = [_cell(column[row], head) for column, head in zip(columns, header[2:], strict=True)]
        lines.append(",".join([str(frame), f"{frame / fps:.6f}", *cells]))
    return "\n".join(lines) + "\n"


def _cell(value: float, head: str) -> str:
    if not np.isfinite(value):
        return ""
    return str(int(value)) if head.endswith(("_edited", "_seen")) else f"{value:.4f}"
