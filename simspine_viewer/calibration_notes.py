"""Says that a camera's calibration is in doubt: in the status bar once, and in Findings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from pipeline.data.errors import Finding
from pipeline.quality.calibration_alarm import CalibrationAlarm

if TYPE_CHECKING:
    from simspine_viewer.main_window import MainWindow

CURE = "Tools ▸ Cameras ▸ Refine Cameras from the Person… can correct that."


class CalibrationNotes(QObject):
    """Keeps the finding in step with what the quality monitor finds."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._shown = ""
        window.monitor.alarmed.connect(self._say)
        window.monitor.changed.connect(self._list)

    def _say(self, alarm: CalibrationAlarm) -> None:
        names = " and ".join(view.camera for view in alarm.alarmed[:2])
        more = " and others" if len(alarm.alarmed) > 2 else ""
        self._window.say(f"The calibration of {names}{more} seems to be off; see Findings.")

    def _list(self) -> None:
        window, alarm = self._window, self._window.monitor.alarm
        sentence = alarm.sentence if alarm is not None else ""
        project = window.document.project
        if sentence == self._shown or project is None:
            self._shown = sentence
            return
        self._shown = sentence
        from pipeline.io.opening import project_findings  # loads decoders: not at start

        findings = project_findings(project)
        if sentence:
            findings = (Finding("warning", "calibration-alarm", f"{sentence} {CURE}"), *findings)
        window.findings_panel.set_findings(findings)
        title = f"Findings {len(findings)}" if findings else "Findings"
        window.docks["findings"].setWindowTitle(title)
