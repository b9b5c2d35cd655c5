"""What callers may pass as vectors and time limits."""

import array
import mmap
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from recollect import LEAVE, InvalidInputError
from recollect.store.values import seconds, single_row, vector_row, vector_rows

ROW = [0.5, -2.0, 8.0]


def mapped(content: bytes) -> mmap.mmap:
    """Memory that holds the bytes."""
    memory = mmap.mmap(-1, len(content))
    memory.write(content)
    return memory


@pytest.mark.parametrize(
    "given",
    [
        ROW,
        tuple(ROW),
        np.array(ROW, dtype=np.float32),
        np.array(ROW, dtype=np.float64),
        np.array(ROW, dtype=">f4"),
        np.array([9.0, *ROW], dtype=np.float16)[1:],
        np.array([[value, 0] for value in ROW], dtype=np.float32)[:, 0],
        array.array("f", ROW),
        array.array("d", ROW),
        np.array(ROW, dtype="<f4").tobytes(),
        bytearray(np.array(ROW, dtype="<f4").tobytes()),
        memoryview(array.array("f", ROW)),
        memoryview(array.array("d", ROW)),
        memoryview(np.array(ROW, dtype="<f4").tobytes()),
        memoryview(bytes(part for byte in np.array(ROW, dtype="<f4").tobytes() for part in (byte, 0)))[::2],
        array.array("B", np.array(ROW, dtype="<f4").tobytes()),
        array.array("b", np.array(ROW, dtype="<f4").tobytes()),
        mapped(np.array(ROW, dtype="<f4").tobytes()),
    ],
    ids=lambda given: f"{type(given).__name__}-{getattr(given, 'dtype', '')}",
)
def test_vector_of_any_form_becomes_float32(given: Any) -> None:
    row = vector_row(given)

    assert row is not None
    assert row.dtype == np.float32
    assert row.flags.c_contiguous
    assert row.tolist() == ROW


def test_float32_array_is_not_copied() -> None:
    given = np.ones((3, 4), dtype=np.float32)

    rows = vector_rows(given)

    assert rows is not None
    assert np.shares_memory(rows, given)


def test_single_row_has_one_row() -> None:
    row = single_row(ROW)
    assert row is not None
    assert row.shape == (1, 3)
    assert single_row(None) is vector_row(None) is vector_rows(None) is None


@pytest.mark.parametrize(
    "given",
    [
        "words",
        [["a"]],
        [1, [2]],
        b"12345",
        bytearray(b"123"),
        memoryview(b"1234567"),
        mapped(b"12"),
        array.array("B", b"12345"),
        array.array("i", [1, 2]),
        memoryview(array.array("q", [1, 2])),
        np.ones(8, dtype=np.uint8),
        {},
        np.ones(3, dtype=complex),
        [[1.0], [1.0, 2.0]],
        [True],
        object(),
    ],
)
def test_what_is_no_vector_is_refused_with_a_hint(given: Any) -> None:
    for convert in (vector_row, vector_rows):
        with pytest.raises(InvalidInputError) as caught:
            convert(given)
        assert caught.value.hint


def test_wrong_number_of_dimensions_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="one dimension"):
        vector_row(np.ones((2, 2)))
    with pytest.raises(InvalidInputError, match="two dimensions"):
        vector_rows(np.ones(2))


def test_number_beyond_float32_becomes_infinite_without_a_warning() -> None:
    row = vector_row([1e300])
    assert row is not None
    assert np.isinf(row[0])


def test_time_limits_are_seconds() -> None:
    assert seconds(timedelta(milliseconds=1500)) == 1.5
    assert seconds(2.5) == 2.5
    assert seconds(None) is None


def test_leave_reads_as_leave() -> None:
    assert repr(LEAVE) == "LEAVE"
