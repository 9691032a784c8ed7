"""deliver: hand over what is due, at most once each, after a last look at the CRM."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Final

from connector.errors import CrmError, MailboxRefused, MailInDoubt, MailUnavailable
from connector.model import Decision, Ref
from connector.ports import Reading
from connector.ports.mail import Channel, Message, ReadyMessage
from connector.settings.time_zones import day_begins, first_zone
from connector.stages.context import Connected, Context
from connector.stages.deliver.breaker import LAST_MESSAGES, doubtful, too_many
from connector.stages.deliver.plan import (
    LONGEST_RETRY,
    REFUSED_RETRY,
    Planned,
    Stop,
    gap_over,
    is_unreadable,
    objection,
    retry_in,
)
from connector.stages.deliver.recipients import may_mail, may_send_now
from connector.stages.deliver.time_budget import SendingTime
from connector.store import Transaction, new_id
from connector.store.surveys import deliveries, mail_trouble
from connector.store.surveys.decisions import Move, sends_on
from connector.store.surveys.deliveries import Letter, Purpose
from connector.surveys.questionnaire import from_json
from connector.surveys.survey_mail import InvitationView, Site, invitation_message
from connector.surveys.tokens import Tokens

BATCH: Final = 100
PURPOSES: Final[tuple[Purpose, ...]] = ("invitation", "reminder")


@dataclass(slots=True)
class DeliverResult:
    """What became of the messages that were due in this lap."""

    sent: int = 0
    """Invitations and reminders that were handed over."""
    bounced: int = 0
    in_doubt: int = 0
    """Handed over or not, nobody knows; they are never sent again by themselves."""
    deferred: int = 0
    """Invitations that are due and were left for a later lap."""
    left_due: int = 0
    """Messages that could have gone out, and wait for the next lap because the mail server took its time over the others."""
    cancelled: int = 0
    expired: int = 0
    errors: dict[str, CrmError] = field(default_factory=dict)
    """Connections that could not be asked, whose messages were left for a later lap."""
    mail_error: MailUnavailable | MailInDoubt | None = None
    """Why the lap stopped sending, or sent nothing: the mail server is down, or refuses one message after the other."""


def run(context: Context, site: Site) -> DeliverResult:
    """Send what is due. Only the holder of the lease may: what it finds half sent becomes "in doubt".

    Observing, paused and without a channel, nothing is sent; neither while the admin is to look at addresses that were refused.
    """
    result = DeliverResult()
    now = context.clock.now()
    result.in_doubt, result.expired = context.write_where_needed(
        lambda tx: (deliveries.give_up_unknown(tx, now), deliveries.expire(tx, now))
    )
    with context.store.read() as tx:
        crms = may_send_now(context, tx)
        stopped = mail_trouble.stopped(tx)
    if not crms or context.channel is None or context.tokens is None:
        return result
    if stopped is not None:
        result.mail_error = _waits_for_the_admin(stopped)
    else:
        _Round(context, site, result, crms=crms, channel=context.channel, tokens=context.tokens).run(now)
    with context.store.read() as tx:
        result.deferred += deliveries.still_due(tx, crms, now)
    return result


class _Round:
    """The sending of one lap."""

    def __init__(
        self,
        context: Context,
        site: Site,
        result: DeliverResult,
        *,
        crms: Sequence[str],
        channel: Channel,
        tokens: Tokens,
    ) -> None:
        self.context = context
        self.settings = context.settings
        self.crms = crms
        self.site = site
        self.channel = channel
        self.tokens = tokens
        self.result = result
        self.last_mails: dict[str, datetime] = {}
        self.breaker = context.breaker
        self.time = SendingTime(context.clock)
        self.left_out: set[str] = set()
        """Connections whose mail cannot go out in this lap."""

    def run(self, now: datetime) -> None:
        """Send invitations, then reminders, as many as the day still allows."""
        self._send_all(now)
        if self.time.is_over and not self._stopped:
            self.result.left_due = self._left_due(now)
        self.result.mail_error = self.result.mail_error or self.breaker.trouble

    def _send_all(self, now: datetime) -> None:
        for purpose in PURPOSES:
            before = -1
            # Mail that cannot go out may have taken all the places of the day: then that of the other connections is looked for.
            while before != len(self.left_out) and not self._ends:
                before = len(self.left_out)
                self._send_some(purpose, now)

    def _send_some(self, purpose: Purpose, now: datetime) -> None:
        for batch in self._batches(purpose, now):
            for name, of_one in groupby(sorted(batch, key=_crm), key=_crm):
                self._deliver(self.context.connected[name], list(of_one))
            if self._ends:
                return

    @property
    def _ends(self) -> bool:
        return self.time.is_over or self._stopped

    @property
    def _stopped(self) -> bool:
        stopped = self.breaker.error or self.result.mail_error
        return self.context.stop.is_set() or stopped is not None

    def _left_due(self, now: datetime) -> int:
        with self.context.store.read() as tx:
            allowance = self._allowance(tx)
            return min(allowance, sum(len(self._due(tx, purpose, now, allowance)) for purpose in PURPOSES))

    def _due(self, tx: Transaction, purpose: Purpose, now: datetime, limit: int) -> list[str]:
        return deliveries.due(
            tx,
            purpose,
            crms=[name for name in self.crms if name not in self.left_out],
            surveys=tuple(self.settings.surveys),
            now=now,
            limit=limit,
        )

    def _batches(self, purpose: Purpose, now: datetime) -> Iterator[list[Letter]]:
        with self.context.store.read() as tx:
            ids = self._due(tx, purpose, now, self._allowance(tx))
        for start in range(0, len(ids), BATCH):
            with self.context.store.read() as tx:
                batch = deliveries.letters(tx, purpose, ids[start : start + BATCH])
                self.last_mails |= deliveries.last_mails(tx, batch)
            yield batch

    def _allowance(self, tx: Transaction) -> int:
        today = day_begins(self.context.clock.now(), self.settings)
        return max(0, self.settings.limits.daily_sends - sends_on(tx, today))

    def _deliver(self, connected: Connected, letters: Sequence[Letter]) -> None:
        if connected.name in self.left_out or not self._may_send(connected.name):
            return
        try:
            fresh = reread(connected, letters)
        except CrmError as error:
            # What the CRM says now is not known, so nothing is sent; the other connections' people need not wait for it.
            self.result.errors[connected.name] = error
            self.left_out.add(connected.name)
            return
        for letter in letters:
            if self._ends or not self._may_send(connected.name):
                return
            if self._readable(connected, letter):
                self._one(letter, fresh)
            else:
                self._postpone(letter, self.context.clock.now() + LONGEST_RETRY)

    def _may_send(self, crm: str) -> bool:
        may = self.context.may_send(crm)
        if not may:
            self.left_out.add(crm)
        return may

    def _readable(self, connected: Connected, letter: Letter) -> bool:
        """Tell whether records of these kinds can be read at present: else what the CRM says of them is not that they are gone."""
        kind = self.settings.surveys[letter.invitation.survey].on.partition(".")[0]
        kinds = ((letter.contact_ref, "contact"), (letter.interaction_ref, kind))
        return all(ref is None or record_kind in connected.mapping.kinds(ref.object) for ref, record_kind in kinds)

    def _one(self, letter: Letter, fresh: Mapping[Ref, Reading]) -> None:
        contact = fresh.get(letter.contact_ref) if letter.contact_ref else None
        interaction = fresh.get(letter.interaction_ref) if letter.interaction_ref else None
        if is_unreadable(contact) or is_unreadable(interaction):
            self._postpone(letter, self.context.clock.now() + retry_in(10))
            return
        stop = objection(self._planned(letter), contact, interaction)
        if stop is not None:
            self._cancel(letter, stop, opted_out=contact is not None and getattr(contact.value, "no_surveys", False))
            return
        if letter.purpose == "reminder" and not self._reminds(letter):
            return
        later = self._not_before(letter)
        if later is not None:
            self._postpone(letter, later)
            return
        self._send(letter)

    def _reminds(self, letter: Letter) -> bool:
        """Tell whether it is time for a reminder, by what the survey says of them now, not when it was planned."""
        after = self.settings.surveys[letter.invitation.survey].reminder_after
        now = self.context.clock.now()
        if not after:
            with self.context.write() as tx:
                deliveries.remind_no_more(tx, letter, now)
        elif letter.invitation.sent_at is not None and letter.invitation.sent_at + after > now:
            self._postpone(letter, letter.invitation.sent_at + after)
        else:
            return True
        return False

    def _planned(self, letter: Letter) -> Planned:
        known = letter.person
        return Planned(
            email=letter.invitation.email,
            on=self.settings.surveys[letter.invitation.survey].on,
            opted_out=known is not None and known.opted_out_at is not None,
            bounced=known is not None and known.bounced_at is not None,
            allowed=may_mail(self.context, letter.invitation.connection, letter.invitation.email),
            takes_part=letter.takes_part,
            of_account=letter.of_account,
        )

    def _not_before(self, letter: Letter) -> datetime | None:
        now = self.context.clock.now()
        limits = self.settings.limits
        gap = gap_over(self.last_mails, letter.invitation.person, limits.minimum_gap)
        facts = letter.contact.facts if letter.contact else {}
        tz = first_zone((facts.get("timezone"), letter.owner_timezone), self.settings.company.timezone)
        opens = limits.sending_window.next_open(max(now, gap or now), tz)
        return opens if opens > now else None

    def _postpone(self, letter: Letter, until: datetime) -> None:
        with self.context.write() as tx:
            deliveries.postpone(tx, letter, until)
        self.result.deferred += letter.purpose == "invitation"

    def _cancel(self, letter: Letter, stop: Stop, *, opted_out: bool) -> None:
        now = self.context.clock.now()
        with self.context.write() as tx:
            if opted_out:
                deliveries.latch_opt_out(tx, letter, now)
            deliveries.cancel(tx, letter, _move(stop, now), now)
        self.result.cancelled += letter.purpose == "invitation"

    # ── one message ──

    def _send(self, letter: Letter) -> None:
        message_id = self.site.message_id(new_id())
        try:
            # Before the attempt is written down: what cannot be made has not been begun, and is in no doubt.
            ready = self.channel.prepare(self._message(letter, message_id))
        except (MailboxRefused, MailUnavailable) as error:
            self._not_made(letter, message_id, error)
            return
        with self.context.write() as tx:
            begun = deliveries.begin(tx, letter, message_id, self.context.clock.now())
        if begun:
            self._hand_over(letter, ready, message_id)

    def _message(self, letter: Letter, message_id: str) -> Message:
        invitation = letter.invitation
        view = InvitationView(
            id=invitation.id,
            email=invitation.email,
            name=invitation.name,
            language=invitation.language,
            label=invitation.customer_label or invitation.label,
            owner_name=invitation.owner_name,
            company=self.site.sender_name,
            questionnaire=from_json(invitation.questionnaire),
            expires_at=invitation.expires_at,
        )
        token = self.tokens.survey(invitation.id)
        return invitation_message(view, site=self.site, token=token, purpose=letter.purpose, message_id=message_id)

    def _hand_over(self, letter: Letter, ready: ReadyMessage, message_id: str) -> None:
        try:
            with self.time.running():
                server_id = ready.send()
        except MailboxRefused as error:
            self._bounced(letter, message_id, error)
        except MailUnavailable as error:
            self._failed(letter, message_id, error)
        except MailInDoubt as error:
            self._in_doubt(letter, message_id, error)
        else:
            self._sent(letter, message_id, server_id)

    def _not_made(self, letter: Letter, message_id: str, error: MailboxRefused | MailUnavailable) -> None:
        """Mark the person where nobody could write to the address; any other message waits. No server was asked."""
        now = self.context.clock.now()
        with self.context.write() as tx:
            if isinstance(error, MailboxRefused):
                deliveries.bounced(tx, letter, now, str(error))
                self.result.bounced += 1
            else:
                self._try_again(tx, letter, message_id, error)
                self.breaker.failed(tx, error, now)

    def _sent(self, letter: Letter, message_id: str, server_id: str | None) -> None:
        # In the company's zone: where the CRM keeps the day alone, it is the day that people there have.
        now = self.context.clock.now().astimezone(self.settings.company.timezone)
        after = self.settings.surveys[letter.invitation.survey].reminder_after
        remind_at = now + after if after and now + after < letter.invitation.expires_at else None
        with self.context.store.write() as tx:
            deliveries.sent(tx, letter, message_id, now, remind_at)
            deliveries.note_server_id(tx, message_id, server_id)
            self.breaker.sent(tx)
        self.last_mails[letter.invitation.person] = now
        self.result.sent += 1

    def _bounced(self, letter: Letter, message_id: str, error: MailboxRefused) -> None:
        """Mark the person, unless so many were refused lately that the server, or we, are more likely wrong."""
        now = self.context.clock.now()
        with self.context.store.write() as tx:
            deliveries.refused_mailbox(tx, message_id, now, str(error))
            refused, of = mail_trouble.refused_of_last(tx, LAST_MESSAGES)
            if doubtful(refused, of):
                stopped = too_many(refused, of, error.what, now)
                self.result.mail_error = _waits_for_the_admin(stopped)
                self._try_again(tx, letter, message_id, error)
                mail_trouble.stop(tx, stopped)
                return
            deliveries.bounced(tx, letter, now, str(error))
        self.result.bounced += 1

    def _in_doubt(self, letter: Letter, message_id: str, doubt: MailInDoubt) -> None:
        now = self.context.clock.now()
        with self.context.store.write() as tx:
            deliveries.in_doubt(tx, letter, message_id, now, str(doubt))
            self.breaker.failed(tx, doubt, now)
        self.last_mails[letter.invitation.person] = now
        self.result.in_doubt += 1

    def _failed(self, letter: Letter, message_id: str, error: MailUnavailable) -> None:
        with self.context.store.write() as tx:
            self._try_again(tx, letter, message_id, error)
            self.breaker.failed(tx, error, self.context.clock.now())

    def _try_again(
        self, tx: Transaction, letter: Letter, message_id: str, error: MailUnavailable | MailboxRefused
    ) -> None:
        now = self.context.clock.now()
        failures = deliveries.failed(tx, letter, message_id, now, str(error))
        wait = REFUSED_RETRY if error.permanent and not isinstance(error, MailboxRefused) else retry_in(failures)
        deliveries.postpone(tx, letter, min(now + wait, letter.invitation.expires_at))
        self.result.deferred += letter.purpose == "invitation"


def _waits_for_the_admin(stopped: mail_trouble.Stopped) -> MailUnavailable:
    return MailUnavailable(stopped.what, where="e-mail", remedy=stopped.remedy)


def _crm(letter: Letter) -> str:
    return letter.invitation.connection


def _move(stop: Stop, now: datetime) -> Move:
    if stop.anew:
        return Move(Decision.WAITING, stop.reason, now, now, note=stop.anew)
    return Move(Decision.CANCELLED, stop.reason)


def reread(connected: Connected, letters: Sequence[Letter]) -> Mapping[Ref, Reading]:
    """Return what the CRM says now of these letters' contacts and interactions; those that are gone are absent.

    Raises any `CrmError`.
    """
    refs = dict.fromkeys(
        ref for letter in letters for ref in (letter.contact_ref, letter.interaction_ref) if ref is not None
    )
    readings: dict[Ref, Reading] = {}
    for object_name in dict.fromkeys(ref.object for ref in refs):
        queries = (query for query in connected.mapping.queries if query.object == object_name)
        fields = tuple(dict.fromkeys(name for query in queries for name in query.fields))
        asked = [ref for ref in refs if ref.object == object_name]
        records = connected.reader.fetch(object_name, [ref.id for ref in asked], fields)
        for ref in asked:
            if (record := records.get(ref.id)) is not None:
                readings[ref] = connected.mapping.read(connected.name, record)
    return readings
