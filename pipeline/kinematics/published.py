"""SIMSPINE's published merge, blend and filter, formula by formula, for the compatible mode.

What they do to the labels is why they are not our default: a one-frame correction of an inner level
keeps about one per cent, the filter halves 5 Hz, and the blend moves points even where measured and
simulated agree. Constants and formulas: SIMSPINE's data generation scripts 1, 5 and 6.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, filtfilt

from pipeline.data.resources import resource_path

FloatArray = NDArray[np.float64]

#: The column, bottom to top; Hip and Neck hold the simulated chain to the measured one.
CHAIN = ("Hip", "Spine_01", "Spine_02", "Spine_03", "Spine_04", "Spine_05", "Neck", "Neck_02",
         "Neck_03")  # fmt: skip
#: Measured markers that known ones replace in step 1; the spine point of Human3.6M goes to T8.
KNOWN = ("Hip", "RHip", "RKnee", "RAnkle", "LHip", "LKnee", "LAnkle", "Spine_04", "Neck", "Nose",
         "LShoulder", "LElbow", "LWrist", "RShoulder", "RElbow", "RWrist")  # fmt: skip
#: Taken from the simulation as they are.
FROM_SIMULATION = ("Head", "LClavicle", "RClavicle", "LHeel", "RHeel", "LBigToe", "RBigToe",
                   "LSmallToe", "RSmallToe")  # fmt: skip
CUTOFF, ORDER = 5.0, 2
#: The coordinate that step 3 pulls to its default, and the weight, which in OpenSim's normalisation
#: is as much as that of all markers together: 4 % of the flexion of the lumbar spine is left.
PULLED, PULL = "L5_S1_Flex_Ext", 1.0

_HIP, _NECK = CHAIN.index("Hip"), CHAIN.index("Neck")
_T8, _T3 = CHAIN.index("Spine_04"), CHAIN.index("Spine_05")
_MEASURED_SHARE = 0.2
_STRETCH = 2.0
_SHORTEST = 1e-6  # m
_LATISSIMUS = 0.6


@dataclass(frozen=True, slots=True)
class PublishedMarker:
    """A marker on Pose2Sim's model: body, position in its frame (m), weight in step 3."""

    name: str
    body: str
    location: tuple[float, float, float]
    weight: float


def published_markers() -> tuple[PublishedMarker, ...]:
    """The 33 markers that SIMSPINE puts on Pose2Sim's model with the flexible lumbar spine."""
    table = resource_path("simspine_compatible", "markers.csv")
    with table.open(encoding="utf-8", newline="") as file:
        return tuple(
            PublishedMarker(
                row["marker"],
                row["body"],
                (float(row["x_m"]), float(row["y_m"]), float(row["z_m"])),
                float(row["weight"]),
            )
            for row in csv.DictReader(file)
        )


def merge_known(names: tuple[str, ...], measured: FloatArray, known: FloatArray) -> FloatArray:
    """Step 1: known markers over measured ones, as many frames as both have.

    Parameters
    ----------
    names : tuple of str
        Of the M measured markers.
    measured : (T, M, 3) array
    known : (S, 16, 3) array
        In the order of :data:`KNOWN`, in the same axes and unit.

    Returns
    -------
    (min(T, S), M, 3) array
    """
    n_frames = min(len(measured), len(known))
    merged = measured[:n_frames].copy()
    for place, name in enumerate(KNOWN):
        if name in names:
            merged[:, names.index(name)] = known[:n_frames, place]
    return merged


def blend_simulation(
    names: tuple[str, ...], measured: FloatArray, simulated: FloatArray
) -> FloatArray:
    """Step 5: the simulated column laid onto the measured one, and a fifth of that mixed in.

    Frames in which Hip and Neck of either lie within a micrometre stay as measured, as do markers
    that the simulation lacks (NaN).

    Parameters
    ----------
    names : tuple of str
        M markers, among them :data:`CHAIN`.
    measured, simulated : (T, M, 3) array
        Metres, same markers.
    """
    chain = [names.index(name) for name in CHAIN]
    out = measured.copy()
    for frame in range(len(measured)):
        laid = _laid_on(measured[frame, chain], simulated[frame, chain])
        if laid is None:
            continue
        _place_latissimus(names, out[frame], measured[frame], laid)
        mixed = (1.0 - _MEASURED_SHARE) * laid
        out[frame, chain] = mixed + _MEASURED_SHARE * _one_sided_mean(measured[frame, chain])
    for name in FROM_SIMULATION:
        if name in names:
            column = names.index(name)
            there = np.isfinite(simulated[:, column]).all(axis=-1)
            out[there, column] = simulated[there, column]
    return out


def _laid_on(measured: FloatArray, simulated: FloatArray) -> FloatArray | None:
    """The simulated chain moved and scaled to the measured Hip and Neck, not turned."""
    ours, theirs = measured[_NECK] - measured[_HIP], simulated[_NECK] - simulated[_HIP]
    length, their_length = np.linalg.norm(ours), np.linalg.norm(theirs)
    if not (length >= _SHORTEST and their_length >= _SHORTEST):  # False for NaN as well
        return None
    if ours @ theirs < 0.0:
        simulated = simulated[::-1]
    axis = theirs / their_length
    from_hip = simulated - simulated[_HIP]
    share = from_hip @ axis / their_length
    beside = from_hip - share[:, None] * theirs
    laid = measured[_HIP] + share[:, None] * ours + beside * (length / their_length)
    first, second = laid[1] - laid[0], np.linalg.norm(laid[2] - laid[1])
    reach = np.linalg.norm(first)
    if second > 1e-8 and reach > _STRETCH * second:
        laid[1] = laid[0] + first / reach * _STRETCH * second
    return np.asarray(laid, np.float64)


def _place_latissimus(
    names: tuple[str, ...], out: FloatArray, measured: FloatArray, laid: FloatArray
) -> None:
    sides = [side for side in "LR" if f"{side}Shoulder" in names]
    if len(sides) < 2:
        return
    for side in sides:
        towards = measured[names.index(f"{side}Shoulder")] - laid[_T3]
        if f"{side}Latissimus" in names and np.linalg.norm(towards) > _SHORTEST:
            middle = 0.5 * (laid[_T8] + laid[_T3])
            out[names.index(f"{side}Latissimus")] = middle + _LATISSIMUS * towards


def _one_sided_mean(chain: FloatArray) -> FloatArray:
    """Each inner point becomes the mean of its neighbours, of which the lower was replaced."""
    smooth = chain.copy()
    for place in range(1, len(chain) - 1):
        smooth[place] = 0.5 * (smooth[place - 1] + smooth[place + 1])
    return smooth


def filter_published(
    markers: FloatArray, rate: float, cutoff: float = CUTOFF, order: int = ORDER
) -> FloatArray:
    """Step 6: Butterworth of half the order forward and backward, its cutoff not corrected.

    Zeros count as missing, missing samples split a series, and pieces of at most three times the
    number of coefficients stay as they are.

    Parameters
    ----------
    markers : (T, ...) array
    rate, cutoff : float
        Hz.
    """
    numerator, denominator = butter(order // 2, cutoff / (rate / 2.0))
    pad = 3 * max(len(numerator), len(denominator))
    flat = np.array(markers, np.float64).reshape(len(markers), -1)
    for column in range(flat.shape[1]):
        series = flat[:, column]
        there = np.isfinite(series) & (series != 0.0)
        edges = np.flatnonzero(np.diff(np.concatenate([[False], there, [False]])))
        for start, stop in edges.reshape(-1, 2):
            if stop - start > pad:
                series[start:stop] = filtfilt(
                    numerator, denominator, series[start:stop], padlen=pad
                )
    return flat.reshape(markers.shape)
