"""What inverse kinematics is told and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pipeline.kinematics.model import FloatArray

Weights = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Prior:
    """What is known of a coordinate before any marker is seen: mean and SD, radians or metres."""

    mean: float
    sd: float


@dataclass(frozen=True, slots=True, eq=False)
class IkOptions:
    """Options of inverse kinematics.

    Attributes
    ----------
    marker_weights
        By marker name; a marker that is not named has the weight ``default_weight``, and 0
        leaves a marker out.
    marker_weights_at
        (T, M) factors on the weights of the model's markers, frame by frame; 0 leaves a marker
        out of that frame. What a marker weighs in a frame also says how far it is trusted there:
        its SD is ``marker_sd`` over the root of the weight.
    coordinate_weights, coordinate_targets
        OpenSim's coordinate tasks: weight by name, and the value to stay near (radians or
        metres; one number, or one per frame); the default value where there is none. The weight
        counts as much as all markers together (ik_solver.md §2.3).
    priors
        By coordinate name. They enter the cost as ``omega = marker_sd^2 / (sd^2 sum w)``, so
        that ``marker_sd`` is what a marker of weight one is trusted to (spine_model.md §0.4).
    marker_sd
        SD of a marker of weight one per axis, metres; scales priors and reported SDs.
    starts, probe_every
        Random starts of the first frame and of every probe; frames between probes (0: none).
    tolerance, iterations
        A frame ends where a step promises less than this part of the cost, or after so many.
    seed
        Of the random starts.
    threads
        Parts of the sequence that are solved side by side.
    """

    marker_weights: Weights = field(default_factory=dict)
    default_weight: float = 1.0
    marker_weights_at: FloatArray | None = None
    coordinate_weights: Weights = field(default_factory=dict)
    coordinate_targets: Mapping[str, float | FloatArray] = field(default_factory=dict)
    priors: Mapping[str, Prior] = field(default_factory=dict)
    marker_sd: float = 0.01
    starts: int = 12
    probe_every: int = 25
    tolerance: float = 1e-6
    iterations: int = 100
    seed: int = 0
    threads: int = 1


@dataclass(frozen=True, slots=True, eq=False)
class IkResult:
    """Joint coordinates of T frames.

    Attributes
    ----------
    coordinates
        (T, Q) metres and radians, driven and locked ones included; NaN in frames without any
        marker, where the caller may interpolate.
    cost
        (T,) OpenSim's cost: half the weighted mean of squared marker errors, plus the tasks.
    marker_error
        (T, M) distances of the model's markers to the given ones, metres; NaN where missing.
    sigma
        (T, Q) SD of each coordinate, from the inverse Hessian and ``marker_sd``, radians or
        metres; 0 where locked, the prior's (or no) SD where no marker has a say.
    seen
        (T, Q) True where the markers, not the prior, decide: they take away at least half of
        the variance that the prior (or, without one, 1 rad or 1 m) leaves.
    iterations
        (T,) steps taken, probes included.
    """

    coordinates: FloatArray
    cost: FloatArray
    marker_error: FloatArray
    sigma: FloatArray
    seen: NDArray[np.bool_]
    iterations: NDArray[np.int64]
