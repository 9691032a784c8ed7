"""One installation beside two CRMs: each gets what is its own, a person known in both is one, and one that is down stops nobody."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from databases import BOTH_DATABASES
from environment import DAY, HOUR, RULES
from environment_both import TwoCrmEnvironment, standing_beside_both, unsubscribe

from connector.runtime.clock import SteppedClock
from connector.stages.lap import Report

MONTH = 'quiet_period = "30d"\nminimum_gap = "0s"\naccount_cap = "1000 per 30d"\n'
AT_ONCE = RULES.replace('"24h"', '"0s"', 1)
"""Whose case or ticket was closed is asked in the next lap."""
SCORE = (
    "satisfaction",
    "satisfaction_from",
    "satisfaction_to",
    "mood",
    "people",
    "last_answer",
)
WORDS = ("summary", "attention")


@pytest.fixture
def live(tmp_path: Path, store_address: str, clock: SteppedClock) -> Iterator[TwoCrmEnvironment]:
    """An installation that went live beside two empty CRMs a minute ago."""
    with standing_beside_both(tmp_path, store_address, clock) as env:
        assert env.lap().exit_code == 0
        env.mark()
        yield env


def nothing_more_to_do(live: TwoCrmEnvironment) -> None:
    """Two more laps send nothing and write nothing to either CRM."""
    live.mark()
    for _ in range(2):
        quiet = live.later(HOUR)
        assert (quiet.exit_code, quiet.sent, quiet.follow_ups, quiet.failures) == (0, 0, 0, {})
    assert (live.writes, live.hub.writes, [mail for mail in live.mailbox.mails if mail.unsubscribe]) == ([], [], [])


@BOTH_DATABASES
def test_a_case_and_a_ticket_each_lead_to_a_mail_fields_and_a_task_in_their_own_crm(live: TwoCrmEnvironment) -> None:
    ritva = live.org.add_user("Ritva Laine", "ritva@acme.example")
    timo = live.hub.org.add_owner("Timo Salo", "timo@acme.example")
    live.advance(2 * HOUR)
    account, company = live.account("Northwind", owner=ritva), live.hub.account("Southwind", owner=timo)
    maria = live.contact(account, "Maria Virtanen", "maria@nw.example")
    pekka = live.hub.contact(company, "Pekka Niemi", "pekka@sw.example")
    live.closed_case(account, maria)
    live.hub.closed_case(company, pekka)
    assert live.later(HOUR).sent == 0
    assert live.later(DAY).sent == 2
    live.answer(live.mailbox.to("maria@nw.example")[0], 1, "Nobody called back.")
    live.answer(live.mailbox.to("pekka@sw.example")[0], 2, "Slow.")
    report = live.lap()
    assert (report.exit_code, report.responses, report.follow_ups) == (0, 2, 2)

    here, there = live.shows("Account", account), live.hub.shows("companies", company)
    assert (here["People"], there["people"]) == (1, "1")
    assert "Nobody called back." in here["Summary"] and "Slow." not in here["Summary"]
    assert "Slow." in there["summary"] and "Nobody called back." not in there["summary"]
    assert "Maria Virtanen" in here["Attention"]
    assert "Pekka Niemi" in there["attention"]
    assert live.shows("Contact", maria)["Last_Rating"].startswith("1 of 5, very dissatisfied, case ")
    assert live.hub.shows("contacts", pekka)["last_rating"].startswith("2 of 5, dissatisfied, ticket ")

    (task,), (other,) = live.tasks(), live.hub.tasks()
    assert (task["OwnerId"], task["WhatId"], task["WhoId"]) == (ritva, account, maria)
    assert other["hubspot_owner_id"] == timo
    assert set(live.hub.org.associated("tasks", other["id"], "companies")) == {company}
    nothing_more_to_do(live)


class Maria:
    """A person of both CRMs, who has the same address in both."""

    def __init__(self, live: TwoCrmEnvironment) -> None:
        self._live = live
        self.account = live.org.insert(
            "Account", {"Name": "Northwind", "Type": "Customer", "Website": "https://www.nw.example/en"}
        )
        self.company = live.hub.account("Northwind Oy")
        live.hub.org.update("companies", self.company, {"domain": "nw.example"})
        self.here = live.contact(self.account, "Maria Virtanen", "maria@nw.example")
        self.there = live.hub.contact(self.company, "Maria Virtanen", "Maria@NW.example")

    def has_a_case(self) -> None:
        self._live.closed_case(self.account, self.here)

    def has_a_ticket(self) -> None:
        self._live.hub.closed_case(self.company, self.there)

    def asked_and_answers(self, rating: int, comment: str) -> None:
        """Take the one mail that comes within the hour, and answer it."""
        before = len(self._live.mailbox.mails)
        self._live.later(HOUR)
        (mail,) = [mail for mail in self._live.mailbox.mails[before:] if mail.unsubscribe]
        self._live.answer(mail, rating, comment)
        assert self._live.lap().exit_code == 0

    def scores(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return what the two accounts show, in the same words."""
        here = {name.lower(): value for name, value in self._live.shows("Account", self.account).items()}
        there = self._live.hub.shows("companies", self.company)
        return ({name: alike(here.get(name)) for name in SCORE}, {name: alike(there.get(name)) for name in SCORE})

    def words(self) -> tuple[str, str]:
        """Return the sentences on the two accounts."""
        here = {name.lower(): value for name, value in self._live.shows("Account", self.account).items()}
        there = self._live.hub.shows("companies", self.company)
        return tuple(" ".join(str(one.get(name) or "") for name in WORDS) for one in (here, there))  # type: ignore[return-value]


def alike(value: Any) -> str:
    """A moment to the second, a number without decimals, a text: as both CRMs would say it."""
    text = "" if value is None else str(value)
    return text[:19] if "T" in text[10:11] else text.removesuffix(".0")


def test_who_is_known_in_both_is_asked_once_in_the_quiet_period(live: TwoCrmEnvironment) -> None:
    live.configure(limits=MONTH)
    maria = Maria(live)
    live.lap()
    maria.has_a_case()
    live.later(HOUR)
    maria.has_a_ticket()
    live.later(HOUR)
    live.later(2 * DAY)
    maria.has_a_ticket()
    live.later(HOUR)
    live.later(2 * DAY)
    assert len(live.mailbox.mails) == 1
    live.advance(31 * DAY)
    maria.has_a_ticket()
    live.lap()
    live.later(2 * DAY)
    assert len(live.mailbox.mails) == 2


def test_who_unsubscribes_is_marked_in_both_and_asked_by_neither(live: TwoCrmEnvironment) -> None:
    maria = Maria(live)
    maria.has_a_case()
    live.lap()
    live.later(DAY)
    unsubscribe(live.mailbox.mails[0])
    live.lap()
    assert live.shows("Contact", maria.here)["No_Surveys"] is True
    assert live.hub.shows("contacts", maria.there)["no_surveys"] == "true"
    maria.has_a_case()
    maria.has_a_ticket()
    assert live.later(HOUR).not_invited == {"opted_out": 2}
    live.later(2 * DAY)
    assert len(live.mailbox.mails) == 1


def test_linked_accounts_are_one_customer_with_one_score_and_one_maria(live: TwoCrmEnvironment) -> None:
    live.link("salesforce", "hubspot", rules=AT_ONCE)
    maria = Maria(live)
    live.lap()
    maria.has_a_case()
    maria.asked_and_answers(5, "Quick.")
    maria.has_a_ticket()
    maria.asked_and_answers(2, "Slow this time.")
    here, there = maria.scores()
    assert here == there
    assert here["people"] == "1"
    pekka = live.hub.contact(maria.company, "Pekka Niemi", "pekka@nw.example")
    live.hub.closed_case(maria.company, pekka)
    maria.asked_and_answers(4, "Fine.")
    here, there = maria.scores()
    assert here == there
    assert here["people"] == "2"
    nothing_more_to_do(live)


def told_in(live: TwoCrmEnvironment) -> tuple[str, str]:
    """Return the texts of all tasks, of each CRM, and of the alerts to the owner there."""
    tasks = [f"{task['Subject']} {task['Description']}" for task in live.tasks()]
    others = [f"{task['hs_task_subject']} {task['hs_task_body']}" for task in live.hub.tasks()]
    alerts = [[f"{mail.subject} {mail.text}" for mail in live.mailbox.to(one)] for one in (RITVA, TIMO)]
    return "\n".join([*tasks, *alerts[0]]), "\n".join([*others, *alerts[1]])


RITVA, TIMO = "ritva@acme.example", "timo@acme.example"


def test_users_of_each_crm_read_of_a_linked_customer_what_came_through_theirs(live: TwoCrmEnvironment) -> None:
    ritva, timo = live.org.add_user("Ritva Laine", RITVA), live.hub.org.add_owner("Timo Salo", TIMO)
    live.link("salesforce", "hubspot", rules=AT_ONCE)
    maria = Maria(live)
    live.org.update("Account", maria.account, {"OwnerId": ritva})
    live.hub.org.update("companies", maria.company, {"hubspot_owner_id": timo})
    live.later(2 * HOUR)
    anna = live.contact(maria.account, "Anna Aho", "anna@nw.example")
    pekka = live.hub.contact(maria.company, "Pekka Niemi", "pekka@nw.example")
    live.closed_case(maria.account, anna)
    maria.asked_and_answers(1, "Anna waited for days.")
    live.hub.closed_case(maria.company, pekka)
    maria.asked_and_answers(2, "Pekka was cut off.")
    live.later(HOUR)
    # Who is known in both has one follow-up. The other CRM's users read there that there was a bad answer, and not its words.
    maria.has_a_case()
    maria.asked_and_answers(1, "Maria heard nothing.")
    maria.has_a_ticket()
    maria.asked_and_answers(1, "Maria got no ticket.")
    live.later(HOUR)

    of_account, of_company = maria.words()
    here, there = told_in(live)
    assert [words for words in ("Anna", "Maria heard") if words not in here or words in there + of_company] == []
    assert "Pekka" in there
    assert [words for words in ("Pekka", "Maria got") if words in here + of_account] == []
    assert "Anna" in of_account and "Pekka" in of_company
    assert len(live.tasks()) == 2
    assert "Maria Virtanen: 1 of 5" in live.hub.shows("companies", maria.company)["attention"]
    scores = maria.scores()
    assert scores[0] == scores[1]


@pytest.mark.parametrize("linking", ["salesforce", "hubspot"])
def test_without_a_link_in_both_mappings_they_stay_two_customers(live: TwoCrmEnvironment, linking: str) -> None:
    live.link(linking, rules=AT_ONCE)
    maria = Maria(live)
    live.lap()
    maria.has_a_case()
    maria.asked_and_answers(5, "Quick.")
    assert live.shows("Account", maria.account)["People"] == 1
    assert not live.hub.shows("companies", maria.company).get("people")
    maria.has_a_ticket()
    maria.asked_and_answers(1, "Slow this time.")
    here, there = maria.scores()
    assert (here["people"], there["people"]) == ("1", "1")
    of_account, of_company = maria.words()
    assert "Quick." in of_account and "Slow" not in of_account
    assert "Slow this time." in of_company and "Quick" not in of_company


def down(live: TwoCrmEnvironment, name: str, how: str) -> None:
    """Let one CRM be away."""
    if how == "refused":
        live.lines[name].cut()
    else:
        (live.org if name == "acme" else live.hub.org).faults.html(503, times=None)


def back(live: TwoCrmEnvironment, name: str, how: str) -> None:
    """Let it be there again."""
    if how == "refused":
        live.lines[name].mend()
    (live.org if name == "acme" else live.hub.org).faults.clear()


def told(report: Report) -> dict[str, list[str]]:
    """Return which CRM failed, and why."""
    return {name: [str(error) for error in errors] for name, errors in report.failures.items()}


@pytest.mark.parametrize(("name", "how"), [("acme", "refused"), ("hub", "503")])
def test_while_one_is_down_the_other_goes_on_and_nothing_is_lost(live: TwoCrmEnvironment, name: str, how: str) -> None:
    account, company = live.account("Northwind"), live.hub.account("Southwind")
    maria = live.contact(account, "Maria Virtanen", "maria@nw.example")
    pekka = live.hub.contact(company, "Pekka Niemi", "pekka@sw.example")
    live.closed_case(account, maria)
    live.hub.closed_case(company, pekka)
    live.later(HOUR)
    assert live.later(DAY).sent == 2
    for mail in list(live.mailbox.mails):
        live.answer(mail, 1, "Nobody called back.")
    ann = live.contact(account, "Ann Aho", "ann@nw.example")
    ben = live.hub.contact(company, "Ben Borg", "ben@sw.example")
    live.closed_case(account, ann)
    live.hub.closed_case(company, ben)
    live.mark()

    down(live, name, how)
    report = live.lap()
    assert report.exit_code == 3
    (failed,) = told(report).items()
    assert failed[0] == name
    assert failed[1][0]
    assert live.status()["crm"][name]["last_error"]
    other = "hub" if name == "acme" else "acme"
    assert live.status()["crm"][other]["last_error"] is None
    tasks = {"acme": live.tasks, "hub": live.hub.tasks}
    assert (len(tasks[name]()), len(tasks[other]())) == (0, 1)
    shown = live.shows("Account", account).get("People"), live.hub.shows("companies", company).get("people")
    assert [bool(people) for people in shown] == [name == "hub", name == "acme"]
    assert live.later(DAY + HOUR).exit_code == 3
    assert [mail.to for mail in live.mailbox.mails] == ["ben@sw.example" if name == "acme" else "ann@nw.example"]

    back(live, name, how)
    for step in (HOUR, DAY + HOUR, HOUR):
        assert live.later(step).exit_code == 0
    assert live.status()["crm"][name]["last_error"] is None
    asked = [mail.to for mail in live.mailbox.mails if "/s/" in mail.text]
    assert sorted(asked) == ["ann@nw.example", "ben@sw.example"]
    assert (len(live.tasks()), len(live.hub.tasks())) == (1, 1)
    assert live.shows("Account", account)["People"] == 1
    assert live.hub.shows("companies", company)["people"] == "1"
    nothing_more_to_do(live)
