"""Where compiled kernels are kept: by the state of all sources that they are made of."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

from pipeline.kinematics import compiled


def test_every_source_of_a_kernel_is_in_the_stamp() -> None:
    folder = Path(compiled.__file__).parent
    stamped = {path.name for pattern in compiled._SOURCES for path in folder.glob(pattern)}
    for path in folder.glob("*.py"):
        modules = {
            node.module or ""
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.ImportFrom)
        }
        if path.name in stamped or "pipeline.kinematics.compiled" not in modules:
            continue
        raise AssertionError(f"{path.name} holds kernels and is not in the stamp")


def test_the_cache_is_the_users_and_named_after_the_sources() -> None:
    code = "import numba, pipeline.kinematics.compiled; print(numba.config.CACHE_DIR)"
    own = {name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_DIR"}
    told = subprocess.run([sys.executable, "-c", code], env=own, capture_output=True, check=True)
    folder = Path(told.stdout.decode().strip())
    assert folder.name == compiled._kernel_stamp()
    assert folder.parents[1].name == "simspine-viewer"
    assert len(compiled._kernel_stamp()) == 16
