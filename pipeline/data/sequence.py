"""A recording being worked on: its cameras, its layers, and the one way to change them."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.data.camera import CameraGroup, SyncMap, rotation_matrix
from pipeline.data.chunk_memory import ChunkMemory
from pipeline.data.chunked_array import ChunkedArray
from pipeline.data.layers import INPUTS, LAYERS, MAX_TRACKS, NO_TRACK, LayerSpec
from pipeline.data.patch import Change, Patch
from pipeline.data.skeleton import Skeleton
from pipeline.data.stamps import Stamps
from pipeline.data.time_axes import frames_of_rows, rows_of_pictures

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

    ``cameras`` and ``syncs`` are those that were imported; :attr:`Sequence.cameras` and
    :attr:`Sequence.syncs` are those in force. ``videos`` and ``syncs`` have one entry per camera;
    ``fps`` is the sequence's frame rate; ``n_persons`` is the size of the person axis of the
    detections.
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
    """Layers of one recording. Reads are copies; :meth:`apply` is the only way to change them.

    ``memory`` says how much of them is held in memory at a time.
    """

    def __init__(self, info: RecordingInfo, memory: ChunkMemory | None = None) -> None:
        self.info = info
        self.memory = memory or ChunkMemory()
        self.revision = 0
        self.stamps = Stamps(info.n_frames, info.fps)
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
        """The cameras in force: as imported, with the poses that a person accepted."""
        store = self.layer("cameras.pose")
        return self.remembered("cameras", store.n_writes, self._cameras_now)

    def _cameras_now(self) -> CameraGroup:
        pose = self.read("cameras.pose")
        given = np.isfinite(pose).all(axis=1)
        if not given.any():
            return self.info.cameras
        return CameraGroup(
            tuple(
                replace(
                    camera, rotation=rotation_matrix(pose[view, :3]), translation=pose[view, 3:]
                )
                if given[view]
                else camera
                for view, camera in enumerate(self.info.cameras)
            )
        )

    @property
    def syncs(self) -> tuple[SyncMap, ...]:
        """The time axes in force: as imported, with a person's offsets and drifts added."""
        store = self.layer("cameras.sync")
        return self.remembered("syncs", store.n_writes, self._syncs_now)

    def _syncs_now(self) -> tuple[SyncMap, ...]:
        added = np.nan_to_num(self.read("cameras.sync"))
        return tuple(
            replace(sync, offset=sync.offset + offset, drift=sync.drift + drift)
            if offset or drift
            else sync
            for sync, (offset, drift) in zip(self.info.syncs, added.tolist(), strict=True)
        )

    def _moved(self) -> dict[int, NDArray[np.intp]]:
        """By view whose time axis was corrected: (T,) row of the picture shown at each frame."""
        return self.remembered(
            "moved",
            self.layer("cameras.sync").n_writes,
            lambda: {
                view: rows_of_pictures(imported, now, self.n_frames)
                for view, (imported, now) in enumerate(
                    zip(self.info.syncs, self.syncs, strict=True)
                )
                if now != imported
            },
        )

    def is_moved(self, view: int | None = None) -> bool:
        """True where the time axis of a view (of any) is not the imported one."""
        moved = self._moved()
        return bool(moved) if view is None else view in moved

    def stored_rows(self, view: int, frames: NDArray[np.intp]) -> NDArray[np.intp]:
        """(n,) rows of per-view layers that belong to the pictures shown at ``frames``.

        The frames themselves unless the view's time axis was corrected; -1 where the picture was
        shown at no frame when the recording was imported, so that nothing can be stored with it.
        """
        moved = self._moved()
        if view not in moved:
            return frames
        rows = moved[view][frames]
        return np.where((rows >= 0) & (rows < self.n_frames), rows, -1)

    def stored_index(self, index: ArrayLike) -> NDArray[np.intp]:
        """Positions (N, D) by frame and view turned into stored ones; those without a row go."""
        stored = np.array(index, np.intp, ndmin=2)
        for view in self._moved():
            here = stored[:, 1] == view
            stored[here, 0] = self.stored_rows(view, stored[here, 0])
        return stored[stored[:, 0] >= 0] if self.is_moved() else stored

    def first_row_from(self, view: int, frame: int) -> int:
        """First row, of any sign, of a view that is shown at ``frame`` or later."""
        moved = self._moved()
        return int(moved[view][frame]) if view in moved else frame

    def read_pictures(
        self, name: str, frames: slice | NDArray[np.intp], track: int = NO_TRACK
    ) -> NDArray[Any]:
        """As :meth:`read` of a per-view layer, each view at the rows of the pictures shown."""
        moved = self._moved()
        if not moved:
            return self.read(name, frames, track)
        rows = np.arange(self.n_frames)[frames] if isinstance(frames, slice) else frames
        store = self.layer(name, track)
        values = store.read(rows)
        for view in moved:
            at = self.stored_rows(view, rows)
            values[:, view] = np.where(
                (at >= 0).reshape(-1, *[1] * (values.ndim - 2)), store.read(at)[:, view], store.fill
            )
        return values

    def frames_of(self, patch: Patch) -> NDArray[np.intp]:
        """Sorted frames that read differently once a patch is applied.

        For a layer without frames, such as ``tracks.ignored``, the positions themselves.
        """
        axes = LAYERS[patch.layer].axes
        if axes[0] == "view":
            return np.arange(self.n_frames)
        if "view" not in axes or not self._moved():
            return patch.frames
        parts = []
        for view in np.unique(patch.index[:, 1]).tolist():
            rows = np.unique(patch.index[patch.index[:, 1] == view, 0])
            moved = self._moved().get(view)
            parts.append(rows if moved is None else frames_of_rows(moved, rows))
        return np.unique(np.concatenate(parts)) if parts else patch.frames

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
            self._layers[key] = ChunkedArray(
                self.shape(spec), spec.dtype, spec.fill, spec.rows, self.memory
            )
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

    def recalled(self, name: str, state: Hashable) -> Any | None:
        """What :meth:`remembered` holds for ``name``; None where there is nothing of ``state``."""
        known, value = self._remembered.get(name, (None, None))
        return value if known == state else None

    def apply(self, patch: Patch) -> Change:
        """Write a patch and say what changed."""
        spec = LAYERS[patch.layer]
        self.layer(patch.layer, patch.track).write(patch.index, patch.new)
        frames = self.frames_of(patch)
        if spec.kind != "derived":
            self.revision += 1
            if spec.axes[0] == "view":
                self.stamps.changed(spec.group, patch.track, slice(None), self.revision)
            elif spec.axes[0] == "frame":
                self.stamps.changed(spec.group, patch.track, frames, self.revision)
        return Change(spec.group, patch.track, frames, self.revision)

    def land(self, patches: tuple[Patch, ...], frames: NDArray[np.intp], base: int) -> list[Change]:
        """Apply derived values computed from revision ``base``, where they still hold.

        Only frames whose inputs have not changed since ``base`` are written; the rest stays stale.
        All patches must be of one derived group and one track.
        """
        group, track = LAYERS[patches[0].layer].group, patches[0].track
        if group not in INPUTS:
            raise ValueError(f"{group} is not a derived layer")
        fresh = self.stamps.newest_input(group, track, frames) <= base
        landing = frames[fresh]
        changes = []
        for patch in patches:
            part = patch
            if not fresh.all():
                keep = np.isin(patch.index[:, 0], landing)
                part = Patch(
                    patch.layer, patch.index[keep], patch.old[keep], patch.new[keep], track
                )
            changes.append(self.apply(part))
        self.stamps.computed(group, track, landing, base)
        return changes
