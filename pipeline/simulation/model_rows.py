"""One class per table in ``resources/spine_model``; its fields are the table's columns."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ColumnJoint:
    """One intervertebral joint: its place in the parent and in the neutral mid-hip frame."""

    level: str
    child: str
    parent: str
    x_mm: float
    y_mm: float
    loc_x_mm: float
    loc_y_mm: float
    neutral_zrot_deg: float
    pitch_mid_deg: float
    centre_x_mm: float
    centre_y_mm: float
    pitch_inf_deg: float | None
    pitch_sup_deg: float | None
    source: str
    certainty: str


@dataclass(frozen=True, slots=True)
class RhythmShare:
    """The part of a regional coordinate that one level takes."""

    set: str
    coordinate: str
    level: str
    share: float
    source: str
    certainty: str


@dataclass(frozen=True, slots=True)
class RegionalCoordinate:
    """A free coordinate of the spine with its range and the spread expected in people."""

    set: str
    name: str
    motion: str
    anchor: str
    min_deg: float
    max_deg: float
    prior_sd_deg: float
    source: str
    certainty: str


@dataclass(frozen=True, slots=True)
class LevelLimit:
    """Largest plausible angle of one level; bending and twist to one side."""

    level: str
    flex_deg: float
    ext_deg: float
    bend_deg: float
    twist_deg: float
    source: str
    certainty: str


@dataclass(frozen=True, slots=True)
class TrunkSlice:
    """Mass of a vertebra with the soft tissue around it; inertia about its centre of mass."""

    body: str
    mass_kg: float
    to_girdle_kg: float
    com_x_mm: float
    com_y_mm: float
    height_mm: float
    breadth_m: float
    depth_m: float
    ixx_kgm2: float
    iyy_kgm2: float
    izz_kgm2: float
    source: str
    certainty: str


@dataclass(frozen=True, slots=True)
class Segment:
    """Mass of a body outside the column; ``side`` is "mid" or "both" (given for the right)."""

    body: str
    side: str
    mass_kg: float
    com_x_mm: float
    com_y_mm: float
    com_z_mm: float
    ixx_kgm2: float
    iyy_kgm2: float
    izz_kgm2: float
    source: str
    certainty: str


@dataclass(frozen=True, slots=True)
class LimbAxis:
    """One axis of a right limb's joint; a weld has neither coordinate nor axis."""

    joint: str
    parent: str
    child: str
    x_mm: float
    y_mm: float
    z_mm: float
    frame: str
    coordinate: str
    axis_x: float | None
    axis_y: float | None
    axis_z: float | None
    min_deg: float | None
    max_deg: float | None
    default_deg: float | None
    clamped: str
    locked: str
    source: str
    certainty: str


@dataclass(frozen=True, slots=True)
class SpinePoint:
    """Spinous process tip and the skin behind it, in the vertebra's frame."""

    body: str
    spinous_x_mm: float
    spinous_y_mm: float
    skin_x_mm: float
    skin_y_mm: float
    source: str
    certainty: str


@dataclass(frozen=True, slots=True)
class BodyPoint:
    """A bony or skin point (of the right side), in its body's or in the neutral mid-hip frame."""

    point: str
    body: str
    frame: str
    x_mm: float
    y_mm: float
    z_mm: float
    definition: str
    source: str
    certainty: str


@dataclass(frozen=True, slots=True)
class KeypointMarker:
    """Where a keypoint sits: a point, or at a depth between a vertebra's centre and its skin."""

    keypoint: str
    marker: str
    body: str
    kind: str
    frame: str
    x_mm: float | None
    y_mm: float | None
    z_mm: float | None
    depth: float | None
    definition: str
    source: str
    certainty: str


@dataclass(frozen=True, slots=True)
class VertebraShape:
    """Measures of one vertebra for its mesh."""

    body: str
    height_mid_mm: float
    height_ant_mm: float
    height_post_mm: float
    endplate_width_sup_mm: float
    endplate_width_inf_mm: float
    endplate_depth_mm: float
    disc_mid_mm: float
    disc_ant_mm: float
    disc_post_mm: float
    canal_width_mm: float
    canal_depth_mm: float
    pedicle_width_mm: float
    pedicle_height_mm: float
    spinous_length_mm: float
    spinous_slope_deg: float
    spinous_height_mm: float
    transverse_span_mm: float
    facet_deg: float
    source: str
    certainty: str


@dataclass(frozen=True, slots=True)
class BoneSize:
    """One measure of another bone."""

    bone: str
    quantity: str
    value: float
    source: str
    certainty: str


@dataclass(frozen=True, slots=True)
class Alignment:
    """One measure of the neutral posture: the model's value and, where known, people's."""

    quantity: str
    model: float
    literature_mean: float | None
    literature_sd: float | None
    unit: str
    source: str
    certainty: str
