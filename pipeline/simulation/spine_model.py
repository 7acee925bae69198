"""Builds the articulated full-body model through the OpenSim API from its tables."""

from __future__ import annotations

import math
from typing import Any

from pipeline.simulation.model_limbs import add_limbs, axis_named
from pipeline.simulation.model_tables import MOTIONS, SpineTables, Variant
from pipeline.simulation.neutral_pose import MM, marker_in_body, neutral_frames
from pipeline.simulation.opensim_api import osim

ShownMesh = tuple[str, tuple[float, float, float]]
# Flexion, bending to the right and twist to the left are positive; ISB order Z, X, Y (Wu 2002).
AXES = {"flex": (0.0, 0.0, -1.0), "bend": (1.0, 0.0, 0.0), "twist": (0.0, 1.0, 0.0)}
_PELVIS_AXES = (
    ("pelvis_tilt", (0.0, 0.0, 1.0), math.pi / 2),
    ("pelvis_list", (1.0, 0.0, 0.0), math.pi / 2),
    ("pelvis_rotation", (0.0, 1.0, 0.0), math.pi),
    ("pelvis_tx", (1.0, 0.0, 0.0), 50.0),
    ("pelvis_ty", (0.0, 1.0, 0.0), 50.0),
    ("pelvis_tz", (0.0, 0.0, 1.0), 50.0),
)


def build_spine_model(
    tables: SpineTables,
    variant: Variant = "core",
    meshes: dict[str, list[ShownMesh]] | None = None,
) -> Any:
    """The model as an ``opensim.Model`` with its connections made.

    Parameters
    ----------
    tables
        What :func:`pipeline.simulation.model_tables.read_tables` returned.
    variant
        "core" has 11 free coordinates of the spine, "extended" 13.
    meshes
        Mesh file and colour of what is shown on each body; without it, no geometry.
    """
    model = osim.Model()
    model.setName(f"simspine_{variant}")
    model.set_credits("SIMSPINE Viewer; sources of all numbers: resources/spine_model")
    model.set_publications("docs/spine-model.md")
    model.setGravity(osim.Vec3(0, -9.80665, 0))
    frames = neutral_frames(tables)
    _add_trunk_bodies(model, tables)
    _add_pelvis(model, tables)
    _add_column(model, tables, variant)
    add_limbs(model, tables, frames)
    for marker in tables.markers:
        place = osim.Vec3(*marker_in_body(tables, marker, frames).round(6).tolist())
        body = model.getBodySet().get(marker.body)
        model.addMarker(osim.Marker(marker.marker, body, place))
    for body_name, shown in (meshes or {}).items():
        body = model.getBodySet().get(body_name)
        for file, colour in shown:
            mesh = osim.Mesh(file)
            mesh.setColor(osim.Vec3(*colour))
            body.attachGeometry(mesh)
    model.finalizeConnections()
    return model


def _add_trunk_bodies(model: Any, tables: SpineTables) -> None:
    for row in tables.segments:
        if row.side == "mid":
            com = osim.Vec3(row.com_x_mm * MM, row.com_y_mm * MM, row.com_z_mm * MM)
            inertia = osim.Inertia(row.ixx_kgm2, row.iyy_kgm2, row.izz_kgm2)
            model.addBody(osim.Body(row.body, row.mass_kg, com, inertia))
    for slice_ in tables.trunk_slices:
        mass = slice_.mass_kg - slice_.to_girdle_kg
        left = mass / slice_.mass_kg
        com = osim.Vec3(slice_.com_x_mm * MM, slice_.com_y_mm * MM, 0.0)
        inertia = osim.Inertia(
            *(round(left * i, 8) for i in (slice_.ixx_kgm2, slice_.iyy_kgm2, slice_.izz_kgm2))
        )
        model.addBody(osim.Body(slice_.body, round(mass, 6), com, inertia))


def _add_pelvis(model: Any, tables: SpineTables) -> None:
    transform = osim.SpatialTransform()
    for number, (name, axis, _) in enumerate(_PELVIS_AXES):
        axis_named(transform, number, name, axis, 1.0)
    pelvis = model.getBodySet().get("pelvis")
    model.addJoint(osim.CustomJoint("ground_pelvis", model.getGround(), pelvis, transform))
    joint = model.getJointSet().get("ground_pelvis")
    for number, (_, _, limit) in enumerate(_PELVIS_AXES):
        coordinate = joint.upd_coordinates(number)
        coordinate.setRangeMin(-limit)
        coordinate.setRangeMax(limit)
    joint.upd_coordinates(4).setDefaultValue(tables.posture("hip_axis_height") * MM)
    place = osim.Vec3(tables.posture("s1_x") * MM, tables.posture("s1_y") * MM, 0.0)
    turned = osim.Vec3(0.0, 0.0, -math.radians(tables.posture("sacral_slope")))
    sacrum = model.getBodySet().get("sacrum")
    zero = osim.Vec3(0)
    model.addJoint(osim.WeldJoint("sacroiliac", pelvis, place, turned, sacrum, zero, zero))


def _add_column(model: Any, tables: SpineTables, variant: Variant) -> None:
    shares = tables.shares(variant)
    regional = {row.name: row for row in tables.regional(variant)}
    bodies = model.getBodySet()
    for joint in tables.joints:
        transform = osim.SpatialTransform()
        names = {}
        for number, motion in enumerate(MOTIONS):
            region, share = shares[joint.level, motion]
            anchored = regional[region].anchor == joint.level
            names[motion] = region if anchored else f"{joint.level}_{motion}"
            axis_named(transform, number, names[motion], AXES[motion], share if anchored else 1.0)
        place = osim.Vec3(joint.loc_x_mm * MM, joint.loc_y_mm * MM, 0.0)
        turned = osim.Vec3(0.0, 0.0, math.radians(joint.neutral_zrot_deg))
        parent, child = bodies.get(joint.parent), bodies.get(joint.child)
        zero = osim.Vec3(0)
        model.addJoint(
            osim.CustomJoint(joint.level, parent, place, turned, child, zero, zero, transform)
        )
        made = model.getJointSet().get(joint.level)
        for number, motion in enumerate(MOTIONS):
            region, share = shares[joint.level, motion]
            coordinate = made.upd_coordinates(number)
            free = names[motion] == region
            scale = math.radians(1.0 if free else share)
            coordinate.setRangeMin(scale * regional[region].min_deg)
            coordinate.setRangeMax(scale * regional[region].max_deg)
            coordinate.setDefaultClamped(free)
            if not free:
                _couple(model, names[motion], region, share)


def _couple(model: Any, dependent: str, region: str, share: float) -> None:
    coupler = osim.CoordinateCouplerConstraint()
    coupler.setName(f"{dependent}_coupler")
    names = osim.ArrayStr()
    names.append(region)
    coupler.setIndependentCoordinateNames(names)
    coupler.setDependentCoordinateName(dependent)
    coupler.setFunction(osim.LinearFunction(share, 0.0))
    model.addConstraint(coupler)
