"""Where a value came from, and what a person said about a point."""

from __future__ import annotations

from enum import IntEnum, IntFlag


class Source(IntEnum):
    """Provenance of one value; stored as u8."""

    NONE = 0
    DETECTED = 1
    IMPORTED = 2
    TRIANGULATED = 3
    INTERPOLATED = 4
    SIMULATED = 5
    BLENDED = 6
    MANUAL_2D = 7
    MANUAL_3D = 8

    @property
    def label(self) -> str:
        """The word shown to people and written to exports."""
        return self.name.lower().replace("_", "-")


class Flag(IntFlag):
    """What a person said about a keypoint in one view and frame; stored as u8 in ``manual2d``.

    OCCLUDED: in the picture but hidden; its detection is not trusted, a placed position counts.
    ABSENT: not in this picture at all. REJECTED: the detection here is wrong and is not used.
    """

    NONE = 0
    OCCLUDED = 1
    ABSENT = 2
    REJECTED = 4
