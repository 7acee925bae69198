"""The person's mesh: the spine passes its points, gaps are told apart, nothing missing is drawn."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.data.skeleton import project_skeleton
from simspine_viewer.body_mesh import GUESS_RADIUS, SPINE_RADIUS, BodyMesh, spine_curve
from simspine_viewer.bridges import bridges
from simspine_viewer.glyphs import GLYPHS

SKELETON = project_skeleton()


@pytest.fixture
def column() -> np.ndarray:
    t = np.linspace(0, 1, 9)
    return np.column_stack([0.02 * np.sin(3 * t), 0.9 + 0.6 * t, 0.04 * np.sin(6 * t)])


@pytest.fixture
def person() -> np.ndarray:
    return np.random.default_rng(2).uniform([-0.5, 0.1, -0.5], [0.5, 1.8, 0.5], (37, 3))


def test_the_spine_passes_every_keypoint_and_stays_near(column: np.ndarray) -> None:
    line, radius = spine_curve(column, 65)
    gap = np.linalg.norm(line[:, None] - column[None], axis=-1).min(axis=0)
    assert gap.max() < 1e-9
    assert (radius == SPINE_RADIUS).all()
    t = np.linspace(0, 1, 2000)
    truth = np.column_stack([0.02 * np.sin(3 * t), 0.9 + 0.6 * t, 0.04 * np.sin(6 * t)])
    off = np.linalg.norm(line[:, None] - truth[None], axis=-1).min(axis=1)
    chords = np.linalg.norm(
        np.stack([np.interp(np.linspace(0, 1, 65), np.linspace(0, 1, 9), c) for c in column.T], 1)[
            :, None
        ]
        - truth[None],
        axis=-1,
    ).min(axis=1)
    assert off.max() < 0.5 * chords.max()  # smoother than straight pieces
    assert off.max() < 0.002


def test_stretches_across_missing_points_are_thin(column: np.ndarray) -> None:
    column[3:5] = np.nan
    line, radius = spine_curve(column, 65)
    assert np.isfinite(line).all()
    assert set(radius) == {GUESS_RADIUS, SPINE_RADIUS}
    above, below = line[:, 1] > column[5, 1] + 1e-9, line[:, 1] < column[2, 1] - 1e-9
    assert (radius[above | below] == SPINE_RADIUS).all()
    assert (radius[~(above | below)][1:-1] == GUESS_RADIUS).all()


@pytest.mark.parametrize("kept", [[], [4]])
def test_fewer_than_two_points_make_no_spine(column: np.ndarray, kept: list[int]) -> None:
    sparse = np.full_like(column, np.nan)
    sparse[kept] = column[kept]
    assert np.isnan(spine_curve(sparse, 65)[0]).all()


def test_points_on_top_of_each_other_are_one(column: np.ndarray) -> None:
    column[2] = column[1]
    assert np.isfinite(spine_curve(column, 65)[0]).all()


def test_glyphs_face_outward() -> None:
    for template in GLYPHS.values():
        corner = template.points[template.triangles]
        facet = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
        area = np.linalg.norm(facet, axis=1)
        outward = np.einsum("ij,ij->i", facet, corner.mean(axis=1))
        assert (outward[area > 1e-9] > 0).all()
        assert np.linalg.norm(template.normals, axis=1) == pytest.approx(1.0)


def test_tubes_face_outward_and_have_their_radius(person: np.ndarray) -> None:
    mesh = BodyMesh(SKELETON)
    mesh.pose(person)
    corner = mesh.points[mesh.triangles].astype(float)
    facet = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    area = np.linalg.norm(facet, axis=1)
    drawn = area > 1e-8
    normal = mesh.normals[mesh.triangles].astype(float).mean(axis=1)
    agree = np.einsum("ij,ij->i", facet, normal)[drawn] / area[drawn]
    assert (agree > 0.3).mean() > 0.99  # the random spine may fold onto itself
    assert np.isfinite(mesh.points).all()


def test_sizes_never_change_and_nothing_missing_is_drawn(person: np.ndarray) -> None:
    mesh = BodyMesh(SKELETON)
    arrays = mesh.points, mesh.normals, mesh.colours, mesh.triangles
    mesh.pose(person, selected=3, preview=(5, person[5] + 0.1))
    assert np.ptp(mesh.points, axis=0).min() > 0.5
    mesh.pose(np.full((37, 3), np.nan), selected=3, preview=(5, np.full(3, np.nan)))
    assert not mesh.points.any()
    now = mesh.points, mesh.normals, mesh.colours, mesh.triangles
    assert all(a is b for a, b in zip(arrays, now, strict=True))


def test_a_preview_moves_the_limb_and_leaves_the_points_alone(person: np.ndarray) -> None:
    mesh, kept = BodyMesh(SKELETON), person.copy()
    wrist = SKELETON.index("left_wrist")
    target = np.array([3.0, 3.0, 3.0])
    mesh.pose(person, preview=(wrist, target))
    near = np.linalg.norm(mesh.points - target, axis=1) < 0.05
    assert near.any()
    assert (person == kept).all()
    mesh.pose(person)
    assert not (np.linalg.norm(mesh.points - target, axis=1) < 0.05).any()


def test_bridges_join_what_the_missing_ones_joined() -> None:
    """0-1-2-3 with a side branch 2-4; without 1 and 2 their neighbours hold together."""
    links = [(0, 1), (1, 2), (2, 3), (2, 4)]
    xyz = np.array([[0, 0, 0], [0, 1, 0], [0, 2, 0], [0, 3, 0], [0.5, 2, 0]], float)
    assert bridges(xyz, links) == []
    xyz[[1, 2]] = np.nan
    assert sorted(tuple(sorted(pair)) for pair in bridges(xyz, links)) == [(0, 4), (3, 4)]
    xyz[:] = np.nan
    assert bridges(xyz, links) == []


def test_a_body_without_spine_keypoints_is_one_figure(person: np.ndarray) -> None:
    """Halpe's 26 keypoints: everything that is there hangs together."""
    missing = [i for i, n in enumerate(SKELETON.names) if n.startswith(("spine", "neck_"))]
    missing += [i for i, n in enumerate(SKELETON.names) if n.endswith(("clavicle", "latissimus"))]
    person[missing] = np.nan
    there = set(range(37)) - set(missing)
    edges = [pair for pair in SKELETON.links if set(pair) <= there]
    edges += bridges(person, SKELETON.links)
    reached, size = {0}, 0
    while len(reached) > size:
        size = len(reached)
        reached |= {b for a, b in edges if a in reached} | {a for a, b in edges if b in reached}
    assert reached == there
