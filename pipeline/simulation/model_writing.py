"""Models take their place on disk whole, and only once OpenSim has read them back."""

from __future__ import annotations

import contextlib
import os
import uuid
from pathlib import Path
from typing import Any

from pipeline.data.errors import UserError
from pipeline.simulation.osim_model import load_model, plain_reason


def save_model(model: Any, output: Path) -> None:
    """Write an OpenSim ``Model`` beside ``output``, see that it loads, and rename it.

    Raises
    ------
    UserError
        Where that fails; what was there before stays.
    """
    target = output.resolve()
    temporary = target.with_name(f".{target.stem}.{uuid.uuid4().hex[:8]}.osim")
    try:
        if not target.parent.is_dir():
            raise UserError(f"{output} could not be written: its folder does not exist.")
        if not os.access(target.parent, os.W_OK) or target.is_dir():
            raise UserError(f"{output} could not be written: its folder takes no files from you.")
        try:
            temporary.touch()
        except OSError as error:
            raise UserError(
                f"{output} could not be written: its folder takes no files from you."
            ) from error
        model.printToXML(str(temporary))
        load_model(temporary)
        os.replace(temporary, target)
    except (RuntimeError, OSError) as error:
        cause = plain_reason(error) if isinstance(error, RuntimeError) else error.strerror
        raise UserError(f"{output} could not be written: {cause}") from error
    finally:
        # Only ever there after a failure, whose own message is the one to be read.
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
