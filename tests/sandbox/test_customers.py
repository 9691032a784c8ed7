"""Simulated customers read real mail and answer on the real page, each in their own way."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from statistics import mean, pstdev

import pytest

from adapters.email.config import EmailConfig
from adapters.email.mime import mime
from adapters.sandbox.customers import (
    SCANS,
    Customers,
    Deed,
    ReceivedInvitation,
    Temper,
    comments,
    form_of,
    invitation,
    opinion,
    personality,
)
from connector.ports.mail import Message
from connector.store.tables import person
from connector.surveys.questionnaire import questionnaire
from connector.surveys.survey_mail import InvitationView, invitation_message, sign_in_message
from tests.web.web_world import NOW, World, running

SEED = 11
LANGUAGES = ("en", "de", "fr", "es", "sv", "fi", "zh-CN", "zh-TW")
PEOPLE = [f"person{number}@company{number // 4}.example" for number in range(2_000)]


@pytest.fixture
def world(sqlite_address: str) -> Iterator[World]:
    with running(sqlite_address) as world:
        yield world


def someone(temper: Temper, *, scanned: bool = False) -> str:
    """The address of somebody of that temper."""
    for address in PEOPLE:
        who = personality(SEED, address)
        if who.temper is temper and who.scanned is scanned:
            return address
    raise AssertionError(f"nobody is {temper}")


def as_sent(message: Message) -> EmailMessage:
    sender = EmailConfig("localhost", 25, "none", "Acme Care", "care@acme.example")
    return message_from_bytes(mime(message, config=sender, now=NOW).content, policy=policy.default)  # type: ignore[arg-type]


def mail_to(world: World, address: str, *, metric: str = "csat", language: str = "en") -> EmailMessage:
    token = world.invite(metric, language, email=address)
    view = InvitationView(
        id="invitation1",
        email=address,
        name="Maria Virtanen",
        language=language,
        label="case 00123",
        owner_name="Jane Doe",
        company="Acme Care",
        questionnaire=questionnaire(metric, language),
        expires_at=NOW + timedelta(days=14),
    )
    return as_sent(
        invitation_message(view, site=world.site, token=token, purpose="invitation", message_id="1@acme.example")
    )


def read(world: World, mail: EmailMessage) -> Deed:
    deed = Customers(SEED, world.http, world.clock).read(mail)
    assert deed is not None
    return deed


@pytest.mark.parametrize("metric", ["csat", "nps", "ces", "composite"])
@pytest.mark.parametrize("temper", [Temper.PLEASED, Temper.ANGRY])
def test_who_answers_is_recorded_as_they_felt(world: World, metric: str, temper: Temper) -> None:
    deed = read(world, mail_to(world, someone(temper), metric=metric))

    [answer] = world.responses()
    assert (deed.did, answer.comment or "") == ("answered", deed.comment)
    ratings = world.ratings(answer.id)
    assert ratings[questionnaire(metric, "en").first.id] == deed.rating
    assert deed.points == {"csat": 5, "nps": 11, "ces": 7, "composite": 5}[metric]
    assert deed.at == world.clock.now()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_angry_say_why_in_the_mails_language(world: World, language: str) -> None:
    angry = [each for each in PEOPLE if personality(SEED, each).temper is Temper.ANGRY][:3]
    said = {read(world, mail_to(world, each, language=language)).comment for each in angry}
    assert said - {""} <= set(comments()[language]["angry"])
    assert said != {""}


def test_the_silent_do_nothing(world: World) -> None:
    assert read(world, mail_to(world, someone(Temper.SILENT))).did == "nothing"
    assert world.responses() == []


def test_who_wants_no_more_surveys_presses_the_button_and_rates_nothing(world: World) -> None:
    deed = read(world, mail_to(world, someone(Temper.LEAVING)))
    assert deed.did == "unsubscribed"
    assert [row.person for row in world.rows(person)] == ["person1"]
    assert world.responses() == []


def test_a_scanner_opens_every_link_several_times_and_records_nothing(world: World) -> None:
    mail = mail_to(world, someone(Temper.SILENT, scanned=True))
    asked = invitation(mail)
    assert asked is not None
    deed = read(world, mail)
    assert deed.scans == SCANS * len(asked.links) > SCANS * 5
    assert asked.stop in asked.links
    assert (world.responses(), world.rows(person)) == ([], [])


def test_behind_a_scanner_people_answer_once_as_everybody(world: World) -> None:
    deed = read(world, mail_to(world, someone(Temper.PLEASED, scanned=True)))
    assert (deed.did, deed.scans > 0, len(world.responses())) == ("answered", True, 1)


def test_whoever_comes_too_late_does_nothing(world: World) -> None:
    mail = mail_to(world, someone(Temper.PLEASED))
    world.clock.at += timedelta(days=30)
    assert read(world, mail).did == "too late"


def test_the_same_mail_read_again_is_answered_alike(world: World) -> None:
    mail = mail_to(world, someone(Temper.SO_SO))
    assert read(world, mail) == read(world, mail)
    assert len(world.responses()) == 1


def test_a_mail_that_asks_nothing_is_left_alone(world: World) -> None:
    mail = as_sent(
        sign_in_message(
            "a@b.example", site=world.site, link=f"{world.url}/in?x=1", minutes=15, message_id="2@acme.example"
        )
    )
    assert Customers(SEED, world.http, world.clock).read(mail) is None


def test_people_are_the_same_for_the_same_seed_however_their_address_is_written() -> None:
    assert all(personality(SEED, each) == personality(SEED, f" {each.upper()} ") for each in PEOPLE[:50])
    assert [personality(1, each) for each in PEOPLE] != [personality(2, each) for each in PEOPLE]


def test_every_temper_occurs_and_most_people_answer() -> None:
    tempers = Counter(personality(SEED, each).temper for each in PEOPLE)
    assert set(tempers) == set(Temper)
    assert 0.55 < (tempers[Temper.PLEASED] + tempers[Temper.SO_SO] + tempers[Temper.ANGRY]) / len(PEOPLE) < 0.8
    assert tempers[Temper.LEAVING] < tempers[Temper.SILENT] / 3


def test_people_of_one_company_feel_alike() -> None:
    """The spread between companies is wider than chance alone would make it with people who do not know each other."""
    asked = ReceivedInvitation("", "", "en", tuple((value, f"l{value}") for value in range(1, 6)), None, ())
    rated: defaultdict[str, list[int]] = defaultdict(list)
    for address in (f"p{number % 20}@c{number // 20}.example" for number in range(4_000)):
        who = personality(SEED, address)
        if who.temper not in (Temper.SILENT, Temper.LEAVING):
            rated[address.rpartition("@")[2]].append(opinion(SEED, who, replace(asked, to=address))[0])
    everybody = [each for company in rated.values() for each in company]
    between = pstdev(mean(company) for company in rated.values())
    by_chance = pstdev(everybody) / mean(len(company) for company in rated.values()) ** 0.5
    assert between > 2 * by_chance


def test_scanners_stand_before_whole_companies() -> None:
    by_company = defaultdict(set)
    for each in PEOPLE:
        by_company[each.rpartition("@")[2]].add(personality(SEED, each).scanned)
    assert {len(found) for found in by_company.values()} == {1}
    assert 0.05 < sum(found == {True} for found in by_company.values()) / len(by_company) < 0.25


def test_every_language_has_words_for_every_temper_and_no_two_share_any() -> None:
    assert set(comments()) == set(LANGUAGES)
    said = [text for moods in comments().values() for mood in ("pleased", "so_so", "angry") for text in moods[mood]]
    assert len(said) == len(set(said)) >= len(LANGUAGES) * 10


def test_a_form_is_read_as_a_browser_does() -> None:
    form = form_of(
        '<form method="get"><input name="q"></form>'
        '<form method="POST" action="/s/x" enctype="multipart/form-data"><input type="hidden" name="h" value="1">'
        '<input type="radio" name="r" value="1"><input type="radio" name="r" value="2" checked>'
        '<textarea name="c"></textarea><button>Send</button></form><input type="hidden" name="out" value="9">'
    )
    assert form is not None
    assert (form.action, form.multipart, form.text) == ("/s/x", True, "c")
    assert (form.marked, form.scales) == ({"h": "1", "r": "2"}, {"r": ["1", "2"]})
    assert form_of("<p>closed</p>") is None
