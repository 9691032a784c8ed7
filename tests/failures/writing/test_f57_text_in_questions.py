"""Whatever text an admin or a customer writes stays text in a question to the CRM: it breaks none, and widens none."""

import json

from environment import DAY, HOUR, Environment
from incidents import edit_mapping, rows, words

from connector.store import tables

NASTY = "O'Dell \\ \"x\" 100% _ ' OR Subject != ' 😀"
SUBJECT = {"Case": "Subject", "tickets": "subject"}


def test_a_condition_with_quotes_and_backslashes_finds_what_it_names_and_nothing_else(either: Environment) -> None:
    cases = words(either, "Case")
    condition = f'where = {{ field = "{SUBJECT[cases]}", is = {json.dumps(NASTY, ensure_ascii=False)} }}'
    start = f'[interaction.case]\nobject = "{cases}"\n'
    edit_mapping(either, start, f"{start}{condition}\n")
    either.lap()
    account = either.account("Northwind")
    contact = either.contact(account, "Maria Virtanen", "maria@nw.example")
    meant = either.case(account, contact)
    either.org.update(cases, meant, {SUBJECT[cases]: NASTY})
    other = either.case(account, contact)
    for case in (meant, other):
        either.close_case(case)
    assert either.later(HOUR).exit_code == 0
    assert either.later(DAY).exit_code == 0
    assert [row.ref.partition("/")[2] for row in rows(either, tables.interaction)] == [meant]
    assert len(either.mailbox.mails) == 1
