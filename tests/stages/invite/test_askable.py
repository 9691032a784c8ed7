"""Whom of a customer could be asked, and that a mood is looked at again when other people can be, without any answer."""

from datetime import timedelta
from typing import Any

import pytest
from lap_world import CSAT, DAY, UNHAPPY, LapWorld
from sqlalchemy import event, update

from connector.store import tables
from connector.store.surveys.answers import allow_surveys_at
from connector.store.surveys.askable import askable_people
from connector.store.surveys.people import bounced, opt_out

LAST, TOO_FEW = "Last answer good", "Too few answers"


def mood(world: LapWorld, account: str) -> str:
    return str(world.shows(account).get("Mood"))


def count(world: LapWorld, *internal: str, most: int = 10) -> int:
    """How many people of the only customer can be asked."""
    (customer,) = {row.customer for row in world.rows(tables.account)}
    with world.store.read() as tx:
        return askable_people(tx, [customer], internal_domains=internal, most=most).get(customer, 0)


def person(world: LapWorld, name: str) -> str:
    return next(str(row.person) for row in world.rows(tables.contact) if row.name == name)


class TestWhoCanBeAsked:
    def test_each_person_with_an_address_once(self, world: LapWorld) -> None:
        account = world.account()
        world.crm.contact(account, "Maria", Email="maria@north.example")
        world.crm.contact(account, "Maria again", Email="MARIA@north.example")
        world.crm.contact(account, "Jan", Email="jan@north.example")
        world.crm.contact(account, "No address", Email=None)
        world.lap()
        assert count(world) == 2
        assert count(world, most=1) == 1

    def test_nobody_who_wants_no_surveys_is_not_reached_or_is_gone(self, world: LapWorld) -> None:
        account = world.account()
        for name in ("Maria", "Jan", "Li", "Ada"):
            world.crm.contact(account, name, Email=f"{name.lower()}@north.example")
        gone = world.crm.contact(account, "Gone", Email="gone@north.example")
        world.lap()
        assert count(world) == 5
        with world.store.write() as tx:
            opt_out(tx, person(world, "Maria"), world.clock.now(), "link")
            bounced(tx, person(world, "Jan"), world.clock.now(), "no such mailbox")
        world.crm.delete(gone)
        world.lap()
        assert count(world) == 2

    def test_none_of_our_own_people(self, world: LapWorld) -> None:
        account = world.account()
        for address in ("a@acme.example", "b@mail.acme.example", "c@notacme.example", "d@north.example"):
            world.crm.contact(account, address, Email=address)
        world.lap()
        assert count(world, "acme.example") == 2
        assert count(world, "acme.example", "north.example") == 1
        # A name is a name, not a pattern.
        assert count(world, "ac_e.example", "%") == 4

    def test_whoever_answered_counts_though_their_record_names_another_account(self, world: LapWorld) -> None:
        account, elsewhere = world.account(), world.account("Elsewhere")
        consultant = world.crm.contact(elsewhere, "Consultant", Email="c@advice.example")
        world.answer(world.ask(account, consultant), 5)
        world.lap()
        (customer,) = [row.customer for row in world.rows(tables.account) if row.name == "Northwind"]
        with world.store.read() as tx:
            assert askable_people(tx, [customer], internal_domains=(), most=10) == {customer: 1}


class TestLookingAgain:
    @pytest.fixture
    def rated(self, world: LapWorld) -> str:
        """An account with one contact, who answered 5 of 5."""
        account = world.account()
        world.rated(account, 5, who="Maria")
        assert mood(world, account) == LAST
        return account

    def test_when_somebody_comes_and_when_somebody_goes(self, world: LapWorld, rated: str) -> None:
        added = [world.crm.contact(rated, name, Email=f"{name}@north.example") for name in ("jan", "li")]
        assert world.lap().scored == 1
        assert mood(world, rated) == TOO_FEW
        world.crm.delete(added[0])
        world.lap()
        assert mood(world, rated) == LAST

    def test_when_somebody_moves_to_another_account_or_gets_an_address(self, world: LapWorld, rated: str) -> None:
        elsewhere = world.account("Elsewhere")
        mover = world.crm.contact(elsewhere, "jan", Email="jan@north.example")
        silent = world.crm.contact(rated, "li", Email=None)
        world.lap()
        assert mood(world, rated) == LAST
        world.crm.update(mover, {"AccountId": rated})
        world.crm.update(silent, {"Email": "li@north.example"})
        world.lap()
        assert mood(world, rated) == TOO_FEW
        world.crm.update(mover, {"AccountId": elsewhere})
        world.lap()
        assert mood(world, rated) == LAST

    def test_when_somebody_wants_no_surveys_any_more_or_is_not_reached(self, world: LapWorld, rated: str) -> None:
        for name in ("jan", "li"):
            world.crm.contact(rated, name, Email=f"{name}@north.example")
        world.lap()
        assert mood(world, rated) == TOO_FEW
        with world.store.write() as tx:
            opt_out(tx, person(world, "jan"), world.clock.now(), "link")
        world.lap()
        assert mood(world, rated) == LAST
        world.crm.contact(rated, "ada", Email="ada@north.example")
        world.lap()
        assert mood(world, rated) == TOO_FEW
        with world.store.write() as tx:
            bounced(tx, person(world, "ada"), world.clock.now(), "no such mailbox")
        world.lap()
        assert mood(world, rated) == LAST

    def test_when_somebody_may_be_asked_again(self, world: LapWorld, rated: str) -> None:
        for name in ("jan", "li"):
            world.crm.contact(rated, name, Email=f"{name}@north.example")
        world.lap()
        with world.store.write() as tx:
            opt_out(tx, person(world, "jan"), world.clock.now(), "link")
        world.lap()
        assert mood(world, rated) == LAST
        with world.store.write() as tx:
            allow_surveys_at(tx, "jan@north.example")
        world.lap()
        assert mood(world, rated) == TOO_FEW

    def test_at_the_latest_a_day_later_whatever_changed_it(self, world: LapWorld, rated: str) -> None:
        for name in ("jan", "li"):
            world.crm.contact(rated, name, Email=f"{name}@north.example")
        world.lap()
        with world.store.write() as tx:
            tx.execute(update(tables.person).values(bounced_at=world.clock.now()))
            who = world.rows(tables.contact)
            rows = [{"person": row.person, "bounced_at": world.clock.now()} for row in who if row.name != "Maria"]
            tx.execute(tables.person.delete())
            tx.execute(tables.person.insert(), rows)
        world.lap(DAY)
        assert mood(world, rated) == LAST

    def test_when_a_domain_turns_out_to_be_our_own(self, world: LapWorld, rated: str) -> None:
        for name in ("jan", "li"):
            world.crm.contact(rated, name, Email=f"{name}@acme.example")
        world.lap()
        assert mood(world, rated) == TOO_FEW
        limits = 'internal_domains = ["acme.example"]\n'
        world.configure(limits + CSAT + UNHAPPY)
        world.lap()
        assert mood(world, rated) == LAST

    def test_the_domains_of_the_crms_users_are_our_own_where_the_admin_names_none(
        self, world: LapWorld, rated: str
    ) -> None:
        domain = str(world.crm.get(world.rep)["Email"]).partition("@")[2]
        for name in ("jan", "li"):
            world.crm.contact(rated, name, Email=f"{name}@{domain}")
        world.lap()
        assert mood(world, rated) == LAST

    def test_what_makes_no_difference_is_not_looked_at(self, world: LapWorld, rated: str) -> None:
        before = [row.published_at for row in world.rows(tables.customer_score)]
        (contact,) = [row["Id"] for row in world.crm.all("Contact")]
        world.crm.update(contact, {"Title": "Director"})
        other = world.account("Nobody answered here")
        world.crm.contact(other, "jan", Email="jan@north.example")
        world.lap()
        assert [row.published_at for row in world.rows(tables.customer_score) if row.figures] == before
        assert [row.stale_at for row in world.rows(tables.customer_score)] == [None]


def test_a_first_read_asks_nothing_about_moods(world: LapWorld) -> None:
    account = world.account()
    for number in range(50):
        world.crm.contact(account, f"p{number}", Email=f"p{number}@north.example")
    asked: list[str] = []
    engine: Any = world.store.engine
    event.listen(engine, "before_cursor_execute", lambda _c, _x, text, *_: asked.append(text))
    world.lap(timedelta(minutes=5))
    assert not [text for text in asked if text.startswith("UPDATE customer_score")]
