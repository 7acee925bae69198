"""Keypoints, their order and their links, read from ``resources/skeletons/*.toml``."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pipeline.data.errors import UserError
from pipeline.data.resources import resource_path

Side = Literal["left", "right", "mid"]


@dataclass(frozen=True, slots=True)
class Keypoint:
    """One landmark.

    ``name`` is the detection name (``left_hip``), ``marker`` the TRC/OpenSim name (``LHip``),
    ``sigma`` the OKS constant, ``definition`` the anatomical meaning (empty if not documented).
    """

    name: str
    marker: str
    side: Side
    sigma: float
    definition: str = ""


@dataclass(frozen=True, slots=True)
class Skeleton:
    """An ordered set of keypoints.

    ``links`` are pairs of keypoint indices for drawing; ``column`` lists the spinal column from
    hip to skull by index (empty for skeletons without a spine); ``aliases`` are other names that
    files use for this skeleton.
    """

    name: str
    title: str
    keypoints: tuple[Keypoint, ...]
    links: tuple[tuple[int, int], ...]
    column: tuple[int, ...] = ()
    aliases: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.keypoints)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(k.name for k in self.keypoints)

    @property
    def markers(self) -> tuple[str, ...]:
        return tuple(k.marker for k in self.keypoints)

    def index(self, name: str) -> int:
        """Index of a keypoint by name or marker name; UserError if there is none."""
        for i, keypoint in enumerate(self.keypoints):
            if name in (keypoint.name, keypoint.marker):
                return i
        raise UserError(f"The skeleton {self.title} has no keypoint named “{name}”.")

    def mapping_onto(self, target: Skeleton) -> NDArray[np.intp]:
        """(len(target),) index into this skeleton of each target keypoint by name, or -1."""
        own = {k.name: i for i, k in enumerate(self.keypoints)}
        return np.array([own.get(k.name, -1) for k in target.keypoints], dtype=np.intp)


@cache
def load_skeleton(name: str) -> Skeleton:
    """Read a shipped skeleton by file stem, such as ``spinetrack_37``."""
    path = resource_path("skeletons", f"{name}.toml")
    with path.open("rb") as handle:
        table = tomllib.load(handle)
    keypoints = tuple(Keypoint(**entry) for entry in table["keypoints"])
    names = [k.name for k in keypoints]
    return Skeleton(
        name=name,
        title=table["title"],
        keypoints=keypoints,
        links=tuple((names.index(a), names.index(b)) for a, b in table["links"]),
        column=tuple(names.index(n) for n in table.get("column", [])),
        aliases=tuple(table.get("aliases", [])),
    )


def shipped_skeletons() -> tuple[str, ...]:
    """File stems of all shipped skeletons, sorted."""
    return tuple(sorted(p.stem for p in resource_path("skeletons").glob("*.toml")))


def project_skeleton() -> Skeleton:
    """SpineTrack's 37 keypoints, the working skeleton of every project."""
    return load_skeleton("spinetrack_37")
