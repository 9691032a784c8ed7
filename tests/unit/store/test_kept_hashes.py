"""By what version 0.1.0 has stored it is seen that a record has not changed: an upgrade makes nothing look new."""

from datetime import UTC, datetime

import pytest

from connector.model import Account, Contact, Interaction, Owner, Pulled, Ref
from connector.ports import Reading
from connector.scoring.evidence import AccountRating
from connector.stages.score.plan import answers_key
from connector.store import Store
from connector.store.crm.pages import Absorbed, ReadRecord
from connector.store.crm.records import Absorber
from connector.store.tables import binding

AT = datetime(2026, 11, 16, 8, 0, tzinfo=UTC)
RITVA, AITI, MARIA = Ref("acme", "User", "1"), Ref("acme", "Account", "1"), Ref("acme", "Contact", "1")
FACTS = {"industry": "Banking", "size": 250, "rate": 0.5, "vip": True, "since": None}
CASE = Ref("acme", "Case", "1")
KEPT: dict[str, Pulled] = {
    "700154d2e96f45b01e6bd728": Account(AITI, "Äiti & Co", RITVA, None, True, "https://www.aiti.example/", FACTS),
    "912b2428eaad31fd87772875": Contact(
        MARIA, "Maria", AITI, "maria@aiti.example", "Buyer", "fi", None, True, {"score": 1}
    ),
    "3e136b7c595df42bac8740a5": Interaction(
        CASE, "case", "case 1", AITI, (MARIA,), RITVA, "closed", AT, AT, {"origin": "Phone"}
    ),
}


OWNER = Owner(RITVA, "Ritva Laine", "ritva@acme.example", True, "Europe/Helsinki")
"""A later version asks more of an owner: whether it is one of the firm's own people. So each is taken in once more."""


@pytest.mark.parametrize(("content", "value"), KEPT.items(), ids=[type(one).__name__ for one in KEPT.values()])
def test_f59_what_the_first_version_stored_has_not_changed(sqlite_address: str, content: str, value: Pulled) -> None:
    absorbed = absorb(sqlite_address, content, value)
    assert (absorbed.of("any").unchanged, absorbed.of("any").changed) == (1, 0)


def test_an_owner_is_taken_in_again_since_more_is_asked(sqlite_address: str) -> None:
    absorbed = absorb(sqlite_address, "05160c95f3f16118ff11ef44", OWNER)
    assert (absorbed.of("any").unchanged, absorbed.of("any").changed) == (0, 1)


def test_a_set_of_answers_has_the_key_that_an_earlier_version_stored() -> None:
    ratings = [
        AccountRating("a1", "c1", "csat", 4.0, 1.0, 5.0, "up", AT, "i1"),
        AccountRating("a1", None, "nps", 9.0, 0.0, 10.0, "up", AT),
    ]
    assert answers_key(ratings) == "dcd582f27aaecd19b73d5328"


def absorb(sqlite_address: str, content: str, value: Pulled) -> Absorbed:
    store, ref = Store(sqlite_address), f"{value.ref.object}/{value.ref.id}"
    with store.write() as tx:
        row = {"connection": "acme", "ref": ref, "kind": "any", "id": "x", "content_hash": content}
        tx.execute(binding.insert().values(**row))
        absorbed = Absorber(tx, "acme", now=AT, key=b"k").absorb([ReadRecord(ref, Reading("any", value))])
    store.close()
    return absorbed
