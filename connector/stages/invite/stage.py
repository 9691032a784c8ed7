"""invite: one decision for every (survey, interaction, contact), and an invitation for those who are to be asked."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from connector.domain.mail_domains import company_domains
from connector.errors import Bug
from connector.model import EMAIL_BOUNCED, Decision, OptOutWay, Reason
from connector.model.stored import StoredAccount, StoredInteraction
from connector.model.surveys import Invitation
from connector.settings import AskingLimits, Recipients, Settings, Survey
from connector.settings.time_zones import day_begins, day_ends, next_day_begins
from connector.stages.context import Context
from connector.stages.deliver.recipients import may_send_now
from connector.stages.invite.plan import (
    FRESH,
    AskCase,
    AskedBefore,
    AskedCustomer,
    End,
    Recipient,
    Verdict,
    cancelled,
    decide,
    lot,
    may_be_asked,
)
from connector.stages.invite.targets import NOBODY, Decided, Target, targets
from connector.store import Transaction, new_id
from connector.store.crm import customers, own_users, owners
from connector.store.surveys import before_go_live as history
from connector.store.surveys import decisions as stored_decisions
from connector.store.surveys.decisions import DecisionChange, DecisionWriter, Gathered, Move, ReachedPerson
from connector.store.surveys.people import person_key
from connector.store.tables import ref_text
from connector.surveys.customer_label import customer_label
from connector.surveys.questionnaire import questionnaire
from connector.surveys.wording import known_or, wording

A_MINUTE: Final = timedelta(minutes=1)
"""How far what the CRM shows of our own mail may be off the store: rounding, and the time between sending and noting."""
PAGE: Final = 500
HISTORY: Final = 2_000
"""How many interactions are passed over in one transaction."""
NEVER: Final = timedelta(days=3650)
"""How long an invitation of a survey with ``expires = "0s"`` can be answered: for as long as anybody could mean."""


@dataclass(slots=True)
class InviteResult:
    """What this lap decided. `not_invited` counts, by reason, the decisions that came to it in this lap."""

    invited: int = 0
    not_invited: Counter[str] = field(default_factory=Counter)

    def count(self, verdict: Verdict) -> None:
        """Take in one move."""
        if verdict.state is Decision.INVITED:
            self.invited += 1
        elif verdict.reason is not None:
            self.not_invited[verdict.reason.value] += 1


def run(context: Context, now: datetime | None = None) -> InviteResult:
    """Decide on every interaction that was changed or has ended, and on every waiting decision whose time has come."""
    now = now or context.clock.now()
    result = InviteResult()
    seen: set[str] = set()
    _look_again_after_wins(context, now)
    _pass_over_history(context, now, result)
    while not context.stop.is_set() and _is_there_work(context, now):
        with context.write() as tx:
            page = _work(tx, context, now, PAGE)
            if seen.issuperset(page):
                break  # nothing, or only what another process has changed again meanwhile: that is for the next lap
            seen.update(page)
            _Page(tx, context, now, result).decide_all(page)
    return result


def _look_again_after_wins(context: Context, now: datetime) -> None:
    """A deal may be won, or read, after somebody of its account was refused for not being a customer's."""
    crms = [name for name in context.live if context.connected[name].mapping.won_deal_within is not None]
    if crms:
        context.write_where_needed(lambda tx: customers.look_again_after_wins(tx, crms, now=now, since=now - FRESH))


def _pass_over_history(context: Context, now: datetime, result: InviteResult) -> None:
    """Take off the work list what no survey asks about; what ended before a survey went live is counted each time it is looked at."""
    taken = HISTORY if _is_there_work(context, now) else 0
    while taken == HISTORY and not context.stop.is_set():
        with context.write() as tx:
            taken, before_go_live = history.take_off(tx, context.live, context.settings.events, now, HISTORY)
        if before_go_live:
            result.not_invited[Reason.BEFORE_GO_LIVE.value] += before_go_live


def _is_there_work(context: Context, now: datetime) -> bool:
    with context.store.read() as tx:
        return bool(_work(tx, context, now, 1))


def _work(tx: Transaction, context: Context, now: datetime, limit: int) -> list[str]:
    changed = stored_decisions.to_decide(tx, context.live, now, limit)
    if changed:
        return changed
    return stored_decisions.waiting_no_longer(tx, context.live, tuple(context.settings.surveys), now, limit)


def limits_of(context: Context, tx: Transaction) -> AskingLimits:
    """Return the limits with our own mail domains: those that the admin names, or else those of the CRM's users."""
    limits = context.settings.limits
    if limits.internal_domains:
        return limits
    ours = company_domains(owners.addresses(tx, tuple(context.connected)))
    return limits.model_copy(update={"internal_domains": ours})


def ready_to_send(context: Context, tx: Transaction) -> int:
    """Return how many invitations wait that can go out at present: they will need places of the day."""
    crms, surveys = may_send_now(context, tx), tuple(context.settings.surveys)
    return stored_decisions.lying_ready(tx, context.clock.now(), crms=crms, surveys=surveys)


class _Page:
    """The decisions on one page of interactions, in one transaction."""

    def __init__(self, tx: Transaction, context: Context, now: datetime, result: InviteResult) -> None:
        self.tx = tx
        self.settings = context.settings
        self.limits = limits_of(context, tx)
        self.now = now
        self.result = result
        self.decisions = DecisionWriter(tx, now)
        self.key = person_key(tx)
        self.live_since = stored_decisions.live_since(tx)
        self.context = context
        self.won_within = {name: crm.mapping.won_deal_within for name, crm in context.connected.items()}
        self.own_users = {name: own_users.known(tx, name) for name in context.connected}
        self.last_won: Mapping[str, datetime] = {}
        self.rows: Gathered
        self.history: AskedBefore

    def decide_all(self, interaction_ids: Sequence[str]) -> None:
        """Decide on each interaction for each survey, one after the other, so that each sees what was just decided."""
        self.rows = stored_decisions.gather(self.tx, interaction_ids)
        self.history = recall(self.tx, self.rows, self.settings, self.now)
        self.history.today += ready_to_send(self.context, self.tx)
        accounts = self.rows.accounts.values()
        by_deals = [account.customer for account in accounts if self.won_within.get(account.ref.connection)]
        self.last_won = customers.last_won(self.tx, by_deals, self.now)
        for interaction in self.rows.interactions:
            for name, survey in self.settings.surveys.items():
                self._decide(interaction, name, survey)
            future = interaction.ended_at is not None and interaction.ended_at > self.now
            self.decisions.decided(interaction.id, interaction.ended_at if future else None)
        self.decisions.write()

    def _decide(self, interaction: StoredInteraction, name: str, survey: Survey) -> None:
        existing = _existing(self.rows, interaction, name)
        if interaction.ended_at is None or f"{interaction.kind}.{interaction.ended}" != survey.on:
            reason = Reason.DELETED if interaction.deleted_at else Reason.REOPENED
            self._drop((decision for decision in existing if decision.state is Decision.WAITING), reason)
            return
        only_primary = survey.recipients == Recipients.PRIMARY
        people = _participants(self.rows, interaction)
        if only_primary and len(people) > 1:
            people.sort(key=lambda contact: not may_be_asked(self._case(interaction, name, Target(contact))))
        elif len(people) > 1:
            people = _once_each(self.rows, people, existing)
        pairing = targets(people, existing, only_primary=only_primary)
        self._drop(pairing.dropped, Reason.NO_CONTACT)
        for target in pairing.targets:
            self._decide_one(interaction, name, target)

    def _drop(self, decisions: Iterable[Decided], reason: Reason) -> None:
        verdict = cancelled(reason)
        gone = "not among its contacts any more" if reason is Reason.NO_CONTACT else None
        for decision in decisions:
            self.decisions.move(decision.id, _move(verdict, note=gone))
            self.result.count(verdict)

    def _decide_one(self, interaction: StoredInteraction, name: str, target: Target) -> None:
        decided, ended_at = target.decided, interaction.ended_at
        if ended_at is None or (decided is None and ended_at > self.now):
            return
        if decided is not None and not (target.taken_over or decided.open_to(ended_at)):
            return
        case = self._case(interaction, name, target)
        verdict = decide(case)
        if decided is None and verdict.reason is Reason.BEFORE_GO_LIVE:
            self.result.count(verdict)
            return  # the go-live mark says it: see `connector.store.surveys.before_go_live`
        decision_id = self._keep(interaction, name, target, verdict)
        if verdict.state is Decision.INVITED:
            self._invite(interaction, name, target.contact, decision_id)
            self._remember(case)

    def _case(self, interaction: StoredInteraction, name: str, target: Target) -> AskCase:
        account = _account(self.rows, interaction)
        survey = self.settings.surveys[name]
        decided = target.decided
        same = not target.taken_over or (decided is not None and decided.contact == NOBODY)
        was_waiting = decided is not None and decided.state is Decision.WAITING and same
        return AskCase(
            survey=survey,
            limits=self.limits,
            # Without a row nobody has gone live yet: what has ended until now is not asked about.
            go_live=self.live_since.get((interaction.ref.connection, name), self.now),
            now=self.now,
            end=_end(self.rows, interaction, self.own_users[interaction.ref.connection]),
            customer=self._customer(account) if account else None,
            recipient=_recipient(self.rows, target.contact),
            history=self.history,
            tomorrow=next_day_begins(self.now, self.settings),
            zone=self.settings.company.timezone,
            lot=lot(self.key, name, f"{interaction.ref.connection}/{ref_text(interaction.ref)}"),
            held_by=decided.reason if decided is not None and was_waiting else None,
            account_expected=interaction.account is not None and account is None,
            contact_expected=bool(interaction.contacts) and target.contact == NOBODY,
        )

    def _customer(self, account: StoredAccount) -> AskedCustomer:
        within, last = self.won_within.get(account.ref.connection), self.last_won.get(account.customer)
        by_deal = within is not None and last is not None and last >= self.now - within
        gone = account.deleted_at is not None
        return AskedCustomer(account.customer, account.is_customer or by_deal, gone, account.facts)

    def _keep(self, interaction: StoredInteraction, name: str, target: Target, verdict: Verdict) -> str:
        account = _account(self.rows, interaction)
        account_id = account.id if account else None
        decided = target.decided
        if decided is None:
            self.result.count(verdict)
            return self.decisions.new(
                _move(verdict),
                survey=name,
                connection=interaction.ref.connection,
                interaction_id=interaction.id,
                contact_id=target.contact,
                account_id=account_id,
            )
        stays = (decided.state, decided.reason) == (verdict.state, verdict.reason) and not target.taken_over
        if stays and decided.until == verdict.until:
            return decided.id
        whom: DecisionChange = {"account_id": account_id}
        if target.taken_over:
            whom["contact_id"] = target.contact
        self.decisions.move(decided.id, _move(verdict), **whom)
        if not stays:
            self.result.count(verdict)
        return decided.id

    def _invite(self, interaction: StoredInteraction, name: str, contact_id: str, decision_id: str) -> None:
        survey = self.settings.surveys[name]
        contact = self.rows.contacts[contact_id]
        account = _account(self.rows, interaction)
        owner = self.rows.owners.get(interaction.owner) if interaction.owner is not None else None
        asked = questionnaire(
            survey.metric, known_or(contact.language, survey.language or self.settings.company.language)
        )
        if contact.email is None or contact.person is None:
            raise Bug("somebody without an address was invited")
        self.decisions.invite(
            Invitation(
                id=new_id(),
                decision_id=decision_id,
                survey=name,
                connection=interaction.ref.connection,
                account_id=account.id if account else None,
                contact_id=contact_id,
                interaction_id=interaction.id,
                person=contact.person,
                email=contact.email,
                name=contact.name,
                language=asked.language,
                label=interaction.label,
                customer_label=self._customer_label(interaction, asked.language),
                owner=interaction.owner,
                owner_name=owner.name if owner else None,
                questionnaire=asked.to_json(),
                created_at=self.now,
                due_at=self.now,
                # Mail, page and reminder name the last day, so all of that day is good.
                expires_at=day_ends(self.now + (survey.expires or NEVER), self.settings.company.timezone),
            )
        )

    def _customer_label(self, interaction: StoredInteraction, language: str) -> str:
        words = wording(language, self.settings.company.timezone)
        return customer_label(
            interaction.kind, interaction.label, facts=interaction.facts, ended_at=interaction.ended_at, words=words
        )

    def _remember(self, case: AskCase) -> None:
        if case.recipient is None or case.recipient.person is None:
            raise Bug("somebody without an address was invited")
        self.history.asked(case.recipient.person, case.customer.key if case.customer else None, self.now)
        self.history.today += 1


def _move(verdict: Verdict, note: str | None = None) -> Move:
    reason = verdict.reason.value if verdict.reason else None
    return Move(verdict.state.value, reason, verdict.until, verdict.due, note)


# ── rows into values ─────────────────────────────────────────────────────────────────────────────────────────────────


def recall(tx: Transaction, rows: Gathered, settings: Settings, now: datetime) -> AskedBefore:
    """Return who of these interactions' people and customers was asked lately."""
    today, window = day_begins(now, settings), settings.limits.account_cap.window
    history = AskedBefore(today=stored_decisions.sends_on(tx, today))
    called = {contact.id: contact.person for contact in rows.contacts.values() if contact.person}
    for mail in stored_decisions.mails_to(tx, called.values()):
        _remember_mail(history, mail.person, mail)
    for mail in stored_decisions.mails_to_contacts(tx, called):
        _remember_mail(history, called[mail.contact_id], mail)
    for person, at in stored_decisions.asked_by_the_crm(tx, rows.contacts.values()).items():
        # What our store does not know (it was restored from a copy, or is a new one) the record in the CRM still says.
        known = history.last_mail.get(person)
        if known is None or at > known + A_MINUTE:
            history.asked(person, None, at)
    customers = (account.customer for account in rows.accounts.values())
    for asked in stored_decisions.invitations_of(tx, customers, now - window):
        history.asked(asked.person, asked.customer, asked.at)
    return history


def _remember_mail(history: AskedBefore, person: str, mail: ReachedPerson) -> None:
    at = mail.sent_at or mail.doubted_at or mail.created_at
    history.asked(person, None, at)
    history.last_mail[person] = max(history.last_mail[person], mail.reminded_at or at, mail.doubted_at or at)


def _account(rows: Gathered, interaction: StoredInteraction) -> StoredAccount | None:
    return rows.accounts.get(rows.ids.get(interaction.account, "")) if interaction.account is not None else None


def _participants(rows: Gathered, interaction: StoredInteraction) -> list[str]:
    contact_ids = (rows.ids.get(ref) for ref in interaction.contacts)
    return [contact_id for contact_id in contact_ids if contact_id is not None and contact_id in rows.contacts]


def _once_each(rows: Gathered, people: Sequence[str], existing: Iterable[Decided]) -> list[str]:
    """Return these contacts without those who share a mailbox with another one: who was invited stays, or else the first."""
    invited = {decision.contact for decision in existing if decision.state is Decision.INVITED}
    persons = {contact: rows.contacts[contact].person for contact in people}
    taken = {person: contact for contact, person in reversed(persons.items())}
    taken |= {persons[contact]: contact for contact in people if contact in invited}
    return [contact for contact in people if persons[contact] is None or taken[persons[contact]] == contact]


def _existing(rows: Gathered, interaction: StoredInteraction, survey: str) -> list[Decided]:
    return [
        Decided(
            id=decision.id,
            contact=rows.now_called.get(decision.contact_id, decision.contact_id),
            state=decision.state,
            # One that a later version has given is none that better data lifts.
            reason=Reason(decision.reason) if decision.reason in set(Reason) else None,
            decided_at=decision.decided_at,
            until=decision.until,
        )
        for decision in rows.decisions.get(interaction.id, ())
        if decision.survey == survey
    ]


def _end(rows: Gathered, interaction: StoredInteraction, own_users: frozenset[str]) -> End:
    if interaction.ended_at is None:
        raise Bug("an interaction that has not ended was decided on")
    owner = rows.owners.get(interaction.owner) if interaction.owner is not None else None
    return End(
        at=interaction.ended_at,
        # Read before it was known that this user is ours, or not seen in any other state: then the end alone counts.
        updated_at=None if interaction.updated_by in own_users else interaction.updated_at,
        deleted=interaction.deleted_at is not None,
        facts=interaction.facts,
        owner_email=owner.email if owner else None,
        owner_timezone=owner.timezone if owner else None,
    )


def _recipient(rows: Gathered, contact_id: str) -> Recipient | None:
    contact = rows.contacts.get(contact_id)
    if contact is None:
        return None
    person = rows.people.get(contact.person or "")
    out = person is not None and person.opted_out_at is not None
    timezone = contact.facts.get("timezone")
    return Recipient(
        email=contact.email,
        person=contact.person,
        no_surveys=contact.no_surveys,
        opted_out=out,
        erased=out and person is not None and person.opted_out_by == OptOutWay.ERASED,
        bounced=(person is not None and person.bounced_at is not None) or bool(contact.facts.get(EMAIL_BOUNCED)),
        deleted=contact.deleted_at is not None,
        timezone=timezone if isinstance(timezone, str) else None,
        facts=contact.facts,
    )
