"""Pace of the demo world: pictures per second, of one process and of two; VTK beside it.

    python benchmarks/render.py [--seconds 8] [--no-vtk]

Prints, for pictures of 1280 x 720 with a person of about 600 px: frames of one camera in one
process and in two at once; single pictures for training, each with its own room; the demo from
start to end. VTK off screen draws the same body (one light, no shadows, no floor) in the same run.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np

SIZE = (1280, 720)
# What the demo may take on two cores, seconds, and the least pace of one process.
DEMO_LIMIT, LEAST = 30.0, 10.0


def _frames(seconds: float) -> tuple[float, float]:
    """Frames per second of one camera in one process of one thread, and seconds of a core each."""
    from pipeline.synthesis.cameras import ring_of_cameras
    from pipeline.synthesis.clips import Set, grounded, render_clip
    from pipeline.synthesis.demo import demo_person
    from pipeline.synthesis.demo_scene import scene
    from pipeline.synthesis.rooms import make_room

    person = demo_person()
    poses = grounded(person, scene(person.model, np.arange(2000) / 30.0))
    clip = render_clip(
        person, poses, ring_of_cameras(1, SIZE), Set(make_room()), rate=30.0, threads=1,
        truth=_no_truth(person, poses),
    )  # fmt: skip
    for _ in range(5):
        next(clip)
    start, busy, count = time.perf_counter(), time.process_time(), 0
    for _ in clip:
        count += 1
        if time.perf_counter() - start > seconds:
            break
    rate, each = count / (time.perf_counter() - start), (time.process_time() - busy) / count
    clip.close()
    return rate, each


def _no_truth(person, poses):  # type: ignore[no-untyped-def]
    from pipeline.synthesis.clips import ClipTruth, keypoint_places

    xyz = keypoint_places(person.model, poses)
    shape = (len(poses), 1, 37)
    return ClipTruth(poses, xyz, np.zeros((*shape, 2)), np.zeros(shape, bool))


def _pictures(seconds: float) -> tuple[float, float]:
    """Training pictures of 640 x 640 per second, with their truth, and seconds of a core each."""
    from pipeline.synthesis.pictures import draw_pictures

    pictures = draw_pictures(np.random.default_rng(1), 100_000)
    next(pictures)
    start, busy, count = time.perf_counter(), time.process_time(), 0
    for _ in pictures:
        count += 1
        if time.perf_counter() - start > seconds:
            break
    return count / (time.perf_counter() - start), (time.process_time() - busy) / count


def _two(measure, seconds: float) -> float:  # type: ignore[no-untyped-def]
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        return sum(rate for rate, _ in pool.map(measure, [seconds, seconds]))


def _vtk(seconds: float, samples: int) -> float:
    """Frames per second of VTK off screen for the same skin, points sent anew for every frame."""
    os.environ.setdefault("VTK_DEFAULT_OPENGL_WINDOW", "vtkEGLRenderWindow")
    import vtkmodules.vtkRenderingOpenGL2  # noqa: F401
    from vtkmodules.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray
    from vtkmodules.vtkCommonCore import vtkPoints, vtkUnsignedCharArray
    from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkPolyData
    from vtkmodules.vtkRenderingCore import (
        vtkActor,
        vtkPolyDataMapper,
        vtkRenderer,
        vtkRenderWindow,
    )

    from pipeline.synthesis.demo import demo_person
    from pipeline.synthesis.demo_scene import scene
    from pipeline.synthesis.people import bone_quaternions, posed

    person = demo_person()
    bones = bone_quaternions(person.model, scene(person.model, np.arange(240) / 30.0))
    points, normals = posed(person.skin, bones[0])
    places, upright = numpy_to_vtk(points), numpy_to_vtk(normals)
    cells = vtkCellArray()
    cells.SetData(3, numpy_to_vtkIdTypeArray(person.skin.faces.astype(np.int64).ravel(), deep=True))
    held, data = vtkPoints(), vtkPolyData()
    held.SetData(places)
    data.SetPoints(held)
    data.SetPolys(cells)
    data.GetPointData().SetNormals(upright)
    mapper, actor = vtkPolyDataMapper(), vtkActor()
    mapper.SetInputData(data)
    actor.SetMapper(mapper)
    renderer, window = vtkRenderer(), vtkRenderWindow()
    window.SetOffScreenRendering(1)
    window.SetMultiSamples(samples)
    window.SetSize(*SIZE)
    window.AddRenderer(renderer)
    renderer.AddActor(actor)
    camera = renderer.GetActiveCamera()
    camera.SetFocalPoint(0.0, 0.9, 0.0)
    camera.SetPosition(-3.5, 1.5, 0.5)
    camera.SetViewAngle(33.0)
    pixels = vtkUnsignedCharArray()
    start, count = 0.0, -5
    while True:
        points[:], normals[:] = posed(person.skin, bones[count % 240])
        for part in (places, upright, held, data):
            part.Modified()
        renderer.ResetCameraClippingRange()
        window.Render()
        window.GetPixelData(0, 0, SIZE[0] - 1, SIZE[1] - 1, 0, pixels, 0)
        count += 1
        if count == 0:
            start = time.perf_counter()
        if count > 0 and time.perf_counter() - start > seconds:
            return count / (time.perf_counter() - start)


def _demo() -> float:
    from pipeline.synthesis.demo import make_demo

    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        make_demo(Path(folder) / "demo")
        return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=8.0, help="of each measurement")
    parser.add_argument("--no-vtk", action="store_true", help="leave out VTK")
    arguments = parser.parse_args()
    seconds = arguments.seconds
    (one, each), two = _frames(seconds), _two(_frames, seconds)
    print(f"frames of {SIZE[0]} x {SIZE[1]}: {one:.1f}/s in one process (at least {LEAST:.0f}; "
          f"{1e3 * each:.0f} ms of a core each), {two:.1f}/s in two")  # fmt: skip
    if not arguments.no_vtk:
        plain, smooth = _vtk(seconds, 0), _vtk(seconds, 4)
        print(f"VTK off screen, the body alone, all cores: {plain:.1f}/s with jagged edges, "
              f"{smooth:.1f}/s with 4 samples")  # fmt: skip
    (one, each), two = _pictures(seconds), _two(_pictures, seconds)
    print(f"training pictures of 640 x 640: {one:.1f}/s in one process ({1e3 * each:.0f} ms of a "
          f"core each), {two:.1f}/s in two")  # fmt: skip
    print(f"the demo, 4 x 240 frames of 640 x 640: {_demo():.1f} s (at most {DEMO_LIMIT:.0f})")


if __name__ == "__main__":
    main()
