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
    from simspine_viewer.bone_files import BoneMesh
    from simspine_viewer.bone_groups import BoneGroup

FloatArray = NDArray[np.float64]

_LAST_ROW = (0.0, 0.0, 0.0, 1.0)


class _Bone:
    """The bones of one group: an actor, and a mapper for moving pictures beside its own."""

    def __init__(self, group: BoneGroup) -> None:
        self.body, self.part = group.body, group.part
        shape, coarse = _shape(group.fine), _shape(group.coarse)
        self.actor, self.tint, self._shapes = shape.actor, shape.tint, (shape, coarse)
        self._mappers = (coarse.actor.GetMapper(), shape.actor.GetMapper())
        self.matrix = vtkMatrix4x4()
        self.actor.SetUserMatrix(self.matrix)
        look = shape.look
        look.SetAmbient(0.30)
        look.SetDiffuse(0.80)
        if group.fine.closed:
            look.BackfaceCullingOn()

    def set_fine(self, fine: bool) -> None:
        self.actor.SetMapper(self._mappers[fine])


def _shape(mesh: BoneMesh) -> Shape:
    return Shape(
        mesh.points.astype(np.float32),
        triangles=mesh.triangles,
        normals=mesh.normals.astype(np.float32),
    )


class Bones:
    """Actors for groups of bones; hidden until :meth:`pose` was called."""

    def __init__(
        self, renderer: vtkRenderer, groups: Iterable[BoneGroup], theme: SceneTheme
    ) -> None:
        self._renderer = renderer
        self._bones = [_Bone(group) for group in groups]
        self._fine = True
        for bone in self._bones:
            bone.actor.VisibilityOff()
            renderer.AddActor(bone.actor)
        self.paint(theme)

    def pose(self, ground_from_body: FloatArray | None, hidden: Collection[str] = ()) -> None:
        """Move every bone to where (B, 3, 4) put its body, m; None hides them all.

        ``hidden`` are the parts of the body that are not shown.
        """
        for bone in self._bones:
            pose = None if ground_from_body is None else ground_from_body[bone.body]
            shown = pose is not None and bone.part not in hidden and bool(np.isfinite(pose).all())
            bone.actor.SetVisibility(shown)
            if shown and pose is not None:
                bone.matrix.DeepCopy((*pose.ravel().tolist(), *_LAST_ROW))

    def paint(self, theme: SceneTheme) -> None:
        """The colours of an appearance: the column stands out."""
        for bone in self._bones:
            bone.tint(theme.bone if bone.part in COLUMN else theme.other_bone)

    def set_fine(self, fine: bool) -> None:
        """Draw all there is, or what is quick."""
        if fine != self._fine:
            self._fine = fine
            for bone in self._bones:
                bone.set_fine(fine)

    def remove(self) -> None:
        """Take all actors out of the renderer."""
        for bone in self._bones:
            self._renderer.RemoveActor(bone.actor)
