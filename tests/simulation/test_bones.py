"""The generated bones: closed, seen from outside, symmetric, light, and of the tables' sizes."""

from __future__ import annotations

import itertools
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from pipeline.data.errors import UserError
from pipeline.data.resources import resource_path
from pipeline.simulation.bones.catalogue import all_bones
from pipeline.simulation.bones.shapes import Mesh, volume
from pipeline.simulation.bones.vtp import read_vtp, vtp_text
from pipeline.simulation.model_tables import read_tables
from pipeline.simulation.neutral_pose import neutral_frames

TABLES = read_tables()
BONES = all_bones(TABLES)
GEOMETRY = resource_path("models", "Geometry")
VERTEBRAE = [row.child for row in TABLES.joints if row.child != "skull"]


def _placed(name: str) -> np.ndarray:
    """Points of a bone in the neutral frame, mm."""
    body, mesh, _ = BONES[name]
    frame = neutral_frames(TABLES)[body]
    return mesh.points @ frame[:3, :3].T + frame[:3, 3] * 1e3


def _welded(mesh: Mesh) -> np.ndarray:
    """Triangles of indices of places: caps have vertices of their own."""
    _, place = np.unique(mesh.points.round(3), axis=0, return_inverse=True)
    triangles = place[mesh.triangles]
    flat = (triangles == np.roll(triangles, 1, axis=1)).any(axis=1)
    return triangles[~flat]


def _open_edges(mesh: Mesh) -> int:
    edges = Counter[tuple[int, int]]()
    for triangle in _welded(mesh).tolist():
        for a, b in zip(triangle, triangle[1:] + triangle[:1], strict=True):
            edges[a, b] += 1
    return sum(count != edges[b, a] for (a, b), count in edges.items())


def _parts(mesh: Mesh) -> list[Mesh]:
    parent = np.arange(len(mesh.points))
    _, place = np.unique(mesh.points.round(3), axis=0, return_inverse=True)

    def root(i: int) -> int:
        while parent[i] != i:
            i = parent[i]
        return int(i)

    for triangle in place[mesh.triangles].tolist():
        parent[root(triangle[1])] = parent[root(triangle[2])] = root(triangle[0])
    owner = np.array([root(int(place[t[0]])) for t in mesh.triangles])
    return [Mesh(mesh.points, mesh.triangles[owner == one]) for one in np.unique(owner)]


@pytest.mark.parametrize("name", BONES)
def test_closed_and_seen_from_outside(name: str) -> None:
    mesh = BONES[name][1]
    assert np.isfinite(mesh.points).all()
    assert _open_edges(mesh) == 0
    for part in _parts(mesh):
        assert volume(part) > 0
    # Positive control: without its last triangle the mesh is open, turned over it is inside out.
    assert _open_edges(Mesh(mesh.points, mesh.triangles[:-1])) > 0
    assert volume(Mesh(mesh.points, mesh.triangles[:, ::-1])) < 0


@pytest.mark.parametrize("name", BONES)
def test_left_mirrors_right(name: str) -> None:
    mesh = BONES[name][1]
    other = BONES[f"{name[:-2]}_l"][1] if name.endswith("_r") else None
    if name.endswith("_l"):
        return
    right = np.unique((mesh.points * (1, 1, -1)).round(3) + 0.0, axis=0)
    left = np.unique((other or mesh).points.round(3) + 0.0, axis=0)
    assert len(right) == len(left)
    distance = np.abs(right[:, None] - left[None]).max(-1).min(1)
    assert distance.max() < 2e-3


def test_light_enough() -> None:
    assert sum(len(mesh.triangles) for _, mesh, _ in BONES.values()) < 25_500
    assert sum(path.stat().st_size for path in GEOMETRY.glob("simspine_*.vtp")) < 2_000_000
    for name in VERTEBRAE:
        assert 150 <= len(BONES[name][1].triangles) <= 340, name


@pytest.mark.parametrize("name", [row.body for row in TABLES.vertebra_shapes])
def test_vertebra_has_the_measures_of_its_table(name: str) -> None:
    shape = next(row for row in TABLES.vertebra_shapes if row.body == name)
    joint = next(row for row in TABLES.joints if row.child == name)
    points = BONES[name][1].points
    x, y, z = (points - (joint.centre_x_mm, joint.centre_y_mm, 0.0)).T
    half = 0.5 * shape.endplate_depth_mm
    assert x.max() == pytest.approx(half, abs=2.6)
    # The front wall's height; the middle one follows from the joints' table.
    front = (x > 0.8 * half) & (np.abs(y) < shape.height_ant_mm)
    height = np.ptp(y[front])
    if name != "C2":
        assert height == pytest.approx(shape.height_ant_mm, abs=2.0)
    assert 2 * z.max() == pytest.approx(shape.transverse_span_mm, abs=8.0)
    if name[0] in "TL":
        ahead = x > -0.05
        widest = max(shape.endplate_width_inf_mm, shape.endplate_width_sup_mm)
        assert 2 * z[ahead].max() == pytest.approx(widest, abs=2.0)
    tip = next(row for row in TABLES.spine_points if row.body == name)
    back = points[points[:, 0].argmin()]
    assert back[0] == pytest.approx(tip.spinous_x_mm, abs=6.0)
    assert back[1] == pytest.approx(tip.spinous_y_mm, abs=0.5 * shape.spinous_height_mm + 5.0)
    assert abs(back[2]) < 8.0


@pytest.mark.parametrize("name", [row.body for row in TABLES.vertebra_shapes])
def test_the_spinal_canal_is_free(name: str) -> None:
    shape = next(row for row in TABLES.vertebra_shapes if row.body == name)
    joint = next(row for row in TABLES.joints if row.child == name)
    x, _, z = (BONES[name][1].points - (joint.centre_x_mm, joint.centre_y_mm, 0.0)).T
    middle = -0.5 * (shape.endplate_depth_mm + shape.canal_depth_mm)
    inside = ((x - middle) / (0.3 * shape.canal_depth_mm)) ** 2 + (
        z / (0.3 * shape.canal_width_mm)
    ) ** 2 < 1.0
    assert not inside.any()


def test_bodies_leave_room_for_the_discs() -> None:
    frames = neutral_frames(TABLES)
    for low, high in itertools.pairwise(VERTEBRAE[:-1]):
        joint = frames[high][:3, 3] * 1e3
        up = frames[high][:3, 1]
        shape = next(row for row in TABLES.vertebra_shapes if row.body == low)
        near = 0.3 * shape.endplate_depth_mm
        for name, sign in ((low, -1), (high, 1)):
            points = _placed(name) - joint
            axial = np.abs(points[:, 0]) < near
            axial &= (np.abs(points[:, 2]) < near) & (np.abs(points @ up) < 12)
            assert (sign * (points[axial] @ up) > 0).all(), (name, low, high)


def test_sizes_of_other_bones() -> None:
    size = TABLES.size
    pelvis, chest = _placed("pelvis"), _placed("ribs_08")
    assert np.ptp(pelvis[:, 2]) == pytest.approx(size("pelvis", "crest_breadth_mm"), abs=10)
    assert np.ptp(pelvis[:, 1]) == pytest.approx(size("pelvis", "height_mm"), abs=25)
    asis = next(row for row in TABLES.body_points if row.point == "asis")
    target = np.array([asis.x_mm, asis.y_mm, asis.z_mm])
    assert np.linalg.norm(pelvis - target, axis=1).min() < 10
    assert np.ptp(_placed("sacrum")[:, 2]) == pytest.approx(size("sacrum", "breadth_mm"), abs=4)
    assert np.ptp(chest[:, 2]) == pytest.approx(size("thorax", "breadth_mm"), abs=10)
    depth = _placed("sternum")[:, 0].max() - min(
        _placed(f"ribs_{n:02d}")[:, 0].min() for n in (6, 8)
    )
    assert depth == pytest.approx(size("thorax", "depth_mm"), abs=40)
    assert np.ptp(_placed("skull")[:, 2]) == pytest.approx(size("skull", "breadth_mm") - 10, abs=8)
    assert np.ptp(_placed("skull")[:, 0]) == pytest.approx(size("skull", "length_mm") - 10, abs=12)
    for bone, tolerance in (("humerus", 15), ("ulna", 15), ("radius", 15)):
        length = np.ptp(BONES[f"{bone}_r"][1].points[:, 1])
        assert length == pytest.approx(size(bone, "length_mm"), abs=tolerance), bone
    along = np.ptp(BONES["clavicle_r"][1].points[:, 2])
    assert along == pytest.approx(size("clavicle", "chord_mm"), abs=15)
    scapula = _placed("scapula_r")
    assert np.ptp(scapula[:, 1]) == pytest.approx(size("scapula", "height_mm"), abs=15)


def test_feet_stand_on_the_floor() -> None:
    floor = -TABLES.posture("hip_axis_height")
    for name in ("calcn_r", "toes_r"):
        lowest = _placed(name)[:, 1].min()
        assert 0 < lowest - floor < 12, name


def test_shipped_meshes_are_read_back(tmp_path: Path) -> None:
    for name, (_, mesh, _) in BONES.items():
        read = read_vtp(GEOMETRY / f"simspine_{name}.vtp")
        assert np.abs(read.points - mesh.points).max() < 0.0501, name
        assert (read.triangles == mesh.triangles).all(), name
    broken = tmp_path / "broken.vtp"
    broken.write_text(vtp_text(BONES["L5"][1])[:500], encoding="utf-8")
    with pytest.raises(UserError, match=r"broken\.vtp: not a \.vtp file"):
        read_vtp(broken)


def test_vtk_reads_the_shipped_meshes() -> None:
    reading = pytest.importorskip("vtkmodules.vtkIOXML")
    for name in ("L3", "skull", "ribs_07"):
        reader = reading.vtkXMLPolyDataReader()
        reader.SetFileName(str(GEOMETRY / f"simspine_{name}.vtp"))
        reader.Update()
        data = reader.GetOutput()
        mesh = BONES[name][1]
        assert data.GetNumberOfPoints() == len(mesh.points)
        assert data.GetNumberOfPolys() == len(mesh.triangles)
        bounds = np.array(data.GetBounds()).reshape(3, 2)
        assert np.allclose(bounds[:, 0] * 1e3, mesh.points.min(0), atol=0.06)
        assert data.GetPointData().GetNormals().GetNumberOfTuples() == len(mesh.points)
