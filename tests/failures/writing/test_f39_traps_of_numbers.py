"""What is no number is never taken for one, and nothing is never zero."""

from environment import DAY, HOUR, Environment
from incidents import accounts, answering, fact_of_accounts, new_field, rows

from adapters.sandbox.web import Request, Response
from connector.store import tables

HELD = {
    "nothing": ("", None),
    "a blank": ("blank", None),
    "zero": ("0", 0),
    "a whole one with a point": ("67340.0", 67340.0),
    "thousands": ("1,800.00", "left out"),
    "two of them": ("134;137", "left out"),
    "not a number": ("NaN", "left out"),
}


def test_a_value_that_is_no_number_is_left_out_and_named_and_its_record_is_kept(either: Environment) -> None:
    field = new_field(either, "staff", "text")
    fact_of_accounts(either, "staff", f'{{ field = "{field}", as = "number" }}')
    for name, (value, _) in HELD.items():
        either.org.update(either.ACCOUNT, either.account(name), {field: value})

    def with_blanks(_page: int, _request: Request, right: Response) -> Response:
        return Response(right.status, right.body.replace(b'"blank"', b'"  "'), right.headers)

    with answering(either, accounts(either), with_blanks):
        either.later(HOUR)
    stored = {row.name: row.facts.get("staff", "left out") for row in rows(either, tables.account)}
    assert stored == {name: expected for name, (_, expected) in HELD.items()}
    told = [row["what"] for row in either.status()["refused"]]
    assert len(told) == 3
    assert all(field in what for what in told)


def test_a_figure_of_zero_is_written_and_where_nobody_answered_there_is_no_figure(either: Environment) -> None:
    account = either.account("Northwind")
    for number in range(5):
        contact = either.contact(account, f"Person {number}", f"p{number}@nw.example")
        either.close_case(either.case(account, contact))
    silent = either.account("Southwind")
    either.close_case(either.case(silent, either.contact(silent, "Ann", "ann@sw.example")))
    either.later(HOUR)
    either.later(DAY)
    for mail in either.mailbox.mails:
        if mail.to != "ann@sw.example":
            either.answer(mail, 1)
    either.lap()
    assert float(either.figures(either.ACCOUNT, account)["csat"]) == 0
    assert not {"satisfaction", "low", "high", "csat"} & either.figures(either.ACCOUNT, silent).keys()
