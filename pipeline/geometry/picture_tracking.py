"""A point followed from picture to picture, until it cannot be followed any more."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Grey = NDArray[np.uint8]
Patch = NDArray[np.float32]

_ENOUGH_CONTRAST = 2.0  # grey levels (SD): below, noise of the camera is all there is to match
_LK_STOP = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 30, 0.01)
_ECC_STOP = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 50, 1e-4)
_ECC_SMOOTHING = 3  # px, against the noise of the camera


@dataclass(frozen=True, slots=True)
class TrackingOptions:
    """When a point counts as followed.

    Parameters
    ----------
    window : int
        Side of the square that is matched, px, odd. It holds a skin marker of a recording in full
        HD (10 to 15 px) and some skin around it.
    levels : int
        Halvings of the picture, for motion that is longer than the window.
    most_return : float
        Followed back to the picture before, the point must come out this close to where it was, px
        (forward-backward error, Kalal 2010).
    least_alike : float
        Correlation with what it looked like in the picture before; below, it is lost.
    same_look : float
        Correlation with what it looked like when it was last anchored. While it is above, the
        position is measured against that look and cannot drift; below, the point is anchored anew
        (after "the template update problem", Matthews 2004).
    search : float
        The match lies at most so many pixels from where the flow leads.
    """

    window: int = 21
    levels: int = 3
    most_return: float = 1.0
    least_alike: float = 0.6
    same_look: float = 0.85
    search: float = 3.0


@dataclass(frozen=True, slots=True)
class TrackedPoint:
    """Where the point is in one picture: ``x``, ``y`` px, ``alike`` the correlation reached."""

    x: float
    y: float
    alike: float


def track_point(
    pictures: Iterable[Grey], xy: tuple[float, float], options: TrackingOptions | None = None
) -> Generator[TrackedPoint, None, str]:
    """Follow a point from the first picture through all others.

    Pyramidal Lucas-Kanade flow (Bouguet 2001) finds it, forward and back; the shift and turn that
    correlate best with the look it was anchored with refine it (ECC, Evangelidis 2008): light that
    changes does not move it, and a skin that turns does not let it drift.

    Parameters
    ----------
    pictures : iterable of (H, W) uint8 arrays
        Grey, all of one size, in the order in which they are to be gone through.
    xy : (x, y)
        Where the point is in the first one, px; the centre of the first pixel is at 0, 0.
    options : TrackingOptions, optional

    Yields
    ------
    TrackedPoint
        One for each picture after the first in which the point was found.

    Returns
    -------
    str
        Why it ended before the pictures did, as the end of a sentence; empty where it did not.
    """
    options = options or TrackingOptions()
    before: Grey | None = None
    at = np.asarray(xy, np.float64)
    step, turn = np.zeros(2), 0.0
    look = last = np.zeros((0, 0), np.float32)
    for picture in pictures:
        if before is None:
            before = picture
            look = last = _patch(picture, at, options.window)
            if cause := _cannot_start(picture, at, look):
                return cause
            continue
        guess = _flow(before, picture, at, at + step, options)
        if guess is None or not _inside(guess, picture):
            return "it left the picture" if _near_edge(at, picture, options) else "it was lost"
        back = _flow(picture, before, guess, at, options)
        if back is None or float(np.linalg.norm(back - at)) > options.most_return:
            return "it was lost: followed back, it comes out somewhere else"
        found, turned, alike = _match(picture, look, guess, turn, options)
        if alike < options.same_look:
            look = last
            found, turned, alike = _match(picture, look, guess, 0.0, options)
        if alike < options.least_alike:
            return "it was lost: it does not look the same any more"
        if not _inside(found, picture):
            return "it left the picture"
        step, at, turn, before = found - at, found, turned, picture
        last = _patch(picture, at, options.window)
        yield TrackedPoint(float(at[0]), float(at[1]), alike)
    return ""


def _cannot_start(picture: Grey, at: FloatArray, look: Patch) -> str:
    if not _inside(at, picture):
        return "it lies outside the picture"
    if float(look.std()) < _ENOUGH_CONTRAST:
        return "the picture is too even there to follow anything"
    return ""


def _flow(
    source: Grey, target: Grey, at: FloatArray, guess: FloatArray, options: TrackingOptions
) -> FloatArray | None:
    size = (options.window, options.window)
    found, status, _ = cv2.calcOpticalFlowPyrLK(
        source,
        target,
        at.astype(np.float32).reshape(1, 1, 2),
        guess.astype(np.float32).reshape(1, 1, 2),
        winSize=size,
        maxLevel=options.levels,
        criteria=_LK_STOP,
        flags=cv2.OPTFLOW_USE_INITIAL_FLOW,
    )
    return np.asarray(found, np.float64).reshape(2) if status is not None and status[0, 0] else None


def _patch(picture: Grey, at: FloatArray, side: int) -> Patch:
    centre = (float(at[0]), float(at[1]))
    patch = cv2.getRectSubPix(picture, (side, side), centre, patchType=cv2.CV_32F)
    return np.asarray(patch, np.float32)


def _match(
    picture: Grey, look: Patch, guess: FloatArray, turn: float, options: TrackingOptions
) -> tuple[FloatArray, float, float]:
    """Where the look is found near a guess, turned how far (rad) and how alike; -1 if it is not."""
    side = options.window + 2 * (options.window // 2)  # so that its corners can turn in it
    around = _patch(picture, guess, side)
    c, s = np.cos(turn), np.sin(turn)
    rotation = np.array([[c, -s], [s, c]])
    middle_look, middle = np.full(2, (options.window - 1) / 2), np.full(2, (side - 1) / 2)
    warp = np.column_stack([rotation, middle - rotation @ middle_look]).astype(np.float32)
    try:
        alike, warp = cv2.findTransformECC(
            look, around, warp, cv2.MOTION_EUCLIDEAN, _ECC_STOP, None, _ECC_SMOOTHING
        )
    except cv2.error:  # how OpenCV says that there is no maximum near
        return guess, turn, -1.0
    warp = np.asarray(warp, np.float64)
    shift = warp[:, :2] @ middle_look + warp[:, 2] - middle
    if not np.isfinite(shift).all() or float(np.linalg.norm(shift)) > options.search:
        return guess, turn, -1.0
    return guess + shift, float(np.arctan2(warp[1, 0], warp[0, 0])), float(alike)


def _inside(at: FloatArray, picture: Grey) -> bool:
    height, width = picture.shape
    return bool(0.0 <= at[0] <= width - 1 and 0.0 <= at[1] <= height - 1)


def _near_edge(at: FloatArray, picture: Grey, options: TrackingOptions) -> bool:
    height, width = picture.shape
    room = min(at[0], at[1], width - 1 - at[0], height - 1 - at[1])
    return bool(room < options.window)
