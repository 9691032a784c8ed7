"""The rules by which a person is asked: properties that hold whatever happens."""

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from asking import DAY, START, limits, survey
from hypothesis import given
from hypothesis import strategies as st

from connector.model import Decision, Reason
from connector.stages.invite.plan import AskCase, AskedBefore, AskedCustomer, End, Recipient, Verdict, decide, lot

MARIA = Recipient(email="maria@oy.example", person="maria")


def case(**changes: Any) -> AskCase:
    """A closed case that is asked about at once, but for the changes."""
    plain: dict[str, Any] = {
        "survey": survey(),
        "limits": limits(),
        "go_live": START,
        "now": START,
        "end": End(at=START),
        "customer": AskedCustomer("oy", is_customer=True),
        "recipient": MARIA,
        "history": AskedBefore(),
        "tomorrow": START.replace(hour=0) + DAY,
        "zone": ZoneInfo("UTC"),
    }
    return AskCase(**plain | changes)


def told(**changes: Any) -> tuple[Decision, Reason | None]:
    verdict = decide(case(**changes))
    return verdict.state, verdict.reason


def test_somebody_to_whom_nothing_applies_is_invited() -> None:
    assert decide(case()) == Verdict(Decision.INVITED)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"go_live": START + timedelta(seconds=1)}, Reason.BEFORE_GO_LIVE),
        ({"now": START + 7 * DAY + timedelta(seconds=1)}, Reason.TOO_OLD),
        ({"customer": AskedCustomer("oy", is_customer=True, deleted=True)}, Reason.NO_ACCOUNT),
        ({"customer": AskedCustomer("oy", is_customer=False)}, Reason.NOT_A_CUSTOMER),
        ({"survey": survey(where={"priority": ["High"]})}, Reason.CONDITION),
        (
            {"survey": survey(where={"priority": "High"}), "end": End(START, facts={"priority": "Low"})},
            Reason.CONDITION,
        ),
        ({"survey": survey(where={"vip": 1}), "end": End(START, facts={"vip": True})}, Reason.CONDITION),
        ({"recipient": Recipient()}, Reason.NO_ADDRESS),
        ({"recipient": Recipient("m@oy.example", "maria", no_surveys=True)}, Reason.OPTED_OUT),
        ({"recipient": Recipient("m@oy.example", "maria", opted_out=True)}, Reason.OPTED_OUT),
        ({"recipient": Recipient("m@oy.example", "maria", opted_out=True, erased=True)}, Reason.ERASED),
        ({"recipient": Recipient("m@oy.example", "maria", bounced=True)}, Reason.BAD_ADDRESS),
        ({"limits": limits(internal_domains=["oy.example"])}, Reason.INTERNAL),
        (
            {"limits": limits(internal_domains=["oy.example"]), "recipient": Recipient("m@hq.oy.example", "m")},
            Reason.INTERNAL,
        ),
        ({"end": End(START, owner_email="Maria@OY.example")}, Reason.INTERNAL),
        ({"survey": survey(sample=0.5), "lot": 0.5}, Reason.SAMPLED_OUT),
    ],
)
def test_whoever_must_not_be_asked_is_refused_with_the_rule_that_says_so(changes: Any, reason: Reason) -> None:
    assert told(**changes) == (Decision.REFUSED, reason)


def test_a_deleted_record_is_not_asked_about() -> None:
    assert told(end=End(START, deleted=True)) == (Decision.CANCELLED, Reason.DELETED)
    assert told(recipient=Recipient("m@oy.example", "m", deleted=True)) == (Decision.CANCELLED, Reason.DELETED)


@pytest.mark.parametrize("facts", [{"priority": "High"}, {"priority": "Medium"}, {"priority": ["Low", "High"]}])
def test_a_condition_holds_when_the_fact_is_one_of_its_values(facts: Any) -> None:
    asked = survey(where={"priority": ["High", "Medium"]})
    assert told(survey=asked, end=End(START, facts=facts)) == (Decision.INVITED, None)


def test_a_condition_compares_text_as_crms_do_without_regard_to_capitals() -> None:
    asked = survey(where={"priority": ["high"]})
    assert told(survey=asked, end=End(START, facts={"priority": "HIGH"})) == (Decision.INVITED, None)


def test_a_condition_reads_facts_of_the_account_and_of_the_contact_too() -> None:
    known = {
        "end": End(START, facts={"type": "Problem"}),
        "customer": AskedCustomer("oy", is_customer=True, facts={"industry": "Energy", "type": "AskedCustomer"}),
        "recipient": Recipient("m@oy.example", "maria", facts={"department": "IT"}),
    }
    met = {
        "industry": ["Energy"],
        "department": "IT",
        "type": "Problem",
    }  # what is nearest counts: the interaction's own
    assert told(survey=survey(where=met), **known) == (Decision.INVITED, None)
    for where in ({"industry": "Retail"}, {"department": "Sales"}, {"type": "AskedCustomer"}):
        assert told(survey=survey(where=where), **known) == (Decision.REFUSED, Reason.CONDITION)


def test_those_who_are_not_customers_are_asked_when_everyone_is() -> None:
    asked = survey(audience="everyone")
    assert told(survey=asked, customer=AskedCustomer("oy", is_customer=False)) == (Decision.INVITED, None)


def test_the_delay_counts_from_the_last_update() -> None:
    asked = survey(delay="24h")
    end = End(START, updated_at=START + timedelta(hours=5))
    verdict = decide(case(survey=asked, end=end, now=START + timedelta(hours=6)))
    assert verdict == Verdict(Decision.WAITING, Reason.DELAY, START + timedelta(hours=29), START + timedelta(hours=29))


@pytest.mark.parametrize(("updated", "over"), [(5, 29), (24, 48), (30, 48), (1000, 48)])
def test_later_updates_push_the_mail_by_one_more_delay_at_most(updated: int, over: int) -> None:
    end = End(START, updated_at=START + timedelta(hours=updated))
    asked = survey(delay="24h")
    due = START + timedelta(hours=over)
    assert decide(case(survey=asked, end=end, now=due - timedelta(seconds=1))).due == due
    assert decide(case(survey=asked, end=end, now=due)).state is Decision.INVITED


@pytest.mark.parametrize("delay", ["24h", "10d", "60d"])
def test_somebody_is_asked_about_a_record_that_something_touches_every_night(delay: str) -> None:
    asked = survey(delay=delay)
    now, held_by = START, None
    while True:
        nightly = End(START, updated_at=now.replace(hour=2))
        verdict = decide(case(survey=asked, end=nightly, now=now, held_by=held_by))
        if verdict.state is not Decision.WAITING:
            break
        held_by, now = verdict.reason, now + timedelta(days=1)
    assert verdict.state is Decision.INVITED


def test_a_record_that_has_not_come_in_yet_is_waited_for() -> None:
    assert told(customer=None, account_expected=True) == (Decision.WAITING, Reason.NO_ACCOUNT)
    assert told(recipient=None, contact_expected=True) == (Decision.WAITING, Reason.NO_CONTACT)


def test_the_quiet_period_refuses_and_says_until_when() -> None:
    history = AskedBefore()
    history.asked("maria", "other", START - 10 * DAY)
    verdict = decide(case(limits=limits(quiet_period="90d", minimum_gap="24h"), history=history))
    assert verdict == Verdict(Decision.REFUSED, Reason.QUIET_PERIOD, START + 80 * DAY)


def test_the_minimum_gap_is_waited_for_where_it_is_the_longer_one() -> None:
    history = AskedBefore()
    history.asked("maria", "oy", START - timedelta(hours=1))
    verdict = decide(case(limits=limits(minimum_gap="24h"), history=history))
    assert (verdict.state, verdict.reason, verdict.due) == (
        Decision.WAITING,
        Reason.MINIMUM_GAP,
        START + timedelta(hours=23),
    )


def test_an_account_that_was_asked_enough_waits_for_its_next_place_while_the_case_is_fresh() -> None:
    history = AskedBefore()
    history.asked("a", "oy", START - 29 * DAY)
    history.asked("b", "oy", START - 2 * DAY)
    few = limits(account_cap="2 per 30d")
    verdict = decide(case(limits=few, history=history))
    assert (verdict.state, verdict.reason, verdict.due) == (Decision.WAITING, Reason.ACCOUNT_CAP, START + DAY)
    history.asked("c", "oy", START - DAY)
    assert told(limits=few, history=history) == (Decision.REFUSED, Reason.ACCOUNT_CAP)
    # Somebody who was among them does not raise the number of people.
    assert told(limits=limits(account_cap="3 per 30d"), history=history)[1] is Reason.ACCOUNT_CAP
    known = Recipient("a@oy.example", "a")
    assert told(limits=limits(account_cap="3 per 30d"), history=history, recipient=known) == (Decision.INVITED, None)


def test_what_the_day_cannot_take_waits_for_the_next_one() -> None:
    verdict = decide(case(limits=limits(daily_sends=2), history=AskedBefore(today=2)))
    assert (verdict.state, verdict.reason, verdict.due) == (
        Decision.WAITING,
        Reason.DAILY_SENDS,
        START.replace(hour=0) + DAY,
    )


@pytest.mark.parametrize(
    ("contact_zone", "owner_zone", "opens"),
    [
        (None, None, 9),
        ("America/New_York", None, 14),
        (None, "America/New_York", 14),
        ("Nowhere/Land", "Asia/Tokyo", 24),
        ("america_slash_new_york", "Asia/Tokyo", 14),
        ("Nowhere/Land", "Eastern Standard Time", 14),
    ],
)
def test_mail_waits_for_the_sending_window_of_the_persons_own_clock(
    contact_zone: str | None, owner_zone: str | None, opens: int
) -> None:
    person = Recipient("m@oy.example", "m", timezone=contact_zone)
    end = End(START, owner_timezone=owner_zone)
    verdict = decide(case(limits=limits(sending_window="mon-fri 09:00-17:00"), recipient=person, end=end))
    if opens == 9:
        assert verdict.state is Decision.INVITED
    else:
        assert (verdict.reason, verdict.due) == (Reason.SENDING_WINDOW, START.replace(hour=0) + timedelta(hours=opens))


def test_what_was_held_up_for_too_long_is_refused_with_what_held_it_up() -> None:
    late = START + 8 * DAY
    assert told(now=late, held_by=Reason.DAILY_SENDS) == (Decision.REFUSED, Reason.DAILY_SENDS)
    assert told(now=late, held_by=Reason.DELAY) == (Decision.REFUSED, Reason.TOO_OLD)


# ── whatever happens ─────────────────────────────────────────────────────────────────────────────────────────────────

spans = st.sampled_from(["0s", "90s", "1h", "24h", "7d", "90d"])
recipients = st.builds(
    Recipient,
    email=st.sampled_from([None, "maria@oy.example", "me@acme.example"]),
    person=st.just("maria"),
    no_surveys=st.booleans(),
    opted_out=st.booleans(),
    bounced=st.booleans(),
    deleted=st.booleans(),
)
hours = st.integers(0, 24 * 40).map(lambda n: timedelta(hours=n))


@given(
    events=st.lists(st.tuples(hours, hours, st.sampled_from("abc")), max_size=30),
    quiet=spans,
    gap=spans,
    delay=spans,
    cap=st.integers(1, 3),
)
def test_nobody_is_invited_twice_within_the_quiet_period_or_the_gap_in_whatever_order(
    events: list[tuple[timedelta, timedelta, str]], quiet: str, gap: str, delay: str, cap: int
) -> None:
    few = limits(quiet_period=quiet, minimum_gap=gap, account_cap=f"{cap} per 7d", daily_sends=2)
    history = AskedBefore()
    invited: list[tuple[Any, str]] = []
    for waited, ended, who in sorted(events):
        now = START + waited
        end = End(START + min(ended, waited))
        planned = case(
            survey=survey(delay=delay),
            limits=few,
            now=now,
            end=end,
            recipient=Recipient(f"{who}@oy.example", who),
            history=history,
        )
        verdict = decide(planned)
        if verdict.state is Decision.INVITED:
            history.asked(who, "oy", now)
            invited.append((now, who))
        if verdict.state is Decision.WAITING:
            assert verdict.due is not None
            assert now < verdict.due <= planned.deadline
    apart = max(few.quiet_period, few.minimum_gap)
    for n, (now, who) in enumerate(invited):
        assert all(now - before >= apart for before, other in invited[:n] if other == who)
        assert len({other for before, other in invited[: n + 1] if now - before < 7 * DAY}) <= cap


@given(recipient=recipients, ended=hours, waited=hours, quiet=spans, held=st.none() | st.sampled_from(list(Reason)))
def test_nobody_who_said_no_or_cannot_be_reached_is_ever_invited(
    recipient: Recipient, ended: timedelta, waited: timedelta, quiet: str, held: Reason | None
) -> None:
    planned = case(
        recipient=recipient,
        end=End(START + ended),
        now=START + ended + waited,
        limits=limits(quiet_period=quiet, internal_domains=["acme.example"]),
        held_by=held,
    )
    said_no = recipient.no_surveys or recipient.opted_out or recipient.bounced or recipient.deleted
    if decide(planned).state is Decision.INVITED:
        assert not said_no
        assert recipient.email == "maria@oy.example"
        assert planned.now <= planned.deadline


@given(names=st.lists(st.text(max_size=20), unique=True, min_size=2, max_size=20))
def test_the_sample_is_the_same_every_time_and_differs_between_interactions(names: list[str]) -> None:
    key = b"k" * 32
    drawn = [lot(key, "after-case", name) for name in names]
    assert drawn == [lot(key, "after-case", name) for name in names]
    assert all(0 <= one < 1 for one in drawn)
    assert len(set(drawn)) == len(names)


def test_the_sample_takes_its_share() -> None:
    taken = sum(lot(b"k" * 32, "after-case", f"case {n}") < 0.3 for n in range(2000))
    assert 520 < taken < 680


@pytest.mark.parametrize(
    ("missing", "reason"), [({"customer": None}, Reason.NO_ACCOUNT), ({"recipient": None}, Reason.NO_CONTACT)]
)
def test_an_unresolved_interaction_waits_for_two_weeks(missing: Any, reason: Reason) -> None:
    verdict = decide(case(**missing))
    assert (verdict.state, verdict.reason, verdict.until) == (Decision.WAITING, reason, START + 14 * DAY)
    assert verdict.due is not None
    assert told(**missing, now=verdict.due, held_by=reason) == (Decision.REFUSED, reason)
    assert told(now=START + 14 * DAY, held_by=reason) == (Decision.INVITED, None)
    assert told(now=START + 14 * DAY) == (Decision.REFUSED, Reason.TOO_OLD)
