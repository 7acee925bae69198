"""What a model found as OpenPose JSON, in the folders that the importer reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.io.atomic import atomic_folder
from pipeline.io.export_openpose import FOLDER_SUFFIX, is_our_export, person_document
from pipeline.io.export_request import Step, file_stems

_FILES_PER_STEP = 100


def detection_steps(
    folder: Path,
    cameras: tuple[str, ...],
    found: Mapping[int, Mapping[int, NDArray[np.floating] | None]],
) -> Iterator[Step]:
    """Write a folder per view and a file per picture, all of them or nothing.

    Parameters
    ----------
    folder : Path
        Is made, or replaced if it holds an earlier export only.
    cameras : tuple of str
        Names of all views.
    found : mapping
        By view index and number of the video's picture: rows (K, 3 or more) of x, y (px) and
        score in the project's skeleton; None, or NaN throughout, where nobody was found.

    Raises
    ------
    UserError
        If the folder holds other things or cannot be written.
    """
    stems = file_stems(cameras)
    total = max(sum(len(pictures) for pictures in found.values()), 1)
    with atomic_folder(folder, is_our_export) as work:
        done = 0
        for view, pictures in found.items():
            target = work / f"{stems[view]}{FOLDER_SUFFIX}"
            target.mkdir()
            for number, row in sorted(pictures.items()):
                points = np.full((1, 3), np.nan) if row is None else row
                text = person_document(points[:, :2], points[:, 2])
                (target / f"{stems[view]}.{number:04d}.json").write_text(text, "utf-8")
                done += 1
                if done % _FILES_PER_STEP == 0:
                    yield done / total, f"Writing {stems[view]}"
        yield 1.0, "Written"
