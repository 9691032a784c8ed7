"""A record may become visible with a stamp that reading has already passed: a slow transaction, a lagging index."""

from datetime import timedelta

from environment import Environment
from incidents import names


def test_a_record_that_shows_up_below_the_newest_one_read_is_still_read(either: Environment) -> None:
    lag = either.installation.endpoints[0].adapter.lag
    either.org.faults.hide_commits(lag - timedelta(minutes=1), times=1)
    either.account("Late")
    either.advance(timedelta(seconds=5))
    either.account("Visible at once")
    either.later(timedelta(seconds=30))
    assert names(either) == {"Visible at once"}
    either.later(lag)
    assert names(either) == {"Late", "Visible at once"}
