"""A calculated value changes without moving its record's stamp: the nightly comparison finds it, puts it right and counts it."""

from environment import DAY, HOUR, Environment
from incidents import rows, words

from connector.commands import reconcile
from connector.store import tables


def test_a_value_that_left_no_trace_is_put_right_at_night(either: Environment) -> None:
    account = either.account("Northwind")
    made = either.clock.now()
    either.later(DAY)
    name, calculated = ("Rating", "rating") if words(either, "Account") == "Account" else ("country", "country")
    either.org.update(words(either, "Account"), account, {name: "Hot"}, at=made)
    either.later(HOUR)
    (before,) = rows(either, tables.account)
    night = reconcile.run(either.installation, since=either.clock.now())
    (after,) = rows(either, tables.account)
    assert (before.facts.get(calculated), after.facts.get(calculated)) == (None, "Hot")
    assert sum(night.found["acme"].drift.values()) == 1
    assert either.status()["crm"]["acme"]["drift"]["records"] == 1
