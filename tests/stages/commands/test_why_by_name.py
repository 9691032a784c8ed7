"""`why` takes what people call a record, and what `plan` prints; of a connection that is only observed it says so."""

import pytest
from asking import CRM, World, world
from databases import BOTH_DATABASES
from sqlalchemy import update

from adapters.salesforce.package import normalise_id
from connector.commands.why import UnknownRecord, explain
from connector.stages.invite import stage as invite
from connector.store import Store
from connector.store import tables as t


@pytest.fixture
def here(store: Store) -> World:
    here = world(store)
    here.case("500000000000001AAA", label="case 00001259")
    here.case("500000000000002AAA", label='ticket "Printer offline"')
    invite.run(here.context())
    return here


def title(here: World, record: str) -> list[str]:
    """Return the headings of what is told."""
    return [line for line in explain(here.store, record, normalisers=[normalise_id]) if not line.startswith(" ")]


@pytest.mark.parametrize(
    "record",
    [
        "500000000000001AAA",
        "500000000000001",
        "case 00001259",
        "Case 00001259",
        "00001259",
        " 00001259 ",
        "https://acme.lightning.force.com/lightning/r/Case/500000000000001AAA/view",
        "https://acme.my.salesforce.com/500000000000001AAA?tab=1#x",
        "acme.lightning.force.com/lightning/r/Case/500000000000001AAA/view",
    ],
)
@BOTH_DATABASES
def test_a_case_is_found_by_whatever_it_is_called(here: World, record: str) -> None:
    assert title(here, record) == ["case 00001259 (interaction 500000000000001AAA of acme)"]


@pytest.mark.parametrize("record", ['ticket "Printer offline"', '"Printer offline"', "printer offline"])
@BOTH_DATABASES
def test_a_ticket_is_found_by_its_subject(here: World, record: str) -> None:
    assert title(here, record) == ['ticket "Printer offline" (interaction 500000000000002AAA of acme)']


@pytest.mark.parametrize("record", ["maria@oy.example", " Maria@OY.example", "mailto:maria@oy.example"])
@BOTH_DATABASES
def test_a_person_is_found_by_the_address(here: World, record: str) -> None:
    assert title(here, record) == ["Maria (contact maria of acme)"]


@pytest.mark.parametrize("record", ["Maria", "maria"])
@BOTH_DATABASES
def test_people_and_companies_are_found_by_name(here: World, record: str) -> None:
    assert title(here, record) == ["Maria (contact maria of acme)"]


@pytest.mark.parametrize("record", ["", "0000125", "259", "%", "ticket", "nobody@oy.example", "https://acme.example/"])
@BOTH_DATABASES
def test_half_a_name_is_nobodys(here: World, record: str) -> None:
    with pytest.raises(UnknownRecord):
        explain(here.store, record)


@BOTH_DATABASES
def test_of_what_is_only_observed_nobody_is_asked(here: World) -> None:
    here.case("c9", decide_at=here.clock.now())
    told = "\n".join(explain(here.store, "c9", observing=[CRM]))
    assert "only observed" in told
    assert "next sync" not in told
    with here.store.write() as tx:
        tx.execute(update(t.interaction).where(t.interaction.c.id == "c9").values(decide_at=None))
    assert "only observed" in "\n".join(explain(here.store, "c9", observing=[CRM]))
    assert "only observed" not in "\n".join(explain(here.store, "c9"))


@BOTH_DATABASES
def test_of_what_was_decided_before_the_decision_is_told(here: World) -> None:
    told = "\n".join(explain(here.store, "00001259", observing=[CRM]))
    assert ("asked" in told, "only observed" in told) == (True, False)
