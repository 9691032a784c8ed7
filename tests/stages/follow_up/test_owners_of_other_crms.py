"""Of linked accounts a follow-up's task stands in one CRM: whoever owns what lies in the other cannot be given it."""

from datetime import UTC, datetime

import pytest

from connector.model import Ref
from connector.model.stored import StoredAccount
from connector.settings.choices import Role
from connector.stages.follow_up.assignment import About, find_owner
from connector.store import Store, tables

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SEPPO = Ref("b", "User", "seppo")


@pytest.mark.parametrize(("crm", "owner"), [("b", SEPPO), ("a", None)])
def test_the_owner_of_an_interaction_is_asked_in_the_accounts_crm_alone(
    store: Store, crm: str, owner: Ref | None
) -> None:
    with store.write() as tx:
        seppo = {"id": "seppo", "connection": "b", "ref": "User/seppo", "name": "Seppo", "active": True}
        tx.execute(tables.owner.insert().values(seppo))
        case = {"id": "c", "connection": "b", "ref": "Case/1", "kind": "case", "label": "case 1", "facts": {}}
        tx.execute(tables.interaction.insert().values(**case, owner_ref="User/seppo", contact_refs=[]))
        account = StoredAccount(Ref(crm, "Account", "1"), "Äiti", id="account", customer="account")
        chosen = find_owner(tx, Role.INTERACTION_OWNER, About(account, interaction_id="c"))
    assert (chosen.ref if chosen is not None else None) == owner
