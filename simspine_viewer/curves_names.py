"""The line that names the keypoints of the curves: as many as there is room for, never cut."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent, QTextDocument
from PySide6.QtWidgets import QLabel, QSizePolicy

_APART = " &nbsp; "


class CurveNames(QLabel):
    """Names in the colours of their curves, and how to read the curves; all in the tooltip."""

    def __init__(self) -> None:
        super().__init__()
        self._choices: list[str] = []
        self.setTextFormat(Qt.TextFormat.RichText)
        # It takes what the buttons leave, and asks for nothing.
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def say(self, text: str) -> None:
        """Say something instead of names."""
        self._choices = [text]
        self.setToolTip(text)
        self._fit()

    def name(self, colours: dict[str, str], told: str, muted: str) -> None:
        """Name keypoints.

        Parameters
        ----------
        colours : dict of str to str
            Each name with its ``#rrggbb``, the most important first.
        told : str
            How to read the curves, left out first; may be empty.
        muted : str
            Colour of it.
        """
        names = [f"<span style='color:{own}'>■</span> {name}" for name, own in colours.items()]
        fewer = [[*names[:n], f"+ {len(names) - n}"] for n in range(len(names) - 1, 0, -1)]
        whole = [*names, f"<span style='color:{muted}'>{told}</span>"]
        self._choices = [_APART.join(parts) for parts in (whole, names, *fewer)]
        self.setToolTip("\n".join([*colours, *([told] if told else [])]))
        self._fit()

    def _fit(self) -> None:
        self.setText(
            next((text for text in self._choices if self._width(text) <= self.width()), "")
        )

    def _width(self, text: str) -> float:
        document = QTextDocument()
        document.setDefaultFont(self.font())
        document.setDocumentMargin(0)
        document.setHtml(text)
        return document.idealWidth()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()
