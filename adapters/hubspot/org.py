"""Which account this is, and where its records are opened."""

from collections.abc import Mapping
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from adapters.hubspot.errors import not_data
from adapters.hubspot.http.client import HubSpotAnswer, HubSpotClient
from adapters.hubspot.http.version import ACCOUNT, API_VERSION, SUPPORTED_UNTIL
from connector.model import Ref
from connector.ports import Org

_TYPE_IDS: Final[Mapping[str, str]] = {
    "contacts": "0-1",
    "companies": "0-2",
    "deals": "0-3",
    "tickets": "0-5",
    "notes": "0-46",
    "meetings": "0-47",
    "calls": "0-48",
    "emails": "0-49",
    "tasks": "0-27",
}
_TEST_KINDS: Final[Mapping[str, str]] = {
    "DEVELOPER_TEST": "a HubSpot developer test account",
    "SANDBOX": "a HubSpot sandbox account",
}
"""The types of accounts that HubSpot keeps for tests, in words."""
_DEFAULT_DOMAIN: Final = "app.hubspot.com"


class HubSpotOrg:
    """Reads the account's details."""

    def __init__(self, client: HubSpotClient) -> None:
        self._client = client
        self._known: Mapping[str, Any] | None = None

    def read(self) -> Org:
        """Return the account with HubSpot's present time. An account has no name of its own but its number."""
        answer = self._details()
        portal = str(answer.data["portalId"])
        return Org(
            id=portal,
            name=f"HubSpot account {portal}",
            timezone=_zone(answer.data).key,
            currency=str(answer.data["companyCurrency"]) if answer.data.get("companyCurrency") else None,
            api_version=API_VERSION,
            supported_until=SUPPORTED_UNTIL,
            server_time=answer.server_time,
            user=f"the service key of account {portal}",
            test_kind=_TEST_KINDS.get(str(answer.data.get("accountType")), ""),
        )

    def record_url(self, ref: Ref) -> str:
        """Return where a person opens a record."""
        details = self._known or self._details().data
        domain = details.get("uiDomain") or _DEFAULT_DOMAIN
        return (
            f"https://{domain}/contacts/{details['portalId']}/record/{_TYPE_IDS.get(ref.object, ref.object)}/{ref.id}"
        )

    def _details(self) -> HubSpotAnswer:
        answer = self._client.read(ACCOUNT, call="account")
        if "portalId" not in answer.data:
            raise not_data(self._client.where("account"))
        self._known = answer.data
        self._client.meter.zone = _zone(answer.data)
        return answer


def _zone(details: Mapping[str, Any]) -> ZoneInfo:
    try:
        return ZoneInfo(str(details.get("timeZone") or "UTC"))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")
