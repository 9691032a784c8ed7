"""The reports to the managers, at the end of a whole lap: the week's, and on its first working day the month's with a workbook."""

import tempfile
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from connector.errors import AfterwordError
from connector.exports import tables
from connector.exports.files import write_workbook
from connector.exports.table_names import TableName
from connector.exports.tables import Sheet
from connector.model import Attachment
from connector.ports.mail import Message
from connector.stages.alerts import sending
from connector.stages.connection import marks
from connector.stages.context import Context
from connector.stages.deliver.recipients import allowed
from connector.stages.deliver.time_budget import SendingTime
from connector.stages.reports.facts import Covered, facts_of
from connector.stages.reports.plan import DueReport, ReportKind, due_reports
from connector.stages.write_back.desired_values import words_of
from connector.store import Transaction
from connector.store.ops import connections
from connector.store.views import reports
from connector.surveys.report_mail import Facts, report_message
from connector.surveys.survey_mail import Site

XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
LARGEST: Final = 7_000_000
"""Bytes of a workbook that goes by mail: a third more on its way, and Postfix takes 10,240,000 as it comes."""


@dataclass(frozen=True, slots=True)
class ReportsResult:
    """How many reports were sent, and why mail could not go out."""

    sent: int = 0
    error: AfterwordError | None = None


def run(context: Context, site: Site, *, unread: Collection[str] = ()) -> ReportsResult:
    """Send each manager the reports that are due, each once. `unread` names connections that could not be read in this lap.

    They are few, and each hears only once a week: refusals of others' mail keep no report back.
    """
    settings = context.settings
    if context.channel is None:
        return ReportsResult()
    sent, time_of_all = 0, SendingTime(context.clock)
    for report in due_reports(context.clock.now(), settings.reports.weekly, settings.company.working_time):
        writer = _Writer(context, site, report)
        for address in settings.web.managers:
            if context.stop.is_set() or context.breaker.server_is_away or time_of_all.is_over:
                return ReportsResult(sent, context.breaker.trouble)
            with time_of_all.running():
                sent += _tell(context, writer, address, unread)
    return ReportsResult(sent, context.breaker.trouble)


class _Writer:
    """Writes one report to several people; what it tells is looked up once for all who may hear of the same connections."""

    def __init__(self, context: Context, site: Site, report: DueReport) -> None:
        self._context = context
        self._site = site
        self.report = report
        self._known: dict[Covered, tuple[Facts, Attachment | None]] = {}

    def messages(self, tx: Transaction, address: str, covered: Covered) -> tuple[Message, Message | None]:
        """Return the mail to one manager, and the one without its workbook where it has one."""
        if covered not in self._known:
            self._known[covered] = (
                facts_of(self._context, tx, self.report, covered),
                _workbook(tx, self.report, covered.crms) if self.report.kind is ReportKind.MONTHLY else None,
            )
        facts, workbook = self._known[covered]
        return self._message(facts, address, workbook), self._message(facts, address, None) if workbook else None

    def _message(self, facts: Facts, address: str, workbook: Attachment | None) -> Message:
        return report_message(
            facts,
            words=words_of(self._context),
            site=self._site,
            to=address,
            message_id=self._site.message_id(self.report.key(address)),
            workbook=workbook,
        )


def _tell(context: Context, writer: _Writer, address: str, unread: Collection[str]) -> int:
    """Send a report to one manager, and return how many were sent."""
    report = writer.report
    with context.store.read() as tx:
        covered = _covered(context, tx, report, address, unread)
        if covered is None or reports.was_begun(tx, report.key(address)):
            return 0
    if not marks.all_ours(context, covered.crms):
        return 0
    with context.store.read() as tx:
        message, smaller = writer.messages(tx, address, covered)
    return sending.send(context, message, report.key(address), kind=report.kind.value, smaller=smaller)


def _covered(
    context: Context, tx: Transaction, report: DueReport, address: str, unread: Collection[str]
) -> Covered | None:
    """Return the connections that a manager is told about; None where there are none, or nothing was live in that time.

    One that cannot be reached at present is among them: what was read of it before is still true.
    """
    crms = tuple(
        name
        for name, crm in context.settings.crm.items()
        if crm.is_live and not connections.is_paused(tx, name) and _may_hear(context, tx, name, address)
    )
    live_since = reports.live_since(tx, crms)
    if live_since is None or live_since >= report.period.until:
        return None
    return Covered(crms, tuple(name for name in crms if name not in context.connected or name in unread))


def _may_hear(context: Context, tx: Transaction, crm: str, address: str) -> bool:
    """Tell whether mail about a connection's records may go to an address; not while it is unknown which org that is."""
    known = connections.peek(tx, crm)
    if known is None or known.org is None:
        return False
    return not known.org["test_kind"] or address in allowed(context.settings)


# ── the workbook ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _workbook(tx: Transaction, report: DueReport, crms: Collection[str]) -> Attachment | None:
    """Return all rows of a report's time as a workbook; None where it is too large for a mail."""
    period = report.period
    sheets = [
        tables.sheet(tx, TableName.RESPONSES, period),
        tables.sheet(tx, TableName.ACCOUNTS, period),
        tables.sheet(tx, TableName.FOLLOW_UPS, period),
        tables.asked(tx, period),
    ]
    with tempfile.TemporaryDirectory(prefix="afterword-report-") as folder:
        path = Path(folder) / "report.xlsx"
        write_workbook(path, [_of(sheet, crms) for sheet in sheets], period.tz)
        if path.stat().st_size > LARGEST:
            return None
        return Attachment(f"afterword-{period.name}.xlsx", path.read_bytes(), XLSX)


def _of(sheet: Sheet, crms: Collection[str]) -> Sheet:
    """Return a table with the rows of these connections alone."""
    return replace(sheet, rows=(row for row in sheet.rows if row.connection in crms))
