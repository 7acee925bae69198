"""How rightly a training set says which points a person's own body hides.

Usage: ``python -m benchmarks.training_visibility [RECORDING SET]``

People drawn at random, clothed or with a bare back, move before four cameras; their true points
get an error of 6 mm in each frame and of 6 mm for good, along each axis. A body in their place
(``pipeline.synthesis.stand_in``), which knows nothing but these points, says what is hidden. The
truth comes from the person's own skin by the same rule, so this measures size, pose and build of
the body, not the rule. With a recording that has its truth beside it and a set that
``simspine training-set`` made of it, the set's labels are judged.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.data.skeleton import project_skeleton
from pipeline.io.picture_set import ANNOTATIONS, NOT_LABELLED, VISIBLE, read_picture_set
from pipeline.kinematics.measured import Measured
from pipeline.synthesis.cameras import cameras_around
from pipeline.synthesis.clips import grounded, keypoint_places, truth_of
from pipeline.synthesis.looks import draw_person
from pipeline.synthesis.made_recording import load_truth
from pipeline.synthesis.motion_families import Family, named_families
from pipeline.synthesis.motions import MotionSetting, draw_movement
from pipeline.synthesis.stand_in import follow, stand_in
from pipeline.synthesis.things import joined_things
from pipeline.synthesis.visibility import unhidden

Bools = NDArray[np.bool_]

N, RATE, EVERY, SIZE = 240, 30.0, 8, (1280, 720)
ERROR = 0.006  # m


def someone(seed: int, family: tuple[str, Family]) -> tuple[Bools, Bools]:
    """What the body says of the points in the pictures, and what is true: visible or not."""
    rng = np.random.default_rng(seed)
    person = draw_person(rng)
    setting = MotionSetting(families=dict([family]), mixed=0.0)
    moved = draw_movement(person.model, rng, N, RATE, setting)
    coordinates = grounded(person, moved.coordinates)
    xyz = keypoint_places(person.model, coordinates)
    cameras = cameras_around(4, SIZE, xyz.reshape(-1, 3), rng)
    truth = truth_of(person, coordinates[::EVERY], cameras, joined_things([]))
    xyz = xyz + rng.normal(0.0, ERROR, xyz.shape) + rng.normal(0.0, ERROR, xyz.shape[1:])
    body = stand_in([_measured(xyz, 1)])
    found = unhidden(body, follow(body, _measured(xyz[::EVERY], EVERY)), cameras)
    inside = ((truth.xy >= -0.5) & (truth.xy < np.array(SIZE) - 0.5)).all(axis=-1)
    return found[inside], truth.visible[inside]


def _measured(xyz: NDArray[np.float64], every: int) -> Measured:
    shape = xyz.shape[:2]
    times = every * np.arange(len(xyz)) / RATE
    return Measured(
        project_skeleton().markers, times, xyz, np.full(shape, 0.010), np.zeros(shape, np.uint8),
        RATE / every,
    )  # fmt: skip


def labelled(recording: Path, folder: Path) -> tuple[Bools, Bools]:
    """The same of a set; prints how far its labels lie from the truth."""
    found, truth = read_picture_set(folder), load_truth(recording)
    document = json.loads((folder / ANNOTATIONS).read_text("utf-8"))
    cameras = sorted({entry["camera"] for entry in document["images"]})
    entries = {entry["id"]: entry for entry in document["images"]}
    shown = [entries[one["image_id"]] for one in document["annotations"]]
    frames = [entry["sequence_frame"] for entry in shown]
    views = [cameras.index(entry["camera"]) for entry in shown]
    known = found.visibility > NOT_LABELLED
    off = np.linalg.norm(found.xy - truth.xy[frames, views], axis=-1)[known]
    median, most = np.percentile(off, [50, 99])
    print(f"{len(found)} pictures: labels {median:.1f} px from the truth (99 %: {most:.1f} px)")
    return (found.visibility == VISIBLE)[known], truth.visible[frames, views][known]


def say(name: str, found: Bools, true: Bools) -> None:
    """One line of figures."""
    print(
        f"{name:22} {100 * (found == true).mean():5.1f} % right, all called seen "
        f"{100 * true.mean():5.1f} %; of hidden ones {100 * (~found)[~true].mean():5.1f} % found, "
        f"of seen ones {100 * (~found)[true].mean():4.1f} % called hidden"
    )


def main() -> None:
    if len(sys.argv) > 2:
        say("set", *labelled(Path(sys.argv[1]), Path(sys.argv[2])))
        return
    everybody = []
    for seed, (name, family) in enumerate(named_families().items()):
        everybody.append(someone(seed, family))
        say(name, *everybody[-1])
    found, true = (np.concatenate(parts) for parts in zip(*everybody, strict=True))
    say("all", found, true)


if __name__ == "__main__":
    main()
