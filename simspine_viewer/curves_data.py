"""What can be drawn as a curve, taken from the values of a keypoint."""

from __future__ import annotations

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
BY_ID = {quantity.id: quantity for quantity in QUANTITIES}
DEFAULT = ("x", "y", "z")


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
    name = prefix + quantity if BY_ID[quantity].staged else quantity
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
    angles: dict[str, FloatArray] | None = None,
) -> str:
    """Curves as CSV: one line per frame, one column per keypoint, quantity and stage.

    Parameters
    ----------
    names : dict of int to str
        Marker names of the keypoints to write.
    values : dict
        Fields of each of them.
    quantities : list of str
        Ids of :data:`QUANTITIES`.
    frames : (int, int)
        First frame and the one after the last.
    fps : float
    angles : dict, optional
        Values of the quantities of the body, by id.
    """
    start, stop = frames
    header, columns = ["frame", "time_s"], []
    for entry in quantities:
        if BY_ID[entry].of_body and angles and entry in angles:
            header.append(f"{entry}_{'deg' if BY_ID[entry].unit == '°' else 'mm'}")
            columns.append(angles[entry][start:stop])
    for keypoint, name in names.items():
        for quantity in (BY_ID[entry] for entry in quantities if not BY_ID[entry].of_body):
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
    return str(int(value)) if head.endswith("_edited") else f"{value:.4f}"
