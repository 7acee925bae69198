"""A recording of somebody drawn at random who does what is asked for, before a ring of cameras."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.data.errors import UserError
from pipeline.kinematics.forward import marker_positions
from pipeline.kinematics.model import coordinate_index
from pipeline.synthesis.cameras import cameras_around
from pipeline.synthesis.clips import Set, grounded
from pipeline.synthesis.looks import CLOTHS, Person, draw_person
from pipeline.synthesis.made_recording import MadeRecording, Script, check_target, make_recording
from pipeline.synthesis.motion_families import Family, named_families
from pipeline.synthesis.motions import MotionSetting, Movement, draw_movement
from pipeline.synthesis.people import PARTS, bone_quaternions, posed
from pipeline.synthesis.recording import Report
from pipeline.synthesis.rooms import draw_room, with_walls_behind
from pipeline.synthesis.stage import CameraTraits
from pipeline.synthesis.things import Thing, draw_thing, joined_things, placed, stool

FloatArray = NDArray[np.float64]

MAX_CAMERAS = 16
_TRIES = 6
# Things stand this far from where somebody's points come, metres.
_CLEAR = (0.55, 1.3)
# Seats that somebody sits on are between these heights, metres.
_SEATS = (0.28, 0.62)


def render_recording(
    folder: Path,
    motion: str,
    *,
    n_views: int = 4,
    n_frames: int = 240,
    fps: float = 30.0,
    size: tuple[int, int] = (1280, 720),
    seed: int = 0,
    render: bool = True,
    progress: Report | None = None,
) -> MadeRecording:
    """Write a recording in Pose2Sim's layout, with the truth beside it.

    Body, look, movement, room and cameras come from ``seed``: the same arguments give the same
    files. Detections have a detector's noise, and no gross errors but those it makes by itself.

    Parameters
    ----------
    folder : Path
        Where the recording appears, all at once; it must not exist or be empty.
    motion : str
        A word of :func:`pipeline.synthesis.motion_families.named_families`.
    n_views : int
        1 to 16 cameras on a ring.
    n_frames, fps
        How long it is, and frames per second.
    size : (int, int)
        Width and height of the videos, even numbers.
    render : bool
        False: plain pictures with the skeleton only.
    progress : callable, optional
        Called with a fraction 0..1 and a few words; what it raises stops the work.

    Raises
    ------
    UserError
        For a motion or a number of cameras that there is not, and a folder that cannot be used.
    ValueError
        If another number is out of range.
    """
    families = named_families()
    if motion not in families:
        raise UserError(f"There is no motion {motion!r}; choose one of {', '.join(families)}.")
    if not 1 <= n_views <= MAX_CAMERAS:
        raise UserError(f"A recording has 1 to {MAX_CAMERAS} cameras, not {n_views}.")
    check_target(folder, n_frames, size, "the recording")
    report: Report = progress if progress is not None else (lambda fraction, text: None)
    rng = np.random.default_rng(seed)
    person, room = draw_person(rng), draw_room(rng)
    movement = _plain_to_see(person, rng, n_frames, fps, families[motion])
    coordinates = _centred(person, grounded(person, movement.coordinates))
    points = marker_positions(person.model, coordinates)
    cameras = cameras_around(n_views, size, points.reshape(-1, 3), rng)
    things = joined_things([*_seat(person, coordinates, rng), *scattered(rng, points)])
    room = with_walls_behind(room, np.stack([camera.centre for camera in cameras]))
    where = Set(room, things, CameraTraits(rng.uniform(0.5, 1.5), vignette=0.05), 0.3, 2)
    script = Script("scene", person, coordinates, cameras, where, fps, seed, render)
    return make_recording(folder, script, report)


def _plain_to_see(
    person: Person, rng: np.random.Generator, n_frames: int, fps: float, family: tuple[str, Family]
) -> Movement:
    """Of some movements of a family the one that carries out most of its first gesture."""
    setting = MotionSetting(families=dict([family]), mixed=0.0)
    movements = [draw_movement(person.model, rng, n_frames, fps, setting) for _ in range(_TRIES)]
    if not family[1].gestures:
        return movements[0]
    moves = family[1].gestures[0].moves
    most = max(moves, key=lambda name: abs(moves[name][0])).replace("_b", "_r")
    c = coordinate_index(person.model, most)
    return max(movements, key=lambda movement: float(np.ptp(movement.coordinates[:, c])))


def _centred(person: Person, coordinates: FloatArray) -> FloatArray:
    """Moved so that the middle of the way lies over the origin."""
    out = coordinates.copy()
    for name in ("pelvis_tx", "pelvis_tz"):
        c = coordinate_index(person.model, name)
        out[:, c] -= 0.5 * (out[:, c].min() + out[:, c].max())
    return out


def scattered(rng: np.random.Generator, points: FloatArray, most: int = 2) -> list[Thing]:
    """Up to ``most`` things about the places (T, N, 3) where somebody is, none of them there."""
    ground = points[..., [0, 2]].reshape(-1, 2)
    things = []
    for _ in range(int(rng.integers(0, most + 1))):
        thing = draw_thing(rng)
        for _ in range(20):
            bearing = rng.uniform(-np.pi, np.pi)
            away = rng.uniform(0.6, 1.2) + np.ptp(ground, axis=0).max() / 2
            place = ground.mean(axis=0) + away * np.array([np.cos(bearing), np.sin(bearing)])
            gap = np.linalg.norm(ground - place, axis=1).min()
            if _CLEAR[0] < gap < _CLEAR[1]:
                things.append(
                    placed(thing, float(place[0]), float(place[1]), rng.uniform(0, np.pi))
                )
                break
    return things


def _seat(person: Person, coordinates: FloatArray, rng: np.random.Generator) -> list[Thing]:
    """A stool where somebody sits down, if they do: as high as they come to sit."""
    height = coordinates[:, coordinate_index(person.model, "pelvis_ty")]
    lowest = int(np.argmin(height))
    flexed = np.mean(
        [coordinates[lowest, coordinate_index(person.model, f"knee_angle_{s}")] for s in "rl"]
    )
    if flexed < np.radians(60.0):
        return []
    points, _ = posed(person.skin, bone_quaternions(person.model, coordinates[[lowest]])[0])
    part = person.skin.part
    hips = part == PARTS.index("trunk")
    seat = float(points[hips, 1].min()) - 0.005
    if not _SEATS[0] < seat < _SEATS[1]:
        return []
    low = points[hips & (points[:, 1] < seat + 0.10)].mean(axis=0)
    colour = CLOTHS[rng.integers(len(CLOTHS))]
    feet = points[part == PARTS.index("foot")].mean(axis=0)
    heading = float(np.arctan2(-(feet - low)[2], (feet - low)[0]))
    away = (low - feet)[[0, 2]] / max(float(np.linalg.norm((low - feet)[[0, 2]])), 1e-6)
    x, z = low[[0, 2]] - 0.07 * away
    return [placed(stool(seat, 0.36, colour, (120, 84, 56)), float(x), float(z), heading)]
