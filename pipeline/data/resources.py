"""Where the shipped resources lie, in a checkout and in an installed wheel."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]


def resource_path(*parts: str) -> Path:
    """Path below ``pipeline/_resources/`` (wheel) or ``resources/`` (checkout)."""
    # In this order: beside an installed package there may be somebody else's "resources".
    shipped = _PACKAGE / "_resources"
    root = shipped if shipped.is_dir() else _PACKAGE.parent / "resources"
    return root.joinpath(*parts)
