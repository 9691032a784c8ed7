"""A record that somebody else holds is tried again by itself; we ourselves never write two things at once."""

import threading

from environment import DAY, HOUR, Environment
from incidents import asked, words

from adapters.sandbox.web import Request, Response


def test_what_was_held_in_this_lap_is_written_in_the_next_and_nothing_else_waits(either: Environment) -> None:
    one, two = asked(either, name="Northwind"), asked(either, name="Southwind")
    either.org.faults.lock_row(one["account"])
    for mail in either.mailbox.mails:
        either.answer(mail, 5)
    either.lap()
    account = words(either, "Account")
    assert "people" not in either.figures(account, one["account"])
    assert "people" in either.figures(account, two["account"])
    either.org.faults.unlock_row(one["account"])
    assert either.later(HOUR).exit_code == 0
    assert "people" in either.figures(account, one["account"])
    assert either.status()["refused"] == []


def test_a_lock_that_is_held_for_moments_is_waited_for(acme: Environment) -> None:
    who = asked(acme)
    acme.answer(acme.mailbox.mails[0], 5)
    acme.org.faults.lock_row(who["account"], times=2)
    assert acme.lap().exit_code == 0
    assert acme.figures("Account", who["account"])["people"] == 1


def test_no_two_changes_are_under_way_together(either: Environment) -> None:
    account = either.account("Northwind")
    for name in ("ann", "bea", "cyd"):
        either.closed_case(account, either.contact(account, name.title(), f"{name}@nw.example"))
    either.later(HOUR)
    either.later(DAY)
    for mail in either.mailbox.mails:
        either.answer(mail, 1, "Nobody called back.")
    real, under_way, most = either.org.handle, list[str](), list[int]()
    gate = threading.Lock()

    def handle(request: Request) -> Response:
        changes = request.method in ("PATCH", "POST") and ("composite" in request.target or "batch" in request.target)
        if not changes or request.target.endswith("/read"):
            return real(request)
        with gate:
            under_way.append(request.target)
            most.append(len(under_way))
        answer = real(request)
        under_way.remove(request.target)
        return answer

    either.org.handle = handle  # type: ignore[method-assign]
    either.lap()
    assert len(most) >= 3
    assert max(most) == 1
