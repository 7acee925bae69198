"""Settings of a training from a table of a TOML file."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pipeline.data.errors import UserError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")


def read_settings(
    path: Path, table: str, kind: type[T], least: Mapping[str, int], parts: tuple[str, ...]
) -> T:
    """The table of a TOML file as a dataclass; what it leaves out has its default.

    Parameters
    ----------
    path : path
    table : str
        Name of the table.
    kind : dataclass
        Whose fields, by the type of their defaults, are the settings.
    least : mapping
        Least values of whole numbers by name, where it is not 0.
    parts : tuple of str
        Numbers that are parts of one, 0 to 1.

    Raises
    ------
    UserError
        If the file cannot be read or says something that is no training, naming file and cause.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror or error}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is no TOML file: {error}.") from error
    given = content.get(table)
    if not isinstance(given, dict):
        raise UserError(f"{path} has no table [{table}].")
    known = {field.name: field.default for field in fields(kind)}
    for name, value in given.items():
        if name not in known:
            raise UserError(f"{path}: [{table}] has no setting named “{name}”.")
        given[name] = _checked(path, name, value, known[name], least.get(name, 0), name in parts)
    return kind(**given)


def as_table(settings: DataclassInstance) -> dict[str, Any]:
    """The settings by name, as they stand in a file."""
    return asdict(settings)


def _checked(path: Path, name: str, value: object, default: object, least: int, part: bool) -> Any:
    if isinstance(default, bool):
        if isinstance(value, bool):
            return value
        raise UserError(f"{path}: {name} must be true or false, not {value!r}.")
    if isinstance(default, str):
        if isinstance(value, str):
            return value
        raise UserError(f"{path}: {name} must be text, not {value!r}.")
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UserError(f"{path}: {name} must be a number, not {value!r}.")
    if isinstance(default, int):
        if not isinstance(value, int) or value < least:
            raise UserError(
                f"{path}: {name} must be a whole number from {least} on, not {value!r}."
            )
        return value
    most = 1.0 if part else float("inf")
    if not 0.0 <= value <= most or (name.endswith("_rate") and value == 0.0):
        limit = f"from 0 to {most:g}" if part else "above 0"
        raise UserError(f"{path}: {name} must be {limit}, not {value!r}.")
    return float(value)
