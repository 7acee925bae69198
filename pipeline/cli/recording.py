"""A recording or a project as the commands of ``simspine`` read it, and the people in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from pipeline.cli.output import CommandError, Exit
from pipeline.data.errors import Finding, UserError
from pipeline.data.observations import track_ids
from pipeline.data.presence import seen_in
from pipeline.data.sequence import Sequence
from pipeline.io.opening import SUFFIX, existing_project, open_in_memory, project_findings
from pipeline.io.project import Project
from pipeline.io.project_authorship import Authorship
from pipeline.io.recording import Report, recognise
from pipeline.io.stored_subject import StoredSubject, from_state, key_of


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody in a recording; ``number`` counts from 1, as in the window.

    ``frames`` is the number of frames in which the person was detected or placed in any view,
    ``views`` the names of those views.
    """

    number: int
    track: int
    frames: int
    views: tuple[str, ...]
    ignored: bool


@dataclass(frozen=True, slots=True, eq=False)
class Opened:
    """What is looked at.

    ``authorship`` is empty for a folder, where nobody has edited; ``picked`` is the track that is
    annotated in a project; ``corrected`` is the project that a folder has and that was not read.
    """

    path: Path
    sequence: Sequence
    findings: tuple[Finding, ...]
    authorship: Mapping[tuple[str, int], Authorship] = field(default_factory=dict)
    picked: int | None = None
    corrected: Path | None = None
    subjects: Mapping[int, StoredSubject] = field(default_factory=dict)


def open_recording(
    path: Path,
    calibration: Path | None = None,
    *,
    with_authors: bool = False,
    with_subjects: bool = False,
    report: Report | None = None,
) -> Opened:
    """Read a folder anew, in memory, or a project with its corrections; nothing is written.

    ``report`` hears what is read; what it raises ends the reading.

    Raises
    ------
    CommandError
        ``USAGE`` for a calibration with a project, ``UNUSABLE`` where the input cannot be read.
    """
    path = path.expanduser().absolute()  # messages name a folder, also where it is given as "."
    is_project = path.suffix == SUFFIX
    if is_project and calibration is not None:
        raise CommandError(
            Exit.USAGE,
            f"--calibration works with a recording folder; “{path.name}” has its own cameras.",
        )
    try:
        if is_project:
            with Project.open(path, read_only=True) as project:
                authorship = project.authorship() if with_authors else {}
                findings, picked = project_findings(project), project.state("person")
                opened = Opened(path, project.sequence, findings, authorship, picked)
                return replace(opened, subjects=_subjects(project)) if with_subjects else opened
        plan = recognise(path)
        sequence, findings = open_in_memory(plan, calibration, report)
        return Opened(path, sequence, findings, corrected=existing_project(plan))
    except UserError as error:
        raise CommandError(Exit.UNUSABLE, str(error)) from error
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise CommandError(Exit.UNUSABLE, f"{path} cannot be read: {reason}.") from error


def _subjects(project: Project) -> dict[int, StoredSubject]:
    """The body models in a project, by track."""
    found = {}
    for track in track_ids(project.sequence).tolist():
        subject = from_state(project.state(key_of(track)), track, project.path)
        if subject is not None:
            found[track] = subject
    return found


def people(sequence: Sequence) -> tuple[Person, ...]:
    """Everybody in a recording, in the order of their numbers."""
    tracks = track_ids(sequence)
    ignored = sequence.read("tracks.ignored", tracks).astype(bool)
    found = []
    for track, hidden in zip(tracks.tolist(), ignored.tolist(), strict=True):
        there = seen_in(sequence, track, placed=True)
        views = tuple(
            name for name, seen in zip(sequence.cameras.names, there.T, strict=True) if seen.any()
        )
        found.append(Person(track + 1, track, int(there.any(axis=1).sum()), views, hidden))
    return tuple(found)


def chosen_person(opened: Opened, number: int | None) -> Person:
    """The person of a number; without one the project's, else the first who is not ignored.

    Raises
    ------
    CommandError
        ``NO_PERSON`` where there is none.
    """
    everybody = people(opened.sequence)
    name = opened.sequence.info.name
    if not everybody:
        raise CommandError(Exit.NO_PERSON, f"Nobody was detected in “{name}”.")
    if number is None:
        offered = [person for person in everybody if not person.ignored]
        if not offered:
            raise CommandError(
                Exit.NO_PERSON, f"Everybody in “{name}” is ignored; choose one with --person."
            )
        return next((person for person in offered if person.track == opened.picked), offered[0])
    for person in everybody:
        if person.number == number:
            return person
    listing = ", ".join(str(person.number) for person in everybody)
    raise CommandError(Exit.NO_PERSON, f"“{name}” has no person {number}; there is: {listing}.")
