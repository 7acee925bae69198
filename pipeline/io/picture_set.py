"""Sets of pictures with keypoints, for teaching and judging detectors.

A set is a folder with ``annotations.json`` in COCO's keypoint form and the pictures that it names,
one person in each.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.data.errors import UserError
from pipeline.data.skeleton import Skeleton, load_skeleton, shipped_skeletons
from pipeline.io.atomic import atomic_text

FloatArray = NDArray[np.float64]

ANNOTATIONS = "annotations.json"
# COCO's visibility: 0 not labelled, 1 labelled but not visible, 2 labelled and visible.
NOT_LABELLED, HIDDEN, VISIBLE = 0, 1, 2
#: Fewest keypoints in a picture for it to be of use.
FEWEST = 12
_CATEGORY = 1
_QUALITY = 95
_LEAST_TO_SPLIT = 4
#: What ``info`` tells of a set under: one that was drawn, and one taken from a recording.
DRAWN, TAKEN = "drawn", "training_set"
_HEAD = 1 << 12  # characters in which ``info`` says so
_ROUND = 4  # decimals of a pixel


@dataclass(frozen=True, slots=True, eq=False)
class PictureSet:
    """N pictures with the K keypoints of a person in each.

    Attributes
    ----------
    files : tuple of N Path
    xy : (N, K, 2) array
        Pixels, whole numbers at pixel centres; not a number where not labelled.
    visibility : (N, K) array
        0 not labelled, 1 labelled but hidden, 2 labelled and visible.
    boxes : (N, 4) array
        Left, top, right, bottom of the person, pixels.
    frames : (N,) int array
        Of the recording; where the pictures are of none, their numbers from 0.
    skeleton : Skeleton
    """

    files: tuple[Path, ...]
    xy: FloatArray
    visibility: NDArray[np.uint8]
    boxes: FloatArray
    frames: NDArray[np.intp]
    skeleton: Skeleton

    def __len__(self) -> int:
        return len(self.files)

    def picture(self, number: int) -> NDArray[np.uint8]:
        """(H, W, 3) RGB of a picture; UserError where it cannot be read."""
        return read_picture(self.files[number])


def category(skeleton: Skeleton) -> dict[str, Any]:
    """COCO's category ``person`` with a skeleton's keypoints."""
    return {
        "id": _CATEGORY,
        "name": "person",
        "supercategory": "person",
        "keypoints": list(skeleton.names),
        "skeleton": [[a + 1, b + 1] for a, b in skeleton.links],
        "simspine": {"skeleton": skeleton.title, "sigmas": [k.sigma for k in skeleton.keypoints]},
    }


def annotation(number: int, xy: FloatArray, visibility: NDArray[Any]) -> dict[str, Any]:
    """COCO's annotation ``number`` of the picture of that number: points (K, 2) and what is seen.

    At least one point has to be labelled; places of others are not looked at.
    """
    there = np.asarray(visibility) > NOT_LABELLED
    places = np.round(np.where(there[:, None], xy, 0.0), _ROUND)
    low, high = places[there].min(axis=0), places[there].max(axis=0)
    width, height = np.round(high - low, _ROUND).tolist()
    triples = zip(places.tolist(), np.asarray(visibility).tolist(), strict=True)
    return {
        "id": number,
        "image_id": number,
        "category_id": _CATEGORY,
        "iscrowd": 0,
        "num_keypoints": int(there.sum()),
        "keypoints": [value for (x, y), v in triples for value in (x, y, int(v))],
        "bbox": [*low.tolist(), width, height],
        "area": width * height,
    }


def image_entry(number: int, file_name: str, picture: NDArray[np.uint8]) -> dict[str, Any]:
    """COCO's entry of a picture (H, W, 3)."""
    height, width = picture.shape[:2]
    return {"id": number, "file_name": file_name, "width": width, "height": height}


def write_annotations(
    folder: Path,
    skeleton: Skeleton,
    images: Sequence[dict[str, Any]],
    annotations: Sequence[dict[str, Any]],
    info: dict[str, Any],
) -> Path:
    """Write a set's ``annotations.json``, whole or not at all, one picture a line."""
    path = folder / ANNOTATIONS
    with atomic_text(path) as handle:
        head = {"info": info, "licenses": [], "categories": [category(skeleton)]}
        handle.write(json.dumps(head, ensure_ascii=False, indent=1).rstrip("}\n"))
        for name, entries in (("images", images), ("annotations", annotations)):
            lines = ",\n".join(json.dumps(e, ensure_ascii=False, allow_nan=False) for e in entries)
            handle.write(f',\n "{name}": [\n{lines}\n]')
        handle.write("\n}\n")
    return path


def write_picture(path: Path, picture: NDArray[np.uint8]) -> None:
    """Write an RGB picture as JPEG; UserError where that fails."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(coded(picture))
    except OSError as error:
        raise UserError(f"{path} could not be written: {error.strerror or error}.") from error


def coded(picture: NDArray[np.uint8]) -> bytes:
    """A JPEG file's content of an RGB picture (H, W, 3)."""
    done, data = cv2.imencode(
        ".jpg", np.ascontiguousarray(picture[..., ::-1]), (cv2.IMWRITE_JPEG_QUALITY, _QUALITY)
    )
    if not done:
        height, width = picture.shape[:2]
        raise UserError(f"A picture of {width} x {height} pixels cannot be coded as JPEG.")
    return data.tobytes()


def read_picture(path: Path) -> NDArray[np.uint8]:
    """(H, W, 3) RGB of a picture's file; UserError where it cannot be read."""
    try:
        data = np.frombuffer(path.read_bytes(), np.uint8)
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror or error}.") from error
    picture = cv2.imdecode(data, cv2.IMREAD_COLOR_RGB) if len(data) else None
    if picture is None:
        raise UserError(f"{path} cannot be read: it is no picture.")
    return np.asarray(picture, np.uint8)


def is_picture_set(folder: Path) -> bool:
    """Whether a folder is a set that this program wrote, by what its annotations say first."""
    try:
        with open(folder / ANNOTATIONS, encoding="utf-8") as handle:
            head = handle.read(_HEAD)
    except (OSError, ValueError):
        return False
    return any(f'"{key}": {{' in head for key in (DRAWN, TAKEN))


def read_picture_set(folder: Path) -> PictureSet:
    """A set's annotations; its pictures are read when they are asked for.

    Raises
    ------
    UserError
        If there is no such set, or it is of no known skeleton; names file and cause.
    """
    path = folder / ANNOTATIONS if folder.is_dir() else folder
    try:
        content = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror or error}.") from error
    except ValueError as error:
        raise UserError(f"{path} is no set of pictures: it is not JSON.") from error
    try:
        names = content["categories"][0]["keypoints"]
        images = {entry["id"]: entry for entry in content["images"]}
        found = [one for one in content["annotations"] if one["num_keypoints"] > 0]
        triples = np.array([one["keypoints"] for one in found], np.float64)
        triples = triples.reshape(len(found), len(names), 3)
        corners = np.array([one["bbox"] for one in found], np.float64).reshape(-1, 4)
        of = [images[one["image_id"]] for one in found]
        paths = tuple(path.parent / entry["file_name"] for entry in of)
        frames = [int(entry.get("sequence_frame", i)) for i, entry in enumerate(of)]
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise UserError(f"{path} is no set of pictures with keypoints in COCO's form.") from error
    if not found:
        raise UserError(f"{path} has no picture with keypoints.")
    labelled = triples[..., 2] > NOT_LABELLED
    return PictureSet(
        files=paths,
        xy=np.where(labelled[..., None], triples[..., :2], np.nan),
        visibility=triples[..., 2].astype(np.uint8),
        boxes=np.concatenate([corners[:, :2], corners[:, :2] + corners[:, 2:]], axis=1),
        frames=np.array(frames, np.intp),
        skeleton=_skeleton_of(path, names),
    )


def split_picture_set(pictures: PictureSet, seed: int) -> tuple[PictureSet, PictureSet]:
    """What is left of a set, and a tenth of it, at least one picture, drawn by ``seed``."""
    if len(pictures) < _LEAST_TO_SPLIT:
        raise UserError(
            f"{pictures.files[0].parent} has {len(pictures)} pictures with keypoints, too few to "
            f"keep some of them for judging: at least {_LEAST_TO_SPLIT} are needed."
        )
    order = np.random.default_rng(seed).permutation(len(pictures))
    kept = max(1, len(pictures) // 10)
    return chosen_pictures(pictures, order[kept:]), chosen_pictures(pictures, order[:kept])


def chosen_pictures(pictures: PictureSet, chosen: NDArray[np.intp]) -> PictureSet:
    """Some pictures of a set, in the order of ``chosen``."""
    return replace(
        pictures,
        files=tuple(pictures.files[i] for i in chosen.tolist()),
        xy=pictures.xy[chosen],
        visibility=pictures.visibility[chosen],
        boxes=pictures.boxes[chosen],
        frames=pictures.frames[chosen],
    )


def split_in_time(pictures: PictureSet, kept: float) -> tuple[PictureSet, PictureSet]:
    """The pictures of a set's earlier frames, and of its last ones, about ``kept`` of all frames.

    Pictures beside each other in time are alike, so that frames drawn at random would judge what
    was taught. At least one frame is on each side, where there are two.
    """
    frames = np.unique(pictures.frames)
    last = frames[-max(1, round(kept * len(frames))) :][0]
    later = pictures.frames >= last
    return (
        chosen_pictures(pictures, np.flatnonzero(~later)),
        chosen_pictures(pictures, np.flatnonzero(later)),
    )


def in_skeleton(pictures: PictureSet, skeleton: Skeleton) -> PictureSet:
    """The same pictures with the keypoints of another skeleton, by their names.

    Points that the set does not have are not labelled.
    """
    mapping = pictures.skeleton.mapping_onto(skeleton)
    xy, visibility = pictures.xy[:, mapping], pictures.visibility[:, mapping]
    xy[:, mapping < 0], visibility[:, mapping < 0] = np.nan, NOT_LABELLED
    return replace(pictures, xy=xy, visibility=visibility, skeleton=skeleton)


def _skeleton_of(path: Path, names: Iterable[str]) -> Skeleton:
    wanted = tuple(names)
    for stem in shipped_skeletons():
        skeleton = load_skeleton(stem)
        if tuple(skeleton.names) == wanted:
            return skeleton
    raise UserError(f"{path} has {len(wanted)} keypoints that are those of no known skeleton.")
