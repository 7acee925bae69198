"""Fine-tuning: our detector on a kind of picture that it never saw, before and after 40 frames.

Run from the repository: ``python benchmarks/fine_tuning.py [--model FILE] [--steps N]``. Somebody
drawn at random moves at random before four thermal cameras: grey, inverted, soft and noisy
pictures. Forty frames of the first two thirds are what a person corrected (their labels are the
truth); the figures are of frames of the last third, which neither teach nor choose the best state.
Exit code 0 if every goal is met.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.detector import shipped
from benchmarks.machine import name_machine
from pipeline.data.resources import resource_path
from pipeline.data.skeleton import project_skeleton
from pipeline.io.picture_set import (
    FEWEST,
    PictureSet,
    annotation,
    chosen_pictures,
    image_entry,
    read_picture_set,
    split_in_time,
    write_annotations,
    write_picture,
)
from pipeline.io.video_reader import open_video
from pipeline.jobs.fine_tuning import KEPT
from pipeline.models.detector import PoseDetector
from pipeline.models.detector_config import read_detector_training
from pipeline.models.network import load_pose_network
from pipeline.models.train_detector import WEIGHTS, train_detector
from pipeline.synthesis.rendered import render_recording

Picture = NDArray[np.uint8]

SEED, FRAMES, VIEWS, TAUGHT, SIZE = 41, 150, 4, 40, (720, 720)
SHARE_GOAL, SECONDS_GOAL = 2.0 / 3.0, 600.0


def thermal(picture: Picture, rng: np.random.Generator) -> Picture:
    """What a cheap thermal camera might show: no colours, dark turned bright, soft, noisy."""
    grey = picture.astype(np.float32) @ np.array([0.2, 0.3, 0.5], np.float32)
    soft = cv2.GaussianBlur(255.0 - grey, (0, 0), 2.5)
    shown = 30.0 + 0.6 * soft + 12.0 * rng.standard_normal(soft.shape, np.float32)
    return np.repeat(np.clip(shown, 0, 255).astype(np.uint8)[..., None], 3, axis=2)


def write_set(folder: Path) -> PictureSet:
    """All pictures of the recording as the thermal cameras have them, with the truth."""
    made = render_recording(
        folder / "recording", "random", n_views=VIEWS, n_frames=FRAMES, size=SIZE, seed=SEED
    )
    rng = np.random.default_rng(SEED)
    images, annotations = [], []
    for view, camera in enumerate(made.cameras):
        with open_video(next((folder / "recording" / "videos").glob(f"{camera.name}*"))) as video:
            for frame in range(FRAMES):
                got = video.get(frame)
                assert got is not None
                xy = made.truth.xy[frame, view]
                inside = ((xy >= 0.0) & (xy < np.array(SIZE))).all(axis=1)
                if inside.sum() < FEWEST:
                    continue
                picture = thermal(np.ascontiguousarray(got[..., 2::-1]), rng)
                name = f"{camera.name}/{frame:04d}.jpg"
                write_picture(folder / name, picture)
                number = len(images) + 1
                images.append({**image_entry(number, name, picture), "sequence_frame": frame})
                annotations.append(annotation(number, xy, np.where(inside, 2, 0)))
    write_annotations(folder, project_skeleton(), images, annotations, {})
    return read_picture_set(folder)


def error(pictures: PictureSet, weights: Path) -> float:
    """Mean distance from the truth in pixels of the pictures."""
    detector = PoseDetector(load_pose_network(weights), project_skeleton())
    people = ((pictures.picture(i), pictures.boxes[i]) for i in range(len(pictures)))
    found = detector.detect(people).points
    return float(np.nanmean(np.linalg.norm(found - pictures.xy, axis=-1)))


def main() -> int:
    """Print before and after; 0 where all goals are met."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, help="in place of the shipped detector")
    parser.add_argument("--steps", type=int, help="in place of those of the shipped settings")
    arguments = parser.parse_args()
    name_machine()
    model = arguments.model or shipped()
    training = read_detector_training(resource_path("training", "fine_tuning.toml"))
    training = replace(training, begin=str(model), steps=arguments.steps or training.steps)
    with tempfile.TemporaryDirectory() as folder:
        everything = write_set(Path(folder))
        first = everything.frames < 2 * FRAMES // 3
        corrected = np.linspace(0, 2 * FRAMES // 3 - 1, TAUGHT).astype(int)
        mine = chosen_pictures(
            everything, np.flatnonzero(first & np.isin(everything.frames, corrected))
        )
        later = chosen_pictures(everything, np.flatnonzero(~first & (everything.frames % 5 == 0)))
        taught, judged = split_in_time(mine, KEPT)
        before = error(later, model)
        started = time.perf_counter()
        place = Path(folder) / "tuned"
        for _ in train_detector(training, taught, judged, place):
            pass
        seconds = time.perf_counter() - started
        after = error(later, place / WEIGHTS)
    print(
        f"{len(taught)} pictures of {TAUGHT} frames in all taught, {len(judged)} chose the best "
        f"state, {len(later)} later ones are judged\n"
        f"error {before:.1f} px before, {after:.1f} px after: {after / before:.2f} of it "
        f"(goal {SHARE_GOAL:.2f}) in {seconds:.0f} s on {torch.get_num_threads()} threads "
        f"(goal {SECONDS_GOAL:.0f} s)"
    )
    met = after <= SHARE_GOAL * before and seconds < SECONDS_GOAL
    print("every goal is met" if met else "missed")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
