"""Every mesh of the model: its file name, the body it is fixed to, and its colour."""

from __future__ import annotations

import numpy as np

from pipeline.simulation.bones.arms import hand, humerus, radius, ulna
from pipeline.simulation.bones.head import skull
from pipeline.simulation.bones.legs import femur, hindfoot, shank, talus, toes
from pipeline.simulation.bones.pelvic_girdle import pelvis, sacrum
from pipeline.simulation.bones.shapes import Mesh
from pipeline.simulation.bones.thorax import cartilages, clavicle, ribs, scapula, sternum
from pipeline.simulation.bones.vertebrae import vertebra
from pipeline.simulation.model_tables import SpineTables
from pipeline.simulation.neutral_pose import neutral_frames

BONE = (0.89, 0.85, 0.75)
CARTILAGE = (0.72, 0.78, 0.80)
Colour = tuple[float, float, float]


def all_bones(tables: SpineTables) -> dict[str, tuple[str, Mesh, Colour]]:
    """File stem -> (body, mesh in the body's frame in mm, colour)."""
    frames = neutral_frames(tables)
    bones: dict[str, tuple[str, Mesh, Colour]] = {
        "pelvis": ("pelvis", pelvis(tables), BONE),
        "sacrum": ("sacrum", sacrum(tables), BONE),
        "skull": ("skull", skull(tables), BONE),
    }
    for joint in tables.joints:
        if joint.child != "skull":
            bones[joint.child] = (joint.child, vertebra(tables, joint.child), BONE)

    def add(name: str, body: str, mesh: Mesh, colour: Colour = BONE) -> None:
        bones[name] = (body, mesh.moved(_body_from_neutral(frames[body])), colour)

    for number in range(1, 13):
        add(f"ribs_{number:02d}", f"T{number}", ribs(tables, frames, number))
        if number <= 10:
            mesh = cartilages(tables, frames, number)
            add(f"costal_cartilages_{number:02d}", f"T{number}", mesh, CARTILAGE)
    add("sternum", "T3", sternum(tables))
    inner, outer = (frames[f"{body}_r"][:3, 3] * 1e3 for body in ("clavicle", "scapula"))
    right = {
        "clavicle": clavicle(tables, (inner, outer)).moved(
            _body_from_neutral(frames["clavicle_r"])
        ),
        "scapula": scapula(outer, tables).moved(_body_from_neutral(frames["scapula_r"])),
        "humerus": humerus(tables),
        "ulna": ulna(tables),
        "radius": radius(tables),
        "hand": hand(tables),
        "femur": femur(tables),
        "tibia": shank(tables),
        "talus": talus(tables),
        "calcn": hindfoot(tables),
        "toes": toes(tables),
    }
    for name, mesh in right.items():
        bones[f"{name}_r"] = (f"{name}_r", mesh, BONE)
        bones[f"{name}_l"] = (f"{name}_l", mesh.mirrored(), BONE)
    return bones


def _body_from_neutral(frame: np.ndarray) -> np.ndarray:
    """(4, 4) transform in mm from a body's (4, 4) neutral frame in metres."""
    inverse = np.eye(4)
    inverse[:3, :3] = frame[:3, :3].T
    inverse[:3, 3] = -frame[:3, :3].T @ (frame[:3, 3] * 1e3)
    return inverse
