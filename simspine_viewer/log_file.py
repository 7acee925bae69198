"""The log: on the terminal, and in a file of limited size in the user's state folder."""

from __future__ import annotations

import logging
import sys
from logging.handlers import RotatingFileHandler
from pathlib import Path

from simspine_viewer.crash_guard import state_folder

MAX_BYTES = 500_000
BACKUPS = 2
TAIL = 60  # lines that go into a report


def log_path() -> Path:
    """The file that is written now."""
    return state_folder() / "viewer.log"


def start_logging() -> None:
    """Log to the terminal and, where that can be written, to the file."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    try:
        log_path().parent.mkdir(parents=True, exist_ok=True)
        handler = RotatingFileHandler(
            log_path(), maxBytes=MAX_BYTES, backupCount=BACKUPS, encoding="utf-8", delay=True
        )
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        logging.getLogger().addHandler(handler)
    except OSError as error:
        print(f"No log file: {error}", file=sys.stderr)


def last_lines(n: int = TAIL) -> list[str]:
    """The newest lines of the file; none where there is no file."""
    try:
        return log_path().read_text(encoding="utf-8", errors="replace").splitlines()[-n:]
    except OSError:
        return []
