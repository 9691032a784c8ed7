"""What a lap led to: its counts, what failed, and its exit code."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from connector.errors import (
    AfterwordError,
    AuthRevoked,
    LeaseLost,
    MarkError,
    NotLetIn,
    Problem,
    QuotaSpent,
    SettingsError,
    TooNew,
)
from connector.model import ForeignField
from connector.stages.pull.stage import Pulled
from connector.stages.write_back.stage import WriteCounts


@dataclass(slots=True)
class Report:
    """What a lap led to; `as_json` is what ``sync --json`` prints."""

    pulled: dict[str, Pulled] = field(default_factory=dict)
    written: dict[str, WriteCounts] = field(default_factory=dict)
    calls: dict[str, int] = field(default_factory=dict)
    invited: int = 0
    not_invited: dict[str, int] = field(default_factory=dict)
    sent: int = 0
    in_doubt: int = 0
    """Messages of which nobody knows whether they arrived."""
    left_due: int = 0
    """Messages to customers that wait for the next lap, because the mail server took its time over the others."""
    unmatched: int = 0
    """Reports of bounces that are about no message of ours."""
    responses: int = 0
    scored: int = 0
    follow_ups: int = 0
    told: int = 0
    took_s: float = 0.0
    failures: dict[str, list[AfterwordError]] = field(default_factory=dict)
    """By connection: why it, or one of its objects, could not be read or written."""
    mapping_problems: dict[str, Sequence[Problem]] = field(default_factory=dict)
    foreign: dict[str, Sequence[ForeignField]] = field(default_factory=dict)
    """By connection: fields that are named for writing, and left alone because they are not ours."""
    news: dict[str, Sequence[Problem]] = field(default_factory=dict)
    """By connection: warnings about a schema that turned out to have changed in this lap."""
    mail_error: AfterwordError | None = None
    held: dict[str, datetime] = field(default_factory=dict)
    """By connection: until when its mail waits, so that it is certain that no other installation sends it."""
    busy: list[str] = field(default_factory=list)
    """Work that another process is doing right now."""

    def as_json(self) -> dict[str, object]:
        """Return the report as the contract words it."""
        crms = {name: self._crm(name) for name in sorted({*self.pulled, *self.written, *self.calls})}
        return {
            "crm": crms,
            "invited": self.invited,
            "not_invited": self.not_invited,
            "sent": self.sent,
            "in_doubt": self.in_doubt,
            "left_due": self.left_due,
            "responses": self.responses,
            "scored": self.scored,
            "follow_ups": self.follow_ups,
            "took_s": round(self.took_s, 3),
        }

    @property
    def refused(self) -> int:
        """How many records were refused, read or written."""
        read = sum(counts.refused for result in self.pulled.values() for counts in result.counts.values())
        return read + sum(result.refused for result in self.written.values())

    @property
    def exit_code(self) -> int:
        """0 all done, 1 some records or messages were not, or the day's calls are used, 2 a mapping cannot be used, 3 a CRM
        could not be reached or refused us."""
        met = {_exit_of(error) for errors in self.failures.values() for error in errors}
        for code in (3, 2):
            if code in met:
                return code
        return 1 if met or self.refused or self.mail_error else 0

    def _crm(self, name: str) -> dict[str, object]:
        pulled = self.pulled.get(name, Pulled()).counts
        written = self.written.get(name, WriteCounts())
        return {
            "pulled": {
                kind: {"read": counts.read, "changed": counts.changed, "deleted": counts.deleted}
                for kind, counts in pulled.items()
            },
            "written": {
                "created": written.created,
                "updated": written.updated,
                "unchanged": written.unchanged,
                "refused": written.refused,
            },
            "calls": self.calls.get(name, 0),
        }

    def refusal(self, name: str) -> AuthRevoked | None:
        """Return why a CRM does not let us in."""
        return next((error for error in self.failures.get(name, ()) if isinstance(error, AuthRevoked)), None)

    def kept_out(self, name: str) -> AuthRevoked | NotLetIn | None:
        """Return why a CRM does not let us in, for good or for now: no further stage calls it."""
        errors = self.failures.get(name, ())
        return self.refusal(name) or next((error for error in errors if isinstance(error, NotLetIn)), None)

    def note_busy(self, name: str) -> None:
        """Note, once, that another process is doing some work right now."""
        if name not in self.busy:
            self.busy.append(name)

    def fail(self, name: str, error: AfterwordError) -> None:
        """Note what went wrong with a connection; that its calls are used up, which each later stage finds too, once.

        That another process has taken it over is nothing that went wrong.
        """
        if isinstance(error, LeaseLost):
            self.note_busy(name)
            return
        noted = self.failures.setdefault(name, [])
        if not (isinstance(error, QuotaSpent) and any(isinstance(noted_error, QuotaSpent) for noted_error in noted)):
            noted.append(error)


def _exit_of(error: AfterwordError) -> int:
    if isinstance(error, QuotaSpent):
        return 1
    return 2 if isinstance(error, SettingsError | MarkError | TooNew) else 3
