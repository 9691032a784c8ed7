"""A record that is changed while a lap reads must be read in the next, though the lap's own end was later."""

from datetime import timedelta

from environment import HOUR, Environment
from incidents import accounts, during, names, rename, tiny_pages


def test_a_record_changed_behind_the_reader_is_read_by_the_next_lap(either: Environment) -> None:
    tiny_pages(either)
    either.advance(HOUR)
    account = either.account("Northwind")
    either.account("Last")

    def long_reading() -> None:
        either.advance(timedelta(minutes=1))
        rename(either, account, "Northwind Traders")
        either.advance(2 * HOUR)

    with during(either, accounts(either), long_reading, nth=2):
        either.lap()
    assert names(either) == {"Northwind", "Last"}
    either.lap()
    assert names(either) == {"Northwind Traders", "Last"}
