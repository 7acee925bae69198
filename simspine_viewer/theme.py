"""Light and dark appearance: a palette and one style sheet with named colours filled in."""

from __future__ import annotations

from dataclasses import dataclass
from string import Template

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication

from pipeline.data.resources import resource_path

_SYSTEM_SIZE = "simspine_system_text_size"  # of the application: points, before any change


@dataclass(frozen=True, slots=True)
class Theme:
    """Named colours of one appearance, as ``#rrggbb``."""

    name: str
    window: str
    panel: str
    field: str
    line: str
    text: str
    muted: str
    accent: str
    on_accent: str
    good: str
    warning: str
    bad: str

    @property
    def dark(self) -> bool:
        return self.name == "dark"


# Every text colour has a contrast of at least 4.5:1 on window, panel and field (tested).
DARK = Theme(
    name="dark", window="#15181d", panel="#1c2026", field="#252a32", line="#39404b",
    text="#e8ebf0", muted="#a3adbb", accent="#4a9eff", on_accent="#06121f",
    good="#5fd08a", warning="#f2b84b", bad="#ff7a7a",
)  # fmt: skip
LIGHT = Theme(
    name="light", window="#eef0f3", panel="#f8f9fb", field="#ffffff", line="#c3c9d3",
    text="#1a1f27", muted="#4f5968", accent="#0b63c5", on_accent="#ffffff",
    good="#0d6b35", warning="#8a5200", bad="#b3201c",
)  # fmt: skip


def theme_for(choice: str, app: QApplication) -> Theme:
    """The theme of a setting: ``light``, ``dark`` or ``system``."""
    if choice == "system":
        dark = app.styleHints().colorScheme() == Qt.ColorScheme.Dark
        return DARK if dark else LIGHT
    return DARK if choice == "dark" else LIGHT


def apply_theme(theme: Theme, app: QApplication) -> None:
    """Give the whole application this appearance."""
    roles = QPalette.ColorRole
    colours = {
        roles.Window: theme.window, roles.WindowText: theme.text, roles.Base: theme.field,
        roles.AlternateBase: theme.panel, roles.Text: theme.text, roles.Button: theme.panel,
        roles.ButtonText: theme.text, roles.ToolTipBase: theme.field,
        roles.ToolTipText: theme.text, roles.Highlight: theme.accent,
        roles.HighlightedText: theme.on_accent, roles.PlaceholderText: theme.muted,
        roles.Link: theme.accent, roles.Mid: theme.line, roles.Accent: theme.accent,
    }  # fmt: skip
    palette = QPalette()
    for role, colour in colours.items():
        palette.setColor(role, QColor(colour))
    for role in (roles.Text, roles.WindowText, roles.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, role, QColor(theme.muted))
    app.setStyle("Fusion")
    app.setPalette(palette)
    template = Template(resource_path("style.qss").read_text(encoding="utf-8"))
    names = {key: getattr(theme, key) for key in Theme.__dataclass_fields__}
    app.setStyleSheet(template.substitute(names))


def set_text_size(percent: float, app: QApplication) -> None:
    """Give all text a size in per cent of what the system proposes."""
    if app.property(_SYSTEM_SIZE) is None:
        app.setProperty(_SYSTEM_SIZE, app.font().pointSizeF())
    font = app.font()
    font.setPointSizeF(app.property(_SYSTEM_SIZE) * percent / 100)
    if font != app.font():
        app.setFont(font)


def contrast(first: str, second: str) -> float:
    """WCAG 2 contrast ratio of two ``#rrggbb`` colours, 1 to 21."""

    def luminance(colour: str) -> float:
        channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(first), luminance(second)), reverse=True)
    return (high + 0.05) / (low + 0.05)
