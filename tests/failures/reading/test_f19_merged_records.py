"""After a merge there is one record: it has the answers of both, and writes go to it alone."""

from environment import DAY, HOUR, Environment
from incidents import asked, merge, people


def test_both_histories_count_for_the_survivor_even_through_a_chain_of_merges(either: Environment) -> None:
    one, two, three = (asked(either, rating, name=f"Part {rating}") for rating in (3, 4, 5))
    either.advance(HOUR)
    middle = merge(either, "Account", two["account"], one["account"])
    either.advance(HOUR)
    last = merge(either, "Account", three["account"], middle)
    either.later(2 * HOUR)
    either.later(2 * HOUR)
    assert people(either, last) == 3
    either.mark()
    assert either.later(DAY).exit_code == 0
    assert either.writes == []


def test_an_answer_to_a_mail_from_before_the_merge_is_shown_on_the_survivor(either: Environment) -> None:
    loser = asked(either, name="Nordwind")
    winner = either.account("Northwind")
    either.later(HOUR)
    remaining = merge(either, "Account", winner, loser["account"])
    either.later(2 * HOUR)
    either.answer(either.mailbox.mails[0], 5)
    report = either.lap()
    assert report.exit_code == 0
    assert people(either, remaining) == 1
