"""`check`: everything that keeps Afterword from working as it should, each with its place and what to do about it."""

import socket
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import urlsplit

from connector.errors import AfterwordError, AuthRevoked, CrmError, Problem
from connector.ports import Clock, Org
from connector.settings import Settings
from connector.stages.connect import Endpoint, describe_all
from connector.stages.lap import Installation
from connector.store import budgets, connecting

SKEW = timedelta(minutes=2)
"""How far the machine's clock may be off the CRM's before times on records look wrong."""
NOTICE = timedelta(days=120)
"""How long before the end of an API version's support an admin is told."""


def problems(house: Installation) -> Iterator[Problem]:
    """Yield every problem, the CRMs' first. Reads only; sends nothing."""
    for endpoint in house.endpoints:
        yield from _crm(house, endpoint)
    if house.settings.is_live:
        yield from _mail(house)
        yield from _public_address(house.settings)


def _crm(house: Installation, endpoint: Endpoint) -> Iterator[Problem]:
    where = f"config.toml: crm.{endpoint.name}"
    refused = _refused_before(house, endpoint)
    try:
        org = endpoint.adapter.org()
    except CrmError as error:
        yield Problem(where, error.what, error.remedy)
        return
    if refused is not None:
        yield Problem(
            where,
            f"is not called in laps: {refused.what} Just now it let us in.",
            f"Run `afterword resume --crm {endpoint.name}`.",
        )
    yield from _clock_and_version(where, org, house.clock)
    try:
        schemas = describe_all(endpoint)
    except CrmError as error:
        yield Problem(where, error.what, error.remedy)
        return
    mapping, found = endpoint.mapping.fit(schemas)
    yield from found
    elsewhere = len(house.endpoints) > 1
    for name, survey in house.settings.surveys.items():
        if survey.on not in mapping.events:
            yield Problem(
                f"{house.settings.path.name}: surveys.{name}.on",
                f"{survey.on!r} cannot happen in {endpoint.name}: this kind is not readable there, so nobody is asked.",
                "Correct what is said about this kind in the mapping, give the integration user the right to read it, "
                "or remove the survey.",
                severity="warning" if elsewhere else "error",
            )


def _refused_before(house: Installation, endpoint: Endpoint) -> AuthRevoked | None:
    """Return that a lap was refused with these credentials; None when there has been no lap yet."""
    if not budgets.is_ready(house.store):
        return None
    with house.store.write() as connection:
        return connecting.refused(connection, endpoint.name, endpoint.credentials)


def _clock_and_version(where: str, org: Org, clock: Clock) -> Iterator[Problem]:
    skew = abs(clock.now() - org.server_time)
    if skew > SKEW:
        minutes = round(skew.total_seconds() / 60)
        yield Problem(
            where, f"this machine's clock is {minutes} minutes off the CRM's.", "Set it by NTP.", severity="warning"
        )
    if org.supported_until is not None and org.supported_until - clock.now() < NOTICE:
        yield Problem(
            where,
            f"version {org.api_version} of the CRM's API is supported until {org.supported_until.date()}.",
            "Update Afterword before then.",
            severity="warning",
        )


def _mail(house: Installation) -> Iterator[Problem]:
    if house.channel is None:
        return
    try:
        yield from house.channel.check()
    except AfterwordError as error:
        yield Problem("config.toml: email", error.what, error.remedy)


def _public_address(settings: Settings) -> Iterator[Problem]:
    host = urlsplit(settings.web.public_url).hostname or ""
    try:
        socket.getaddrinfo(host, None)
    except OSError:
        yield Problem(
            "config.toml: web.public_url",
            f"the name {host} is not known to the DNS, so nobody can open a survey.",
            "Add an address record for it, or correct the name.",
        )
