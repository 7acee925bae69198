"""VTK's off-screen window, and actors whose vertices are numpy arrays changed in place.

Importing this loads VTK, which takes a quarter of a second: only the 3D view does, once it shows.
"""

from __future__ import annotations

import logging
import os
import sys
from functools import cache
from typing import Any

import numpy as np
import vtkmodules.vtkRenderingOpenGL2  # noqa: F401  (registers the drawing classes)
from numpy.typing import NDArray
from vtkmodules.util.misc import calldata_type
from vtkmodules.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray
from vtkmodules.util.vtkConstants import VTK_STRING
from vtkmodules.vtkCommonCore import vtkLogger, vtkOutputWindow, vtkPoints, vtkStringOutputWindow
from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkPolyData
from vtkmodules.vtkRenderingCore import vtkActor, vtkPolyDataMapper, vtkRenderWindow

from simspine_viewer.palette import RGB

ByteArray = NDArray[np.uint8]

_log = logging.getLogger(__name__)


class SceneUnavailableError(RuntimeError):
    """This computer cannot draw in 3D; the text says why."""


@cache
def _messages() -> vtkStringOutputWindow:
    """Where VTK's messages go from now on: to the log, not to the console or a window."""

    @calldata_type(VTK_STRING)  # type: ignore[untyped-decorator]
    def heard(_sender: object, event: str, text: str) -> None:
        level = logging.ERROR if event == "ErrorEvent" else logging.WARNING
        _log.log(level, "VTK: %s", " ".join(text.split()))

    vtkLogger.SetStderrVerbosity(vtkLogger.VERBOSITY_OFF)
    output: Any = vtkStringOutputWindow()
    for event in ("ErrorEvent", "WarningEvent"):
        output.AddObserver(event, heard)
    vtkOutputWindow.SetInstance(output)
    return output  # type: ignore[no-any-return]


def offscreen_window() -> vtkRenderWindow:
    """An off-screen window that can draw; SceneUnavailableError where none can be had."""
    output = _messages()
    if sys.platform.startswith("linux") and not os.environ.get("DISPLAY"):
        # Else VTK first asks for an X server and complains that there is none.
        os.environ.setdefault("VTK_DEFAULT_OPENGL_WINDOW", "vtkEGLRenderWindow")
    before = len(output.GetOutput())
    window = vtkRenderWindow()
    said = output.GetOutput()[before:]
    # The last resort of VTK on Linux; it crashes at the first picture if the library is missing.
    if window.GetClassName() == "vtkOSOpenGLRenderWindow" and "libOSMesa not found" in said:
        raise SceneUnavailableError("no OpenGL driver and no libOSMesa was found")
    window.SetShowWindow(False)
    window.SetUseOffScreenBuffers(True)
    window.SetMultiSamples(0)  # 71 -> 28 ms without a GPU; still pictures are supersampled
    if not window.SupportsOpenGL():
        raise SceneUnavailableError(window.GetOpenGLSupportMessage() or "OpenGL 3.2 is missing")
    return window


def is_software(window: vtkRenderWindow) -> bool:
    """Whether the processor draws; the window has drawn before."""
    report = window.ReportCapabilities().lower()
    return any(name in report for name in ("llvmpipe", "softpipe", "swrast", "software"))


class Shape:
    """An actor drawn from numpy arrays: change them in place, then call :meth:`changed`.

    ``points`` (N, 3) m; ``colours`` (N, 3) or (N, 4), empty where the actor has one colour.
    """

    def __init__(
        self,
        points: NDArray[np.float32],
        *,
        triangles: NDArray[np.int64] | None = None,
        lines: NDArray[np.int64] | None = None,
        normals: NDArray[np.float32] | None = None,
        colours: ByteArray | None = None,
    ) -> None:
        self.points = points
        self.colours = np.zeros((0, 3), np.uint8) if colours is None else colours
        self._arrays = [numpy_to_vtk(points)]
        self._data = vtkPolyData()
        vertices = vtkPoints()
        vertices.SetData(self._arrays[0])
        self._data.SetPoints(vertices)
        for cells, put in ((triangles, self._data.SetPolys), (lines, self._data.SetLines)):
            if cells is not None:
                array = vtkCellArray()
                flat = np.ascontiguousarray(cells, np.int64).ravel()
                array.SetData(cells.shape[1], numpy_to_vtkIdTypeArray(flat, deep=True))
                put(array)
        if normals is not None:
            self._arrays.append(numpy_to_vtk(normals))
            self._data.GetPointData().SetNormals(self._arrays[-1])
        if colours is not None:
            self._arrays.append(numpy_to_vtk(colours))
            self._data.GetPointData().SetScalars(self._arrays[-1])
        mapper = vtkPolyDataMapper()
        mapper.SetInputData(self._data)
        mapper.SetColorModeToDirectScalars()
        mapper.SetScalarVisibility(colours is not None)
        self.actor = vtkActor()
        self.actor.SetMapper(mapper)
        self.look = self.actor.GetProperty()

    def changed(self) -> None:
        """Say that the arrays were written to."""
        for array in self._arrays:
            array.Modified()
        self._data.GetPoints().Modified()
        self._data.Modified()

    def tint(self, colour: RGB) -> None:
        """Give the whole actor one colour."""
        self.look.SetColor(*(channel / 255 for channel in colour))
