"""A mass update moves every stamp and means nothing: only what ended asks."""

from environment import DAY, HOUR, Environment
from incidents import words


def test_a_touch_of_every_record_asks_nobody(either_new: Environment) -> None:
    account = either_new.account("Northwind")
    people = [either_new.contact(account, f"P{n}", f"p{n}@nw.example") for n in range(4)]
    cases = [either_new.case(account, contact) for contact in people]
    for case in cases[:2]:
        either_new.close_case(case)
    either_new.advance(HOUR)
    either_new.lap()
    either_new.advance(DAY)
    name = words(either_new, "Case")
    touch = {"Priority": "High"} if name == "Case" else {"hs_ticket_priority": "HIGH"}
    for case in cases:
        either_new.org.update(name, case, touch)
    either_new.later(HOUR)
    either_new.later(2 * DAY)
    assert either_new.mailbox.mails == []
