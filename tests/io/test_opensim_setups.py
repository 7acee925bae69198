"""Set-up files: what is written reads back; OpenSim's and Pose2Sim's are read true."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from pipeline.data.errors import UserError
from pipeline.io.opensim_setups import (
    CoordinateTask,
    IkSetup,
    MarkerTask,
    ModelMarker,
    TaskSet,
    read_ik_setup,
    read_marker_set,
    write_ik_setup,
    write_marker_set,
)
from pipeline.io.scale_setups import (
    ManualScale,
    MarkerPlacer,
    ScaleSetup,
    read_scale_setup,
    write_scale_setup,
)
from pipeline.kinematics.scale_factors import ScaleMeasurement

TASKS = TaskSet(
    (MarkerTask("A & B", 2.0), MarkerTask("C", 0.1, False), MarkerTask("D", 0.0)),
    (
        CoordinateTask("flexion", 1e-3, "manual_value", -0.25),
        CoordinateTask("bending", 0.5),
        CoordinateTask("off", 7.0, apply=False),
    ),
)


def test_an_ik_setup_reads_back(tmp_path: Path) -> None:
    setup = IkSetup(
        TASKS,
        model_file=tmp_path / "m.osim",
        marker_file=tmp_path / "a b.trc",
        output_motion_file=tmp_path / "out" / "x.mot",
        results_directory=tmp_path,
        time_range=(0.1, 1 / 3),
        accuracy=1e-6,
        report_marker_locations=True,
        name="subject",
    )
    write_ik_setup(tmp_path / "ik.xml", setup)
    back = read_ik_setup(tmp_path / "ik.xml")
    assert back == setup
    assert back.constraint_weight == math.inf
    assert back.tasks.marker_weights() == {"A & B": 2.0}
    assert back.tasks.coordinate_targets() == {"flexion": (1e-3, -0.25), "bending": (0.5, None)}


def test_targets_from_a_file_are_refused_in_words() -> None:
    tasks = TaskSet(coordinates=(CoordinateTask("flexion", 1.0, "from_file"),))
    with pytest.raises(UserError, match="flexion takes its target from a file"):
        tasks.coordinate_targets()


def test_a_scale_setup_reads_back(tmp_path: Path) -> None:
    setup = ScaleSetup(
        name="subject",
        mass=72.6,
        height=1803.4,
        age=30.0,
        model_file=tmp_path / "m.osim",
        marker_set_file=tmp_path / "k.xml",
        scaling_order=("manualScale", "measurements"),
        measurements=(
            ScaleMeasurement("trunk", (("A", "B"), ("C", "D")), (("torso", "XYZ"), ("head", "Y"))),
            ScaleMeasurement("off", (("A", "C"),), (("hand", "Z"),), apply=False),
        ),
        manual_scales=(ManualScale("pelvis", (1.1, 0.9, 1.0), False),),
        marker_file=tmp_path / "a.trc",
        time_range=(0.0, 2.5),
        preserve_mass_distribution=False,
        output_model_file=tmp_path / "s.osim",
        placer=MarkerPlacer(TASKS, False, marker_file=tmp_path / "a.trc", time_range=(0.0, 1.0)),
    )
    write_scale_setup(tmp_path / "scale.xml", setup)
    assert read_scale_setup(tmp_path / "scale.xml") == setup
    write_scale_setup(tmp_path / "least.xml", ScaleSetup())
    assert read_scale_setup(tmp_path / "least.xml") == ScaleSetup()


def test_opensim_has_no_chains(tmp_path: Path) -> None:
    chain = ScaleMeasurement("spine", (("A", "B", "C"),), (("torso", "XYZ"),))
    with pytest.raises(UserError, match="spine is a chain"):
        write_scale_setup(tmp_path / "x.xml", ScaleSetup(measurements=(chain,)))


def test_a_marker_set_reads_back(tmp_path: Path) -> None:
    markers = (
        ModelMarker("Hip", "pelvis", (-0.1, 1 / 3, 0.0)),
        ModelMarker("Floor", "ground", (1e-7, 0.0, 2.0), fixed=True),
    )
    write_marker_set(tmp_path / "k.xml", markers)
    assert read_marker_set(tmp_path / "k.xml") == markers


@pytest.mark.realdata
def test_pose2sims_setups(pose2sim_model: Path) -> None:
    ik = read_ik_setup(pose2sim_model / "IK_Setup_Pose2Sim_Body25b.xml")
    assert len(ik.tasks.markers) == 21
    assert ik.tasks.marker_weights()["LShoulder"] == 2
    assert ik.tasks.coordinate_targets() == {"L5_S1_Flex_Ext": (0.1, None)}
    assert ik.time_range == (0.016666666666666666, 1.6666666666666667)
    assert ik.constraint_weight == math.inf
    scale = read_scale_setup(pose2sim_model / "Scaling_Setup_Pose2Sim_Body25b.xml")
    assert [m.name for m in scale.measurements] == [
        *("torso", "arm", "forearm", "thigh", "shank", "foot", "head", "pelvis")
    ]
    assert scale.measurements[0].chains == (("LShoulder", "LHip"), ("RShoulder", "RHip"))
    assert scale.measurements[0].bodies[-1] == ("torso", "XYZ")
    assert (scale.mass, scale.height) == (69, -1)
    assert scale.manual_scales[0] == ManualScale("pelvis", (0.95, 0.95, 0.95), False)
    assert scale.placer is not None
    assert not scale.placer.apply
    assert scale.output_model_file is None
    markers = {m.name: m for m in read_marker_set(pose2sim_model / "Markers_Body25b.xml")}
    assert len(markers) == 21
    assert markers["Nose"] == ModelMarker("Nose", "head", (0.116266, 0.0126096, 0.000152885), True)


@pytest.mark.realdata
def test_setups_of_opensim_2_and_3(gait2354: Path) -> None:
    ik = read_ik_setup(gait2354 / "subject01_Setup_IK.xml")
    assert ik.model_file == gait2354.resolve() / "subject01_simbody.osim"
    assert (ik.constraint_weight, ik.time_range) == (20, (0.4, 1.6))
    assert ik.tasks.marker_weights()["R.ASIS"] == 10
    assert ik.tasks.coordinate_targets()["mtp_angle_r"] == (1000, None)
    scale = read_scale_setup(gait2354 / "subject01_Setup_Scale.xml")
    assert (scale.name, scale.mass, scale.height) == ("subject01", 72.6, 1803.4)
    assert scale.scaling_order == ("measurements", "manualScale")
    assert scale.marker_file == gait2354.resolve() / "subject01_static.trc"
    assert scale.placer is not None
    assert scale.placer.apply
    assert scale.placer.tasks.marker_weights()["V.Sacral"] == 1000
    markers = {m.name: m for m in read_marker_set(gait2354 / "gait2354_Scale_MarkerSet.xml")}
    assert markers["Sternum"] == ModelMarker("Sternum", "torso", (0.07, 0.3, 0.0), False)


IK = "<OpenSimDocument><InverseKinematicsTool>{}</InverseKinematicsTool></OpenSimDocument>"
TASK = "<IKTaskSet><objects>{}</objects></IKTaskSet>"
SCALE = (
    "<OpenSimDocument><ScaleTool><GenericModelMaker/><ModelScaler>{}</ModelScaler></ScaleTool>"
    "</OpenSimDocument>"
)
MEASUREMENT = (
    '<MeasurementSet><objects><Measurement name="m"><MarkerPairSet><objects><MarkerPair><markers>'
    '{}</markers></MarkerPair></objects></MarkerPairSet><BodyScaleSet><objects><BodyScale name="b">'
    "<axes>{}</axes></BodyScale></objects></BodyScaleSet></Measurement></objects></MeasurementSet>"
)
MARKER = "<OpenSimDocument><MarkerSet><objects>{}</objects></MarkerSet></OpenSimDocument>"


@pytest.mark.parametrize(
    ("read", "content", "cause"),
    [
        (read_ik_setup, "", "is no XML document"),
        (read_ik_setup, "<a><b></a>", "is no XML document"),
        (read_ik_setup, "<OpenSimDocument/>", "holds no InverseKinematicsTool"),
        (read_ik_setup, IK.format("<accuracy>x</accuracy>"), "has 'x' for accuracy"),
        (read_ik_setup, IK.format("<time_range>1</time_range>"), "has 1 numbers for time_range"),
        (
            read_ik_setup,
            IK.format("<report_errors>maybe</report_errors>"),
            "has 'maybe' for report_errors of InverseKinematicsTool, not true or false",
        ),
        (read_ik_setup, IK.format(TASK.format("<IKMarkerTask/>")), "IKMarkerTask without a name"),
        (
            read_ik_setup,
            IK.format(TASK.format('<IKMarkerTask name="A"/><IKMarkerTask name="A"/>')),
            "more than one marker task named A",
        ),
        (
            read_ik_setup,
            IK.format(
                TASK.format(
                    '<IKCoordinateTask name="q"><value_type>guess</value_type></IKCoordinateTask>'
                )
            ),
            "has 'guess' as value type of the task of q",
        ),
        (read_scale_setup, "<ScaleTool/>", "has no GenericModelMaker in its ScaleTool"),
        (
            read_scale_setup,
            SCALE.format("<scaling_order>guess</scaling_order>"),
            "an unknown scaling order: guess",
        ),
        (
            read_scale_setup,
            SCALE.format(MEASUREMENT.format("A", "X")),
            "a pair in the measurement m that is not two markers",
        ),
        (
            read_scale_setup,
            SCALE.format(MEASUREMENT.format("A B", "X W")),
            "has XW as axes of b in the measurement m",
        ),
        (
            read_scale_setup,
            SCALE.format(
                "<ScaleSet><objects><Scale><segment>a</segment></Scale></objects></ScaleSet>"
            ),
            "a manual scale without a segment or three positive factors",
        ),
        (read_marker_set, MARKER.format(""), "has no markers"),
        (read_marker_set, MARKER.format('<Marker name="A"/>'), "has no body for the marker A"),
        (
            read_marker_set,
            MARKER.format('<Marker name="A"><body>b</body></Marker>'),
            "has no location for the marker A",
        ),
        (
            read_marker_set,
            MARKER.format(2 * '<Marker name="A"><body>b</body><location>1 2 3</location></Marker>'),
            "more than one marker named A",
        ),
    ],
)
def test_malformed_files(read: object, content: str, cause: str, tmp_path: Path) -> None:
    path = tmp_path / "x.xml"
    path.write_text(content)
    with pytest.raises(UserError) as caught:
        read(path)  # type: ignore[operator]
    assert cause in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none\.xml cannot be read: no such file"):
        read_ik_setup(tmp_path / "none.xml")
