"""A mapping names a field full of the sales team's notes: nothing of it is lost, on either CRM."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from default_mappings import packaged
from environment import DAY, Environment, standing
from environment_hubspot import COMPANIES, HubSpotEnvironment
from told_undo import told

from adapters.sandbox.hubspot.portal.schema import Property
from connector.commands import plan, undo
from connector.commands.check import checks
from connector.runtime.clock import SteppedClock
from connector.store.ops import connections
from mappings import edit
from mappings.loading import load

NOTES = "Knows the CFO. Never call before ten."
FIELD = {"salesforce": "Description", "hubspot": "sales_notes"}
LINE = "write.account.summary"
MINUTE = timedelta(minutes=1)


@pytest.fixture(params=[Environment, HubSpotEnvironment], ids=["salesforce", "hubspot"])
def live(
    request: pytest.FixtureRequest, tmp_path: Path, store_address: str, clock: SteppedClock
) -> Iterator[Environment]:
    """Live, with sixty accounts; three of them have notes in a field of the sales team's."""
    with standing(request.param, tmp_path, store_address, clock) as env:
        if isinstance(env, HubSpotEnvironment):
            notes = Property("sales_notes", label="Sales notes", field_type="textarea")
            env.org.new_property(COMPANIES, notes)
        yield env


def use(env: Environment, text: str) -> None:
    """Put a mapping in place."""
    endpoint = replace(env.installation.endpoints[0], mapping=load(text, "mappings/acme.toml"))
    env.installation = replace(env.installation, endpoints=[endpoint])


def rated(env: Environment, account: str, rating: int) -> None:
    """Let somebody be asked, answer, and the answer be written back."""
    address = f"maria.{account}.{rating}@customer.example".lower()
    case = env.case(account, env.contact(account, "Maria Virtanen", address))
    env.lap()
    env.close_case(case)
    env.later(MINUTE)
    env.later(DAY + MINUTE)
    (mail,) = env.mailbox.to(address)
    env.answer(mail, rating)
    env.later(MINUTE)


def test_notes_are_refused_then_overwritten_by_the_admins_word_and_brought_back(live: Environment) -> None:
    field = FIELD[live.ADAPTER]
    accounts = [live.account(f"Account {number:02}") for number in range(60)]
    for account in accounts[:3]:
        live.org.update(live.ACCOUNT, account, {field: NOTES})
    text = packaged(live.ADAPTER)
    refused = edit.set_field(text, LINE, field)
    use(live, refused)
    live.later(MINUTE)

    (problem,) = [candidate for candidate in checks.check(live.installation).problems if LINE in candidate.where]
    assert problem.severity == "error"
    assert "3 of 60 records" in problem.what
    rated(live, accounts[0], 1)
    assert live.record(live.ACCOUNT, accounts[0])[field] == NOTES
    assert live.figures(live.ACCOUNT, accounts[0])["mood"]
    assert len(live.tasks()) == 1
    planned = plan.next_lap(live.installation)
    assert [(one.field.field, one.filled.holds) for one in planned.foreign] == [(field, 3)]

    since = live.clock.now()
    use(live, edit.set_own(refused, LINE))
    live.later(MINUTE)
    for account in accounts[1:3]:
        rated(live, account, 2)
    written = [live.record(live.ACCOUNT, account)[field] for account in accounts[:3]]
    assert ["of 5" in str(text) for text in written] == [True] * 3
    assert told(undo.carry_out, live.installation, since).exit_code == 0
    assert [live.record(live.ACCOUNT, account)[field] for account in accounts[:3]] == [NOTES] * 3
    with live.installation.store.read() as tx:
        state = connections.peek(tx, "acme")
    assert state is not None
    assert state.paused_at is not None
