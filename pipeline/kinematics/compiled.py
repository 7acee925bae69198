"""How the numerical kernels are compiled, and when compiled code is stale.

numba looks only at the file of the function it is asked for: a kernel goes on calling the old code
of another file that has changed. The cache therefore lies in a folder named after the state of all
kernels, in the user's cache, where all processes share it and an update starts anew.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
from platformdirs import user_cache_path

from pipeline import __version__

# Kernels, and what holds constants of theirs; none are there in a built program.
_SOURCES = ("compiled.py", "forward.py", "functions.py", "ik_*.py", "model.py",
            "../synthesis/noise.py",
    "../synthesis/colours.py")  # fmt: skip

_Kernel = TypeVar("_Kernel", bound=Callable[..., Any])


def entry(function: _Kernel) -> _Kernel:
    """Compile a kernel that Python calls; it runs without Python's lock."""
    compiled = numba.njit(
        cache=True, nogil=True, error_model="numpy", no_cfunc_wrapper=True, fastmath={"contract"}
    )
    return cast(_Kernel, compiled(function))


def inner(function: _Kernel) -> _Kernel:
    """Compile a kernel that only kernels call, without the code that Python would need."""
    compiled = numba.njit(
        cache=True,
        nogil=True,
        error_model="numpy",
        fastmath={"contract"},
        no_cpython_wrapper=True,
        no_cfunc_wrapper=True,
    )
    return cast(_Kernel, compiled(function))


def _kernel_stamp() -> str:
    """A short name for this state of the kernels' sources and of numba."""
    digest = hashlib.sha256(f"{__version__} {numba.__version__}".encode())
    here = Path(__file__).parent
    for path in sorted(one for pattern in _SOURCES for one in here.glob(pattern)):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


if not numba.config.CACHE_DIR:  # else NUMBA_CACHE_DIR says where
    numba.config.CACHE_DIR = str(user_cache_path("simspine-viewer") / "numba" / _kernel_stamp())
