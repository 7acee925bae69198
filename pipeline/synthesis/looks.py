"""What people look like and wear: drawn at random, and put on their skin."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.kinematics.model import KinematicModel
from pipeline.synthesis import colours
from pipeline.synthesis.people import (
    Floats,
    Sex,
    Skin,
    evened,
    fitted,
    load_skin,
    plain_model,
    with_points,
)
from pipeline.synthesis.physique import BodyRange, Build, draw_build, with_build

FloatArray = NDArray[np.float64]
Colour = tuple[int, int, int]

SKINS: tuple[Colour, ...] = (
    (238, 205, 184), (228, 186, 158), (222, 178, 148), (205, 158, 124), (186, 138, 104),
    (160, 112, 80), (132, 90, 64), (104, 70, 52), (84, 58, 46),
)  # fmt: skip
_DARK_FROM = 5
HAIRS: tuple[Colour, ...] = (
    (34, 28, 26), (52, 38, 30), (74, 52, 38), (104, 72, 46), (142, 106, 66), (186, 152, 100),
    (122, 62, 36), (128, 124, 120), (186, 184, 180),
)  # fmt: skip
EYES: tuple[Colour, ...] = ((66, 46, 34), (86, 62, 40), (96, 104, 84), (92, 116, 138), (70, 70, 74))
CLOTHS: tuple[Colour, ...] = (
    (236, 236, 232), (58, 60, 66), (44, 62, 104), (60, 108, 150), (120, 164, 190), (152, 52, 54),
    (196, 92, 66), (214, 178, 92), (76, 110, 80), (128, 144, 108), (112, 84, 128), (182, 136, 158),
    (128, 132, 138), (92, 78, 66), (200, 190, 170),
)  # fmt: skip
_SHOES: tuple[Colour, ...] = (
    (232, 232, 228),
    (52, 54, 58),
    (60, 84, 128),
    (150, 60, 56),
    (120, 122, 126),
)
_PATTERNS = (colours.PLAIN, colours.RINGS, colours.UPRIGHT, colours.MOTTLED)
_PATTERNS_HELD_OUT = (colours.PLAIN, colours.CHECKS, colours.BLOCK)


@dataclass(frozen=True, slots=True)
class LookRange:
    """What looks are drawn from: indices of colours, patterns, and how often the back is bare."""

    skins: tuple[Colour, ...] = SKINS
    hairs: tuple[Colour, ...] = HAIRS
    cloths: tuple[Colour, ...] = CLOTHS
    patterns: tuple[int, ...] = _PATTERNS
    bare: float = 0.5


#: Other colours and patterns than those that are taught with.
HELD_OUT_LOOKS = LookRange(
    skins=(
        (233, 196, 171), (225, 182, 153), (196, 148, 114), (173, 125, 92), (118, 80, 58),
        (94, 64, 49),
    ),
    hairs=((42, 32, 28), (88, 60, 40), (164, 128, 82), (150, 146, 142)),
    cloths=((222, 226, 230), (34, 40, 52), (86, 136, 140), (168, 74, 44), (178, 176, 88),
            (88, 58, 84)),
    patterns=_PATTERNS_HELD_OUT,
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """Somebody's look: the table that :mod:`colours` reads, and the thickness of the hair (m)."""

    sex: Sex
    table: Floats
    hair: float
    bun: bool


@dataclass(frozen=True, slots=True, eq=False)
class Person:
    """Somebody to be seen.

    Attributes
    ----------
    model : KinematicModel
        Scaled; its markers are where the keypoints are.
    build : Build
    look : Look
    skin : Skin
        In this person's resting pose, with clothes and hair.
    template : (V, 3) array
        The same points on the shipped skin: where colours are looked up.
    """

    model: KinematicModel
    build: Build
    look: Look
    skin: Skin
    template: Floats


def linear(colour: Colour | tuple[float, ...]) -> Floats:
    """(3,) linear light of a colour on the screen, 0..255."""
    return ((np.array(colour) / 255.0) ** 2).astype(np.float32)


def make_look(
    *,
    sex: Sex,
    skin: Colour,
    hair: Colour,
    eyes: Colour = (86, 62, 40),
    top: tuple[int, int, Colour, Colour] = (colours.BARE, colours.PLAIN, (0, 0, 0), (0, 0, 0)),
    bottom: tuple[int, Colour, Colour] = (colours.PLAIN, (44, 62, 104), (60, 60, 60)),
    shoes: Colour = (232, 232, 228),
    sleeve: float = 0.20,
    hem: float = 0.95,
    waist: float = 0.975,
    leg_end: float = 0.66,
    pattern_size: float = 0.06,
    hairline: float = 0.0,
    thickness: float = 0.010,
    bun: bool = False,
    beard: float = 0.0,
    seed: float = 3.0,
) -> Look:
    """A look from colours (0..255) and lengths in metres on the shipped skin.

    ``top`` is garment, pattern and two colours, ``bottom`` pattern and two colours; ``sleeve``
    counts from the shoulder down the arm, ``hem``, ``waist`` and ``leg_end`` are heights.
    """
    table = np.zeros(colours.LOOK_SIZE, np.float32)

    def paint(place: int, colour: Colour | tuple[float, ...]) -> None:
        table[place : place + 3] = linear(colour)

    paint(colours.SKIN, skin)
    paint(colours.HAIR, hair)
    paint(colours.EYES, eyes)
    paint(colours.TOP, top[2])
    paint(colours.TOP_SECOND, top[3])
    paint(colours.BOTTOM, bottom[1])
    paint(colours.BOTTOM_SECOND, bottom[2])
    paint(colours.SHOE, shoes)
    paint(colours.SOLE, (236, 236, 234))
    paint(colours.LIPS, tuple(a * b for a, b in zip(skin, (0.86, 0.62, 0.66), strict=True)))
    table[colours.TOP_KIND], table[colours.TOP_PATTERN] = top[:2]
    table[colours.BOTTOM_PATTERN] = bottom[0]
    table[colours.TOP_SIZE] = pattern_size
    table[colours.SLEEVE], table[colours.HEM], table[colours.NECK] = sleeve, hem, 1.490
    table[colours.WAIST], table[colours.LEG_END] = waist, leg_end
    table[colours.HAIRLINE], table[colours.BEARD] = hairline, beard
    table[colours.BROWS], table[colours.SEED], table[colours.SOCKS] = 1.0, seed, 0.135
    return Look(sex, table, thickness, bun)


def draw_look(rng: np.random.Generator, looks: LookRange | None = None) -> Look:
    """A look drawn at random."""
    looks = looks or LookRange()
    sex: Sex = "man" if rng.random() < 0.5 else "woman"

    def one(colours: tuple[Colour, ...]) -> Colour:
        return colours[rng.integers(len(colours))]

    tone = int(rng.integers(len(looks.skins)))
    hairs = looks.hairs[:2] if tone >= _DARK_FROM else looks.hairs
    bare = rng.random() < looks.bare
    if sex == "man":
        kind = colours.BARE if bare else int(rng.choice([colours.SHIRT, colours.VEST]))
    else:
        kind = (
            int(rng.choice([colours.BAND, colours.BAND, colours.VEST])) if bare else colours.SHIRT
        )
    legs = float(
        rng.choice([rng.uniform(0.60, 0.74), rng.uniform(0.60, 0.74), rng.uniform(0.14, 0.2)])
    )
    return make_look(
        sex=sex,
        skin=looks.skins[tone],
        hair=one(hairs),
        eyes=one(EYES[:2] if tone >= _DARK_FROM else EYES),
        top=(kind, int(rng.choice(looks.patterns)), one(looks.cloths), one(looks.cloths)),
        bottom=(int(rng.choice([colours.PLAIN, colours.PLAIN, colours.MOTTLED])),
                one(looks.cloths), one(looks.cloths)),
        shoes=one(_SHOES),
        sleeve=rng.uniform(0.12, 0.24) if rng.random() < 0.75 else rng.uniform(0.46, 0.54),
        hem=rng.uniform(0.90, 0.99),
        waist=rng.uniform(0.955, 1.005),
        leg_end=legs,
        pattern_size=rng.uniform(0.03, 0.10),
        hairline=rng.uniform(-0.006, 0.012),
        thickness=rng.uniform(0.004, 0.016) if sex == "man" else rng.uniform(0.010, 0.020),
        bun=bool(sex == "woman" and rng.random() < 0.65),
        beard=float(rng.choice([0.0, 0.25, 0.9], p=[0.5, 0.3, 0.2])) if sex == "man" else 0.0,
        seed=rng.uniform(0.0, 50.0),
    )  # fmt: skip


def draw_person(
    rng: np.random.Generator,
    bodies: BodyRange | None = None,
    looks: LookRange | None = None,
) -> Person:
    """Somebody drawn at random, whose markers are where the model has them."""
    bodies = bodies or BodyRange(marker_sd=0.0)
    build = draw_build(plain_model(), rng, bodies)
    return make_person(rng, bodies, build, draw_look(rng, looks))


def make_person(rng: np.random.Generator, bodies: BodyRange, build: Build, look: Look) -> Person:
    """Somebody of a build and a look."""
    model = with_build(plain_model(), rng, bodies, build)
    template = load_skin(look.sex).points
    skin = _dressed(fitted(look.sex, model, build), look, template)
    if look.bun:
        skin, template = _with_bun(skin, template, model)
    return Person(model, build, look, skin, template)


def _dressed(skin: Skin, look: Look, template: Floats) -> Skin:
    covers = np.zeros(len(template), np.int32)
    hair = np.zeros(len(template), np.float32)
    colours.coverage(template, skin.part, look.table, covers, hair)
    top, bottom = covers == colours.ON_TOP, covers == colours.ON_BOTTOM
    y = template[:, 1].astype(np.float64)
    kind = int(look.table[colours.TOP_KIND])
    loose = np.zeros(len(y))
    if kind == colours.SHIRT:
        arm = np.isin(skin.part, (colours.ARM, colours.FOREARM))
        loose += np.where(
            top, np.where(arm, 0.009, 0.006 + 0.012 * np.clip((1.25 - y) / 0.3, 0, 1)), 0
        )
    elif kind != colours.BARE:
        loose += np.where(top, 0.004, 0.0)
    legs = 0.005 + 0.009 * np.clip((0.86 - y) / 0.2, 0.0, 1.0)
    loose += np.where(bottom, legs + np.where(y < 0.35, 0.010, 0.0), 0.0)
    loose = evened(skin.faces, loose, 2)
    # Cloth spans the hollows of the back; tight bands follow it.
    spanned = evened(skin.faces, np.where(top & (kind == colours.SHIRT), 1.0, 0.0), 1) * skin.relief
    thick = look.hair * np.clip(hair / 0.022, 0.0, 1.0) * (skin.part == colours.HEAD)
    thick = evened(skin.faces, thick.astype(np.float64), 1)
    normals = skin.normals.astype(np.float64)
    points = skin.points + (loose - spanned + thick)[:, None] * normals
    cloth = evened(skin.faces, (top & (kind == colours.SHIRT) | bottom).astype(np.float64), 1)
    fold = np.zeros((len(y), 3), np.float32)
    colours.folds(template, look.table, fold)
    normals += cloth[:, None] * fold
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    return with_points(skin, points, normals)


def _with_bun(skin: Skin, template: Floats, model: KinematicModel) -> tuple[Skin, Floats]:
    """Hair tied at the back of the head: a ball on the skull."""
    rings, around = 10, 16
    v, u = np.meshgrid(
        np.linspace(0.0, np.pi, rings), np.linspace(0, 2 * np.pi, around, False), indexing="ij"
    )
    ball = np.stack([np.cos(v), np.sin(v) * np.cos(u), np.sin(v) * np.sin(u)], axis=-1).reshape(
        -1, 3
    )
    number = np.arange(rings * around).reshape(rings, around)
    a, b = number[:-1], number[1:]
    c, d = np.roll(b, -1, axis=1), np.roll(a, -1, axis=1)
    first = len(skin.points)
    faces = np.stack([np.stack([a, b, c], -1), np.stack([a, c, d], -1)]).reshape(-1, 3) + first
    back = np.flatnonzero((skin.part == colours.HEAD) & (np.abs(template[:, 2]) < 0.01))
    at = back[np.argmin(np.linalg.norm(template[back] - [-0.098, 1.690, 0.0], axis=1))]
    points = skin.points[at] + ball * [0.030, 0.036, 0.036] + np.array([-0.014, 0.006, 0.0])
    n, skull = len(ball), model.body_names.index("skull")
    shares = np.zeros((n, skin.shares.shape[1]), np.float32)
    shares[:, 0] = 1.0
    grown = Skin(
        points=np.concatenate([skin.points, points]).astype(np.float32),
        normals=np.concatenate([skin.normals, ball]).astype(np.float32),
        faces=np.concatenate([skin.faces, faces]).astype(np.int32),
        bodies=np.concatenate([skin.bodies, np.full((n, shares.shape[1]), skull)]).astype(np.int32),
        shares=np.concatenate([skin.shares, shares]),
        open=np.concatenate([skin.open, np.full(n, 0.9)]).astype(np.float32),
        relief=np.concatenate([skin.relief, np.zeros(n)]).astype(np.float32),
        part=np.concatenate([skin.part, np.full(n, colours.HEAD)]).astype(np.int32),
    )
    # Colours are those of the crown, whose strands they take.
    crown = np.array([-0.06, 1.72, 0.0]) + 0.03 * ball
    return grown, np.concatenate([template, crown]).astype(np.float32)
