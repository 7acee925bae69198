"""Model cards: what a set of weights is, where it comes from and under which licence."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from pipeline.data.errors import UserError
from pipeline.data.resources import resource_path
from pipeline.data.skeleton import shipped_skeletons

SUFFIXES = (".pth", ".pt", ".ckpt", ".onnx")


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What is known of a set of weights; nothing in it is guessed.

    Parameters
    ----------
    name : str
        What it is called on the command line.
    title : str
        What it is called for people.
    skeleton : str
        File stem of the skeleton whose keypoints it finds, in that order.
    licence : str
        As its publisher says it; empty where nobody said any.
    non_commercial : bool
        The licence forbids commercial use, and has to be accepted.
    addresses : tuple of str
        Where the file can be had, tried in this order; none for a file a person has.
    family, variant, publisher, trained_on, licence_address : str
        Empty where not known.
    input_size : (w, h) or None
        The network's input, pixels.
    size : int or None
        Of the file in bytes.
    sha256_starts : str
        How the file's SHA-256 starts, where its publisher says so.
    file : Path or None
        The weights themselves, where they lie beside the card.
    kind : str
        "pose" for what finds keypoints in pictures, "lifter" for what puts them into space.
    """

    name: str
    title: str
    skeleton: str
    licence: str
    non_commercial: bool
    addresses: tuple[str, ...] = ()
    family: str = ""
    variant: str = ""
    publisher: str = ""
    trained_on: str = ""
    licence_address: str = ""
    input_size: tuple[int, int] | None = None
    size: int | None = None
    sha256_starts: str = ""
    file: Path | None = None
    kind: str = "pose"

    @property
    def file_name(self) -> str:
        """Name of the weights' file."""
        if self.file is not None:
            return self.file.name
        return PurePosixPath(urlsplit(self.addresses[0]).path).name

    @property
    def is_onnx(self) -> bool:
        return self.file_name.endswith(".onnx")


KINDS = ("pose", "lifter")
# Keys of a card, the type each is of, and whether it has to be there.
_KEYS: dict[str, tuple[type, bool]] = {
    "kind": (str, False),
    "title": (str, True),
    "skeleton": (str, True),
    "licence": (str, True),
    "non_commercial": (bool, True),
    "addresses": (list, False),
    "family": (str, False),
    "variant": (str, False),
    "publisher": (str, False),
    "trained_on": (str, False),
    "licence_address": (str, False),
    "input_size": (list, False),
    "size": (int, False),
    "sha256_starts": (str, False),
    "file": (str, False),
}


def read_card(path: Path) -> ModelCard:
    """A card from its TOML file; the model's name is the file's.

    Raises
    ------
    UserError
        If it cannot be read, or something in it is missing or of the wrong kind.
    """
    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is no model card: {error}.") from error
    values = _checked(path, table)
    if "file" in values:
        values["file"] = path.parent / Path(values["file"]).name
    elif not values.get("addresses"):
        raise UserError(f"{path} is no model card: it has neither addresses nor a file.")
    return ModelCard(name=path.stem, **values)


def _checked(path: Path, table: dict[str, Any]) -> dict[str, Any]:
    for key, (kind, needed) in _KEYS.items():
        if needed and key not in table:
            raise UserError(f"{path} is no model card: {key} is missing.")
        if key in table and type(table[key]) is not kind:
            raise UserError(f"{path} is no model card: {key} is no {kind.__name__}.")
    unknown = sorted(set(table) - set(_KEYS))
    if unknown:
        raise UserError(f"{path} is no model card: nobody knows what {unknown[0]} is.")
    if table["skeleton"] not in shipped_skeletons():
        raise UserError(f"{path} names a skeleton that is not known: {table['skeleton']}.")
    for address in table.get("addresses", ()):
        if not str(address).startswith(("https://", "http://")):
            raise UserError(f"{path} names an address that is not on the web: {address}.")
    values = dict(table)
    for key in ("addresses", "input_size"):
        if key in table:
            values[key] = tuple(table[key])
    size = values.get("input_size", (1, 1))
    if len(size) != 2 or any(type(side) is not int for side in size):
        raise UserError(f"{path} is no model card: input_size is not width and height.")
    return values


def shipped_cards() -> tuple[ModelCard, ...]:
    """All cards that come with the program, by name."""
    paths = sorted(resource_path("models").glob("*.toml"))
    return tuple(read_card(path) for path in paths if is_known_card(path))


def is_known_card(path: Path) -> bool:
    """Whether a TOML file is the card of a model of a kind that is known here."""
    try:
        return tomllib.loads(path.read_text("utf-8")).get("kind", KINDS[0]) in KINDS
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError):
        return True  # what is wrong with it is said when it is read


def card_named(name: str, cards: tuple[ModelCard, ...]) -> ModelCard:
    """One of some cards; UserError with the nearest names where there is none."""
    for card in cards:
        if card.name == name:
            return card
    near = get_close_matches(name, [card.name for card in cards], n=3, cutoff=0.4)
    hint = f"the nearest is {' or '.join(near)}" if near else "“simspine models list” names all"
    raise UserError(f"There is no model named “{name}”; {hint}.")
