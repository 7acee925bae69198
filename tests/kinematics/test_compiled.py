"""The name of a cache of compiled kernels."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.kinematics import compiled


def test_the_stamp_changes_with_any_kernel(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")
    monkeypatch.setattr(compiled, "__file__", str(tmp_path / "compiled.py"))
    before = compiled.kernel_stamp()
    assert before == compiled.kernel_stamp()
    (tmp_path / "a.py").write_text("x = 2\n")
    assert compiled.kernel_stamp() != before
