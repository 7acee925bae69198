"""A person as the solver knows them: the scaled model and how far each of its markers is believed.

A subject is learnt once from a recording and then used for every frame of it, so that a frame
solved by itself agrees with the same frame solved among all others.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.data.errors import UserError
from pipeline.kinematics.ik_options import IkOptions, Prior
from pipeline.kinematics.labels import CUTOFF
from pipeline.kinematics.measured import (
    Measured,
    definition_sigma,
    trust_of,
    usual_trust,
    was_measured,
)
from pipeline.kinematics.model import GROUND, KinematicModel
from pipeline.kinematics.model_file import model_arrays, model_of
from pipeline.kinematics.published import CHAIN

FloatArray = NDArray[np.float64]

#: SD per axis of a marker of weight one, metres.
MARKER_SD = 0.010
# A model's marker is not better known than this, nor worse where nothing measured it.
_MODEL_SIGMA = (0.005, 0.030)
# Keypoints of the column, of nine, two more than its ends. With fewer, coordinates solved together
# lie half as far again from markers on a real back as those of each frame (docs/real-backs.md).
_LEVELS_SEEN = 4
# Weights of one frame are within this factor of those of the middle frame.
_FARTHEST = 25.0
_KIND, _VERSION = "simspine-subject", 1


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """A scaled model and what is known of its markers.

    Attributes
    ----------
    model
        Its markers are the K keypoints of the skeleton, in their order.
    weights
        (K,) of a measured point; 0 where the model has no such marker.
    model_sigma
        (K,) metres: how well the model's marker stands for the keypoint; NaN where the model has
        no such marker.
    priors
        By coordinate name.
    cutoff
        Of the labels' low-pass, Hz.
    steady
        Whether enough of the column was measured to tell its bending from what is usual: then the
        coordinates of many frames are solved together.
    factors
        (K,) that a person puts on the weights; None: 1 throughout. They are apart from
        ``weights``, which say how well points are known, and which frames are compared with.
    """

    model: KinematicModel
    weights: FloatArray
    model_sigma: FloatArray
    priors: Mapping[str, Prior]
    cutoff: float = CUTOFF
    steady: bool = False
    factors: FloatArray | None = None

    def ik_options(self, *, labels: bool = False, **more: Any) -> IkOptions:
        """What inverse kinematics is told for measured points or, with ``labels``, for labels."""
        names = self.model.marker_names
        weights = self.weights
        if labels:  # smooth already: what is left to trust is what a keypoint is defined as
            weights = (MARKER_SD / definition_sigma(names)) ** 2
            weights = np.where(np.isfinite(self.model_sigma), weights, 0.0)
        if self.factors is not None:
            weights = weights * self.factors
        return IkOptions(
            marker_weights=dict(zip(names, weights.tolist(), strict=True)),
            priors=self.priors,
            marker_sd=MARKER_SD,
            **more,
        )


def subject_of(
    model: KinematicModel,
    measured: Measured,
    priors: Mapping[str, Prior],
    cutoff: float = CUTOFF,
) -> Subject:
    """A subject from a scaled model and the points it is to follow, ``model_sigma`` not learnt.

    The variance of a marker of ten millimetres against that of each point, in the middle of its
    frames, is its weight.
    """
    lacking = np.array([name not in model.marker_names for name in measured.names])
    weights = np.where(lacking, 0.0, (MARKER_SD / usual_trust(measured)) ** 2)
    sigma = np.where(lacking, np.nan, _MODEL_SIGMA[1])
    column = [measured.names.index(name) for name in CHAIN if name in measured.names]
    seen = int((was_measured(measured) & ~lacking)[column].sum())
    return Subject(
        _in_order(model, measured.names), weights, sigma, dict(priors), cutoff, seen >= _LEVELS_SEEN
    )


def weight_factors(subject: Subject, trust: FloatArray) -> FloatArray:
    """(..., K) factors on a subject's weights for points of another SD than usual, metres.

    Bounded, so that no point outvotes all others; 1 where the SD is not known.
    """
    with np.errstate(divide="ignore"):
        factors = (MARKER_SD / trust) ** 2 / subject.weights
    return np.clip(np.where(np.isfinite(factors), factors, 1.0), 1.0 / _FARTHEST, _FARTHEST)


def with_model_sigma(subject: Subject, measured: Measured, virtual: FloatArray) -> Subject:
    """The subject with ``model_sigma`` learnt from what (T, K, 3) markers leave of the points."""
    trust = trust_of(measured)
    error = np.linalg.norm(virtual - measured.xyz, axis=-1) / np.sqrt(3.0)
    sigma = subject.model_sigma.copy()
    for keypoint in np.flatnonzero(np.isfinite(error).any(axis=0)):
        seen = np.isfinite(error[:, keypoint])
        left = np.mean(error[seen, keypoint] ** 2) - np.mean(trust[seen, keypoint] ** 2)
        sigma[keypoint] = np.clip(np.sqrt(max(left, 0.0)), *_MODEL_SIGMA)
    return replace(subject, model_sigma=sigma)


def _in_order(model: KinematicModel, names: tuple[str, ...]) -> KinematicModel:
    """The model with exactly these markers, in this order; those it lacks lie in the ground."""
    known = {name: place for place, name in enumerate(model.marker_names)}
    places = np.array([known.get(name, -1) for name in names])
    lacking = places < 0
    return replace(
        model,
        marker_names=names,
        marker_bodies=np.where(lacking, GROUND, model.marker_bodies[places]),
        marker_locations=np.where(lacking[:, None], 0.0, model.marker_locations[places]),
    )


def subject_bytes(subject: Subject) -> bytes:
    """A subject as one ``.npz`` file's content."""
    buffer = io.BytesIO()
    names = sorted(subject.priors)
    np.savez_compressed(
        buffer,
        subject_kind=np.array(_KIND),
        subject_version=np.array(_VERSION),
        weights=subject.weights,
        model_sigma=subject.model_sigma,
        prior_names=np.array(names, dtype=np.str_),
        prior_values=np.array(
            [(subject.priors[name].mean, subject.priors[name].sd) for name in names]
        ).reshape(-1, 2),
        cutoff=np.array(subject.cutoff),
        steady=np.array(subject.steady),
        factors=np.ones(len(subject.weights)) if subject.factors is None else subject.factors,
        **model_arrays(subject.model),
    )
    return buffer.getvalue()


def subject_from(content: bytes, where: Path) -> Subject:
    """What :func:`subject_bytes` made of a subject; ``where`` names the file in errors.

    Raises
    ------
    UserError
        Where the content is damaged, no subject, or of a later version.
    """
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            arrays: dict[str, Any] = {name: file[name] for name in file.files}
        if str(arrays["subject_kind"]) != _KIND:
            raise ValueError("it says that it is something else")
        if int(arrays["subject_version"]) > _VERSION:
            raise UserError(
                f"{where} holds a body model that was written by a later version of this program."
            )
        priors = {
            str(name): Prior(float(mean), float(sd))
            for name, (mean, sd) in zip(arrays["prior_names"], arrays["prior_values"], strict=True)
        }
        return Subject(
            model_of(arrays, where),
            np.asarray(arrays["weights"], np.float64),
            np.asarray(arrays["model_sigma"], np.float64),
            priors,
            float(arrays["cutoff"]),
            bool(arrays["steady"]),
            np.asarray(arrays["factors"], np.float64) if "factors" in arrays else None,
        )
    except (KeyError, ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise UserError(f"The body model in {where} is damaged: {error}.") from error
