"""Simulated bodies for tests: our shipped model, laid out and bent without any recording."""

from __future__ import annotations

from functools import cache

from pipeline.data.resources import resource_path
from pipeline.data.skeleton import project_skeleton
from pipeline.kinematics.forward import body_transforms, marker_positions
from pipeline.kinematics.model import KinematicModel, coordinate_index
from simspine_viewer.pose import Pose


@cache
def shipped_model() -> KinematicModel:
    """Our model, unscaled."""
    from pipeline.simulation.osim_model import extract_kinematics

    return extract_kinematics(resource_path("models", "simspine_core.osim"))[0]


def posed(
    bend: float = 0.0, shift: tuple[float, float, float] = (0.0, 0.0, 0.0), *, live: bool = False
) -> Pose:
    """The body standing near the origin, its lumbar spine bent sideways by radians."""
    model = shipped_model()
    coordinates = model.default.copy()
    coordinates[coordinate_index(model, "lumbar_bend")] += bend
    bodies = body_transforms(model, coordinates)
    markers = marker_positions(model, coordinates, bodies)
    rows = [model.marker_names.index(k.marker) for k in project_skeleton().keypoints]
    bodies[..., 3] += shift
    return Pose(model, bodies, coordinates, markers[rows] + shift, live)
