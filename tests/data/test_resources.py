"""Resources are found in a checkout and in an installed wheel, whatever lies beside it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from pipeline.data import resources
from pipeline.data.resources import resource_path


def test_the_checkout_has_its_own() -> None:
    assert resource_path("skeletons", "spinetrack_37.toml").is_file()


def test_an_installed_package_does_not_take_a_neighbours(tmp_path: Path) -> None:
    module = tmp_path / "pipeline" / "data" / "resources.py"
    module.parent.mkdir(parents=True)
    shutil.copyfile(resources.__file__, module)
    for package in (module.parent, module.parents[1]):
        (package / "__init__.py").touch()
    shipped = tmp_path / "pipeline" / "_resources"
    shipped.mkdir()
    (tmp_path / "resources").mkdir()
    code = "from pipeline.data.resources import resource_path\nprint(resource_path('style.qss'))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert Path(done.stdout.strip()) == shipped / "style.qss"
