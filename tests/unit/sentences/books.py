"""Typical books of one customer: what people said, what is to be done about it, and the moment at which a record is read."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from connector.model import Mood, Rating
from connector.sentences.attention import Attention, attention
from connector.sentences.catalogue import catalogue
from connector.sentences.content import MoodSeen, NamedResponse, OpenFollowUp, Silence, UnansweredInvitation
from connector.sentences.summary import People, summary

HELSINKI = ZoneInfo("Europe/Helsinki")
NOON = datetime(2026, 11, 12, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)

SCALES = {"csat": (1, 5), "nps": (0, 10), "ces": (1, 7)}


def named_response(who: str | None, value: float, comment: str | None = None, **changes: Any) -> NamedResponse:
    """Return one answer, on CSAT at noon unless it is changed."""
    metric = changes.pop("metric", "csat")
    at = changes.pop("at", NOON)
    values = {
        "response_id": f"{who}-{at.isoformat()}-{value}",
        "who": who,
        "rating": Rating(metric, metric, value, *SCALES.get(metric, (1, 5))),
        "label": "case 00123",
        "at": at,
        "comment": comment,
        "contact_id": f"contact-{who}" if who else None,
        "subject": "Printer offline again",
    }
    return NamedResponse(**values | changes)


def call(*about: NamedResponse, **changes: Any) -> OpenFollowUp:
    """Return what is to be done about some answers of one person: Ritva calls by the next day 15:00."""
    values = {
        "who": about[0].who if about else "Northwind",
        "since": NOON,
        "due": NOON + DAY + HOUR,
        "owner": "Ritva Laine",
        "tz": HELSINKI,
        "responses": about,
        "contact_id": about[0].contact_id if about else None,
    }
    return OpenFollowUp(**values | changes)


@dataclass(frozen=True)
class Book:
    """What is known of a customer at one moment."""

    newest_first: tuple[NamedResponse, ...] = ()
    follow_ups: tuple[OpenFollowUp, ...] = ()
    people: People = People(8, 3, NOON)  # noqa: RUF009 - frozen
    now: datetime = NOON

    def attention(self, language: str = "en") -> Attention:
        return attention(self.follow_ups, catalogue(language), now=self.now)

    def summary(self, language: str = "en") -> str:
        needs = self.attention(language)
        return summary(self.newest_first, needs, self.people, catalogue(language), tz=HELSINKI, now=self.now)

    def texts(self, language: str = "en") -> tuple[str, str]:
        """Return Needs attention and What they say."""
        return self.attention(language).text, self.summary(language)


MARIA = named_response("Maria Virtanen", 1, "Nobody called back.")
PEKKA = named_response("Pekka Salo", 2, "Slow.", at=NOON + DAY, label="case 00124", subject="Invoice wrong")
ANNA = named_response("Anna Berg", 5, "Great work!", at=NOON + 2 * DAY, label="case 00125", subject="New laptop")
LIISA = named_response("Liisa Korpi", 3, at=NOON - 9 * DAY, label="case 00101", subject=None)
OMAR = named_response("Omar Said", 3, metric="nps", at=NOON - DAY, label='deal "Renewal 2027"', subject=None)
EVA = named_response(
    "Eva Lund",
    5,
    "Fine in the end.",
    metric="ces",
    at=NOON - 3 * DAY,
    label='call "Set-up help"',
    subject="Set-up help",
)
SLOW = replace(
    named_response(
        "Timo Aho", 4, "Good people, but a month is too long.", label="case 00130", subject="Move to new office"
    ),
    ratings=(Rating("csat", "overall", 4, 1, 5), Rating("speed", "speed", 1, 1, 5)),
)
ASKED = (
    UnansweredInvitation("Maria Virtanen", "case 00098", NOON - 40 * DAY, "VPN drops"),
    UnansweredInvitation("Pekka Salo", "case 00104", NOON - 20 * DAY, None, NOON - 17 * DAY),
)

BOOKS: dict[str, Book] = {
    "nobody was asked": Book(people=People()),
    "one was asked": Book(people=People(1, 0, NOON)),
    "four were asked": Book(people=People(4, 0, NOON)),
    "a good answer": Book((ANNA,), people=People(1, 1, NOON), now=NOON + 3 * DAY),
    "a good answer without words": Book((replace(ANNA, comment=None),), people=People(2, 1, NOON), now=NOON + 3 * DAY),
    "a bad answer": Book((MARIA,), (call(MARIA),)),
    "a bad answer that nobody has": Book((MARIA,), (call(MARIA, owner=None),)),
    "a bad answer, overdue": Book((MARIA,), (call(MARIA),), now=NOON + 9 * DAY),
    "a bad answer, overdue, that nobody has": Book((MARIA,), (call(MARIA, owner=None),), now=NOON + 9 * DAY),
    "a bad answer, not reached yet": Book((MARIA,), (call(MARIA, due=NOON + 3 * DAY, attempts=1),), now=NOON + 2 * DAY),
    "a bad answer, task completed": Book((MARIA,), (call(MARIA, waiting_since=NOON + DAY),), now=NOON + 2 * DAY),
    "a bad answer, task deleted": Book(
        (MARIA,), (call(MARIA, waiting_since=NOON + DAY, task_deleted=True),), now=NOON + 2 * DAY
    ),
    "one bad, then another good": Book((ANNA, MARIA), (call(MARIA),), now=NOON + 2 * DAY - HOUR),
    "one person twice": Book(
        (named_response("Maria Virtanen", 2, "Again!", at=NOON + DAY, label="case 00131", subject=None), MARIA),
        (call(named_response("Maria Virtanen", 2, "Again!", at=NOON + DAY, label="case 00131", subject=None), MARIA),),
        now=NOON + DAY,
    ),
    "two bad": Book((PEKKA, MARIA), (call(PEKKA, owner="Jonas Lind", due=NOON + 2 * DAY), call(MARIA)), now=NOON + DAY),
    "two bad, the milder one overdue": Book(
        (PEKKA, MARIA), (call(PEKKA, due=NOON + DAY), call(MARIA, due=NOON + 5 * DAY)), now=NOON + 2 * DAY
    ),
    "other scales": Book((OMAR, EVA), (call(OMAR),), people=People(5, 2, NOON)),
    "good on the whole, one thing very bad": Book((SLOW,), (call(SLOW),), people=People(1, 1, NOON)),
    "silence": Book(people=People(2, 0, NOON), follow_ups=(call(reasons=(Silence(ASKED, NOON),)),)),
    "silence once": Book(people=People(1, 0, NOON), follow_ups=(call(reasons=(Silence(ASKED[:1], NOON),)),)),
    "a mood": Book((LIISA,), (call(reasons=(MoodSeen(Mood.UNHAPPY, NOON),)),)),
    "a person and a mood": Book((MARIA,), (call(reasons=(MoodSeen(Mood.UNHAPPY, NOON),)), call(MARIA))),
    "a rule that is gone": Book((LIISA,), (call(),)),
    "somebody unknown": Book(
        (named_response(None, 1, "Bad."),), (call(named_response(None, 1, "Bad.")),), people=People()
    ),
    "four bad and a long subject": Book(
        (ANNA, PEKKA, MARIA, OMAR, SLOW),
        (
            call(PEKKA),
            call(replace(MARIA, subject="Printer offline again after the update of " * 5)),
            call(OMAR),
            call(SLOW),
        ),
        now=NOON + DAY,
    ),
}
