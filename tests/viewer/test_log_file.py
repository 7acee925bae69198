"""The log file is of limited size, and its end can be read; a folder that takes none is said."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from logging.handlers import RotatingFileHandler
from pathlib import Path

import pytest

from simspine_viewer import log_file


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    """The root logger, given back as it was."""
    logger = logging.getLogger()
    handlers, level = list(logger.handlers), logger.level
    yield logger
    for handler in logger.handlers:
        if handler not in handlers:
            handler.close()
    logger.handlers[:], logger.level = handlers, level


def test_what_is_logged_can_be_read(root: logging.Logger) -> None:
    assert log_file.last_lines() == []
    log_file.start_logging()
    logging.getLogger("pipeline").warning("The fourth video is shorter.")
    assert log_file.last_lines()[-1].endswith("WARNING pipeline: The fourth video is shorter.")
    logging.getLogger("pipeline").warning("One\nTwo")
    assert log_file.last_lines(1) == ["Two"]


def test_it_does_not_grow_without_end(root: logging.Logger) -> None:
    log_file.start_logging()
    (handler,) = [h for h in root.handlers if isinstance(h, RotatingFileHandler)]
    handler.maxBytes = 2000
    for number in range(200):
        logging.getLogger("x").warning("Line %d of many that say the same.", number)
    files = list(log_file.log_path().parent.glob("viewer.log*"))
    assert len(files) == 1 + log_file.BACKUPS
    assert all(file.stat().st_size <= 2000 for file in files)
    assert "Line 199" in log_file.last_lines()[-1]


def test_a_folder_that_takes_no_file_is_said(
    root: logging.Logger, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr(log_file, "log_path", lambda: tmp_path / "file" / "viewer.log")
    log_file.start_logging()
    assert "No log file" in capsys.readouterr().err
