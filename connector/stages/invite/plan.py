"""Whether a person is asked about an interaction, not yet, or not: values in, one verdict out.

The rules stand in the order in which they are told: the first that objects gives the reason, so the more telling ones come first.
"""

import hashlib
import hmac
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from connector.domain.mail_domains import domain_of
from connector.model import Decision, Reason, normalized_address
from connector.settings import AskingLimits, Survey
from connector.settings.time_zones import first_zone

FRESH: Final = timedelta(days=7)
"""How long after the end (and the survey's delay) a question still makes sense; deferred longer than that, it is not asked."""
UNRESOLVED: Final = timedelta(days=14)
"""How long after the end we wait for people to say whose interaction it was; decided when they do."""
LATE_RECORD: Final = timedelta(hours=1)
"""When we look again for a record that an interaction names and that has not come in yet."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is decided now. `due`: when a waiting one is looked at again; `until`: until when the reason holds, if it ends by itself."""

    state: Decision
    reason: Reason | None = None
    until: datetime | None = None
    due: datetime | None = None


INVITED: Final = Verdict(Decision.INVITED)


def waiting(reason: Reason, until: datetime) -> Verdict:
    """Not yet: look again at `until`."""
    return Verdict(Decision.WAITING, reason, until, until)


def refused(reason: Reason, until: datetime | None = None) -> Verdict:
    """Not asked."""
    return Verdict(Decision.REFUSED, reason, until)


def cancelled(reason: Reason) -> Verdict:
    """What was planned is off."""
    return Verdict(Decision.CANCELLED, reason)


@dataclass(frozen=True, slots=True)
class End:
    """How and when an interaction ended, and what else is known of it."""

    at: datetime
    updated_at: datetime | None = None
    deleted: bool = False
    facts: Mapping[str, object] = field(default_factory=dict)
    owner_email: str | None = None
    owner_timezone: str | None = None


@dataclass(frozen=True, slots=True)
class AskedCustomer:
    """The account that the interaction belongs to. Linked accounts of several CRMs share one `key`."""

    key: str
    is_customer: bool
    deleted: bool = False
    facts: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Recipient:
    """The person who would be asked, with what they have told us on any connection."""

    email: str | None = None
    person: str | None = None
    no_surveys: bool = False
    opted_out: bool = False
    erased: bool = False
    bounced: bool = False
    deleted: bool = False
    timezone: str | None = None
    facts: Mapping[str, object] = field(default_factory=dict)


@dataclass(slots=True)
class AskedBefore:
    """Who has been asked lately, over all surveys and connections; `asked` adds to it, so that one plan sees those before it."""

    last: dict[str, datetime] = field(default_factory=dict)
    """When each person was last invited."""
    last_mail: dict[str, datetime] = field(default_factory=dict)
    """When each person was last written to, reminders included."""
    by_customer: dict[str, dict[str, datetime]] = field(default_factory=dict)
    """For each customer, when each of its people was last invited."""
    today: int = 0
    """Messages of the installation's day, those that still lie ready included."""

    def asked(self, person: str, customer: str | None, at: datetime) -> None:
        """Take in an invitation."""
        self.last[person] = max(at, self.last.get(person, at))
        self.last_mail[person] = max(at, self.last_mail.get(person, at))
        if customer is not None:
            people = self.by_customer.setdefault(customer, {})
            people[person] = max(at, people.get(person, at))


@dataclass(frozen=True, slots=True)
class AskCase:
    """Everything that one verdict depends on."""

    survey: Survey
    limits: AskingLimits
    go_live: datetime
    now: datetime
    end: End
    customer: AskedCustomer | None
    recipient: Recipient | None
    history: AskedBefore
    tomorrow: datetime
    """When the day's sends are counted anew."""
    zone: ZoneInfo
    """Where people are of whom it is not known."""
    lot: float = 0.0
    """This interaction's place in the survey's sample, from 0 to 1; see `lot`."""
    held_by: Reason | None = None
    """Why this decision has been waiting until now; None when it is new."""
    account_expected: bool = False
    """The interaction names an account that has not come in yet."""
    contact_expected: bool = False

    @property
    def deadline(self) -> datetime:
        """After this moment it is too late to ask."""
        unresolved = self.customer is None or self.recipient is None or self.held_by in _WHOSE
        return self.delayed_until + (UNRESOLVED if unresolved else FRESH)

    @property
    def delayed_until(self) -> datetime:
        """The survey's delay after the last update. Updates after the end push it by one more delay at most.

        A record that something touches every night would else never be asked about. Reopened, it has another end.
        """
        delay = self.survey.delay
        return min(max(self.end.at, self.end.updated_at or self.end.at), self.end.at + delay) + delay


def oldest_end(surveys: Iterable[Survey], now: datetime) -> datetime:
    """Return the end of an interaction before which no survey asks about it any more, as far as that is known without it."""
    return now - FRESH - 2 * max((survey.delay for survey in surveys), default=timedelta(0))


_WHOSE: Final = frozenset({Reason.NO_ACCOUNT, Reason.NO_CONTACT})
"""Why an interaction is unresolved."""

Check = Callable[[AskCase], Verdict | None]


def decide(case: AskCase) -> Verdict:
    """Return the verdict of the first rule that objects; when none does, the person is invited."""
    verdict = next((objection for check in RULES if (objection := check(case)) is not None), INVITED)
    if verdict.state is Decision.WAITING and verdict.until is not None and verdict.until > case.deadline:
        return Verdict(Decision.REFUSED, verdict.reason, verdict.until)
    return verdict


def may_be_asked(case: AskCase) -> bool:
    """Tell whether nothing about the person alone stands against it: an address that works, no opt-out, none of our own people."""
    return all(check(case) is None for check in _PERSONAL)


def lot(key: bytes, survey: str, interaction_id: str) -> float:
    """Return a number in [0, 1) that stays the same for this survey and interaction, and that nobody without the key can foresee."""
    digest = hmac.new(key, f"sample\0{survey}\0{interaction_id}".encode(), hashlib.sha256).digest()
    return int.from_bytes(digest[:6], "big") / 2**48


# ── the rules ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _before_go_live(case: AskCase) -> Verdict | None:
    """Nobody is asked about what is history. Who waits already was to be asked before the mapping was edited, and still is."""
    if case.held_by is not None:
        return None
    return refused(Reason.BEFORE_GO_LIVE) if case.end.at < case.go_live else None


def _too_old(case: AskCase) -> Verdict | None:
    if case.now <= case.deadline:
        return None
    # What has held it up says more than "too old"; a delay that was over long ago (nobody ran the laps) does not.
    return refused(Reason.TOO_OLD if case.held_by in {None, Reason.DELAY} else case.held_by or Reason.TOO_OLD)


def _deleted(case: AskCase) -> Verdict | None:
    gone = case.end.deleted or (case.recipient is not None and case.recipient.deleted)
    return cancelled(Reason.DELETED) if gone else None


def _no_account(case: AskCase) -> Verdict | None:
    if case.customer is not None:
        return refused(Reason.NO_ACCOUNT) if case.customer.deleted else None
    return _unresolved(case, Reason.NO_ACCOUNT, expected=case.account_expected)


def _unresolved(case: AskCase, reason: Reason, *, expected: bool) -> Verdict:
    """An interaction that changes is looked at at once; a record that comes in late does not change those that name it."""
    if expected:
        return waiting(reason, case.now + LATE_RECORD)
    return Verdict(Decision.WAITING, reason, case.deadline, case.deadline + timedelta(seconds=1))


def _not_a_customer(case: AskCase) -> Verdict | None:
    if case.survey.audience == "everyone" or (case.customer is not None and case.customer.is_customer):
        return None
    return refused(Reason.NOT_A_CUSTOMER)


def _condition(case: AskCase) -> Verdict | None:
    facts = _facts(case)
    holds = all(_one_of(facts.get(name), wanted) for name, wanted in case.survey.where.items())
    return None if holds else refused(Reason.CONDITION)


def _facts(case: AskCase) -> dict[str, object]:
    """Everything known by name; where two have the same name, the nearer to what happened counts."""
    account = case.customer.facts if case.customer is not None else {}
    contact = case.recipient.facts if case.recipient is not None else {}
    return {**account, **contact, **case.end.facts}


def _one_of(fact: object, wanted: object) -> bool:
    """A fact that is missing is never what was asked for. True is not 1 here: an admin who writes 1 means the number."""
    if fact is None:
        return False
    options = wanted if isinstance(wanted, list | tuple) else (wanted,)
    held = fact if isinstance(fact, list | tuple) else (fact,)
    return any(
        isinstance(value, bool) == isinstance(option, bool) and _folded(value) == _folded(option)
        for value in held
        for option in options
    )


def _folded(value: object) -> object:
    """CRMs compare text without regard to capitals, and so does `check`."""
    return value.casefold() if isinstance(value, str) else value


def _no_contact(case: AskCase) -> Verdict | None:
    if case.recipient is not None:
        return None
    return _unresolved(case, Reason.NO_CONTACT, expected=case.contact_expected)


def _opted_out(case: AskCase) -> Verdict | None:
    who = case.recipient
    if who is None or not (who.no_surveys or who.opted_out or who.erased):
        return None
    return refused(Reason.ERASED if who.erased else Reason.OPTED_OUT)


def _no_address(case: AskCase) -> Verdict | None:
    who = case.recipient
    return refused(Reason.NO_ADDRESS) if who is None or not who.email or not who.person else None


def _bad_address(case: AskCase) -> Verdict | None:
    return refused(Reason.BAD_ADDRESS) if case.recipient is not None and case.recipient.bounced else None


def _internal(case: AskCase) -> Verdict | None:
    email = case.recipient.email if case.recipient is not None else None
    if not email:
        return None
    domain = domain_of(email)
    ours = any(domain == own or domain.endswith(f".{own}") for own in case.limits.internal_domains)
    rated = case.end.owner_email is not None and normalized_address(email) == normalized_address(case.end.owner_email)
    return refused(Reason.INTERNAL) if ours or rated else None


def _sampled_out(case: AskCase) -> Verdict | None:
    return refused(Reason.SAMPLED_OUT) if case.lot >= case.survey.sample else None


def _delay(case: AskCase) -> Verdict | None:
    over = case.delayed_until
    return waiting(Reason.DELAY, over) if over > case.now else None


def _quiet_period(case: AskCase) -> Verdict | None:
    # Where the gap is the longer one of the two, waiting for it is enough, and nobody has to be refused.
    over = _since(case.history.last, case, case.limits.quiet_period)
    if over is None or over <= case.now or case.limits.quiet_period < case.limits.minimum_gap:
        return None
    return refused(Reason.QUIET_PERIOD, over)


def _minimum_gap(case: AskCase) -> Verdict | None:
    over = _since(case.history.last_mail, case, max(case.limits.minimum_gap, timedelta(0)))
    return waiting(Reason.MINIMUM_GAP, over) if over is not None and over > case.now else None


def _since(times: Mapping[str, datetime], case: AskCase, span: timedelta) -> datetime | None:
    person = case.recipient.person if case.recipient is not None else None
    last = times.get(person) if person is not None else None
    return None if last is None else last + span


def _account_cap(case: AskCase) -> Verdict | None:
    cap = case.limits.account_cap
    if case.customer is None or case.recipient is None:
        return None
    people = case.history.by_customer.get(case.customer.key, {})
    ends = sorted(at + cap.window for who, at in people.items() if who != case.recipient.person)
    inside = [end for end in ends if end > case.now]
    if len(inside) < cap.people:
        return None
    return waiting(Reason.ACCOUNT_CAP, inside[len(inside) - cap.people])


def _daily_sends(case: AskCase) -> Verdict | None:
    full = case.history.today >= case.limits.daily_sends
    return waiting(Reason.DAILY_SENDS, case.tomorrow) if full else None


def _sending_window(case: AskCase) -> Verdict | None:
    local = case.recipient.timezone if case.recipient is not None else None
    tz = first_zone((local, case.end.owner_timezone), case.zone)
    opens = case.limits.sending_window.next_open(case.now, tz)
    return waiting(Reason.SENDING_WINDOW, opens) if opens > case.now else None


_PERSONAL: Final[tuple[Check, ...]] = (_deleted, _no_contact, _no_address, _opted_out, _bad_address, _internal)

RULES: Final[tuple[Check, ...]] = (
    _before_go_live,
    _too_old,
    _deleted,
    _no_account,
    _not_a_customer,
    _condition,
    _no_contact,
    _no_address,
    _opted_out,
    _bad_address,
    _internal,
    _sampled_out,
    _delay,
    _quiet_period,
    _minimum_gap,
    _account_cap,
    _daily_sends,
    _sending_window,
)
