"""The 3D scene: VTK off screen, handing out pictures; knows nothing of Qt.

Actors and their vertices are made once per recording; afterwards only coordinates move. Create,
use and close a scene in one thread, the one that owns the window.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray
from vtkmodules.util.numpy_support import vtk_to_numpy
from vtkmodules.vtkCommonCore import vtkUnsignedCharArray
from vtkmodules.vtkCommonMath import vtkMatrix4x4
from vtkmodules.vtkRenderingCore import vtkLight, vtkRenderer

from pipeline.data.camera import Camera
from pipeline.data.skeleton import Skeleton
from simspine_viewer.body_mesh import BodyMesh
from simspine_viewer.bone_shapes import Bones
from simspine_viewer.glyphs import sphere
from simspine_viewer.offscreen import Shape, is_software, offscreen_window
from simspine_viewer.orbit_camera import Pinhole, clip_from_view, scaled
from simspine_viewer.palette import STANDARD, Palette
from simspine_viewer.stage3d import Stage
from simspine_viewer.stage_mesh import DARK, LIGHT

if TYPE_CHECKING:  # it loads readers of files
    from simspine_viewer.bone_groups import BoneGroup

FloatArray = NDArray[np.float64]

NEAR, FAR = 0.03, 120.0  # m; with 24 bits of depth still 0.2 mm at 10 m
# Key light from the upper left, fill from the right, rim from behind: (x right, y up, z towards
# the viewer) and strength.
LIGHTS = (((-0.5, 0.7, 1.0), 0.82), ((0.9, 0.0, 0.6), 0.42), ((0.2, 0.9, -0.8), 0.25))


class _Body:
    """The annotated person, and their shadow straight below on the floor."""

    def __init__(self, skeleton: Skeleton, palette: Palette) -> None:
        self.mesh = mesh = BodyMesh(skeleton, palette)
        self.skin = Shape(
            mesh.points, triangles=mesh.triangles, normals=mesh.normals, colours=mesh.colours
        )
        self.skin.look.SetAmbient(0.26)
        self.skin.look.SetDiffuse(0.82)
        self.skin.look.SetSpecular(0.22)
        self.skin.look.SetSpecularPower(28.0)
        self.shadow = Shape(mesh.points, triangles=mesh.triangles)
        self.shadow.look.SetLighting(False)
        self.shadow.actor.SetScale(1.0, 0.0, 1.0)
        self.shadow.actor.SetPosition(0.0, -0.002, 0.0)  # below the lines of the grid
        for shape in (self.skin, self.shadow):
            shape.look.BackfaceCullingOn()  # half the time without a GPU: all parts are closed


class Scene3D:
    """Floor, cameras and the annotated person, drawn for any :class:`Pinhole`.

    Raises :class:`simspine_viewer.offscreen.SceneUnavailableError` where the computer cannot draw.
    """

    def __init__(self, *, dark: bool = True) -> None:
        self._window = offscreen_window()
        self._window.SetNumberOfLayers(2)
        self._renderer, self._front = vtkRenderer(), vtkRenderer()
        self._renderer.SetBackgroundAlpha(1.0)  # pictures are opaque
        # Over everything else: there the points are put where bones would hide them.
        self._front.SetLayer(1)
        self._front.SetActiveCamera(self._renderer.GetActiveCamera())
        for renderer in (self._renderer, self._front):
            self._window.AddRenderer(renderer)
            _prepare(renderer)
        self._points_in = self._renderer
        self._front.DrawOff()
        self._bones: Bones | None = None
        self._groups: tuple[BoneGroup, ...] = ()
        self._software: bool | None = None
        ball = sphere(24, 16)
        self._uncertainty = Shape(
            ball.points.astype(np.float32),
            triangles=ball.triangles,
            normals=ball.normals.astype(np.float32),
        )
        self._uncertainty.look.SetOpacity(0.28)
        self._renderer.AddActor(self._uncertainty.actor)
        self._theme = DARK if dark else LIGHT
        self._stage = Stage(self._renderer, [])
        self._body: _Body | None = None
        self.set_recording((), None)

    def set_recording(
        self,
        cameras: Iterable[Camera],
        skeleton: Skeleton | None,
        palette: Palette = STANDARD,
    ) -> None:
        """Make the actors for the cameras and the person of a recording (None: no person)."""
        self._stage.remove()
        self._stage = Stage(self._renderer, list(cameras))
        if self._body is not None:
            self._points_in.RemoveActor(self._body.skin.actor)
            self._renderer.RemoveActor(self._body.shadow.actor)
        self._body = None if skeleton is None else _Body(skeleton, palette)
        if self._body is not None:
            self._points_in.AddActor(self._body.skin.actor)
            self._renderer.AddActor(self._body.shadow.actor)
        self._uncertainty.actor.VisibilityOff()
        self._paint()

    def set_points(
        self,
        xyz: FloatArray,
        *,
        selected: int = -1,
        sigma: float = np.nan,
        preview: tuple[int, FloatArray] | None = None,
        bridged: bool = True,
        slim: bool = False,
    ) -> None:
        """Move the person.

        Parameters
        ----------
        xyz : (K, 3) array
            World points in metres; NaN is not drawn.
        selected : int
            Keypoint drawn larger; -1 for none.
        sigma : float
            Its uncertainty in mm, drawn as a sphere of one standard deviation; NaN for none.
        preview : (int, (3,) array), optional
            A keypoint and where a drag would put it, in metres.
        bridged : bool
            Connect what lies on both sides of missing points.
        slim : bool
            Thin lines and small points over everything else, for a person with bones.
        """
        if self._body is None:
            return
        self._put_points(self._body, self._front if slim else self._renderer)
        self._body.mesh.pose(xyz, selected, preview, bridged=bridged, slim=slim)
        self._body.skin.changed()
        self._body.shadow.changed()
        centre = xyz[selected] if selected >= 0 else np.full(3, np.nan)
        shown = preview is None and np.isfinite(centre).all() and np.isfinite(sigma) and sigma > 0
        self._uncertainty.actor.SetVisibility(bool(shown))
        if shown:
            self._uncertainty.actor.SetPosition(*centre)
            self._uncertainty.actor.SetScale(sigma / 1000)
        self._stage.follow(xyz)

    def _put_points(self, body: _Body, renderer: vtkRenderer) -> None:
        if renderer is not self._points_in:
            for actor in (body.skin.actor, self._uncertainty.actor):
                self._points_in.RemoveActor(actor)
                renderer.AddActor(actor)
            self._points_in = renderer
            self._front.SetDraw(renderer is self._front)

    def set_bones(self, groups: tuple[BoneGroup, ...]) -> None:
        """Take over the bones of a model; the same groups cost nothing."""
        if groups is not self._groups:
            if self._bones is not None:
                self._bones.remove()
            self._groups = groups
            self._bones = Bones(self._renderer, groups, self._theme) if groups else None

    def pose_bones(self, ground_from_body: FloatArray | None, hidden: Collection[str] = ()) -> None:
        """Move the bones to where (B, 3, 4) put the bodies, m; None: no bones.

        ``hidden`` are the parts of the body (``simspine_viewer.parts``) that are not shown.
        """
        if self._bones is not None:
            self._bones.pose(ground_from_body, hidden)

    @property
    def is_software(self) -> bool:
        """Whether the processor draws, for want of a GPU."""
        if self._software is None:
            self._software = is_software(self._window)
        return self._software

    def set_cameras(self, *, hidden: int = -1, active: int = -1) -> None:
        """Hide the frustum looked through, mark that of the active view; -1 for none."""
        self._stage.mark(hidden=hidden, active=active)

    def set_theme(self, dark: bool) -> None:
        """Dark or light appearance."""
        self._theme = DARK if dark else LIGHT
        self._paint()

    def _paint(self) -> None:
        self._renderer.SetBackground(*(channel / 255 for channel in self._theme.ground))
        self._stage.paint(self._theme)
        self._uncertainty.tint(self._theme.uncertainty)
        if self._bones is not None:
            self._bones.paint(self._theme)
        if self._body is not None:
            self._body.shadow.tint(self._theme.shadow)

    def render(self, hole: Pinhole, width: int, height: int, samples: int = 1) -> NDArray[np.uint8]:
        """Draw the scene.

        Parameters
        ----------
        hole : Pinhole
            The camera, in pixels of the picture.
        width, height : int
            Size of the picture in pixels.
        samples : int
            Each pixel is the mean of ``samples`` x ``samples``.

        Returns
        -------
        (height, width, 4) uint8 array
            Blue, green, red, 255; top row first; contiguous: ``QImage.Format_RGB32``.
        """
        w, h = width * samples, height * samples
        self._aim(scaled(hole, samples), w, h)
        self._stage.set_line_width(h / 640)
        self._window.SetSize(w, h)
        self._window.Render()
        pixels = vtkUnsignedCharArray()
        # With its fourth byte, as it lies in the buffer: a quarter of the time.
        self._window.GetRGBACharPixelData(0, 0, w - 1, h - 1, 0, pixels, 0)
        picture = np.asarray(vtk_to_numpy(pixels)).reshape(h, w, 4)
        if samples > 1:
            picture = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
        return np.asarray(cv2.flip(cv2.cvtColor(picture, cv2.COLOR_RGBA2BGRA), 0), np.uint8)

    def _aim(self, hole: Pinhole, width: int, height: int) -> None:
        camera = self._renderer.GetActiveCamera()
        camera.SetPosition(*hole.centre)
        camera.SetFocalPoint(*(hole.centre + hole.forward))
        camera.SetViewUp(*-hole.rotation[1])
        matrix = vtkMatrix4x4()
        matrix.DeepCopy(clip_from_view(hole, width, height, NEAR, FAR).ravel().tolist())
        camera.SetExplicitProjectionTransformMatrix(matrix)
        camera.UseExplicitProjectionTransformMatrixOn()

    def close(self) -> None:
        """Free the drawing context; drop the scene afterwards. Twice does no harm."""
        for renderer in (self._front, self._renderer):
            renderer.RemoveAllViewProps()
            self._window.RemoveRenderer(renderer)
        self._window.Finalize()


def _prepare(renderer: vtkRenderer) -> None:
    """No work of VTK's that is not wanted, and our lights."""
    renderer.SetUseOIT(False)  # exact order of glass is not worth 13 ms without a GPU
    renderer.GetCullers().RemoveAllItems()  # fewer actors than culling costs
    renderer.AutomaticLightCreationOff()
    for position, strength in LIGHTS:
        light = vtkLight()
        light.SetLightTypeToCameraLight()
        light.SetPosition(*position)
        light.SetIntensity(strength)
        renderer.AddLight(light)
