"""Camera poses corrected from the person's own points, with proof on frames that were not used.

Only rotations and positions are refined. Lenses stay: freeing the principal point turns cameras by
5 to 7 degrees and moves it by 227 px without a smaller error on the real recording, and a focal
length gains nothing. Scale, floor and axes of the world stay too (:func:`refine_solver.aligned`).
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.transform import Rotation

from pipeline.data.camera import Camera, CameraGroup
from pipeline.geometry.heldout import heldout_errors
from pipeline.geometry.refine_frames import Chosen, choose_frames, usable_frames
from pipeline.geometry.refine_solver import Bundle, Prior, adjusted, aligned, posed_by
from pipeline.geometry.triangulation import DEFAULT_OPTIONS

FloatArray = NDArray[np.float64]
Step = tuple[float, str]

# Detections below this score are neither fitted nor counted, as in Pose2Sim.
COUNTED_SCORE = 0.3


@dataclass(frozen=True, slots=True)
class RefineOptions:
    """How far the person is believed against the calibration.

    Parameters
    ----------
    frames, check_frames : int
        At most so many frames are fitted, and so many others checked. Five spread over the real
        trial already reach what all hundred do; 25 in a row do not.
    shift_mm, turn_mrad : float
        Prior standard deviations. Twice as tight as needed costs nothing in held-out error and
        halves the motion.
    data_weight : float
        Inverse variance (px^-2) of a detection of full score. Errors of a detector are the same
        from frame to frame, so its detections tell less than their number says.
    loss_px : float
        Where the soft-l1 loss turns lenient.
    accept_gain : float
        Share by which the held-out error of the other frames must fall.
    min_frames, min_points, min_views : int
        Fewer usable frames, points or points of one camera are refused.
    min_travel_m : float
        A person who moves less would fit the cameras to one posture.
    """

    frames: int = 40
    check_frames: int = 80
    shift_mm: float = 3.0
    turn_mrad: float = 1.0
    data_weight: float = 0.05
    loss_px: float = 5.0
    accept_gain: float = 0.15
    min_frames: int = 10
    min_points: int = 60
    min_views: int = 40
    min_travel_m: float = 0.04

    @property
    def prior(self) -> Prior:
        return Prior(self.shift_mm / 1000.0, self.turn_mrad / 1000.0, self.loss_px)


DEFAULT_REFINE_OPTIONS = RefineOptions()
# A correction beyond this is no longer a matter of millimetres.
LARGE_MM, LARGE_DEG = 100.0, 3.0


@dataclass(frozen=True, slots=True, eq=False)
class Refinement:
    """What refining found; the cameras are to be used only if ``accepted``.

    ``cameras`` are the proposal (the old ones where there is none). ``moved_mm`` and
    ``turned_deg`` (V,) are against the old ones; ``before`` and ``after`` (V,) the median held-out
    errors in pixels in the ``checked`` frames, NaN where a view cannot be checked, and
    ``before_all`` and ``after_all`` over all views. ``frames`` were fitted, with ``n_points``
    points. ``reason`` says why it was not accepted (empty if it was), ``cautions`` what to look at
    all the same.
    """

    cameras: CameraGroup
    moved_mm: FloatArray
    turned_deg: FloatArray
    before: FloatArray
    after: FloatArray
    before_all: float
    after_all: float
    frames: NDArray[np.intp]
    checked: NDArray[np.intp]
    n_points: int
    accepted: bool
    reason: str
    cautions: tuple[str, ...] = ()


def refine_cameras(
    cameras: Iterable[Camera],
    xy: ArrayLike,
    score: ArrayLike,
    *,
    manual: ArrayLike | None = None,
    options: RefineOptions = DEFAULT_REFINE_OPTIONS,
) -> Refinement:
    """Refine where the cameras stand from one person's points.

    Parameters
    ----------
    cameras : iterable of V cameras
    xy : (T, V, K, 2) array
        Pixels; NaN = not observed.
    score : (T, V, K) array
        The detector's confidence; NaN counts as 0.
    manual : (T, V, K) bool array, optional
        Points set by a person; they count more, as in triangulation, and are never treated
        robustly.
    options : RefineOptions

    Returns
    -------
    Refinement
        Never raises for data that say too little: then ``accepted`` is False with a ``reason``.

    Raises
    ------
    ValueError
        If the shapes do not fit each other.
    """
    steps = refine_steps(cameras, xy, score, manual=manual, options=options)
    try:
        while True:
            next(steps)
    except StopIteration as end:
        result: Refinement = end.value
        return result


def refine_steps(
    cameras: Iterable[Camera],
    xy: ArrayLike,
    score: ArrayLike,
    *,
    manual: ArrayLike | None = None,
    options: RefineOptions = DEFAULT_REFINE_OPTIONS,
) -> Generator[Step, None, Refinement]:
    """:func:`refine_cameras` with a ``(fraction, text)`` after each step of the work."""
    views = tuple(cameras)
    pixels, scores, clicked = checked_input(views, xy, score, manual)
    used = (scores > COUNTED_SCORE) & np.isfinite(pixels[..., 0])
    scores = np.where(used, scores, 0.0)
    usable = usable_frames(used)
    if refusal := _refused(views, usable, options):
        return _nothing(views, refusal)
    yield 0.0, "Choosing frames"
    n_fit = min(options.frames, len(usable) // 2)
    chosen = choose_frames(
        views, pixels, scores, clicked, usable, n_fit=n_fit, n_check=options.check_frames
    )
    if chosen.travel_m < options.min_travel_m:
        return _nothing(
            views,
            "The person hardly moves in this recording; the cameras would be fitted to one posture "
            "instead of the room.",
        )
    bundle, held, _ = bundle_of(views, pixels, scores, clicked, chosen, options)
    if len(bundle.xyz) < options.min_points or len(held) > len(views) - 3:
        return _nothing(
            views,
            f"Only {len(bundle.xyz)} points are seen well enough by three cameras; that is too "
            "little to move cameras by.",
        )
    yield 0.1, "Measuring the error"
    before = _heldout(views, pixels, scores, clicked, chosen)
    for step, _ in enumerate(adjusted(bundle, options.prior)):
        yield min(0.3 + 0.03 * step, 0.8), f"Adjusting, step {step + 1}"
    refined = settled(bundle, held, options.prior)
    if not all(np.isfinite(c.rotation).all() and np.isfinite(c.translation).all() for c in refined):
        return _nothing(views, "The points do not determine where the cameras are.")
    yield 0.8, "Measuring the error"
    after = _heldout(refined, pixels, scores, clicked, chosen)
    return _judged(views, refined, before, after, chosen, len(bundle.xyz), held, options)


def checked_input(
    views: tuple[Camera, ...], xy: ArrayLike, score: ArrayLike, manual: ArrayLike | None
) -> tuple[FloatArray, FloatArray, NDArray[np.bool_]]:
    """Pixels, scores and what was set by a person, as arrays of shapes that fit."""
    pixels = np.asarray(xy, dtype=np.float64)
    if pixels.ndim != 4 or pixels.shape[1] != len(views) or pixels.shape[3] != 2:
        raise ValueError(f"xy has shape {pixels.shape}, expected (T, {len(views)}, K, 2)")
    scores = np.nan_to_num(np.asarray(score, dtype=np.float64), nan=0.0)
    clicked = np.zeros(scores.shape, bool) if manual is None else np.asarray(manual, dtype=bool)
    if scores.shape != pixels.shape[:3] or clicked.shape != scores.shape:
        raise ValueError(f"score or manual does not have the shape {pixels.shape[:3]} of xy")
    pixels = np.where(np.isfinite(pixels).all(axis=-1, keepdims=True), pixels, np.nan)
    return pixels, np.where(clicked, 1.0, scores), clicked


def bundle_of(
    views: tuple[Camera, ...],
    pixels: FloatArray,
    scores: FloatArray,
    clicked: NDArray[np.bool_],
    chosen: Chosen,
    options: RefineOptions,
) -> tuple[Bundle, tuple[int, ...], NDArray[np.intp]]:
    """The chosen frames as a bundle, the views that see too little to be moved, and rows.

    The rows say for each point of the bundle which it is of the (frames x K) points.
    """
    v = len(views)
    xyz = chosen.xyz.reshape(-1, 3)
    xy = pixels[chosen.fit].transpose(0, 2, 1, 3).reshape(-1, v, 2)
    belief = scores[chosen.fit].transpose(0, 2, 1).reshape(-1, v)
    manual = clicked[chosen.fit].transpose(0, 2, 1).reshape(-1, v)
    information = options.data_weight * np.minimum(belief / DEFAULT_OPTIONS.full_score, 1.0)
    certain = (
        options.data_weight * (DEFAULT_OPTIONS.sigma_px / DEFAULT_OPTIONS.manual_sigma_px) ** 2
    )
    information = np.where(manual, certain, information)
    information[~(np.isfinite(xy[..., 0]) & np.isfinite(xyz[:, :1]))] = 0.0
    held = tuple(np.flatnonzero((information > 0).sum(axis=0) < options.min_views).tolist())
    information[:, list(held)] = 0.0
    some = (information > 0).sum(axis=1) >= 2
    zeros = np.zeros((v, 3))
    bundle = Bundle(
        views, zeros, zeros.copy(), xyz[some], xy[some], information[some], manual[some]
    )
    return bundle, held, np.flatnonzero(some)


def settled(bundle: Bundle, held: tuple[int, ...], prior: Prior) -> tuple[Camera, ...]:
    """The bundle's cameras in the old world; those in ``held`` as they were."""
    free = [view for view in range(len(bundle.cameras)) if view not in held]
    solved = posed_by(bundle.cameras, bundle.turn, bundle.shift)
    inplace = aligned(tuple(solved[v] for v in free), tuple(bundle.cameras[v] for v in free), prior)
    result = list(bundle.cameras)
    for view, camera in zip(free, inplace, strict=True):
        result[view] = camera
    return tuple(result)


def motion(old: Iterable[Camera], new: Iterable[Camera]) -> tuple[FloatArray, FloatArray]:
    """How far cameras moved (V,) in millimetres and turned (V,) in degrees."""
    pairs = list(zip(old, new, strict=True))
    moved = [1000.0 * float(np.linalg.norm(b.centre - a.centre)) for a, b in pairs]
    turned = [
        float(np.degrees(Rotation.from_matrix(b.rotation @ a.rotation.T).magnitude()))
        for a, b in pairs
    ]
    return np.array(moved), np.array(turned)


def _refused(views: tuple[Camera, ...], usable: NDArray[np.intp], options: RefineOptions) -> str:
    if len(views) < 3:
        return (
            "Cameras can be refined from three views on: only then can a camera be checked "
            "against the others."
        )
    if len(usable) < options.min_frames:
        return (
            f"Three cameras see the person together in {len(usable)} frames; at least "
            f"{options.min_frames} are needed, half to fit and half to check."
        )
    return ""


def _heldout(
    views: tuple[Camera, ...],
    pixels: FloatArray,
    scores: FloatArray,
    clicked: NDArray[np.bool_],
    chosen: Chosen,
) -> FloatArray:
    """(N, V) held-out errors of the checked frames; NaN where nothing is counted."""
    v = len(views)
    score = scores[chosen.check].transpose(0, 2, 1).reshape(-1, v)
    some = (score > 0).sum(axis=1) >= 3
    errors = heldout_errors(
        views,
        pixels[chosen.check].transpose(0, 2, 1, 3).reshape(-1, v, 2)[some],
        score[some],
        manual=clicked[chosen.check].transpose(0, 2, 1).reshape(-1, v)[some],
    )
    return np.where(score[some] > 0, errors, np.nan)


def _judged(
    old: tuple[Camera, ...],
    new: tuple[Camera, ...],
    before: FloatArray,
    after: FloatArray,
    chosen: Chosen,
    n_points: int,
    held: tuple[int, ...],
    options: RefineOptions,
) -> Refinement:
    moved, turned = motion(old, new)
    was, now = _median(before), _median(after)
    gain = 1.0 - now / was if was > 0 else 0.0
    reason = ""
    if not gain > options.accept_gain:
        reason = (
            f"In frames that were not used, the held-out error goes from {was:.1f} to {now:.1f} px;"
            f" it has to fall by more than {options.accept_gain:.0%} for the cameras to be moved."
        )
    cautions = [
        f"{old[view].name} sees too little of the person and stays where it is." for view in held
    ]
    by_view_before = np.array([_median(column) for column in before.T])
    by_view_after = np.array([_median(column) for column in after.T])
    for view, camera in enumerate(old):
        if moved[view] > LARGE_MM or turned[view] > LARGE_DEG:
            cautions.append(
                f"{camera.name} moves by {moved[view]:.0f} mm and {turned[view]:.1f}°: that is "
                "much; consider calibrating again."
            )
        if by_view_after[view] > 1.05 * by_view_before[view]:
            cautions.append(f"{camera.name} fits the others worse than before.")
    return Refinement(
        CameraGroup(new), moved, turned, by_view_before, by_view_after, was, now,
        chosen.fit, chosen.check, n_points, not reason, reason, tuple(cautions),
    )  # fmt: skip


def _median(errors: FloatArray) -> float:
    counted = errors[~np.isnan(errors)]
    return float(np.median(counted)) if len(counted) else float("nan")


def _nothing(views: tuple[Camera, ...], reason: str) -> Refinement:
    unknown, none = np.full(len(views), np.nan), np.zeros(0, np.intp)
    still = np.zeros(len(views))
    return Refinement(
        CameraGroup(views), still, still.copy(), unknown, unknown.copy(), float("nan"),
        float("nan"), none, none, 0, False, reason,
    )  # fmt: skip
