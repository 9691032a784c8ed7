"""Merges whose survivor was never read wait without being read again in every lap."""

from datetime import UTC, datetime

import pytest
from databases import BOTH_DATABASES
from sqlalchemy import insert, select

from connector.store import Store, tables
from connector.store.crm import merges as stored_merges

NOW = datetime(2026, 11, 16, 8, tzinfo=UTC)


def _bind(store: Store, crm_id: str) -> None:
    ref = {"connection": "acme", "ref": f"Contact/{crm_id}"}
    with store.write() as tx:
        tx.execute(insert(tables.contact).values(id=crm_id, name=crm_id, no_surveys=False, facts={}, **ref))
        tx.execute(insert(tables.binding).values(kind="contact", id=crm_id, content_hash="x", **ref))


@BOTH_DATABASES
def test_only_what_can_be_carried_out_is_looked_at(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at: list[str] = []
    carry_out = stored_merges._settle_one

    def watched(tx: object, crm: str, loser: str, survivor: str, now: datetime) -> bool:
        looked_at.append(loser)
        return carry_out(tx, crm, loser, survivor, now)  # type: ignore[arg-type]

    monkeypatch.setattr(stored_merges, "_settle_one", watched)
    _bind(store, "L1")
    _bind(store, "L2")
    with store.write() as tx:
        merges = [(f"Contact/L{number}", f"Contact/S{number}") for number in (1, 2)]
        stored_merges.remember(tx, "acme", merges, NOW)
        assert stored_merges.settle(tx, "acme", NOW) == 0
    _bind(store, "S2")
    with store.write() as tx:
        assert stored_merges.settle(tx, "acme", NOW) == 1
        assert stored_merges.settle(tx, "acme", NOW) == 0
        bound = tx.execute(select(tables.binding.c.id).where(tables.binding.c.ref == "Contact/L2")).scalar_one()
    assert (looked_at, bound) == (["Contact/L2"], "S2")
