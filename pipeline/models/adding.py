"""A card for weights that a person has."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from pipeline.data.errors import UserError
from pipeline.models.cards import ModelCard, read_card, shipped_cards
from pipeline.models.loading import read_spec, skeleton_of
from pipeline.models.store import ModelStore


def name_of(file: Path) -> str:
    """What a file's model is called if nobody says otherwise."""
    return re.sub(r"[^a-z0-9._-]+", "-", file.stem.lower()).strip("-._") or "model"


def card_of(
    store: ModelStore,
    file: Path,
    name: str = "",
    title: str = "",
    skeleton: str | None = None,
    licence: str = "",
    non_commercial: bool = False,
) -> ModelCard:
    """The card under which a file is to be added to ``store``.

    Under the name of a model that comes with the program, it is that one's; else what lies beside
    the file as ``.toml``.

    Parameters
    ----------
    skeleton : str, optional
        File stem of the skeleton of its keypoints; by default told by their number.

    Raises
    ------
    UserError
        If the file is no network that can be used, or the name is taken.
    """
    name = name or name_of(file)
    listed = next((card for card in shipped_cards() if card.name == name), None)
    if listed is not None:
        return listed
    if name in {other.name for other in store.cards()}:
        raise UserError(
            f"There is a model named {name} already; remove it first, or choose another name."
        )
    beside = file.with_suffix(".toml")
    if beside.is_file():
        return replace(read_card(beside), name=name, file=file)
    spec = read_spec(file)
    return ModelCard(
        name,
        title or name,
        skeleton_of(file, spec, skeleton).name,
        licence,
        non_commercial,
        family=spec.variant,
        input_size=spec.input_size,
        file=file,
    )
