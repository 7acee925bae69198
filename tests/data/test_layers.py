"""The chunked array reads back what was written, as a plain array would."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.data.chunked_array import CHUNK, ChunkedArray
from pipeline.data.layers import INPUTS, LAYERS

ROWS = 2 * CHUNK + 44


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.lists(
            st.tuples(st.integers(0, ROWS - 1), st.integers(0, 2), st.integers(-9, 9)),
            min_size=1,
            max_size=9,
            unique_by=lambda cell: cell[:2],
        ),
        max_size=6,
    ),
    st.integers(0, ROWS),
    st.integers(0, ROWS),
    st.sampled_from([1, 1, 3, -1]),
)
def test_reads_like_a_plain_array(
    writes: list[list[tuple[int, int, int]]], start: int, stop: int, step: int
) -> None:
    chunked = ChunkedArray((ROWS, 3, 2), "f4", float("nan"))
    plain = np.full((ROWS, 3, 2), np.nan, np.float32)
    for cells in writes:
        index = np.array([cell[:2] for cell in cells], np.intp)
        values = np.array([(cell[2], -cell[2]) for cell in cells], np.float32)
        chunked.write(index, values)
        plain[tuple(index.T)] = values
        assert np.array_equal(chunked.get(index), values)
    rows = slice(start, stop, step)
    assert np.array_equal(chunked.read(rows), plain[rows], equal_nan=True)
    some = np.array([stop % ROWS, start % ROWS, start % ROWS], np.intp)
    assert np.array_equal(chunked.read(some), plain[some], equal_nan=True)


def test_chunks_exist_only_where_written() -> None:
    array = ChunkedArray((ROWS, 3), "u1", 0)
    assert array.read(slice(None)).shape == (ROWS, 3)
    assert list(array.stored()) == []
    array.write(np.array([[CHUNK, 1], [ROWS - 1, 0]]), np.array([4, 5]))
    assert list(array.stored()) == [1, 2]
    assert array.n_chunks == 3
    assert [array.rows_in(number) for number in range(3)] == [CHUNK, CHUNK, 44]


def test_nobody_outside_can_change_the_store() -> None:
    array = ChunkedArray((10, 2), "f4", 0)
    array.write(np.array([[1, 1]]), np.array([7]))
    array.read(slice(None))[1, 1] = 9
    array.get(np.array([[1, 1]]))[0] = 9
    chunk = array.chunk(0)
    assert chunk is not None
    with pytest.raises(ValueError, match="read-only"):
        chunk[1, 1] = 9
    given_chunk = np.ones((10, 2), np.float32)
    array.set_chunk(0, given_chunk)
    given_chunk[:] = 9
    assert array.read(slice(None)).max() == 1
    assert array.chunk(0) is not None


def test_a_chunk_of_another_shape_is_refused() -> None:
    array = ChunkedArray((ROWS, 3), "u1", 0)
    with pytest.raises(ValueError, match="chunk 2"):
        array.set_chunk(2, np.zeros((CHUNK, 3), np.uint8))


def test_every_input_of_a_derived_layer_is_a_layer() -> None:
    groups = {spec.group for spec in LAYERS.values()}
    for group, inputs in INPUTS.items():
        assert group in groups
        assert set(inputs) <= groups
        assert all(spec.kind == "derived" for spec in LAYERS.values() if spec.group == group)
