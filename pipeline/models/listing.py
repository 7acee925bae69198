"""Models as plain data, for programs and for the window."""

from __future__ import annotations

from typing import Any

from pipeline.models.store import Entry, ModelStore


def entry_data(entry: Entry, store: ModelStore) -> dict[str, Any]:
    """One model, JSON-able."""
    card, known = entry.card, entry.known
    return {
        "name": card.name,
        "title": card.title,
        "kind": card.kind,
        "built_in": store.is_built_in(card),
        "family": card.family or None,
        "variant": card.variant or None,
        "skeleton": card.skeleton,
        "input_size": card.input_size and list(card.input_size),
        "trained_on": card.trained_on or None,
        "publisher": card.publisher or None,
        "licence": card.licence or None,
        "licence_address": card.licence_address or None,
        "non_commercial": card.non_commercial,
        "accepted": entry.accepted,
        "addresses": list(card.addresses),
        "state": entry.state,
        "path": str(store.place(card)) if entry.state == "there" else None,
        "sha256": known and known.sha256,
        "bytes": known.size if known else card.size,
        "since": known and round(known.since),
    }
