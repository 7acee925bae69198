"""Layers larger than the memory they may use read and write as ever."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.data.chunk_memory import ChunkMemory
from pipeline.data.chunked_array import ChunkedArray

ROWS, WIDTH, PER_CHUNK = 100, 5, 8
CHUNK_BYTES = PER_CHUNK * WIDTH * 4


def new(memory: ChunkMemory, fill: float = -1.0) -> ChunkedArray:
    return ChunkedArray((ROWS, WIDTH), "f4", fill, PER_CHUNK, memory)


@settings(max_examples=80, deadline=None)
@given(
    st.integers(1, 4),
    st.lists(
        st.tuples(st.sampled_from("wrgsc"), st.integers(0, 1), st.integers(0, ROWS - 1)),
        max_size=60,
    ),
)
def test_like_plain_arrays_whatever_is_in_memory(
    chunks: int, steps: list[tuple[str, int, int]]
) -> None:
    """Two layers share the memory; the first one also has chunks that a file holds."""
    memory = ChunkMemory(budget=chunks * CHUNK_BYTES)
    stored = np.arange(ROWS * WIDTH, dtype=np.float32).reshape(ROWS, WIDTH)
    plain = [stored.copy(), np.full((ROWS, WIDTH), -1, np.float32)]
    arrays = [new(memory), new(memory)]
    loaded: list[int] = []

    def load(number: int) -> np.ndarray:
        loaded.append(number)
        return stored[number * PER_CHUNK :][:PER_CHUNK].copy()

    arrays[0].keep_elsewhere(range(arrays[0].n_chunks), load)
    for value, (step, which, row) in enumerate(steps, 1000):
        array, truth = arrays[which], plain[which]
        if step == "w":
            index = np.array([(row, 1), ((row + 50) % ROWS, 3)])
            array.write(index, np.array([value, value + 0.5], np.float32))
            truth[index[0, 0], 1], truth[index[1, 0], 3] = value, value + 0.5
        elif step == "r":
            assert np.array_equal(array.read(slice(row, row + 30)), truth[row : row + 30])
        elif step == "g":
            index = np.array([(row, 0), (ROWS - 1 - row, 1)])
            assert np.array_equal(array.get(index), truth[tuple(index.T)])
        elif step == "s":
            sums = array.summary("sum", lambda chunk: float(chunk.sum()))
            parts = [truth[number * PER_CHUNK :][:PER_CHUNK] for number in array.stored()]
            assert sums == tuple(float(part.sum()) for part in parts)
        else:
            number = row // PER_CHUNK
            chunk = array.chunk(number)
            if chunk is not None:
                assert np.array_equal(chunk, truth[number * PER_CHUNK :][:PER_CHUNK])
        assert memory.used <= chunks * CHUNK_BYTES
    for array, truth in zip(arrays, plain, strict=True):
        assert np.array_equal(array.read(slice(None)), truth)


def test_clean_chunks_are_read_again_and_written_nowhere(tmp_path: Path) -> None:
    memory = ChunkMemory(budget=CHUNK_BYTES, folder=tmp_path / "scratch")
    array = new(memory)
    loads: list[int] = []

    def load(number: int) -> np.ndarray:
        loads.append(number)
        return np.full((array.rows_in(number), WIDTH), number, np.float32)

    array.keep_elsewhere(range(array.n_chunks), load)
    assert list(array.stored()) == list(range(13))
    assert loads == [], "nothing is read before it is used"
    array.read(slice(0, 20))
    array.read(slice(0, 20))
    assert loads == [0, 1, 2, 0, 1, 2]
    assert not (tmp_path / "scratch").exists()


def test_changed_chunks_are_kept_in_a_file_that_nobody_sees(tmp_path: Path) -> None:
    memory = ChunkMemory(budget=CHUNK_BYTES, folder=tmp_path / "scratch")
    array = new(memory)
    for row in range(0, ROWS, PER_CHUNK):
        array.write(np.array([[row, 0]]), np.array([row]))
    assert memory.used == CHUNK_BYTES // 2, "the last chunk is a short one"
    assert list((tmp_path / "scratch").iterdir()) == []
    assert array.read(slice(0, ROWS, PER_CHUNK))[:, 0].tolist() == list(range(0, ROWS, PER_CHUNK))


def test_once_written_elsewhere_a_chunk_is_clean() -> None:
    memory = ChunkMemory(budget=CHUNK_BYTES)
    array = new(memory)
    array.write(np.array([[0, 0]]), np.array([7.0]))
    kept = array.read(slice(0, PER_CHUNK))
    loads: list[int] = []
    array.keep_elsewhere([0], lambda number: loads.append(number) or kept.copy())
    array.read(slice(50, 51))
    array.write(np.array([[60, 0]]), np.array([1.0]))
    assert loads == []
    assert array.get(np.array([[0, 0]])).tolist() == [7.0]
    assert loads == [0]


def test_with_no_room_for_the_scratch_file_nothing_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = ChunkMemory(budget=CHUNK_BYTES, folder=tmp_path)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(memory.scratch, "write", full)
        array = new(memory)
        values = np.arange(ROWS, dtype=np.float32)
        for row in range(ROWS):
            array.write(np.array([[row, 2]]), values[row : row + 1])
        assert np.array_equal(array.read(slice(None))[:, 2], values)
        assert memory.used == ROWS * WIDTH * 4
    assert np.array_equal(array.read(slice(None))[:, 2], values)
    array.write(np.array([[0, 0]]), np.array([1.0]))
    array.set_chunk(1, np.zeros((PER_CHUNK, WIDTH)))
    assert array.read(slice(0, 16))[8:].max() == 0
