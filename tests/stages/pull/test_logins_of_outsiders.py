"""Partners and customers who have a login to the CRM (Experience Cloud) are users there too, and nobody's colleagues."""

from default_mappings import packaged
from lap_world import CONFIG, CSAT, UNHAPPY, LapWorld

from connector.store import tables
from connector.store.crm import owners
from connector.store.ops.sign_ins import connections_of
from mappings.loading import load

PARTNER = "pia.partner@northwind.example"


def partner(world: LapWorld) -> str:
    return world.crm.user("Pia Partner", UserType="PowerPartner")


def may_enter(world: LapWorld, email: str) -> bool:
    with world.store.read() as tx:
        return bool(connections_of(tx, email))


def test_only_the_firms_own_people_may_sign_in(world: LapWorld) -> None:
    partner(world)
    world.lap()
    assert may_enter(world, "ritva.laine@northwind.example")
    assert not may_enter(world, PARTNER)


def test_nobody_is_in_until_it_was_read_who_they_are(world: LapWorld) -> None:
    with world.store.write() as tx:
        tx.execute(tables.owner.update().values(standard=None))
    assert not may_enter(world, "ritva.laine@northwind.example")


def test_whoever_becomes_a_partner_is_out_with_the_next_reading(world: LapWorld) -> None:
    world.crm.update(world.rep, {"UserType": "PowerPartner"})
    world.lap()
    assert not may_enter(world, "ritva.laine@northwind.example")


def test_follow_ups_and_alerts_go_to_the_firms_own_people(world: LapWorld) -> None:
    world.configure(
        CSAT + UNHAPPY + f'notify = ["account_owner", "{PARTNER}"]\nassign = ["account_owner"]\n', config=CONFIG
    )
    account = world.account(OwnerId=partner(world))
    contact = world.crm.contact(account, "Maria Virtanen", OwnerId=world.rep)
    invitation = world.ask(account, contact)
    world.answer(invitation, 1)
    world.lap()
    (task,) = world.tasks()
    assert task["OwnerId"] == world.rep
    (row,) = world.rows(tables.follow_up)
    assert "Pia Partner is a login of a partner or a customer" in str(row.owner_note)
    assert PARTNER not in world.mailbox.recipients


def test_a_partners_domain_is_not_the_firms_own(world: LapWorld) -> None:
    world.crm.user("Paul Partner", UserType="CSPLitePortal", Email="paul@partner.example")
    world.lap()
    with world.store.read() as tx:
        assert "paul@partner.example" not in owners.addresses(tx, ["acme"])


def test_a_copy_of_an_earlier_mapping_is_as_strict_as_the_packaged_one() -> None:
    for name in ("salesforce", "hubspot"):
        text = packaged(name)
        lines = [line for line in text.splitlines() if not line.startswith("standard = ")]
        earlier = load("\n".join(lines), "mine.toml", default=text)
        assert len(lines) < len(text.splitlines())
        assert earlier.spec.owner.standard == load(text).spec.owner.standard
        everybody = "\n".join(lines).replace("[owner]", "[owner]\nstandard = true", 1)
        assert load(everybody, "mine.toml", default=text).spec.owner.standard == ()
