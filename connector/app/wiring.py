"""The composition root: settings become a store, adapters, mappings and a channel. Only this module and `cli` see everything."""

import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack
from urllib.parse import urlsplit

from pydantic import SecretStr

from connector.app.adapter_packages import installed_adapters
from connector.domain.config.credentials import revealed
from connector.errors import Problem, SettingsError
from connector.model import ChatPost, ascii_domain
from connector.ports import AdapterTools, Clock, CrmAdapter
from connector.ports.mail import Channel
from connector.runtime.call_budget import CallBudget
from connector.runtime.cancellation import CancellationToken
from connector.runtime.clock import SystemClock
from connector.runtime.read_times import StoredReadTimes
from connector.settings import Settings, load
from connector.settings.model import Connection, Email, OAuthSettings
from connector.settings.value_readers import is_full_name
from connector.stages.connection.connect import Endpoint
from connector.stages.installation import Installation
from connector.store import Store
from connector.surveys.survey_mail import Site
from connector.surveys.tokens import Tokens
from mappings.binding import MappingFile
from mappings.loading import load as load_mapping

if TYPE_CHECKING:
    from adapters.email import MailOAuth
    from connector.runtime.foreign_urls import ForeignSession


def read_settings(path: Path, environ: Mapping[str, str] | None = None) -> Settings:
    """Read config.toml and the environment. Raises `SettingsError` with every problem."""
    return load(path, environ=os.environ if environ is None else environ, adapters=installed_adapters())


class InstallationParts(TypedDict, total=False):
    """Parts of an installation that are not wired as the settings say; see `Installation`."""

    store: Store
    endpoints: Sequence[Endpoint]
    channel: Channel | None
    tokens: Tokens | None
    webhook: Callable[[str, ChatPost], bool] | None
    progress: Callable[[str, str, int], None]
    stop: CancellationToken
    acts: bool


def build(settings: Settings, *, clock: Clock | None = None, **parts: Unpack[InstallationParts]) -> Installation:
    """Wire an installation. Reaches nothing yet. Raises `SettingsError` with every problem of config and mappings."""

    from connector.runtime.foreign_urls import ForeignSession

    clock = clock or SystemClock()
    mappings = read_mappings(settings)
    wired = _unreached(settings, clock)
    session = ForeignSession(settings.web.allow_hosts)
    wired = replace(
        wired,
        endpoints=_endpoints(settings, mappings, store=wired.store, clock=clock),
        channel=mail_channel(settings, settings.email, clock, session) if settings.email else None,
        webhook=partial(_post, session),
    )
    return replace(wired, **parts)


def build_for_store(settings: Settings) -> Installation:
    """Wire an installation that works on its store alone: no CRM, no mail, no chat. Raises `SettingsError` as `build` does."""
    read_mappings(settings)
    return _unreached(settings, SystemClock())


def _unreached(settings: Settings, clock: Clock) -> Installation:
    keys = settings.web.signing_keys
    return Installation(
        settings=settings,
        store=Store(settings.store_url),
        clock=clock,
        endpoints=(),
        site=site(settings),
        tokens=Tokens(keys) if keys else None,
    )


def _post(session: "ForeignSession", url: str, content: ChatPost) -> bool:
    """Post to a chat's webhook; see `Installation`."""
    from adapters import webhook

    return webhook.post(session, url, content)


def _endpoints(
    settings: Settings, mappings: Mapping[str, MappingFile], *, store: Store, clock: Clock
) -> list[Endpoint]:
    keys = settings.web.signing_keys
    return [
        _endpoint(name, connection, mappings[name], store=store, keys=keys, clock=clock)
        for name, connection in settings.crm.items()
    ]


def _endpoint(
    name: str, connection: Connection, mapping: MappingFile, *, store: Store, keys: Sequence[str], clock: Clock
) -> Endpoint:
    """`keys` encrypt renewed tokens, the newest first."""
    budget = CallBudget(name, share=connection.daily_call_share, store=store, clock=clock)
    read_times = StoredReadTimes(name, store=store, clock=clock)
    vault = None
    refresh_token = connection.config.given_token
    if refresh_token is not None and keys:
        from connector.runtime.token_vault import Vault

        vault = Vault(name, refresh_token=refresh_token.get_secret_value(), keys=keys, store=store, clock=clock)
    return Endpoint(
        name=name,
        adapter=adapter_for(name, connection, AdapterTools(clock, budget=budget, vault=vault, read_times=read_times)),
        mapping=mapping,
        mode_live=connection.is_live,
        mapping_name=mapping.file,
        read_times=read_times,
        budget=budget,
        credentials=_digest(connection),
        normalise_id=installed_adapters()[connection.adapter].normalise_id,
    )


def _digest(connection: Connection) -> str:
    """Return a hash of everything that a connection signs in with, and of where."""
    keys = connection.config.model_dump(exclude={"ca_bundle"}, exclude_none=True)
    credentials = {"adapter": connection.adapter, **{key: _plain(value) for key, value in keys.items()}}
    return hashlib.sha256(json.dumps(credentials, sort_keys=True, default=str).encode()).hexdigest()


def adapter_for(name: str, connection: Connection, tools: AdapterTools) -> CrmAdapter:
    """Return an adapter for a connection. It reaches nothing yet."""
    return installed_adapters()[connection.adapter].connect(name, connection.config, tools)


def read_mappings(settings: Settings) -> dict[str, MappingFile]:
    """Read the mapping of every connection, and check that each survey's event exists. Every problem in one error."""
    mappings: dict[str, MappingFile] = {}
    problems: list[Problem] = []
    for name, connection in settings.crm.items():
        try:
            mappings[name] = _mapping(connection, settings).with_causes(settings.causes)
        except SettingsError as error:
            problems.extend(error.problems)
    if not problems:
        problems = [*_unknown_events(settings, mappings), *_unknown_facts(settings, mappings)]
    if problems:
        raise SettingsError(problems)
    return mappings


def site(settings: Settings) -> Site:
    """Return who asks and where the answers go."""
    sender = settings.email.from_ if settings.email else None
    return Site(
        public_url=settings.web.public_url,
        sender_name=settings.company.name or ((sender.name or sender.address) if sender else ""),
        sender_address=sender.address if sender else "",
        reply_to=settings.email.reply_to if settings.email else None,
        zone=settings.company.timezone,
    )


def mail_channel(settings: Settings, email: Email, clock: Clock, session: "ForeignSession") -> Channel:
    """Return the channel of [email]; `session` asks for its token."""
    from adapters.email import EmailConfig, SmtpChannel

    name, address = email.from_
    config = EmailConfig(
        host=email.host,
        port=email.port,
        security=email.security.value,
        from_name=name,
        from_address=address,
        reply_to=email.reply_to,
        ehlo_name=ehlo_name(settings, email),
        username=email.username,
        password=revealed(email.password) or None,
        oauth=_mail_oauth(email.oauth, session) if email.oauth else None,
    )
    return SmtpChannel(config, clock)


def _mail_oauth(oauth: OAuthSettings, session: "ForeignSession") -> "MailOAuth":
    from adapters.email import MailOAuth

    return MailOAuth(
        token_url=oauth.token_url,
        client_id=oauth.client_id,
        client_secret=revealed(oauth.client_secret) or None,
        refresh_token=revealed(oauth.refresh_token) or None,
        scope=oauth.scope,
        session=session,
    )


def ehlo_name(settings: Settings, email: Email) -> str:
    """Return the name by which mail servers are greeted: the one in config.toml, or else that of our pages, or the sender's domain.

    The machine's own name is never taken: in a container it is a number, which strict servers refuse.
    """
    if email.ehlo_name:
        return email.ehlo_name
    for name in (urlsplit(settings.web.public_url).hostname or "", email.from_.address.rpartition("@")[2]):
        with suppress(ValueError):
            full = ascii_domain(name)
            if is_full_name(full):
                return full
    return "localhost"


def _plain(value: object) -> object:
    """Return a value as JSON can have it, secrets in clear: to be hashed."""
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    return value


def _mapping(connection: Connection, settings: Settings) -> MappingFile:
    default = installed_adapters()[connection.adapter].default_mapping.read()
    if connection.mapping is not None:
        return load_mapping(connection.mapping, _shown(connection.mapping, settings.base), default=default)
    return load_mapping(default, f"mappings/{connection.adapter}.toml (as it comes with the product)")


def _shown(path: Path, base: Path) -> str:
    try:
        return str(path.resolve().relative_to(base.resolve()))
    except ValueError:
        return str(path)


def _unknown_facts(settings: Settings, mappings: Mapping[str, MappingFile]) -> list[Problem]:
    """A condition on a fact that no mapping has can never hold: the survey would silently ask nobody."""
    problems = []
    for name, survey in settings.surveys.items():
        fitting = [mapping for mapping in mappings.values() if survey.on in mapping.events]
        facts = sorted({fact for mapping in fitting for fact in mapping.facts_for(survey.on)})
        problems += [
            Problem(
                f"{settings.path.name}: surveys.{name}.where.{fact}",
                "is no fact of the account, the contact or the interaction in any mapping.",
                f"Write one of: {', '.join(facts)}; or add it to a mapping.",
            )
            for fact in survey.where
            if fitting and fact not in facts
        ]
    return problems


def _unknown_events(settings: Settings, mappings: Mapping[str, MappingFile]) -> list[Problem]:
    events = {event for mapping in mappings.values() for event in mapping.events}
    return [
        Problem(
            f"{settings.path.name}: surveys.{name}.on",
            f"{survey.on!r} is no event of any mapping.",
            f"Write one of: {', '.join(sorted(events))}; or add its kind to a mapping.",
        )
        for name, survey in settings.surveys.items()
        if mappings and survey.on not in events
    ]
