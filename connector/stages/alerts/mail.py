"""What the mails about follow-ups say: alerts and digests, put together from what the store knows at that moment."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from connector.domain.text_cutting import cut
from connector.domain.text_direction import one_line
from connector.domain.working_time import WorkingTime
from connector.model.follow_up import FollowUp, NamedFollowUp
from connector.ports.mail import Message
from connector.sentences import clauses
from connector.sentences.catalogue import Catalogue
from connector.sentences.content import Caps, Link, NamedResponse, OpenFollowUp
from connector.sentences.ratings import with_word
from connector.stages.alerts.plan import MailKind, NoticeKind
from connector.stages.context import Context
from connector.stages.write_back.desired_values import details_url, open_follow_up, words_of
from connector.stages.write_back.task_links import address_of, outcome_links
from connector.store import Transaction
from connector.store.results import follow_up_facts, record_texts
from connector.store.results.alerts import Waiting
from connector.surveys.staff_mail import MailItem, MailSection, Other, StaffMail, staff_message
from connector.surveys.survey_mail import Site

MOST_ITEMS: Final = 20
"""Follow-ups that one mail tells in full; how many more there are is said."""
LARGEST: Final = 100_000
"""Bytes of a mail's HTML: Gmail shows no more than 102 KB, and what it leaves out would count as told."""
LONGEST_QUOTE: Final = 1_500
"""Characters of a comment; the whole of it stands on the record's page."""
MOST_OTHERS: Final = 3
"""Answers of one person that a mail tells besides the worst one; all of them stand on the record's page."""
_ROOMY: Final = Caps(120, 80, 120, 255)
_SECTIONS: Final = (
    NoticeKind.ANSWER,
    NoticeKind.OPENED,
    NoticeKind.ESCALATED,
    NoticeKind.LATE,
    NoticeKind.HALFWAY,
    NoticeKind.OUTCOME,
)
"""The order of a mail; a follow-up stands in the first section that there is a reason for."""


@dataclass(frozen=True, slots=True)
class MailRecipient:
    """Who gets a mail, and when they work by their own clocks."""

    email: str
    name: str
    working: WorkingTime


@dataclass(frozen=True, slots=True)
class Composed:
    """A mail, and the key under which it is sent at most once: kind, day and recipient."""

    key: str
    message: Message
    told: tuple[str, ...]
    """The keys of the notices that it tells; what it has no room for waits for the next mail."""


def compose(
    context: Context, tx: Transaction, site: Site, recipient: MailRecipient, *, kind: MailKind, rows: Sequence[Waiting]
) -> Composed:
    """Return the mail that tells somebody of these notices, of no more than mail programs show of a mail."""
    now = context.clock.now()
    ids = [follow_up_id for section in _grouped(rows, MOST_ITEMS).values() for follow_up_id in section]
    follow_ups = record_texts.by_id(tx, ids)
    items = {id_: _item(context, tx, follow_ups[id_], now=now) for id_ in ids if id_ in follow_ups}
    most = len(ids)
    while True:
        composed = _composed(context, site, recipient, kind=kind, rows=rows, items=items, most=most)
        size = len(composed.message.html.encode())
        if size <= LARGEST or most <= 1:
            return composed
        most = max(1, min(most - 1, most * LARGEST // size))


def _composed(
    context: Context,
    site: Site,
    recipient: MailRecipient,
    *,
    kind: MailKind,
    rows: Sequence[Waiting],
    items: Mapping[str, MailItem],
    most: int,
) -> Composed:
    """Return the mail with the first `most` follow-ups."""
    now, words = context.clock.now(), words_of(context)
    day = recipient.working.day_of(now).isoformat()
    grouped = _grouped(rows, most)
    sections = tuple(
        MailSection(words.text(f"notice.section.{notice.value}"), tuple(items[id_] for id_ in ids if id_ in items))
        for notice, ids in grouped.items()
    )
    shown = {id_ for ids in grouped.values() for id_ in ids}
    left = len({row.follow_up_id for row in rows} - shown)
    more = [MailSection(words.count("notice.more", left), ())] if left else []
    mail = StaffMail(
        to=recipient.email,
        to_name=recipient.name,
        subject=_subject(kind, sections, grouped, words),
        sections=[*(section for section in sections if section.items), *more],
        why=words.text("notice.why", company=site.sender_name),
    )
    key = f"{kind.value}:{day}:{recipient.email}"
    message_id = site.message_id(f"{key}.{_suffix(rows)}")
    message = staff_message(mail, words=words, site=site, message_id=message_id)
    return Composed(key, message, tuple(row.key for row in rows if row.follow_up_id in shown))


def _suffix(rows: Sequence[Waiting]) -> str:
    return rows[0].follow_up_id[:12]


def _grouped(rows: Sequence[Waiting], most: int) -> dict[NoticeKind, list[str]]:
    """Return the first `most` follow-ups by the section in which they stand, each once."""
    placed: set[str] = set()
    grouped: dict[NoticeKind, list[str]] = {}
    for kind in _SECTIONS:
        for row in rows:
            if row.kind == kind.value and row.follow_up_id not in placed and len(placed) < most:
                placed.add(row.follow_up_id)
                grouped.setdefault(kind, []).append(row.follow_up_id)
    return grouped


def _subject(
    kind: MailKind, sections: Sequence[MailSection], grouped: dict[NoticeKind, list[str]], words: Catalogue
) -> str:
    """An alert about one answer says it in its subject; anything else says how much of what there is."""
    items = [item for section in sections for item in section.items]
    if kind is MailKind.ALERT and len(items) == 1:
        return items[0].task
    counts = [words.count(f"notice.count.{notice.value}", len(ids)) for notice, ids in grouped.items()]
    return words.text("notice.digest_subject", counts=", ".join(counts))


def _item(context: Context, tx: Transaction, named: NamedFollowUp, *, now: datetime) -> MailItem:
    follow_up = named.follow_up
    answers = record_texts.answers_about(tx, [follow_up.id]).get(follow_up.id, [])
    shown = open_follow_up(context, tx, named, answers)
    words = words_of(context)
    headline = clauses.what(shown, _ROOMY, words)
    return MailItem(
        task=headline if named.is_gone else follow_up.subject,
        headline=headline,
        account=named.account_name,
        quotes=tuple(_quotes(clauses.worst_response(shown.responses))),
        others=tuple(_others(shown, words)),
        action=_action(shown, words, now=now),
        phone=_phone(tx, follow_up.contact_id),
        links=tuple(_links(context, tx, follow_up, shown, words=words)),
        outcomes=outcome_links(context, follow_up.id),
    )


def _action(shown: OpenFollowUp, words: Catalogue, *, now: datetime) -> str:
    step = clauses.step(shown, _ROOMY, words, now=now)
    return f"{step[:1].upper()}{step[1:]}."


def _quotes(answer: NamedResponse | None) -> Iterator[str]:
    """Yield the words of an answer, line by line."""
    comment = (answer.comment if answer is not None else None) or ""
    lines = (one_line(line) for line in cut(comment, LONGEST_QUOTE).splitlines())
    yield from (line for line in lines if line)


def _others(shown: OpenFollowUp, words: Catalogue) -> Iterator[Other]:
    """Yield the newest answers besides the worst one, each with its own words: nobody's words stand under another answer."""
    worst = clauses.worst_response(shown.responses)
    for answer in [response for response in shown.responses if response is not worst][:MOST_OTHERS]:
        headline = words.text(
            "notice.other",
            rating=with_word(answer.worst, words),
            topic=clauses.topic(answer.label, answer.subject, _ROOMY, words),
            day=words.day(answer.at, shown.tz),
        )
        yield Other(headline, tuple(_quotes(answer)))


def _phone(tx: Transaction, contact_id: str | None) -> str | None:
    contact = follow_up_facts.contact_of(tx, contact_id)
    facts = contact.facts if contact is not None and contact.deleted_at is None else {}
    number = facts.get("mobile") or facts.get("phone")
    return one_line(number) or None if isinstance(number, str) else None


def _links(
    context: Context, tx: Transaction, follow_up: FollowUp, shown: OpenFollowUp, *, words: Catalogue
) -> Iterator[Link]:
    """Yield where the record, the task and what the worst answer is about open in the CRMs, and our own page last."""
    account = follow_up_facts.account_of(tx, follow_up.account_id)
    lead = clauses.worst_response(shown.responses)
    about = follow_up_facts.interaction_of(tx, lead.interaction_id if lead is not None else follow_up.interaction_id)
    refs = {
        "record": account.ref,
        "task": follow_up.task,
        "interaction": about.ref if about is not None and about.deleted_at is None else None,
    }
    for name, ref in refs.items():
        url = address_of(context, ref) if ref is not None else ""
        if url:
            yield Link(words.text(f"notice.link.{name}"), url)
    yield Link(words.text("notice.link.page"), details_url(context, follow_up.account_id))
