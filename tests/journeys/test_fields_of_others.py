"""A mapping names a field full of the sales team's notes: nothing of it is lost, on either CRM."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from house import DAY, House, standing
from house_hubspot import COMPANIES, HubSpotHouse
from told_undo import told

from adapters.sandbox.hubspot.schema import Property
from connector import checking, planning, undoing
from connector.clock import SteppedClock
from connector.store import connecting
from mappings import edit
from mappings.loading import load, packaged

NOTES = "Knows the CFO. Never call before ten."
FIELD = {"salesforce": "Description", "hubspot": "sales_notes"}
LINE = "write.account.summary"
MINUTE = timedelta(minutes=1)


@pytest.fixture(params=[House, HubSpotHouse], ids=["salesforce", "hubspot"])
def live(request: pytest.FixtureRequest, tmp_path: Path, store_address: str, clock: SteppedClock) -> Iterator[House]:
    """Live, with sixty accounts; three of them have notes in a field of the sales team's."""
    with standing(request.param, tmp_path, store_address, clock) as house:
        if isinstance(house, HubSpotHouse):
            notes = Property("sales_notes", label="Sales notes", field_type="textarea")
            house.org.new_property(COMPANIES, notes)
        yield house


def use(house: House, text: str) -> None:
    """Put a mapping in place."""
    endpoint = replace(house.installation.endpoints[0], mapping=load(text, "mappings/acme.toml"))
    house.installation = replace(house.installation, endpoints=[endpoint])


def rated(house: House, account: str, rating: int) -> None:
    """Let somebody be asked, answer, and the answer be written back."""
    address = f"maria.{account}.{rating}@customer.example".lower()
    case = house.case(account, house.contact(account, "Maria Virtanen", address))
    house.lap()
    house.close_case(case)
    house.later(MINUTE)
    house.later(DAY + MINUTE)
    (mail,) = house.mailbox.to(address)
    house.answer(mail, rating)
    house.later(MINUTE)


def test_notes_are_refused_then_overwritten_by_the_admins_word_and_brought_back(live: House) -> None:
    field = FIELD[live.ADAPTER]
    accounts = [live.account(f"Account {number:02}") for number in range(60)]
    for account in accounts[:3]:
        live.org.update(live.ACCOUNT, account, {field: NOTES})
    text = packaged(live.ADAPTER)
    refused = edit.set_field(text, LINE, field)
    use(live, refused)
    live.later(MINUTE)

    (problem,) = [one for one in checking.check(live.installation).problems if LINE in one.where]
    assert problem.severity == "error"
    assert "3 of 60 records" in problem.what
    rated(live, accounts[0], 1)
    assert live.record(live.ACCOUNT, accounts[0])[field] == NOTES
    assert live.figures(live.ACCOUNT, accounts[0])["mood"]
    assert len(live.tasks()) == 1
    planned = planning.next_lap(live.installation)
    assert [(one.field.field, one.filled.holds) for one in planned.foreign] == [(field, 3)]

    since = live.clock.now()
    use(live, edit.set_own(refused, LINE))
    live.later(MINUTE)
    for account in accounts[1:3]:
        rated(live, account, 2)
    written = [live.record(live.ACCOUNT, account)[field] for account in accounts[:3]]
    assert ["of 5" in str(text) for text in written] == [True] * 3
    assert told(undoing.carry_out, live.installation, since).exit_code == 0
    assert [live.record(live.ACCOUNT, account)[field] for account in accounts[:3]] == [NOTES] * 3
    with live.installation.store.read() as tx:
        state = connecting.peek(tx, "acme")
    assert state is not None
    assert state.paused_at is not None
