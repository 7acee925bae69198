"""The bones of a model, put together by body and part of the body, in pieces of a few milliseconds.

A model has some seventy files: reading them takes as long as several pictures, so who draws goes on
with :class:`BoneStore` whenever nothing else is to be done.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.data.mesh_files import find_mesh
from pipeline.kinematics.model import KinematicModel
from simspine_viewer.bone_files import BoneMesh, read_mesh
from simspine_viewer.bone_parts import bone_part

FloatArray = NDArray[np.float64]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class BoneGroup:
    """Bones that move together and are shown and hidden together, in the frame of ``body``.

    ``part`` is the part of the body that they belong to.
    """

    body: int
    part: str
    mesh: BoneMesh


class BoneStore:
    """Reads the bones of one model at a time.

    ``folders`` are looked at for meshes, beside ours.
    """

    def __init__(self) -> None:
        self.folders: tuple[Path, ...] = ()
        self.groups: tuple[BoneGroup, ...] = ()
        self._key: tuple[object, ...] = ()
        self._steps: Generator[None, None, tuple[BoneGroup, ...]] | None = None

    def want(self, model: KinematicModel) -> bool:
        """Ask for the bones of a model; True once :attr:`groups` are these."""
        key = (model, self.folders)
        if key != self._key:
            self._key, self.groups = key, ()
            self._steps = bone_steps(model, self.folders)
        return self._steps is None

    @property
    def loading(self) -> bool:
        """Whether there is something left to read."""
        return self._steps is not None

    def go_on(self, milliseconds: float) -> None:
        """Read for about so long, one piece at the least."""
        until = time.perf_counter() + milliseconds / 1000
        while self._steps is not None:
            try:
                next(self._steps)
            except StopIteration as end:
                self.groups, self._steps = end.value, None
            if time.perf_counter() >= until:
                return


def bone_steps(
    model: KinematicModel, folders: tuple[Path, ...] = ()
) -> Generator[None, None, tuple[BoneGroup, ...]]:
    """Read all meshes of a model; those that are missing or unreadable are left out, said once.

    Yields after every piece of some milliseconds; returns the groups.
    """
    pieces: dict[tuple[int, str], list[BoneMesh]] = {}
    missing, unreadable = [], []
    for number in np.flatnonzero(model.mesh_bodies >= 0).tolist():
        name = model.mesh_files[number]
        path = find_mesh(name, folders)
        mesh = None if path is None else read_mesh(path)
        if mesh is not None:
            body = int(model.mesh_bodies[number])
            part = bone_part(name, model.body_names[body])
            placed = on_body(mesh, model.body_from_mesh[number], model.mesh_scale[number])
            pieces.setdefault((body, part), []).append(placed)
        elif path is None:
            missing.append(name)
        else:
            unreadable.append(str(path))
        yield
    for names, what in ((missing, "found"), (unreadable, "readable")):
        if names:
            _log.warning("%s: %d of %d bone meshes are not %s and not drawn: %s", model.name,
                         len(names), len(model.mesh_files), what, ", ".join(names))  # fmt: skip
    return tuple(BoneGroup(body, part, _merged(meshes)) for (body, part), meshes in pieces.items())


def on_body(mesh: BoneMesh, body_from_mesh: FloatArray, scale: FloatArray) -> BoneMesh:
    """A mesh as it lies on its body: scaled (3,), then moved by a (3, 4) transform."""
    turn = body_from_mesh[:, :3]
    points = (mesh.points * scale) @ turn.T + body_from_mesh[:, 3]
    normals = (mesh.normals / scale) @ turn.T
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-20)
    mirrored = float(np.prod(scale)) < 0
    triangles = mesh.triangles[:, ::-1] if mirrored else mesh.triangles
    return BoneMesh(points, normals, triangles, mesh.closed)


def _merged(meshes: list[BoneMesh]) -> BoneMesh:
    starts = np.cumsum([0] + [len(mesh.points) for mesh in meshes])
    return BoneMesh(
        np.concatenate([mesh.points for mesh in meshes]),
        np.concatenate([mesh.normals for mesh in meshes]),
        np.concatenate([m.triangles + start for m, start in zip(meshes, starts, strict=False)]),
        all(mesh.closed for mesh in meshes),
    )
