"""Text and marks painted over the 3D picture: names, scale bar, axes, messages."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QImage, QPainter, QPen

from pipeline.data.camera import Camera
from simspine_viewer import orbit_camera as orbit
from simspine_viewer.document import Document
from simspine_viewer.orbit_camera import CameraView, Pinhole
from simspine_viewer.scene_feed import SceneFeed
from simspine_viewer.selection import Selection
from simspine_viewer.stage_mesh import AXIS_COLOUR, SceneTheme, frustum
from simspine_viewer.stages import Stage, legend
from simspine_viewer.theme import Theme
from simspine_viewer.trails import FUTURE, PAST, Trail
from simspine_viewer.viewpoints import Viewpoints

FloatArray = NDArray[np.float64]

MARGIN = 10.0  # px
_BAR = 96.0  # px, longest scale bar
_TRIAD = 22.0  # px
_EDGE = 1.0  # px around text
_FAR = 1e5  # px; beyond it drawing slows down, and nothing is seen


@dataclass(frozen=True, slots=True, eq=False)
class Label:
    """A name beside a place ``xy`` (2,) px, or centred above it.

    ``strong`` marks what the user is working on.
    """

    text: str
    xy: FloatArray
    strong: bool = False
    above: bool = False


def nice_length(longest: float) -> float:
    """The largest of 1, 2, 5 times a power of ten that is not above ``longest``."""
    power = 10.0 ** np.floor(np.log10(longest))
    return float(power * max(step for step in (1, 2, 5) if step * power <= longest * (1 + 1e-9)))


def length_text(metres: float) -> str:
    """A length in the unit people use for it."""
    if metres >= 1:
        return f"{metres:g} m"
    if metres >= 0.01:
        return f"{metres * 100:g} cm"
    return f"{metres * 1000:g} mm"


def _above(hole: Pinhole, camera: Camera) -> FloatArray:
    """Place (2,) px over the drawing of a camera; NaN where it is behind the viewer."""
    xy = orbit.project(hole, _frustum(camera))
    return np.array([xy[:, 0].mean(), xy[:, 1].min()])


_frustum = lru_cache(maxsize=64)(frustum)  # cameras stand still while the person moves


@lru_cache(maxsize=64)
def _outlined(text: str, font_text: str, rgba: int, edge: int, ratio: float) -> QImage:
    """Text with a thin edge around it; the same few are drawn in every picture."""
    font = QFont()
    font.fromString(font_text)
    metrics = QFontMetricsF(font)
    width = math.ceil((metrics.horizontalAdvance(text) + 2 * _EDGE) * ratio)
    image = QImage(
        width,
        math.ceil((metrics.height() + 2 * _EDGE) * ratio),
        QImage.Format.Format_ARGB32_Premultiplied,
    )
    image.setDevicePixelRatio(ratio)
    image.fill(Qt.GlobalColor.transparent)
    base = QPointF(_EDGE, _EDGE + metrics.ascent())
    with QPainter(image) as painter:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(font)
        painter.setPen(QColor.fromRgba(edge))
        for dx, dy in ((-_EDGE, 0), (_EDGE, 0), (0, -_EDGE), (0, _EDGE)):
            painter.drawText(base + QPointF(dx, dy), text)
        painter.setPen(QColor.fromRgba(rgba))
        painter.drawText(base, text)
    return image


class OverlayPainter:
    """Paints with one appearance; lives for one paint event."""

    def __init__(
        self, painter: QPainter, size: tuple[int, int], theme: Theme, scene: SceneTheme
    ) -> None:
        self._painter = painter
        self._width, self._height = size
        self._text, self._muted = QColor(theme.text), QColor(theme.muted)
        self._ground = QColor(*scene.ground)
        self._plate = QColor(*scene.ground, 225)
        self._metrics = QFontMetricsF(painter.font())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)

    def scene(
        self,
        feed: SceneFeed,
        viewpoints: Viewpoints,
        document: Document,
        selection: Selection,
        hover: tuple[int, int],
    ) -> None:
        """Everything that belongs to an open recording.

        ``hover`` is a keypoint and a level of the simulated spine, -1 for none.
        """
        size = (self._width, self._height)
        hole, view = viewpoints.hole(size), viewpoints.current
        if isinstance(view, CameraView):
            self.picture_frame(orbit.picture_bounds(view, *size))
        sequence, preview, xyz = document.sequence, feed.preview(), feed.xyz()
        trail = feed.trail()
        if trail is not None:
            self.trail(orbit.project(hole, trail.places), trail)
        labels = [
            Label(camera.name, _above(hole, camera), i == selection.view, above=True)
            for i, camera in enumerate(sequence.cameras)
            if i != viewpoints.through
        ]
        keypoints = sequence.info.skeleton.keypoints
        strong = {selection.keypoint, hover[0]} - {-1}
        for keypoint in strong if len(xyz) else ():
            place, name = xyz[keypoint], keypoints[keypoint].marker
            if preview is not None and preview.keypoint == keypoint:
                place = preview.xyz
            elif np.isfinite(feed.sigma(keypoint)):
                name = f"{name} ± {feed.sigma(keypoint):.0f} mm"
            xy = orbit.project(hole, place)
            if keypoint == selection.keypoint:
                self.ring(xy, 8.0)
            labels.append(Label(name, xy, strong=True))
        levels = feed.levels() if hover[1] >= 0 else None
        if levels is not None and hover[1] < len(levels.names):
            xy = orbit.project(hole, levels.xyz[hover[1]])
            labels.append(Label(levels.names[hover[1]], xy, strong=True))
        if feed.options.names:
            placed = orbit.project(hole, xyz)
            labels += [
                Label(keypoints[keypoint].marker, placed[keypoint])
                for keypoint in range(len(xyz))
                if keypoint not in strong
            ]
        self.labels(sorted(labels, key=lambda label: not label.strong))
        stage = feed.options.stage
        shown = "" if stage is Stage.WORK else legend(feed.points(), stage, feed.pose())
        self.title(" · ".join(text for text in (viewpoints.title, shown) if text))
        self.scale_bar(orbit.metres_per_pixel(hole, viewpoints.centre()))
        self.triad(hole)

    def title(self, text: str) -> None:
        """What the view shows, in the top left corner."""
        self._write(QPointF(MARGIN, MARGIN + self._metrics.ascent()), text, self._muted)

    def labels(self, labels: Iterable[Label]) -> None:
        """Names at their places, on plates; left out are those outside the widget, and those that
        would cover one before them."""
        taken: list[QRectF] = []
        for label in labels:
            x, y = label.xy
            if 0 <= x < self._width and 0 <= y < self._height:
                width = self._metrics.horizontalAdvance(label.text)
                left = x + 13 if x + 17 + width <= self._width else x - 13 - width
                if label.above:
                    left = float(np.clip(x - width / 2, 4, max(self._width - width - 4, 4)))
                below_title = MARGIN + 2 * self._metrics.height()
                base = float(np.clip(y - 6, below_title, max(self._height - 4, below_title)))
                plate = QRectF(
                    left - 4,
                    base - self._metrics.ascent() - 2,
                    width + 8,
                    self._metrics.height() + 4,
                )
                if not label.strong and any(plate.intersects(other) for other in taken):
                    continue
                taken.append(plate)
                self._painter.setPen(Qt.PenStyle.NoPen)
                self._painter.setBrush(self._plate)
                self._painter.drawRoundedRect(plate, 3, 3)
                self._painter.setPen(self._text if label.strong else self._muted)
                self._painter.drawText(QPointF(left, base), label.text)

    def trail(self, xy: FloatArray, trail: Trail) -> None:
        """The path of a keypoint through ``xy`` (n, 2) px, fading with the distance in time."""
        known = np.asarray((np.abs(xy) < _FAR).all(axis=1))  # False for NaN
        for i, opacity in enumerate(trail.fading.tolist()):
            if known[i] and known[i + 1]:
                colour = QColor(*(PAST if trail.offset[i] < 0 else FUTURE))
                colour.setAlphaF(opacity)
                self._painter.setPen(QPen(colour, 2.0))
                self._painter.drawLine(QPointF(*xy[i]), QPointF(*xy[i + 1]))

    def ring(self, xy: FloatArray, radius: float) -> None:
        """A ring around the selected keypoint."""
        if not np.isfinite(xy).all():
            return
        centre = QPointF(*xy)
        for colour, width in ((self._ground, 4.0), (self._text, 1.8)):
            self._painter.setPen(QPen(colour, width))
            self._painter.setBrush(Qt.BrushStyle.NoBrush)
            self._painter.drawEllipse(centre, radius, radius)

    def scale_bar(self, metres_per_pixel: float) -> None:
        """A bar of round length in the bottom left corner."""
        length = nice_length(_BAR * metres_per_pixel)
        width = length / metres_per_pixel
        y = self._height - MARGIN - 4
        self._painter.setPen(QPen(self._muted, 1.4))
        for a, b in (
            ((MARGIN, y), (MARGIN + width, y)),
            ((MARGIN, y - 4), (MARGIN, y + 4)),
            ((MARGIN + width, y - 4), (MARGIN + width, y + 4)),
        ):
            self._painter.drawLine(QPointF(*a), QPointF(*b))
        self._write(QPointF(MARGIN + 6, y - 6), length_text(length), self._muted)

    def triad(self, hole: Pinhole) -> None:
        """Directions of the world's axes in the bottom right corner, nearest on top."""
        centre = np.array([self._width, self._height]) - MARGIN - 1.5 * _TRIAD
        ends = hole.rotation.T  # row i: axis i in the camera
        for axis in np.argsort(-ends[:, 2]):
            tip = centre + _TRIAD * ends[axis, :2]
            colour = QColor(*AXIS_COLOUR[axis])
            self._painter.setPen(QPen(colour, 2.0))
            self._painter.drawLine(QPointF(*centre), QPointF(*tip))
            if np.hypot(*ends[axis, :2]) < 0.35:  # points at the viewer
                continue
            name = "XYZ"[axis]
            middle = centre + 1.4 * _TRIAD * ends[axis, :2]
            width = self._metrics.horizontalAdvance(name)
            base = QPointF(middle[0] - width / 2, middle[1] + self._metrics.capHeight() / 2)
            self._write(base, name, self._text)

    def picture_frame(self, bounds: tuple[float, float, float, float]) -> None:
        """The edge of the picture of the camera looked through."""
        self._painter.setPen(QPen(self._muted, 1.0, Qt.PenStyle.DashLine))
        self._painter.setBrush(Qt.BrushStyle.NoBrush)
        self._painter.drawRect(QRectF(*bounds).adjusted(0.5, 0.5, -0.5, -0.5))

    def message(self, text: str) -> None:
        """A sentence in the middle."""
        width = min(self._width - 2 * MARGIN, 46 * self._metrics.averageCharWidth())
        box = QRectF((self._width - width) / 2, MARGIN, width, self._height - 2 * MARGIN)
        self._painter.setPen(self._muted)
        flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
        self._painter.drawText(box, int(flags), text)

    def _write(self, base: QPointF, text: str, colour: QColor) -> None:
        """Text with a thin edge of the ground's colour, readable over anything."""
        painter = self._painter
        font, ratio = painter.font(), painter.device().devicePixelRatioF()
        image = _outlined(text, font.toString(), colour.rgba(), self._ground.rgba(), ratio)
        corner = base - QPointF(_EDGE, _EDGE + self._metrics.ascent())
        # On whole device pixels, where text is sharp.
        at = QPointF(round(corner.x() * ratio) / ratio, round(corner.y() * ratio) / ratio)
        painter.drawImage(at, image)
