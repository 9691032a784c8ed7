"""A message is handed over at most once, and only to somebody who is still to be asked."""

from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from asking import CRM, DAY, HOUR, SITE, START, Mailbox, World, attempts, lap, limits, states, survey, world
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert

from connector.errors import MailboxRefused, MailInDoubt, MailUnavailable, MessageRefused, Unavailable
from connector.model import Contact, Ref
from connector.ports.mail import Message
from connector.stages.deliver import stage as deliver
from connector.stages.invite import stage as invite
from connector.store import Store
from connector.store import tables as t
from connector.store.ops import connections
from connector.store.surveys import deliveries

DOWN = MailUnavailable("the server does not answer")
BUSY = MessageRefused("451 greylisted")
SPAM = MessageRefused("554 looks like spam")
SPAM.permanent = True


def crowd(here: World, *names: str) -> None:
    """One closed case for each of these people, who come in this order."""
    for name in names:
        here.person(name)
        here.case(f"case-{name}", [name])


# ── sent ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_gap_holds_for_a_contact_whose_address_has_changed(here: World) -> None:
    here.limits = limits(minimum_gap="0s", quiet_period="0s")
    here.case("c1")
    lap(here)
    here.change_row(t.contact, "maria", email="maria@new.example", person="another")
    here.crm.values["Contact", "maria"] = Contact(Ref(CRM, "Contact", "maria"), "Maria", email="maria@new.example")
    here.case("c2")
    invite.run(here.context())
    here.limits = limits(minimum_gap="24h", quiet_period="0s")
    deliver.run(here.context(), SITE)
    assert here.mailbox.recipients == ["maria@oy.example"]
    here.clock.advance(DAY)
    deliver.run(here.context(), SITE)
    assert here.mailbox.recipients == ["maria@oy.example", "maria@new.example"]


def test_a_due_invitation_is_sent_once(here: World) -> None:
    here.case("c1")
    assert lap(here).sent == 1
    assert lap(here).sent == 0
    assert here.mailbox.recipients == ["maria@oy.example"]
    assert (states(here), attempts(here)) == (["sent"], [("invitation", "sent")])
    assert [row.desired for row in here.rows(t.outbox_record)] == [{"last_asked": "2026-03-02T09:00:00+00:00"}]


def test_the_message_carries_its_own_link_and_the_id_that_was_written_down(here: World) -> None:
    here.case("c1")
    lap(here)
    message = here.mailbox.messages[0]
    tokens = here.context().tokens
    assert tokens is not None
    assert f"/s/{tokens.survey(here.rows(t.invitation)[0].id)}" in message.text
    assert message.message_id == here.rows(t.attempt)[0].message_id
    assert message.message_id.endswith("@acme.example")


def test_the_crm_is_asked_once_for_a_batch(here: World) -> None:
    crowd(here, "a", "b", "c")
    assert lap(here).sent == 3
    assert [name for name, _ in here.crm.fetches] == ["Contact", "Case"]


# ── the last look ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("change", "decided"),
    [
        ({"deleted": "Contact"}, ("cancelled", "deleted")),
        ({"deleted": "Case"}, ("cancelled", "deleted")),
        ({"ended": None}, ("cancelled", "reopened")),
        ({"ended": "merged"}, ("cancelled", "reopened")),
        ({"no_surveys": True}, ("cancelled", "opted_out")),
        ({"email": None}, ("cancelled", "no_address")),
        ({"email": "maria@new.example"}, ("waiting", "delay")),
    ],
)
def test_what_has_changed_in_the_crm_since_is_seen_before_sending(
    here: World, change: dict[str, str | bool | None], decided: tuple[str, str]
) -> None:
    here.case("c1")
    invite.run(here.context())
    for key in (("Contact", "maria"), ("Case", "c1")):
        if change.get("deleted") == key[0]:
            del here.crm.values[key]
            continue
        fields = {name: value for name, value in change.items() if hasattr(here.crm.values[key], name)}
        here.crm.values[key] = replace(here.crm.values[key], **fields)  # type: ignore[arg-type]
    result = deliver.run(here.context(), SITE)
    assert (result.sent, result.cancelled, here.mailbox.messages) == (0, 1, [])
    assert (states(here), here.decision("c1")) == (["cancelled"], decided)


def test_an_opt_out_that_the_crm_tells_at_the_last_moment_is_kept(here: World) -> None:
    here.case("c1")
    invite.run(here.context())
    here.crm.values["Contact", "maria"] = replace(here.crm.values["Contact", "maria"], no_surveys=True)  # type: ignore[call-arg]
    deliver.run(here.context(), SITE)
    assert [(row.opted_out_at, row.opted_out_by) for row in here.rows(t.person)] == [(START, "crm")]


def test_a_changed_address_gets_the_mail_once_it_has_been_pulled(here: World) -> None:
    here.case("c1")
    invite.run(here.context())
    here.crm.values["Contact", "maria"] = replace(here.crm.values["Contact", "maria"], email="maria@new.example")  # type: ignore[call-arg]
    deliver.run(here.context(), SITE)
    here.change_row(t.contact, "maria", email="maria@new.example", person="somebody")
    assert lap(here).sent == 1
    assert here.mailbox.recipients == ["maria@new.example"]
    assert [(row.email, row.person, row.state) for row in here.rows(t.invitation)] == [
        ("maria@new.example", "somebody", "sent")
    ]


def test_a_case_that_was_reopened_before_the_mail_went_out_is_asked_about_when_it_closes(here: World) -> None:
    here.case("c1")
    invite.run(here.context())
    closed = here.crm.values["Case", "c1"]
    here.crm.values["Case", "c1"] = replace(closed, ended=None, ended_at=None)  # type: ignore[call-arg]
    deliver.run(here.context(), SITE)
    here.change("c1", ended=None, ended_at=None)
    lap(here)
    here.clock.advance(HOUR)
    here.crm.values["Case", "c1"] = closed
    here.change("c1", ended="closed", ended_at=here.clock.now())
    assert lap(here).sent == 1


def test_an_opt_out_between_planning_and_sending_stops_the_mail(here: World) -> None:
    here.case("c1")
    invite.run(here.context())
    person = here.rows(t.contact)[0].person
    with here.store.write() as tx:
        tx.execute(insert(t.person).values(person=person, opted_out_at=START, opted_out_by="link"))
    assert deliver.run(here.context(), SITE).cancelled == 1
    assert here.mailbox.messages == []


def test_an_opt_out_after_the_last_look_stops_the_mail_too(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    here.case("c1")
    invite.run(here.context())
    look = deliver.reread

    def opted_out_meanwhile(*args: object) -> object:
        with here.store.write() as tx:
            values = {"person": here.rows(t.contact)[0].person, "opted_out_at": START, "opted_out_by": "link"}
            tx.execute(insert(t.person).values(**values))
        return look(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(deliver, "reread", opted_out_meanwhile)
    deliver.run(here.context(), SITE)
    assert here.mailbox.messages == []
    assert attempts(here) == []


def test_a_crm_that_cannot_be_asked_keeps_its_mail_back(here: World) -> None:
    here.case("c1")
    here.crm.down = Unavailable("no answer")
    result = lap(here)
    assert (result.sent, result.deferred, list(result.errors)) == (0, 1, [CRM])
    here.crm.down = None
    assert lap(here).sent == 1


# ── when nothing is sent ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("how", ["observing", "connection paused", "all paused", "no channel"])
def test_nothing_is_sent(here: World, how: str) -> None:
    here.case("c1")
    invite.run(here.context())
    with here.store.write() as tx:
        if "paused" in how:
            connections.pause(tx, CRM if how == "connection paused" else None, START, "holiday")
    here.live = how != "observing"
    context = here.context()
    deliver.run(replace(context, channel=None) if how == "no channel" else context, SITE)
    assert (here.mailbox.messages, states(here)) == ([], ["due"])


def test_what_could_not_be_sent_in_time_expires(here: World) -> None:
    here.case("c1")
    invite.run(here.context())
    here.clock.advance(15 * DAY)
    result = deliver.run(here.context(), SITE)
    assert (result.expired, result.sent, states(here)) == (1, 0, ["expired"])


def test_the_days_limit_holds_for_what_lies_ready(here: World) -> None:
    crowd(here, "a", "b", "c")
    invite.run(here.context())
    here.limits = limits(daily_sends=2)
    result = deliver.run(here.context(), SITE)
    assert (result.sent, result.deferred) == (2, 1)
    assert deliver.run(here.context(), SITE).sent == 0
    here.clock.set(START.replace(hour=0) + DAY)
    assert deliver.run(here.context(), SITE).sent == 1


def test_what_lies_ready_at_night_waits_for_the_morning(here: World) -> None:
    here.case("c1")
    invite.run(here.context())
    here.limits = limits(sending_window="mon-fri 09:00-17:00")
    here.clock.advance(10 * HOUR)
    assert (deliver.run(here.context(), SITE).sent, here.rows(t.invitation)[0].due_at) == (0, START + DAY)
    here.clock.advance(14 * HOUR)
    assert deliver.run(here.context(), SITE).sent == 1


def test_the_stop_button_works_in_the_middle_of_a_lap(here: World) -> None:
    crowd(here, "a", "b", "c")
    send = here.mailbox.send

    def send_and_pause(message: Message) -> None:
        send(message)
        with here.store.write() as tx:
            connections.pause(tx, None, START, "stop")

    here.mailbox.send = send_and_pause  # type: ignore[method-assign]
    assert (lap(here).sent, lap(here).sent) == (1, 0)
    with here.store.write() as tx:
        connections.resume(tx, None)
    here.mailbox.send = send  # type: ignore[method-assign]
    assert lap(here).sent == 2


# ── mail that does not go through ────────────────────────────────────────────────────────────────────────────────────


def test_a_refused_address_is_not_written_to_again(here: World) -> None:
    here.case("c1")
    here.mailbox.failing = [MailboxRefused("no such user")]
    assert (lap(here).bounced, states(here), attempts(here)) == (1, ["bounced"], [("invitation", "bounced")])
    here.case("c2")
    assert dict(invite.run(here.context()).not_invited) == {"bad_address": 1}


def test_a_server_that_is_down_is_left_alone_for_this_lap_and_tried_later(here: World) -> None:
    crowd(here, "a", "b")
    here.mailbox.failing = [DOWN]
    result = lap(here)
    assert (result.sent, result.deferred, result.mail_error) == (0, 2, DOWN)
    assert sorted(row.due_at for row in here.rows(t.invitation)) == [START, START + timedelta(minutes=5)]
    here.clock.advance(timedelta(minutes=5))
    assert lap(here).sent == 2
    assert sorted(state for _, state in attempts(here)) == ["failed", "sent", "sent"]


def test_the_waits_grow_to_an_hour_and_end_with_the_invitation(here: World) -> None:
    here.case("c1")
    here.mailbox.failing = [DOWN] * 400
    waits = []
    while states(here) in ([], ["due"]):
        lap(here)
        row = here.rows(t.invitation)[0]
        if row.state == "due":
            waits.append(row.due_at - here.clock.now())
            here.clock.set(row.due_at)
        if len(waits) > 8:
            here.clock.set(max(here.clock.now(), row.expires_at - timedelta(minutes=90)))
    minutes = [wait // timedelta(minutes=1) for wait in waits]
    assert minutes[:6] == [5, 10, 20, 40, 60, 60]
    assert here.clock.now() == here.rows(t.invitation)[0].expires_at
    assert (states(here), here.mailbox.messages) == (["expired"], [])


def test_a_message_that_is_refused_for_now_keeps_no_other_back(here: World) -> None:
    crowd(here, "a", "b", "c")
    here.mailbox.failing = [BUSY, None, BUSY]
    result = lap(here)
    assert (result.sent, result.deferred, result.mail_error) == (1, 2, None)
    here.clock.advance(timedelta(minutes=5))
    assert lap(here).sent == 2


def test_a_message_that_is_refused_for_good_is_tried_once_a_day(here: World) -> None:
    crowd(here, "a", "b")
    here.mailbox.failing = [SPAM]
    assert lap(here).sent == 1
    here.clock.advance(timedelta(hours=23))
    assert lap(here).sent == 0
    here.clock.advance(timedelta(hours=1))
    assert lap(here).sent == 1
    assert sorted(here.mailbox.recipients) == ["a@oy.example", "b@oy.example"]


@pytest.mark.parametrize("refusal", [BUSY, SPAM])
def test_a_server_that_refuses_one_message_after_the_other_is_left_alone(here: World, refusal: MessageRefused) -> None:
    crowd(here, "a", "b", "c", "d", "e")
    here.mailbox.failing = [refusal] * 5
    result = lap(here)
    assert (result.sent, result.deferred, result.mail_error) == (0, 5, refusal)
    assert len(here.mailbox.failing) == 2


def test_the_only_message_of_a_lap_that_is_refused_is_told(here: World) -> None:
    here.case("c1")
    here.mailbox.failing = [SPAM]
    assert lap(here).mail_error is SPAM


def test_mail_in_doubt_is_never_sent_again_by_itself_and_has_no_reminder(here: World) -> None:
    here.case("c1")
    here.mailbox.failing = [MailInDoubt("cut off")]
    assert (lap(here).in_doubt, states(here)) == (1, ["in_doubt"])
    for _ in range(20):
        here.clock.advance(DAY)
        lap(here)
    assert here.mailbox.messages == []


# ── reminders ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_one_reminder_follows_when_nobody_answers(here: World) -> None:
    here.case("c1")
    lap(here)
    for _ in range(12):
        here.clock.advance(DAY)
        lap(here)
    assert len(here.mailbox.messages) == 2
    assert attempts(here) == [("invitation", "sent"), ("reminder", "sent")]
    assert here.rows(t.invitation)[0].reminded_at == START + 4 * DAY


def answer(here: World, at: datetime) -> None:
    row = here.rows(t.invitation)[0]
    values = {"id": "r1", "invitation_id": row.id, "revision": 1, "survey": row.survey, "connection": CRM}
    values |= {"label": row.label, "at": at, "source": "page", "counts": True}
    with here.store.write() as tx:
        tx.execute(insert(t.response).values(**values))


@pytest.mark.parametrize("how", ["answered", "opted out", "deleted", "reopened", "new address"])
def test_no_reminder_follows(here: World, how: str) -> None:
    here.case("c1")
    lap(here)
    here.clock.advance(4 * DAY)
    maria, case = here.crm.values["Contact", "maria"], here.crm.values["Case", "c1"]
    if how == "answered":
        answer(here, here.clock.now())
    elif how == "opted out":
        here.crm.values["Contact", "maria"] = replace(maria, no_surveys=True)  # type: ignore[call-arg]
    elif how == "deleted":
        del here.crm.values["Contact", "maria"]
    elif how == "reopened":
        here.crm.values["Case", "c1"] = replace(case, ended=None)  # type: ignore[call-arg]
    else:
        here.crm.values["Contact", "maria"] = replace(maria, email="other@oy.example")  # type: ignore[call-arg]
    lap(here)
    assert len(here.mailbox.messages) == 1
    assert (states(here), here.decision("c1")) == (["sent"], ("invited", None))


def test_a_survey_that_reminds_nobody(here: World) -> None:
    here.surveys = {"after-case": survey(reminder_after="0s")}
    here.case("c1")
    lap(here)
    assert here.rows(t.invitation)[0].reminder_at is None


def test_a_reminder_keeps_its_distance_from_other_mail_to_the_same_person(here: World) -> None:
    here.limits = limits(minimum_gap="24h")
    here.case("c1")
    lap(here)
    here.clock.advance(4 * DAY - HOUR)
    here.case("c2")
    assert lap(here).sent == 1
    here.clock.advance(HOUR)
    assert lap(here).sent == 0
    here.clock.advance(23 * HOUR)
    assert lap(here).sent == 1
    assert len(here.mailbox.messages) == 3


# ── the process dies ─────────────────────────────────────────────────────────────────────────────────────────────────


class PowerCut(BaseException):
    """The process is gone: nothing catches this."""


def test_cut_off_after_it_was_written_down_and_before_it_was_sent_it_is_in_doubt(here: World) -> None:
    here.case("c1")
    here.mailbox.failing = [PowerCut()]
    with pytest.raises(PowerCut):
        lap(here)
    assert attempts(here) == [("invitation", "sending")]
    assert (lap(here).in_doubt, states(here), attempts(here)) == (1, ["in_doubt"], [("invitation", "in_doubt")])
    assert (lap(here).in_doubt, here.mailbox.messages) == (0, [])


def test_cut_off_after_it_was_sent_it_is_in_doubt_and_not_sent_again(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    here.case("c1")
    with monkeypatch.context() as cut:
        cut.setattr(deliveries, "sent", _power_cut)
        with pytest.raises(PowerCut):
            lap(here)
    here.clock.advance(DAY)
    lap(here)
    assert (len(here.mailbox.messages), states(here)) == (1, ["in_doubt"])


def test_cut_off_before_anything_was_written_down_it_is_sent(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    here.case("c1")
    with monkeypatch.context() as cut:
        cut.setattr(deliveries, "begin", _power_cut)
        with pytest.raises(PowerCut):
            lap(here)
    assert (lap(here).sent, len(here.mailbox.messages)) == (1, 1)


def test_a_reminder_that_was_cut_off_leaves_the_invitation_sent(here: World) -> None:
    here.case("c1")
    lap(here)
    here.clock.advance(4 * DAY)
    here.mailbox.failing = [PowerCut()]
    with pytest.raises(PowerCut):
        lap(here)
    assert lap(here).in_doubt == 1
    row = here.rows(t.invitation)[0]
    assert (row.state, row.reminder_at, len(here.mailbox.messages)) == ("sent", None, 1)


def _power_cut(*_: object) -> None:
    raise PowerCut


class Accidents(Mailbox):
    """A mailbox that may also be cut off after it has taken the message."""

    def send(self, message: Message) -> None:
        if self.failing and self.failing[0] == "taken, then cut off":
            self.failing.pop(0)
            self.messages.append(message)
            raise PowerCut
        super().send(message)


FAILURES = st.sampled_from(
    [None, DOWN, BUSY, SPAM, MailboxRefused("no such user"), MailInDoubt("cut off"), PowerCut(), "taken, then cut off"]
)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(failures=st.lists(FAILURES, max_size=8), laps=st.integers(1, 10))
def test_whatever_fails_a_message_is_handed_over_at_most_once(store: Store, failures: list[object], laps: int) -> None:
    with store.write() as tx:
        for table in reversed(t.metadata.sorted_tables):
            tx.execute(delete(table))
    here = world(store)
    crowd(here, "a", "b")
    here.mailbox = Accidents()
    here.mailbox.failing = list(failures)
    for _ in range(laps):
        with suppress(PowerCut):
            lap(here)
        here.clock.advance(DAY)
    handed = [(message.to, message.subject) for message in here.mailbox.messages]
    assert len(handed) == len(set(handed))
    for row in here.rows(t.invitation):
        assert (row.state == "sent") <= (row.email in here.mailbox.recipients)
    assert all(row.state in {"sent", "in_doubt", "bounced", "failed", "sending"} for row in here.rows(t.attempt))
