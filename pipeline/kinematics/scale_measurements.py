"""Which bodies of a model are scaled by which of our markers, region by region.

The pairs of the limbs are Pose2Sim's and SIMSPINE's (simspine_facts.md §2, step 2). The trunk is
theirs only where the column has no markers: one factor from shoulder to hip. With the column,
lumbar spine, thorax, neck and head have their own (spine_model.md §4.5), and the width of the
shoulders sets the breadth of the thorax.

The lengths are compared with the model's in its neutral pose, and chains that cross a joint depend
on posture: 15° of flexion at L4 to S1 lengthen the chain of lumbar markers by 6 % on our model. A
recording in which the person stands upright for a while is what the numbers are good for.
"""

from __future__ import annotations

from collections.abc import Collection
from itertools import chain as joined

from pipeline.kinematics.scale_factors import ScaleMeasurement

_Chain = tuple[str, ...]


def _both(*bodies: str) -> tuple[str, ...]:
    return tuple(f"{body}_{side}" for body in bodies for side in "rl")


def _sides(a: str, b: str) -> tuple[_Chain, ...]:
    return ((f"R{a}", f"R{b}"), (f"L{a}", f"L{b}"))


# Bodies of Pose2Sim's model and of ours; a model has some of them. "Abdomen" is Pose2Sim's body
# for the paths of muscles.
_LUMBAR = (*(f"lumbar{i}" for i in range(1, 6)), *(f"L{i}" for i in range(1, 6)), "Abdomen")
_THORAX = ("torso", *(f"T{i}" for i in range(1, 13)))
_CERVICAL = tuple(f"C{i}" for i in range(1, 8))
_HEAD = ("head", "skull")
_SHOULDERS = _both("clavicle", "scapula")

_TRUNK_CHAINS = (("RShoulder", "RHip"), ("LShoulder", "LHip"))
# Per region: ways of measuring it, the first whose markers are there; bodies; axes.
_REGIONS: tuple[tuple[str, tuple[tuple[_Chain, ...], ...], tuple[tuple[str, ...], str]], ...] = (
    ("pelvis", ((("RHip", "LHip"),),), (("pelvis", "sacrum"), "XYZ")),
    (
        "lumbar",
        (
            (("Hip", "Spine_01", "Spine_02", "Spine_03"),),
            (("Hip", "Spine_03"),),
            _TRUNK_CHAINS,
        ),
        (_LUMBAR, "XYZ"),
    ),
    (
        "thorax",
        (
            (("Spine_03", "Spine_04", "Spine_05", "Neck"),),
            (("Spine_03", "Neck"),),
            _TRUNK_CHAINS,
        ),
        (_THORAX, "XYZ"),
    ),
    ("thorax breadth", ((("RShoulder", "LShoulder"),),), (_THORAX, "Z")),
    ("shoulder girdle", ((("RShoulder", "LShoulder"),),), (_SHOULDERS, "XYZ")),
    (
        "neck",
        ((("Neck", "Neck_02", "Neck_03"),), (("Neck", "Neck_03"),)),
        (_CERVICAL, "XYZ"),
    ),
    (
        "head",
        ((("Neck_03", "Head"),), (("Head", "Nose"), ("Neck", "Head"))),
        (_HEAD, "XYZ"),
    ),
    ("arm", (_sides("Shoulder", "Elbow"),), (_both("humerus"), "XYZ")),
    ("forearm", (_sides("Elbow", "Wrist"),), (_both("ulna", "radius", "hand"), "XYZ")),
    ("thigh", (_sides("Hip", "Knee"),), (_both("femur", "patella"), "XYZ")),
    ("shank", (_sides("Knee", "Ankle"),), (_both("tibia"), "XYZ")),
    ("foot", (_sides("Heel", "BigToe"),), (_both("talus", "calcn", "toes"), "XYZ")),
)


def keypoint_measurements(
    markers: Collection[str], bodies: Collection[str]
) -> tuple[ScaleMeasurement, ...]:
    """Measurements for a model with our markers.

    Parameters
    ----------
    markers : collection of str
        Those that the model and the recording both have.
    bodies : collection of str
        Of the model.

    Returns
    -------
    tuple of ScaleMeasurement
        One per region that has bodies and markers; chains that lack a marker are left out, and
        both sides of the body share a factor.
    """
    found = []
    for name, ways, (names, axes) in _REGIONS:
        scaled = tuple((body, axes) for body in names if body in bodies)
        usable = [tuple(chain for chain in way if set(chain) <= set(markers)) for way in ways]
        way = next((chains for chains in usable if chains), ())
        if scaled and way:
            found.append(ScaleMeasurement(name, way, scaled))
    return tuple(found)


def markers_of(measurements: Collection[ScaleMeasurement]) -> set[str]:
    """All markers that some measurement needs."""
    return set(joined.from_iterable(chain for one in measurements for chain in one.chains))
