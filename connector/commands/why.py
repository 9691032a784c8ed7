"""The survey log in plain English: who was asked about what, who not, which rule decided, and what came of it."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from types import MappingProxyType
from typing import Final

from connector.domain.text_direction import isolated
from connector.errors import AfterwordError
from connector.model import Decision, Delivery, Kind, OptOutWay, Reason
from connector.model.stored import StoredAccount, StoredContact, StoredInteraction
from connector.model.surveys import DecisionLogEntry, StoredDecision
from connector.store import Store
from connector.store.surveys import survey_log
from connector.store.surveys.people import PersonMarks
from connector.store.surveys.survey_log import Entry, LoggedRecord, LoggedResponse, SetAside

BECAUSE: Final[Mapping[Reason, str]] = {
    Reason.DELAY: "the survey waits a while after the last update",
    Reason.REOPENED: "it was reopened",
    Reason.DELETED: "the record was deleted in the CRM",
    Reason.BEFORE_GO_LIVE: "it ended before the survey, or the present mapping, went live",
    Reason.TOO_OLD: "it had ended too long ago when Afterword could have asked",
    Reason.NOT_A_CUSTOMER: "the account is not a customer",
    Reason.NO_ACCOUNT: "it belongs to no account",
    Reason.NO_CONTACT: "it has no contact",
    Reason.NO_ADDRESS: "the contact has no e-mail address, or none that anybody reads",
    Reason.BAD_ADDRESS: "mail to this address has bounced",
    Reason.OPTED_OUT: "this person does not want surveys",
    Reason.INTERNAL: "the address belongs to our own people",
    Reason.CONDITION: "the survey's condition (where) does not hold",
    Reason.SAMPLED_OUT: "the survey asks about a sample only, and this is not part of it",
    Reason.QUIET_PERIOD: "this person was asked recently (quiet_period)",
    Reason.MINIMUM_GAP: "this person was written to a short while ago (minimum_gap)",
    Reason.ACCOUNT_CAP: "enough people of this account were asked recently (account_cap)",
    Reason.DAILY_SENDS: "as many messages as allowed have gone out today (daily_sends)",
    Reason.SENDING_WINDOW: "mail is not sent at this hour (sending_window)",
    Reason.ERASED: "this person's data were erased at their request",
    Reason.TEST_ORG: "the CRM is a test org, and the address is not among those that [email] only_to allows",
    Reason.RESTORED: "the store was restored from a backup that was made before, and they may have been asked since",
}

_MAIL: Final[Mapping[str, str]] = {
    Delivery.DUE: "The mail is waiting to be sent",
    Delivery.SENDING: "The mail is being sent",
    Delivery.BOUNCED: "The mail bounced",
    Delivery.CANCELLED: "The mail was cancelled before it was sent",
    Delivery.EXPIRED: "The mail could not be sent in time",
    Delivery.IN_DOUBT: "Nobody knows whether the mail arrived; it is not sent again",
}

OPTED_OUT: Final[Mapping[str, str]] = {
    OptOutWay.LINK: "{who} wants no surveys since {since}, said by the unsubscribe link in a mail.",
    OptOutWay.COMPLAINT: "{who} wants no surveys since {since}, as their mail provider reported: they called one spam.",
    OptOutWay.CRM: "{who} wants no surveys since {since}, as the record in the CRM says.",
    OptOutWay.ADMIN: "{who} wants no surveys since {since}, as was noted by `afterword opt-outs add`.",
    OptOutWay.ERASED: "{who} is not asked any more since {since}, when the data about this person were erased.",
}
"""By the way, see `OptOutWay`."""

_NO_SURVEYS: Final[Mapping[str, str]] = MappingProxyType({})


def in_words(reason: str) -> str:
    """Return a reason in words; one that a later version has given as it stands."""
    return BECAUSE[Reason(reason)] if reason in set(Reason) else reason


class UnknownRecord(AfterwordError):
    """The survey log has nothing under this id."""

    def __init__(self, record: str) -> None:
        super().__init__(
            f"no account, contact or interaction that is called {record!r} has been read.",
            remedy="Copy the address of the record's page in the CRM; if it is right, run a sync first.",
        )


def explain(
    store: Store,
    record: str,
    *,
    tz: tzinfo = UTC,
    observing: Collection[str] = (),
    normalisers: Collection[Callable[[str], str]] = (),
    surveys: Mapping[str, str] = _NO_SURVEYS,
) -> list[str]:
    """Return the survey log of an interaction, a contact or an account, one sentence or heading a line.

    `record` is an id (the CRM's or ours), or what people call it: a case's number, an e-mail address, the address of its page.
    Times are in `tz`. `observing` names connections that are not live. `normalisers` write an id as a CRM's records have it.
    `surveys`: by name, the event that each asks about. Raises `UnknownRecord`.
    """
    teller = _Teller(tz)
    with store.read() as tx:
        records = survey_log.find(tx, record, normalisers)
        sections = [
            [
                *teller.record(
                    record, survey_log.person(tx, record), survey_log.entries(tx, record, surveys), observing
                ),
                *(f"  {teller.set_aside(row)}" for row in survey_log.set_aside(tx, record)),
            ]
            for record in records
        ]
    if not sections:
        raise UnknownRecord(record)
    return [line for lines in sections for line in lines]


def not_asked(
    store: Store, accounts: Iterable[StoredAccount], *, tz: tzinfo = UTC, surveys: Mapping[str, str] = _NO_SURVEYS
) -> list[str]:
    """Return the decisions on accounts that led to no mail, one sentence a line: for a page that tells the others itself.

    `surveys`: by name, the event that each asks about. It names nobody whom the CRM has deleted.
    """
    with store.read() as tx:
        records = [LoggedRecord(Kind.ACCOUNT, account) for account in accounts]
        entries = [entry for logged in records for entry in survey_log.entries(tx, logged, surveys)]
    lines: list[str] = []
    people_told: set[str] = set()
    teller = _Teller(tz, names_deleted=False, quote=isolated)
    for entry in entries:
        if entry.invitation is None:
            lines += [f"{teller.verdict(entry)}.", *(f"  {line}" for line in teller.standing_once(entry, people_told))]
    return lines


@dataclass(frozen=True, slots=True)
class _Teller:
    """Tells it, with times in one zone."""

    tz: tzinfo
    names_deleted: bool = True
    quote: Callable[[str], str] = str
    """How names and texts of others are written among ours."""

    def record(
        self, logged: LoggedRecord, person: PersonMarks | None, entries: list[Entry], observing: Collection[str]
    ) -> list[str]:
        ref, title = logged.record.ref, logged.title
        gone = ", deleted in the CRM" if logged.record.deleted_at else ""
        lines = [f"{title} ({logged.kind} {ref.id} of {ref.connection}{gone})"]
        lines += [f"  {line}" for line in self._standing(person, title)]
        if not entries:
            return [*lines, f"  {_observed(logged) if ref.connection in observing else _nothing(logged)}"]
        people_told = {person.person} if person is not None else set()
        for entry in entries:
            lines += [f"  {line}" for line in self._entry(entry)]
            lines += [f"    {line}" for line in self.standing_once(entry, people_told)]
        return lines

    def set_aside(self, refused: SetAside) -> str:
        done = "understood" if refused.direction == "read" else "written to the CRM"
        return f"Could not be {done}, since {self._time(refused.at)}: {refused.what} {refused.remedy}".rstrip()

    def standing_once(self, entry: Entry, people_told: set[str]) -> list[str]:
        if entry.person is None or entry.person.person in people_told:
            return []
        people_told.add(entry.person.person)
        return list(
            self._standing(
                entry.person, self._name(entry.contact) if entry.contact is not None else self.quote(entry.who)
            )
        )

    def _name(self, contact: StoredContact) -> str:
        named = self.names_deleted or contact.deleted_at is None
        return self.quote(contact.name) if named else "somebody who is no longer known"

    def _standing(self, person: PersonMarks | None, who: str) -> Iterable[str]:
        """Tell since when somebody is not to be asked, or not to be reached, whatever was decided about them before."""
        if person is None:
            return
        if person.opted_out_at is not None:
            yield OPTED_OUT[person.opted_out_by or OptOutWay.CRM].format(who=who, since=self._time(person.opted_out_at))
        if person.bounced_at is not None:
            why = f": {self.quote(person.bounce.rstrip('.'))}" if person.bounce else ""
            yield f"Mail to {who} bounced on {self._time(person.bounced_at)}, so this address is not written to again{why}."

    def _entry(self, entry: Entry) -> Iterable[str]:
        yield f"{self.verdict(entry)}."
        if len(entry.moves) > 1 or any(move.note for move in entry.moves):
            yield from (f"  {self._time(move.at)}: {self._move(move)}." for move in entry.moves)
        if entry.invitation is not None:
            yield f"  {self._mail(entry)}."
            yield from (f"  {self._answer(response)}." for response in entry.answers)
            if entry.invitation.sent_at is not None and not entry.answers:
                over = entry.person is not None and entry.person.opted_out_at is not None
                yield (
                    "  No answer."
                    if over
                    else f"  No answer yet; the link works until {self._time(entry.invitation.expires_at)}."
                )

    def verdict(self, entry: Entry) -> str:
        decision = entry.decision
        who = self._name(entry.contact) if entry.contact is not None else "nobody"
        subject = f"{decision.survey}, {self.quote(entry.interaction.label)}, {who}"
        return f"{subject}: {self._move(decision)} ({self._time(decision.decided_at)})"

    def _move(self, decision: StoredDecision | DecisionLogEntry) -> str:
        words = {
            Decision.INVITED: "asked",
            Decision.WAITING: "not asked yet",
            Decision.REFUSED: "not asked",
            Decision.CANCELLED: "not asked after all",
        }[decision.state]
        because = f", because {in_words(decision.reason)}" if decision.reason else ""
        until = f", until {self._time(decision.until)}" if decision.until else ""
        remark = decision.note if isinstance(decision, DecisionLogEntry) else None
        return f"{words}{because}{until}" + (f"; {remark}" if remark else "")

    def _mail(self, entry: Entry) -> str:
        invitation, failures = entry.invitation, entry.failed_attempts
        assert invitation is not None  # noqa: S101 - the caller has looked
        tried = f", after {failures} attempt{'s' * (failures != 1)} that failed" if failures else ""
        if invitation.state is Delivery.SENT and invitation.sent_at is not None:
            reminded = f", with a reminder on {self._time(invitation.reminded_at)}" if invitation.reminded_at else ""
            return f"The mail was sent to {invitation.email} on {self._time(invitation.sent_at)}{tried}{reminded}"
        tells_why = invitation.state in {Delivery.BOUNCED, Delivery.IN_DOUBT, Delivery.DUE}
        why = f": {invitation.error}" if invitation.error and tells_why else ""
        return f"{_MAIL[invitation.state]} ({invitation.email}){tried}{why.rstrip('.')}"

    def _answer(self, response: LoggedResponse) -> str:
        rated = (f"{rating.value:g} of {rating.high:g} ({rating.question})" for rating in response.ratings)
        ratings = ", ".join(rated) or "no rating"
        comment = f', "{response.comment}"' if response.comment else ""
        void = "" if response.counts else "; it does not count, because a later or an earlier answer does"
        return f"Answered on {self._time(response.at)}: {ratings}{comment}{void}"

    def _time(self, moment: datetime) -> str:
        return f"{moment.astimezone(self.tz):%d %b %Y %H:%M %Z}".removeprefix("0")


def _observed(logged: LoggedRecord) -> str:
    """While a connection is observed nothing is decided; and what ended before it is live is never asked about."""
    return (
        f"{logged.record.ref.connection} is only observed, so nobody is asked. What ends before it is set live is not asked about "
        "later either; `afterword plan --since 90d` shows whom the rules would have asked."
    )


def _nothing(logged: LoggedRecord) -> str:
    interaction = logged.record
    if not isinstance(interaction, StoredInteraction):
        return "Nothing has ended here that a survey is about."
    if interaction.ended is None:
        return "It has not ended yet, so nobody has been asked."
    if interaction.decide_at is not None:
        return f"It has ended ({interaction.ended}); the next sync that is live decides whether anybody is asked."
    return f"No survey is about a {interaction.kind} that was {interaction.ended}."
