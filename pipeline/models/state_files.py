"""Files of tensors and plain values: what a training has learnt, and how far it is."""

from __future__ import annotations

import os
import pickle
import uuid
import zipfile
from pathlib import Path
from typing import Any

import torch

from pipeline.data.errors import UserError


def write_state(path: Path, content: dict[str, Any]) -> None:
    """Write tensors and plain values; the file is the old one or the whole new one."""
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        torch.save(content, temporary)
        os.replace(temporary, path)
    except (OSError, RuntimeError) as error:
        # torch.save says that the disk is full with a RuntimeError.
        temporary.unlink(missing_ok=True)
        raise UserError(f"{path} could not be written: {error}.") from error


def read_state(path: Path) -> dict[str, Any]:
    """Read what :func:`write_state` wrote; nothing in the file is run.

    Raises
    ------
    UserError
        If the file cannot be read or is no such file.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror or error}.") from error
    except (pickle.UnpicklingError, EOFError, RuntimeError, ValueError, KeyError) as error:
        raise UserError(f"{path} is cut off or damaged.") from error
    except zipfile.BadZipFile as error:
        raise UserError(f"{path} is cut off or damaged.") from error
    if not isinstance(content, dict):
        raise UserError(f"{path} is cut off or damaged.")
    return content


def read_card(path: Path) -> dict[str, Any]:
    """What a file of weights says about its making; UserError as :func:`read_state`."""
    card = read_state(path).get("card")
    if not isinstance(card, dict):
        raise UserError(f"{path} says nothing about its making.")
    return card
