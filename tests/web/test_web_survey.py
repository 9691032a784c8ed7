"""Answering on the survey page."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import requests
from sqlalchemy import event
from web_world import running

from connector.store.tables import customer_score, follow_up_response, invitation, outbox_record, person
from connector.surveys import questionnaire
from connector.surveys.tokens import Tokens

LONGEST = 10_000


def checked(page):
    return re.findall(r'name="(\w+)" value="(\d+)"[^>]* checked', page.text)


def test_a_rating_and_a_comment_are_recorded_by_a_post(world):
    token = world.invite()

    reply = world.post(token, {"rating": "4", "comment": "Quick, thank you"})

    assert reply.status_code == 303
    assert reply.headers["location"] == f"/s/{token}/thanks"
    [answer] = world.responses()
    assert (answer.comment, answer.counts, answer.revision, answer.source) == ("Quick, thank you", True, 1, "page")
    assert (answer.account_id, answer.contact_id, answer.label) == ("account1", "contact1", "case 00123")
    assert world.ratings(answer.id) == {"csat": 4.0}
    thanks = world.get(token, "/thanks")
    assert "Quick, thank you" in thanks.text
    assert "Satisfied" in thanks.text
    assert world.told(1) == ["customer1"]
    assert world.rows(customer_score)[0].stale_at == world.clock.at
    assert world.rows(invitation)[0].reminder_at is None


def test_looking_a_hundred_times_at_every_link_records_nothing(world):
    token = world.invite("nps")

    for _ in range(10):
        for rest in [f"?rating={value}" for value in range(11)] + ["/unsubscribe", ""]:
            assert world.get(token, rest).status_code == 200
            assert world.http.head(world.link(token, rest), timeout=300).status_code == 200

    assert world.responses() == []
    assert world.rows(person) == []
    assert world.answered == []
    assert world.rows(invitation)[0].reminder_at is not None


def test_a_look_asks_the_store_twice_and_an_answer_takes_one_turn_to_write(world):
    """Many open their mail at the same moment, and writers wait for each other."""
    token = world.invite()
    statements = []

    def note(_connection, _cursor, statement, *_rest):
        statements.append(statement)

    event.listen(world.store.engine, "before_cursor_execute", note)

    world.get(token)
    assert [statement.split()[0] for statement in statements] == ["SELECT", "SELECT"]

    statements.clear()
    assert world.post(token, {"rating": "4"}).status_code == 303
    assert statements.count("BEGIN IMMEDIATE") == 1
    assert len(statements) <= 9


def test_the_choice_in_the_mail_is_marked_and_the_page_says_so(world):
    token = world.invite()

    page = world.get(token, "?rating=4")

    assert checked(page) == [("rating", "4")]
    assert "not recorded until you press" in page.text


@pytest.mark.parametrize("choice", ["", "0", "6", "x", "4.5", "-1", "٤", "4'--", "9" * 5000])
def test_a_choice_that_is_not_on_the_scale_marks_nothing(world, choice):
    page = world.get(world.invite(), "", params={"rating": choice})

    assert page.status_code == 200
    assert checked(page) == []
    assert "e-mail (" not in page.text


@pytest.mark.parametrize("rating", ["", "0", "6", "4.5", "-1", "four", "4\x00", "٤", "1e0", " "])
def test_a_rating_off_the_scale_or_missing_records_nothing_and_keeps_what_was_typed(world, rating):
    token = world.invite()

    page = world.post(token, {"rating": rating, "comment": "my <words>"})

    assert page.status_code == 422
    assert "has not been recorded yet" in page.text
    assert "my &lt;words&gt;</textarea>" in page.text
    assert 'aria-describedby="problem-csat"' in page.text
    assert 'id="problem-csat"' in page.text
    assert world.responses() == []


def test_a_comment_that_is_too_long_is_kept_on_the_page_and_not_recorded(world):
    token = world.invite()
    comment = "word " * 2_001

    page = world.post(token, {"rating": "2", "comment": comment + "end"})

    assert page.status_code == 422
    assert checked(page) == [("rating", "2")]
    assert comment + "end</textarea>" in page.text
    assert "10,008 characters" in page.text
    assert world.responses() == []


def test_the_longest_comment_fits_in_any_script(world):
    token = world.invite()

    fields = {"rating": (None, "2"), "comment": (None, "中" * LONGEST)}
    assert world.post(token, None, files=fields).status_code == 303

    assert world.responses()[0].comment == "中" * LONGEST


def test_a_huge_body_is_refused_kindly(world):
    token = world.invite()

    reply = world.post(token, {"rating": "2", "comment": "x" * 70_000})

    assert reply.status_code == 413
    assert "Please go back" in reply.text
    assert world.responses() == []


def test_a_huge_body_that_does_not_say_its_length_is_refused_too(world):
    token = world.invite()
    headers = {"Content-Type": "application/x-www-form-urlencoded"}

    reply = world.post(token, (b"rating=2&comment=" + b"x" * 30_000 for _ in range(3)), headers=headers)

    assert reply.status_code == 413
    assert world.responses() == []


def test_line_breaks_stay_and_control_characters_go(world):
    world.post(world.invite(), {"rating": "2", "comment": " one\r\ntwo\x00\x1b[31m\rthree\t! "})

    assert world.responses()[0].comment == "one\ntwo[31m\nthree\t!"


def test_the_same_answer_again_is_one_answer(world):
    token = world.invite()

    for _ in range(3):
        assert world.post(token, {"rating": "4", "comment": "Fine"}).status_code == 303

    assert len(world.responses()) == 1
    assert world.told(1) == ["customer1"]


def at_once(world, token, ratings):
    def give(rating):
        reply = requests.post(world.link(token), data={"rating": rating}, allow_redirects=False, timeout=300)
        return reply.status_code

    with ThreadPoolExecutor(len(ratings)) as hands:
        return list(hands.map(give, ratings))


def test_a_double_click_at_the_very_same_time_is_one_answer(world):
    assert at_once(world, world.invite(), ["4"] * 6) == [303] * 6

    assert len(world.responses()) == 1


def test_of_different_answers_at_the_very_same_time_one_counts(world):
    assert at_once(world, world.invite(), ["1", "2", "3", "4", "5"]) == [303] * 5

    assert [one.counts for one in world.responses()] == [False, False, False, False, True]


def test_a_correction_counts_and_the_former_answer_does_not(world):
    token = world.invite()
    world.post(token, {"rating": "4"})
    world.clock.at += timedelta(hours=1)

    before = world.get(token)
    world.post(token, {"rating": "2", "comment": "On second thought"})

    assert checked(before) == [("rating", "4")]
    assert "You answered on 22 November 2026" in before.text
    first, second = world.responses()
    assert [(one.revision, one.counts, one.after_contact) for one in (first, second)] == [
        (1, False, False),
        (2, True, False),
    ]
    assert (world.ratings(first.id), world.ratings(second.id)) == ({"csat": 4.0}, {"csat": 2.0})
    assert world.told(2) == ["customer1", "customer1"]


def open_follow_up(world, response_id, *, opened_by=None):
    world.open_follow_up(id="f1", response_id=opened_by or response_id)
    world.put(follow_up_response, follow_up_id="f1", response_id=response_id)


def test_after_a_follow_up_was_opened_a_later_answer_is_kept_beside_the_first(world):
    token = world.invite()
    world.post(token, {"rating": "1", "comment": "Bad"})
    open_follow_up(world, world.responses()[0].id)

    for rating in ("5", "5", "4"):
        world.post(token, {"rating": rating, "comment": "They called"})

    kept = [(one.revision, one.counts, one.after_contact) for one in world.responses()]
    assert kept == [(1, True, False), (2, False, True), (3, False, True)]
    assert "noted beside the first one" in world.get(token, "/thanks").text


def test_an_answer_that_joined_an_open_follow_up_was_contacted_about_too(world):
    token = world.invite()
    world.post(token, {"rating": "1", "comment": "Bad"})
    open_follow_up(world, world.responses()[0].id, opened_by="a colleague's answer")

    world.post(token, {"rating": "5", "comment": "They called"})

    assert [(one.counts, one.after_contact) for one in world.responses()] == [(True, False), (False, True)]


def test_a_follow_up_on_an_answer_that_was_corrected_meanwhile_keeps_the_correction(world):
    token = world.invite()
    world.post(token, {"rating": "1"})
    world.post(token, {"rating": "2"})
    open_follow_up(world, world.responses()[0].id)

    world.post(token, {"rating": "5"})

    assert [one.counts for one in world.responses()] == [False, True, False]


def test_each_question_of_a_composite_is_recorded_under_its_name(world):
    token = world.invite("composite")

    world.post(token, {"rating": "4", "speed": "2", "friendliness": "5"})

    [answer] = world.responses()
    assert world.ratings(answer.id) == {"overall": 4.0, "speed": 2.0, "friendliness": 5.0}


def test_a_question_may_come_under_its_own_id(world):
    token = world.invite("nps")

    assert world.post(token, {"nps": "0"}).status_code == 303

    [answer] = world.responses()
    assert world.ratings(answer.id) == {"nps": 0.0}


def test_one_bad_dimension_keeps_everything_from_being_recorded(world):
    token = world.invite("composite")

    page = world.post(token, {"overall": "4", "speed": "9"})

    assert page.status_code == 422
    assert 'id="problem-speed"' in page.text
    assert checked(page) == [("rating", "4")]
    assert world.responses() == []


@pytest.mark.parametrize("rest", ["", "?rating=4"])
def test_after_the_end_the_page_says_so_and_records_nothing(world, rest):
    token = world.invite()
    world.clock.at += timedelta(days=14)

    page = world.get(token, rest)
    assert page.status_code == 410
    assert "6 December 2026" in page.text
    assert "hello@acme.example" in page.text
    assert world.post(token, {"rating": "4"}).status_code == 410
    assert world.responses() == []


def test_until_the_last_moment_an_answer_is_taken_and_afterwards_still_shown(world):
    token = world.invite()
    world.clock.at += timedelta(days=14) - timedelta(seconds=1)
    assert world.post(token, {"rating": "4"}).status_code == 303

    world.clock.at += timedelta(seconds=1)
    thanks = world.get(token, "/thanks")

    assert thanks.status_code == 200
    assert "Change my answer" not in thanks.text


def test_a_withdrawn_invitation_takes_no_answer(world):
    token = world.invite(state="cancelled")

    page = world.get(token)
    assert page.status_code == 410
    assert "withdrawn" in page.text
    assert world.post(token, {"rating": "4"}).status_code == 410


def bad_tokens(world):
    good = world.invite()
    return {
        "cut off": good[:-4],
        "of another key": Tokens(["another secret"]).survey("invitation1"),
        "of another purpose": world.tokens.sign_in("invitation1"),
        "of nobody": world.tokens.survey("no-such-invitation"),
        "nonsense": "nonsense",
        "enormous": "x" * 5000,
        "with markup": "%3Cscript%3E",
    }


def test_a_forged_or_foreign_token_gets_a_kind_page(world):
    for case, token in bad_tokens(world).items():
        for rest in ("", "?rating=3", "/thanks", "/unsubscribe"):
            page = world.get(token, rest)
            assert page.status_code == 404, case
            assert "This link does not work" in page.text, case
            assert "hello@acme.example" in page.text, case
        assert world.post(token, {"rating": "3"}).status_code == 404, case
        assert world.post(token, {}, "/unsubscribe").status_code == 404, case

    assert world.responses() == []
    assert world.rows(person) == []


def test_without_an_invitation_the_browsers_language_is_spoken(world):
    page = world.get("nonsense", headers={"Accept-Language": "sv-SE,sv;q=0.9,en;q=0.5"})

    assert '<html lang="sv">' in page.text
    assert "Länken fungerar inte" in page.text


@pytest.mark.parametrize(
    ("language", "words"), [("de", "Antwort senden"), ("zh-CN", "提交回答"), ("fi", "Lähetä vastaus")]
)
def test_the_page_speaks_the_invitations_language(world, language, words):
    token = world.invite(language=language)

    page = world.get(token, headers={"Accept-Language": "fr"})

    assert f'<html lang="{language}">' in page.text
    assert words in page.text


def test_an_answer_without_a_known_account_is_kept(world):
    token = world.invite(account_id=None)

    assert world.post(token, {"rating": "4"}).status_code == 303

    assert len(world.responses()) == 1
    assert world.answered == []


# ── stopping ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_one_click_stops_surveys_for_the_person_everywhere_and_again_changes_nothing(world):
    token = world.invite()
    click = {"List-Unsubscribe": "One-Click"}

    for _ in range(2):
        reply = world.post(token, click, "/unsubscribe")
        assert reply.status_code == 200
        world.clock.at += timedelta(days=20)

    [stopped] = world.rows(person)
    assert (stopped.person, stopped.opted_out_by) == ("person1", "link")
    assert world.clock.at - stopped.opted_out_at == timedelta(days=40)
    shown = {(one.connection, one.ref): one.desired for one in world.rows(outbox_record)}
    assert shown == {
        ("acme", "Contact/003"): {"no_surveys": True},
        ("acme-hub", "contacts/9"): {"no_surveys": True},
    }
    assert world.rows(invitation)[0].reminder_at is None


def test_one_click_as_multipart_works_too(world):
    reply = world.post(world.invite(), None, "/unsubscribe", files={"List-Unsubscribe": (None, "One-Click")})

    assert reply.status_code == 200
    assert len(world.rows(person)) == 1


def test_looking_at_the_confirm_page_stops_nothing(world):
    token = world.invite()

    page = world.get(token, "/unsubscribe")

    assert "maria@customer.example" in page.text
    assert 'method="post"' in page.text
    assert world.rows(person) == []


def test_the_record_that_was_asked_is_told_even_if_its_address_has_changed(world):
    token = world.invite(contact_id="contact3")

    world.post(token, {}, "/unsubscribe")

    assert "Contact/004" in {one.ref for one in world.rows(outbox_record)}


def test_who_stops_surveys_may_still_answer_the_one_in_hand(world):
    token = world.invite()
    world.post(token, {}, "/unsubscribe")

    assert world.post(token, {"rating": "1"}).status_code == 303


def test_days_on_the_page_are_the_companys(sqlite_address):
    """The invitation ends on Sunday 6 December at 22:30 in Greenwich, when Monday has begun in Helsinki."""
    with running(sqlite_address, zone=ZoneInfo("Europe/Helsinki")) as world:
        token = world.invite(expires_at=datetime(2026, 12, 6, 22, 30, tzinfo=UTC))
        assert "7 December 2026" in world.get(token).text
        world.clock.at = datetime(2026, 12, 8, tzinfo=UTC)
        assert "7 December 2026" in world.get(token).text


def test_an_invitation_that_an_earlier_version_stored_opens_and_records(world, monkeypatch):
    token = world.invite("composite")
    monkeypatch.setattr(questionnaire, "VERSION", questionnaire.VERSION + 1)

    page = world.get(token, "?rating=2")
    assert page.status_code == 200
    assert checked(page) == [("rating", "2")]
    answers = {"overall": "2", "speed": "4", "competence": "5", "friendliness": "3"}
    assert world.post(token, answers).status_code == 303
    [answer] = world.responses()
    assert world.ratings(answer.id) == {name: float(value) for name, value in answers.items()}
    assert world.get(token, "/thanks").status_code == 200
