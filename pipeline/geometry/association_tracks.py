"""What is remembered of each person from frame to frame, and how well detections continue it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pipeline.data.camera import CameraGroup
from pipeline.geometry.association_costs import extent, median_where
from pipeline.geometry.projection import project_views
from pipeline.geometry.triangulation import LINEAR_OPTIONS, triangulate

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

# Weight of the newest step in the running velocity; detections jitter by about a step.
VELOCITY_GAIN = 0.4
# A prediction is not carried on for more frames than this.
PREDICT_FRAMES = 5
# Keypoints that must be known before and now, if a detection has as many.
CONTINUED_KEYPOINTS = 3
LONG_AGO = -(10**9)


@dataclass(slots=True, eq=False)
class Person:
    """The last sight of one person: per view in pixels, and in 3D where two views saw it.

    ``xy`` (V, K, 2) px, NaN where unknown, ``velocity`` (V, 2) px per frame and ``seen`` (V,)
    frames; ``xyz`` (K, 3) m, ``drift`` (3,) m per frame and ``solved`` the frame of the 3D points.
    """

    number: int
    xy: FloatArray
    velocity: FloatArray
    seen: NDArray[np.int64]
    xyz: FloatArray
    drift: FloatArray
    solved: int = LONG_AGO

    @property
    def last_frame(self) -> int:
        return max(int(self.seen.max()), self.solved)


@dataclass(slots=True, eq=False)
class Memory:
    """Everybody who was seen within the longest gap that is bridged."""

    cameras: CameraGroup
    n_keypoints: int
    max_gap: int
    people: list[Person] = field(default_factory=list)
    n_started: int = 0

    def forget(self, frame: int) -> None:
        """Drop those who have been out of sight for longer than the gap."""
        self.people = [p for p in self.people if frame - p.last_frame <= self.max_gap]

    def start(self) -> Person:
        """A new person, not yet seen anywhere."""
        v, k = len(self.cameras), self.n_keypoints
        person = Person(
            number=self.n_started,
            xy=np.full((v, k, 2), np.nan),
            velocity=np.zeros((v, 2)),
            seen=np.full(v, LONG_AGO),
            xyz=np.full((k, 3), np.nan),
            drift=np.zeros(3),
        )
        self.n_started += 1
        self.people.append(person)
        return person

    def continuity(
        self, frame: int, views: NDArray[np.intp], xy: FloatArray, *, gate_px: float, share: float
    ) -> FloatArray:
        """Cost of each detection being each remembered person; 1 is the largest believable.

        The prediction is the person's last place in that view, or the projection of its 3D points
        where those are fresher; the cost is the median distance of the shared keypoints over
        ``gate_px + share * size``, which widens with the age of the prediction.

        Parameters
        ----------
        frame : int
        views : (I,) array
            View of each detection.
        xy : (I, K, 2) array
            Pixels, NaN where not confident.
        gate_px, share : float

        Returns
        -------
        (I, len(people)) array
            NaN where nothing can be said.
        """
        if not self.people or not len(views):
            return np.full((len(views), len(self.people)), np.nan)
        xyz = np.array([p.xyz for p in self.people])
        age_3d = frame - np.array([p.solved for p in self.people])[:, None]
        drift = np.array([p.drift for p in self.people]) * np.minimum(age_3d, PREDICT_FRAMES)
        in_space = project_views(self.cameras, xyz + drift[:, None])[:, :, views].swapaxes(1, 2)

        age_2d = frame - np.array([p.seen for p in self.people])[:, views]  # (N, I)
        velocity = np.array([p.velocity for p in self.people])[:, views]
        moved = velocity * np.minimum(age_2d, PREDICT_FRAMES)[..., None]
        in_view = np.array([p.xy for p in self.people])[:, views] + moved[..., None, :]

        seen = np.isfinite(xy[..., 0])
        gate = gate_px + share * extent(np.nan_to_num(xy), seen)
        needed = np.minimum(CONTINUED_KEYPOINTS, seen.sum(axis=-1))
        costs = []
        for predicted, age in ((in_view, age_2d), (in_space, age_3d)):
            distance = np.sqrt(((predicted - xy) ** 2).sum(axis=-1))
            shared = np.isfinite(distance)
            # After a tenth of the longest gap the gate is twice as wide.
            widened = np.minimum(1.0 + (age - 1) / max(0.1 * self.max_gap, 1.0), 4.0)
            cost = median_where(distance, shared) / (gate * widened)
            cost[(shared.sum(axis=-1) < needed) | (age > self.max_gap)] = np.nan
            costs.append(cost)
        space_first = (age_3d < age_2d) | np.isnan(costs[0])
        use_space = space_first & ~np.isnan(costs[1])
        return np.asarray(np.where(use_space, costs[1], costs[0]).T)

    def see(
        self, frame: int, sightings: list[tuple[Person, NDArray[np.intp], FloatArray, FloatArray]]
    ) -> None:
        """Remember this frame: per person its views (n,), confident xy (n, K, 2), score (n, K)."""
        for person, views, xy, _ in sightings:
            shift = _median_shift(xy - person.xy[views]) / np.maximum(
                frame - person.seen[views], 1
            ).reshape(-1, 1)
            known = np.isfinite(shift[:, 0]) & (frame - person.seen[views] <= PREDICT_FRAMES)
            old = person.velocity[views]
            person.velocity[views] = np.where(
                known[:, None], old + VELOCITY_GAIN * (shift - old), 0.0
            )
            person.xy[views] = xy
            person.seen[views] = frame
        several = [s for s in sightings if len(s[1]) > 1]
        if not several:
            return
        k, v = self.n_keypoints, len(self.cameras)
        all_xy, all_score = np.full((len(several), k, v, 2), np.nan), np.zeros((len(several), k, v))
        for i, (_, views, xy, score) in enumerate(several):
            all_xy[i][:, views] = xy.swapaxes(0, 1)
            all_score[i][:, views] = score.T
        xyz = triangulate(
            self.cameras, all_xy.reshape(-1, v, 2), all_score.reshape(-1, v), options=LINEAR_OPTIONS
        ).xyz.reshape(-1, k, 3)
        for (person, _, _, _), points in zip(several, xyz, strict=True):
            if not np.isfinite(points).any():
                continue
            gap = frame - person.solved
            shift = _median_shift((points - person.xyz)[None])[0] / max(gap, 1)
            if np.isfinite(shift[0]) and gap <= PREDICT_FRAMES:
                person.drift += VELOCITY_GAIN * (shift - person.drift)
            else:
                person.drift = np.zeros(3)
            person.xyz, person.solved = points, frame


def _median_shift(difference: FloatArray) -> FloatArray:
    """(n, D) median over the keypoints of (n, K, D), NaN where there are none."""
    valid = np.isfinite(difference)
    return median_where(difference.swapaxes(1, 2), valid.swapaxes(1, 2))
