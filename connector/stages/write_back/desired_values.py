"""What the records of a customer should show: figures, sentences and links, of the accounts and of the contacts who answered."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from connector.domain.follow_up_rules import MoodClause, SilenceClause
from connector.model import Account, Contact, FieldValue, FollowUpState, TaskState
from connector.model.follow_up import FollowUp, NamedFollowUp
from connector.model.score import Figures
from connector.scoring.scales import round_half_away
from connector.sentences.attention import attention
from connector.sentences.catalogue import Catalogue, catalogue
from connector.sentences.clauses import badness
from connector.sentences.content import AccountReason, MoodSeen, NamedResponse, OpenFollowUp, Silence
from connector.sentences.summary import People, summary
from connector.sentences.tasks import last_rating
from connector.settings.time_zones import owner_zone
from connector.stages.context import Context
from connector.stages.follow_up.plan import Customer
from connector.store import Transaction
from connector.store.crm.records import mark_stale
from connector.store.outbox import fields as stored_fields
from connector.store.results import follow_up_facts, record_texts

PAGE = 200
MOST_TOLD = 5
"""How many people's answers a task about a mood tells."""


def present(context: Context, tx: Transaction, customer: Customer) -> None:
    """Say what the customer's accounts and the contacts who answered should show."""
    now, words = context.clock.now(), words_of(context)
    follow_ups = _follow_ups(context, tx, customer.id, now)
    people = People(*follow_up_facts.people_asked(tx, customer.id))
    responses = [answer.response for answer in customer.answers]
    for account in follow_up_facts.accounts_of(tx, customer.id):
        tz, crm = _zone_of(context, tx, account), account.ref.connection
        # Of a customer that several CRMs have, each one's users read what came through theirs.
        open_here = [
            read for task_in, follow_up in follow_ups if (read := _read_in(crm, task_in, follow_up)) is not None
        ]
        given_here = [response for response in responses if response.connection == crm]
        needs = attention(open_here, words, now=now)
        texts: dict[str, FieldValue] = {
            "summary": summary(given_here, needs, people, words, tz=tz, now=now) or None,
            "attention": needs.text or None,
            "details": details_url(context, account.id),
        }
        stored_fields.set_desired(tx, account.ref, "account", figure_fields(customer.figures, tz) | texts)
    _present_contacts(context, tx, responses, words)


def _present_contacts(
    context: Context, tx: Transaction, newest_first: Sequence[NamedResponse], words: Catalogue
) -> None:
    seen: set[str] = set()
    for response in newest_first:
        if response.contact_id is None or response.contact_id in seen:
            continue
        seen.add(response.contact_id)
        # One person, known in several CRMs or under several contacts: what they said last stands on all of their records.
        contacts = follow_up_facts.contacts_of_the_person(tx, response.contact_id)
        seen |= {contact.id for contact in contacts}
        newest = follow_up_facts.newest_response(tx, [contact.id for contact in contacts]) or response
        for contact in contacts:
            text = last_rating(newest, words, _zone_of(context, tx, contact))
            stored_fields.set_desired(tx, contact.ref, "contact", {"last_rating": text})


def _zone_of(context: Context, tx: Transaction, record: Account | Contact) -> ZoneInfo:
    """Return the zone in which dates on a record are read: its owner's."""
    owner = follow_up_facts.owner_at(tx, record.owner)
    return owner_zone(owner, context.settings)


def words_of(context: Context) -> Catalogue:
    """Return the messages of the company's language."""
    return catalogue(context.settings.company.language)


# ── follow-ups ───────────────────────────────────────────────────────────────────────────────────────────────────────


def mark_outdated(context: Context) -> None:
    """Have records shown anew that say of a follow-up what time alone has made untrue, each once. Comes before `score`."""
    now, place = context.clock.now(), ""
    while not context.stop.is_set():
        with context.write() as tx:
            customers = record_texts.outdated(tx, now, after=place, limit=PAGE)
            for customer in customers:
                mark_stale(tx, customer, now)
        if len(customers) < PAGE:
            return
        place = customers[-1]


def _follow_ups(context: Context, tx: Transaction, customer: str, now: datetime) -> list[tuple[str, OpenFollowUp]]:
    """Return what the records say needs somebody, each with the CRM of its task; note until when that stays true: until it is due."""
    not_closed = record_texts.not_closed(tx, customer)
    follow_ups = [named.follow_up for named in not_closed]
    due_later = [known for known in follow_ups if known.state is FollowUpState.OPEN and known.due_at > now]
    record_texts.note_shown(tx, customer, {known.id: known.due_at for known in due_later})
    answers = record_texts.answers_about(tx, [known.id for known in follow_ups])
    return [
        (named.follow_up.connection, _whole(context, tx, named, answers.get(named.follow_up.id, ())))
        for named in not_closed
    ]


def _read_in(crm: str, task_in: str, follow_up: OpenFollowUp) -> OpenFollowUp | None:
    """Return a follow-up as the record in a CRM tells it: None where neither its task nor any of its answers is in that one."""
    theirs = tuple(response for response in follow_up.responses if response.connection == crm)
    if theirs and crm != task_in:
        return replace(follow_up, responses=theirs, who=theirs[0].who, contact_id=theirs[0].contact_id)
    if theirs:
        return replace(follow_up, responses=theirs)
    return _with_own_words(crm, follow_up) if crm == task_in else None


def _with_own_words(crm: str, follow_up: OpenFollowUp) -> OpenFollowUp:
    """Return a follow-up with all its answers, as the users of a CRM may read it."""
    is_known = follow_up.contact_id is not None
    responses = [response.read_in(crm, is_known=is_known) for response in follow_up.responses]
    return replace(follow_up, responses=tuple(responses))


def open_follow_up(
    context: Context, tx: Transaction, named: NamedFollowUp, responses: Sequence[NamedResponse]
) -> OpenFollowUp:
    """Return a follow-up as the users of the CRM that has its task may read it; for the arguments see `_whole`."""
    return _with_own_words(named.follow_up.connection, _whole(context, tx, named, responses))


def _whole(context: Context, tx: Transaction, named: NamedFollowUp, responses: Sequence[NamedResponse]) -> OpenFollowUp:
    """Return a follow-up as sentences tell it; `responses` are the answers it is about."""
    follow_up = named.follow_up
    owner = follow_up_facts.owner_at(tx, follow_up.owner)
    waiting = follow_up.state is FollowUpState.WAITING_FOR_OUTCOME
    return OpenFollowUp(
        who=named.who if follow_up.contact_id else named.account_name,
        since=follow_up.opened_at,
        due=follow_up.due_at,
        owner=owner.name if owner is not None else None,
        tz=owner_zone(owner, context.settings),
        responses=tuple(responses),
        reasons=() if responses else reasons(context, tx, follow_up, rule=follow_up.rule),
        attempts=follow_up.attempts,
        waiting_since=(follow_up.waiting_since or follow_up.opened_at) if waiting else None,
        task_deleted=follow_up.task_state is TaskState.DELETED,
        contact_id=follow_up.contact_id,
    )


def reasons(
    context: Context, tx: Transaction, follow_up: FollowUp, *, rule: str, responses: Sequence[NamedResponse] = ()
) -> tuple[AccountReason, ...]:
    """Return why a rule about the account stands in a follow-up; `responses` is what the customer's people had answered.

    Persons are named who were asked, or have answered, through the CRM that has the task.
    """
    crm, at = follow_up.connection, follow_up.opened_at
    clauses = context.settings.follow_up[rule].when.clauses if rule in context.settings.follow_up else ()
    last: dict[str | None, NamedResponse] = {}
    for answer in responses:
        if answer.connection == crm:
            last.setdefault(answer.contact_id or answer.response_id, answer)
    worst_first = sorted(last.values(), key=lambda answer: badness(answer.worst))[:MOST_TOLD]
    by_kind: dict[type[AccountReason], AccountReason] = {}
    for clause in clauses:
        if isinstance(clause, MoodClause):
            by_kind[MoodSeen] = MoodSeen(clause.mood, at, tuple(worst_first))
        elif isinstance(clause, SilenceClause):
            asked, elsewhere = record_texts.asked_in_vain(tx, follow_up.customer, at, crm=crm)
            last_answer = record_texts.last_answer(tx, follow_up.customer, at)
            by_kind[Silence] = Silence(tuple(asked), at, last_answer, elsewhere)
    return tuple(by_kind.values())


# ── figures and links ────────────────────────────────────────────────────────────────────────────────────────────────


def figure_fields(figures: Figures | None, tz: ZoneInfo) -> dict[str, FieldValue]:
    """Return the fields of a record for these figures: whole points, and nothing at all when nothing is known.

    The last answer stands there in the owner's zone: a field that keeps the day alone shows the day of the sentences.
    """
    if figures is None:
        names = ("satisfaction", "low", "high", "mood", "people", "nps", "csat", "ces", "trend", "last_answer")
        return dict.fromkeys(names)
    numbers = {"satisfaction": figures.score, "low": figures.low, "high": figures.high}
    numbers |= {name: figures.metrics.get(name) for name in ("nps", "csat", "ces")}
    return {
        # None where a number would mean nothing: the range is too wide, or too few people answered.
        **{name: None if value is None else round_half_away(value) for name, value in numbers.items()},
        "mood": figures.mood.value,
        "people": figures.people,
        "trend": figures.trend,
        "last_answer": figures.last_answer.astimezone(tz).isoformat(),
    }


def details_url(context: Context, account_id: str) -> str:
    """Return the constant address of an account's page."""
    return f"{context.settings.web.public_url}/accounts/{account_id}"
