"""Skins fit their models: they rest, follow where bodies move them, and enclose joints."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from pipeline.data.skeleton import project_skeleton
from pipeline.kinematics.forward import body_transforms
from pipeline.kinematics.model import array_fields, coordinate_index, name_fields
from pipeline.synthesis import colours
from pipeline.synthesis.clips import keypoint_places
from pipeline.synthesis.looks import Person, draw_person, make_look, make_person
from pipeline.synthesis.people import (
    PARTS,
    bone_quaternions,
    load_skin,
    plain_model,
    posed,
    resting,
)
from pipeline.synthesis.physique import BodyRange, draw_build

SEXES = ("man", "woman")


@pytest.fixture(scope="module")
def people() -> list[Person]:
    rng = np.random.default_rng(5)
    return [draw_person(rng) for _ in range(4)]


def _volume(points: np.ndarray, faces: np.ndarray) -> float:
    a, b, c = (points[faces[:, i]].astype(np.float64) for i in range(3))
    return float(np.einsum("fi,fi->f", a, np.cross(b, c)).sum() / 6.0)


@pytest.mark.parametrize("sex", SEXES)
def test_skins_are_bound_whole_and_face_outward(sex: str) -> None:
    skin = load_skin(sex)
    np.testing.assert_allclose(skin.shares.sum(axis=1), 1.0, atol=1e-5)
    assert skin.shares.min() >= 0.0
    assert skin.faces.max() < len(skin.points)
    assert skin.bodies.max() < plain_model().n_bodies
    # Everyone of both sides is there: the skin is its own mirror image.
    mirrored = skin.points * [1.0, 1.0, -1.0]
    assert np.percentile(cKDTree(skin.points).query(mirrored)[0], 99) < 0.008
    assert set(np.unique(skin.part)) == set(range(len(PARTS)))
    # Faces outward; fine parts overlap the coarse one, so the volume is only about a body's.
    assert 0.05 < _volume(skin.points, skin.faces) < 0.12


@pytest.mark.opensim
def test_the_shipped_arrays_are_those_of_the_shipped_model() -> None:
    from pipeline.synthesis.motions import generic_model

    own, model = plain_model(), generic_model()
    for field in name_fields():
        if not field.startswith("mesh"):
            assert getattr(own, field) == getattr(model, field)
    for field in array_fields(model):
        if "mesh" not in field:
            np.testing.assert_array_equal(getattr(own, field), getattr(model, field))


def test_resting_people_rest(people: list[Person]) -> None:
    for person in people:
        bones = bone_quaternions(person.model, resting(person.model)[None])[0]
        points, normals = posed(person.skin, bones)
        np.testing.assert_allclose(points, person.skin.points, atol=2e-5)
        np.testing.assert_allclose(normals, person.skin.normals, atol=2e-4)


def test_skin_of_one_body_follows_it_rigidly(people: list[Person]) -> None:
    person = people[0]
    q = resting(person.model)
    rng = np.random.default_rng(2)
    for name in ("knee_angle_r", "hip_flexion_l", "arm_flex_r", "lumbar_lower_flex", "neck_twist"):
        q[coordinate_index(person.model, name)] += rng.uniform(0.2, 0.9)
    points, normals = posed(person.skin, bone_quaternions(person.model, q[None])[0])
    before = body_transforms(person.model, resting(person.model)[None])[0]
    after = body_transforms(person.model, q[None])[0]
    alone = person.skin.shares[:, 0] > 0.9999
    assert alone.sum() > 2000
    b = person.skin.bodies[alone, 0]
    # Another way round: into the body's frame, out of it again.
    local = np.einsum(
        "vji,vj->vi", before[b][..., :3], person.skin.points[alone] - before[b][..., 3]
    )
    expected = np.einsum("vij,vj->vi", after[b][..., :3], local) + after[b][..., 3]
    np.testing.assert_allclose(points[alone], expected, atol=1e-4)
    turn = after[b][..., :3] @ before[b][..., :3].transpose(0, 2, 1)
    tilted = np.einsum("vij,vj->vi", turn, person.skin.normals[alone])
    np.testing.assert_allclose(normals[alone], tilted, atol=2e-3)


def test_a_whole_body_turned_is_turned_whole(people: list[Person]) -> None:
    person = people[1]
    q = resting(person.model)
    for name, value in (("pelvis_rotation", 2.5), ("pelvis_tx", 0.4), ("pelvis_tz", -0.3)):
        q[coordinate_index(person.model, name)] = value
    points, _ = posed(person.skin, bone_quaternions(person.model, q[None])[0])
    pelvis = body_transforms(person.model, q[None])[0, 0]
    start = body_transforms(person.model, resting(person.model)[None])[0, 0]
    turn = Rotation.from_matrix(pelvis[:, :3] @ start[:, :3].T)
    expected = turn.apply(person.skin.points - start[:, 3]) + pelvis[:, 3]
    np.testing.assert_allclose(points, expected, atol=1e-4)


def test_keypoints_lie_where_the_anatomy_has_them(people: list[Person]) -> None:
    names = project_skeleton().names
    for person in people:
        rest = resting(person.model)[None]
        places = keypoint_places(person.model, rest)[0]
        far = dict(zip(names, cKDTree(person.skin.points).query(places)[0], strict=True))
        for name in ("nose", "left_eye", "right_ear", "head"):
            assert far[name] < 0.028, name
        for name in ("spine_01", "spine_02", "spine_03", "spine_04", "spine_05", "neck", "hip"):
            # The model's markers lie on the vertebrae, under skin and muscle.
            assert 0.008 < far[name] < 0.075, name
        for name in ("left_knee", "right_elbow", "left_wrist", "right_ankle"):
            assert 0.012 < far[name] < 0.085, name


def test_bodies_have_the_size_they_are_given() -> None:
    rng, heights, girths = np.random.default_rng(1), [], []
    for stature, index in ((1.55, 22.5), (1.90, 22.5), (1.75, 19.0), (1.75, 31.0)):
        bodies = BodyRange((stature, stature), 0.0, 0.0, (index, index), 0.0)
        look = make_look(sex="man", skin=(200, 160, 130), hair=(60, 50, 40), thickness=0.0)
        person = make_person(rng, bodies, draw_build(plain_model(), rng, bodies), look)
        points = person.skin.points
        heights.append(np.ptp(points[:, 1]))
        waist = person.skin.part == PARTS.index("trunk")
        level = np.abs(person.template[:, 1] - 1.06) < 0.02
        girths.append(np.ptp(points[waist & level, 2]))
    # Standing with legs apart, soles below the model's lowest points.
    assert heights[1] / heights[0] == pytest.approx(1.90 / 1.55, rel=0.02)
    assert 1.70 < heights[2] < 1.82
    assert girths[3] > girths[2] + 0.04


def test_clothes_cover_what_they_say() -> None:
    rng = np.random.default_rng(3)
    bodies = BodyRange((1.75, 1.75), 0.0, 0.0, (22.5, 22.5), 0.0)
    build = draw_build(plain_model(), rng, bodies)
    plain = {"sex": "man", "skin": (200, 160, 130), "hair": (60, 50, 40), "thickness": 0.0}
    bare = make_person(rng, bodies, build, make_look(**plain))
    shirt = (colours.SHIRT, colours.PLAIN, (200, 30, 30), (0, 0, 0))
    dressed = make_person(rng, bodies, build, make_look(**plain, top=shirt))
    out = np.einsum("vi,vi->v", dressed.skin.points - bare.skin.points, bare.skin.normals)
    belly = (bare.skin.part == PARTS.index("trunk")) & (np.abs(bare.template[:, 1] - 1.15) < 0.05)
    assert np.median(out[belly]) > 0.005
    assert np.abs(out[bare.skin.part == PARTS.index("hand")]).max() < 1e-6
    # Cloth spans the furrow of the back.
    furrow = belly & (np.abs(bare.template[:, 2]) < 0.004) & (bare.template[:, 0] < 0.0)
    beside = (
        belly & (np.abs(np.abs(bare.template[:, 2]) - 0.03) < 0.004) & (bare.template[:, 0] < 0)
    )
    depth = [np.median(p.skin.points[beside, 0]) - np.median(p.skin.points[furrow, 0]) for p in
             (bare, dressed)]  # fmt: skip
    assert depth[0] < depth[1] - 0.003
