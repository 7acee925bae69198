"""Single pictures: the same for the same seed, true, and held-out ones of another world."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pipeline.geometry.projection import project
from pipeline.synthesis.looks import CLOTHS, HAIRS, HELD_OUT_LOOKS, SKINS, LookRange
from pipeline.synthesis.motion_families import FAMILIES
from pipeline.synthesis.pictures import Picture, PictureSetting, draw_pictures, held_out_pictures
from pipeline.synthesis.rooms import HELD_OUT_ROOMS, RoomRange

SIZE = (160, 192)
SMALL = PictureSetting(size=SIZE, per_person=2)


@pytest.fixture(scope="module")
def pictures() -> list[Picture]:
    return list(draw_pictures(np.random.default_rng(4), 5, SMALL))


def test_as_many_as_asked_for_of_the_size_asked_for(pictures: list[Picture]) -> None:
    assert len(pictures) == 5
    for one in pictures:
        assert one.image.shape == (SIZE[1], SIZE[0], 3)
        assert one.image.dtype == np.uint8
        assert one.image.std() > 12.0


def test_truth_is_the_cameras(pictures: list[Picture]) -> None:
    for one in pictures:
        np.testing.assert_allclose(one.xy, project(one.camera, one.xyz), atol=1e-9)
        inside = ((one.xy > -0.5) & (one.xy < np.array(SIZE) - 0.5)).all(axis=1)
        assert not one.visible[~inside].any()
        assert inside.mean() > 0.7
        assert one.xyz[:, 1].min() > -0.02
        assert one.camera.size == SIZE
    heights = [np.ptp(one.xy[:, 1]) / SIZE[1] for one in pictures]
    assert max(heights) > 0.45


def test_the_same_seed_gives_the_same_pictures(pictures: list[Picture]) -> None:
    again = list(draw_pictures(np.random.default_rng(4), 5, SMALL))
    for one, other in zip(pictures, again, strict=True):
        np.testing.assert_array_equal(one.image, other.image)
        np.testing.assert_array_equal(one.xy, other.xy)
        np.testing.assert_array_equal(one.visible, other.visible)
    (else_,) = draw_pictures(np.random.default_rng(5), 1, SMALL)
    assert np.abs(else_.image.astype(int) - pictures[0].image).mean() > 5.0


def test_people_and_rooms_change_every_few_pictures(pictures: list[Picture]) -> None:
    lengths = [np.linalg.norm(one.xyz[13] - one.xyz[15]) for one in pictures]  # a shank
    assert lengths[0] == pytest.approx(lengths[1], abs=1e-9)
    assert abs(lengths[0] - lengths[2]) > 1e-4


def test_held_out_pictures_share_nothing_with_those_that_teach() -> None:
    teach, held = PictureSetting(), held_out_pictures()
    assert not set(held.motions.families) & set(FAMILIES)
    assert isinstance(teach.looks, LookRange)
    assert not set(HELD_OUT_LOOKS.skins) & set(SKINS)
    assert not set(HELD_OUT_LOOKS.hairs) & set(HAIRS)
    assert not set(HELD_OUT_LOOKS.cloths) & set(CLOTHS)
    taught = RoomRange()
    assert not set(HELD_OUT_ROOMS.floors) & set(taught.floors)
    assert not set(HELD_OUT_ROOMS.walls) & set(taught.walls)
    assert not set(HELD_OUT_ROOMS.floor_colours) & set(taught.floor_colours)
    assert not set(HELD_OUT_ROOMS.wall_colours) & set(taught.wall_colours)
    (one,) = draw_pictures(np.random.default_rng(0), 1, replace(held, size=SIZE))
    assert one.image.std() > 12.0
    assert one.visible.sum() > 5
