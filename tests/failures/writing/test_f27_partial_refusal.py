"""Records that the CRM refuses inside a call that went well are told as refused, each with the CRM's words; the others are written."""

from environment import DAY, HOUR, Environment
from incidents import rows, words

from connector.store import tables

RULE = "Gold customers are changed by their manager only."


def test_one_refused_record_among_many(either: Environment) -> None:
    accounts = {}
    for name in ("ann", "bea", "cyd"):
        accounts[name] = either.account(f"Company of {name}")
        either.close_case(
            either.case(accounts[name], either.contact(accounts[name], name.title(), f"{name}@nw.example"))
        )
    either.later(HOUR)
    either.later(DAY)
    for mail in either.mailbox.mails:
        either.answer(mail, 5)
    refused = accounts["bea"]
    code = "FIELD_CUSTOM_VALIDATION_EXCEPTION" if words(either, "Account") == "Account" else "VALIDATION_ERROR"
    either.org.faults.refuse_row(words(either, "Account"), code, RULE, key=refused, operation="update")
    report = either.lap()
    assert report.exit_code == 1
    assert report.written["acme"].refused == 1
    shown = {name: bool(_score(either, account)) for name, account in accounts.items()}
    assert shown == {"ann": True, "bea": False, "cyd": True}
    (row,) = rows(either, tables.refused_record, direction="write")
    assert refused in row.key
    assert RULE in row.what


def _score(env: Environment, account: str) -> object:
    shown = env.shows(words(env, "Account"), account)
    return shown.get("Mood") or shown.get("mood")
