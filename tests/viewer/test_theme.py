"""Both appearances are readable."""

from __future__ import annotations

import pytest

from simspine_viewer.theme import DARK, LIGHT, Theme, contrast

MINIMUM = 4.5  # WCAG 2 AA for text


def test_contrast_of_known_colours() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21.0)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda t: t.name)
@pytest.mark.parametrize("ground", ["window", "panel", "field"])
@pytest.mark.parametrize("ink", ["text", "muted", "accent", "good", "warning", "bad"])
def test_every_text_colour_can_be_read(theme: Theme, ground: str, ink: str) -> None:
    assert contrast(getattr(theme, ink), getattr(theme, ground)) >= MINIMUM


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda t: t.name)
def test_text_on_the_accent_can_be_read(theme: Theme) -> None:
    assert contrast(theme.on_accent, theme.accent) >= MINIMUM
