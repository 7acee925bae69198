"""The bones of a simulated body as actors: their shapes stay, only their matrices change."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from vtkmodules.vtkCommonMath import vtkMatrix4x4
from vtkmodules.vtkRenderingCore import vtkRenderer

from simspine_viewer.bone_parts import COLUMN
from simspine_viewer.offscreen import Shape
from simspine_viewer.stage_mesh import SceneTheme

if TYPE_CHECKING:  # they load readers of files
    from simspine_viewer.bone_groups import BoneGroup

FloatArray = NDArray[np.float64]

_LAST_ROW = (0.0, 0.0, 0.0, 1.0)


class _Bone:
    """The bones of one group."""

    def __init__(self, group: BoneGroup) -> None:
        self.body, self.part, mesh = group.body, group.part, group.mesh
        self.shape = Shape(
            mesh.points.astype(np.float32),
            triangles=mesh.triangles,
            normals=mesh.normals.astype(np.float32),
        )
        self.matrix = vtkMatrix4x4()
        self.shape.actor.SetUserMatrix(self.matrix)
        self.shape.look.SetAmbient(0.30)
        self.shape.look.SetDiffuse(0.80)
        if mesh.closed:
            self.shape.look.BackfaceCullingOn()  # half the time without a GPU


class Bones:
    """Actors for groups of bones; hidden until :meth:`pose` was called."""

    def __init__(
        self, renderer: vtkRenderer, groups: Iterable[BoneGroup], theme: SceneTheme
    ) -> None:
        self._renderer = renderer
        self._bones = [_Bone(group) for group in groups]
        for bone in self._bones:
            bone.shape.actor.VisibilityOff()
            renderer.AddActor(bone.shape.actor)
        self.paint(theme)

    def pose(self, ground_from_body: FloatArray | None, hidden: Collection[str] = ()) -> None:
        """Move every bone to where (B, 3, 4) put its body, m; None hides them all.

        ``hidden`` are the parts of the body that are not shown.
        """
        for bone in self._bones:
            pose = None if ground_from_body is None else ground_from_body[bone.body]
            shown = pose is not None and bone.part not in hidden and bool(np.isfinite(pose).all())
            bone.shape.actor.SetVisibility(shown)
            if shown and pose is not None:
                bone.matrix.DeepCopy((*pose.ravel().tolist(), *_LAST_ROW))

    def paint(self, theme: SceneTheme) -> None:
        """The colours of an appearance: the column stands out."""
        for bone in self._bones:
            bone.shape.tint(theme.bone if bone.part in COLUMN else theme.other_bone)

    def remove(self) -> None:
        """Take all actors out of the renderer."""
        for bone in self._bones:
            self._renderer.RemoveActor(bone.shape.actor)
