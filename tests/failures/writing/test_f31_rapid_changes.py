"""Several changes of one score between two laps are one write, of the last."""

from environment import DAY, HOUR, Environment
from incidents import words


def test_two_answers_before_a_lap_are_one_write(either: Environment) -> None:
    account = either.account("Northwind")
    for name in ("ann", "bea"):
        either.close_case(either.case(account, either.contact(account, name.title(), f"{name}@nw.example")))
    either.later(HOUR)
    either.later(DAY)
    either.org.faults.fail(503, {"message": "busy"}, path=r"composite/sobjects|companies/batch/update", times=50)
    for mail, rating in zip(either.mailbox.mails, (1, 5), strict=True):
        either.answer(mail, rating)
        either.lap()
    either.org.faults.clear()
    either.mark()
    either.later(HOUR)
    updates = [call for call in either.writes if "associations" not in call.path]
    of_accounts = [call for call in updates if call.sobject == words(either, "Account")]
    assert [(call.rows, call.status) for call in of_accounts] == [(1, 200)]
    shown = either.shows(words(either, "Account"), account)
    assert int(float(shown.get("People") or shown["people"])) == 2
