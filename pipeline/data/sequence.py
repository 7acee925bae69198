"""A recording being worked on: its cameras, its layers, and the one way to change them."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.data.camera import CameraGroup, SyncMap
from pipeline.data.chunked_array import ChunkedArray
from pipeline.data.layers import INPUTS, LAYERS, MAX_TRACKS, NO_TRACK, LayerSpec
from pipeline.data.patch import Change, Patch
from pipeline.data.skeleton import Skeleton
from pipeline.data.stamps import Stamps

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class VideoFingerprint:
    """Size of a video file in bytes, and SHA-256 (hex) of its first and last 64 kB."""

    n_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class VideoRef:
    """The video of one view: its path (None: no picture), displayed size and frame count.

    ``fingerprint`` is of the file that was imported; None where nothing is known of it.
    """

    path: Path | None
    size: tuple[int, int]
    n_frames: int
    fingerprint: VideoFingerprint | None = None


@dataclass(frozen=True, slots=True)
class RecordingInfo:
    """What stays the same while a recording is worked on.

    ``videos`` and ``syncs`` have one entry per camera; ``fps`` is the sequence's frame rate;
    ``n_persons`` is the size of the person axis of the detections.
    """

    name: str
    fps: float
    n_frames: int
    cameras: CameraGroup
    videos: tuple[VideoRef, ...]
    syncs: tuple[SyncMap, ...]
    skeleton: Skeleton
    n_persons: int


class Sequence:
    """Layers of one recording. Reads are copies; :meth:`apply` is the only way to change them."""

    def __init__(self, info: RecordingInfo) -> None:
        self.info = info
        self.revision = 0
        self.stamps = Stamps(info.n_frames)
        self._layers: dict[tuple[str, int], ChunkedArray] = {}
        self._remembered: dict[str, tuple[Hashable, Any]] = {}

    @property
    def n_frames(self) -> int:
        return self.info.n_frames

    @property
    def n_views(self) -> int:
        return len(self.info.cameras)

    @property
    def cameras(self) -> CameraGroup:
        """The cameras in force now."""
        return self.info.cameras

    @property
    def syncs(self) -> tuple[SyncMap, ...]:
        """The time axes of the views in force now."""
        return self.info.syncs

    @property
    def n_keypoints(self) -> int:
        return len(self.info.skeleton)

    def shape(self, spec: LayerSpec) -> tuple[int, ...]:
        """Full shape of a layer in this sequence."""
        size = {
            "frame": self.n_frames,
            "view": self.n_views,
            "person": self.info.n_persons,
            "keypoint": self.n_keypoints,
            "track": MAX_TRACKS,
        }
        return (*(size[axis] for axis in spec.axes), *spec.item)

    def layer(self, name: str, track: int = NO_TRACK) -> ChunkedArray:
        """The store of a layer; ValueError where ``track`` does not fit the layer."""
        spec = LAYERS[name]
        if spec.per_track == (track == NO_TRACK):
            raise ValueError(f"layer {name} read with track {track}")
        key = (name, track)
        if key not in self._layers:
            self._layers[key] = ChunkedArray(self.shape(spec), spec.dtype, spec.fill)
        return self._layers[key]

    def stored_layers(self) -> tuple[tuple[str, int], ...]:
        """(name, track) of every layer that exists in memory."""
        return tuple(self._layers)

    def read(
        self, name: str, rows: slice | ArrayLike = slice(None), track: int = NO_TRACK
    ) -> NDArray[Any]:
        """Copy of the given rows (all by default) of a layer."""
        index = rows if isinstance(rows, slice) else np.atleast_1d(np.asarray(rows, np.intp))
        return self.layer(name, track).read(index)

    def patch(self, name: str, index: ArrayLike, new: ArrayLike, track: int = NO_TRACK) -> Patch:
        """A patch that sets ``new`` (broadcast to (N, *item)) at ``index`` (N, D)."""
        spec, store = LAYERS[name], self.layer(name, track)
        rows = np.atleast_2d(np.asarray(index, np.intp))
        if rows.shape[1] != len(spec.axes):
            raise ValueError(f"{name} is indexed by {spec.axes}, got {rows.shape[1]} columns")
        limits = np.array(self.shape(spec)[: len(spec.axes)])
        if np.any(rows < 0) or np.any(rows >= limits):
            raise IndexError(f"index outside {name} of shape {tuple(limits)}")
        values = np.broadcast_to(np.asarray(new, store.dtype), (len(rows), *spec.item)).copy()
        return Patch(name, rows, store.get(rows), values, track)

    def remembered(self, name: str, state: Hashable, make: Callable[[], T]) -> T:
        """What ``make`` gave for ``name`` when last asked, made anew where ``state`` differs."""
        if name not in self._remembered or self._remembered[name][0] != state:
            self._remembered[name] = state, make()
        value: T = self._remembered[name][1]
        return value

    def apply(self, patch: Patch) -> Change:
        """Write a patch and say what changed."""
        spec = LAYERS[patch.layer]
        self.layer(patch.layer, patch.track).write(patch.index, patch.new)
        if spec.kind != "derived":
            self.revision += 1
            if spec.axes[0] == "frame":
                self.stamps.changed(spec.group, patch.track, patch.frames, self.revision)
        return Change(spec.group, patch.track, patch.frames, self.revision)

    def land(self, patches: tuple[Patch, ...], frames: NDArray[np.intp], base: int) -> list[Change]:
        """Apply derived values computed from revision ``base``, where they still hold.

        Only frames whose inputs have not changed since ``base`` are written; the rest stays stale.
        All patches must be of one derived group and one track.
        """
        group, track = LAYERS[patches[0].layer].group, patches[0].track
        if group not in INPUTS:
            raise ValueError(f"{group} is not a derived layer")
        fresh = self.stamps.newest_input(group, track)[frames] <= base
        landing = frames[fresh]
        changes = []
        for patch in patches:
            keep = np.isin(patch.index[:, 0], landing)
            part = Patch(patch.layer, patch.index[keep], patch.old[keep], patch.new[keep], track)
            changes.append(self.apply(part))
        self.stamps.computed(group, track, landing, base)
        return changes
