"""Writes and reads a mesh as a VTK XML poly data file (.vtp, ASCII), in metres.

ASCII, because Simbody's reader, which OpenSim uses, takes no other form.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np

from pipeline.data.errors import UserError
from pipeline.simulation.bones.shapes import Mesh

_METRES = 1e-3


def vtp_text(mesh: Mesh) -> str:
    """The file's text: points to 0.1 mm with smooth normals, triangles as polygons."""
    points = _rounded(mesh.points, 1)
    normals = _vertex_normals(mesh)
    count, triangles = len(points), len(mesh.triangles)
    offsets = np.arange(3, 3 * triangles + 3, 3)
    parts = [
        '<?xml version="1.0"?>',
        '<VTKFile type="PolyData" version="0.1" byte_order="LittleEndian">',
        "<PolyData>",
        f'<Piece NumberOfPoints="{count}" NumberOfVerts="0" NumberOfLines="0" '
        f'NumberOfStrips="0" NumberOfPolys="{triangles}">',
        '<PointData Normals="Normals">',
        _array("Float32", "Normals", 3, _lines(normals, 2)),
        "</PointData>",
        "<Points>",
        _array("Float32", "Points", 3, _lines(points * _METRES, 4)),
        "</Points>",
        "<Polys>",
        _array(
            "Int32",
            "connectivity",
            1,
            "\n".join(" ".join(map(str, t)) for t in mesh.triangles.tolist()),
        ),
        _array("Int32", "offsets", 1, " ".join(map(str, offsets.tolist()))),
        "</Polys>",
        "</Piece>",
        "</PolyData>",
        "</VTKFile>",
    ]
    return "\n".join(parts) + "\n"


def read_vtp(path: Path) -> Mesh:
    """A mesh that :func:`vtp_text` wrote.

    Raises
    ------
    UserError
        The file is no ASCII poly data of triangles.
    """
    try:
        piece = ET.parse(path).getroot().find("./PolyData/Piece")
        arrays = (
            {} if piece is None else {a.get("Name"): a.text or "" for a in piece.iter("DataArray")}
        )
        points = np.array(arrays["Points"].split(), dtype=float).reshape(-1, 3)
        triangles = np.array(arrays["connectivity"].split(), dtype=int).reshape(-1, 3)
    except (OSError, ET.ParseError, KeyError, ValueError) as error:
        raise UserError(f"{path}: not a .vtp file of triangles in ASCII ({error}).") from error
    return Mesh(points / _METRES, triangles)


def _array(kind: str, name: str, components: int, text: str) -> str:
    return (
        f'<DataArray type="{kind}" Name="{name}" NumberOfComponents="{components}" '
        f'format="ascii">\n{text}\n</DataArray>'
    )


def _lines(values: np.ndarray, digits: int) -> str:
    rounded = _rounded(values, digits)
    return "\n".join(" ".join(f"{v:.{digits}f}" for v in row) for row in rounded.tolist())


def _rounded(values: np.ndarray, digits: int) -> np.ndarray:
    # Pushed off halves, where the last bit of a sine would decide, and without minus zero: the
    # files must not differ from one machine to the next.
    return np.asarray(np.round(values + np.copysign(1e-7, values), digits) + 0.0)


def _vertex_normals(mesh: Mesh) -> np.ndarray:
    a, b, c = (mesh.points[mesh.triangles[:, i]] for i in range(3))
    face = np.cross(b - a, c - a)
    normals = np.zeros_like(mesh.points)
    for corner in range(3):
        np.add.at(normals, mesh.triangles[:, corner], face)
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    return np.asarray(normals / np.maximum(length, 1e-12))
