"""The version of the HubSpot API that this adapter speaks, and where its resources are found."""

from datetime import UTC, datetime
from urllib.parse import quote

API_VERSION = "2026-03"
"""HubSpot names versions by the month of their release; v1 to v4 end in 2027. Newer rules are not met until this is raised."""

SUPPORTED_UNTIL = datetime(2027, 9, 1, tzinfo=UTC)
"""HubSpot supports each dated version for 18 months from its release."""

TOKEN = f"/oauth/{API_VERSION}/token"
ACCOUNT = f"/account-info/{API_VERSION}/details"
TOKEN_INFO = "/oauth/v2/private-apps/get/access-token-info"  # noqa: S105 - an address
"""What a key may do. It has no dated version yet; without an answer, nothing is said about scopes."""
FIELD_LIMITS = f"/crm/limits/{API_VERSION}/custom-properties"
OWNERS = f"/crm/owners/{API_VERSION}"


def objects(name: str, *rest: str) -> str:
    """Return the path of an object's records, or of something below it."""
    return _path(f"/crm/objects/{API_VERSION}", name, *rest)


def associations(start: str, end: str, *rest: str) -> str:
    """Return the path of the associations from one object to another."""
    return _path(f"/crm/associations/{API_VERSION}", start, end, *rest)


def properties(name: str, *rest: str) -> str:
    """Return the path of an object's properties."""
    return _path(f"/crm/properties/{API_VERSION}", name, *rest)


def pipelines(name: str) -> str:
    """Return the path of an object's pipelines."""
    return _path(f"/crm/pipelines/{API_VERSION}", name)


def _path(start: str, *parts: str) -> str:
    return "/".join([start, *(quote(part, safe="") for part in parts)])
