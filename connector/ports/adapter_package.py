"""What an adapter's package gives under the entry-point group `afterword.adapters`; `connector.ports` gives it on.

All that a CRM has of its own comes with it: the keys of its connections, its default mapping, how its ids are written, and what
`afterword init` puts into config.toml. Nothing of it stands anywhere else in the product.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Annotated, Any, Final, Generic, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, PlainValidator, SecretStr

from connector.domain.config.credentials import unsendable
from connector.domain.config.paths import ExistingFile
from connector.domain.config.secret_files import read_secret
from connector.domain.config.table import Table
from connector.domain.config.web_addresses import url
from connector.domain.config.wrong import Wrong
from connector.ports.crm import CrmAdapter
from connector.ports.tools import Budget, Clock, ReadTimes, TokenVault

# ── keys of config.toml ──────────────────────────────────────────────────────────────────────────────────────────────


def _url(value: object) -> str:
    if not isinstance(value, str):
        raise Wrong("is not a text.", "Write it in quotes.")
    return url(value)


def _stripped(value: object) -> object:
    """Line ends and blanks around a token come with copying it."""
    return value.strip() if isinstance(value, str) else value


def check_sendable(text: str) -> None:
    """Raise `Wrong` where a header cannot carry a text, or nobody sees all of it."""
    if odd := unsendable(text):
        remedy = "Copy it again: nothing that stands before or behind it belongs to it."
        raise Wrong(f"holds a character that none of them has ({odd}).", remedy)


def _sendable(text: str) -> str:
    check_sendable(text)
    return text


def _sendable_secret(secret: SecretStr) -> SecretStr:
    return SecretStr(_sendable(secret.get_secret_value()))


TextKey = Annotated[str, Field(min_length=1), BeforeValidator(_stripped)]
"""A text that is not empty."""
SecretKey = Annotated[SecretStr, Field(min_length=1), BeforeValidator(_stripped), BeforeValidator(read_secret)]
"""A text that is never shown; it may be named by a file of its own too (`KEY_file`)."""
SentKey = Annotated[TextKey, AfterValidator(_sendable)]
"""A text that travels in a header."""
SentSecretKey = Annotated[SecretKey, AfterValidator(_sendable_secret)]
"""A secret that travels in a header."""
UrlKey = Annotated[str, PlainValidator(_url)]
"""An https address without a slash at its end; http is taken for this machine alone."""
FileKey = ExistingFile
"""A file that is there; a relative path starts at the folder of config.toml."""


COMMON_KEYS: Final = ("adapter", "mode", "mapping", "daily_call_share")
"""The keys that every connection has, whatever its adapter."""


class AdapterConfig(Table):
    """The keys in [crm.NAME] that an adapter has of its own, one field each; the base of every adapter's model.

    A validator raises `Wrong`. What several keys are together is judged by `rules`, of which `Missing` names a key that the others
    need.
    """

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """See `Table.names`: the common keys stand beside them."""
        return (*COMMON_KEYS, *super().names())

    @classmethod
    def exchanges_token(cls, written: Mapping[str, Any]) -> bool:
        """Tell whether, by the keys as they were written, the CRM gives tokens that must be kept (`AdapterTools.vault`)."""
        del written
        return False

    @property
    def given_token(self) -> SecretStr | None:
        """The token that the CRM exchanges for others; None: there is none, and no vault is needed."""
        return None


# ── making an adapter ────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class AdminToken:
    """An admin's token to set a CRM up with, in place of the connection's own credentials; it is not kept."""

    token: str = field(repr=False)
    integration_user: str
    """`Org.user` of the connection itself: who is to get the rights."""


@dataclass(frozen=True, slots=True)
class AdapterTools:
    """What an adapter is handed beside its keys."""

    clock: Clock
    budget: Budget | None = field(default=None, repr=False)
    """Asked before each call; None: nothing is held back."""
    vault: TokenVault | None = field(default=None, repr=False)
    """Keeps what `AdapterConfig.given_token` was exchanged for; None: nobody does."""
    read_times: ReadTimes | None = field(default=None, repr=False)
    """Keeps when what is read only now and then was read last; None: nobody does for other processes."""
    admin: AdminToken | None = field(default=None, repr=False)
    """None: the adapter acts by the connection's own credentials."""


@dataclass(frozen=True, slots=True)
class PackagedText:
    """A text file within an installed package."""

    package: str
    name: str

    def read(self) -> str:
        """Return the text."""
        return (files(self.package) / self.name).read_text(encoding="utf-8")


Config = TypeVar("Config", bound=AdapterConfig)


@dataclass(frozen=True, slots=True)
class AdapterPackage(Generic[Config]):
    """All that a CRM has of its own."""

    config: type[Config]
    connect: Callable[[str, Config, AdapterTools], CrmAdapter]
    """Makes the adapter of the connection of a name. It calls nobody yet."""
    default_mapping: PackagedText
    """Used where neither the connection nor the folder mappings/ beside config.toml has one; `afterword init` copies it."""
    init_snippet: str
    """The lines of [crm.NAME] about credentials that `afterword init` writes below `adapter` and `mode`."""
    normalise_id: Callable[[str], str] = str
    """Writes a record's id as the adapter's records have it; whatever is no id is returned as it is."""


AnyAdapterPackage = AdapterPackage[Any]
"""The package of some adapter, whatever its keys are."""
