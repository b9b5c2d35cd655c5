"""The exceptions agree with the core's table, and behave as Python exceptions should."""

import pickle
import traceback

import pytest

from recollect import exceptions
from recollect.exceptions import InvalidInputError, NotFoundError, RecollectError
from recollect.store import error_table

CLASSES = [getattr(exceptions, name) for name in exceptions.__all__ if name != "RecollectError"]


def test_classes_agree_with_the_table_of_the_core() -> None:
    ours = {(error.code, error.retryable, error.default_hint) for error in CLASSES}
    theirs = {(code, retryable, hint) for code, retryable, _, hint in error_table()}

    assert ours == theirs
    assert len(CLASSES) == len(error_table())


def test_exit_statuses_are_distinct_and_leave_zero_and_one_free() -> None:
    statuses = [status for _, _, status, _ in error_table()]

    assert len(set(statuses)) == len(statuses)
    assert all(1 < status < 126 for status in statuses)


@pytest.mark.parametrize("error_class", CLASSES)
def test_every_class_derives_from_the_base_and_never_from_oserror(error_class: type[RecollectError]) -> None:
    assert issubclass(error_class, RecollectError)
    assert not issubclass(error_class, OSError)
    assert error_class.__name__ in (exceptions.__doc__ or "")


@pytest.mark.parametrize("error_class", [*CLASSES, RecollectError])
def test_error_pickled_comes_back_with_message_and_hint(error_class: type[RecollectError]) -> None:
    error = pickle.loads(pickle.dumps(error_class("it broke", "mend it")))  # noqa: S301 - our own bytes

    assert type(error) is error_class
    assert (str(error), error.message, error.hint) == ("it broke", "it broke", "mend it")
    assert error.__notes__ == ["hint: mend it"]


def test_error_without_hint_takes_that_of_its_class() -> None:
    assert InvalidInputError("no").hint == InvalidInputError.default_hint
    assert NotFoundError("no", None).hint == NotFoundError.default_hint


def test_traceback_shows_the_hint() -> None:
    lines = traceback.format_exception(InvalidInputError("it broke", "mend it"))

    assert "hint: mend it\n" in lines[-1] + "\n" or any("hint: mend it" in line for line in lines)


def test_builtin_bases_let_existing_handlers_work() -> None:
    with pytest.raises(LookupError):
        raise NotFoundError("gone")
    with pytest.raises(ValueError, match="bad"):
        raise InvalidInputError("bad")
