"""Camera arithmetic of the 3D view: viewpoints, the pinhole they give, and moving them.

Widget pixels are continuous here: the origin is the widget's top left corner, so the centre of the
first pixel is (0.5, 0.5). Pixels of a video, whose centres are at integers, are half a pixel less.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.data.camera import Camera

FloatArray = NDArray[np.float64]

# Vertical field of view of free views: about that of a 80 mm lens on 35 mm film, little distortion
# of near limbs and still a sense of depth.
FIELD_OF_VIEW = np.radians(26.0)
MARGIN = 1.12  # how much larger than the person the framed picture is
MIN_DISTANCE, MAX_DISTANCE = 0.05, 200.0  # m
NEAREST_DEPTH = 1e-6  # m; below it a point counts as behind the camera


@dataclass(frozen=True, slots=True, eq=False)
class Pinhole:
    """An undistorted camera for a picture of the widget's size.

    ``rotation`` (3, 3) is ``camera_from_world`` (x right, y down, z forward), ``centre`` (3,) is in
    world metres, ``matrix`` (3, 3) gives continuous pixels.
    """

    rotation: FloatArray
    centre: FloatArray
    matrix: FloatArray

    @property
    def forward(self) -> FloatArray:
        """(3,) unit vector of the optical axis in the world."""
        return np.asarray(self.rotation[2])


@dataclass(frozen=True, slots=True, eq=False)
class OrbitView:
    """A free viewpoint: looking at ``focus`` (3,) m from ``distance`` m.

    ``azimuth`` turns about the vertical Y from +Z towards +X, ``elevation`` lifts the viewpoint;
    both radians. ``field_of_view`` is vertical, radians.
    """

    focus: FloatArray = field(default_factory=lambda: np.array([0.0, 1.0, 0.0]))
    azimuth: float = np.radians(35.0)
    elevation: float = np.radians(12.0)
    distance: float = 5.0
    field_of_view: float = FIELD_OF_VIEW


@dataclass(frozen=True, slots=True, eq=False)
class CameraView:
    """The view through a calibrated camera, its whole picture fitted into the widget.

    ``zoom`` and ``shift`` (2,) (fractions of the fitted picture's height) enlarge and move the
    picture without moving the camera.
    """

    camera: Camera
    zoom: float = 1.0
    shift: FloatArray = field(default_factory=lambda: np.zeros(2))


Viewpoint = OrbitView | CameraView


def pinhole(view: Viewpoint, width: float, height: float) -> Pinhole:
    """Camera of a viewpoint for a widget of ``width`` x ``height`` pixels."""
    if isinstance(view, OrbitView):
        return _orbit_pinhole(view, width, height)
    camera, (scale, left, top) = view.camera, _fit(view, width, height)
    from_video = np.array([[scale, 0.0, left], [0.0, scale, top], [0.0, 0.0, 1.0]])
    from_centres = np.array([[1.0, 0.0, 0.5], [0.0, 1.0, 0.5], [0.0, 0.0, 1.0]])
    matrix = from_video @ from_centres @ camera.matrix
    return Pinhole(camera.rotation, camera.centre, matrix)


def _orbit_pinhole(view: OrbitView, width: float, height: float) -> Pinhole:
    sin_a, cos_a = np.sin(view.azimuth), np.cos(view.azimuth)
    sin_e, cos_e = np.sin(view.elevation), np.cos(view.elevation)
    back = np.array([sin_a * cos_e, sin_e, cos_a * cos_e])
    right = np.array([cos_a, 0.0, -sin_a])
    rotation = np.stack([right, -np.cross(back, right), -back])
    focal = height / 2 / np.tan(view.field_of_view / 2)
    matrix = np.array([[focal, 0.0, width / 2], [0.0, focal, height / 2], [0.0, 0.0, 1.0]])
    return Pinhole(rotation, view.focus + view.distance * back, matrix)


def _fit(view: CameraView, width: float, height: float) -> tuple[float, float, float]:
    """Widget pixels per video pixel, and where the picture's top left corner comes to lie."""
    video_width, video_height = view.camera.size
    fitted = min(width / video_width, height / video_height)
    scale = fitted * view.zoom
    shift = view.shift * fitted * video_height
    left = (width - video_width * scale) / 2 + shift[0]
    top = (height - video_height * scale) / 2 + shift[1]
    return scale, float(left), float(top)


def picture_bounds(
    view: CameraView, width: float, height: float
) -> tuple[float, float, float, float]:
    """Left, top, width and height of the camera's picture in widget pixels."""
    scale, left, top = _fit(view, width, height)
    return left, top, view.camera.size[0] * scale, view.camera.size[1] * scale


def scaled(hole: Pinhole, factor: float) -> Pinhole:
    """The same camera for a picture with ``factor`` times as many pixels each way."""
    return replace(hole, matrix=np.diag([factor, factor, 1.0]) @ hole.matrix)


def project(hole: Pinhole, xyz: ArrayLike) -> FloatArray:
    """Widget pixels (..., 2) of world points (..., 3) m; NaN for NaN and behind the camera."""
    local = (np.asarray(xyz, dtype=np.float64) - hole.centre) @ hole.rotation.T
    with np.errstate(invalid="ignore"):
        depth = np.where(local[..., 2:] > NEAREST_DEPTH, local[..., 2:], np.nan)
    image = (local / depth) @ hole.matrix.T
    return np.asarray(image[..., :2])


def ray(hole: Pinhole, xy: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Origin (3,) in world metres and unit direction (..., 3) of the sight of pixels (..., 2)."""
    pixels = np.asarray(xy, dtype=np.float64)
    homogeneous = np.concatenate([pixels, np.ones((*pixels.shape[:-1], 1))], axis=-1)
    direction = homogeneous @ np.linalg.inv(hole.matrix).T @ hole.rotation
    direction /= np.linalg.norm(direction, axis=-1, keepdims=True)
    return hole.centre, direction


def on_plane(hole: Pinhole, xy: ArrayLike, through: ArrayLike) -> FloatArray:
    """Point (3,) seen at the pixel ``xy`` (2,) in the plane parallel to the picture.

    The plane contains ``through`` (3,) m, which must be in front of the camera.
    """
    origin, direction = ray(hole, xy)
    depth = (np.asarray(through, dtype=np.float64) - origin) @ hole.forward
    return np.asarray(origin + direction * (depth / (direction @ hole.forward)))


def metres_per_pixel(hole: Pinhole, at: ArrayLike) -> float:
    """Size of a widget pixel in the plane through ``at`` (3,) m parallel to the picture."""
    depth = (np.asarray(at, dtype=np.float64) - hole.centre) @ hole.forward
    return float(depth / hole.matrix[1, 1])


def clip_from_view(hole: Pinhole, width: int, height: int, near: float, far: float) -> FloatArray:
    """OpenGL's (4, 4) projection matrix of a pinhole.

    View coordinates are OpenGL's: x right, y up, z backward; ``near`` and ``far`` in metres.
    """
    (fx, skew, cx), (_, fy, cy), _ = hole.matrix
    return np.array(
        [
            [2 * fx / width, -2 * skew / width, 1 - 2 * cx / width, 0.0],
            [0.0, 2 * fy / height, 2 * cy / height - 1, 0.0],
            [0.0, 0.0, -(far + near) / (far - near), -2 * far * near / (far - near)],
            [0.0, 0.0, -1.0, 0.0],
        ]
    )


def as_orbit(view: Viewpoint, about: FloatArray, width: float, height: float) -> OrbitView:
    """A free viewpoint that sees what ``view`` sees, orbiting at the depth of ``about`` (3,) m.

    A camera's roll is lost.
    """
    if isinstance(view, OrbitView):
        return view
    hole = pinhole(view, width, height)
    _, forward = ray(hole, (width / 2, height / 2))
    distance = float(np.clip((about - hole.centre) @ forward, MIN_DISTANCE, MAX_DISTANCE))
    return OrbitView(
        focus=hole.centre + distance * forward,
        azimuth=float(np.arctan2(-forward[0], -forward[2])),
        elevation=float(np.arcsin(np.clip(-forward[1], -1.0, 1.0))),
        distance=distance,
        field_of_view=float(2 * np.arctan(height / 2 / hole.matrix[1, 1])),
    )


def orbited(view: OrbitView, azimuth: float, elevation: float) -> OrbitView:
    """Turned by angles in radians; elevation stops at the poles."""
    lifted = float(np.clip(view.elevation + elevation, -np.pi / 2, np.pi / 2))
    return replace(view, azimuth=view.azimuth + azimuth, elevation=lifted)


def panned(view: Viewpoint, dx: float, dy: float, width: float, height: float) -> Viewpoint:
    """Moved so that what is in focus follows the pointer by ``dx``, ``dy`` pixels."""
    if isinstance(view, CameraView):
        scale = _fit(view, width, height)[0] / view.zoom * view.camera.size[1]
        return replace(view, shift=view.shift + np.array([dx, dy]) / scale)
    hole = pinhole(view, width, height)
    size = metres_per_pixel(hole, view.focus)
    return replace(view, focus=view.focus - size * (dx * hole.rotation[0] + dy * hole.rotation[1]))


def zoomed(view: Viewpoint, factor: float, xy: ArrayLike, width: float, height: float) -> Viewpoint:
    """Enlarged by ``factor`` with what is under the pointer ``xy`` (2,) staying there."""
    pointer = np.asarray(xy, dtype=np.float64)
    if isinstance(view, CameraView):
        zoom = float(np.clip(view.zoom * factor, 0.2, 50.0))
        fitted = _fit(view, width, height)[0] / view.zoom * view.camera.size[1]
        from_middle = (pointer - (width / 2, height / 2)) / fitted
        shift = from_middle + (view.shift - from_middle) * (zoom / view.zoom)
        return replace(view, zoom=zoom, shift=shift)
    distance = float(np.clip(view.distance / factor, MIN_DISTANCE, MAX_DISTANCE))
    under = on_plane(pinhole(view, width, height), pointer, view.focus)
    focus = view.focus + (1 - distance / view.distance) * (under - view.focus)
    return replace(view, focus=focus, distance=distance)


def framed(view: OrbitView, xyz: ArrayLike, aspect: float) -> OrbitView:
    """Same direction, moved to show all the finite points (N, 3) m; as it is where there are none.

    ``aspect`` is the widget's width over its height.
    """
    points = np.asarray(xyz, dtype=np.float64).reshape(-1, 3)
    points = points[np.isfinite(points).all(axis=1)]
    if not len(points):
        return view
    rotation = _orbit_pinhole(view, 1.0, 1.0).rotation
    local = points @ rotation.T
    low, high = local.min(axis=0), local.max(axis=0)
    middle = (low + high) / 2
    off = local - middle
    # At which distance each point comes to lie on the margin; a single point gets 0.1 m around it.
    reach = MARGIN * np.maximum(np.abs(off[:, :2]), 0.1) / np.tan(FIELD_OF_VIEW / 2)
    distance = np.max(np.maximum(reach[:, 0] / aspect, reach[:, 1]) - off[:, 2])
    return replace(
        view,
        focus=middle @ rotation,
        distance=float(np.clip(distance, MIN_DISTANCE, MAX_DISTANCE)),
        field_of_view=FIELD_OF_VIEW,
    )


def facing(xyz: FloatArray, left: list[int], right: list[int]) -> float | None:
    """Azimuth (rad) a person faces, from paired left and right keypoints of (K, 3) points.

    The person's left is ``up x forward``. None where no pair is there or they lie one above the
    other.
    """
    across = xyz[left] - xyz[right]
    across = across[np.isfinite(across).all(axis=1)]
    if not len(across):
        return None
    x, _, z = across.sum(axis=0)
    if np.hypot(x, z) < 1e-3:
        return None
    # forward = left x up, with up = +Y
    return float(np.arctan2(-z, x))
