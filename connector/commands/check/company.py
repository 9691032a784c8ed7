"""What `check` finds about the company's own people and addresses: who is named and is nobody, whose mail it is, where links lead."""

from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

import requests

from connector.domain.machine_addresses import is_machine
from connector.domain.mail_domains import company_domains, domain_of, is_free_mail
from connector.errors import Problem
from connector.runtime.foreign_urls import ForeignSession
from connector.settings import Settings
from connector.settings.choices import Role, Superior
from connector.settings.model import Email
from connector.stages.installation import Installation
from connector.store.crm import owners
from connector.store.ops import call_counts
from connector.surveys.tokens import MARK_HEADER, Tokens

ANSWERS_WITHIN = 10
"""Seconds for which the public address is waited for."""
_NOT_ADDRESSES = frozenset({*Role, *Superior})


def company_problems(installation: Installation) -> Iterator[Problem]:
    """Yield what is wrong with the people and addresses that the settings name. Reads only."""
    settings = installation.settings
    known = _users(installation)
    if known:
        yield from unknown_people(settings, known)
        yield from guessed_domains(settings, known)
    if settings.reports.weekly is not None and not settings.web.managers:
        yield _nobody_to_report_to(settings)
    if settings.email is not None and is_free_mail(domain_of(settings.email.from_.address)):
        yield _free_sender(settings)
    if settings.email is not None:
        yield from _unread_address(settings.path.name, settings.email)


def _users(installation: Installation) -> list[str]:
    """Return the addresses of the CRMs' active users; empty before anything was read."""
    if not call_counts.is_ready(installation.store):
        return []
    with installation.store.read() as tx:
        return owners.addresses(tx, [endpoint.name for endpoint in installation.endpoints])


def _nobody_to_report_to(settings: Settings) -> Problem:
    return Problem(
        f"{settings.path.name}: reports.weekly",
        "names a time, but [web] managers names nobody, so no report is sent.",
        'Name who gets it, in [web]: managers = ["me@acme.example"], or leave weekly out.',
        severity="warning",
    )


def unknown_people(settings: Settings, users: list[str]) -> Iterator[Problem]:
    """Yield the addresses that rules assign tasks to, and that are no active user's of any CRM: nobody can be given a task there."""
    known = {address.lower() for address in users}
    for key, address in _named(settings):
        if address.lower() not in known:
            yield Problem(
                f"{settings.path.name}: {key}",
                f"{address} is no active user of a CRM, so no task can be theirs.",
                "Write the address of a CRM user, or a role such as account_owner.",
            )


def _named(settings: Settings) -> Iterator[tuple[str, str]]:
    for name, rule in settings.follow_up.items():
        yield from ((f"follow_up.{name}.assign", person) for person in rule.assign if person not in _NOT_ADDRESSES)
    yield from ((f"deputies.{person}", deputy) for person, deputy in settings.deputies.items())


def guessed_domains(settings: Settings, users: list[str]) -> Iterator[Problem]:
    """Yield which mail domains are taken as the company's own where the settings name none."""
    if settings.limits.internal_domains:
        return
    ours = company_domains(users)
    named = ", ".join(f'"{domain}"' for domain in ours)
    what = (
        f"are not named, so those of the CRM's users are taken as yours: {', '.join(ours)}."
        if ours
        else (
            "are not named, and the CRM's users have no domain in common: your own people may be asked like customers."
        )
    )
    remedy = f"Write them under [limits]: internal_domains = [{named or '...'}]."
    yield Problem(f"{settings.path.name}: limits.internal_domains", what, remedy, severity="warning")


def _free_sender(settings: Settings) -> Problem:
    assert settings.email is not None  # noqa: S101 - `company_problems` has looked
    return Problem(
        f"{settings.path.name}: email.from",
        f"{settings.email.from_.address} is an address at a provider where anybody can have one: many mail servers take "
        "surveys from there for spam, or refuse them.",
        "Send from an address at your own domain, by a mail server that its SPF and DKIM records name.",
        severity="warning",
    )


def _unread_address(file: str, email: Email) -> Iterator[Problem]:
    """Yield where customers would write to whom the mails and pages name: where nobody reads, an opt-out by mail is lost."""
    address = email.reply_to or email.from_.address
    if is_machine(address):
        yield Problem(
            f"{file}: email.reply_to",
            f"customers are told to write to {address}, which nobody seems to read: who asks there not to be asked is not heard.",
            'Write an address that people read, in [email]: reply_to = "care@acme.example".',
            severity="warning",
        )


def public_address(installation: Installation) -> Iterator[Problem]:
    """Open the public address and yield what is wrong with it: nobody answers, or somebody else does."""
    settings = installation.settings
    where, url = f"{settings.path.name}: web.public_url", settings.web.public_url
    # From within the company's own network it may well be a private address.
    session = ForeignSession([*settings.web.allow_hosts, urlsplit(url).hostname or ""])
    try:
        with session, session.get(f"{url}/healthz", timeout=ANSWERS_WITHIN) as answer:
            headers: Mapping[str, str] = answer.headers
            status = answer.status_code
    except requests.RequestException as error:
        yield _silent(where, url, error)
        return
    keys = settings.web.signing_keys
    if keys and headers.get(MARK_HEADER) == Tokens(keys).mark():
        return
    if 300 <= status < 400:
        what = f"leads on to {urlsplit(headers.get('Location', '')).netloc or 'another address'} when it is opened."
        remedy = "Write the address that people end up at, and that the web server hands on to Afterword unchanged."
    elif MARK_HEADER in headers:
        what = "is answered by another installation of Afterword, or by this one with another [web] secret."
        remedy = "Let your web server hand it on to this one, or write the address that leads here."
    else:
        what = f"is answered by something else (status {status}), so no customer can open a survey."
        remedy = f"Let your web server hand {url}/ on to [web] listen, with its path."
    yield Problem(where, what, remedy)


def _silent(where: str, url: str, error: requests.RequestException) -> Problem:
    if isinstance(error, requests.exceptions.SSLError):
        what = "has a certificate that browsers do not accept."
        return Problem(where, what, "Give your web server a valid certificate for it.")
    what = "does not answer: nothing listens there, or it is not reached from this machine."
    remedy = f"Start `afterword run`, let your web server hand {url}/ on to it, and open it from outside once."
    return Problem(where, what, remedy, severity="warning")
