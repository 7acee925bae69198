"""A small recording of two persons with made-up cameras and detections, for tests of storage."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.data.camera import Camera, CameraGroup, SyncMap
from pipeline.data.layers import LAYERS
from pipeline.data.sequence import RecordingInfo, Sequence, VideoRef
from pipeline.data.skeleton import project_skeleton

N_FRAMES, N_PERSONS = 300, 2  # two chunks, the second one not full
SIZE = (1920, 1080)

# 4, 5 and 8 coefficients with digits that a careless number format would lose.
DISTORTIONS = (
    np.array([0.1, -0.2, 1e-17 / 3, 2 / 3]),
    np.array([-0.061, 0.12, 0.0, 1 / 3, -0.05]),
    np.linspace(-1, 1, 8) / 7,
)


def small_info(videos: tuple[Path | None, ...] = (None, None, None)) -> RecordingInfo:
    """Three views of :data:`N_FRAMES` frames."""
    cameras = tuple(
        Camera(
            f"cam{view}",
            SIZE,
            np.array([[1500 + view / 3, 0, 960], [0, 1500.1, 540], [0, 0, 1]]),
            distortion,
            np.eye(3)[np.roll([0, 1, 2], view)],
            np.array([0.1, -0.2, 3 + view / 7]),
        )
        for view, distortion in enumerate(DISTORTIONS)
    )
    return RecordingInfo(
        name="small",
        fps=59.94005994,
        n_frames=N_FRAMES,
        cameras=CameraGroup(cameras),
        videos=tuple(VideoRef(path, SIZE, N_FRAMES) for path in videos),
        syncs=(SyncMap(0, 1.0, N_FRAMES), SyncMap(-3, 1.0, N_FRAMES), SyncMap(5, 2 / 3, 190)),
        skeleton=project_skeleton(),
        n_persons=N_PERSONS,
    )


def small_arrays() -> dict[str, NDArray[np.generic]]:
    """``xy``, ``score`` and ``assignment`` of the small recording; some instances are missing."""
    rng = np.random.default_rng(7)
    shape = (N_FRAMES, 3, N_PERSONS, 37)
    xy = rng.uniform(0, 1000, (*shape, 2)).astype(np.float32)
    score = rng.uniform(0, 1, shape).astype(np.float32)
    gone = rng.random(shape[:3]) < 0.1
    xy[gone], score[gone] = np.nan, 0
    assignment = np.broadcast_to(np.arange(N_PERSONS, dtype=np.int16), shape[:3]).copy()
    assignment[gone] = -1
    return {"xy": xy, "score": score, "assignment": assignment}


def small_sequence() -> Sequence:
    """The small recording in memory only."""
    sequence = Sequence(small_info())
    arrays = small_arrays()
    for layer, name in (
        ("instances2d.xy", "xy"),
        ("instances2d.score", "score"),
        ("assignment.track", "assignment"),
    ):
        array = arrays[name]
        axes = array.shape[: len(LAYERS[layer].axes)]
        index = np.indices(axes).reshape(len(axes), -1).T
        values = array.reshape(len(index), *array.shape[len(axes) :])
        sequence.apply(sequence.patch(layer, index, values))
    return sequence
