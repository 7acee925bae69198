"""The licences of everything the program is made of, read from what is installed."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from importlib import metadata

PROGRAM = "simspine-viewer"
# Libraries inside wheels that the wheel's own metadata does not name.
INSIDE = {
    "av": "contains FFmpeg (LGPL 2.1 or later; with x264, GPL 2 or later)",
    "opencv-python-headless": "contains FFmpeg (LGPL 2.1)",
    "pyside6-essentials": "contains Qt 6 (LGPL 3)",
    "vtk": "contains Mesa-compatible OpenGL loaders and other libraries (see its notices)",
    "scipy": "contains OpenBLAS (BSD 3-Clause)",
    "numpy": "contains OpenBLAS (BSD 3-Clause)",
    "opensim": "OpenSim and Simbody (Apache 2.0), with CasADi (LGPL 3) and IPOPT (EPL)",
    "llvmlite": "contains LLVM (Apache 2.0 with LLVM exception)",
}
# What a project may call its own page, the best first.
PAGE_LABELS = ("homepage", "home", "repository", "source", "source code", "documentation")
_NAME = re.compile(r"[A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class Part:
    """One distribution: its name, version, licence in one line, page, and licence texts."""

    name: str
    version: str
    licence: str
    page: str
    texts: tuple[str, ...]


def parts() -> list[Part]:
    """The program and all it needs, by name; what is not installed is left out."""
    found: dict[str, Part] = {}
    waiting = [PROGRAM]
    while waiting:
        name = waiting.pop()
        key = _normal(name)
        if key in found:
            continue
        try:
            distribution = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue
        found[key] = _part(distribution)
        waiting += [
            match.group()
            for entry in distribution.requires or ()
            if "extra ==" not in entry and (match := _NAME.match(entry))
        ]
    return sorted(found.values(), key=lambda part: part.name.lower())


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _part(distribution: metadata.Distribution) -> Part:
    about = distribution.metadata
    classifiers = about.get_all("Classifier") or []
    licences = [c.rpartition("::")[2].strip() for c in classifiers if c.startswith("License ::")]
    # The free text field sometimes holds the whole licence.
    free = _field(about, "License").partition("\n")[0]
    line = _field(about, "License-Expression") or ", ".join(licences) or free or "see its page"
    addresses = {
        label.strip().lower(): address.strip()
        for label, _, address in (e.partition(",") for e in about.get_all("Project-URL") or [])
    }
    named = [addresses[label] for label in PAGE_LABELS if label in addresses]
    texts = [
        text
        for file in distribution.files or ()
        if re.match(r"(licen[cs]e|copying|notice)", file.name, re.IGNORECASE)
        and file.suffix.lower() in ("", ".txt", ".md", ".rst")
        and (text := _text(file))
    ]
    page = _field(about, "Home-page") or next(iter(named), "")
    return Part(about["Name"], distribution.version, line, page, tuple(texts))


def _field(about: metadata.PackageMetadata, name: str) -> str:
    return about[name].strip() if name in about else ""


def _text(file: metadata.PackagePath) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):  # the line above it still says which licence it is
        return ""


def licences_html() -> str:
    """A page with a table of all parts, and below it their licence texts."""
    rows, texts = [], []
    for part in parts():
        inside = (
            f"<br><small>{html.escape(INSIDE[_normal(part.name)])}</small>"
            if _normal(part.name) in INSIDE
            else ""
        )
        link = f"<a href='{html.escape(part.page)}'>{html.escape(part.page)}</a>"
        rows.append(
            f"<tr><td><b>{html.escape(part.name)}</b> {html.escape(part.version)}&nbsp;&nbsp;</td>"
            f"<td>{html.escape(part.licence)}{inside}&nbsp;&nbsp;</td><td>{link}</td></tr>"
        )
        for text in part.texts:
            texts.append(f"<h3>{html.escape(part.name)}</h3><pre>{html.escape(text)}</pre>")
    return f"<table cellspacing='4'>{''.join(rows)}</table>{''.join(texts)}"
