"""What is freed is given back, and what may be kept depends on the computer."""

from __future__ import annotations

import gc
import sys

import pytest

from simspine_viewer import memory


def test_pictures_get_less_on_a_small_computer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "total_bytes", lambda: 2 * 2**30)
    assert memory.picture_bytes(192) == 128 * 2**20
    monkeypatch.setattr(memory, "total_bytes", lambda: None)
    assert memory.picture_bytes(192) == 192 * 2**20
    assert memory.picture_bytes(1) == 64 * 2**20


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_tidying_up_gives_pieces_back_and_collects() -> None:
    def resident() -> int:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1])

    pieces = [bytearray(40_000) for _ in range(2000)]
    keep = pieces[::20]  # so that the heap cannot shrink at its end
    before = resident()
    del pieces
    ring: list[object] = []
    ring.append(ring)
    frozen = gc.get_freeze_count()
    try:
        memory.tidy_up()
        assert before - resident() > 10_000, "most of 80 MB, in pages"
        assert len(keep) == 100
    finally:
        if not frozen:
            gc.unfreeze()
