"""However many fields are mapped, no question becomes too long for the CRM, and no record is lost by asking in parts."""

from environment import HOUR, Environment
from incidents import accounts, answering, edit_mapping, new_field, rows, tiny_pages

from adapters.sandbox.web import Request, Response
from connector.store import tables

MANY = {"salesforce": 420, "hubspot": 120}


def test_every_record_comes_with_its_first_and_its_last_field(either: Environment) -> None:
    fields = [new_field(either, f"a_field_with_a_rather_long_name_{n:03}", "text") for n in range(MANY[either.ADAPTER])]
    facts = "".join(f'fact_{number:03} = "{field}"\n' for number, field in enumerate(fields))
    edit_mapping(either, "[account.facts]\n", f"[account.facts]\n{facts}")
    tiny_pages(either)
    for number in range(3):
        account = either.account(f"Company {number}")
        either.org.update(either.ACCOUNT, account, {fields[0]: f"first {number}", fields[-1]: f"last {number}"})
    longest = [0]

    def note(_page: int, request: Request, _right: Response) -> None:
        longest.append(len(request.target))

    with answering(either, accounts(either), note):
        assert either.later(HOUR).exit_code == 0
    last = f"fact_{len(fields) - 1:03}"
    assert {(row.name, row.facts["fact_000"], row.facts[last]) for row in rows(either, tables.account)} == {
        (f"Company {number}", f"first {number}", f"last {number}") for number in range(3)
    }
    assert max(longest) < 16_000
