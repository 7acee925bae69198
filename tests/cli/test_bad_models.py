"""What is wrong with a model or a file of markers is said in one sentence, and nothing is left."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import pipeline.kinematics.compiled  # noqa: F401 - names the folder of compiled kernels
from pipeline.cli.main import main
from pipeline.cli.output import Exit
from pipeline.data.resources import resource_path
from pipeline.io.trc import Trc, read_trc, write_trc
from pipeline.synthesis.demo import DemoRecording
from tests.cli.helpers import Capture, said_one_sentence

pytestmark = pytest.mark.opensim

OURS = resource_path("models", "simspine_core.osim")
PENDULUM = """<?xml version="1.0" encoding="UTF-8" ?>
<OpenSimDocument Version="40000"><Model name="pendulum"><BodySet><objects>
<Body name="bob"><mass>1</mass><inertia>1 1 1 0 0 0</inertia></Body></objects></BodySet>
<JointSet><objects><PinJoint name="hinge"><socket_parent_frame>/ground</socket_parent_frame>
<socket_child_frame>/bodyset/bob</socket_child_frame>
<coordinates><Coordinate name="angle"/></coordinates></PinJoint></objects></JointSet>
</Model></OpenSimDocument>
"""


@pytest.fixture
def trc(tmp_path: Path) -> Path:
    """Forty frames of two markers of our model, a metre apart."""
    xyz = np.zeros((40, 2, 3))
    xyz[:, 1, 1] = 1.0
    path = tmp_path / "walk.trc"
    write_trc(path, Trc(("RHip", "LHip"), np.arange(40) / 50, xyz, 50.0))
    return path


def commands(model: Path, trc: Path, recording: Path, out: Path) -> dict[str, list[str]]:
    """Every command that takes a model, with it."""
    ik = ["ik", "--model", str(model), "--markers", str(trc), "-o", str(out / "x.mot")]
    return {
        "ik": ik,
        "ik with OpenSim": [*ik, "--engine", "opensim"],
        "scale": ["scale", "--model", str(model), "--markers", str(trc), "-o",
                  str(out / "x.osim")],
        "simulate": ["simulate", str(recording), "--model", str(model), "-o", str(out / "made")],
    }  # fmt: skip


COMMANDS = ("ik", "ik with OpenSim", "scale", "simulate")


def refused(
    command: str, model: Path, trc: Path, demo: DemoRecording, capsys: Capture, *words: str
) -> None:
    out = trc.parent / "out"
    out.mkdir()
    code = main(commands(model, trc, demo.folder, out)[command])
    assert code in {Exit.FAILED, Exit.UNUSABLE}
    said_one_sentence(capsys, Exit(code), *words)
    assert [path for path in out.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_a_marker_that_a_model_names_twice(
    command: str, trc: Path, demo: DemoRecording, capsys: Capture
) -> None:
    model = trc.parent / "twice.osim"
    model.write_text(OURS.read_text().replace('<Marker name="LHip">', '<Marker name="RHip">'))
    refused(command, model, trc, demo, capsys, f"{model} names the marker RHip twice.")


@pytest.mark.parametrize("command", COMMANDS)
def test_a_model_without_markers(
    command: str, trc: Path, demo: DemoRecording, capsys: Capture
) -> None:
    model = trc.parent / "pendulum.osim"
    model.write_text(PENDULUM)
    word = "--marker-set" if command == "simulate" else "marker"
    refused(command, model, trc, demo, capsys, str(model), word)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_joint_of_a_type_that_nobody_knows(
    command: str, trc: Path, demo: DemoRecording, capsys: Capture
) -> None:
    model = trc.parent / "joint.osim"
    model.write_text(PENDULUM.replace("PinJoint", "KneeOfTheFutureJoint"))
    refused(
        command, model, trc, demo, capsys, str(model),
        "it holds a KneeOfTheFutureJoint, which OpenSim does not know",
    )  # fmt: skip


def test_a_joint_that_arrays_do_not_know_goes_to_opensim_and_that_is_said(
    trc: Path, capsys: Capture
) -> None:
    model = trc.parent / "ellipsoid.osim"
    text = PENDULUM.replace("PinJoint", "EllipsoidJoint")
    three = "".join(f'<Coordinate name="{name}"/>' for name in ("a", "b", "c"))
    text = re.sub("<coordinates>.*</coordinates>", f"<coordinates>{three}</coordinates>"
                  "<radii_x_y_z>0.1 0.1 0.1</radii_x_y_z>", text)  # fmt: skip
    marker = (
        "<MarkerSet><objects>"
        + "".join(
            f'<Marker name="{name}"><socket_parent_frame>/bodyset/bob</socket_parent_frame>'
            f"<location>0 {y} 0</location></Marker>"
            for name, y in (("RHip", 0), ("LHip", 1))
        )
        + "</objects></MarkerSet></Model>"
    )
    model.write_text(text.replace("</Model>", marker))
    out = trc.parent / "x.mot"
    arguments = ["ik", "--model", str(model), "--markers", str(trc), "-o", str(out)]
    assert main(arguments) == Exit.OK
    assert "of type EllipsoidJoint cannot be expressed in arrays" in capsys.readouterr().out
    assert out.is_file()


@pytest.mark.parametrize("command", ["ik", "ik with OpenSim", "scale"])
@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda text: text.replace("LHip", "RHip"), ["marker", "RHip"]),
        (lambda text: re.sub(r"\n50\t", "\n120\t", text, count=1), ["120 frames per second", "50"]),
        (lambda text: re.sub(r"(-?\d\.\d{6})(?=[\t\n])", "nan", text), []),
    ],
    ids=["a marker twice", "another rate", "all missing"],
)
def test_markers_that_cannot_be_used(  # type: ignore[no-untyped-def]
    command: str, spoil, words: list[str], trc: Path, demo: DemoRecording, capsys: Capture
) -> None:
    trc.write_text(spoil(trc.read_text()))
    name = str(trc) if words else ""
    refused(command, OURS, trc, demo, capsys, name, *words)


def test_the_spoilt_file_is_all_missing(trc: Path) -> None:
    trc.write_text(re.sub(r"(-?\d\.\d{6})(?=[\t\n])", "nan", trc.read_text()))
    assert np.isnan(read_trc(trc).xyz).all()


@pytest.mark.parametrize("command", COMMANDS)
def test_a_place_that_takes_no_files(
    command: str, trc: Path, demo: DemoRecording, capsys: Capture
) -> None:
    whole = read_trc(trc)
    write_trc(trc, replace(whole, xyz=whole.xyz * [1.0, 0.2, 1.0]))
    arguments = commands(OURS, trc, demo.folder, Path("/proc"))[command]
    assert main(arguments) == Exit.FAILED
    said_one_sentence(capsys, Exit.FAILED, "/proc/", "from you")
