"""The program's icon in the formats of the desktops, rendered from the one SVG file."""

from __future__ import annotations

import os
import struct
from pathlib import Path

SVG = Path(__file__).resolve().parents[1] / "resources" / "icons" / "simspine-viewer.svg"
SIZES = (16, 24, 32, 48, 64, 128, 256, 512)
# Entries of an .icns file that hold a PNG, by size in pixels (Apple's "icp4" to "ic09").
ICNS = {16: b"icp4", 32: b"icp5", 64: b"icp6", 128: b"ic07", 256: b"ic08", 512: b"ic09"}


def rendered(sizes: tuple[int, ...] = SIZES) -> dict[int, bytes]:
    """PNG files of the icon by size in pixels."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PySide6.QtCore import QBuffer, QIODevice
    from PySide6.QtGui import QGuiApplication, QImage, QPainter
    from PySide6.QtSvg import QSvgRenderer

    app = QGuiApplication.instance() or QGuiApplication([])
    renderer = QSvgRenderer(str(SVG))
    if not renderer.isValid():
        raise SystemExit(f"{SVG} is not a readable SVG file.")
    pictures = {}
    for size in sizes:
        image = QImage(size, size, QImage.Format.Format_ARGB32)
        image.fill(0)
        with QPainter(image) as painter:
            renderer.render(painter)
        buffer = QBuffer()
        buffer.open(QIODevice.OpenModeFlag.WriteOnly)
        image.save(buffer, "PNG")
        pictures[size] = bytes(buffer.data().data())
    del app
    return pictures


def ico(pictures: dict[int, bytes]) -> bytes:
    """A Windows icon that holds the PNGs up to 256 pixels."""
    chosen = {size: png for size, png in sorted(pictures.items()) if size <= 256}
    offset = 6 + 16 * len(chosen)
    head = struct.pack("<HHH", 0, 1, len(chosen))
    for size, png in chosen.items():
        side = size % 256  # 0 stands for 256
        head += struct.pack("<BBBBHHII", side, side, 0, 0, 1, 32, len(png), offset)
        offset += len(png)
    return head + b"".join(chosen.values())


def icns(pictures: dict[int, bytes]) -> bytes:
    """A macOS icon that holds the PNGs."""
    parts = [
        kind + struct.pack(">I", 8 + len(pictures[size])) + pictures[size]
        for size, kind in ICNS.items()
        if size in pictures
    ]
    body = b"".join(parts)
    return b"icns" + struct.pack(">I", 8 + len(body)) + body


def write(folder: Path) -> None:
    """Write all icons into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    pictures = rendered()
    for size, png in pictures.items():
        (folder / f"simspine-viewer-{size}.png").write_bytes(png)
    (folder / "simspine-viewer.ico").write_bytes(ico(pictures))
    (folder / "simspine-viewer.icns").write_bytes(icns(pictures))
