"""Where the shipped resources lie, in a checkout and in an installed wheel."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]


def resource_path(*parts: str) -> Path:
    """Path below ``resources/`` (checkout) or ``pipeline/_resources/`` (wheel)."""
    checkout = _PACKAGE.parent / "resources"
    root = checkout if checkout.is_dir() else _PACKAGE / "_resources"
    return root.joinpath(*parts)
