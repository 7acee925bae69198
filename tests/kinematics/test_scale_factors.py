"""Scale factors come from slow, straight, complete frames, and say what they are made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.kinematics.scale_factors import (
    ChainLength,
    ScaleMeasurement,
    SegmentFactor,
    axis_factors,
    measure_chain,
    solve_factors,
)
from pipeline.kinematics.scale_frames import FrameRule, select_frames
from pipeline.kinematics.scale_measurements import keypoint_measurements

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Recording:
    names: tuple[str, ...]
    times: FloatArray
    xyz: FloatArray


def walker(
    n: int = 300, knee: float | FloatArray = 0.1, speed: float | FloatArray = 0.2
) -> Recording:
    """Legs of 0.42 and 0.40 m below a trunk of 0.5 m, moving forwards at ``speed`` m/s."""
    times = np.arange(n) / 50
    bend = np.broadcast_to(knee, n).astype(float)
    zero = np.zeros(n)
    x = np.cumsum(np.broadcast_to(speed, n).astype(float)) / 50
    points: dict[str, FloatArray] = {"Neck": np.stack([x, zero + 1.42, zero], axis=-1)}
    for side, z in (("R", 0.1), ("L", -0.1)):
        hip = np.stack([x, zero + 0.92, zero + z], axis=-1)
        knees = hip + 0.42 * np.stack([np.sin(bend), -np.cos(bend), zero], axis=-1)
        ankle = knees + 0.40 * np.stack([-np.sin(bend), -np.cos(bend), zero], axis=-1)
        points |= {f"{side}Hip": hip, f"{side}Knee": knees, f"{side}Ankle": ankle}
    return Recording(tuple(points), times, np.stack(list(points.values()), axis=1))


def test_the_fastest_frames_are_left_out_by_their_real_speed() -> None:
    speed = np.full(300, 0.1)
    speed[100:140] = 3.0
    (chosen,) = select_frames([walker(speed=speed)], FrameRule(fast_fraction=0.15))
    assert not chosen[101:139].any()
    assert chosen[:98].all()
    assert chosen[142:].all()


def test_speed_is_never_taken_across_two_recordings() -> None:
    far = walker(100)
    far.xyz[..., 0] += 50.0
    chosen = select_frames([walker(100), far, walker(100)], FrameRule(fast_fraction=0.0))
    assert all(one.all() for one in chosen)


def test_bent_frames_are_left_out_unless_too_few_remain() -> None:
    knee = np.linspace(0, np.pi / 2, 200)  # knee flexion is twice this, hip flexion this
    rule = FrameRule(fast_fraction=0.0, min_frames=10)
    (chosen,) = select_frames([walker(200, knee=knee)], rule)
    bent = 1.5 * knee
    np.testing.assert_array_equal(chosen, bent <= np.pi / 4)
    (few,) = select_frames([walker(200, knee=knee + 0.8)], rule)
    assert few.sum() == 10
    assert few[:10].all()


def test_frames_without_any_marker_are_not_chosen() -> None:
    recording = walker(60)
    recording.xyz[20:30] = np.nan
    (chosen,) = select_frames([recording], FrameRule(fast_fraction=0.0))
    assert not chosen[21:29].any()


@pytest.mark.parametrize("seed", range(3))
def test_length_stands_outliers_gaps_and_noise(seed: int) -> None:
    rng = np.random.default_rng(seed)
    recording = walker(600)
    recording.xyz[:] += rng.normal(0, 0.005, recording.xyz.shape)
    knee = recording.names.index("RKnee")
    recording.xyz[rng.choice(600, 60, replace=False), knee] += [0, 0.5, 0]
    recording.xyz[rng.choice(600, 60, replace=False), knee] = np.nan
    length = measure_chain(("RHip", "RKnee"), [recording], select_frames([recording]))
    assert length.length == pytest.approx(0.42, rel=0.003)
    assert length.spread == pytest.approx(0.005 * np.sqrt(2), rel=0.25)
    assert 300 < length.n_frames < 480


def test_noise_does_not_lengthen_a_short_chain() -> None:
    rng = np.random.default_rng(1)
    n, spacing = 2000, 0.05
    points = np.zeros((n, 4, 3))
    points[..., 1] = spacing * np.arange(4)
    points += rng.normal(0, 0.005, points.shape)
    recording = Recording(("A", "B", "C", "D"), np.arange(n) / 50, points)
    naive = float(np.median(np.linalg.norm(np.diff(points, axis=1), axis=-1).sum(axis=1)))
    found = measure_chain(recording.names, [recording], [np.ones(n, dtype=bool)])
    assert naive > 1.015 * 3 * spacing
    assert found.length == pytest.approx(3 * spacing, rel=0.005)


def test_a_chain_without_frames_is_nothing() -> None:
    recording = walker(50)
    length = measure_chain(("RHip", "Head"), [recording], [np.ones(50, dtype=bool)])
    assert length.n_frames == 0
    assert np.isnan(length.length)


PELVIS = ScaleMeasurement("pelvis", (("a", "b"),), (("pelvis", "XYZ"),))
TRUNK = ScaleMeasurement("trunk", (("a", "c"),), (("trunk", "XY"),))


def model_lengths(by_body: Mapping[str, FloatArray]) -> dict[tuple[str, ...], float]:
    """The chain a-c runs over 0.1 m of pelvis and 0.4 m of trunk."""

    def of(body: str) -> float:
        return float(np.nan_to_num(by_body.get(body, np.ones(3)), nan=1.0)[0])

    return {("a", "b"): 0.2 * of("pelvis"), ("a", "c"): 0.1 * of("pelvis") + 0.4 * of("trunk")}


def lengths(pelvis: float, trunk: float) -> dict[tuple[str, ...], ChainLength]:
    truth = model_lengths({"pelvis": np.full(3, pelvis), "trunk": np.full(3, trunk)})
    return {chain: ChainLength(chain, length, 0.002, 99) for chain, length in truth.items()}


def solved(rounds: int, bounds: tuple[float, float] | None = None) -> list[SegmentFactor]:
    return list(solve_factors([PELVIS, TRUNK], lengths(1.2, 0.9), model_lengths, bounds, rounds))


def test_chains_over_bodies_of_several_factors_need_rounds() -> None:
    one, several = solved(1), solved(30)
    assert one[1].factor == pytest.approx((0.12 + 0.36) / 0.5)
    np.testing.assert_allclose([f.factor for f in several], [1.2, 0.9], rtol=1e-4)
    np.testing.assert_allclose(several[1].residuals, 0, atol=1e-5)
    assert several[1].spread == pytest.approx(0.004)
    assert several[1].n_frames == 99


def test_bounds_hold_and_are_told() -> None:
    pelvis, trunk = solved(30, (0.85, 1.1))
    assert pelvis.factor == 1.1
    assert pelvis.measured == pytest.approx(1.2)
    assert pelvis.bounded
    assert pelvis.residuals[0] == pytest.approx(0.24 - 0.22)
    assert not trunk.bounded
    assert trunk.factor == pytest.approx((0.48 - 0.11) / 0.4, rel=1e-4)


def test_what_is_not_measured_or_switched_off_has_no_factor() -> None:
    found = solve_factors([PELVIS, TRUNK], {("a", "b"): lengths(1.2, 1)["a", "b"]}, model_lengths)
    assert found[0].factor == pytest.approx(1.2)
    assert np.isnan(found[1].factor)
    assert not found[1].bounded
    factors = axis_factors(found, [one.factor for one in found])
    np.testing.assert_array_equal(factors["trunk"], [np.nan] * 3)


def test_later_measurements_override_axes() -> None:
    breadth = ScaleMeasurement("breadth", (("a", "b"),), (("trunk", "Z"),))
    factors = axis_factors([TRUNK, breadth], [0.9, 1.1])
    np.testing.assert_array_equal(factors["trunk"], [0.9, 0.9, 1.1])


COLUMN = {"Hip", "Spine_01", "Spine_02", "Spine_03", "Spine_04", "Spine_05", "Neck", "Head"}
BODY = {f"{side}{joint}" for side in "RL" for joint in ("Shoulder", "Hip", "Knee", "Ankle")}


def test_regions_of_the_spine_follow_the_column_where_it_is_seen() -> None:
    bodies = ("pelvis", "lumbar1", "torso", "head", "femur_r", "femur_l", "L3", "T8")
    full = {one.name: one for one in keypoint_measurements(COLUMN | BODY, bodies)}
    assert full["lumbar"].chains == (("Hip", "Spine_01", "Spine_02", "Spine_03"),)
    assert full["thorax"].chains == (("Spine_03", "Spine_04", "Spine_05", "Neck"),)
    assert full["head"].chains == (("Neck", "Head"),)
    assert full["lumbar"].bodies == (("lumbar1", "XYZ"), ("L3", "XYZ"))
    assert full["thorax breadth"].bodies == (("torso", "Z"), ("T8", "Z"))
    assert "neck" not in full
    only_body = {one.name: one for one in keypoint_measurements(BODY, bodies)}
    trunk = (("RShoulder", "RHip"), ("LShoulder", "LHip"))
    assert only_body["lumbar"].chains == only_body["thorax"].chains == trunk
    one_side = {one.name: one for one in keypoint_measurements({"RHip", "RKnee"}, bodies)}
    assert one_side["thigh"].chains == (("RHip", "RKnee"),)
    assert one_side["thigh"].bodies == (("femur_r", "XYZ"), ("femur_l", "XYZ"))
