"""config.toml as values. Attributes are named like the keys; `from` is `from_`."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import date, time, timedelta
from pathlib import Path
from typing import Annotated, Any, Self, cast
from urllib.parse import quote
from zoneinfo import ZoneInfo

from pydantic import (
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from connector.domain.config.field_types import Whole, between
from connector.domain.config.paths import ExistingFile, base_folder, may_look_at
from connector.domain.config.table import Table, again, refuse, unknown_name
from connector.domain.config.web_addresses import is_loopback
from connector.domain.config.wrong import Missing, Wrong
from connector.domain.follow_up_rules import Rule
from connector.errors import SettingsError
from connector.ports import COMMON_KEYS, AdapterConfig, AnyAdapterPackage
from connector.settings import value_readers
from connector.settings.choices import Audience, Metric, Mode, Priority, Recipients, Role, Security, Superior
from connector.settings.company import Admin, Company, Reports
from connector.settings.cross_checks import broken_rules
from connector.settings.fields import (
    Adapter,
    Address,
    CallShare,
    Conditions,
    Day,
    Duration,
    ForeignUrl,
    HalfLife,
    Host,
    Name,
    Network,
    Notified,
    Number,
    People,
    Percent,
    Secret,
    SigningKeys,
    StoreUrl,
    Superiors,
    Text,
    lines_in,
    reads,
    surroundings,
)
from connector.settings.value_readers import AccountCap, Listen, Sender, SendingWindow


class StoreSettings(Table):
    """[store]"""

    url: StoreUrl = SecretStr("sqlite:///afterword.db")
    """A secret because it may hold a password; `Settings.store_url` is what to connect to."""


class Web(Table):
    """[web]; `secret` is there as soon as something is live."""

    listen: Annotated[Listen, reads(value_readers.listen)] = Listen("127.0.0.1", 8080)
    public_url: Annotated[str, reads(value_readers.public_url)] = "http://localhost:8080"
    """Without a slash at the end."""
    secret: SigningKeys | None = None
    allow_hosts: tuple[Host, ...] = ()
    """Whose addresses may be private, or without TLS, where config.toml names them for webhooks and tokens."""
    trusted_proxies: tuple[Network, ...] = ()
    """Beside this machine: who is believed when it says for whom it passes a request on."""
    managers: tuple[Address, ...] = ()
    admins: tuple[Address, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _local_address(cls, table: Any) -> Any:
        """Until a public address is written, links lead to this machine."""
        if not isinstance(table, dict) or not isinstance(table.get("listen"), str):
            return table
        try:
            port = value_readers.listen(table["listen"]).port
        except Wrong:
            return table
        return {"public_url": f"http://localhost:{port}", **table}

    @property
    def signing_keys(self) -> tuple[str, ...]:
        """The newest first: it signs, and all of them are accepted. Empty without a secret."""
        return lines_in(self.secret.get_secret_value()) if self.secret else ()


class OAuthSettings(Table):
    """[email.oauth]: signs in to the mail server with a token instead of a password."""

    token_url: ForeignUrl
    client_id: Text
    client_secret: Secret | None = None
    refresh_token: Secret | None = None
    scope: Text | None = None

    @classmethod
    def rules(cls, written: Mapping[str, Any]) -> Iterable[Wrong]:
        """See `Table.rules`."""
        if not {"client_secret", "refresh_token"} & written.keys():
            yield Missing("client_secret", also="A refresh_token alone will do, too.")


class Email(Table):
    """[email]"""

    host: Annotated[str, reads(value_readers.host)]
    port: Annotated[Whole, between(1, 65_535)] = 587
    security: Security = Security.STARTTLS
    username: Text | None = None
    password: Secret | None = None
    oauth: OAuthSettings | None = None
    from_: Annotated[Sender, reads(value_readers.sender), Field(alias="from")]
    reply_to: Annotated[str, reads(value_readers.address)] | None = None
    ehlo_name: Annotated[str, reads(value_readers.full_host)] | None = None
    """None: see `wiring.ehlo_name`."""
    only_to: tuple[Address, ...] = ()
    """The only people who get mail from a test org; empty: nobody does."""

    @classmethod
    def rules(cls, written: Mapping[str, Any]) -> Iterable[Wrong]:
        """See `Table.rules`."""
        credentials = [key for key in ("password", "oauth") if key in written]
        if len(credentials) > 1:
            yield Wrong("stands beside a password.", "Keep one of the two.", at=("oauth",))
        if credentials and "username" not in written:
            yield Missing("username")
        if "username" in written and not credentials:
            yield Missing("password", also="Or remove username.")
        host = written.get("host")
        if credentials and written.get("security") == "none" and not (isinstance(host, str) and is_loopback(host)):
            what = f"would send the {'password' if 'password' in written else 'token'} unprotected."
            yield Wrong(what, 'Write "starttls" or "tls".', at=("security",))

    @model_validator(mode="before")
    @classmethod
    def _fill_in(cls, table: Any) -> Any:
        """A server at port 465 waits for TLS from the first byte: it would greet nobody who waits for STARTTLS."""
        if isinstance(table, dict) and str(table.get("port")) == "465":
            return {"security": Security.TLS.value, **table}
        return table


class Connection(Table):
    """[crm.NAME]; the keys of the adapter's own, credentials among them, are in `config`."""

    adapter: Adapter
    mode: Mode = Mode.OBSERVE
    mapping: ExistingFile | None = None
    """None: the mapping that comes with the adapter."""
    daily_call_share: CallShare = 0.2
    config: AdapterConfig = Field(alias="(config)")
    """The keys that the adapter has of its own: an instance of its model."""

    @model_validator(mode="before")
    @classmethod
    def _fill_in(cls, table: Any) -> Any:
        if not isinstance(table, dict):
            return table
        common = {key: value for key, value in table.items() if key in COMMON_KEYS}
        own = {key: value for key, value in table.items() if key not in COMMON_KEYS}
        beside = base_folder() / "mappings" / f"{table.get('adapter')}.toml"
        # Whether one that may not be looked at is there is not known; to pass it over would be to read by another mapping.
        mapping = {"mapping": str(beside)} if not may_look_at(beside) or beside.is_file() else {}
        return {**mapping, **common, "(config)": own}

    @field_validator("config", mode="plain")
    @classmethod
    def _by_its_adapter(cls, own: dict[str, Any], info: ValidationInfo) -> AdapterConfig:
        adapters = surroundings().adapters
        if "adapter" in info.data:
            model = adapters[info.data["adapter"]].config
            return cast(AdapterConfig, model.model_validate(_without_keys_of_others(own, model, adapters)))
        # Which adapter it is meant to have is not known: only of keys that none has can it be said that they are wrong.
        known = [*AdapterConfig.names(), *(name for config in usable_configs(adapters) for name in config.names())]
        refuse("config", (unknown_name(key, known, at=(key,)) for key in own if key not in known))
        return AdapterConfig()

    @property
    def is_live(self) -> bool:
        """Whether it may send and write."""
        return self.mode is Mode.LIVE


def _without_keys_of_others(
    own: Mapping[str, Any], model: type[AdapterConfig], adapters: Mapping[str, AnyAdapterPackage]
) -> dict[str, Any]:
    """Pass over what only another adapter has a key for, e.g. the user name of the CRM that a firm used before."""
    names = model.names()
    return {key: value for key, value in own.items() if key in names or not is_key_of_any(key, adapters)}


def is_key_of_any(key: str, adapters: Mapping[str, AnyAdapterPackage]) -> bool:
    """Tell whether an installed adapter has such a key in [crm.NAME]; one that cannot be used has none."""
    return any(key in config.names() for config in usable_configs(adapters))


def usable_configs(adapters: Mapping[str, AnyAdapterPackage]) -> Iterator[type[AdapterConfig]]:
    """Yield the keys of the installed adapters, without those that cannot be used: who uses none of them need not know."""
    for name in adapters:
        with suppress(SettingsError):
            yield adapters[name].config


class AskingLimits(Table):
    """[limits]: over all surveys and connections."""

    quiet_period: Duration = timedelta(days=90)
    minimum_gap: Duration = timedelta(hours=24)
    account_cap: Annotated[AccountCap, reads(value_readers.account_cap)] = AccountCap(3, timedelta(days=30))
    daily_sends: Annotated[Whole, Field(ge=0)] = 200
    sending_window: Annotated[SendingWindow, reads(value_readers.sending_window)] = SendingWindow()
    internal_domains: tuple[Annotated[str, reads(value_readers.domain)], ...] = ()


class Survey(Table):
    """[surveys.NAME]"""

    on: Annotated[str, reads(value_readers.event)]
    audience: Audience = Audience.CUSTOMERS
    where: Conditions = Field(default_factory=dict)
    """Each named fact must hold one of its values."""
    metric: Metric = Metric.CSAT
    language: Annotated[str, reads(value_readers.language)] | None = None
    """Of whom no language is known that there is wording for; None: that of [company]."""
    recipients: Recipients = Recipients.PRIMARY
    delay: Duration = timedelta(hours=24)
    expires: Duration = timedelta(days=14)
    reminder_after: Duration = timedelta(days=4)
    """Zero: nobody is reminded."""
    sample: Annotated[Number, between(0, 1)] = 1.0

    @property
    def kind(self) -> str:
        """The kind of interaction that is asked about."""
        return self.on.partition(".")[0]

    @property
    def event(self) -> str:
        """The event by which it ends."""
        return self.on.partition(".")[2]

    @field_validator("reminder_after")
    @classmethod
    def _reminds_before_it_expires(cls, reminder_after: timedelta, info: ValidationInfo) -> timedelta:
        expires = info.data.get("expires")
        if expires is not None and timedelta(0) < expires <= reminder_after:
            raise Wrong("is not before the invitation expires.", "Write less than expires, or 0s to remind nobody.")
        return reminder_after


class FollowUpRule(Table):
    """[follow_up.NAME]"""

    when: Annotated[Rule, reads(value_readers.rule)]
    due: Duration = timedelta(hours=24)
    priority: Priority = Priority.NORMAL
    assign: People = (Role.ACCOUNT_OWNER,)
    """Roles or addresses of CRM users, tried in order."""
    notify: Notified = ()
    escalate: Superiors = (Superior.OWNER_MANAGER, Superior.MANAGERS)
    """Whom it climbs to when it is late: `Superior`s and addresses. Empty: nobody."""
    escalate_after: Duration = timedelta(hours=24)
    """How late it must be, counted as `due` is."""

    @property
    def notify_people(self) -> tuple[str, ...]:
        """The roles and addresses that get a mail."""
        return tuple(target for target in self.notify if isinstance(target, str))

    @property
    def notify_webhooks(self) -> tuple[SecretStr, ...]:
        """The addresses to post to; whoever knows one can post, so they are secrets."""
        return tuple(target for target in self.notify if isinstance(target, SecretStr))


class Scoring(Table):
    """[scoring]"""

    half_life: HalfLife = timedelta(days=180)
    """Never zero: written as `0s` it is `value_readers.NO_FADING`."""
    minimum: Annotated[Whole, Field(ge=1)] = 3
    unhappy_below: Percent = 50.0
    happy_above: Annotated[Percent, Field(validate_default=True)] = 60.0
    widest: Percent = 60.0
    """Points: while the likely range is wider, no number is shown."""
    write_step: Percent = 3.0

    @model_validator(mode="before")
    @classmethod
    def _happy_from_where_unhappy_ends(cls, table: Any) -> Any:
        """Where nothing is written, happy begins at 60, or above that where unhappy ends."""
        if not isinstance(table, dict) or "happy_above" in table:
            return table
        try:
            ends = float(table["unhappy_below"])  # a number in the file, text in the environment
        except (KeyError, TypeError, ValueError):
            return table
        begins = cls.model_fields["happy_above"].default
        return {**table, "happy_above": ends} if begins < ends <= 100 else table

    @field_validator("happy_above")
    @classmethod
    def _moods_do_not_overlap(cls, happy_above: float, info: ValidationInfo) -> float:
        if info.data.get("unhappy_below", 0.0) > happy_above:
            raise Wrong("is below unhappy_below.", "Raise happy_above or lower unhappy_below.")
        return happy_above


class Schedule(Table):
    """[schedule]"""

    sync: Duration = timedelta(minutes=5)
    reconcile: Annotated[time, reads(value_readers.time_of_day)] = time(2, 30)
    """When everything is compared with the CRMs, each night."""
    timezone: Annotated[ZoneInfo, reads(value_readers.time_zone)] = ZoneInfo("UTC")
    """Where that time of day holds, and where a day begins; left out, it is the company's."""


class Settings(BaseSettings, Table):
    """The whole of config.toml and the environment."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, case_sensitive=True, enable_decoding=False
    )
    HOLDS = "table"

    path: Path = Field(alias="(path)")
    """Where the file is; relative paths in it start at its folder."""
    store: StoreSettings = StoreSettings()
    web: Web = Web()
    email: Email | None = None
    """There as soon as something is live."""
    crm: dict[Name, Connection] = Field(default_factory=dict)
    company: Company = Company()
    admin: Admin = Admin()
    limits: AskingLimits = AskingLimits()
    surveys: dict[Name, Survey] = Field(default_factory=dict)
    follow_up: dict[Name, FollowUpRule] = Field(default_factory=dict)
    deputies: dict[Address, Address] = Field(default_factory=dict)
    """Who stands in for whom. Nobody stands in for themselves, not by others either."""
    away: dict[Address, Day] = Field(default_factory=dict)
    """The last day on which somebody is away."""
    causes: dict[Name, Text] = Field(default_factory=dict)
    """What a follow-up can be put down to, and what people read for it."""
    reports: Reports = Reports()
    scoring: Scoring = Scoring()
    schedule: Schedule = Schedule()

    @classmethod
    def at(cls, path: Path) -> Self:
        """Read the settings in their `surroundings`; `path` is the file's. `ValidationError`: something is wrong with them."""
        values: dict[str, Any] = {"(path)": path}
        return cls(**values)

    @classmethod
    def settings_customise_sources(cls, *_: Any, **sources: Any) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take no source but our own, which know where each value stands and take the environment that they are given."""
        return (sources["init_settings"], *surroundings().sources)

    @classmethod
    def rules(cls, written: Mapping[str, Any]) -> Iterable[Wrong]:
        """See `Table.rules`."""
        return broken_rules(written, surroundings().adapters)

    @field_validator("email", mode="wrap")
    @classmethod
    def _may_be_unfinished(cls, table: Any, validate: ValidatorFunctionWrapHandler) -> Email | None:
        """While nothing is live, [email] may hold as little as a password from the environment."""
        try:
            return cast(Email, validate(table))
        except ValidationError as error:
            details = error.errors(include_url=False)
        if isinstance(table, dict) and not {"host", "from"} & table.keys():
            details = [detail for detail in details if (detail["type"], len(detail["loc"])) != ("missing", 1)]
        if details:
            raise ValidationError.from_exception_data("email", [again(detail) for detail in details], hide_input=True)
        return None

    @model_validator(mode="before")
    @classmethod
    def _one_time_zone(cls, tables: Any) -> Any:
        """[company] and [schedule] take each other's time zone, where one has none: it would be UTC, which few people live by."""
        company, schedule = tables.get("company", {}), tables.get("schedule", {})
        if not isinstance(company, dict) or not isinstance(schedule, dict):
            return tables
        zones = [table["timezone"] for table in (company, schedule) if _is_zone(table.get("timezone"))]
        shared = {"timezone": zones[0]} if zones else {}
        return {**tables, "company": {**shared, **company}, "schedule": {**shared, **schedule}}

    @field_validator("limits")
    @classmethod
    def _sends_in_working_hours(cls, limits: AskingLimits, info: ValidationInfo) -> AskingLimits:
        company = info.data.get("company")
        if limits.sending_window.company is None or company is None:
            return limits
        return limits.model_copy(update={"sending_window": SendingWindow(company=company.working_time)})

    def is_away(self, address: str, on: date) -> bool:
        """Whether somebody of ours is away on a day."""
        return self.away.get(address.lower(), date.min) >= on

    def stand_in(self, address: str, on: date) -> str | None:
        """Return who stands in for somebody on a day: the first of their deputies, and of theirs, who is there, or None."""
        deputy = self.deputies.get(address.lower())
        while deputy is not None and self.is_away(deputy, on):
            deputy = self.deputies.get(deputy)
        return deputy

    @property
    def base(self) -> Path:
        """The folder that relative paths start at."""
        return self.path.parent

    @property
    def store_url(self) -> str:
        """The database's address with a relative SQLite path made absolute. Holds the password, if there is one."""
        url = self.store.url.get_secret_value()
        scheme, mark, name = url.partition(":///")
        if not mark or not scheme.startswith("sqlite") or name.startswith((":memory:", "file:", "/")):
            return url
        # The folder is a path and becomes a part of an address: "?" would begin its options, "%20" would be a blank.
        return f"{scheme}:///{quote(str(self.base))}/{name}"

    @property
    def events(self) -> Mapping[str, str]:
        """The event that each survey asks about, by the survey's name."""
        return {name: survey.on for name, survey in self.surveys.items()}

    @property
    def is_live(self) -> bool:
        """Whether any connection may send and write."""
        return any(connection.is_live for connection in self.crm.values())

    def connection(self, name: str) -> Connection:
        """Return the connection of this name. Raises KeyError when there is none."""
        return self.crm[name]


def _is_zone(value: object) -> bool:
    try:
        return isinstance(value, str) and bool(value_readers.time_zone(value))
    except Wrong:
        return False
