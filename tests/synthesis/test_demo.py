"""The demo on disk: Pose2Sim's layout, complete or not there, and its truth true."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from pipeline.data.errors import UserError
from pipeline.data.skeleton import project_skeleton
from pipeline.synthesis import recording
from pipeline.synthesis.demo import DemoRecording, load_truth, make_demo

N, SIZE = 24, (160, 160)
NAMES = project_skeleton().names


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> DemoRecording:
    return make_demo(tmp_path_factory.mktemp("demo") / "small", n_frames=N, size=SIZE)


def _people(folder: Path, view: int, frame: int) -> np.ndarray:
    path = folder / "pose" / f"cam_{view + 1}_json" / f"cam_{view + 1}.{frame:04d}.json"
    (person,) = json.loads(path.read_text(encoding="utf-8"))["people"]
    return np.array(person["pose_keypoints_2d"]).reshape(37, 3)


def _files(folder: Path) -> dict[str, bytes]:
    return {
        str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()
    }


def test_layout_and_frame_counts(made: DemoRecording) -> None:
    names = {p.name for p in made.folder.iterdir()}
    assert names == {"videos", "calibration", "pose", "truth.json", "truth.npz"}
    for view in range(1, 5):
        assert len(list((made.folder / "pose" / f"cam_{view}_json").glob("*.json"))) == N
        with av.open(str(made.folder / "videos" / f"cam_{view}.mp4")) as container:
            stream = container.streams.video[0]
            assert (stream.width, stream.height) == SIZE
            assert (stream.codec_context.name, stream.pix_fmt) == ("h264", "yuv420p")
            assert stream.average_rate == 30
            frames = list(container.decode(stream))
        assert len(frames) == N
        assert [i for i, f in enumerate(frames) if f.key_frame] == [0, 12]
        assert [round(f.time * 30) for f in frames] == list(range(N))


def test_calibration_on_disk_projects_the_truth(made: DemoRecording) -> None:
    with (made.folder / "calibration" / "Calib_demo.toml").open("rb") as handle:
        table = tomllib.load(handle)
    xyz = made.truth.xyz[5]
    # Pose2Sim's world is Z up: our (x, y, z) is its (y, z, x).
    upright = xyz[:, [2, 0, 1]]
    for v in range(4):
        camera = table[f"cam_{v + 1}"]
        assert camera["size"] == list(SIZE)
        assert camera["fisheye"] is False
        assert len(camera["distortions"]) == 5
        xy, _ = cv2.projectPoints(
            upright, np.array(camera["rotation"]), np.array(camera["translation"]),
            np.array(camera["matrix"]), np.array(camera["distortions"]),
        )  # fmt: skip
        np.testing.assert_allclose(xy[:, 0], made.truth.xy[5, v], atol=1e-6)


def test_detections_on_disk_are_the_truth_with_noise_and_the_listed_errors(
    made: DemoRecording,
) -> None:
    found = np.array([[_people(made.folder, v, i) for v in range(4)] for i in range(N)])
    listed = np.zeros((N, 4, 37), bool)
    for error in made.truth.errors:
        keypoints = [NAMES.index(name) for name in error.keypoints]
        listed[error.start : error.stop, error.view, keypoints] = True
        part = found[error.start : error.stop, error.view][:, keypoints]
        if error.kind == "lost":
            assert not part.any()
        if error.kind == "zero-x":
            assert not part[..., 0].any()
            assert part[..., 2].min() > 0.6
    plain = ~listed & (found[..., 2] > 0)
    off = np.linalg.norm(found[..., :2] - made.truth.xy, axis=-1)
    # At 160 px: a quarter of the noise at 640 px.
    assert 0.3 < np.median(off[plain]) < 1.2
    assert off[plain].max() < 6.0
    jumps = [e for e in made.truth.errors if e.kind in ("jump", "outlier")]
    for error in jumps:
        assert off[error.start, error.view, NAMES.index(error.keypoints[0])] > 7.0


def test_truth_is_read_back(made: DemoRecording) -> None:
    truth = load_truth(made.folder)
    assert truth.errors == made.truth.errors
    np.testing.assert_array_equal(truth.xyz, made.truth.xyz)
    np.testing.assert_allclose(truth.xy, made.truth.xy, atol=1e-4)
    np.testing.assert_array_equal(truth.visible, made.truth.visible)
    np.testing.assert_array_equal(truth.coordinates, made.truth.coordinates)
    assert truth.coordinate_names == made.truth.coordinate_names
    table = json.loads((made.folder / "truth.json").read_text(encoding="utf-8"))
    assert table["keypoints"] == list(NAMES)
    assert table["n_frames"] == N


def test_same_seed_same_bytes(made: DemoRecording, tmp_path: Path) -> None:
    again = make_demo(tmp_path / "again", n_frames=N, size=SIZE)
    first, second = _files(made.folder), _files(again.folder)
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == []


def test_pictures_move_and_differ_between_views(made: DemoRecording) -> None:
    firsts = []
    for view in range(1, 5):
        with av.open(str(made.folder / "videos" / f"cam_{view}.mp4")) as container:
            frames = [f.to_ndarray(format="rgb24").astype(int) for f in container.decode(video=0)]
        assert np.abs(frames[-1] - frames[0]).max() > 60
        firsts.append(frames[0])
    assert np.abs(firsts[0] - firsts[1]).mean() > 5.0


@pytest.mark.parametrize("n_views", [1, 8])
def test_sketched_recordings_of_other_view_counts(tmp_path: Path, n_views: int) -> None:
    made = make_demo(tmp_path / "sketch", n_frames=4, size=(96, 64), n_views=n_views, render=False)
    assert made.truth.xy.shape == (4, n_views, 37, 2)
    assert len(list((made.folder / "videos").iterdir())) == n_views
    assert len(made.cameras) == n_views


class _StoppedError(Exception):
    pass


@pytest.mark.parametrize("after", [0.0, 0.5, 0.97])
def test_interrupted_making_leaves_nothing(tmp_path: Path, after: float) -> None:
    def stop(fraction: float, text: str) -> None:
        assert text
        if fraction >= after:
            raise _StoppedError

    with pytest.raises(_StoppedError):
        make_demo(tmp_path / "demo", n_frames=6, size=(64, 64), render=False, progress=stop)
    assert list(tmp_path.glob(".demo*")) == []
    assert not (tmp_path / "demo").exists()


def test_a_failing_encoder_is_reported_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: object, picture: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(recording._Video, "add", full)
    with pytest.raises(UserError, match="No space left"):
        make_demo(tmp_path / "demo", n_frames=6, size=(64, 64), render=False)
    assert list(tmp_path.glob("*demo*")) == []


def test_progress_rises_to_one(tmp_path: Path) -> None:
    seen: list[float] = []
    make_demo(
        tmp_path / "d", n_frames=5, size=(64, 64), n_views=2, render=False,
        progress=lambda fraction, text: seen.append(fraction),
    )  # fmt: skip
    assert seen == sorted(seen)
    assert seen[0] == 0.0
    assert seen[-1] == 1.0
    assert len(seen) > 5


def test_existing_work_is_never_overwritten(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "note.txt").write_text("keep")
    with pytest.raises(UserError, match=r"mine already exists"):
        make_demo(folder, n_frames=2, size=(64, 64), render=False)
    assert [p.name for p in tmp_path.iterdir() if "mine" in p.name] == ["mine"]
    (folder / "note.txt").unlink()
    make_demo(folder, n_frames=2, size=(64, 64), n_views=1, render=False)
    assert (folder / "truth.npz").is_file()


@pytest.mark.parametrize("bad", [{"n_frames": 0}, {"size": (65, 64)}, {"n_views": 9}])
def test_impossible_numbers_are_refused(tmp_path: Path, bad: dict) -> None:
    with pytest.raises(ValueError, match=r"cannot make|1 to 8"):
        make_demo(tmp_path / "demo", **({"n_frames": 2, "size": (64, 64)} | bad))
