"""What is true of a person in the pictures of a recording: final points projected, and seen or not.

Where a person placed a point in a view, that is the truth there; elsewhere it is the 3D point of
the recording's final stage, where it is known well enough. Whether it is seen is what a body in the
person's place hides (:mod:`pipeline.synthesis.stand_in`); other people and things are not known.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from pipeline.data.errors import UserError
from pipeline.data.observations import Observations, observations
from pipeline.data.source import Flag, Source
from pipeline.geometry.projection import project_views
from pipeline.io.export_request import ExportRequest, points_of
from pipeline.io.picture_set import FEWEST, HIDDEN, NOT_LABELLED, VISIBLE
from pipeline.kinematics.measured import Measured
from pipeline.synthesis.stand_in import StandIn, follow, stand_in
from pipeline.synthesis.visibility import unhidden

FloatArray = NDArray[np.float64]
Ints = NDArray[np.intp]

#: A point whose SD is larger is no label, millimetres: more than points have of a person whom three
#: cameras see well (17 to 52 in the demo from 300 pixels of height on and in the real session), and
#: less than those of one who passes through the edges of two pictures (45 to 335, median 112).
TRUSTED_MM = 60.0
# A picture's labels are not believed where fewer than a quarter of the detector's own points,
# scored so, lie within so much of the person's size in the picture: then the camera stands
# elsewhere or shows another moment. On the real session it is 3 % in the worst picture.
_SCORE, _NEAR = 0.5, 0.05
_FEWEST_DETECTED = 8
# The person's size is taken from so many stretches of so many frames.
_STRETCHES, _STRETCH = 8, 250


class LeftOut(IntEnum):
    """Why a picture is not in a set."""

    NOT = 0
    NOBODY = 1
    UNCERTAIN = 2
    AWAY = 3
    OUTSIDE = 4
    UNREADABLE = 5

    @property
    def words(self) -> str:
        """Fit for a list after a number of pictures."""
        return _WORDS[self]


_WORDS = {
    LeftOut.NOT: "used",
    LeftOut.NOBODY: "without a 3D point of the person",
    LeftOut.UNCERTAIN: f"with fewer than {FEWEST} points known to {TRUSTED_MM:.0f} mm",
    LeftOut.AWAY: "whose labels lie away from what was detected",
    LeftOut.OUTSIDE: f"that show fewer than {FEWEST} points",
    LeftOut.UNREADABLE: "that could not be read",
}


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """What is true of a person in the views of n frames.

    Attributes
    ----------
    xy : (n, V, K, 2) array
        Pixels; NaN where a point is not known or not before the camera.
    visibility : (n, V, K) array
        COCO's: 0 not labelled, 1 hidden, 2 visible.
    placed : (n, V, K) array
        True where a person placed the point in that very view.
    source, sigma : (n, K) arrays
        Of the 3D points: ``Source``, and SD in mm.
    left_out : (n, V) array
        :class:`LeftOut`.
    """

    xy: FloatArray
    visibility: NDArray[np.uint8]
    placed: NDArray[np.bool_]
    source: NDArray[np.uint8]
    sigma: NDArray[np.float32]
    left_out: NDArray[np.uint8]


def body_for(request: ExportRequest) -> StandIn:
    """A body of the size of a request's person; its points must be up to date in all its frames.

    Raises
    ------
    UserError
        Where they tell no length; it names the set.
    """
    start, stop = request.span
    n = min(_STRETCHES, -(-(stop - start) // _STRETCH))
    firsts = np.linspace(start, max(start, stop - _STRETCH), n).astype(int).tolist()
    stretches = [np.arange(first, min(first + _STRETCH, stop), dtype=np.intp) for first in firsts]
    try:
        return stand_in([_measured(request, frames) for frames in stretches])
    except ValueError as error:
        raise UserError(
            f"{request.path.parent} was not written: the points of person {request.track + 1} "
            "tell no length of the body."
        ) from error


def labels_of(request: ExportRequest, body: StandIn, frames: Ints) -> Labels:
    """Labels of frames (n,), whose points must be up to date."""
    sequence = request.sequence
    points = points_of(request, frames)
    xyz = points.xyz.astype(np.float64)
    said = observations(sequence, request.track, frames)
    xy = np.moveaxis(project_views(sequence.cameras, xyz), -2, 1)
    by_hand = points.source == Source.MANUAL_3D
    trusted = (points.sigma <= TRUSTED_MM) | (by_hand & ~np.isfinite(points.sigma))
    seen = np.where(_free(request, body, frames), VISIBLE, HIDDEN)
    visibility = np.where(trusted[:, None], seen, NOT_LABELLED)
    away = _away(xy, said)
    occluded = (said.flags & Flag.OCCLUDED) != 0
    visibility[occluded & (visibility == VISIBLE)] = HIDDEN
    xy = np.where(said.manual[..., None], said.xy, xy)
    visibility[said.manual] = np.where(occluded, HIDDEN, VISIBLE)[said.manual]
    visibility[~_inside(request, xy) | ((said.flags & Flag.ABSENT) != 0)] = NOT_LABELLED
    few = (visibility > NOT_LABELLED).sum(axis=-1) < FEWEST
    unknown = (trusted.sum(axis=-1) < FEWEST)[:, None]
    nobody = ~np.asarray(np.isfinite(xyz).any(axis=(1, 2)))[:, None]
    left_out = np.select(
        [np.broadcast_to(nobody, few.shape), np.broadcast_to(unknown, few.shape), away, few],
        [LeftOut.NOBODY, LeftOut.UNCERTAIN, LeftOut.AWAY, LeftOut.OUTSIDE],
        LeftOut.NOT,
    )
    return Labels(
        xy, visibility.astype(np.uint8), said.manual, points.source, points.sigma,
        left_out.astype(np.uint8),
    )  # fmt: skip


def _measured(request: ExportRequest, frames: Ints) -> Measured:
    points, info = points_of(request, frames), request.sequence.info
    xyz = points.xyz.astype(np.float64)
    return Measured(
        names=info.skeleton.markers,
        times=frames / info.fps,
        xyz=xyz,
        sigma=points.sigma.astype(np.float64) / 1000.0,
        manual=np.zeros(xyz.shape[:2], np.uint8),
        rate=info.fps,
    )


def _free(request: ExportRequest, body: StandIn, frames: Ints) -> NDArray[np.bool_]:
    """(n, V, K) whether the body leaves a keypoint to be seen; True where it cannot be posed."""
    cameras = request.sequence.cameras
    coordinates = follow(body, _measured(request, frames))
    posed = np.isfinite(coordinates).all(axis=1)
    free = np.ones((len(frames), len(cameras), request.sequence.n_keypoints), bool)
    free[posed] = unhidden(body, coordinates[posed], cameras)
    return free


def _away(xy: FloatArray, said: Observations) -> NDArray[np.bool_]:
    """(n, V) whether labels (n, V, K, 2) lie away from nearly all of what was detected there."""
    off = np.linalg.norm(xy - said.xy, axis=-1)
    known = np.isfinite(off) & (said.score >= _SCORE) & ~said.manual
    there = np.isfinite(xy).all(axis=-1, keepdims=True)
    high = np.where(there, xy, -np.inf).max(axis=2)
    low = np.where(there, xy, np.inf).min(axis=2)
    near = _NEAR * np.maximum((high - low).max(axis=-1), 1.0)
    share = (known & (off < near[..., None])).sum(axis=-1) / np.maximum(known.sum(axis=-1), 1)
    return np.asarray((known.sum(axis=-1) >= _FEWEST_DETECTED) & (share < 0.25))


def _inside(request: ExportRequest, xy: FloatArray) -> NDArray[np.bool_]:
    """(n, V, K) whether pixels lie in their view's picture."""
    size = np.array([video.size for video in request.sequence.info.videos], np.float64)[:, None]
    return np.asarray(((xy >= -0.5) & (xy < size - 0.5)).all(axis=-1))
