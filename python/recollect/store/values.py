"""From what callers may pass to what the core takes."""

from collections.abc import Sequence
from datetime import timedelta
from enum import Enum
from typing import TYPE_CHECKING, Final, ForwardRef, TypeAlias, Union

from recollect.arrays import np, npt
from recollect.exceptions import InvalidInputError

__all__ = ["LEAVE", "Leave", "Timeout", "Vector", "Vectors", "seconds", "single_row", "vector_row", "vector_rows"]

Timeout: TypeAlias = float | timedelta | None
"""How long a call may take: seconds, a duration, or None for no limit but the store's on each wait for others."""

if TYPE_CHECKING:
    from typing_extensions import Buffer

    Vector: TypeAlias = npt.NDArray[np.floating] | Sequence[float] | Buffer
    """One vector: an array of floats, a sequence of floats, or a buffer of 32-bit or 64-bit floats.

    A buffer of bytes (`bytes`, `bytearray`, a memory map) holds little-endian 32-bit floats.
    """

    Vectors: TypeAlias = (
        npt.NDArray[np.floating] | Sequence[Sequence[float]] | Sequence[npt.NDArray[np.floating]] | Buffer
    )
    """Vectors, one a row: a two-dimensional array of floats, or a sequence of vectors."""
else:
    # What a type checker reads above would import numpy. These are evaluated when someone asks for type hints.
    _Array = ForwardRef("npt.NDArray[np.floating]", module=__name__)
    Vector = Union[_Array, Sequence[float], bytes, bytearray, memoryview]  # noqa: UP007 - a forward reference has no `|` before Python 3.14
    Vectors = Union[_Array, Sequence[Sequence[float]], Sequence[_Array], memoryview]  # noqa: UP007 - as above

# Formats of buffers as the module `struct` writes them.
_FLOATS: Final = frozenset({"e", "f", "d", "g"})
_BYTES: Final = frozenset({"B", "b", "c"})
_FLOAT_BYTES: Final = 4


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


def vector_row(vector: Vector | None) -> "npt.NDArray[np.float32] | None":
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


def single_row(vector: Vector | None) -> "npt.NDArray[np.float32] | None":
    """One vector as an array of shape (1, d).

    Raises:
        InvalidInputError: As `vector_row`.
    """
    row = vector_row(vector)
    return None if row is None else row.reshape(1, -1)


def vector_rows(vectors: Vectors | None) -> "npt.NDArray[np.float32] | None":
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


def _array(values: object) -> "npt.NDArray[np.float32]":
    """Values as 32-bit floats in C order; copied only where they are something else."""
    hint = "pass an array of float32"
    try:
        array = _from_bytes(values)
        if array is None:
            array = np.asarray(values)
    except Exception as error:
        # Whatever the methods of the values themselves fail with, too.
        raise InvalidInputError(f"this cannot be read as vectors: {error}", hint) from error
    if array.dtype.kind not in "fiu":
        raise InvalidInputError(f"vectors are made of numbers, not of {array.dtype}", hint)
    if array.dtype == np.uint8:
        raise InvalidInputError(
            "an array of uint8 may hold numbers or the bytes of floats", "pass it with astype('f4') or view('<f4')"
        )
    # A number too large for 32 bits becomes infinite, which the core refuses.
    with np.errstate(over="ignore"):
        return np.ascontiguousarray(array, dtype=np.float32)


def _from_bytes(values: object) -> "npt.NDArray[np.float32] | None":
    """The 32-bit floats whose bytes a buffer holds; None for what is an array, a buffer of floats, or no buffer."""
    if isinstance(values, np.ndarray):
        return None
    try:
        # `Buffer` is there for type checkers alone before Python 3.12.
        view = memoryview(values)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    except TypeError:
        return None
    kind = view.format.lstrip("@=<>!")
    if kind in _FLOATS:
        return None
    if kind not in _BYTES:
        raise ValueError(f"a buffer of format {view.format!r} holds neither floats nor bytes")
    if view.nbytes % _FLOAT_BYTES:
        raise ValueError(f"{view.nbytes} bytes are no whole number of 32-bit floats")
    return np.frombuffer(view if view.c_contiguous else view.tobytes(), dtype="<f4")
