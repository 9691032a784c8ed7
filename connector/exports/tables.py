"""The tables that can be exported: each column's key, which never changes, its title, and where its value comes from."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from connector.exports.period import Period
from connector.exports.table_names import TableName
from connector.model.score import Figures
from connector.store import Transaction
from connector.store.views import exports
from connector.store.views.exports import AccountRow, DecisionRow, FollowUpRow, ResponseRow

Cell = str | int | float | bool | datetime | None
"""What one field of a table holds; times are aware."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its key in .csv files, its title in .xlsx files, and its value in a row."""

    key: str
    title: str
    value: Callable[[Any], Cell]
    width: int = 14


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table with its rows, which can be read once."""

    title: str
    columns: tuple[Column, ...]
    rows: Iterable[Any]

    def cells(self) -> Iterator[list[Cell]]:
        """Yield the values of each row."""
        return ([column.value(row) for column in self.columns] for row in self.rows)


def _figure(figure: Callable[[Figures], float | None]) -> Callable[[AccountRow], Cell]:
    def value(row: AccountRow) -> Cell:
        return None if row.figures is None else _rounded(figure(row.figures))

    return value


def _metric(name: str) -> Callable[[AccountRow], Cell]:
    def value(row: AccountRow) -> Cell:
        return None if row.figures is None else _rounded(row.figures.metrics.get(name))

    return value


def _rounded(value: float | None) -> Cell:
    return round(value, 1) if isinstance(value, float) else value


ACCOUNT_COLUMNS: Final = (
    Column("connection", "Connection", lambda row: row.connection),
    Column("account_id", "Account id", lambda row: row.crm_id, 20),
    Column("account", "Account", lambda row: row.name, 28),
    Column("owner", "Owner", lambda row: row.owner, 20),
    Column("satisfaction", "Satisfaction", _figure(lambda figures: figures.score)),
    Column("low", "Low end", _figure(lambda figures: figures.low)),
    Column("high", "High end", _figure(lambda figures: figures.high)),
    Column("mood", "Customer mood", lambda row: row.figures and row.figures.mood.value, 18),
    Column("people", "People who answered", _figure(lambda figures: figures.people)),
    Column("nps", "NPS", _metric("nps")),
    Column("csat", "CSAT %", _metric("csat")),
    Column("ces", "CES %", _metric("ces")),
    Column("last_answer", "Last answer", lambda row: row.figures and row.figures.last_answer, 18),
    Column("open_follow_ups", "Open follow-ups", lambda row: row.open_follow_ups),
)
RESPONSE_COLUMNS: Final = (
    Column("at", "Answered", lambda row: row.at, 18),
    Column("connection", "Connection", lambda row: row.connection),
    Column("account", "Account", lambda row: row.account, 28),
    Column("contact", "Contact", lambda row: row.contact, 24),
    Column("survey", "Survey", lambda row: row.survey, 18),
    Column("occasion", "About", lambda row: row.occasion, 28),
    Column("metric", "Metric", lambda row: row.rating.metric),
    Column("question", "Question", lambda row: row.rating.question),
    Column("value", "Rating", lambda row: row.rating.value),
    Column("low", "Scale from", lambda row: row.rating.low),
    Column("high", "Scale to", lambda row: row.rating.high),
    Column("direction", "Good end", lambda row: row.rating.direction),
    Column("comment", "Comment", lambda row: row.comment, 60),
    Column("language", "Language", lambda row: row.language),
    Column("source", "Source", lambda row: row.source),
    Column("counts", "Counts", lambda row: row.counts),
)
FOLLOW_UP_COLUMNS: Final = (
    Column("opened_at", "Opened", lambda row: row.opened_at, 18),
    Column("due_at", "Due", lambda row: row.due_at, 18),
    Column("state", "State", lambda row: row.state, 20),
    Column("connection", "Connection", lambda row: row.connection),
    Column("account", "Account", lambda row: row.account, 28),
    Column("contact", "Contact", lambda row: row.contact, 24),
    Column("rule", "Rule", lambda row: row.rule),
    Column("owner", "Owner", lambda row: row.owner, 20),
    Column("priority", "Priority", lambda row: row.priority),
    Column("subject", "What to do", lambda row: row.subject, 60),
    Column("answers", "Answers", lambda row: row.answers),
    Column("attempts", "Attempts", lambda row: row.attempts),
    Column("outcome", "Outcome", lambda row: row.outcome, 22),
    Column("cause", "Cause", lambda row: row.cause, 18),
    Column("note", "Note", lambda row: row.note, 40),
    Column("closed_at", "Closed", lambda row: row.closed_at, 18),
)
DECISION_COLUMNS: Final = (
    Column("decided_at", "Decided", lambda row: row.decided_at, 18),
    Column("connection", "Connection", lambda row: row.connection),
    Column("survey", "Survey", lambda row: row.survey, 18),
    Column("occasion", "About", lambda row: row.occasion, 28),
    Column("account", "Account", lambda row: row.account, 28),
    Column("contact", "Contact", lambda row: row.contact, 24),
    Column("state", "Asked", lambda row: row.state),
    Column("reason", "Why not", lambda row: row.reason, 18),
    Column("until", "Until", lambda row: row.until, 18),
)


def sheet(tx: Transaction, name: TableName, period: Period | None = None) -> Sheet:
    """Return a table of a period (None: of all time). Accounts have their figures as published at its end.

    Its rows are read from the transaction as they are written, a page at a time.
    """
    span = None if period is None else (period.since, period.until)
    match name:
        case TableName.ACCOUNTS:
            return accounts(tx, None if period is None else period.until)
        case TableName.RESPONSES:
            return Sheet("Answers", RESPONSE_COLUMNS, exports.responses(tx, span))
        case TableName.FOLLOW_UPS:
            return Sheet("Follow-ups", FOLLOW_UP_COLUMNS, exports.follow_ups(tx, span))


def accounts(tx: Transaction, at: datetime | None = None) -> Sheet:
    """Return the accounts with the figures of now, or as published last before `at`."""
    return Sheet("Accounts", ACCOUNT_COLUMNS, exports.accounts(tx, at))


def asked(tx: Transaction, period: Period) -> Sheet:
    """Return who was asked in a period, who was not, and why."""
    return Sheet("Asked and not asked", DECISION_COLUMNS, exports.decisions(tx, (period.since, period.until)))


__all__ = ["AccountRow", "Column", "DecisionRow", "FollowUpRow", "ResponseRow", "Sheet", "sheet"]
