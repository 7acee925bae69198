"""Following a point in drawn textures that move in a way that is known."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.geometry.picture_tracking import TrackedPoint, TrackingOptions, track_point

SIZE = 240
Grey = NDArray[np.uint8]


def _texture(seed: int, side: int = 400, grain: float = 2.5) -> NDArray[np.float64]:
    noise = np.random.default_rng(seed).normal(size=(side, side))
    smooth = cv2.GaussianBlur(noise, (0, 0), grain)
    return np.asarray(128 + 45 * smooth / smooth.std())


def _moved(
    texture: NDArray[np.float64], dx: float, dy: float, angle: float = 0.0, gain: float = 1.0
) -> Grey:
    """What is seen of a texture: its middle at the picture's, shifted by (dx, dy) px, turned."""
    middle = (texture.shape[0] - 1) / 2
    turn = cv2.getRotationMatrix2D((middle, middle), np.degrees(angle), 1.0)
    turn[:, 2] += np.array([dx, dy]) + (SIZE - 1) / 2 - middle
    seen = cv2.warpAffine(texture * gain, turn, (SIZE, SIZE), flags=cv2.INTER_CUBIC)
    return np.asarray(np.clip(seen, 0, 255), np.uint8)


def _run(
    pictures: list[Grey], xy: tuple[float, float], options: TrackingOptions | None = None
) -> tuple[list[TrackedPoint], str]:
    steps: Iterator[TrackedPoint] = track_point(pictures, xy, options)
    found = []
    while True:
        try:
            found.append(next(steps))
        except StopIteration as finished:
            return found, finished.value


def test_a_smooth_path_is_followed_to_a_tenth_of_a_pixel() -> None:
    texture, frames = _texture(1), np.arange(60)
    dx, dy = 40 * np.sin(frames / 12), 25 * np.sin(frames / 7)
    noise = np.random.default_rng(2)
    pictures = [
        np.clip(_moved(texture, x, y).astype(float) + noise.normal(0, 2, (SIZE, SIZE)), 0, 255)
        .round()
        .astype(np.uint8)
        for x, y in zip(dx, dy, strict=True)
    ]
    start = (110.3, 121.6)
    found, reason = _run(pictures, start)
    assert reason == ""
    assert len(found) == 59
    error = np.array([(p.x, p.y) for p in found]) - np.array(start) - np.stack([dx, dy], 1)[1:]
    assert np.linalg.norm(error, axis=1).max() < 0.15


def test_a_slow_turn_and_fading_light_do_not_make_it_drift_far() -> None:
    texture, frames = _texture(3), np.arange(50)
    angle, gain = 0.8 * frames / 49, 1.0 - 0.5 * frames / 49
    pictures = [_moved(texture, 0, 0, a, g) for a, g in zip(angle, gain, strict=True)]
    middle, arm = (SIZE - 1) / 2, np.array([30.0, 0.0])
    truth = middle + np.stack([30 * np.cos(angle), -30 * np.sin(angle)], 1)
    found, reason = _run(pictures, (middle + arm[0], middle))
    assert reason == ""
    error = np.linalg.norm(np.array([(p.x, p.y) for p in found]) - truth[1:], axis=1)
    assert error.max() < 0.7


def test_what_moves_ten_windows_a_second_is_followed() -> None:
    texture = _texture(4, grain=6.0)
    pictures = [_moved(texture, x, 0) for x in (-60, -35, -10, 15, 40, 65)]
    found, reason = _run(pictures, (60.0, 120.0))
    assert reason == ""
    assert found[-1].x == pytest.approx(185.0, abs=0.2)


def test_it_stops_where_something_else_comes_in_front() -> None:
    texture = _texture(5)
    pictures = [_moved(texture, x, 0) for x in np.arange(12.0)]
    for picture in pictures[7:]:
        picture[80:160, 80:160] = _moved(_texture(6), 0, 0)[80:160, 80:160]
    found, reason = _run(pictures, (118.0, 120.0))
    assert len(found) == 6
    assert reason.startswith("it was lost")


def test_it_stops_at_the_edge() -> None:
    texture = _texture(7)
    pictures = [_moved(texture, 6.0 * x, 0) for x in range(12)]
    found, reason = _run(pictures, (200.0, 120.0))
    assert 4 <= len(found) <= 6
    assert reason == "it left the picture"


def test_an_even_picture_has_nothing_to_follow() -> None:
    noise = np.random.default_rng(8).normal(120, 1, (3, SIZE, SIZE)).round().astype(np.uint8)
    found, reason = _run(list(noise), (100.0, 100.0))
    assert not found
    assert reason == "the picture is too even there to follow anything"


def test_a_point_outside_is_refused() -> None:
    found, reason = _run([_moved(_texture(9), 0, 0)] * 2, (SIZE + 3.0, 10.0))
    assert (found, reason) == ([], "it lies outside the picture")


def test_one_picture_is_no_error() -> None:
    assert _run([_moved(_texture(10), 0, 0)], (100.0, 100.0)) == ([], "")
