"""The models that are on this machine: their files, what was accepted, and their hashes.

A hash is remembered when a model is first there (trust on first use), and stays remembered when the
model is removed, so that another file under the same name is noticed.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import platformdirs

from pipeline.data.errors import UserError
from pipeline.models.cards import ModelCard, card_named, is_known_card, read_card, shipped_cards
from pipeline.models.files import BLOCK, Step, hashed, part_of, require_space, writing

State = Literal["missing", "begun", "there"]
#: Raises UserError where a file is not what a card says.
Check = Callable[[ModelCard, Path], object]

_KNOWN = "known.json"


@dataclass(frozen=True, slots=True)
class Known:
    """What is remembered of a model: the file's hash and size, since when, and from where."""

    sha256: str
    size: int
    since: float
    source: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A model as it is listed; ``known`` None where it never was on this machine."""

    card: ModelCard
    state: State
    accepted: bool
    known: Known | None


def user_store() -> Path:
    """Where a user's models are kept."""
    return platformdirs.user_data_path("simspine-viewer", appauthor=False) / "models"


class ModelStore:
    """A folder of models: one sub-folder each, and what is known of all of them in one file."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or user_store()

    def cards(self) -> tuple[ModelCard, ...]:
        """All models there are: those that come with the program, and those a person added."""
        paths = sorted(self.folder.glob("*/*.toml"))
        own = [read_card(path) for path in paths if is_known_card(path)]
        shipped = shipped_cards()
        taken = {card.name for card in shipped}
        return (*shipped, *(card for card in own if card.name not in taken))

    def card(self, name: str) -> ModelCard:
        """A model by name; UserError with the nearest names where there is none."""
        return card_named(name, self.cards())

    def place(self, card: ModelCard) -> Path:
        """Where a model's weights are, or will be."""
        return card.file if card.file is not None else self.folder / card.name / card.file_name

    def is_built_in(self, card: ModelCard) -> bool:
        """Whether a model's weights come with the program."""
        return card.file is not None and not card.file.is_relative_to(self.folder)

    def entries(self) -> tuple[Entry, ...]:
        """Every model and whether it is there; those that come with the program last."""
        noted = self._noted()
        return tuple(
            Entry(card, self.state(card), self.accepted(card), _known(noted, card.name))
            for card in sorted(self.cards(), key=self.is_built_in)
        )

    def state(self, card: ModelCard) -> State:
        place = self.place(card)
        if place.is_file():
            return "there"
        return "begun" if part_of(place).exists() else "missing"

    def accepted(self, card: ModelCard) -> bool:
        """Whether the licence asks for nothing, or was accepted."""
        return not card.non_commercial or card.name in self._noted().get("accepted", {})

    def accept(self, card: ModelCard) -> None:
        """Remember that a person accepted a model's licence."""
        noted = self._noted()
        noted.setdefault("accepted", {}).setdefault(card.name, time.time())
        self._note(noted)

    def check_licence(self, card: ModelCard) -> None:
        """UserError where the licence has to be accepted first."""
        if not self.accepted(card):
            raise UserError(
                f"The weights of {card.title} are under {card.licence}, which forbids commercial "
                f"use: read {card.licence_address or 'it'} and accept it first "
                f"(simspine models get {card.name} --accept-licence)."
            )

    def known(self, card: ModelCard) -> Known | None:
        """What is remembered of a model's file."""
        return _known(self._noted(), card.name)

    def verify(self, card: ModelCard, file: Path, source: str) -> Generator[Step, None, None]:
        """Compare a file with what is known of a model; what is not known yet is remembered.

        Raises
        ------
        UserError
            If it is another file than the one first seen, or than its publisher names.
        """
        digest, size = yield from hashed(file)
        if card.size is not None and size != card.size:
            raise UserError(
                f"{file} was not taken: it has {size} bytes, but {card.title} has {card.size}."
            )
        if not digest.startswith(card.sha256_starts):
            raise UserError(
                f"{file} was not taken: its SHA-256 starts with {digest[:8]}, but "
                f"{card.publisher or 'its publisher'} says {card.sha256_starts}."
            )
        noted = self._noted()
        known = _known(noted, card.name)
        if known is None:
            noted.setdefault("known", {})[card.name] = {
                "sha256": digest,
                "size": size,
                "since": time.time(),
                "source": source,
            }
            self._note(noted)
        elif known.sha256 != digest:
            day = time.strftime("%Y-%m-%d", time.localtime(known.since))
            raise UserError(
                f"{file} was not taken: it is not the file that was {card.title} on this machine "
                f"since {day} (its SHA-256 differs); if that is right, forget the old one with "
                f"“simspine models remove {card.name} --forget”."
            )

    def usable(self, card: ModelCard) -> Generator[Step, None, Path]:
        """A model's file, its licence accepted and its hash as remembered.

        Raises
        ------
        UserError
            If it is not there, not accepted or not the same.
        """
        self.check_licence(card)
        place = self.place(card)
        if not place.is_file():
            raise UserError(
                f"{card.title} is not on this machine yet: get it with "
                f"“simspine models get {card.name}”."
            )
        if not self.is_built_in(card):
            yield from self.verify(card, place, str(place))
        return place

    def add(self, file: Path, card: ModelCard, check: Check) -> Generator[Step, None, Path]:
        """Take a copy of a file as the weights of a card.

        A card that comes with the program needs that model's own file; another one is kept beside
        the copy. ``check`` is asked about the file before anything is remembered of it.

        Raises
        ------
        UserError
            If it is no such network, another file than known, cannot be read, or does not fit on
            the disk.
        """
        try:
            size = file.stat().st_size
        except OSError as error:
            raise UserError(f"{file} cannot be read: {error.strerror}.") from error
        if not file.is_file():
            raise UserError(f"{file} cannot be read: it is no file.")
        shipped = any(card.name == other.name for other in shipped_cards())
        target = self.place(card) if shipped else self.folder / card.name / file.name
        yield 0.0, f"Looking into {file.name}"
        check(card, file)
        yield from self.verify(card, file, str(file.absolute()))
        require_space(target.parent, size, card.title)
        with writing(target) as temporary, file.open("rb") as source, temporary.open("wb") as out:
            done = 0
            while block := source.read(BLOCK):
                out.write(block)
                done += len(block)
                yield done / max(size, 1), f"Copying {file.name}"
        if not shipped:
            _write_text(target.parent / f"{card.name}.toml", card_text(card, target.name))
        return target

    def remove(self, card: ModelCard, *, forget: bool = False) -> bool:
        """Delete a model's files; ``forget`` its hash and its accepted licence too.

        Returns whether there was anything. Weights that come with the program stay.
        """
        folder = self.folder / card.name
        there = folder.is_dir()
        if there:
            try:
                shutil.rmtree(folder)
            except OSError as error:
                raise UserError(f"{folder} cannot be removed: {error.strerror}.") from error
        noted = self._noted()
        if forget:
            gone = [noted.get(what, {}).pop(card.name, None) for what in ("known", "accepted")]
            there = there or any(gone)
            self._note(noted)
        return there

    def _noted(self) -> dict[str, Any]:
        path = self.folder / _KNOWN
        try:
            noted = json.loads(path.read_text("utf-8"))
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise UserError(f"{path} cannot be read: {error.strerror}.") from error
        except ValueError as error:
            raise UserError(f"{path} is damaged: it holds what is known of all models.") from error
        if not isinstance(noted, dict):
            raise UserError(f"{path} is damaged: it holds what is known of all models.")
        return noted

    def _note(self, noted: dict[str, Any]) -> None:
        _write_text(self.folder / _KNOWN, json.dumps(noted, indent=1, sort_keys=True))


def _known(noted: dict[str, Any], name: str) -> Known | None:
    found = noted.get("known", {}).get(name)
    return Known(**found) if found else None


def _write_text(path: Path, text: str) -> None:
    with writing(path) as temporary:
        temporary.write_text(text, "utf-8")


def card_text(card: ModelCard, file_name: str) -> str:
    """A card as TOML whose weights lie beside it."""
    import tomli_w

    table = {
        "title": card.title,
        "skeleton": card.skeleton,
        "licence": card.licence,
        "non_commercial": card.non_commercial,
        "family": card.family,
        "variant": card.variant,
        "publisher": card.publisher,
        "trained_on": card.trained_on,
        "file": file_name,
    }
    if card.input_size is not None:
        table["input_size"] = list(card.input_size)
    text: str = tomli_w.dumps(table)
    return text
