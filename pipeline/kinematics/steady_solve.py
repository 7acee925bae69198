"""The linear algebra of :mod:`pipeline.kinematics.steady`: all frames of a sequence at once."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.linalg import solveh_banded

from pipeline.kinematics import ik_layout as layout
from pipeline.kinematics.ik_problem import Problem
from pipeline.kinematics.ik_sequence import DEVIATIONS, run
from pipeline.kinematics.model import FloatArray

_DIFFERENCE = (-1.0, 3.0, -3.0, 1.0)
# Frames solved together and, on either side, frames that only lend their support.
_WINDOW = 500


@dataclass(frozen=True, slots=True, eq=False)
class Expected:
    """What is expected of U unknowns over T frames, before any marker.

    Attributes
    ----------
    mean, stiffness, roughness
        (U,) values, weight of a frame's squared distance to them, and weight of squared third
        differences.
    joined
        (T - 3, U) 1.0, or 0.0 where the frames are not one movement.
    held
        (U,) weight of the squared distance of the mean over time to ``mean``.
    """

    mean: FloatArray
    stiffness: FloatArray
    roughness: FloatArray
    joined: FloatArray
    held: FloatArray

    def cost(self, unknowns: FloatArray) -> float:
        """Half the weighted squares."""
        rough = self.roughness * self.joined * np.diff(unknowns, 3, axis=0) ** 2
        near = self.stiffness * (unknowns - self.mean) ** 2
        middle = self.held * (unknowns.mean(axis=0) - self.mean) ** 2
        return 0.5 * float(near.sum() + rough.sum() + middle.sum())

    def slope(self, unknowns: FloatArray) -> FloatArray:
        """(T, U) derivatives of :meth:`cost`."""
        found = self.stiffness * (unknowns - self.mean)
        found += self.held * (unknowns.mean(axis=0) - self.mean) / len(unknowns)
        rough = self.roughness * self.joined * np.diff(unknowns, 3, axis=0)
        for place, factor in enumerate(_DIFFERENCE):
            found[place : place + len(rough)] += factor * rough
        return np.asarray(found)


def spread_weights(sd: FloatArray, band: float, rate: float) -> tuple[FloatArray, FloatArray]:
    """Stiffness and roughness that give a movement the SD ``sd`` and the band limit ``band`` (Hz).

    With stiffness e and roughness r the spectrum is 1 / (e + r w^6), w in radians per frame, so
    the band ends at w = (e / r)^(1/6), and the variance is its integral, w / (3 e).
    """
    limit = 2.0 * math.pi * band / rate
    stiffness = limit / (3.0 * sd**2)
    return stiffness, stiffness / limit**6


def normal_equations(problem: Problem, unknowns: FloatArray) -> tuple[FloatArray, FloatArray]:
    """(T, U, U) Gauss-Newton Hessians and (T, U) gradients of half the weighted squared errors."""
    tables, n = problem.tables, unknowns.shape[1]
    hessians, gradients = np.zeros((len(unknowns), n, n)), np.zeros(unknowns.shape)
    weights = np.where(np.isfinite(problem.markers.sum(axis=2)), problem.weights, 0.0)
    scale = weights.sum(axis=1)
    at, slope = int(tables.ints[layout.HESSIAN]), int(tables.ints[layout.GRADIENT])
    work, own = problem.workspace(), unknowns.copy()
    order, costs = np.zeros(1, dtype=np.int64), np.zeros(len(own))
    counts = np.zeros(len(own), dtype=np.int64)
    for t in np.flatnonzero(~problem.missing):
        order[0] = t
        run(
            DEVIATIONS, tables.ints, tables.floats, work, problem.markers, problem.weights,
            problem.omegas, problem.targets, order, own[:1], own, costs, counts, 0.0, 0, False, 0,
        )  # fmt: skip
        lower = work[at : at + n * n].reshape(n, n)
        hessians[t] = scale[t] * (lower + np.tril(lower, -1).T)
        gradients[t] = scale[t] * work[slope : slope + n]
    return hessians, gradients


def step_over_time(
    hessians: FloatArray, slope: FloatArray, expected: Expected, overlap: int
) -> FloatArray:
    """(T, U) Newton step for the frames' Hessians and the whole ``slope`` (T, U)."""
    frames, n = slope.shape
    held = np.flatnonzero(expected.held > 0.0)
    right = np.zeros((frames, n, 1 + len(held)))
    right[:, :, 0] = -slope
    right[:, held, 1 + np.arange(len(held))] = 1.0 / frames
    found = np.empty_like(right)
    for first in range(0, frames, _WINDOW):
        stop = min(first + _WINDOW, frames)
        begin, end = max(first - overlap, 0), min(stop + overlap, frames)
        joined = expected.joined[begin : max(end - 3, begin)]
        part = _banded(hessians[begin:end], right[begin:end], expected, joined)
        found[first:stop] = part[first - begin : stop - begin]
    if not len(held):
        return found[:, :, 0]
    # What holds the means is of low rank: Woodbury's formula.
    means = found[:, held].mean(axis=0)
    inner = np.diag(1.0 / expected.held[held]) + means[:, 1:]
    return np.asarray(found[:, :, 0] - found[:, :, 1:] @ np.linalg.solve(inner, means[:, 0]))


def solve_frames(hessians: FloatArray, right: FloatArray, expected: Expected) -> FloatArray:
    """(T, U, R) solutions for R right sides, all frames in one system; without ``held``."""
    return _banded(hessians, right, expected, expected.joined)


def _banded(
    hessians: FloatArray, right: FloatArray, expected: Expected, joined: FloatArray
) -> FloatArray:
    frames, n, _ = right.shape
    reach = 3 * n
    bands = np.zeros((reach + 1, frames * n))
    by_frame = bands.reshape(reach + 1, frames, n)
    for off in range(n):
        by_frame[reach - off, :, off:] = np.diagonal(hessians, off, 1, 2)
    by_frame[reach] += expected.stiffness
    rough = expected.roughness * joined
    for shift in range(4):
        for first in range(4 - shift):
            product = _DIFFERENCE[first] * _DIFFERENCE[first + shift]
            row = first + shift
            by_frame[reach - shift * n, row : row + len(rough)] += product * rough
    flat = right.reshape(frames * n, -1)
    step = solveh_banded(bands, flat, overwrite_ab=True, check_finite=False)
    return np.asarray(step.reshape(right.shape), np.float64)


def covariances(hessians: FloatArray, expected: Expected) -> FloatArray:
    """(..., U, U) covariances of a frame in the middle of a long run of frames like it."""
    scale = 1.0 / np.sqrt(expected.roughness)
    stiff = hessians + np.diag(expected.stiffness)
    values, vectors = np.linalg.eigh(stiff * scale[:, None] * scale)
    grid, integral = _integrals()
    share = np.exp(np.interp(np.log(np.maximum(values, math.exp(grid[0]))), grid, integral))
    found = (vectors * share[..., None, :]) @ np.swapaxes(vectors, -1, -2)
    return np.asarray(found * scale[:, None] * scale)


@cache
def _integrals() -> tuple[FloatArray, FloatArray]:
    """Logarithms of d, and of the mean of 1 / (d + (2 sin w/2)^6) over all w."""
    w = np.concatenate([[0.0], np.geomspace(1e-6, math.pi, 6000)])
    power = (2.0 * np.sin(0.5 * w)) ** 6
    grid = np.linspace(-50.0, 40.0, 600)
    means = [np.trapezoid(1.0 / (math.exp(d) + power), w) / math.pi for d in grid]
    return grid, np.log(means)
