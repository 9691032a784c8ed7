"""Seeded orgs are believable, consistent, and the same for the same seed."""

import time
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest

from adapters.sandbox.clock import SandboxClock
from adapters.sandbox.salesforce import Salesforce
from adapters.sandbox.salesforce.org.seed import LANGUAGES, Sizes, seed

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
NOW_TEXT = "2026-11-20T12:00:00.000+0000"
KINDS = ("Account", "Contact", "Case", "Task", "Event", "Opportunity")


def seeded(number: int = 7, **given: Any) -> Salesforce:
    org = Salesforce(SandboxClock(NOW))
    seed(org, seed=number, now=NOW, **({"accounts": 120} | given))
    return org


@pytest.fixture(scope="module")
def world() -> Salesforce:
    return seeded()


def by_id(org: Salesforce, kind: str) -> dict[str, dict[str, Any]]:
    return {row["Id"]: row for row in org.rows(kind)}


def test_the_same_seed_makes_the_same_org(world: Salesforce) -> None:
    again = seeded()
    assert [again.rows(kind) for kind in KINDS] == [world.rows(kind) for kind in KINDS]


def test_another_seed_makes_other_companies(world: Salesforce) -> None:
    other = {row["Name"] for row in seeded(8).rows("Account")}
    assert len(other & {row["Name"] for row in world.rows("Account")}) < 12


def test_sizes_are_met_to_the_record() -> None:
    org = seeded(sizes=Sizes(accounts=30, contacts=101, cases=52, calls=33, meetings=24, opportunities=15))
    assert [org.count(kind) for kind in KINDS] == [30, 101, 52, 33, 24, 15]


@pytest.mark.parametrize("counts", [(-1, 0, 0, 0, 0, 0), (0, 5, 0, 0, 0, 0), (5, 0, 1, 0, 0, 0)])
def test_impossible_sizes_are_refused(counts: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"no such sizes|without contacts"):
        Sizes(*counts)


def test_no_records_at_all_is_a_size() -> None:
    org = seeded(accounts=0)
    assert [org.count(kind) for kind in KINDS] == [0] * 6


@pytest.mark.parametrize("kind", KINDS)
def test_stamps_follow_one_another(world: Salesforce, kind: str) -> None:
    for row in world.rows(kind):
        assert row["CreatedDate"] <= row["LastModifiedDate"] == row["SystemModstamp"] <= NOW_TEXT, row


@pytest.mark.parametrize("kind", KINDS)
def test_every_record_would_be_taken_by_the_crm_itself(world: Salesforce, kind: str) -> None:
    """Loading checks nothing, so each record is written once more the slow way."""
    held = world.object(kind)
    fields = [spec.name for spec in held.fields.values() if spec.createable]
    left = {row["Id"] for row in world.rows("User", IsActive=False)}
    copy = Salesforce(SandboxClock(NOW))
    seed(copy, seed=7, accounts=120, now=NOW)
    for row in world.rows(kind)[:60]:
        if row["OwnerId"] not in left:
            copy.insert(kind, {name: row[name] for name in fields if name in row})


def test_nothing_happens_before_the_people_were_there(world: Salesforce) -> None:
    accounts, contacts = by_id(world, "Account"), by_id(world, "Contact")
    for row in contacts.values():
        assert row["CreatedDate"] >= accounts[row["AccountId"]]["CreatedDate"]
    for kind, link in (("Case", "ContactId"), ("Task", "WhoId"), ("Opportunity", "ContactId")):
        for row in world.rows(kind):
            assert row["CreatedDate"] >= contacts[row[link]]["CreatedDate"], row
            assert row["AccountId"] == contacts[row[link]]["AccountId"]


def test_what_is_held_or_closed_ended_in_the_past(world: Salesforce) -> None:
    for row in world.rows("Case"):
        assert row["IsClosed"] == ("ClosedDate" in row)
        assert not row["IsClosed"] or row["CreatedDate"] < row["ClosedDate"] <= NOW_TEXT
    calls = world.rows("Task")
    assert all(row["TaskSubtype"] == "Call" for row in calls)
    assert all(row["IsClosed"] == ("CompletedDateTime" in row) for row in calls)
    assert all(row.get("CompletedDateTime", "") <= NOW_TEXT for row in calls)
    assert all(row["StartDateTime"] < row["EndDateTime"] for row in world.rows("Event"))


def test_former_customers_opened_nothing_after_they_left(world: Salesforce) -> None:
    former = [row for row in world.rows("Account") if row["Type"] == "Other"]
    assert former
    for row in former:
        last = max((case["CreatedDate"] for case in world.rows("Case", AccountId=row["Id"])), default="")
        assert last <= row["LastModifiedDate"]


def test_prospects_have_no_cases(world: Salesforce) -> None:
    prospects = {row["Id"] for row in world.rows("Account", Type="Prospect")}
    assert prospects
    assert not [row for row in world.rows("Case") if row["AccountId"] in prospects]


def test_the_mix_is_that_of_a_real_org(world: Salesforce) -> None:
    cases = Counter(row["Status"] for row in world.rows("Case"))
    assert 0.85 < cases["Closed"] / cases.total() < 0.99
    assert [row for row in world.rows("Case") if "reopened" in row.get("Description", "")]
    assert {row["Priority"] for row in world.rows("Case")} == {"High", "Medium", "Low"}
    deals = Counter((row["IsClosed"], row["IsWon"]) for row in world.rows("Opportunity"))
    assert min(deals[True, True], deals[True, False], deals[False, False]) > 3
    assert [row for row in world.rows("Account") if "ParentId" in row]
    assert [row for row in world.rows("Event") if row["StartDateTime"] > NOW_TEXT]
    queue = world.rows("Group", Type="Queue")[0]["Id"]
    assert world.rows("Case", OwnerId=queue)


def test_high_priority_is_served_sooner(world: Salesforce) -> None:
    def median_seconds(priority: str) -> float:
        def seconds(row: dict[str, Any]) -> float:
            began, ended = (datetime.fromisoformat(row[name]) for name in ("CreatedDate", "ClosedDate"))
            return (ended - began).total_seconds()

        closed = sorted(seconds(row) for row in world.rows("Case", Priority=priority, IsClosed=True))
        return closed[len(closed) // 2]

    assert median_seconds("High") < median_seconds("Medium") < median_seconds("Low")


def test_people_differ_in_what_matters_to_whoever_writes_to_them(world: Salesforce) -> None:
    people = world.rows("Contact")
    assert {row.get("Language__c") for row in people} == {None, *LANGUAGES}
    assert [row for row in people if row["HasOptedOutOfEmail"]]
    assert [row for row in people if "Email" not in row]
    shared = [address for address, n in Counter(row.get("Email") for row in people).items() if address and n == 2]
    assert shared
    assert all(address.endswith(".example") for address in (row["Email"] for row in people if "Email" in row))


def test_even_a_handful_of_companies_has_somebody_of_each_kind() -> None:
    people = seeded(accounts=40).rows("Contact")
    assert [row for row in people if row["HasOptedOutOfEmail"]]
    assert [row for row in people if "Email" not in row]
    assert max(Counter(row["Email"] for row in people if "Email" in row).values()) == 2


def test_the_team_has_somebody_who_left_and_still_owns_accounts(world: Salesforce) -> None:
    users = world.rows("User")
    gone = [row for row in users if not row["IsActive"]]
    assert len(gone) == 1
    assert world.rows("Account", OwnerId=gone[0]["Id"])
    assert len({row["TimeZoneSidKey"] for row in users}) >= 4


def test_companies_and_addresses_are_never_the_same_twice(world: Salesforce) -> None:
    accounts = world.rows("Account")
    assert len({row["Name"] for row in accounts}) == len({row["Website"] for row in accounts}) == len(accounts)


def test_the_integration_user_reads_language_and_opt_out(world: Salesforce) -> None:
    access, contact = world.permissions.of(world.integration_id), world.object("Contact")
    assert all(access.sees("Contact", contact.fields[name]) for name in ("Language__c", "HasOptedOutOfEmail"))


def test_two_thousand_accounts_are_quick() -> None:
    org = Salesforce(SandboxClock(NOW))
    began = time.process_time()
    seed(org, seed=1, now=NOW, sizes=Sizes(2000, 10_000, 5_000, 2_000, 1_000, 1_000))
    assert time.process_time() - began < 15
