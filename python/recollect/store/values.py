"""From what callers may pass to what the core takes."""

from collections.abc import Sequence
from datetime import timedelta
from enum import Enum
from typing import TYPE_CHECKING, Final, TypeAlias

from recollect.exceptions import InvalidInputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from typing_extensions import Buffer

__all__ = ["LEAVE", "Leave", "Timeout", "Vector", "Vectors", "seconds", "single_row", "vector_row", "vector_rows"]

Timeout: TypeAlias = float | timedelta | None
"""How long a call may take: seconds, a duration, or None for no limit but the store's on waiting for other writers."""

Vector: TypeAlias = "NDArray[np.floating] | Sequence[float] | Buffer"
"""One vector: an array of floats, a sequence of floats, or the bytes of little-endian 32-bit floats."""

Vectors: TypeAlias = "NDArray[np.floating] | Sequence[Sequence[float]] | Sequence[NDArray[np.floating]] | Buffer"
"""Vectors, one a row: a two-dimensional array of floats, or a sequence of vectors."""


class Leave(Enum):
    """The type of `LEAVE`."""

    LEAVE = "leave"

    def __repr__(self) -> str:
        return "LEAVE"


LEAVE: Final = Leave.LEAVE
"""What `update` takes for a field that stays as it is, because None takes a field's value away."""


def seconds(timeout: Timeout) -> float | None:
    """The number of seconds of a time limit."""
    return timeout.total_seconds() if isinstance(timeout, timedelta) else timeout


def vector_row(vector: "Vector | None") -> "NDArray[np.float32] | None":
    """One vector as an array of shape (d,).

    Raises:
        InvalidInputError: It is no sequence of numbers, or has more than one dimension.
    """
    if vector is None:
        return None
    array = _array(vector)
    if array.ndim != 1:
        raise InvalidInputError(
            f"a vector has one dimension, and this one has {array.ndim}", "pass an array of shape (d,)"
        )
    return array


def single_row(vector: "Vector | None") -> "NDArray[np.float32] | None":
    """One vector as an array of shape (1, d).

    Raises:
        InvalidInputError: As `vector_row`.
    """
    row = vector_row(vector)
    return None if row is None else row.reshape(1, -1)


def vector_rows(vectors: "Vectors | None") -> "NDArray[np.float32] | None":
    """Vectors as an array of shape (n, d).

    Raises:
        InvalidInputError: They are no rows of numbers of one length.
    """
    if vectors is None:
        return None
    array = _array(vectors)
    if array.size == 0:
        return array.reshape(0, 0)
    if array.ndim != 2:  # noqa: PLR2004 - rows and columns
        raise InvalidInputError(
            f"vectors have two dimensions, and these have {array.ndim}", "pass an array of shape (n, d)"
        )
    return array


def _array(values: object) -> "NDArray[np.float32]":
    """Values as 32-bit floats in C order; copied only where they are something else."""
    import numpy as np  # noqa: PLC0415 - importing recollect must not cost the import of numpy

    hint = "pass an array of float32"
    try:
        if isinstance(values, (bytes, bytearray)):
            return np.frombuffer(values, dtype="<f4")
        array = np.asarray(values)
    except (ValueError, TypeError) as error:
        raise InvalidInputError(f"this cannot be read as vectors: {error}", hint) from error
    if array.dtype.kind not in "fiu":
        raise InvalidInputError(f"vectors are made of numbers, not of {array.dtype}", hint)
    # A number too large for 32 bits becomes infinite, which the core refuses.
    with np.errstate(over="ignore"):
        return np.ascontiguousarray(array, dtype=np.float32)
