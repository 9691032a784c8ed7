"""Records with the stamp of the last one read are not "older than what was read"."""

from environment import HOUR, Environment
from incidents import accounts, answering, names

from adapters.sandbox.web import json_response


def test_a_sibling_of_the_same_stamp_that_shows_up_later_is_read(either: Environment) -> None:
    either.advance(HOUR)
    either.account("First")
    either.org.faults.hide_commits(HOUR / 60, times=1)
    either.account("Sibling")
    either.lap()
    assert names(either) == {"First"}
    either.later(HOUR / 60)
    assert names(either) == {"First", "Sibling"}


def test_siblings_parted_by_a_page_are_all_read(acme: Environment) -> None:
    acme.org.rows_per_page = 1
    for name in ("One", "Two", "Three"):
        acme.account(name)
    with answering(acme, accounts(acme), lambda page, *_: json_response([], 500) if page > 1 else None):
        acme.lap()
    assert len(names(acme)) == 1
    acme.lap()
    assert names(acme) == {"One", "Two", "Three"}
