"""Bone meshes as a model names them: found, read, and made ready for drawing.

Importing this loads VTK's readers: only who has bones to draw does.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from vtkmodules.util.numpy_support import vtk_to_numpy
from vtkmodules.vtkCommonDataModel import vtkPolyData
from vtkmodules.vtkFiltersCore import vtkTriangleFilter
from vtkmodules.vtkIOGeometry import vtkOBJReader, vtkSTLReader
from vtkmodules.vtkIOXML import vtkXMLPolyDataReader

FloatArray = NDArray[np.float64]

_READERS = {".vtp": vtkXMLPolyDataReader, ".obj": vtkOBJReader, ".stl": vtkSTLReader}
_SAME_PLACE = 1e-5  # m; our own files are written to 0.1 mm


@dataclass(frozen=True, slots=True, eq=False)
class BoneMesh:
    """Triangles of a bone: ``points`` (N, 3) m with ``normals`` (N, 3), ``triangles`` (M, 3).

    ``closed``: no back of a triangle can ever be seen.
    """

    points: FloatArray
    normals: FloatArray
    triangles: NDArray[np.int64]
    closed: bool


def read_mesh(path: Path) -> BoneMesh | None:
    """The triangles of a ``.vtp``, ``.obj`` or ``.stl`` file; None where it holds none."""
    return _read(path, path.stat().st_mtime_ns)


# Every bone of two models; read anew where a file was changed.
@lru_cache(maxsize=256)
def _read(path: Path, _changed: int) -> BoneMesh | None:
    kind = _READERS.get(path.suffix.lower())
    if kind is None:
        return None
    reader: Any = kind()
    reader.SetFileName(str(path))
    triangles = vtkTriangleFilter()
    triangles.SetInputConnection(reader.GetOutputPort())
    triangles.PassVertsOff()
    triangles.PassLinesOff()
    triangles.Update()
    return _from_vtk(triangles.GetOutput())


def _from_vtk(data: vtkPolyData) -> BoneMesh | None:
    corners = vtk_to_numpy(data.GetPolys().GetConnectivityArray())
    if not len(corners) or data.GetPoints() is None:
        return None
    points = np.array(vtk_to_numpy(data.GetPoints().GetData()), float)
    triangles = np.array(corners, np.int64).reshape(-1, 3)
    if not np.isfinite(points).all():
        return None
    given = data.GetPointData().GetNormals()
    if given is None:
        points, triangles = welded(points, triangles)
        normals = smooth_normals(points, triangles)
    else:
        normals = np.array(vtk_to_numpy(given), float)
    return BoneMesh(points, normals, triangles, is_closed(points, triangles))


def welded(
    points: FloatArray, triangles: NDArray[np.int64]
) -> tuple[FloatArray, NDArray[np.int64]]:
    """The same triangles with one point for each place."""
    _, kept, new = np.unique(
        np.round(points / _SAME_PLACE).astype(np.int64), axis=0, return_index=True,
        return_inverse=True,
    )  # fmt: skip
    corners = new.reshape(-1)[triangles]
    flat = (corners == np.roll(corners, 1, axis=1)).any(axis=1)
    return points[kept], corners[~flat]


def smooth_normals(points: FloatArray, triangles: NDArray[np.int64]) -> FloatArray:
    """(N, 3) normals of points: the mean of those of their triangles, by area."""
    a, b, c = (points[triangles[:, corner]] for corner in range(3))
    face = np.cross(b - a, c - a)
    normals = np.zeros_like(points)
    for corner in range(3):
        np.add.at(normals, triangles[:, corner], face)
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    return np.asarray(normals / np.maximum(length, 1e-20))


def is_closed(points: FloatArray, triangles: NDArray[np.int64]) -> bool:
    """Whether every edge has a triangle on either side, and all of them face outwards."""
    points, triangles = welded(points, triangles)
    edges = np.concatenate([triangles[:, (0, 1)], triangles[:, (1, 2)], triangles[:, (2, 0)]])
    n = len(points)
    there, back = edges[:, 0] * n + edges[:, 1], edges[:, 1] * n + edges[:, 0]
    if not np.array_equal(np.sort(there), np.sort(back)):
        return False
    a, b, c = (points[triangles[:, corner]] for corner in range(3))
    return bool(np.einsum("ij,ij->", a, np.cross(b, c)) > 0)
