"""The tables in ``resources/spine_model`` that the articulated spine model is built from.

Every row carries a source and a certainty: V seen in the paper or model file, S seen in a
compilation that cites it, R recalled, D derived here, A assumed. Millimetres and degrees here.
"""

from __future__ import annotations

import csv
import math
from collections import defaultdict
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal, TypeVar, get_type_hints

from pipeline.data.errors import UserError
from pipeline.data.resources import resource_path
from pipeline.simulation.model_rows import (
    Alignment,
    BodyPoint,
    BoneSize,
    ColumnJoint,
    KeypointMarker,
    LevelLimit,
    LimbAxis,
    RegionalCoordinate,
    RhythmShare,
    Segment,
    SpinePoint,
    TrunkSlice,
    VertebraShape,
)

Variant = Literal["core", "extended"]
VARIANTS: tuple[Variant, ...] = ("core", "extended")
MOTIONS = ("flex", "bend", "twist")
CERTAINTIES = frozenset("VSRDA")

_SHARE_TOLERANCE = 2e-3
# The published chain is rounded to 0.1 mm and 0.25 degrees.
_CHAIN_TOLERANCE_MM = 0.3


@dataclass(frozen=True, slots=True)
class SpineTables:
    """All tables of the model, checked against each other."""

    joints: tuple[ColumnJoint, ...]
    rhythms: tuple[RhythmShare, ...]
    coordinates: tuple[RegionalCoordinate, ...]
    level_limits: tuple[LevelLimit, ...]
    trunk_slices: tuple[TrunkSlice, ...]
    segments: tuple[Segment, ...]
    limb_joints: tuple[LimbAxis, ...]
    spine_points: tuple[SpinePoint, ...]
    body_points: tuple[BodyPoint, ...]
    markers: tuple[KeypointMarker, ...]
    vertebra_shapes: tuple[VertebraShape, ...]
    bone_sizes: tuple[BoneSize, ...]
    alignment: tuple[Alignment, ...]

    def regional(self, variant: Variant) -> list[RegionalCoordinate]:
        """The free coordinates of a variant, in the table's order."""
        return [row for row in self.coordinates if variant in row.set.split("+")]

    def shares(self, variant: Variant) -> dict[tuple[str, str], tuple[str, float]]:
        """(level, motion) -> (regional coordinate, share); each region's shares sum to 1."""
        motion = {row.name: row.motion for row in self.regional(variant)}
        rows = [row for row in self.rhythms if variant in row.set.split("+")]
        total: dict[str, float] = defaultdict(float)
        for row in rows:
            total[row.coordinate] += row.share
        return {
            (row.level, motion[row.coordinate]): (row.coordinate, row.share / total[row.coordinate])
            for row in rows
        }

    def size(self, bone: str, quantity: str) -> float:
        """One measure of a bone."""
        return next(
            row.value for row in self.bone_sizes if (row.bone, row.quantity) == (bone, quantity)
        )

    def posture(self, quantity: str) -> float:
        """One measure of the model's neutral posture."""
        return next(row.model for row in self.alignment if row.quantity == quantity)


_Row = TypeVar("_Row")
_ROW_TYPES: dict[str, type] = {
    "joints": ColumnJoint,
    "rhythms": RhythmShare,
    "coordinates": RegionalCoordinate,
    "level_limits": LevelLimit,
    "trunk_slices": TrunkSlice,
    "segments": Segment,
    "limb_joints": LimbAxis,
    "spine_points": SpinePoint,
    "body_points": BodyPoint,
    "markers": KeypointMarker,
    "vertebra_shapes": VertebraShape,
    "bone_sizes": BoneSize,
    "alignment": Alignment,
}


def read_tables(folder: Path | None = None) -> SpineTables:
    """Read and check all tables.

    Parameters
    ----------
    folder
        Where the CSV files lie; by default the shipped ``resources/spine_model``.

    Raises
    ------
    UserError
        A file is missing or a row is wrong; the sentence names file and row.
    """
    folder = folder or resource_path("spine_model")
    read: dict[str, Any] = {
        name: _read(folder / f"{name}.csv", kind) for name, kind in _ROW_TYPES.items()
    }
    tables = SpineTables(**read)
    _check_chain(tables, folder / "joints.csv")
    _check_rhythms(tables, folder / "rhythms.csv")
    _check_limbs(tables, folder / "limb_joints.csv")
    _check_bodies(tables, folder)
    return tables


def _read(path: Path, kind: type[_Row]) -> tuple[_Row, ...]:
    try:
        with path.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            columns = [field.name for field in fields(kind)]  # type: ignore[arg-type]
            if reader.fieldnames != columns:
                raise UserError(f"{path}: the columns must be {','.join(columns)}.")
            types = get_type_hints(kind)
            return tuple(
                kind(**{name: _value(path, number, name, row[name], types[name]) for name in types})
                for number, row in enumerate(reader, start=2)
            )
    except OSError as error:
        raise UserError(f"{path}: the table cannot be read ({error.strerror}).") from error


def _value(path: Path, number: int, column: str, text: str | None, kind: Any) -> Any:
    where = f"{path}, row {number}"
    if text is None:
        raise UserError(f"{where}: the row ends before column {column}.")
    if column in ("source", "certainty") and not text:
        raise UserError(f"{where}: {column} is empty.")
    if column == "certainty" and not set(text.split("/")) <= CERTAINTIES:
        raise UserError(f"{where}: certainty {text!r} is none of V, S, R, D, A.")
    if kind is str:
        return text
    if not text and kind is not float:
        return None
    try:
        value = float(text)
    except ValueError:
        raise UserError(f"{where}: {column} is {text!r}, not a number.") from None
    if not math.isfinite(value):
        raise UserError(f"{where}: {column} is {text!r}, not a finite number.")
    return value


def _check_chain(tables: SpineTables, path: Path) -> None:
    # The first joint is taken as given; each next one must follow from the one below it.
    known: dict[str, tuple[float, float, float]] = {}
    for number, joint in enumerate(tables.joints, start=2):
        if known and joint.parent not in known:
            raise UserError(f"{path}, row {number}: {joint.parent} must come before its child.")
        if joint.parent in known:
            x, y, angle = known[joint.parent]
            cos, sin = math.cos(angle), math.sin(angle)
            x += cos * joint.loc_x_mm - sin * joint.loc_y_mm
            y += sin * joint.loc_x_mm + cos * joint.loc_y_mm
            if math.hypot(x - joint.x_mm, y - joint.y_mm) > _CHAIN_TOLERANCE_MM:
                raise UserError(
                    f"{path}, row {number}: {joint.level} follows from its parent at "
                    f"({x:.2f}, {y:.2f}) mm, not at ({joint.x_mm}, {joint.y_mm})."
                )
            pitch = -math.degrees(angle + math.radians(joint.neutral_zrot_deg))
            if abs(pitch - joint.pitch_mid_deg) > 0.01:
                raise UserError(
                    f"{path}, row {number}: {joint.level} has pitch {pitch:.2f} degrees by its "
                    f"neutral rotation, not {joint.pitch_mid_deg}."
                )
            known[joint.child] = (x, y, -math.radians(pitch))
        else:
            known[joint.child] = (joint.x_mm, joint.y_mm, -math.radians(joint.pitch_mid_deg))


def _check_rhythms(tables: SpineTables, path: Path) -> None:
    levels = {joint.level for joint in tables.joints}
    for number, row in enumerate(tables.rhythms, start=2):
        if row.level not in levels:
            raise UserError(f"{path}, row {number}: there is no level {row.level}.")
    for variant in VARIANTS:
        free = {row.name: row for row in tables.regional(variant)}
        driven = _driven(tables, path, variant, free)
        for level in sorted(levels):
            for motion in MOTIONS:
                if (level, motion) not in driven:
                    raise UserError(f"{path}: nothing drives {level} {motion} ({variant}).")
        for region in free.values():
            if driven[region.anchor, region.motion] != region.name:
                raise UserError(f"{path}: {region.name} has no share at its anchor.")


def _driven(
    tables: SpineTables, path: Path, variant: Variant, free: dict[str, RegionalCoordinate]
) -> dict[tuple[str, str], str]:
    """(level, motion) -> the coordinate that drives it; the shares of each must sum to 1."""
    driven: dict[tuple[str, str], str] = {}
    total: dict[str, float] = defaultdict(float)
    for number, row in enumerate(tables.rhythms, start=2):
        if variant not in row.set.split("+"):
            continue
        if row.coordinate not in free:
            raise UserError(f"{path}, row {number}: there is no coordinate {row.coordinate}.")
        key = row.level, free[row.coordinate].motion
        if key in driven:
            raise UserError(f"{path}, row {number}: {row.level} {key[1]} is driven twice.")
        driven[key] = row.coordinate
        total[row.coordinate] += row.share
    for name, share in total.items():
        if abs(share - 1.0) > _SHARE_TOLERANCE:
            raise UserError(f"{path}: the shares of {name} sum to {share:.4f}, not to 1.")
    return driven


def _check_limbs(tables: SpineTables, path: Path) -> None:
    bodies = _bodies(tables)
    for number, row in enumerate(tables.limb_joints, start=2):
        where = f"{path}, row {number}"
        if f"{row.child}_r" not in bodies:
            raise UserError(f"{where}: there is no body {row.child}_r.")
        if not {row.parent, f"{row.parent}_r"} & bodies:
            raise UserError(f"{where}: there is no body {row.parent}.")
        if row.frame not in ("parent", "neutral"):
            raise UserError(f"{where}: frame is {row.frame!r}, neither parent nor neutral.")
        numbers = row.axis_x, row.axis_y, row.axis_z, row.min_deg, row.max_deg, row.default_deg
        if row.coordinate and (None in numbers or {row.clamped, row.locked} - {"yes", "no"}):
            raise UserError(f"{where}: {row.coordinate} lacks its axis, range, default or flags.")


def _bodies(tables: SpineTables) -> set[str]:
    bodies = {joint.child for joint in tables.joints}
    for segment in tables.segments:
        sides = ("",) if segment.side == "mid" else ("_r", "_l")
        bodies |= {segment.body + side for side in sides}
    return bodies


def _check_bodies(tables: SpineTables, folder: Path) -> None:
    bodies = _bodies(tables)
    massive = {row.body: row.mass_kg for row in tables.trunk_slices}
    massive |= {row.body: row.mass_kg for row in tables.segments}
    for body, mass in massive.items():
        if mass <= 0:
            raise UserError(f"{folder}: body {body} has no mass.")
    pointed = {row.body for row in tables.spine_points}
    for joint in tables.joints:
        if joint.child not in massive:
            raise UserError(f"{folder / 'trunk_slices.csv'}: {joint.child} has no row.")
        if joint.child != "skull" and joint.child not in pointed:
            raise UserError(f"{folder / 'spine_points.csv'}: {joint.child} has no row.")
    seen: set[str] = set()
    for number, marker in enumerate(tables.markers, start=2):
        where = f"{folder / 'markers.csv'}, row {number}"
        if marker.body not in bodies:
            raise UserError(f"{where}: there is no body {marker.body}.")
        if marker.marker in seen:
            raise UserError(f"{where}: marker {marker.marker} is named twice.")
        seen.add(marker.marker)
        if marker.kind == "depth" and marker.depth is None:
            raise UserError(f"{where}: {marker.marker} has no depth.")
        if marker.kind == "point" and None in (marker.x_mm, marker.y_mm, marker.z_mm):
            raise UserError(f"{where}: {marker.marker} has no position.")
