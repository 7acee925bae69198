"""The lanes that the timeline can show: what each measures, its scale and when it is bad."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from simspine_viewer.palette import LOW_SCORE
from simspine_viewer.settings import Settings

# Which computation gives the values; lanes of one group are computed together.
Group = Literal["frames", "points", "motion", "outside", "heldout", "markers", "model"]


@dataclass(frozen=True, slots=True)
class Lane:
    """One lane.

    ``low_is_bad``: small values are the suspicious ones. ``threshold`` in ``unit``: beyond it a
    frame is suspicious; None where any value above zero is, or none is (``full`` 0: scaled to the
    largest value). ``full``: value that fills the lane. ``colour``: name of a theme colour.
    ``points``: made from the triangulated points, so unknown while those are.
    """

    id: str
    title: str
    group: Group
    unit: str
    help: str
    threshold: float | None = None
    full: float = 0.0
    low_is_bad: bool = False
    colour: str = "muted"
    points: bool = True
    digits: int = 1
    solid: bool = False
    counts: bool = False


# Thresholds that nobody can set are working values: near the ninetieth percentile, or twice the
# median, over the four-camera recording the program was built with.
LANES: tuple[Lane, ...] = (
    Lane("residual", "Residual", "frames", "px",
         "The largest distance in a frame between a 3D point, seen by the cameras, and where it "
         "was observed. Red beyond the error threshold (Edit ▸ Error Threshold…).",
         threshold=30.0, full=60.0),
    Lane("confidence", "Confidence", "frames", "",
         "Mean score of the observed points; placed points count as 1. Low is bad.",
         threshold=LOW_SCORE, full=1.0, low_is_bad=True, colour="good", points=False, digits=2),
    Lane("edited", "Edited", "frames", "", "Number of values placed or marked by a person.",
         colour="accent", points=False, digits=0, solid=True, counts=True),
    Lane("missing", "Missing", "points", "",
         "Keypoints without a 3D point. Only keypoints that the detector gives somewhere in this "
         "recording are counted; what it never gives would always be missing.",
         colour="warning", digits=0, counts=True),
    Lane("sigma", "Sigma", "points", "mm",
         "Largest standard deviation of a 3D point: how uncertain the cameras leave it.",
         threshold=60.0, full=120.0),
    Lane("views", "Views seen", "points", "",
         "Mean number of views that each 3D point rests on. With two views nothing checks them.",
         threshold=2.5, full=4.0, low_is_bad=True, colour="good"),
    Lane("speed", "Speed", "motion", "m/s",
         "Speed of the selected keypoint; of the fastest one while none is selected."),
    Lane("jump", "Jump", "motion", "mm",
         "Second difference of the selected keypoint's position over three frames; of the worst "
         "keypoint while none is selected. A jump of one frame stands out, smooth motion does not.",
         threshold=60.0, full=120.0),
    Lane("limb", "Limb length", "points", "%",
         "Largest deviation of a long bone from its median length in this recording.",
         threshold=25.0, full=50.0),
    Lane("asymmetry", "Left/right", "points", "%",
         "Largest difference in length between a long left bone and its right counterpart.",
         threshold=25.0, full=50.0),
    Lane("heldout", "Held-out", "heldout", "px",
         "Error of each view predicted from the others, median of a frame. Measured in frames "
         "spread over the recording; in between nothing is shown.",
         threshold=30.0, full=60.0, points=False),
    Lane("outside", "Out of picture", "outside", "",
         "3D points that fall outside the picture of a view, counted over all views.",
         colour="warning", digits=0, counts=True),
    Lane("model", "Body model", "model", "mm",
         "The largest distance in a frame between a point of the body model and the final point. "
         "Far off, either the point is wrong or the body cannot get there. Simulate first "
         "(Tools ▸ Simulate).",
         threshold=60.0, full=120.0, points=False, digits=0),
    Lane("markers", "Markers", "markers", "",
         "Your markers, with the beginning of their notes.", points=False, digits=0),
)  # fmt: skip
BY_ID = {lane.id: lane for lane in LANES}
DEFAULT = ("residual", "confidence", "edited", "missing")
LOWEST, HIGHEST = 15.0, 60.0


def chosen(settings: Settings) -> list[Lane]:
    """The lanes to show, from the top; the default ones where the settings name none."""
    lanes = [BY_ID[name] for name in dict.fromkeys(settings.lanes) if name in BY_ID]
    return lanes or [BY_ID[name] for name in DEFAULT]


def limits(lane: Lane, settings: Settings) -> tuple[float | None, float]:
    """Threshold and full scale of a lane with the user's error threshold; full 0: the largest."""
    if lane.unit == "px":
        return settings.error_threshold, 2.0 * settings.error_threshold
    return lane.threshold, lane.full


def value_text(lane: Lane, value: float) -> str:
    """A value as people read it: “12.3 px”."""
    unit = lane.unit if lane.unit in ("", "%") else f" {lane.unit}"
    return f"{value:.{lane.digits}f}{unit}"


def toggled(lanes: Iterable[Lane], lane: Lane) -> list[str]:
    """Ids with one more lane, or one less; the last one stays."""
    ids = [entry.id for entry in lanes]
    if lane.id not in ids:
        return [*ids, lane.id]
    return [name for name in ids if name != lane.id] or ids


def moved(lanes: Iterable[Lane], lane: Lane, row: int) -> list[str]:
    """Ids with one lane moved to a row."""
    ids = [entry.id for entry in lanes if entry.id != lane.id]
    ids.insert(min(max(row, 0), len(ids)), lane.id)
    return ids
