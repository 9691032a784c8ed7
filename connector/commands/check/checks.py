"""`check`: everything that keeps Afterword from working as it should, each with its place and what to do about it."""

import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from connector.commands.check.company import company_problems, public_address
from connector.commands.check.crm import Count, CrmCheck
from connector.commands.check.customer_coverage import left_out
from connector.commands.check.files import file_problems
from connector.commands.check.rule_coverage import uncovered
from connector.commands.check.updates import mass_updates
from connector.errors import AfterwordError, Problem
from connector.settings import Settings
from connector.settings.time_zones import find_zone
from connector.stages.deliver import recipients
from connector.stages.installation import Installation
from connector.store.surveys import mail_trouble
from connector.store.views import overview


@dataclass(slots=True)
class Findings:
    """What `check` found."""

    problems: list[Problem] = field(default_factory=list)
    left_out: tuple[Problem, ...] = ()
    """Where `is_customer` leaves out most accounts: told before everything else."""
    counts: dict[str, dict[str, Count]] = field(default_factory=dict)
    """By connection and object: how many records there are, and how many of them were read."""
    marks: dict[str, str] = field(default_factory=dict)
    """By connection: how the installation's mark stands, in a sentence."""


def check(installation: Installation) -> Findings:
    """Return every problem, the CRMs' first. Reads only; sends nothing."""
    findings = Findings(left_out=left_out(installation))
    production, zones = [], []
    for endpoint in installation.endpoints:
        crm_check = CrmCheck(installation, endpoint)
        findings.problems += crm_check.problems()
        findings.counts[endpoint.name] = crm_check.counts
        if crm_check.org is not None:
            zones.append(crm_check.org.timezone)
        if crm_check.mark:
            findings.marks[endpoint.name] = crm_check.mark
        if endpoint.mode_live and crm_check.org is not None and not crm_check.org.test_kind:
            production.append(endpoint.name)
    if production and recipients.allowed(installation.settings):
        findings.problems.append(recipients.not_held_back(installation.settings, production))
    findings.problems += calendar_gaps(installation.settings, zones)
    findings.problems += uncovered(installation.settings)
    findings.problems += company_problems(installation)
    findings.problems += mass_updates(installation)
    findings.problems += file_problems(installation.settings, installation.store.path)
    if installation.settings.is_live:
        findings.problems += [*_mail(installation), *_public_address(installation)]
    return findings


def calendar_gaps(settings: Settings, crm_zones: Sequence[str] = ()) -> Iterator[Problem]:
    """Yield what is said of working time and comes to nothing, because something else is not said.

    `crm_zones` are those in which the CRMs say that they are.
    """
    file, company = settings.path.name, settings.company
    if "timezone" not in company.model_fields_set:
        what = "is not said, so days and times are those of UTC wherever a CRM user has no time zone."
        near = [zone for zone in crm_zones if find_zone(zone) is not None]
        remedy = f'Write where you are under [company], for example timezone = "{[*near, "Europe/Helsinki"][0]}".'
        yield Problem(f"{file}: company.timezone", what, remedy, severity="warning")
    if company.working_hours.always:
        remedy = 'Write for example working_hours = "mon-fri 08:00-17:00" under [company].'
        if settings.limits.sending_window.company is not None:
            what = "is working_hours, which are not said, so mail goes out at any hour."
            yield Problem(f"{file}: limits.sending_window", what, remedy, severity="warning")
        if company.holidays:
            what = "close nothing while working hours are not said."
            yield Problem(f"{file}: company.holidays", what, remedy, severity="warning")
    for person in settings.away.keys() - settings.deputies.keys():
        what = "is away and has no deputy, so new follow-ups still go to them."
        remedy = f'Name one under [deputies]: "{person}" = "…".'
        yield Problem(f"{file}: away.{person}", what, remedy, severity="warning")


def _mail(installation: Installation) -> Iterator[Problem]:
    """Yield what the mail server says now, and what it said when mail was sent last: much of it is only said of a recipient."""
    if installation.channel is None:
        return
    yield from mail_trouble_of(installation)
    try:
        yield from installation.channel.check()
    except AfterwordError as error:
        yield Problem(f"{installation.settings.path.name}: email", error.what, error.remedy)


def mail_trouble_of(installation: Installation) -> Iterator[Problem]:
    """Yield what the laps before have met: mail that does not go out, and what was not told or reported in vain."""
    where = f"{installation.settings.path.name}: email"
    with installation.store.read() as tx:
        stopped, trouble = mail_trouble.stopped(tx), mail_trouble.trouble(tx)
        reports = overview.unmatched_reports(tx)
        untold = overview.untold(tx, installation.clock.now())
    if untold:
        last = untold[0]
        what = (
            f"{len(untold)} of the mails to your own people and posts to chats of the last 7 days did not go out, or may not have; "
            f"the last to {last['to']}: {last['what']}"
        )
        yield Problem(where, what, "`afterword status` lists them, with what to do.", severity="warning")
    if reports is not None:
        what = f"{reports['unmatched']} reports of bounces match no message that was sent, the last {reports['message_id']}."
        yield Problem(where, what, reports["remedy"], severity="warning")
    if stopped is not None:
        yield Problem(where, stopped.what, stopped.remedy)
    if trouble is not None and trouble.stops:
        row = "" if trouble.in_a_row == 1 else f" {trouble.in_a_row} messages in a row did not go through."
        what = f"mail has not gone out since {trouble.since:%Y-%m-%d %H:%M} UTC: {trouble.what}{row}"
        yield Problem(where, what, trouble.remedy)


def _public_address(installation: Installation) -> Iterator[Problem]:
    settings = installation.settings
    host = urlsplit(settings.web.public_url).hostname or ""
    try:
        socket.getaddrinfo(host, None)
    except OSError:
        yield Problem(
            f"{settings.path.name}: web.public_url",
            f"the name {host} is not known to the DNS, so nobody can open a survey.",
            "Add an address record for it, or correct the name.",
        )
        return
    yield from public_address(installation)
