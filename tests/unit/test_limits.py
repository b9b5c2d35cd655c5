"""The one table of limits is there for whoever wants to read it."""

from recollect.store import limits


def test_limits_have_names_values_units_and_meanings() -> None:
    table = {name: (value, unit, about) for name, value, unit, about in limits()}

    assert table["RULE_TEXT"][:2] == (65_536, "bytes")
    assert all(value > 0 and unit and about for value, unit, about in table.values())
