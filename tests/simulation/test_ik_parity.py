"""Our solver against what OpenSim published for its own gait example."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest

from pipeline.kinematics.ik import solve
from pipeline.kinematics.ik_options import IkOptions
from pipeline.kinematics.model import ROTATIONAL, degrees_per_unit

pytestmark = [pytest.mark.opensim, pytest.mark.realdata]


def _rows(lines: list[str]) -> np.ndarray:
    return np.array([[float(x) for x in line.split()] for line in lines if line.strip()])


def _weights(setup: Path, kind: str) -> dict[str, float]:
    return {
        str(task.get("name")): float(task.findtext("weight") or "nan")
        for task in ET.parse(setup).iter(kind)
        if (task.findtext("apply") or "").strip() == "true"
    }


def test_gait2354_as_published(gait2354: Path) -> None:
    """RMS 0.05 and worst 0.25 degrees; OpenSim 4.6 itself is 0.011 and 0.109 away."""
    from pipeline.simulation.osim_model import extract_kinematics

    model, _ = extract_kinematics(gait2354 / "reference_subject01_simbody.osim")
    trc = (gait2354 / "subject01_walk1.trc").read_text().splitlines()
    names = [name for name in trc[3].split("\t")[2:] if name.strip()]
    measured = _rows(trc[5:])
    mot = (gait2354 / "reference_subject01_walk1_ik.mot").read_text().splitlines()
    head = next(k for k, line in enumerate(mot) if line.startswith("time"))
    columns, published = mot[head].split()[1:], _rows(mot[head + 1 :])
    frames = [int(np.abs(measured[:, 1] - t).argmin()) for t in published[:, 0]]
    points = measured[frames, 2:].reshape(len(frames), -1, 3) / 1000.0
    markers = np.full((len(frames), model.n_markers, 3), np.nan)
    for m, name in enumerate(model.marker_names):
        if name in names:
            markers[:, m] = points[:, names.index(name)]
    setup = gait2354 / "subject01_Setup_IK.xml"
    weights = _weights(setup, "IKMarkerTask")
    options = IkOptions(
        marker_weights={n: w for n, w in weights.items() if n in model.marker_names},
        default_weight=0.0,
        coordinate_weights=_weights(setup, "IKCoordinateTask"),
    )
    found = solve(model, markers, options).coordinates * degrees_per_unit(model)
    order = [model.coordinate_names.index(name) for name in columns]
    off = found[:, order] - published[:, 1:]
    angles = off[:, model.motion[order] == ROTATIONAL]
    assert angles.shape == (73, 20)
    assert np.sqrt((angles**2).mean()) < 0.05
    assert np.abs(angles).max() < 0.25
    assert np.abs(off[:, model.motion[order] != ROTATIONAL]).max() < 1e-4
