"""Builds the shipped models and bones anew: ``python -m pipeline.simulation.build_models``.

With ``--check`` nothing is written: every file is compared with what is shipped, byte by byte.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from pathlib import Path

from pipeline.data.errors import UserError
from pipeline.data.resources import resource_path
from pipeline.simulation.bones.catalogue import all_bones
from pipeline.simulation.bones.vtp import vtp_text
from pipeline.simulation.model_tables import VARIANTS, SpineTables, Variant, read_tables
from pipeline.simulation.spine_model import ShownMesh, build_spine_model

MESH_PREFIX = "simspine_"
_COMMENT = re.compile(r"[ \t]*<!--.*?-->\n?", re.DOTALL)


def built_files(tables: SpineTables) -> dict[str, str]:
    """Path below ``resources/models`` -> text of every model and mesh file."""
    bones = all_bones(tables)
    files = {
        f"Geometry/{MESH_PREFIX}{name}.vtp": vtp_text(mesh) for name, (_, mesh, _) in bones.items()
    }
    shown: dict[str, list[ShownMesh]] = {}
    for name, (body, _, colour) in bones.items():
        shown.setdefault(body, []).append((f"{MESH_PREFIX}{name}.vtp", colour))
    for variant in VARIANTS:
        files[f"simspine_{variant}.osim"] = model_text(tables, variant, shown)
    return files


def model_text(
    tables: SpineTables, variant: Variant, meshes: dict[str, list[ShownMesh]] | None = None
) -> str:
    """The .osim file of one variant, without OpenSim's explanatory comments."""
    model = build_spine_model(tables, variant, meshes)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"simspine_{variant}.osim"
        model.printToXML(str(path))
        return _COMMENT.sub("", path.read_text(encoding="utf-8"))


def main(arguments: list[str] | None = None) -> int:
    """Write or check; the exit code is 1 where a check finds a difference."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare with what is shipped")
    parser.add_argument("--output", type=Path, default=resource_path("models"))
    options = parser.parse_args(arguments)
    try:
        files = built_files(read_tables())
        return _check(files, options.output) if options.check else _write(files, options.output)
    except UserError as error:
        print(error, file=sys.stderr)
        return 2


def _write(files: dict[str, str], folder: Path) -> int:
    try:
        (folder / "Geometry").mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise UserError(f"{folder}: the models cannot be written ({error.strerror}).") from error
    for name in sorted(files, key=lambda name: (name.startswith("Geometry/"), name)):
        print(f"{folder / name}  {len(files[name].encode())} bytes")
    total = sum(len(text.encode()) for text in files.values())
    print(f"{len(files)} files, {total / 1e6:.2f} MB")
    return 0


def _check(files: dict[str, str], folder: Path) -> int:
    shipped = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for pattern in ("simspine_*.osim", f"Geometry/{MESH_PREFIX}*.vtp")
        for path in folder.glob(pattern)
    }
    differing = [name for name, text in files.items() if shipped.get(name) != text.encode()]
    differing += sorted(set(shipped) - set(files))
    for name in differing:
        print(f"{folder / name} is not what the tables give")
    print(f"{len(files) - len(set(differing) & set(files))} of {len(files)} files are as built")
    return 1 if differing else 0


if __name__ == "__main__":
    raise SystemExit(main())
