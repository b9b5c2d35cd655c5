"""A store under any sequence of calls agrees with the model of it; `make prove-model` runs thousands of sequences."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test
from tests.kit.model import Model
from tests.kit.model_compare import Difference
from tests.kit.model_handles import LocalConnection
from tests.kit.model_machine import ModelMachine, Place
from tests.kit.model_state import Handle, Refused

OWNER = Handle("owner", "", "none")


@pytest.fixture(autouse=True)
def _end_workers() -> Iterator[None]:
    """Ends the other processes, whatever the test came to."""
    yield
    ModelMachine.end_workers()


@pytest.mark.parametrize(("place", "count"), [("memory", 40), ("shared", 6), ("crash", 6)])
def test_store_agrees_with_its_model(place: Place, count: int) -> None:
    class Machine(ModelMachine):
        places = (place,)

    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=count, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )


def test_model_that_forgets_freed_keys_is_found() -> None:
    class Machine(ModelMachine):
        frees_keys = False

    machine = Machine()
    machine.begin(0, (), [("rule", 0, None)])
    try:
        with pytest.raises(Difference, match="already_exists"):
            _give_a_key_twice(machine)
    finally:
        for handle in machine.handles:
            handle.close()


def _give_a_key_twice(machine: ModelMachine) -> None:
    """Adds a rule with a key, deletes it, and gives its key to another."""
    for text in ("one", "two"):
        found = machine._step(0, "rules.add", text, key="k")
        ids = [getattr(found, "id", "nameless")]
        try:
            machine._settle(
                0, found, machine.model.add(machine.who[0], "rule", [{"text": text, "key": "k"}], None, ids)
            )
        except Refused as refusal:
            machine._settle(0, found, refusal)
        machine.delete(0, 0, None)


def test_model_of_an_empty_store_refuses_what_is_not_there() -> None:
    model = Model(lambda text, _media_type: ((text, (), 0),))

    with pytest.raises(Refused, match="not_found"):
        model.delete(OWNER, "rule", "01890a5d-ac96-774b-bcce-b302099a8057", None)
    with pytest.raises(Refused, match="not_found"):
        model.rename_project(OWNER, "p", "q")


def test_connection_gives_errors_as_values() -> None:
    connection = LocalConnection(":memory:", OWNER)
    try:
        assert connection.call("rules.get", "nonsense").code == "invalid_input"
        assert connection.call("stats").seq == 0
    finally:
        connection.close()
