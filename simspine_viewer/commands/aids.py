"""Aids for working in the pictures: loupe, close-up, following, colours, parts, trails, stages."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from simspine_viewer.adjust_popup import AdjustPopup
from simspine_viewer.commands.command import Command, has_keypoint, is_open
from simspine_viewer.follow import Follow
from simspine_viewer.loupe_key import LoupeKey
from simspine_viewer.palette import PALETTES, Palette, palette_of
from simspine_viewer.parts_dialog import PartsDialog
from simspine_viewer.stages import HELP, Stage, following, legend
from simspine_viewer.trails import LENGTHS

if TYPE_CHECKING:
    from simspine_viewer.main_window import MainWindow


def show(window: MainWindow, **changes: Any) -> None:
    """Change what is drawn in all panes and in 3D."""
    options = replace(window.grid.options, **changes)
    window.grid.set_options(options)
    window.view3d.set_options(options)


def apply_settings(window: MainWindow) -> None:
    """Draw as the preferences say."""
    settings = window.settings
    show(
        window,
        epipolar=settings.show_epipolar,
        names=settings.show_names,
        ellipse=settings.show_ellipse,
        bones=settings.show_bones,
        spine=settings.show_spine,
        palette=palette_of(settings.palette),
    )
    window.inspector.set_palette(palette_of(settings.palette))


def toggle_loupe(window: MainWindow) -> None:
    """Switch the loupe; held long, its key switches it off again."""
    on = not window.grid.options.loupe
    show(window, loupe=on)
    if on:
        key = window.findChild(LoupeKey) or LoupeKey(lambda: _loupe_off(window), window)
        key.pressed()


def _loupe_off(window: MainWindow) -> None:
    show(window, loupe=False)
    window.table.refresh()


def close_up(window: MainWindow) -> None:
    """All panes at the selected keypoint, or back."""
    document = window.document
    points = document.points_at(window.time.frame)
    if not window.grid.close_up(points, window.selection.keypoint):
        window.say("This keypoint is not known in any view of this frame.")


def set_follow(window: MainWindow, follow: Follow) -> None:
    """Follow something, or nothing where it was followed already."""
    new = Follow.NOTHING if window.grid.follow is follow else follow
    window.grid.set_follow(new)
    window.view3d.set_follow(new)


def adjust(window: MainWindow, view: int | None = None) -> None:
    """Open the adjustment of a view, below its strip."""
    view = window.selection.view if view is None else view
    for other in window.findChildren(AdjustPopup):
        other.close()
    pane, adjustments = window.grid.panes[view], window.grid.adjustments
    popup = AdjustPopup(adjustments, view, len(window.grid.panes), pane.camera_name, pane)
    popup.adjustSize()
    corner = pane.mapToGlobal(pane.picture_area().topLeft().toPoint())
    room = window.app.primaryScreen().availableGeometry()
    popup.move(
        max(min(corner.x(), room.right() - popup.width()), room.left()),
        max(min(corner.y(), room.bottom() - popup.height()), room.top()),
    )
    popup.show()


def cycle_stage(window: MainWindow) -> None:
    """Show the next stage of the points."""
    set_stage(window, following(window.grid.options.stage))


def set_stage(window: MainWindow, stage: Stage) -> None:
    """Show one stage of the points."""
    show(window, stage=stage)
    window.status.set_stage(stage)
    document, frame = window.document, window.time.frame
    points = document.points_at(frame) if document.is_open else None
    window.say(f"{legend(points, stage, document.pose_at(frame))}. {HELP[stage]}")


def toggle_trail(window: MainWindow) -> None:
    """Show or hide the path of the selected keypoint."""
    length = 0 if window.grid.options.trail else round(window.settings.trail_frames)
    show(window, trail=length)
    _say_trail(window, length)


def lengthen_trail(window: MainWindow) -> None:
    """Show the trail at the next length, the shortest after the longest."""
    longer = [n for n in LENGTHS if n > round(window.settings.trail_frames)]
    length = longer[0] if longer else LENGTHS[0]
    window.settings.trail_frames = float(length)
    window.settings.save()
    show(window, trail=length)
    _say_trail(window, length)


def _say_trail(window: MainWindow, length: int) -> None:
    if not length:
        window.say(window.table.with_keys("Trail off; {key:trail} shows it again."))
        return
    now = f"Trail on: {length} frames before and after this one"
    if window.selection.keypoint < 0:
        window.say(f"{now}, of the keypoint that you select.")
    else:
        window.say(window.table.with_keys(f"{now}; {{key:trail}} hides it."))


def toggle_ellipse(window: MainWindow) -> None:
    """Show or hide the uncertainty of the selected keypoint."""
    window.settings.show_ellipse = not window.settings.show_ellipse
    window.settings.save()
    show(window, ellipse=window.settings.show_ellipse)


def toggle_bones(window: MainWindow) -> None:
    """Show or hide the bones of the simulated body in 3D."""
    window.settings.show_bones = not window.settings.show_bones
    window.settings.save()
    show(window, bones=window.settings.show_bones)
    _say_simulated(window, "Bones", window.settings.show_bones)


def toggle_spine(window: MainWindow) -> None:
    """Show or hide the simulated spine in the pictures."""
    window.settings.show_spine = not window.settings.show_spine
    window.settings.save()
    show(window, spine=window.settings.show_spine)
    _say_simulated(window, "Simulated spine", window.settings.show_spine)


def _say_simulated(window: MainWindow, what: str, on: bool) -> None:
    """What was switched, and why nothing is seen of it where nothing was simulated."""
    pose = window.document.pose_at(window.time.frame)
    why = "; this frame was not simulated yet" if on and pose is None else ""
    window.say(f"{what} {'on' if on else 'off'}{why}.")


def set_palette(window: MainWindow, name: str) -> None:
    """Draw left, right and midline in other colours and remember it."""
    window.settings.palette = name
    window.settings.save()
    apply_settings(window)


def show_parts(window: MainWindow) -> None:
    """Open the window in which parts are hidden and locked."""
    PartsDialog(window.editor.parts, window).show()


def _part(window: MainWindow) -> str:
    part = window.editor.parts.part_of(window.selection.keypoint)
    return "" if part is None else part.id


def toggle_lock(window: MainWindow) -> None:
    """Lock or unlock the part that the selected keypoint belongs to."""
    parts = window.editor.parts
    parts.set_locked(_part(window), not parts.is_locked(_part(window)))


def toggle_hidden(window: MainWindow) -> None:
    """Hide or show the part that the selected keypoint belongs to."""
    parts = window.editor.parts
    parts.set_hidden(_part(window), not parts.is_hidden(_part(window)))


STAGE_MENU = "Stage of the Points"
STAGES = {
    Stage.WORK: "Seen and 3D",
    Stage.DETECTED: "Seen in 2D Only",
    Stage.TRIANGULATED: "Triangulated",
    Stage.MODEL: "Simulated",
    Stage.FINAL: "Final",
    Stage.LABELS: "Labels, with the Body Model",
}


def _stage_command(stage: Stage, text: str) -> Command:
    return Command(
        f"stage-{stage.value}", "View", text, HELP[stage], lambda w: set_stage(w, stage), (),
        is_open, lambda w: w.grid.options.stage is stage, group=STAGE_MENU,
        after_separator=stage is Stage.WORK,
    )  # fmt: skip


def _palette_command(palette: Palette) -> Command:
    return Command(
        f"palette-{palette.id}", "View", palette.title,
        f"Left, right and midline in other colours: {palette.title}.",
        lambda w: set_palette(w, palette.id), (), is_open,
        lambda w: w.settings.palette == palette.id, group="Colours",
    )  # fmt: skip


COMMANDS: tuple[Command, ...] = (
    Command("loupe", "View", "Loupe",
            "Single pixels at the pointer, large: tap to switch, or hold the key.",
            toggle_loupe, ("Z",), is_open, lambda w: w.grid.options.loupe, after_separator=True,
            tool="Loupe", group="Zoom"),
    Command("close-up", "View", "Close-Up of the Keypoint",
            "Every view shows the selected keypoint equally large; again goes back.",
            close_up, ("C",), has_keypoint, lambda w: w.grid.is_close_up, group="Zoom"),
    Command("follow-keypoint", "View", "Follow the Keypoint",
            "The selected keypoint keeps its place while the frame changes, in 3D too.",
            lambda w: set_follow(w, Follow.KEYPOINT), ("Shift+F",), is_open,
            lambda w: w.grid.follow is Follow.KEYPOINT, group="Zoom"),
    Command("follow-person", "View", "Follow the Person",
            "The person's middle keeps its place while the frame changes, in 3D too.",
            lambda w: set_follow(w, Follow.PERSON), ("Ctrl+Shift+F",), is_open,
            lambda w: w.grid.follow is Follow.PERSON, group="Zoom"),
    Command("adjust", "View", "Brightness and Contrast…",
            "How the active view is shown; the data are never touched.", adjust, ("B",),
            group="Brightness"),
    Command("adjust-reset", "View", "Reset All Brightness", "Show all views as they are.",
            lambda w: w.grid.adjustments.reset(), ("Shift+B",), group="Brightness"),
    Command("stage", "View", "Next Stage of the Points",
            "Seen and 3D, seen only, triangulated, simulated, final, labels: what the views show.",
            cycle_stage, ("S",), after_separator=True, group=STAGE_MENU),
    *(_stage_command(stage, text) for stage, text in STAGES.items()),
    Command("trail", "View", "Trail", "The path of the selected keypoint, before and after.",
            toggle_trail, ("T",), is_open, lambda w: w.grid.options.trail > 0, group="Overlay",
            after_separator=True),
    Command("trail-length", "View", "Longer Trail",
            "Show the trail at the next length; after the longest comes the shortest.",
            lengthen_trail, ("Shift+T",), group="Overlay"),
    Command("ellipse", "View", "Uncertainty",
            "One standard deviation of the selected keypoint and of what a model found.",
            toggle_ellipse, ("U",), is_open, lambda w: w.settings.show_ellipse, group="Overlay"),
    Command("spine", "View", "Simulated Spine",
            "The spine of the simulated body in every view, with a tick at each level.",
            toggle_spine, ("Shift+S",), is_open, lambda w: w.settings.show_spine,
            group="Overlay", after_separator=True),
    Command("bones", "View", "Bones in 3D",
            "The bones of the simulated body; without them the 3D view shows the points alone.",
            toggle_bones, ("Shift+K",), is_open, lambda w: w.settings.show_bones,
            group="Overlay"),
    *map(_palette_command, PALETTES.values()),
    Command("parts", "View", "Body Parts…", "Hide and lock parts of the body.", show_parts,
            ("Ctrl+B",), group="Parts"),
    Command("lock-part", "View", "Lock the Keypoint's Part",
            "The points of this part of the body cannot be changed.", toggle_lock,
            ("Ctrl+Shift+B",), has_keypoint,
            lambda w: w.editor.parts.is_locked(_part(w)), group="Parts", after_separator=True),
    Command("hide-part", "View", "Hide the Keypoint's Part",
            "This part of the body is not drawn and cannot be clicked.", toggle_hidden,
            ("Ctrl+H",), has_keypoint, lambda w: w.editor.parts.is_hidden(_part(w)),
            group="Parts"),
    Command("show-parts", "View", "Show and Unlock All Parts",
            "Everything is drawn and can be changed.", lambda w: w.editor.parts.reset(),
            ("Ctrl+Shift+H",), group="Parts"),
)  # fmt: skip
