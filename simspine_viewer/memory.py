"""How much memory this computer has, how much of it pictures may take, and what is given back."""

from __future__ import annotations

import ctypes
import gc
import os
import sys

from pipeline.data.system_memory import give_back

# Of the memory there is: the default is had from 3 GB on.
_SHARE = 1 / 16
_LEAST = 64 * 2**20


def total_bytes() -> int | None:
    """Memory of this computer, None where it does not say."""
    if sys.platform == "win32":
        return _total_on_windows()
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError):
        return None


def picture_bytes(wanted_megabytes: float) -> int:
    """Bound on decoded pictures: what is wanted, less where the computer has little memory."""
    wanted = int(wanted_megabytes * 2**20)
    total = total_bytes()
    if total is not None:
        wanted = min(wanted, int(total * _SHARE))
    return max(wanted, _LEAST)


def tidy_up() -> None:
    """Collect garbage and give freed memory back; to be called in the window's thread only.

    Modules and window, there the first time, are never looked through again: that would take 70 ms
    each time, four frames of play (2 cores, Python 3.11).
    """
    gc.collect()
    if not gc.get_freeze_count():
        gc.freeze()
    give_back()


def _total_on_windows() -> int | None:
    class Status(ctypes.Structure):  # MEMORYSTATUSEX of sysinfoapi.h
        _fields_ = (
            ("length", ctypes.c_ulong),
            ("load", ctypes.c_ulong),
            ("total", ctypes.c_ulonglong),
            *((f"other{i}", ctypes.c_ulonglong) for i in range(6)),
        )

    status = Status()
    status.length = ctypes.sizeof(status)
    windll = getattr(ctypes, "windll", None)
    if windll is None or not windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status)):
        return None
    return int(status.total)
