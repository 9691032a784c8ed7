"""config.toml as values. Attributes are named like the keys; `from` is `from_`."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import timedelta
from math import isfinite
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    SecretStr,
    Strict,
    StringConstraints,
    ValidationInfo,
    field_validator,
    model_validator,
)

from connector.errors import Bug
from connector.rules import Rule
from connector.settings import values
from connector.settings.choices import Audience, Auth, Metric, Mode, Priority, Recipients, Role, Security
from connector.settings.values import AccountCap, Listen, Sender, SendingWindow, Wrong

HUBSPOT_URL: Final = "https://api.hubapi.com"
SHORTEST_KEY: Final = 32


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the file's values are checked against: the folder it is in, and the adapters that are installed."""

    base: Path
    adapters: Collection[str]


def _reads(reader: Callable[[str], object], quoted: str = "Write it in quotes.") -> PlainValidator:
    """Read a text with one of the functions of `values`; anything but a text is a wrong type."""

    def read(value: object) -> object:
        if not isinstance(value, str):
            raise Wrong("is not a text.", quoted)
        return reader(value)

    return PlainValidator(read)


def _secret_reads(reader: Callable[[str], str]) -> AfterValidator:
    return AfterValidator(lambda secret: SecretStr(reader(secret.get_secret_value())))


def _person(text: str) -> str:
    if text in set(Role):
        return text
    if "@" in text:
        return values.address(text)
    raise Wrong(
        f"is neither of {', '.join(Role)} nor an e-mail address.",
        "Write one of these, or the e-mail address of a user of the CRM.",
    )


def _notified(text: str) -> str | SecretStr:
    return SecretStr(values.url(text)) if "://" in text else _person(text)


def _lines(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.splitlines() if line.strip())


def _signing_keys(text: str) -> str:
    keys = _lines(text)
    if not keys or min(len(key) for key in keys) < SHORTEST_KEY:
        raise Wrong(
            f"is shorter than {SHORTEST_KEY} characters.",
            'Make one with: python3 -c "import secrets; print(secrets.token_urlsafe(48))"',
        )
    return text


def _surroundings(info: ValidationInfo) -> Surroundings:
    if not isinstance(info.context, Surroundings):
        raise Bug("settings are validated with their surroundings")
    return info.context


def _file(value: object, info: ValidationInfo) -> Path:
    if not isinstance(value, str) or not value:
        raise Wrong("is not the path of a file.", "Write it in quotes.")
    base = _surroundings(info).base
    path = base / value
    if not path.is_file():
        raise Wrong("names a file that is not there.", f"Relative paths start at {base}.")
    return path


def _adapter(value: str, info: ValidationInfo) -> str:
    known = sorted(_surroundings(info).adapters)
    if value not in known:
        raise Wrong("is not an adapter that is installed.", f"Write one of: {', '.join(known)}.")
    return value


def _fact(value: object) -> str | bool | int | float:
    if isinstance(value, str | bool | int) or (isinstance(value, float) and isfinite(value)):
        return value
    raise Wrong("is not a value that a fact can have.", "Write a text, a number, true or false.")


def _between(low: float, high: float) -> AfterValidator:
    def check(value: float) -> float:
        if not low <= value <= high:
            raise Wrong("is out of range.", f"Write a number from {low:g} to {high:g}.")
        return value

    return AfterValidator(check)


def _share(value: float) -> float:
    if not 0 < value <= 1:
        raise Wrong("is out of range.", "Write a number above 0 and up to 1; 0.2 is a fifth.")
    return value


def _not_empty(found: tuple[Any, ...]) -> tuple[Any, ...]:
    # Not by min_length: that counts elements that were refused themselves as missing, and says so a second time.
    if not found:
        raise Wrong("is empty.", "Name at least one, or remove the key.")
    return found


def _listed(value: object) -> object:
    """A single fact value is a list of one."""
    return value if isinstance(value, list) else [value]


Fact = Annotated[str | bool | int | float, PlainValidator(_fact)]
Whole = Annotated[int, Strict()]
Number = Annotated[float, Strict(), Field(allow_inf_nan=False)]
Percent = Annotated[Number, _between(0, 100)]
Text = Annotated[str, Field(min_length=1)]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]*$")]
Duration = Annotated[timedelta, _reads(values.duration, 'Write it in quotes and with its unit, for example "90d".')]
Url = Annotated[str, _reads(values.url)]
File = Annotated[Path, PlainValidator(_file)]
Secret = Annotated[SecretStr, Field(min_length=1)]
Conditions = dict[Text, Annotated[tuple[Fact, ...], BeforeValidator(_listed), AfterValidator(_not_empty)]]


class Table(BaseModel):
    """One table of config.toml."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Store(Table):
    """[store]"""

    url: Annotated[Secret, _secret_reads(values.store_url)] = SecretStr("sqlite:///afterword.db")
    """A secret because it may hold a password; `Settings.store_url` is what to connect to."""


class Web(Table):
    """[web]; `secret` is there as soon as something is live."""

    listen: Annotated[Listen, _reads(values.listen)] = Listen("127.0.0.1", 8080)
    public_url: Annotated[str, _reads(values.public_url)] = "http://localhost:8080"
    """Without a slash at the end."""
    secret: Annotated[Secret, _secret_reads(_signing_keys)] | None = None

    @model_validator(mode="before")
    @classmethod
    def _local_address(cls, table: Any) -> Any:
        """Until a public address is written, links lead to this machine."""
        if not isinstance(table, dict) or not isinstance(table.get("listen"), str):
            return table
        try:
            port = values.listen(table["listen"]).port
        except Wrong:
            return table
        return {"public_url": f"http://localhost:{port}", **table}

    @property
    def signing_keys(self) -> tuple[str, ...]:
        """The newest first: it signs, and all of them are accepted. Empty without a secret."""
        return _lines(self.secret.get_secret_value()) if self.secret else ()


class OAuth(Table):
    """[email.oauth]: signs in to the mail server with a token instead of a password."""

    token_url: Url
    client_id: Text
    client_secret: Secret | None = None
    refresh_token: Secret | None = None
    scope: Text | None = None


class Email(Table):
    """[email]"""

    host: Annotated[str, _reads(values.host)]
    port: Annotated[Whole, _between(1, 65_535)] = 587
    security: Security = Security.STARTTLS
    username: Text | None = None
    password: Secret | None = None
    oauth: OAuth | None = None
    from_: Annotated[Sender, _reads(values.sender), Field(alias="from")]
    reply_to: Annotated[str, _reads(values.address)] | None = None


class Connection(Table):
    """[crm.NAME]; which credentials are there follows from `adapter` and `auth`."""

    adapter: Annotated[str, AfterValidator(_adapter)]
    mode: Mode = Mode.OBSERVE
    url: Url = ""
    """Empty only for an adapter of others that needs none."""
    auth: Auth = Auth.TOKEN
    client_id: Text | None = None
    client_secret: Secret | None = None
    username: Text | None = None
    private_key: Secret | None = None
    access_token: Secret | None = None
    ca_bundle: File | None = None
    mapping: File | None = None
    """None: the mapping that comes with the product."""
    daily_call_share: Annotated[Number, AfterValidator(_share)] = 0.2

    @model_validator(mode="before")
    @classmethod
    def _fill_in(cls, table: Any, info: ValidationInfo) -> Any:
        if not isinstance(table, dict):
            return table
        adapter = table.get("adapter")
        defaults = {"url": HUBSPOT_URL} if adapter == "hubspot" else {}
        beside = _surroundings(info).base / "mappings" / f"{adapter}.toml"
        if beside.is_file():
            defaults["mapping"] = str(beside)
        return {**defaults, **table}

    @property
    def is_live(self) -> bool:
        """Whether it may send and write."""
        return self.mode is Mode.LIVE


class Limits(Table):
    """[limits]: over all surveys and connections."""

    quiet_period: Duration = timedelta(days=90)
    minimum_gap: Duration = timedelta(hours=24)
    account_cap: Annotated[AccountCap, _reads(values.account_cap)] = AccountCap(3, timedelta(days=30))
    daily_sends: Annotated[Whole, Field(ge=0)] = 200
    sending_window: Annotated[SendingWindow, _reads(values.sending_window)] = SendingWindow()
    internal_domains: tuple[Annotated[str, _reads(values.domain)], ...] = ()


class Survey(Table):
    """[surveys.NAME]"""

    on: Annotated[str, _reads(values.event)]
    audience: Audience = Audience.CUSTOMERS
    where: Conditions = Field(default_factory=dict)
    """Each named fact must hold one of its values."""
    metric: Metric = Metric.CSAT
    recipients: Recipients = Recipients.PRIMARY
    delay: Duration = timedelta(hours=24)
    expires: Duration = timedelta(days=14)
    reminder_after: Duration = timedelta(days=4)
    """Zero: nobody is reminded."""
    sample: Annotated[Number, _between(0, 1)] = 1.0

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


class FollowUp(Table):
    """[follow_up.NAME]"""

    when: Annotated[Rule, _reads(values.rule)]
    due: Duration = timedelta(hours=24)
    priority: Priority = Priority.NORMAL
    assign: Annotated[tuple[Annotated[str, _reads(_person)], ...], AfterValidator(_not_empty)] = (Role.ACCOUNT_OWNER,)
    """Roles or addresses of CRM users, tried in order."""
    notify: tuple[Annotated[str | SecretStr, _reads(_notified)], ...] = ()

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

    half_life: Duration = timedelta(days=180)
    minimum: Annotated[Whole, Field(ge=1)] = 3
    unhappy_below: Percent = 50.0
    happy_above: Annotated[Percent, Field(validate_default=True)] = 70.0
    write_step: Percent = 3.0

    @field_validator("happy_above")
    @classmethod
    def _moods_do_not_overlap(cls, happy_above: float, info: ValidationInfo) -> float:
        if info.data.get("unhappy_below", 0.0) > happy_above:
            raise Wrong("is below unhappy_below.", "Raise happy_above or lower unhappy_below.")
        return happy_above


class Schedule(Table):
    """[schedule]"""

    sync: Duration = timedelta(minutes=5)


class Settings(Table):
    """The whole of config.toml and the environment."""

    path: Path
    """Where the file is; relative paths in it start at its folder."""
    store: Store = Store()
    web: Web = Web()
    email: Email | None = None
    """There as soon as something is live."""
    crm: dict[Name, Connection] = Field(default_factory=dict)
    limits: Limits = Limits()
    surveys: dict[Name, Survey] = Field(default_factory=dict)
    follow_up: dict[Name, FollowUp] = Field(default_factory=dict)
    scoring: Scoring = Scoring()
    schedule: Schedule = Schedule()

    @property
    def base(self) -> Path:
        """The folder that relative paths start at."""
        return self.path.parent

    @property
    def store_url(self) -> str:
        """The database's address with a relative SQLite path made absolute. Holds the password, if there is one."""
        url = self.store.url.get_secret_value()
        scheme, mark, name = url.partition(":///")
        if not mark or not scheme.startswith("sqlite") or name.startswith((":memory:", "file:")):
            return url
        return f"{scheme}:///{self.base / name}"

    @property
    def is_live(self) -> bool:
        """Whether any connection may send and write."""
        return any(connection.is_live for connection in self.crm.values())

    def connection(self, name: str) -> Connection:
        """Return the connection of this name. Raises KeyError when there is none."""
        return self.crm[name]
