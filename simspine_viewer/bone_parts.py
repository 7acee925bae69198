"""Which part of the body a bone of a model belongs to, told by the names of its mesh and body."""

from __future__ import annotations

import re

from simspine_viewer.spine_levels import level_name

SPINE, HEAD = "spine", "head"
COLUMN = (SPINE, HEAD)  # what bends, and the pelvis and the skull that it joins
_OURS = "simspine_"  # what the names of our meshes begin with
# Parts as in ``parts.py``; parts of words of our meshes and of those that come with OpenSim. The
# first that is found counts.
_WORDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (HEAD, ("skull", "jaw", "mandible", "cranium", "head")),
    ("foot", ("foot", "talus", "calcn", "calcaneus", "toe", "metatars", "phalang")),
    ("leg", ("femur", "tibia", "fibula", "patella", "thigh", "shank")),
    ("arm", ("humerus", "ulna", "radius", "hand", "carpal", "capitate", "hamate", "lunate",
             "pisiform", "scaphoid", "triquetrum", "trapezium", "trapezoid", "thumb", "proximal",
             "medial", "distal")),
    (SPINE, ("lumbar", "thoracic", "cerv", "spine", "vertebra", "sacrum", "pelvis")),
    ("trunk", ("rib", "costal", "sternum", "clavicle", "scap", "torso", "thorax")),
)  # fmt: skip
_LIMBS = ("arm", "leg", "foot")
_SIDES = {"r": "right", "right": "right", "l": "left", "left": "left"}
_SIDES |= {f"{side[0]}{rest}": side for side in ("right", "left") for rest in ("v", "vs")}


def bone_part(mesh_file: str, body: str) -> str:
    """Id of the part (``simspine_viewer.parts``) of a mesh on a body; ``other`` where none fits."""
    stem = re.split(r"[/\\]", mesh_file)[-1].rsplit(".", 1)[0].removeprefix(_OURS)
    part = _part(stem) or _part(body)
    if part not in _LIMBS:
        return part or "other"
    side = _side(body) or _side(stem)
    return f"{side}-{part}" if side else "other"


def _part(name: str) -> str:
    lower = name.lower()
    found = (part for part, words in _WORDS if any(word in lower for word in words))
    is_vertebra = any(level_name(word) for word in name.split("_"))
    return next(found, SPINE if is_vertebra else "")


def _side(name: str) -> str:
    words = name.lower().split("_")
    return next((_SIDES[word] for word in words if word in _SIDES), "")
