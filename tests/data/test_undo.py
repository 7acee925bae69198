"""Whatever a person does, undoing all of it gives the start and redoing all of it the end."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.data import edits
from pipeline.data.history import History, Place, Transaction
from pipeline.data.layers import LAYERS
from pipeline.data.observations import track_ids
from pipeline.data.patch import Patch
from pipeline.data.sequence import Sequence
from pipeline.data.source import Flag
from tests.data.recordings import small_sequence

FRAMES = st.sampled_from([0, 1, 255, 256, 299])  # both sides of the chunk border, both ends
VIEWS = st.lists(st.integers(0, 2), min_size=1, max_size=3, unique=True)
POINTS = st.integers(0, 36)
COORDINATES = st.floats(-1e6, 1e6, width=32)

_START = small_sequence()


def fresh() -> Sequence:
    """A copy of the small recording, cheaper than making it."""
    sequence = Sequence(_START.info)
    for name, track in _START.stored_layers():
        layer = _START.layer(name, track)
        for number in layer.stored():
            chunk = layer.chunk(number)
            assert chunk is not None
            sequence.layer(name, track).set_chunk(number, chunk)
    return sequence


def authored(sequence: Sequence) -> dict[tuple[str, int], bytes]:
    """Bytes of every authored layer that holds something."""
    state = {}
    for name, track in sequence.stored_layers():
        values = sequence.read(name, track=track)
        empty = np.full_like(values, LAYERS[name].fill).tobytes()
        if LAYERS[name].kind == "authored" and values.tobytes() != empty:
            state[name, track] = values.tobytes()
    return state


@st.composite
def edit_calls(draw: st.DrawFn) -> tuple[str, tuple[Any, ...]]:
    """Name of an edit and its arguments; -1 stands for a track that is chosen when it is made."""
    frame, point = draw(FRAMES), draw(POINTS)
    view, views = draw(st.integers(0, 2)), draw(VIEWS)
    return draw(
        st.sampled_from(
            [
                ("place_point", (frame, view, point, (draw(COORDINATES), draw(COORDINATES)))),
                ("delete_point", (frame, views, point)),
                ("revert_point", (frame, views, point)),
                ("toggle_flag", (frame, views, point, draw(st.sampled_from(list(Flag)[1:])))),
                ("place_point_3d", (frame, point, tuple(draw(COORDINATES) for _ in range(3)))),
                ("ignore_track", (draw(st.booleans()),)),
                ("merge_tracks", (draw(st.integers(0, 9)),)),
                ("split_track", (frame,)),
            ]
        )
    )


def make(sequence: Sequence, call: tuple[str, tuple[Any, ...]], pick: int) -> tuple[Patch, ...]:
    """The patches of an edit call on the track that ``pick`` chooses among the present ones."""
    name, arguments = call
    tracks = track_ids(sequence)
    track = int(tracks[pick % len(tracks)])
    if name == "merge_tracks":
        other = int(tracks[arguments[0] % len(tracks)])
        return edits.merge_tracks(sequence, track, other) if other != track else ()
    made: tuple[Patch, ...] = getattr(edits, name)(sequence, track, *arguments)
    return made


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(
            edit_calls(), st.integers(0, 9), st.sampled_from(["edit", "edit", "undo", "redo"])
        ),
        max_size=12,
    )
)
def test_undo_all_gives_the_start_and_redo_all_the_end(
    steps: list[tuple[tuple[str, tuple[Any, ...]], int, str]],
) -> None:
    sequence, history = fresh(), History()
    start = authored(sequence)
    for call, pick, move in steps:
        patches: tuple[Patch, ...] = ()
        if move == "undo" and history.can_undo:
            patches = history.undo().inverse()
        elif move == "redo" and history.can_redo:
            patches = history.redo().patches
        elif move == "edit":
            patches = make(sequence, call, pick)
            assert not any(patch.is_empty() for patch in patches)
            if patches:
                history.push(Transaction(call[0], patches, Place(), "", 0.0))
        for patch in patches:
            sequence.apply(patch)
    while history.can_redo:
        for patch in history.redo().patches:
            sequence.apply(patch)
    end = authored(sequence)
    while history.can_undo:
        for patch in history.undo().inverse():
            sequence.apply(patch)
    assert authored(sequence) == start
    while history.can_redo:
        for patch in history.redo().patches:
            sequence.apply(patch)
    assert authored(sequence) == end


def gesture(sequence: Sequence, frame: int) -> Transaction:
    patches = edits.place_point(sequence, 0, frame, 0, 0, (frame, frame))
    for patch in patches:
        sequence.apply(patch)
    return Transaction(f"at {frame}", patches, Place(frame), "Ada", 0.0)


def test_a_new_gesture_forgets_what_was_undone() -> None:
    sequence, history = fresh(), History()
    for frame in range(3):
        history.push(gesture(sequence, frame))
    history.undo()
    history.undo()
    history.push(gesture(sequence, 9))
    assert [entry.label for entry in history.entries] == ["at 0", "at 9"]
    assert not history.can_redo


def test_history_forgets_the_oldest_beyond_its_budget_but_never_the_newest() -> None:
    sequence = fresh()
    one = gesture(sequence, 0)
    history = History(byte_budget=3 * one.nbytes)
    for frame in range(1, 6):
        history.push(gesture(sequence, frame))
    assert [entry.label for entry in history.entries] == ["at 3", "at 4", "at 5"]
    assert history.position == 3
    tight = History(byte_budget=1)
    tight.push(one)
    assert tight.entries == (one,)
