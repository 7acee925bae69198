"""``simspine scale`` and ``simspine ik``, step by step without the parser."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.cli.output import CommandError, Exit, Step
from pipeline.data.errors import UserError
from pipeline.io.motion_files import read_motion
from pipeline.io.trc import read_trc, write_trc

pytestmark = [pytest.mark.opensim, pytest.mark.realdata]


def done(steps: Generator[Step, None, str]) -> str:
    fractions = []
    while True:
        try:
            fractions.append(next(steps)[0])
        except StopIteration as end:
            assert fractions == sorted(fractions)
            assert max(fractions) <= 1
            return str(end.value)


@pytest.fixture(scope="module")
def scale() -> Any:
    from pipeline.cli import scale

    return scale


@pytest.fixture(scope="module")
def ik() -> Any:
    from pipeline.cli import ik

    return ik


def test_a_setup_of_opensim_scales_with_both_engines(
    scale: Any, gait2354: Path, tmp_path: Path
) -> None:
    from pipeline.simulation.osim_model import load_model

    setup, trc = gait2354 / "subject01_Setup_Scale.xml", gait2354 / "subject01_static.trc"
    places = []
    for engine in ("robust", "opensim"):
        out = tmp_path / f"{engine}.osim"
        said = done(scale.scale_steps([trc], out, setup=setup, engine=engine))
        assert said.startswith(str(out))
        model = load_model(out)
        assert model.getTotalMass(model.initSystem()) == pytest.approx(72.6)
        bodies = model.getBodySet()
        places.append([bodies.get(i).getMassCenter().to_numpy() for i in range(bodies.getSize())])
    robust, opensim = np.array(places[0]), np.array(places[1])
    # A static trial: the same frames measure the same lengths, by median or by mean.
    np.testing.assert_allclose(robust, opensim, rtol=0.01, atol=1e-6)
    said = done(scale.scale_steps([trc], tmp_path / "again.osim", setup=setup))
    assert "torso" in said
    assert "72.6 kg" in said
    assert "Not in the model: " in said


def test_scale_refuses(scale: Any, gait2354: Path, tmp_path: Path) -> None:
    trc, out = gait2354 / "subject01_static.trc", tmp_path / "s.osim"
    with pytest.raises(CommandError, match="--engine opensim needs --setup") as caught:
        done(scale.scale_steps([trc], out, engine="opensim"))
    assert caught.value.code == Exit.USAGE
    with pytest.raises(CommandError, match="cannot be read") as caught:
        done(scale.scale_steps([tmp_path / "none.trc"], out))
    assert caught.value.code == Exit.UNUSABLE
    with pytest.raises(UserError, match="no segment has two markers"):
        done(scale.scale_steps([trc], out, model=gait2354 / "gait2354_simbody.osim"))
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def walk(gait2354: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Frames of OpenSim's example, one of them without any marker."""
    trc = read_trc(gait2354 / "subject01_walk1.trc")
    part = type(trc)(trc.names, trc.times[24:40], trc.xyz[24:40].copy(), trc.rate)
    part.xyz[5] = np.nan
    path = tmp_path_factory.mktemp("walk") / "walk.trc"
    write_trc(path, part)
    return path


@pytest.mark.parametrize("engine", ["fast", "opensim"])
def test_both_engines_find_the_published_angles(
    engine: str, ik: Any, walk: Path, gait2354: Path, tmp_path: Path
) -> None:
    out = tmp_path / "walk.mot"
    model = gait2354 / "reference_subject01_simbody.osim"
    said = done(ik.ik_steps(model, walk, out, gait2354 / "subject01_Setup_IK.xml", engine))
    assert "23 coordinates in 15 frames" in said
    assert "Marker error: RMS" in said
    assert "Without any marker, left out: 1 frame" in said
    found = read_motion(out)
    published = read_motion(gait2354 / "reference_subject01_walk1_ik.mot")
    assert found.in_degrees
    assert found.columns == published.columns
    rows = [int(np.argmin(np.abs(published.times - time))) for time in found.times]
    difference = np.abs(found.values - published.values[rows])
    assert difference.max() < 0.25
    assert np.sqrt((difference**2).mean()) < 0.05


def test_ik_refuses(ik: Any, walk: Path, gait2354: Path, tmp_path: Path) -> None:
    model, out = gait2354 / "reference_subject01_simbody.osim", tmp_path / "x.mot"
    with pytest.raises(CommandError) as caught:
        done(ik.ik_steps(model, tmp_path / "none.trc", out))
    assert caught.value.code == Exit.UNUSABLE
    with pytest.raises(CommandError, match="holds no InverseKinematicsTool"):
        done(ik.ik_steps(model, walk, out, gait2354 / "subject01_Setup_Scale.xml"))
    trc = read_trc(walk)
    strangers = type(trc)(tuple(f"x{n}" for n in trc.names), trc.times, trc.xyz, trc.rate)
    write_trc(tmp_path / "strangers.trc", strangers)
    for engine in ("fast", "opensim"):
        with pytest.raises(UserError, match="none of the markers"):
            done(ik.ik_steps(model, tmp_path / "strangers.trc", out, None, engine))
    assert not out.exists()
