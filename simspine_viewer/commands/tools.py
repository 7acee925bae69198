"""Cameras in space and time: refined, reset, synchronised. The body model: made, saved, removed."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QDialog

from pipeline.data import edits
from pipeline.data.history import Place
from pipeline.io.atomic import atomic_text
from simspine_viewer import dialogs
from simspine_viewer.commands.command import Command, State, is_open

if TYPE_CHECKING:
    from simspine_viewer.main_window import MainWindow


def can_refine(state: State) -> bool:
    """A recording with three cameras or more is open."""
    return state.is_open and state.n_views >= 3


def several_cameras(state: State) -> bool:
    """A recording with two cameras or more is open."""
    return state.is_open and state.n_views >= 2


def cameras_corrected(state: State) -> bool:
    """The cameras are not where they were when imported."""
    return state.is_open and state.cameras_corrected


def refine(window: MainWindow) -> None:
    """Refine the cameras from the annotated person, in a dialog beside the window."""
    from simspine_viewer.refine_dialog import RefineDialog  # not at start

    if not _brought_forward(window, RefineDialog):
        place = _here(window)
        RefineDialog(window.document, window.jobs, window.monitor, place, window).show()


def reset(window: MainWindow) -> None:
    """Put the cameras back where the calibration has them."""
    document = window.document
    patches = edits.reset_cameras(document.sequence)
    document.commit("Cameras as imported", patches, _here(window))


def synchronise(window: MainWindow) -> None:
    """Shift the cameras' videos in time, in a dialog beside the window."""
    from simspine_viewer.sync_dialog import SyncDialog  # not at start

    if not _brought_forward(window, SyncDialog):
        SyncDialog(window.document, window.jobs, _here(window), window).show()


def detect(window: MainWindow) -> None:
    """Ask which model is to look where, and follow it, in a dialog beside the window."""
    from simspine_viewer.detect_dialog import DetectDialog  # not at start

    if _brought_forward(window, DetectDialog):
        return
    dialog = DetectDialog(
        window.document, window.time, window.frame_range, window.models, window.detecting,
        window.settings, window.boxes, lambda: show_models(window), window,
    )  # fmt: skip
    window.detecting.said.connect(dialog.say)
    window.detecting.failed.connect(dialog.say)
    dialog.show()


def show_models(window: MainWindow) -> None:
    """List the pose models, in a dialog beside the window."""
    from simspine_viewer.models_dialog import ModelsDialog  # not at start

    if not _brought_forward(window, ModelsDialog):
        ModelsDialog(window.models, window).show()


def compare_models(window: MainWindow) -> None:
    """Compare two pose models on the same pictures, in a dialog beside the window."""
    from simspine_viewer.compare_dialog import CompareDialog  # not at start

    if not _brought_forward(window, CompareDialog):
        CompareDialog(
            window.document, window.time, window.selection, window.frame_range, window.models,
            window.comparing, window.boxes, window,
        ).show()  # fmt: skip


def fine_tune(window: MainWindow) -> None:
    """Have a model learn from the corrected frames, in a dialog beside the window."""
    from simspine_viewer.tuning_dialog import TuningDialog  # not at start

    if not _brought_forward(window, TuningDialog):
        TuningDialog(window.document, window.models, window.tuning, window).show()


def can_simulate(state: State) -> bool:
    """A recording is open, and no body model is being made."""
    return state.is_open and not state.simulating


def simulating(state: State) -> bool:
    """A body model is being made."""
    return state.simulating


def has_model(state: State) -> bool:
    """The annotated person has a body model: simulate first."""
    return state.has_model and not state.simulating


def simulate(window: MainWindow) -> None:
    """Scale the body model to the annotated person, and show the panel that tells of it."""
    dock = window.docks["simulation"]
    dock.show()
    dock.raise_()
    window.simulations.start()


def save_model(window: MainWindow) -> None:
    """Ask for a file and write the annotated person's model as OpenSim reads it."""
    subject, project = window.simulations.subject, window.document.project
    assert subject is not None
    assert project is not None
    name = f"{project.path.stem}-person-{window.document.person + 1}.osim"
    proposed = project.path.with_name(name)
    path = dialogs.ask_new_file(
        window, "Save the body model as", proposed, "OpenSim models (*.osim)"
    )
    if path is None:
        return
    with atomic_text(path) as handle:
        handle.write(zlib.decompress(subject.osim).decode())
    window.say(f"Wrote {path.name} in {path.parent}.")


def _brought_forward(window: MainWindow, kind: type[QDialog]) -> bool:
    for dialog in window.findChildren(kind):
        if dialog.isVisible():
            dialog.activateWindow()
            return True
    return False


def _here(window: MainWindow) -> Place:
    return Place(window.time.frame, track=window.document.person)


COMMANDS: tuple[Command, ...] = (
    Command("refine-cameras", "Tools", "Refine Cameras from the Person…",
            "Correct where the cameras stand, from the points of the annotated person.",
            refine, (), can_refine, group="Cameras"),
    Command("reset-cameras", "Tools", "Camera Positions as Imported",
            "Put the cameras back where the calibration has them.",
            reset, (), cameras_corrected, group="Cameras"),
    Command("sync-cameras", "Tools", "Synchronise Cameras…",
            "Shift a camera's video in time against the others.",
            synchronise, (), several_cameras, group="Cameras"),
    Command("detect", "Tools", "Detect Keypoints…",
            "Let a pose model look for the annotated person in the videos.",
            detect, ("Shift+F9",), is_open, after_separator=True),
    Command("models", "Tools", "Pose Models…",
            "Get, add, check and remove pose models.",
            show_models),
    Command("compare-models", "Tools", "Compare Pose Models…",
            "See two models, or one and what is there, on the same pictures.",
            compare_models, (), is_open),
    Command("fine-tune", "Tools", "Fine-Tune a Pose Model…",
            "Let a copy of a pose model learn from the frames that you corrected.",
            fine_tune, (), is_open),
    Command("simulate", "Tools", "Simulate",
            "Scale the body model to the annotated person and let it follow the points.",
            simulate, ("F9",), can_simulate, after_separator=True),
    Command("cancel-simulate", "Tools", "Cancel the Simulation",
            "Stop making a body model; the one that was there stays.",
            lambda w: w.simulations.cancel(), (), simulating),
    Command("save-model", "Tools", "Save Body Model…",
            "Write the annotated person's model as an OpenSim file.",
            lambda w: w.guarded(lambda: save_model(w)), (), has_model, group="Body Model"),
    Command("forget-model", "Tools", "Remove Body Model",
            "Take the annotated person's model out of the project; points and edits stay.",
            lambda w: w.simulations.forget(), (), has_model, group="Body Model"),
)  # fmt: skip
