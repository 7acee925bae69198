"""Opening, saving and exporting."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simspine_viewer import dialogs, training_set_dialog
from simspine_viewer.commands.command import Command, State, always
from simspine_viewer.simulations import WORKER

if TYPE_CHECKING:
    from simspine_viewer.main_window import MainWindow


def can_teach(state: State) -> bool:
    """A video, and a person in it."""
    return state.has_video and state.n_people > 0


def ask_open_folder(window: MainWindow) -> None:
    """Ask for a recording folder and open it."""
    path = dialogs.ask_folder(window, window.settings)
    if path is not None:
        window.opener.open(path)


def ask_open_project(window: MainWindow) -> None:
    """Ask for a project file and open it."""
    path = dialogs.ask_project(window, window.settings)
    if path is not None:
        window.opener.open(path)


def confirm_saved(window: MainWindow) -> None:
    """Say that nothing waits to be saved."""
    project = window.document.project
    if project is not None:
        window.say(f"All edits are saved in {project.path.name}.")


def ask_save_as(window: MainWindow) -> None:
    """Copy the project and go on in the copy."""
    project = window.document.project
    path = dialogs.ask_save_as(window, project.path) if project else None
    if project is not None and path is not None:
        project.save_as(path)
        window.planner.try_again()
        window.settings.remember(path)
        window.refresh_title()
        window.say(f"The project is now {path.name}.")


def ask_export(window: MainWindow) -> None:
    """Ask what to export, then write it in the background."""
    project = window.document.project
    if project is None:
        return
    chosen = window.frame_range
    frames = (chosen.start, chosen.stop) if chosen else None
    choice = dialogs.ask_export(
        window,
        project.path,
        window.document.person + 1,
        frames,
        has_model=window.simulations.subject is not None,
    )
    if choice is not None:
        export(window, choice)


def export(window: MainWindow, choice: dialogs.ExportChoice) -> None:
    """Write an export in the background; the old file stays until the new one is complete."""
    project = window.document.project
    if project is None:
        return
    with_model = choice.stage == "labels"
    args = {
        "project": str(project.path),
        "track": window.document.person,
        "format": choice.format,
        "out": str(choice.path),
        "stage": choice.stage,
        **({} if choice.frames is None else {"frames": choice.frames}),
        **({"subject": window.simulations.subject} if with_model else {}),
    }
    revision, title = window.document.sequence.revision, f"Export {choice.path.name}"
    window.jobs.submit("export", title, args, revision, WORKER if with_model else "geometry")
    window.say(f"Writing {choice.path.name} in the background; see Jobs.")


def ask_training_set(window: MainWindow) -> None:
    """Ask for pictures with the labels in them, then write them in the background."""
    document, project = window.document, window.document.project
    if project is None:
        return
    chosen = window.frame_range
    who = training_set_dialog.Annotated(
        document.person,
        (chosen.start, chosen.stop) if chosen else None,
        window.simulations.subject is not None,
    )
    choice = training_set_dialog.ask_training_set(window, project.path, document.sequence, who)
    if choice is None:
        return
    args = {
        "project": str(project.path),
        "track": document.person,
        "out": str(choice.path),
        "views": choice.views,
        "frames": choice.frames,
        "every": choice.every,
        "corrected_only": choice.corrected_only,
    }
    title = f"Export {choice.path.name}"
    window.jobs.submit("training_set", title, args, document.sequence.revision, WORKER)
    window.say(f"Writing {choice.path.name} in the background; see Jobs.")


def close_recording(window: MainWindow) -> None:
    """Close what is open; everything is on disk already."""
    window.remember_position()
    window.document.close()


def quit_program(window: MainWindow) -> None:
    """Leave."""
    window.close()


COMMANDS: tuple[Command, ...] = (
    Command("open", "File", "Open Recording…", "Open a folder of videos with a calibration.",
            ask_open_folder, ("Ctrl+O",), always, tool="Open"),
    Command("open-project", "File", "Open Project…", "Open a .simspine project file.",
            ask_open_project, ("Ctrl+Shift+O",), always),
    Command("demo", "File", "Open Demo", "Open the built-in synthetic recording.",
            lambda w: w.opener.open_demo(), (), always),
    Command("save", "File", "Save", "Everything is saved as you work; this says so.",
            confirm_saved, ("Ctrl+S",), after_separator=True),
    Command("save-as", "File", "Save As…", "Copy the project and go on in the copy.",
            ask_save_as, ("Ctrl+Shift+S",)),
    Command("export", "File", "Export…", "Write TRC, CSV, OpenPose or COCO files.",
            ask_export, ("Ctrl+E",), tool="Export"),
    Command("export-training-set", "File", "Export Training Set…",
            "Write pictures with the final labels in them, to teach a detector.",
            ask_training_set, (), can_teach),
    Command("close", "File", "Close", "Close the recording.",
            close_recording, ("Ctrl+W",), after_separator=True),
    Command("quit", "File", "Quit", "Leave SIMSPINE Viewer.",
            quit_program, ("Ctrl+Q",), always),
)  # fmt: skip
