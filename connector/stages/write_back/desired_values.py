"""What the records of a customer should show: figures, sentences and links, of the accounts and of the contacts who answered."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from zoneinfo import ZoneInfo

from connector.domain.follow_up_rules import MoodClause, SilenceClause
from connector.model import Account, Contact, FieldValue, FollowUpState, Ref, TaskState
from connector.model.follow_up import FollowUp, NamedFollowUp
from connector.model.score import Figures
from connector.model.stored import StoredContact, StoredOwner
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
from connector.store.crm.records import mark_all_stale
from connector.store.outbox.fields import DesiredFields
from connector.store.results import answering_people, follow_up_facts, record_texts

PAGE = 200
MOST_TOLD = 5
"""How many people's answers a task about a mood tells."""


def present(context: Context, tx: Transaction, customers: Sequence[Customer]) -> list[DesiredFields]:
    """Return what the accounts of customers, and the contacts who answered, should show. All answers of theirs count."""
    shown = _not_closed(context, tx, customers)
    asked = answering_people.people_asked(tx, [customer.id for customer in customers])
    people = _People.who_answered(tx, [answer.response for customer in customers for answer in customer.answers])
    refs = [account.owner for customer in customers for account in customer.accounts]
    refs += [named.follow_up.owner for named in shown.follow_ups]
    owners = follow_up_facts.owners_at(tx, [*refs, *(contact.owner for contact in people.all_contacts())])
    page = _Page(context, tx, owners, shown, people)
    desired: list[DesiredFields] = []
    for customer in customers:
        follow_ups = page.follow_ups_of(customer.id)
        desired += page.accounts_show(customer, follow_ups, People(*asked[customer.id]))
    desired += page.contacts_show()
    return desired


@dataclass(frozen=True, slots=True)
class _Shown:
    """The follow-ups that records name, with the answers that they are about."""

    of_customer: Mapping[str, Sequence[NamedFollowUp]]
    answers: Mapping[str, Sequence[NamedResponse]]

    @property
    def follow_ups(self) -> list[NamedFollowUp]:
        return [named for follow_ups in self.of_customer.values() for named in follow_ups]


def _not_closed(context: Context, tx: Transaction, customers: Sequence[Customer]) -> _Shown:
    """Return what the records say needs somebody; note until when that stays true: until it is due."""
    ids, now = [customer.id for customer in customers], context.clock.now()
    of_customer = record_texts.not_closed(tx, ids)
    follow_ups = [named.follow_up for theirs in of_customer.values() for named in theirs]
    due_later = [known for known in follow_ups if known.state is FollowUpState.OPEN and known.due_at > now]
    record_texts.note_shown(tx, ids, {known.id: known.due_at for known in due_later})
    return _Shown(of_customer, record_texts.answers_about(tx, [known.id for known in follow_ups]))


@dataclass(frozen=True, slots=True)
class _People:
    """Who answered. One person, known in several CRMs or under several contacts: what they said last stands on all of their records."""

    first: Mapping[str, NamedResponse]
    """Of those that are at hand, an answer of each contact."""
    contacts: Mapping[str, Sequence[StoredContact]]
    """All contacts of the person, by contact."""
    newest: Mapping[str, NamedResponse]
    """The newest answer of each contact."""

    @classmethod
    def who_answered(cls, tx: Transaction, responses: Sequence[NamedResponse]) -> "_People":
        first: dict[str, NamedResponse] = {}
        for response in responses:
            if response.contact_id is not None:
                first.setdefault(response.contact_id, response)
        contacts = answering_people.contacts_of_people(
            tx, {contact_id: response.person for contact_id, response in first.items()}
        )
        known = {contact.id for theirs in contacts.values() for contact in theirs}
        return cls(first, contacts, answering_people.newest_responses(tx, known))

    def all_contacts(self) -> list[StoredContact]:
        return [contact for theirs in self.contacts.values() for contact in theirs]

    def last_words(self) -> Iterator[tuple[StoredContact, NamedResponse]]:
        """Yield each contact with the newest answer of its person."""
        seen: set[str] = set()
        for contact_id, response in self.first.items():
            if contact_id in seen:
                continue
            theirs = self.contacts[contact_id]
            seen |= {contact.id for contact in theirs}
            answers = [self.newest[contact.id] for contact in theirs if contact.id in self.newest]
            by_id = sorted(answers, key=lambda answer: answer.response_id)
            newest = max(by_id, key=lambda answer: answer.at, default=response)
            for contact in theirs:
                yield contact, newest


@dataclass(frozen=True, slots=True)
class _Page:
    """What the records of a page of customers show."""

    context: Context
    tx: Transaction
    owners: Mapping[Ref, StoredOwner]
    shown: _Shown
    people: _People

    def follow_ups_of(self, customer: str) -> list[tuple[str, OpenFollowUp]]:
        """Return what the records of a customer say needs somebody, each with the CRM of its task."""
        return [
            (
                named.follow_up.connection,
                _whole(
                    self.context,
                    self.tx,
                    named,
                    self.shown.answers.get(named.follow_up.id, ()),
                    owner=self._owner_at(named.follow_up.owner),
                ),
            )
            for named in self.shown.of_customer.get(customer, ())
        ]

    def accounts_show(
        self, customer: Customer, follow_ups: Sequence[tuple[str, OpenFollowUp]], people: People
    ) -> Iterator[DesiredFields]:
        """Yield the fields of a customer's accounts."""
        now, words = self.context.clock.now(), words_of(self.context)
        responses = [answer.response for answer in customer.answers]
        for account in customer.accounts:
            tz, crm = self._zone_of(account), account.ref.connection
            # Of a customer that several CRMs have, each one's users read what came through theirs.
            open_here = [
                read for task_in, follow_up in follow_ups if (read := _read_in(crm, task_in, follow_up)) is not None
            ]
            given_here = [response for response in responses if response.connection == crm]
            needs = attention(open_here, words, now=now)
            texts: dict[str, FieldValue] = {
                "summary": summary(given_here, needs, people, words, tz=tz, now=now) or None,
                "attention": needs.text or None,
                "details": details_url(self.context, account.id),
            }
            yield DesiredFields(account.ref, "account", figure_fields(customer.figures, tz) | texts)

    def contacts_show(self) -> Iterator[DesiredFields]:
        """Yield the fields of the contacts who answered."""
        words = words_of(self.context)
        for contact, newest in self.people.last_words():
            text = last_rating(newest, words, self._zone_of(contact))
            yield DesiredFields(contact.ref, "contact", {"last_rating": text})

    def _zone_of(self, record: Account | Contact) -> ZoneInfo:
        """Return the zone in which dates on a record are read: its owner's."""
        return owner_zone(self._owner_at(record.owner), self.context.settings)

    def _owner_at(self, ref: Ref | None) -> StoredOwner | None:
        return None if ref is None else self.owners.get(ref)


def words_of(context: Context) -> Catalogue:
    """Return the messages of the company's language."""
    return catalogue(context.settings.company.language)


# ── follow-ups ───────────────────────────────────────────────────────────────────────────────────────────────────────


def mark_outdated(context: Context) -> None:
    """Have records shown anew that say of a follow-up what time alone has made untrue, each once. Comes before `score`."""
    now, place = context.clock.now(), ""
    while not context.stop.is_set():
        customers = context.write_where_needed(partial(_mark_outdated, after=place, now=now))
        if len(customers) < PAGE:
            return
        place = customers[-1]


def _mark_outdated(tx: Transaction, *, after: str, now: datetime) -> list[str]:
    customers = record_texts.outdated(tx, now, after=after, limit=PAGE)
    mark_all_stale(tx, customers, now)
    return customers


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
    owner = follow_up_facts.owner_at(tx, named.follow_up.owner)
    return _with_own_words(named.follow_up.connection, _whole(context, tx, named, responses, owner=owner))


def _whole(
    context: Context,
    tx: Transaction,
    named: NamedFollowUp,
    responses: Sequence[NamedResponse],
    *,
    owner: StoredOwner | None,
) -> OpenFollowUp:
    """Return a follow-up as sentences tell it; `responses` are the answers it is about."""
    follow_up = named.follow_up
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
