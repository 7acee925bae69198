"""Bones are found, read, told apart and drawn where the body is; the points stay in sight."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.data.mesh_files import find_mesh
from pipeline.data.resources import resource_path
from pipeline.data.skeleton import project_skeleton
from pipeline.kinematics.model import body_index
from simspine_viewer import orbit_camera as orbit
from simspine_viewer.bone_files import is_closed, read_mesh
from simspine_viewer.bone_groups import BoneGroup, BoneStore, on_body
from simspine_viewer.bone_parts import bone_part
from simspine_viewer.orbit_camera import OrbitView
from simspine_viewer.scene3d import Scene3D
from simspine_viewer.spine_levels import keypoint_column, level_name, spine_levels
from tests.viewer.simulated import posed, shipped_model

pytestmark = pytest.mark.opensim

SKELETON = project_skeleton()
WIDTH, HEIGHT = 300, 400
LOOK = orbit.pinhole(OrbitView(np.array([0.0, 1.0, 0.0]), 0.5, 0.1, 3.2), WIDTH, HEIGHT)
NOWHERE = np.full((37, 3), np.nan)


@pytest.fixture(scope="module")
def groups() -> tuple[BoneGroup, ...]:
    return loaded(BoneStore())


def loaded(store: BoneStore) -> tuple[BoneGroup, ...]:
    while not store.want(shipped_model()):
        store.go_on(0.0)
    return store.groups


@pytest.fixture
def scene(groups: tuple[BoneGroup, ...]) -> Iterator[Scene3D]:
    made = Scene3D()
    made.set_recording((), SKELETON)
    made.set_bones(groups)
    yield made
    made.close()


def picture(scene: Scene3D) -> NDArray[np.int64]:
    return scene.render(LOOK, WIDTH, HEIGHT)[..., :3].astype(int)


@pytest.mark.parametrize(
    ("mesh", "body", "part"),
    [
        ("simspine_T7.vtp", "T7", "spine"),
        ("simspine_ribs_07.vtp", "T7", "trunk"),
        ("simspine_sternum.vtp", "T3", "trunk"),
        ("simspine_pelvis.vtp", "pelvis", "spine"),
        ("simspine_skull.vtp", "skull", "head"),
        ("simspine_hand_l.vtp", "hand_l", "left-arm"),
        ("thoracic12_s.vtp", "torso", "spine"),
        ("cerv1sm.vtp", "torso", "spine"),
        ("hat_ribs_scap.vtp", "torso", "trunk"),
        ("foot.vtp", "calcn_r", "right-foot"),
        ("Geometry/l_patella.vtp", "patella_l", "left-leg"),
        ("metacarpal2_rvs.vtp", "hand", "right-arm"),
        ("femur.obj", "thigh", "other"),
        ("block.stl", "lumbar3", "spine"),
    ],
)
def test_the_part_of_a_bone(mesh: str, body: str, part: str) -> None:
    assert bone_part(mesh, body) == part


def test_names_of_levels() -> None:
    found = [level_name(n) for n in ("L5", "lumbar5", "thoracic_07", "cerv1", "T13", "tibia_l")]
    assert found == ["L5", "L5", "T7", "C1", "", ""]


def test_the_levels_go_up_the_spine_and_bend_with_it() -> None:
    column = keypoint_column(SKELETON)
    upright, bent = spine_levels(posed(), column), spine_levels(posed(0.3), column)
    assert upright is not None
    assert bent is not None
    expected = ["S1", *(f"L{n}" for n in range(5, 0, -1)), *(f"T{n}" for n in range(12, 0, -1)),
                *(f"C{n}" for n in range(7, -1, -1))]  # fmt: skip
    assert list(upright.names) == expected
    assert (np.diff(upright.xyz[:, 1]) > 0.005).all()
    assert [upright.names[i] for i in np.flatnonzero(upright.first)] == ["S1", "L5", "T12", "C7"]
    sideways = bent.xyz[:, 2] - upright.xyz[:, 2]
    assert abs(sideways[0]) < 1e-9  # the sacrum stays
    assert (np.diff(np.abs(sideways)) > 0).all()
    pose = posed()
    own, above = (pose.ground_from_body[body_index(pose.model, n), :, 3] for n in ("T7", "T6"))
    assert np.allclose(upright.xyz[upright.names.index("T7")], (own + above) / 2)


def test_a_model_without_vertebrae_is_drawn_through_its_markers() -> None:
    pose = posed()
    names = tuple(f"body{n}" for n in range(pose.model.n_bodies))
    stiff = replace(pose, model=replace(pose.model, body_names=names), markers=pose.markers.copy())
    stiff.markers[SKELETON.index("spine_03")] = np.nan
    levels = spine_levels(stiff, keypoint_column(SKELETON))
    assert levels is not None
    assert len(levels.names) == len(SKELETON.column) - 1
    assert "Spine_03" not in levels.names
    assert spine_levels(replace(stiff, markers=NOWHERE), keypoint_column(SKELETON)) is None


def test_a_mesh_beside_the_model_comes_before_ours(tmp_path: Path) -> None:
    name = "simspine_T7.vtp"
    ours = resource_path("models", "Geometry", name)
    assert find_mesh(name, ()) == ours
    (tmp_path / "Geometry").mkdir()
    own = tmp_path / "Geometry" / name
    own.write_bytes(ours.read_bytes())
    assert find_mesh(name, (tmp_path,)) == own
    assert find_mesh(str(own), ()) == own
    assert find_mesh("nowhere.vtp", (tmp_path,)) is None


def test_other_kinds_of_files_and_none(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    corners = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1.0]])
    faces = [(0, 2, 1), (0, 1, 3), (0, 3, 2), (1, 2, 3)]
    obj = tmp_path / "bone.obj"
    lines = [f"v {x} {y} {z}" for x, y, z in corners]
    lines += [f"f {a + 1} {b + 1} {c + 1}" for a, b, c in faces]
    obj.write_text("\n".join(lines) + "\n")
    mesh = read_mesh(obj)
    assert mesh is not None
    assert mesh.closed
    assert len(mesh.triangles) == 4
    away = mesh.points - corners.mean(axis=0)
    assert (np.einsum("ij,ij->i", away, mesh.normals) > 0).all()
    open_ = tmp_path / "open.obj"
    open_.write_text("\n".join(lines[:-1]) + "\n")
    assert not read_mesh(open_).closed  # type: ignore[union-attr]
    for name in ("bone.vtp", "bone.stl", "bone.txt"):
        (tmp_path / name).write_text("no mesh at all\n")
        assert read_mesh(tmp_path / name) is None


def test_a_mirrored_bone_still_faces_outwards() -> None:
    path = find_mesh("simspine_femur_r.vtp", ())
    assert path is not None
    mesh = read_mesh(path)
    assert mesh is not None
    still = np.column_stack([np.eye(3), np.zeros(3)])
    mirrored = on_body(mesh, still, np.array([1.0, 1.0, -1.0]))
    assert is_closed(mirrored.points, mirrored.triangles)
    assert np.allclose(mirrored.normals[:, 2], -mesh.normals[:, 2], atol=0.01)


def test_all_our_bones_are_there_and_say_nothing(
    groups: tuple[BoneGroup, ...], caplog: pytest.LogCaptureFixture
) -> None:
    assert sum(len(group.mesh.triangles) for group in groups) == 25_192
    assert all(group.mesh.closed for group in groups)
    assert len({(group.body, group.part) for group in groups}) == len(groups)
    assert not caplog.records


def test_what_is_missing_is_said_once_and_done_without(caplog: pytest.LogCaptureFixture) -> None:
    model = shipped_model()
    files = tuple("gone.vtp" if "femur" in name else name for name in model.mesh_files)
    store, without = BoneStore(), replace(model, mesh_files=files)
    for _ in range(2):
        while not store.want(without):
            store.go_on(5.0)
    bodies = {model.body_names[group.body] for group in store.groups}
    assert bodies == set(model.body_names) - {"femur_l", "femur_r"}
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "2 of 72 bone meshes are not found and not drawn: gone.vtp, gone.vtp" in record.message


def test_bones_are_drawn_where_their_bodies_are(scene: Scene3D) -> None:
    pose = posed(0.3)
    scene.set_points(NOWHERE)
    empty = picture(scene)
    limbs = {f"{side}-{limb}" for side in ("left", "right") for limb in ("arm", "leg", "foot")}
    scene.pose_bones(pose.ground_from_body, {"trunk", "head", *limbs})
    changed = (picture(scene) != empty).any(axis=-1)
    levels = spine_levels(pose, keypoint_column(SKELETON))
    assert levels is not None
    columns, rows = np.floor(orbit.project(LOOK, levels.xyz[1:-2])).astype(int).T
    assert changed[rows, columns].all()  # a vertebra at each of its levels
    pelvis = orbit.project(LOOK, pose.ground_from_body[body_index(pose.model, "pelvis"), :, 3])
    ys, xs = np.nonzero(changed)
    assert ys.max() < pelvis[1] + 45  # and no legs
    assert np.ptp(xs) < 110
    scene.pose_bones(None)
    assert (picture(scene) == empty).all()


def test_a_body_that_cannot_be_placed_is_left_out(scene: Scene3D) -> None:
    pose = posed()
    scene.set_points(NOWHERE)
    empty = picture(scene)
    scene.pose_bones(np.full_like(pose.ground_from_body, np.nan))
    assert (picture(scene) == empty).all()


def test_points_are_seen_through_bones(scene: Scene3D) -> None:
    """In the middle of the skull, where without it nobody could see or take hold of it."""
    pose = posed()
    xyz = NOWHERE.copy()
    ear = SKELETON.index("left_ear")
    skull = pose.ground_from_body[body_index(pose.model, "skull")]
    xyz[ear] = skull[:, 3] + skull[:, :3] @ np.array([0.02, 0.07, 0.0])
    x, y = np.floor(orbit.project(LOOK, xyz[ear])).astype(int)

    def green() -> bool:
        blue, green_, red = picture(scene)[y, x]
        return bool(green_ > 40 + max(blue, red))

    scene.pose_bones(pose.ground_from_body)
    scene.set_points(xyz, slim=False)
    assert not green()
    scene.set_points(xyz, slim=True)
    assert green()
    scene.set_recording((), SKELETON)  # another one: the points go where the bones are
    scene.set_points(xyz, slim=True)
    assert green()
    scene.set_points(xyz, slim=False)
    assert not green()


def test_the_column_stands_out_in_both_appearances(scene: Scene3D) -> None:
    pose = posed()
    scene.set_points(NOWHERE)
    names = ("L3", "femur_r")
    at = [pose.ground_from_body[body_index(pose.model, name), :, 3] for name in names]
    at[0] = at[0] + (0.0, 0.015, 0.0)
    at[1] = at[1] + (0.0, -0.2, 0.0)
    for dark in (True, False):
        scene.set_theme(dark)
        scene.pose_bones(None)
        ground = picture(scene)
        scene.pose_bones(pose.ground_from_body, {"trunk"})
        drawn = picture(scene)
        columns, rows = np.floor(orbit.project(LOOK, np.array(at))).astype(int).T
        spine, thigh = drawn[rows, columns]
        assert np.abs(spine - ground[rows[0], columns[0]]).max() > 40
        assert spine[2] - spine[0] > 15 + thigh[2] - thigh[0]  # warmer: red over blue
