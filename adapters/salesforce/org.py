"""Which org this is, and whom we act as."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from adapters.salesforce.http.client import SalesforceAnswer, SalesforceClient
from adapters.salesforce.http.version import API_VERSION, SUPPORTED_UNTIL
from adapters.salesforce.records.reader import SalesforceReader
from connector.errors import AuthExpired, AuthRevoked, NotPermitted, RecordRejected, SchemaChanged
from connector.ports import Org

_ORGANIZATION = "SELECT Id, Name, TimeZoneSidKey, IsSandbox FROM Organization"


class SalesforceOrg:
    """Reads the org; what does not change is read once."""

    def __init__(self, client: SalesforceClient, reader: SalesforceReader) -> None:
        self._client = client
        self._reader = reader
        self._known: Org | None = None
        self._user: dict[str, Any] | None = None

    def read(self) -> Org:
        """Return the org with Salesforce's present time."""
        answer = self._reader.ask(_ORGANIZATION, call="organization")
        row = answer.data["records"][0]
        if self._known is None:
            self._known = Org(
                id=str(row["Id"]),
                name=str(row["Name"]),
                timezone=str(row.get("TimeZoneSidKey") or "UTC"),
                currency=self._currency(),
                api_version=API_VERSION,
                supported_until=SUPPORTED_UNTIL,
                server_time=answer.server_time,
                user=str(self.user().get("preferred_username") or ""),
            )
        test_kind = "a Salesforce sandbox" if row.get("IsSandbox") else ""
        return replace(self._known, server_time=answer.server_time, test_kind=test_kind)

    def user(self) -> dict[str, Any]:
        """Return who the token acts as, as OpenID says it; empty when the app may not ask."""
        if self._user is None:
            self._user = self._optional("/services/oauth2/userinfo", "user", self._client.peek)
        return self._user

    def _currency(self) -> str | None:
        """Return the org's currency. Organization has no field for it; only this resource tells."""
        features = self._optional("connect/organization", "organization settings", self._client.read).get("features")
        code = features.get("defaultCurrencyIsoCode") if isinstance(features, dict) else None
        return str(code) if code else None

    @staticmethod
    def _optional(path: str, call: str, read: Callable[..., SalesforceAnswer]) -> dict[str, Any]:
        """Return what the app's scopes or the org's edition may keep from us: asked only after a query went well."""
        try:
            data = read(path, call=call).data
        except (AuthExpired, AuthRevoked, NotPermitted, RecordRejected, SchemaChanged):
            return {}
        return data if isinstance(data, dict) else {}
