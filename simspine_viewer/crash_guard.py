"""Notices that the program ended by itself, and keeps what is needed to say why.

Every running program has a session file in the state folder, locked while it runs. One that is
left behind without its lock is of a program that crashed or was killed.
"""

from __future__ import annotations

import contextlib
import faulthandler
import json
import logging
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

import platformdirs

from pipeline import __version__
from pipeline.data.errors import NotEditableError, UserError
from pipeline.io.project_lock import ProjectLock

KEPT_REPORTS = 10

log = logging.getLogger(__name__)


def state_folder() -> Path:
    """Where logs, session files and reports are."""
    return platformdirs.user_state_path("simspine-viewer", appauthor=False)


@dataclass(frozen=True, slots=True)
class Crash:
    """A session that did not end in order: when it began, what was open, what was written."""

    began: float
    project: Path | None
    report: str

    @property
    def saved_until(self) -> float:
        """When the project was last written, seconds since the epoch; 0 where that is unknown."""
        if self.project is None:
            return 0.0
        files = (self.project, self.project.with_name(self.project.name + "-wal"))
        return max((file.stat().st_mtime for file in files if file.exists()), default=0.0)


class CrashGuard:
    """The session file of this program, and the handlers that write down how it ended."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or state_folder()
        self._session = self.folder / f"session-{os.getpid()}.json"
        self._lock: ProjectLock | None = None
        self._faults: TextIO | None = None
        self._project = ""
        self._began = time.time()
        self.on_error: Callable[[str], None] | None = None
        self.on_sentence: Callable[[str], None] | None = None

    def begin(self) -> None:
        """Take up the session; a state folder that cannot be written leaves all as it was."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._lock = ProjectLock(self._session)
            self._write()
            self._faults = self._fault_file(self._session).open("w", encoding="utf-8")
        except (OSError, NotEditableError) as error:
            log.warning("No crash reports: %s", error)
            return
        faulthandler.enable(self._faults)
        sys.excepthook = self._unexpected
        threading.excepthook = lambda args: self._unexpected(
            args.exc_type, args.exc_value, args.exc_traceback
        )

    def set_project(self, path: Path | None) -> None:
        """Note which project is open."""
        self._project = str(path) if path else ""
        if self._lock is not None:
            self._write()

    def end(self) -> None:
        """The program ends in order."""
        if self._lock is None:
            return
        faulthandler.disable()
        sys.excepthook = sys.__excepthook__
        threading.excepthook = threading.__excepthook__
        if self._faults is not None:
            self._faults.close()
        for path in (self._session, self._fault_file(self._session)):
            path.unlink(missing_ok=True)
        self._lock.release()
        self._lock = None

    def _write(self) -> None:
        data = {"version": __version__, "began": self._began, "project": self._project}
        with contextlib.suppress(OSError):  # a full disk is said where it costs something
            self._session.write_text(json.dumps(data), encoding="utf-8")

    @staticmethod
    def _fault_file(session: Path) -> Path:
        return session.with_suffix(".fault.txt")

    # Errors while it runs

    def _unexpected(
        self,
        kind: type[BaseException],
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error or kind(), where)
            return
        if isinstance(error, UserError) and self.on_sentence is not None:
            log.warning("%s", error)  # not a fault of the program, such as a damaged file
            self.on_sentence(str(error))
            return
        text = "".join(traceback.format_exception(kind, error, where))
        log.error("Something unexpected happened.\n%s", text)
        self._keep(text)
        if self.on_error is not None:
            self.on_error(text)

    def _keep(self, text: str) -> None:
        name = time.strftime("report-%Y%m%d-%H%M%S.txt")
        with contextlib.suppress(OSError):  # it is in the log, if that could be written
            (self.folder / name).write_text(text, encoding="utf-8")
            for old in sorted(self.folder.glob("report-*.txt"))[:-KEPT_REPORTS]:
                old.unlink(missing_ok=True)

    # What happened before

    def crashes(self) -> list[Crash]:
        """Sessions that ended by themselves, newest first; each is told once."""
        found = []
        for session in self.folder.glob("session-*.json"):
            if session == self._session:
                continue
            try:
                lock = ProjectLock(session)
            except (OSError, NotEditableError):
                continue  # it runs still
            found.append(self._read(session))
            for path in (session, self._fault_file(session)):
                path.unlink(missing_ok=True)
            lock.release()
        return sorted(found, key=lambda crash: -crash.began)

    def _read(self, session: Path) -> Crash:
        data: dict[str, Any] = {}
        with contextlib.suppress(OSError, ValueError):
            read = json.loads(session.read_text(encoding="utf-8"))
            data = read if isinstance(read, dict) else {}
        began = data.get("began")
        began = float(began) if isinstance(began, (int, float)) else 0.0
        project = data.get("project")
        faults = ""
        with contextlib.suppress(OSError):
            faults = self._fault_file(session).read_text(encoding="utf-8", errors="replace")
        report = f"Version {data.get('version', 'unknown')}, started {_clock(began)}.\n" + (
            faults or "It left no message: it was killed, or the computer went off.\n"
        )
        return Crash(began, Path(project) if isinstance(project, str) and project else None, report)


def _clock(moment: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(moment))
