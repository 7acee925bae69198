"""Which viewpoint the 3D view has, what it is called, and how presets and the mouse change it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from simspine_viewer import orbit_camera as orbit
from simspine_viewer.document import Document, FramePoints
from simspine_viewer.orbit_camera import CameraView, OrbitView, Pinhole, Viewpoint
from simspine_viewer.time_cursor import TimeCursor

FloatArray = NDArray[np.float64]
Size = tuple[int, int]

START_ANGLE = np.radians(35.0)  # from the front, so that both sides and depth are seen
RADIANS_PER_PIXEL = np.pi / 400
_BORDER = 0.15  # of the width and height; a person whose middle comes into it is leaving


class Viewpoints:
    """The current viewpoint; ``title`` names it, ``through`` is the view looked through or -1.

    ``is_placed`` is False until the person has been framed once or the user chose a viewpoint;
    ``brings_back`` lets :meth:`keep` move the view, which following something else forbids.
    All sizes are the widget's (width, height) in pixels.
    """

    def __init__(self, document: Document, cursor: TimeCursor) -> None:
        self._document, self._cursor = document, cursor
        self.current: Viewpoint = OrbitView()
        self.title, self.through, self.is_placed = "", -1, False
        self.brings_back = True
        self._seen = -1, np.zeros(3)  # frame and the person's middle when last drawn

    def reset(self) -> None:
        """Forget the viewpoint; the next person seen is framed anew."""
        self._set(OrbitView(), "")
        self.is_placed = False
        self._seen = -1, np.zeros(3)

    def start(self, size: Size) -> None:
        """Frame the person obliquely from the front, if there is one."""
        if self._shown() is not None:
            self._set(self._framed(OrbitView(azimuth=self._facing() + START_ANGLE), size), "")

    def frame(self, size: Size) -> None:
        """Bring the whole person into view from the same side."""
        title = self.title if self.through < 0 else ""
        self._set(self._framed(self._as_orbit(size), size), title)

    def front(self, size: Size) -> None:
        """See the person from the front."""
        self._preset(0.0, 0.0, "Front", size)

    def side(self, size: Size) -> None:
        """See the person from their right."""
        self._preset(-np.pi / 2, 0.0, "Right side", size)

    def top(self, size: Size) -> None:
        """See the person from above, facing up in the picture."""
        self._preset(np.pi, np.pi / 2, "Top", size)

    def camera(self, view: int) -> None:
        """See what a calibrated camera sees, without its distortion."""
        if self._document.is_open and 0 <= view < len(self._document.sequence.cameras):
            camera = self._document.sequence.cameras[view]
            self._set(CameraView(camera), f"Through {camera.name}", view)

    def turn(self, dx: float, dy: float, size: Size) -> None:
        """Orbit by a drag of the mouse in pixels; leaves a camera."""
        view = self._as_orbit(size)
        turned = orbit.orbited(view, -dx * RADIANS_PER_PIXEL, dy * RADIANS_PER_PIXEL)
        self._set(turned, "")

    def pan(self, dx: float, dy: float, size: Size) -> None:
        """Follow a drag of the mouse in pixels."""
        self._set(orbit.panned(self.current, dx, dy, *size), self.title, self.through)

    def zoom(self, factor: float, xy: FloatArray, size: Size) -> None:
        """Enlarge; what is at ``xy`` (2,) px stays there."""
        self._set(orbit.zoomed(self.current, factor, xy, *size), self.title, self.through)

    def shift(self, by: FloatArray) -> None:
        """Move along with what moved by (3,) m; a calibrated camera stays where it is."""
        if isinstance(self.current, OrbitView):
            self.current = replace(self.current, focus=self.current.focus + by)

    def keep(self, size: Size) -> None:
        """Bring a person back who leaves a free view as the frame changes.

        Who looked at something else, with the person's middle out of sight, goes on seeing that.
        """
        frame, before = self._seen
        self._seen = self._cursor.frame, self.centre()
        if frame in (-1, self._cursor.frame) or not self.brings_back:
            return
        now = self._seen[1]
        if self._is_inside(before, size) and not self._is_inside(now, size):
            middle = np.array([size[0] / 2, size[1] / 2])
            self.shift(now - orbit.on_plane(self.hole(size), middle, now))

    def _is_inside(self, xyz: FloatArray, size: Size) -> bool:
        part = orbit.project(self.hole(size), xyz) / np.maximum(size, 1)
        return bool(((part >= _BORDER) & (part <= 1 - _BORDER)).all())  # NaN is not inside

    def hole(self, size: Size) -> Pinhole:
        """The camera for a widget of this size."""
        return orbit.pinhole(self.current, max(size[0], 1), max(size[1], 1))

    def centre(self) -> FloatArray:
        """(3,) m: middle of the person, else of what a free view looks at, else the origin."""
        points = self._shown()
        if points is not None:
            there = points.xyz[
                np.isfinite(points.xyz).all(axis=1)
            ]  # nanmedian takes ten times as long
            return np.asarray(np.median(there, axis=0)) if len(there) else np.full(3, np.nan)
        return self.current.focus if isinstance(self.current, OrbitView) else np.zeros(3)

    def _set(self, view: Viewpoint, title: str, through: int = -1) -> None:
        self.current, self.title, self.through, self.is_placed = view, title, through, True

    def _preset(self, azimuth: float, elevation: float, title: str, size: Size) -> None:
        view = OrbitView(azimuth=self._facing() + azimuth, elevation=elevation)
        if isinstance(self.current, OrbitView):
            view = replace(view, focus=self.current.focus, distance=self.current.distance)
        self._set(self._framed(view, size), title)

    def _as_orbit(self, size: Size) -> OrbitView:
        return orbit.as_orbit(self.current, self.centre(), *size)

    def _framed(self, view: OrbitView, size: Size) -> OrbitView:
        points = self._shown()
        if points is None:
            return view
        return orbit.framed(view, points.xyz, size[0] / max(size[1], 1))

    def _shown(self) -> FramePoints | None:
        """Points of the cursor's frame, None where the person has none in 3D."""
        frame = self._cursor.frame
        if not self._document.is_open or frame >= self._document.sequence.n_frames:
            return None
        points = self._document.points_at(frame)
        return points if np.isfinite(points.xyz).all(axis=1).any() else None

    def _facing(self) -> float:
        """Azimuth the person faces, 0 (the world's Z) where that cannot be told."""
        points = self._shown()
        if points is None:
            return 0.0
        names = self._document.sequence.info.skeleton.names
        joints = [j for j in ("hip", "shoulder") if {f"left_{j}", f"right_{j}"} <= set(names)]
        left = [names.index(f"left_{joint}") for joint in joints]
        right = [names.index(f"right_{joint}") for joint in joints]
        found = orbit.facing(points.xyz, left, right)
        return 0.0 if found is None else found
