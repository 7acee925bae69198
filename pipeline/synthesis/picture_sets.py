"""Sets of drawn pictures on the disk: what our own detector is taught with, and judged by.

A set is drawn in parts, each a function of the set's seed and the part's number alone, so that a
drawing which was stopped goes on with the parts that are missing, and any number of processes
give the same set.
"""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.data.errors import UserError
from pipeline.data.skeleton import project_skeleton
from pipeline.io.atomic import atomic_text
from pipeline.io.picture_set import (
    ANNOTATIONS,
    DRAWN,
    FEWEST,
    HIDDEN,
    NOT_LABELLED,
    VISIBLE,
    annotation,
    image_entry,
    write_annotations,
    write_picture,
)
from pipeline.synthesis.pictures import Picture, PictureSetting, draw_pictures, held_out_pictures

#: Pictures of a part.
PART = 64
# One part of so many shows people that are small in the picture, as before anybody has drawn a box.
_SMALL_EVERY = 5
_SMALL = (0.22, 0.6)
_TEACHING = PictureSetting(size=(288, 384), person=(0.6, 0.95))
_HELD_OUT, _TALL = (900, 900), (0.67, 0.78)


def teaching_pictures(part: int) -> PictureSetting:
    """What part number ``part`` of a set that teaches is drawn from."""
    return replace(_TEACHING, person=_SMALL) if part % _SMALL_EVERY == 0 else _TEACHING


def draw_set(
    folder: Path, seed: int, pictures: int, *, held_out: bool = False, processes: int = 1
) -> Iterator[float]:
    """Draw a set into ``folder``, going on from what is there; yields how far it is, 0 to 1.

    Parameters
    ----------
    folder : path
    seed : int
    pictures : int
        At least so many are drawn, in whole parts of 64.
    held_out : bool
        From bodies, movements, looks, rooms and lenses that do not teach; pictures of 900 × 900
        pixels, in which the larger side of the person's points is from 603 to 702.
    processes : int

    Raises
    ------
    UserError
        If the folder cannot be written, or holds a set of another seed.
    """
    parts = -(-pictures // PART)
    made = {"seed": seed, "held_out": held_out, "parts": parts}
    if (folder / ANNOTATIONS).exists() and _same(folder, made):
        yield 1.0
        return
    missing = [part for part in range(parts) if not _notes(folder, part).exists()]
    done = parts - len(missing)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context) as pool:
        waiting = [pool.submit(draw_part, folder, seed, part, held_out) for part in missing]
        try:
            for future in as_completed(waiting):
                future.result()
                done += 1
                yield done / parts
        finally:
            for future in waiting:
                future.cancel()
    read = [json.loads(_notes(folder, part).read_text("utf-8")) for part in range(parts)]
    images = [entry for notes in read for entry in notes["images"]]
    annotations = [entry for notes in read for entry in notes["annotations"]]
    write_annotations(folder, project_skeleton(), images, annotations, {DRAWN: made})


def draw_part(folder: Path, seed: int, part: int, held_out: bool) -> None:
    """Draw one part of a set: its pictures, and then the notes that say it is whole."""
    rng = np.random.default_rng([seed, part])
    setting = (
        replace(held_out_pictures(_HELD_OUT), person=_TALL) if held_out else teaching_pictures(part)
    )
    images, annotations = [], []
    for i, picture in enumerate(draw_pictures(rng, PART, setting)):
        visibility = visibility_of(picture)
        if (visibility > NOT_LABELLED).sum() < FEWEST:
            continue
        number = part * PART + i + 1
        name = f"{part:04d}/{number:07d}.jpg"
        write_picture(folder / name, picture.image)
        images.append(image_entry(number, name, picture.image))
        annotations.append(annotation(number, picture.xy, visibility))
    with atomic_text(_notes(folder, part)) as handle:
        json.dump({"images": images, "annotations": annotations}, handle)


def visibility_of(picture: Picture) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """(37,) COCO's visibility of a picture's keypoints; those outside of it are not labelled."""
    height, width = picture.image.shape[:2]
    inside = ((picture.xy > -0.5) & (picture.xy < np.array([width, height]) - 0.5)).all(axis=-1)
    return np.where(inside, np.where(picture.visible, VISIBLE, HIDDEN), NOT_LABELLED).astype(
        np.uint8
    )


def _notes(folder: Path, part: int) -> Path:
    return folder / f"{part:04d}" / "part.json"


def _same(folder: Path, made: dict[str, Any]) -> bool:
    path = folder / ANNOTATIONS
    drawn = json.loads(path.read_text("utf-8"))["info"].get(DRAWN)
    if drawn == made:
        return True
    raise UserError(f"{folder} holds another set of pictures; choose another folder.")
