"""HubSpot's own OpenAPI documents, read from the folder named in AFTERWORD_HUBSPOT_OPENAPI, one file for each API and version."""

import json
import os
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = os.environ.get("AFTERWORD_HUBSPOT_OPENAPI", "")
APIS = (
    "account.accountInfo",
    "crm.associations",
    "crm.associationsSchema",
    "crm.calls",
    "crm.companies",
    "crm.contacts",
    "crm.deals",
    "crm.emails",
    "crm.feedbackSubmissions",
    "crm.limitsTracking",
    "crm.meetings",
    "crm.notes",
    "crm.objects",
    "crm.owners",
    "crm.pipelines",
    "crm.properties",
    "crm.tasks",
    "crm.tickets",
    "oauth",
)
VERSIONS = ("v1", "v3", "v4", "2026-03")

# What a portal may do without: no client of ours or of others in mind calls it.
NOT_SERVED = {
    **{
        place: "How many records, associations, pipelines and objects a portal may have is not limited here."
        for kind in ("associations", "calculated-properties", "custom-object-types", "pipelines", "records")
        for place in (f"limits/2026-03/{kind}", f"v3/limits/{kind}")
    },
    "usage/high-usage-report": "The report of heavily associated records is mailed to a user.",
    "definitions/configurations": "How many associations a label allows is set by people, in the settings.",
}


@dataclass(frozen=True)
class Operation:
    """One operation of one document."""

    document: str
    method: str
    template: str

    @property
    def shape(self) -> str:
        """The address without version and names: what is done, the same for all versions of an API."""
        path = re.sub(r"\{\w+\}", "*", self.template)
        path = re.sub(r"^/(crm|account-info)/(v\d|2026-\d\d)/", r"/\1/", path)
        path = re.sub(r"^/(crm/\w+|account-info|oauth)/(v\d|2026-\d\d)(?=/|$)", r"/\1", path)
        path = re.sub(r"^/crm/objects/[\w-]+", "/crm/objects/*", path)
        return f"{self.method} {path}"

    @property
    def kind(self) -> str:
        """The object that the address names, or contacts where it takes any."""
        named = re.match(r"/crm/(?:objects/2026-03|v3/objects)/([\w-]+)", self.template)
        return named.group(1) if named else "contacts"

    def path(self, *values: str) -> str:
        """The address with object types and then `values` in place of the names."""
        rest = iter(values)

        def value(name: re.Match[str]) -> str:
            return {"objectType": self.kind, "fromObjectType": self.kind, "toObjectType": "companies"}.get(
                name.group(1)
            ) or next(rest)

        return re.sub(r"\{(\w+)\}", value, self.template).lstrip("/")

    def __str__(self) -> str:
        return f"{self.document} {self.method} {self.template}"


def documents() -> list[str]:
    known = (f"{api}.{version}.json" for api in APIS for version in VERSIONS)
    return [name for name in known if FOLDER and (Path(FOLDER) / name).exists()]


@cache
def document(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((Path(FOLDER) / name).read_text(encoding="utf-8"))
    for schema in loaded["components"]["schemas"].values():
        if schema.get("properties") and "additionalProperties" not in schema and "oneOf" not in schema:
            schema["additionalProperties"] = False
    return loaded


def operations() -> list[Operation]:
    return [
        Operation(name, method.upper(), template)
        for name in documents()
        for template, methods in document(name)["paths"].items()
        for method in methods
        if not any(part in template for part in NOT_SERVED)
    ]
