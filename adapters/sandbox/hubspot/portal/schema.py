"""The objects of a portal and their properties: the standard ones and those that were made."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from adapters.sandbox.hubspot.errors import HubSpotError, not_found

MOST_UNIQUE = 10
STANDARD = Path(__file__).with_name("schema.toml")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,99}\Z")
_ENGAGEMENT = {
    "created": "hs_createdate",
    "modified": "hs_lastmodifieddate",
    "default": ["hs_createdate", "hs_lastmodifieddate", "hs_object_id"],
    "required": ["hs_timestamp"],
    "scope": ["crm.objects.contacts"],
    "group": "engagement",
}


@dataclass(frozen=True)
class Option:
    """One choice of an enumeration; `value` is what is stored."""

    value: str
    label: str
    order: int = -1
    hidden: bool = False
    description: str = ""

    def as_json(self) -> dict[str, Any]:
        """The option on the wire."""
        answer: dict[str, Any] = {"label": self.label, "value": self.value, "displayOrder": self.order}
        return answer | {"hidden": self.hidden, "description": self.description}


@dataclass(frozen=True)
class Property:
    """One property of an object. `external` options live elsewhere (owners, pipelines) and are not listed.

    `created` and `updated` are milliseconds since 1970, of properties that were made in the portal.
    """

    name: str
    type: str = "string"
    field_type: str = "text"
    label: str = ""
    group: str = ""
    description: str = ""
    options: tuple[Option, ...] = ()
    read_only: bool = False
    external: bool = False
    unique: bool = False
    is_owner: bool = False
    is_email: bool = False
    is_mail_body: bool = False
    standard: bool = False
    hidden: bool = False
    form_field: bool = False
    order: int = -1
    created: int | None = None
    updated: int | None = None
    archived: int | None = None
    user: str | None = None
    extras: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class Group:
    """A group of properties, as the record page shows them."""

    name: str
    label: str
    order: int = -1
    archived: bool = False

    def as_json(self) -> dict[str, Any]:
        """The group on the wire."""
        return {"name": self.name, "label": self.label, "displayOrder": self.order, "archived": self.archived}


@dataclass
class PortalObjectType:
    """A kind of record. `created` and `modified` name the properties that hold its stamps."""

    name: str
    singular: str
    type_id: str
    created: str
    modified: str
    default: tuple[str, ...]
    searched: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    pipeline: str | None = None
    stage: str | None = None
    engagement: bool = False
    read_only: bool = False
    properties: dict[str, Property] = field(default_factory=dict)
    archived_properties: dict[str, Property] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)

    @property
    def word(self) -> str:
        """The name in the vendor's messages, CONTACT for contacts."""
        return self.singular.upper()

    def add(self, spec: Property) -> None:
        """Adds a property.

        Raises HubSpotError when the name is taken, is no property name, or is one unique property too many.
        """
        if not _NAME.match(spec.name):
            raise HubSpotError(f"The property name '{spec.name}' is not valid.")
        if spec.name in self.properties or spec.name in self.archived_properties:
            raise HubSpotError(
                f"A property named '{spec.name}' already exists.",
                status=409,
                category="OBJECT_ALREADY_EXISTS",
                sub_category="Properties.PROPERTY_ALREADY_EXISTS",
            )
        if spec.group not in self.groups:
            raise HubSpotError(f"Property group '{spec.group}' does not exist")
        if spec.unique and sum(other.unique for other in self.properties.values()) >= MOST_UNIQUE:
            raise HubSpotError(f"{self.word} objects may have at most {MOST_UNIQUE} properties with unique values")
        self.properties[spec.name] = spec

    def property(self, name: str, *, archived: bool = False) -> Property:
        """A property; raises HubSpotError (404)."""
        spec = (self.archived_properties if archived else self.properties).get(name)
        if spec is None:
            raise not_found(f'Property "{name}" does not exist', sub_category="Properties.PROPERTY_NOT_FOUND")
        return spec

    def archive(self, name: str, at: int) -> None:
        """Archives a property that was made in the portal."""
        spec = self.property(name)
        if spec.standard:
            raise HubSpotError(f'Property "{name}" is defined by HubSpot and cannot be archived.')
        self.archived_properties[name] = replace(self.properties.pop(name), archived=at)


class PortalSchema:
    """All objects of one portal, found by plural or singular name or by type id."""

    def __init__(self) -> None:
        with STANDARD.open("rb") as file:
            written = tomllib.load(file)
        self.associations: Mapping[str, Any] = written["associations"]
        self.objects: dict[str, PortalObjectType] = {}
        self._names: dict[str, PortalObjectType] = {}
        for name, table in written["objects"].items():
            self._add(_object(name, table, written))

    def _add(self, object_type: PortalObjectType) -> None:
        self.objects[object_type.name] = object_type
        for name in (object_type.name, object_type.singular, object_type.type_id):
            self._names[name] = object_type

    def find(self, name: str) -> PortalObjectType | None:
        """The object that goes by a name; telling capitals apart is not needed."""
        return self._names.get(name.lower())

    def object(self, name: str) -> PortalObjectType:
        """The object that goes by a name; raises HubSpotError as the vendor does for unknown ones."""
        object_type = self.find(name)
        if object_type is None:
            raise HubSpotError(f"Unable to infer object type from: {name}", category=None)
        return object_type


def _object(name: str, table: Mapping[str, Any], written: Mapping[str, Any]) -> PortalObjectType:
    engagement = table.get("engagement", False)
    definition: Mapping[str, Any] = {**(_ENGAGEMENT if engagement else {}), **table}
    pipeline, stage = definition.get("pipeline", (None, None))
    object_type = PortalObjectType(
        name=name,
        singular=definition["singular"],
        type_id=definition["id"],
        created=definition["created"],
        modified=definition["modified"],
        default=tuple(definition["default"]),
        searched=tuple(definition.get("search", ())),
        required=tuple(definition.get("required", ())),
        scopes=tuple(definition["scope"]),
        pipeline=pipeline,
        stage=stage,
        engagement=engagement,
        read_only=definition.get("read_only", False),
    )
    object_type.groups[definition["group"]] = Group(
        definition["group"], f"{object_type.singular.capitalize()} information", 0
    )
    rows = written["common"] | (written["engagement"] if engagement else {}) | definition["properties"]
    for property_name, words in rows.items():
        object_type.properties[property_name] = _standard(property_name, words, definition["group"], written)
    return object_type


def _standard(name: str, words: list[str], group: str, written: Mapping[str, Any]) -> Property:
    kind, field_type, label, *marks = words
    listed = next((mark.removeprefix("options:") for mark in marks if mark.startswith("options:")), "")
    values = written["options"].get(listed, listed.split(",") if listed else ())
    if kind == "bool":
        options: tuple[Option, ...] = (Option("true", "Yes", 0), Option("false", "No", 1))
    else:
        options = tuple(
            Option(value, written["labels"].get(value, _label(value)), order) for order, value in enumerate(values)
        )
    return Property(
        name,
        kind,
        field_type,
        label,
        group,
        options=options,
        read_only="ro" in marks,
        external="ext" in marks,
        unique="unique" in marks,
        is_owner="owner" in marks,
        is_email="email" in marks,
        is_mail_body="body" in marks,
        standard=True,
        form_field="ro" not in marks and group == "contactinformation",
    )


def _label(value: str) -> str:
    return value.replace("_", " ").capitalize()
