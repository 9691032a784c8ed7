"""The first lap reads everything there is, however old."""

from datetime import UTC, datetime

from environment import Environment
from incidents import names


def test_a_record_that_nobody_has_touched_for_twenty_years_is_read(either_new: Environment) -> None:
    account = either_new.account("Northwind")
    object_name = "companies" if account.isdigit() else "Account"
    name = "name" if account.isdigit() else "Name"
    either_new.org.insert(object_name, {name: "Old Mill"}, at=datetime(2006, 3, 1, tzinfo=UTC))
    either_new.lap()
    assert names(either_new) == {"Northwind", "Old Mill"}
