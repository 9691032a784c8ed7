"""The survey log answers: asked or not, which rule decided, until when, what came of it."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from asking import CRM, DAY, HOUR, START, World, lap, limits, survey
from databases import BOTH_DATABASES
from sqlalchemy import Connection, insert

from adapters.salesforce.package import normalise_id
from connector.commands.why import BECAUSE, UnknownRecord, explain
from connector.errors import MailboxRefused, MailUnavailable
from connector.model import Reason
from connector.store import tables as t
from connector.store.surveys.people import bounced, opt_out, person_key, person_of


def test_every_reason_has_its_sentence() -> None:
    assert set(BECAUSE) == set(Reason)
    assert len(set(BECAUSE.values())) == len(Reason)


def test_somebody_who_was_asked_and_answered(here: World) -> None:
    here.surveys = {"after-case": survey(delay="24h")}
    here.case("c1")
    lap(here)
    here.clock.advance(DAY)
    lap(here)
    _answer(here, START + 2 * DAY)
    assert explain(here.store, "c1") == [
        "case c1 (interaction c1 of acme)",
        "  after-case, case c1, Maria: asked (3 Mar 2026 09:00 UTC).",
        "    2 Mar 2026 09:00 UTC: not asked yet, because the survey waits a while after the last update, "
        "until 3 Mar 2026 09:00 UTC.",
        "    3 Mar 2026 09:00 UTC: asked.",
        "    The mail was sent to maria@oy.example on 3 Mar 2026 09:00 UTC.",
        '    Answered on 4 Mar 2026 09:00 UTC: 2 of 5 (csat), "Slow".',
    ]


BEFORE = {"after-case": "case.closed"}
NOT_ASKED = "not asked, because it ended before the survey, or the present mapping, went live (2 Mar 2026 09:00 UTC)."


@BOTH_DATABASES
def test_what_ended_before_the_survey_went_live_is_told_without_a_decision(here: World) -> None:
    here.case("old", ended_at=START - DAY)
    here.case("new", ended_at=START + timedelta(minutes=1))
    here.case("call", kind="call", ended="held", ended_at=START - DAY)
    here.clock.advance(HOUR)
    lap(here)
    assert explain(here.store, "old", surveys=BEFORE) == [
        "case old (interaction old of acme)",
        f"  after-case, case old, Maria: {NOT_ASKED}",
    ]
    assert not any(
        NOT_ASKED in line for known in ("new", "call") for line in explain(here.store, known, surveys=BEFORE)
    )
    for record in ("maria", "oy"):
        told = [line for line in explain(here.store, record, surveys=BEFORE) if "after-case" in line]
        assert [line.partition(": ")[0] for line in told] == [
            "  after-case, case new, Maria",
            "  after-case, case old, Maria",
        ]


def _answer(here: World, at: object) -> None:
    row = here.rows(t.invitation)[0]
    values = {"id": "r1", "invitation_id": row.id, "revision": 1, "survey": row.survey, "connection": CRM}
    values |= {"label": row.label, "at": at, "source": "page", "counts": True, "comment": "Slow"}
    rating = {"metric": "csat", "question": "csat", "value": 2, "low": 1, "high": 5, "direction": "up"}
    with here.store.write() as tx:
        tx.execute(insert(t.response).values(**values))
        tx.execute(insert(t.rating).values(response_id="r1", **rating))


def test_somebody_who_was_not_asked_the_rule_and_until_when(here: World) -> None:
    here.limits = limits(quiet_period="90d")
    here.case("c1")
    here.case("c2")
    lap(here)
    assert explain(here.store, "c2") == [
        "case c2 (interaction c2 of acme)",
        "  after-case, case c2, Maria: not asked, because this person was asked recently (quiet_period), "
        "until 31 May 2026 09:00 UTC (2 Mar 2026 09:00 UTC).",
    ]


def test_a_contact_and_an_account_tell_all_their_interactions_the_latest_first(here: World) -> None:
    here.case("c1")
    lap(here)
    here.clock.advance(HOUR)
    here.case("c2")
    lap(here)
    for record in ("maria", "oy"):
        told = [line for line in explain(here.store, record) if "after-case" in line]
        assert [line.split(", ")[1] for line in told] == ["case c2", "case c1"]
    assert "    No answer yet; the link works until 16 Mar 2026 23:59 UTC." in explain(here.store, "c1")
    in_helsinki = explain(here.store, "c1", tz=ZoneInfo("Europe/Helsinki"))
    assert "    No answer yet; the link works until 17 Mar 2026 01:59 EET." in in_helsinki


def _person(tx: Connection) -> str:
    return person_of(person_key(tx), "maria@oy.example")


@pytest.mark.parametrize(
    ("by", "way"),
    [
        ("link", "Maria wants no surveys since 2 Mar 2026 10:00 UTC, said by the unsubscribe link in a mail."),
        ("crm", "Maria wants no surveys since 2 Mar 2026 10:00 UTC, as the record in the CRM says."),
        ("admin", "Maria wants no surveys since 2 Mar 2026 10:00 UTC, as was noted by `afterword opt-outs add`."),
        (
            "erased",
            "Maria is not asked any more since 2 Mar 2026 10:00 UTC, when the data about this person were erased.",
        ),
    ],
)
@pytest.mark.parametrize("record", ["c1", "maria", "oy"])
def test_somebody_who_opted_out_since_when_and_by_which_way(here: World, by: str, way: str, record: str) -> None:
    here.case("c1")
    lap(here)
    here.clock.advance(HOUR)
    with here.store.write() as tx:
        opt_out(tx, _person(tx), here.clock.now(), by)
    told = explain(here.store, record)
    assert [line.strip() for line in told].count(way) == 1
    assert "    No answer." in told
    assert "No answer yet" not in "\n".join(told)


def test_an_opt_out_that_came_after_several_surveys_is_told_once(here: World) -> None:
    here.case("c1")
    here.case("c2")
    lap(here)
    with here.store.write() as tx:
        opt_out(tx, _person(tx), here.clock.now(), "link")
    assert sum("wants no surveys since" in line for line in explain(here.store, "oy")) == 1


def test_an_address_that_bounced_since_when_and_why(here: World) -> None:
    here.case("c1")
    lap(here)
    here.clock.advance(HOUR)
    with here.store.write() as tx:
        bounced(tx, _person(tx), here.clock.now(), "no such user.")
    told = "Mail to Maria bounced on 2 Mar 2026 10:00 UTC, so this address is not written to again: no such user."
    assert [[line.strip() for line in explain(here.store, one)].count(told) for one in ("c1", "maria", "oy")] == [1] * 3


def test_mail_that_did_not_go_through_says_so(here: World) -> None:
    here.case("c1")
    here.mailbox.failing = [MailUnavailable("the server is down."), MailboxRefused("no such user.")]
    lap(here)
    waiting = "    The mail is waiting to be sent (maria@oy.example), after 1 attempt that failed: the server is down."
    assert waiting in explain(here.store, "c1")
    here.clock.advance(timedelta(minutes=5))
    lap(here)
    told = "    The mail bounced (maria@oy.example), after 1 attempt that failed: no such user."
    assert told in explain(here.store, "c1")


def test_an_interaction_without_anybody_to_ask(here: World) -> None:
    here.case("c1", [])
    lap(here)
    assert "nobody: not asked yet, because it has no contact, until 16 Mar" in explain(here.store, "c1")[1]


def test_an_interaction_that_nothing_was_decided_on(here: World) -> None:
    here.case("open", ended=None, ended_at=None)
    here.case("merged", ended="merged")
    assert "the next sync that is live decides" in explain(here.store, "merged")[1]
    lap(here)
    assert explain(here.store, "open")[1] == "  It has not ended yet, so nobody has been asked."
    assert explain(here.store, "merged")[1] == "  No survey is about a case that was merged."
    assert explain(here.store, "oy")[1] == "  Nothing has ended here that a survey is about."


LONG = "500Kz00000AbCdEIAV"


def _bind(here: World, our_id: str, ref: str, crm: str = CRM) -> None:
    with here.store.write() as tx:
        values = {"connection": crm, "ref": ref, "kind": "interaction", "id": our_id, "content_hash": ""}
        tx.execute(insert(t.binding).values(**values))


@pytest.mark.parametrize("asked_for", [LONG, LONG[:15], f" {LONG} "])
def test_a_record_is_found_by_either_form_of_its_id(here: World, asked_for: str) -> None:
    here.case("c1")
    _bind(here, "c1", f"Case/{LONG}")
    assert len(explain(here.store, asked_for, normalisers=[normalise_id])) == 2


@pytest.mark.parametrize("asked_for", [LONG[:14], LONG[:15].lower(), "500%", "50_Kz00000AbCdE", "", "Case/c1"])
def test_nothing_else_passes_for_an_id(here: World, asked_for: str) -> None:
    here.case("c1")
    _bind(here, "c1", f"Case/{LONG}")
    with pytest.raises(UnknownRecord) as error:
        explain(here.store, asked_for, normalisers=[normalise_id])
    assert "run a sync" in error.value.remedy


def test_an_id_that_several_records_have_tells_of_each(here: World) -> None:
    here.case("c1")
    here.case("c2")
    _bind(here, "c1", "0-5/101")
    _bind(here, "c2", "0-3/101")
    assert len([line for line in explain(here.store, "101") if not line.startswith(" ")]) == 2
