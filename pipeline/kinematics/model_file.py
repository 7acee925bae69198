"""A ``KinematicModel`` as one ``.npz`` file, so that the window never needs OpenSim."""

from __future__ import annotations

import os
import uuid
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.data.errors import UserError
from pipeline.kinematics.model import KinematicModel, array_fields, name_fields

_KIND = "simspine-kinematic-model"
_VERSION = 1


def save_model(model: KinematicModel, path: Path) -> None:
    """Write ``model`` to ``path``, which holds the old file or the whole new one.

    Raises
    ------
    UserError
        Where the file cannot be written; it names ``path`` and the cause.
    """
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        with temporary.open("wb") as file:
            np.savez_compressed(
                file,
                kind=np.array(_KIND),
                version=np.array(_VERSION),
                **model_arrays(model),
            )
        os.replace(temporary, path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise UserError(f"{path} could not be written: {error.strerror or error}.") from error


def model_arrays(model: KinematicModel) -> dict[str, Any]:
    """Every field of ``model`` by name, as arrays that :func:`model_of` reads."""
    arrays: dict[str, Any] = {field: getattr(model, field) for field in array_fields(model)}
    for field in name_fields():
        arrays[field] = np.array(getattr(model, field), dtype=np.str_)
    return {"name": np.array(model.name), **arrays}


def load_model(path: Path) -> KinematicModel:
    """Read what :func:`save_model` wrote.

    Raises
    ------
    UserError
        Where the file is missing, unreadable, no such model, of a later version, or says
        something impossible; it names ``path`` and the cause.
    """
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            content = {name: file[name] for name in file.files}
    except OSError as error:
        raise UserError(f"{path} could not be read: {error.strerror or error}.") from error
    except (ValueError, zipfile.BadZipFile, EOFError, KeyError, TypeError) as error:
        raise UserError(f"{path} is damaged or no kinematic model.") from error
    if str(content.get("kind")) != _KIND:
        raise UserError(f"{path} is no kinematic model.")
    version = int(content["version"]) if "version" in content else 0
    if version > _VERSION:
        raise UserError(
            f"{path} was written by a later version of this program (format {version}, "
            f"{_VERSION} is understood)."
        )
    return model_of(content, path)


def model_of(content: dict[str, Any], path: Path) -> KinematicModel:
    """The model of what :func:`model_arrays` gave; UserError, naming ``path``, if it is none."""
    names = name_fields()
    try:
        values: dict[str, Any] = {"name": str(content["name"])}
        for field in KinematicModel.__slots__:
            if field in names:
                values[field] = tuple(str(name) for name in content[field])
            elif field != "name":
                values[field] = content[field]
        return KinematicModel(**values)
    except KeyError as error:
        raise UserError(f"{path} is no kinematic model: {error.args[0]} is missing.") from error
    except (ValueError, TypeError) as error:
        raise UserError(f"{path} is no usable kinematic model: {error}.") from error
