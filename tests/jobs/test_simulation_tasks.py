"""A subject learnt and followed as jobs, on the real recording, without a window."""

from __future__ import annotations

import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.data.errors import UserError
from pipeline.io.export import export
from pipeline.io.export_request import ExportRequest
from pipeline.io.opening import create_project
from pipeline.io.project import Project
from pipeline.io.recording import recognise
from pipeline.io.stored_subject import StoredSubject, from_state, to_state
from pipeline.io.trc import read_trc
from pipeline.jobs.messages import Done, Event, Job, Partial, Progress
from pipeline.jobs.simulation_tasks import spread_frames
from pipeline.jobs.tasks import TASKS
from pipeline.kinematics.subject import Subject, subject_bytes, subject_from

pytestmark = [pytest.mark.realdata, pytest.mark.opensim]

LEARN = {"track": 0, "variant": "core", "cutoff": 6.0, "height": None, "mass": None}


@pytest.fixture(scope="module")
def project(balancing_source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("simulated") / "balancing.simspine"
    create_project(recognise(balancing_source), path, "somebody").close()
    return path


@pytest.fixture(scope="module")
def learnt(project: Path) -> dict[str, Any]:
    before = project.read_bytes()
    job = Job(1, "learn_subject", {"project": str(project), **LEARN})
    *steps, last = TASKS["learn_subject"](job)
    shares = [step.fraction for step in steps if isinstance(step, Progress)]
    assert shares == sorted(shares)
    assert isinstance(last, Done)
    assert project.read_bytes() == before, "a worker writes nothing"
    return last.result


@pytest.fixture(scope="module")
def subject(learnt: dict[str, Any]) -> Subject:
    return subject_from(learnt["subject"], Path("learnt"))


def follow(project: Path, content: bytes, ranges: list[list[int]]) -> list[Event]:
    args = {"project": str(project), "track": 0, "ranges": ranges, "subject": content}
    return list(TASKS["follow"](Job(2, "follow", args)))


def test_a_subject_comes_with_its_model_for_opensim_and_a_report(
    learnt: dict[str, Any], subject: Subject
) -> None:
    assert b"<OpenSimDocument" in zlib.decompress(learnt["osim"])
    assert learnt["report"]["frames"] == 100
    assert 0.005 < learnt["report"]["median_error"] < 0.025
    assert {one["name"] for one in learnt["report"]["factors"]} >= {"thigh", "shank"}
    assert (subject.weights > 0.0).all(), "also what nobody saw may be placed by hand"
    assert np.isfinite(subject.model_sigma).all()


def test_a_subject_reads_back_as_it_was_and_damage_is_said(subject: Subject) -> None:
    content = subject_bytes(subject)
    again = subject_from(content, Path("here.simspine"))
    np.testing.assert_array_equal(again.weights, subject.weights)
    np.testing.assert_array_equal(again.model.marker_locations, subject.model.marker_locations)
    assert again.priors == subject.priors
    for damaged in (content[:-200], b"", b"no model at all"):
        with pytest.raises(UserError, match=r"here\.simspine"):
            subject_from(damaged, Path("here.simspine"))


def test_what_is_stored_in_a_project_reads_back_and_damage_is_said(learnt: dict[str, Any]) -> None:
    stored = StoredSubject(learnt["subject"], learnt["osim"], {"variant": "core"}, {"frames": 3})
    state, path = to_state(stored), Path("here.simspine")
    again = from_state(state, 0, path)
    assert again is not None
    assert (again.content, again.osim, again.choice) == (stored.content, stored.osim, stored.choice)
    assert from_state(to_state(None), 0, path) is None
    for wrong in (
        {},
        "text",
        {**(state or {}), "subject": "no base64!"},
        {**(state or {}), "report": 3},
    ):
        with pytest.raises(UserError, match=r"person 1 in here\.simspine is damaged"):
            from_state(wrong, 0, path)


def test_frames_solved_in_parts_agree_with_all_at_once(
    project: Path, learnt: dict[str, Any], subject: Subject
) -> None:
    whole = follow(project, learnt["subject"], [[0, 100]])
    parts = follow(project, learnt["subject"], [[40, 60]])
    assert isinstance(whole[-1], Done)
    (all_frames,) = (event for event in whole if isinstance(event, Partial))
    (some,) = (event for event in parts if isinstance(event, Partial))
    assert some.frames.tolist() == list(range(40, 60))
    n = subject.model.n_coordinates
    for one, other in zip(all_frames.patches, some.patches, strict=True):
        assert one.layer == other.layer
        values = one.new[np.isin(one.index[:, 0], some.frames)]
        if one.layer == "kinematics.coordinates":
            assert np.isfinite(other.new[:, :n]).all()
            assert np.isnan(other.new[:, n:]).all()
        if one.layer in ("kinematics.xyz", "kinematics.label_xyz"):
            apart = np.linalg.norm(values - other.new, axis=-1)
            assert np.median(apart) < 0.001
            assert apart.max() < 0.02


def test_opensim_follows_with_the_same_objective(project: Path, learnt: dict[str, Any]) -> None:
    args = {"project": str(project), "track": 0, "ranges": [[0, 2]], "engine": "opensim"}
    told = {"subject": learnt["subject"], "osim": learnt["osim"]}
    events = list(TASKS["follow"](Job(2, "follow", {**args, **told})))
    (slow,) = (event for event in events if isinstance(event, Partial))
    assert sum(isinstance(event, Progress) for event in events) > 10, "it can be stopped between"
    (fast,) = (
        event
        for event in follow(project, learnt["subject"], [[0, 2]])
        if isinstance(event, Partial)
    )
    ours, theirs = (
        next(patch.new for patch in part.patches if patch.layer == "kinematics.xyz")
        for part in (fast, slow)
    )
    assert 1e-6 < np.median(np.linalg.norm(ours - theirs, axis=-1)) < 0.01
    sigma = next(patch.new for patch in slow.patches if patch.layer == "kinematics.sigma")
    assert np.isfinite(sigma[:, :6]).all()


def test_a_model_of_the_users_is_learnt_and_followed(project: Path, pose2sim_model: Path) -> None:
    model = pose2sim_model / "Model_Pose2Sim_muscles_flex.osim"
    told = {**LEARN, "project": str(project), "model": str(model)}
    *_, last = TASKS["learn_subject"](Job(1, "learn_subject", told))
    assert isinstance(last, Done)
    assert last.result["report"]["median_error"] < 0.03
    assert any("33 markers were put on it" in note for note in last.result["report"]["notes"])
    subject = subject_from(last.result["subject"], Path("learnt"))
    lacking = ~np.isfinite(subject.model_sigma)
    names = np.array(subject.model.marker_names)
    assert set(names[lacking]) == {"LEye", "REye", "LEar", "REar"}
    events = follow(project, last.result["subject"], [[40, 50]])
    (part,) = (event for event in events if isinstance(event, Partial))
    labels = next(p.new for p in part.patches if p.layer == "kinematics.label_xyz")
    assert np.isfinite(labels.reshape(10, 37, 3)[:, ~lacking]).all()


def test_a_model_of_the_legs_has_no_error_where_it_has_no_markers(
    project: Path, gait2354: Path
) -> None:
    model = str(gait2354 / "gait2354_simbody.osim")
    told = {**LEARN, "project": str(project), "model": model}
    *_, last = TASKS["learn_subject"](Job(1, "learn_subject", told))
    assert isinstance(last, Done)
    assert last.result["report"]["median_error"] < 0.03
    assert any("bones are not drawn" in note for note in last.result["report"]["notes"])


def test_labels_are_exported_from_a_project_and_need_a_model(
    project: Path, learnt: dict[str, Any], tmp_path: Path
) -> None:
    stored = StoredSubject(learnt["subject"], learnt["osim"], {}, {})
    out = tmp_path / "labels.trc"
    with Project.open(project, read_only=True) as opened:
        request = ExportRequest(opened.sequence, 0, "trc", out, (10, 30), stage="labels")
        with pytest.raises(UserError, match="no body model yet"):
            export(request)
        assert not out.exists()
        export(
            ExportRequest(opened.sequence, 0, "trc", out, (10, 30), stage="labels", subject=stored)
        )
    labels = read_trc(out)
    assert labels.xyz.shape == (20, 37, 3)
    assert np.isfinite(labels.xyz).all()


def test_a_model_for_other_keypoints_is_refused(project: Path, subject: Subject) -> None:
    names = (*subject.model.marker_names[:-1], "Nose2")
    other = replace(subject, model=replace(subject.model, marker_names=names))
    with pytest.raises(UserError, match="made for other keypoints"):
        follow(project, subject_bytes(other), [[0, 10]])


def test_a_long_recording_is_learnt_from_stretches() -> None:
    assert spread_frames(1500).tolist() == list(range(1500))
    frames = spread_frames(90_000)
    assert 1900 <= len(frames) <= 2000
    assert frames[0] == 0
    assert frames[-1] == 89_999
    assert np.all(np.diff(frames) > 0)
