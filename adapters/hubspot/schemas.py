"""What HubSpot's objects look like in this account, to this key."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from threading import Lock
from typing import Any, Final

from adapters.hubspot import errors
from adapters.hubspot.http.client import HubSpotClient
from adapters.hubspot.http.version import properties
from adapters.hubspot.records.owners import OWNERS, owner_schema
from connector.errors import RecordRejected, SchemaChanged
from connector.ports import FieldSchema, ObjectSchema, ReadTimes

LONGEST_TEXT: Final = 65_536
_KEPT_AS: Final = "properties"
_KNOWN_FOR: Final = timedelta(hours=1)
_TYPES: Final[Mapping[str, str]] = {
    "string": "text",
    "number": "number",
    "bool": "boolean",
    "date": "date",
    "datetime": "datetime",
    "enumeration": "picklist",
    "phone_number": "phone",
}
ACTIVITIES: Final = frozenset({"tasks", "calls", "meetings", "emails", "notes", "communications", "postal_mail"})
"""They hang on other records and on nothing else, so they can be found through these."""
ASSOCIATED: Final = ("companies", "contacts", "deals", "tickets")
STAGES: Final[Mapping[str, tuple[str, str]]] = {
    "tickets": ("hs_pipeline_stage", "hs_pipeline"),
    "deals": ("dealstage", "pipeline"),
}
"""The properties that hold a record's stage and its pipeline."""


class HubSpotSchemas:
    """Reads schemas. `describe` asks each time; `fields` remembers, since reading depends on it."""

    def __init__(self, client: HubSpotClient, read_times: ReadTimes) -> None:
        self._client = client
        self._read_times = read_times
        self._lock = Lock()
        self._known: dict[str, tuple[datetime, ObjectSchema]] = {}
        self._rich: dict[str, frozenset[str]] = {}

    def describe(self, object_name: str) -> ObjectSchema:
        """Return the object as it is now. `SchemaChanged`: there is none of this name, or it is hidden from us."""
        if object_name == OWNERS:
            return owner_schema()
        rows = self.definitions(object_name)
        fields = {row["name"]: _field(row, object_name) for row in rows if row.get("name")}
        pseudo = {field.name: field for field in [*_associations(object_name), *_stages(object_name, fields)]}
        schema = ObjectSchema(object_name, object_name.capitalize(), fields | pseudo)
        rich = frozenset(row["name"] for row in rows if row.get("fieldType") == "html")
        now = self._client.clock.now()
        self._remember(object_name, now, schema, rich)
        text = json.dumps({"fields": [asdict(field) for field in schema.fields.values()], "rich": sorted(rich)})
        self._read_times.note(object_name, _KEPT_AS, now, text)
        return schema

    def fields(self, object_name: str, *, must: tuple[str, ...] = ()) -> Mapping[str, FieldSchema]:
        """Return the fields as they were lately; asks anew for one of `must` that was not there then."""
        if (known := self._lately(object_name)) is not None and set(must) <= set(known.fields):
            return known.fields
        return self.describe(object_name).fields

    def _lately(self, object_name: str) -> ObjectSchema | None:
        """Return the object as it was read within the last hour, by us or by another process."""
        since = self._client.clock.now() - _KNOWN_FOR
        with self._lock:
            known = self._known.get(object_name)
        if known is not None and known[0] > since:
            return known[1]
        kept = self._read_times.last(object_name, _KEPT_AS)
        if kept is None or kept[0] <= since:
            return None
        try:
            data = json.loads(kept[1])
            fields = {row["name"]: FieldSchema(**{**row, **_tuples(row)}) for row in data["fields"]}
            rich = frozenset(data["rich"])
        except (ValueError, KeyError, TypeError):  # another version has kept it: it is read anew
            return None
        schema = ObjectSchema(object_name, object_name.capitalize(), fields)
        self._remember(object_name, kept[0], schema, rich)
        return schema

    def _remember(self, object_name: str, at: datetime, schema: ObjectSchema, rich: frozenset[str]) -> None:
        with self._lock:
            self._known[object_name] = (at, schema)
            self._rich[object_name] = rich

    def rich(self, object_name: str) -> frozenset[str]:
        """Return the properties that HubSpot shows as HTML: text without its tags would lose its lines there."""
        self.fields(object_name)
        with self._lock:
            return self._rich.get(object_name, frozenset())

    def definitions(self, object_name: str, *, archived: bool = False) -> list[dict[str, Any]]:
        """Return the definitions of an object's properties as HubSpot has them, or those of its deleted ones."""
        call = f"properties of {object_name}"
        query = {"archived": "true"} if archived else None
        try:
            return self._client.read_list(properties(object_name), query, call=call).rows
        except (RecordRejected, SchemaChanged) as error:
            if isinstance(error, errors.Absent | SchemaChanged):
                raise errors.missing_object(object_name, where=self._client.where(call)) from error
            raise


def _tuples(kept: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    return {name: tuple(value) for name, value in kept.items() if isinstance(value, list)}


def _field(row: Mapping[str, Any], object_name: str) -> FieldSchema:
    kind, options = _type(row), _options(row)
    unique, frozen = bool(row.get("hasUniqueValue")), _frozen(row)
    return FieldSchema(
        row["name"],
        str(row.get("label") or row["name"]),
        kind,
        length=LONGEST_TEXT if kind == "text" else None,
        options=options,
        restricted=bool(options),
        createable=not frozen,
        updateable=not frozen,
        filterable=kind != "other",
        unique=unique,
        external_id=unique or (kind == "text" and object_name in ACTIVITIES),
        calculated=bool(row.get("calculated")),
        references=(OWNERS,) if kind == "reference" else (),
    )


def _type(row: Mapping[str, Any]) -> str:
    kind = _TYPES.get(str(row.get("type")), "other")
    if kind != "picklist":
        return kind
    if row.get("externalOptions") and "OWNER" in str(row.get("referencedObjectType") or row["name"]).upper():
        return "reference"
    return "multipicklist" if row.get("fieldType") == "checkbox" else "picklist"


def _options(row: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what an enumeration takes; options that come from elsewhere (owners, stages) are not listed."""
    if row.get("type") != "enumeration":
        return ()
    return tuple(str(option["value"]) for option in row.get("options") or () if "value" in option)


def _frozen(row: Mapping[str, Any]) -> bool:
    return bool(row.get("calculated")) or bool((row.get("modificationMetadata") or {}).get("readOnlyValue"))


def _associations(object_name: str) -> list[FieldSchema]:
    """Return the lookups that HubSpot keeps apart from properties, as fields that hold ids."""
    lookups = [_lookup(f"associations.{end}", f"Associated {end}", end) for end in ASSOCIATED if end != object_name]
    if object_name not in ("contacts", "companies"):
        lookups.append(_lookup("associations.contacts.companies", "Companies of the first contact", "companies"))
    return lookups


def _lookup(name: str, label: str, end: str) -> FieldSchema:
    return FieldSchema(
        name, label, "reference", createable=False, updateable=False, filterable=False, references=(end,)
    )


def _stages(object_name: str, fields: Mapping[str, FieldSchema]) -> list[FieldSchema]:
    """Return what a stage's own data says of a record, as fields: whether it is closed, and of deals whether it is won."""
    stage = STAGES.get(object_name, ("", ""))[0]
    if stage not in fields:
        return []
    names = ("closed", "won") if object_name == "deals" else ("closed",)
    return [
        FieldSchema(
            f"{stage}.{name}", f"Stage is {name}", "boolean", createable=False, updateable=False, filterable=False
        )
        for name in names
    ]
