"""Whom the connector asks, whom not, and why: on a real store."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from asking import CRM, DAY, HOUR, START, LittleCrm, World, limits, survey, world
from databases import BOTH_DATABASES
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert

from connector.errors import Unavailable
from connector.stages.connection import go_live
from connector.stages.context import Connected
from connector.stages.invite import stage as invite
from connector.store import Store
from connector.store import tables as t


def counts(here: World) -> tuple[int, dict[str, int]]:
    result = invite.run(here.context())
    return result.invited, dict(result.not_invited)


def test_a_closed_case_is_asked_about_once(here: World) -> None:
    here.user("rick", email="rick@acme.example")
    here.case("c1", owner_ref="User/rick")
    assert counts(here) == (1, {})
    here.change("c1")
    assert counts(here) == (0, {})
    assert here.invited() == ["maria"]
    row = here.rows(t.invitation)[0]
    assert (row.label, row.email, row.state, row.name) == ("case c1", "maria@oy.example", "due", "Maria")
    assert (row.owner_ref, row.owner_name, row.account_id) == ("User/rick", "Rick", "oy")
    assert row.questionnaire["metric"] == "csat"
    assert (row.due_at, row.expires_at) == (START, datetime(2026, 3, 16, 23, 59, 59, tzinfo=UTC))


def test_the_delay_is_waited_for_and_then_the_invitation_goes_out(here: World) -> None:
    here.surveys = {"after-case": survey(delay="24h")}
    here.case("c1")
    assert counts(here) == (0, {"delay": 1})
    assert counts(here) == (0, {})
    here.clock.advance(DAY)
    assert counts(here) == (1, {})
    assert here.moves() == [("waiting", "delay"), ("invited", None)]


def test_an_invitation_that_never_expires_can_be_answered_for_years(here: World) -> None:
    here.surveys = {"after-case": survey(expires="0s")}
    here.case("c1")
    assert counts(here) == (1, {})
    assert here.rows(t.invitation)[0].expires_at > START + 365 * DAY


def test_a_reopened_case_is_off_and_a_closed_one_is_on_again(here: World) -> None:
    here.surveys = {"after-case": survey(delay="24h")}
    here.case("c1")
    counts(here)
    here.change("c1", ended=None, ended_at=None)
    assert counts(here) == (0, {"reopened": 1})
    here.clock.advance(3 * DAY)
    here.change("c1", ended="closed", ended_at=here.clock.now())
    assert counts(here) == (0, {"delay": 1})
    here.clock.advance(DAY)
    assert counts(here) == (1, {})
    assert [state for state, _ in here.moves()] == ["waiting", "cancelled", "waiting", "invited"]


def test_a_case_that_closes_twice_is_asked_about_once(here: World) -> None:
    here.case("c1")
    counts(here)
    here.change("c1", ended=None, ended_at=None)
    assert counts(here) == (0, {})
    here.clock.advance(DAY)
    here.change("c1", ended="closed", ended_at=here.clock.now())
    assert counts(here) == (0, {})
    assert len(here.rows(t.invitation)) == 1


def test_a_deleted_case_is_off(here: World) -> None:
    here.surveys = {"after-case": survey(delay="24h")}
    here.case("c1")
    counts(here)
    here.change("c1", deleted_at=here.clock.now())
    assert counts(here) == (0, {"deleted": 1})


def test_a_changed_mapping_asks_about_nothing_older_than_itself(here: World) -> None:
    with here.store.write() as tx:
        tx.execute(t.connection_state.update().values(mapping_since=START + DAY))
    here.clock.advance(2 * DAY)
    here.case("old", ended_at=START + DAY - HOUR)
    here.case("new", ended_at=START + DAY)
    assert counts(here) == (1, {"before_go_live": 1})


def test_a_survey_without_a_go_live_asks_nobody(here: World) -> None:
    here.surveys["second"] = survey(metric="nps")
    here.case("c1")
    here.clock.advance(HOUR)
    assert counts(here) == (1, {"before_go_live": 1})


def test_a_survey_goes_live_once_on_the_crms_clock(here: World) -> None:
    here.surveys["second"] = survey()
    here.crm.clock_says = START + HOUR
    go_live.run(here.context())
    here.crm.clock_says = START + DAY
    go_live.run(here.context())
    assert {row.subject: row.at for row in here.rows(t.go_live)} == {
        "survey:after-case": START,
        "survey:second": START + HOUR,
    }


def test_a_crm_that_does_not_tell_its_time_keeps_no_other_from_going_live(here: World) -> None:
    context = here.context()
    down = LittleCrm()
    down.down = Unavailable("no answer")
    both = {"aaa": Connected("aaa", down, down, down, True), **context.connected}  # type: ignore[arg-type]
    here.surveys["second"] = survey()
    failures = go_live.run(replace(here.context(), connected=both))
    assert failures == {"aaa": down.down}
    assert {(row.connection, row.subject) for row in here.rows(t.go_live)} == {
        (CRM, "survey:after-case"),
        (CRM, "survey:second"),
    }


def test_nothing_is_decided_while_observing(here: World) -> None:
    here.live = False
    here.case("c1")
    assert counts(here) == (0, {})
    assert here.rows(t.decision) == []
    go_live.run(here.context())
    assert [row.at for row in here.rows(t.go_live)] == [START]


def test_a_meeting_in_the_future_is_looked_at_when_it_has_ended(here: World) -> None:
    here.case("c1", ended_at=START + DAY)
    assert counts(here) == (0, {})
    assert [row.decide_at for row in here.rows(t.interaction)] == [START + DAY]
    here.clock.advance(DAY)
    assert counts(here) == (1, {})


def test_a_meeting_that_is_moved_while_the_delay_runs_waits_for_its_new_end(here: World) -> None:
    here.surveys = {"after-case": survey(delay="2h")}
    here.case("c1")
    counts(here)
    here.change("c1", ended_at=START + DAY)
    here.clock.advance(2 * HOUR)
    assert counts(here) == (0, {})
    here.clock.advance(DAY)
    assert counts(here) == (1, {})


def test_everybody_who_took_part_is_asked_when_the_survey_says_all(here: World) -> None:
    here.surveys = {"after-case": survey(recipients="all")}
    here.person("pekka")
    here.case("c1", ["maria", "pekka", "maria"])
    assert counts(here) == (2, {})
    assert here.invited() == ["maria", "pekka"]


def test_the_quiet_period_holds_within_one_lap_and_over_connections(here: World) -> None:
    here.limits = limits(quiet_period="90d")
    here.person("mv", email="maria@oy.example")
    here.case("c1")
    here.case("c2", ["mv"])
    here.case("c3")
    assert counts(here) == (1, {"quiet_period": 2})
    here.clock.advance(DAY)
    here.case("c4")
    assert counts(here) == (0, {"quiet_period": 1})
    assert {row.until for row in here.rows(t.decision) if row.reason} == {START + 90 * DAY}
    here.clock.advance(89 * DAY)
    here.case("c5")
    assert counts(here) == (1, {})


def test_what_the_crm_says_of_the_last_time_counts_where_the_store_has_forgotten_it(here: World) -> None:
    """As after the store was restored from a copy: the mails since then are known to the CRM alone."""
    here.limits = limits(quiet_period="90d")
    for name, shown in (
        ("anna", "2026-02-20T09:00:00.000+0000"),
        ("pekka", "not a time"),
        ("maria", "2025-01-01T09:00:00Z"),
    ):
        if name != "maria":
            here.person(name)
        row = {
            "connection": CRM,
            "ref": f"Contact/{name}",
            "target": "contact",
            "desired": {},
            "written": {},
            "pending": False,
        }
        with here.store.write() as tx:
            tx.execute(insert(t.outbox_record).values(actual={"last_asked": shown}, **row))
    here.case("a", ["anna"])
    here.case("p", ["pekka"])
    here.case("m", ["maria"])
    assert counts(here) == (2, {"quiet_period": 1})


def test_the_account_cap_counts_people_of_linked_accounts_together(here: World) -> None:
    here.limits = limits(account_cap="1 per 30d")
    here.account("oy-hub", customer="oy")
    here.person("pekka", "oy-hub")
    here.case("c1")
    here.case("c2", ["pekka"], "oy-hub")
    assert counts(here) == (1, {"account_cap": 1})


def test_the_day_takes_so_many_and_the_next_day_the_others(here: World) -> None:
    here.limits = limits(daily_sends=1)
    here.person("pekka")
    here.case("c1")
    here.case("c2", ["pekka"])
    assert counts(here) == (1, {"daily_sends": 1})
    with here.store.write() as tx:
        tx.execute(t.invitation.update().values(state="sent", sent_at=START))
        attempt = {"purpose": "invitation", "state": "sent", "message_id": "m", "started_at": START}
        tx.execute(insert(t.attempt).values(invitation_id=here.rows(t.invitation)[0].id, **attempt))
    here.clock.advance(HOUR)
    assert counts(here) == (0, {})
    here.clock.set(START.replace(hour=0) + DAY)
    assert counts(here) == (1, {})


def test_an_interaction_without_a_contact_takes_over_the_one_that_appears(here: World) -> None:
    here.case("c1", [])
    assert counts(here) == (0, {"no_contact": 1})
    assert here.decisions() == {("c1", ""): ("waiting", "no_contact")}
    here.clock.advance(13 * DAY)
    assert counts(here) == (0, {})
    here.change("c1", contact_refs=["Contact/maria"])
    assert counts(here) == (1, {})
    assert here.decisions() == {("c1", "maria"): ("invited", None)}


def test_an_interaction_that_stays_without_an_account_is_refused_after_two_weeks(here: World) -> None:
    here.case("c1", account=None)
    assert counts(here) == (0, {"no_account": 1})
    here.clock.advance(14 * DAY + timedelta(seconds=1))
    assert counts(here) == (0, {"no_account": 1})
    assert here.decisions() == {("c1", "maria"): ("refused", "no_account")}


def test_a_contact_that_comes_in_late_is_waited_for(here: World) -> None:
    here.case("c1", ["pekka"])
    assert counts(here) == (0, {"no_contact": 1})
    here.person("pekka")
    here.clock.advance(HOUR)
    assert counts(here) == (1, {})
    assert here.decisions() == {("c1", "pekka"): ("invited", None)}


def test_a_new_primary_contact_takes_over_as_long_as_nobody_was_asked(here: World) -> None:
    here.surveys = {"after-case": survey(delay="24h")}
    here.person("pekka")
    here.case("c1")
    counts(here)
    here.change("c1", contact_refs=["Contact/pekka", "Contact/maria"])
    here.clock.advance(DAY)
    assert counts(here) == (1, {})
    assert here.decisions() == {("c1", "pekka"): ("invited", None)}
    here.change("c1", contact_refs=["Contact/maria"])
    assert counts(here) == (0, {})


def test_where_the_main_contact_cannot_be_asked_the_next_participant_is_and_nobody_else(here: World) -> None:
    here.person("pekka")
    here.person("quiet", no_surveys=True)
    here.person("nowhere", email=None)
    here.case("c1", ["quiet", "nowhere", "pekka", "maria"])
    assert counts(here) == (1, {})
    assert here.decisions() == {("c1", "pekka"): ("invited", None)}
    here.case("c2", ["quiet", "nowhere"])
    assert counts(here) == (0, {"opted_out": 1})


def test_a_participant_who_left_before_being_asked_is_not_asked(here: World) -> None:
    here.surveys = {"after-case": survey(delay="24h", recipients="all")}
    here.person("pekka")
    here.case("c1", ["maria", "pekka"])
    counts(here)
    here.change("c1", contact_refs=["Contact/maria"])
    here.clock.advance(DAY)
    assert counts(here) == (1, {"no_contact": 1})
    assert here.invited() == ["maria"]


def test_merged_contacts_are_one_person_with_one_decision(here: World) -> None:
    here.surveys = {"after-case": survey(recipients="all")}
    here.person("double", email="maria.v@oy.example")
    here.case("c1", ["double"])
    assert counts(here) == (1, {})
    here.merge("double", "maria")
    here.change("c1", contact_refs=["Contact/maria", "Contact/double"])
    assert counts(here) == (0, {})
    assert len(here.rows(t.invitation)) == 1


def test_conditions_look_at_the_account_and_the_contact_too(here: World) -> None:
    here.surveys = {"after-case": survey(where={"industry": ["Energy"], "department": ["IT"]})}
    here.account("energy", facts={"industry": "Energy"})
    here.person("anna", "energy", facts={"department": "IT"})
    here.person("bert", "energy", facts={"department": "Sales"})
    here.case("c1", ("anna",), account="energy")
    here.case("c2", ("bert",), account="energy")
    assert counts(here) == (1, {"condition": 1})


def test_data_that_are_mended_in_time_lift_the_refusal(here: World) -> None:
    here.surveys = {"after-case": survey(where={"priority": ["High"]})}
    here.case("c1", facts={"priority": "Low"})
    assert counts(here) == (0, {"condition": 1})
    here.clock.advance(DAY)
    here.change("c1", facts={"priority": "High"})
    assert counts(here) == (1, {})


def test_a_refusal_that_is_final_stays_when_the_case_is_edited(here: World) -> None:
    here.limits = limits(quiet_period="24h")
    here.case("c1")
    here.case("c2")
    assert counts(here) == (1, {"quiet_period": 1})
    here.clock.advance(2 * DAY)
    here.change("c2")
    assert counts(here) == (0, {})


def test_what_is_off_by_erasure_stays_off(here: World) -> None:
    here.case("c1")
    with here.store.write() as tx:
        person = here.rows(t.contact)[0].person
        tx.execute(insert(t.person).values(person=person, opted_out_at=START, opted_out_by="erased"))
    assert counts(here) == (0, {"erased": 1})
    with here.store.write() as tx:
        tx.execute(delete(t.person))
    here.change("c1", ended_at=START + HOUR)
    assert counts(here) == (0, {})


def test_an_opt_out_on_one_connection_holds_on_the_other(here: World) -> None:
    with here.store.write() as tx:
        person = here.rows(t.contact)[0].person
        tx.execute(insert(t.person).values(person=person, opted_out_at=START, opted_out_by="link"))
    here.case("c1")
    assert counts(here) == (0, {"opted_out": 1})


def test_another_ending_or_kind_starts_no_survey(here: World) -> None:
    here.case("c1", ended="merged")
    here.case("c2", kind="call")
    assert counts(here) == (0, {})
    assert here.rows(t.decision) == []
    assert [row.decide_at for row in here.rows(t.interaction)] == [None, None]


def test_a_lap_that_is_stopped_leaves_the_rest_for_the_next(here: World) -> None:
    here.case("c1")
    context = here.context()
    context.stop.set()
    assert invite.run(context).invited == 0
    assert counts(here) == (1, {})


def test_a_lap_takes_more_than_one_page(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(invite, "PAGE", 2)
    for number in range(5):
        here.person(f"p{number}")
        here.case(f"c{number}", [f"p{number}"])
    assert counts(here) == (5, {})


@BOTH_DATABASES
def test_a_crash_in_the_middle_of_a_page_undoes_the_page_and_the_next_lap_does_it(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    here.case("c1")
    with monkeypatch.context() as broken:
        broken.setattr(invite.stored_decisions, "put_invitation", _crash)
        with pytest.raises(SystemError):
            invite.run(here.context())
    assert here.rows(t.decision) == []
    assert counts(here) == (1, {})


def _crash(*_: object) -> None:
    raise SystemError


# ── whatever happens ─────────────────────────────────────────────────────────────────────────────────────────────────

PEOPLE = ("maria", "pekka", "anna")
steps = st.lists(
    st.one_of(
        st.tuples(st.just("close"), st.sampled_from("xyz"), st.permutations(PEOPLE).map(lambda p: tuple(p[:2]))),
        st.tuples(st.just("reopen"), st.sampled_from("xyz"), st.none()),
        st.tuples(st.just("touch"), st.sampled_from("xyz"), st.none()),
        st.tuples(st.just("wait"), st.sampled_from([1, 24, 100]), st.none()),
        st.tuples(st.just("opt out"), st.sampled_from(PEOPLE), st.none()),
    ),
    max_size=12,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=steps, recipients=st.sampled_from(["primary", "all"]), delay=st.sampled_from(["0s", "24h"]))
@BOTH_DATABASES
def test_whatever_happens_each_contact_has_one_decision_and_one_invitation_at_most(
    store: Store, steps: list[tuple[str, object, object]], recipients: str, delay: str
) -> None:
    _empty(store)
    here = world(store)
    here.person("pekka")
    here.person("anna")
    here.surveys = {"after-case": survey(recipients=recipients, delay=delay)}
    here.limits = limits(quiet_period="7d", minimum_gap="24h")
    for name in "xyz":
        here.case(name, [], ended=None, ended_at=None)
    silent: dict[str, int] = {}
    for what, which, contacts in steps:
        _happen(here, what, which, contacts)
        if what == "opt out":
            silent.setdefault(str(which), len(here.rows(t.invitation)))
        before = {row.id for row in here.rows(t.invitation)}
        invite.run(here.context())
        new = [row for row in here.rows(t.invitation) if row.id not in before]
        assert not {row.contact_id for row in new} & silent.keys()
        assert invite.run(here.context()).invited == 0
    _check(here, recipients)


def _happen(here: World, what: str, which: object, contacts: object) -> None:
    now = here.clock.now()
    if what == "close":
        assert isinstance(contacts, tuple)
        refs = [f"Contact/{name}" for name in contacts]
        here.change(str(which), ended="closed", ended_at=now, contact_refs=refs)
    elif what == "reopen":
        here.change(str(which), ended=None, ended_at=None)
    elif what == "touch":
        here.change(str(which), updated_at=now)
    elif what == "wait":
        assert isinstance(which, int)
        here.clock.advance(which * HOUR)
    else:
        here.change_row(t.contact, str(which), no_surveys=True)


def _check(here: World, recipients: str) -> None:
    decisions = here.rows(t.decision)
    assert len({(row.interaction_id, row.contact_id) for row in decisions}) == len(decisions)
    if recipients == "primary":
        assert len({row.interaction_id for row in decisions}) == len(decisions)
    invitations = sorted(here.rows(t.invitation), key=lambda row: row.created_at)
    for n, row in enumerate(invitations):
        assert all(row.created_at - one.created_at >= 7 * DAY for one in invitations[:n] if one.person == row.person)
    assert {row.decision_id for row in invitations} == {row.id for row in decisions if row.state == "invited"}
    last = {row.decision_id: (row.state, row.reason) for row in here.rows(t.decision_log)}
    assert last == {row.id: (row.state, row.reason) for row in decisions}
    assert all(row.due_at > here.clock.now() for row in decisions if row.state == "waiting")


def _empty(store: Store) -> None:
    with store.write() as tx:
        for table in reversed(t.metadata.sorted_tables):
            tx.execute(delete(table))
