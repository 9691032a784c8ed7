"""Where the records of a portal are shown, and single values as people read them."""

import re
from datetime import datetime
from html import unescape
from zoneinfo import ZoneInfo

from adapters.sandbox.hubspot.portal.portal import Portal
from adapters.sandbox.hubspot.portal.property_values import from_ms, number_text, parse_moment
from adapters.sandbox.hubspot.portal.schema import PortalObjectType, Property
from adapters.sandbox.hubspot.portal.store import PortalRecord
from adapters.sandbox.pages.shown import Shown, mail_address, moment, web_address

OURS = "afterword_"
PAGED = ("companies", "contacts", "tickets", "deals", "tasks", "calls", "meetings", "emails", "notes")
_NAMES = {
    "companies": "name",
    "tickets": "subject",
    "deals": "dealname",
    "tasks": "hs_task_subject",
    "calls": "hs_call_title",
    "meetings": "hs_meeting_title",
    "emails": "hs_email_subject",
}
_LINE = re.compile(r"<br\s*/?>|</(?:p|div|li)>", re.IGNORECASE)
_TAG = re.compile(r"<[^>]*>")
_WEB = frozenset({"website", f"{OURS}details"})


class PortalViewer:
    """One user at the screen of a portal: everybody there sees the same, in the portal's time zone."""

    def __init__(self, portal: Portal, owner_id: str) -> None:
        self.portal = portal
        self.id = owner_id
        self.zone = ZoneInfo(portal.time_zone)

    def address(self, object_type: PortalObjectType, record_id: int | str) -> str:
        """Where a record is shown."""
        return f"/contacts/{self.portal.portal_id}/record/{object_type.type_id}/{record_id}"

    def list_address(self, object_type: PortalObjectType) -> str:
        """Where the records of an object are listed."""
        return f"/contacts/{self.portal.portal_id}/objects/{object_type.type_id}/views/all/list"

    def fields(self, object_type: PortalObjectType, record: PortalRecord, names: tuple[str, ...]) -> list[Shown]:
        """Those of some properties that the object has, empty ones too."""
        return [
            self.show(object_type, record, object_type.properties[name])
            for name in names
            if name in object_type.properties
        ]

    def show(self, object_type: PortalObjectType, record: PortalRecord, spec: Property) -> Shown:
        """One property of a record."""
        value = self.portal.records.value(object_type, record, spec.name) or ""
        if spec.name == "hs_parent_company_id" and value:
            return self._link(spec, object_type, value)
        if spec.name in _WEB:
            return web_address(spec.name, spec.label, value)
        if spec.is_email:
            return mail_address(spec.name, spec.label, value)
        if spec.name == f"{OURS}mood":
            return Shown(spec.name, spec.label, self.text(object_type, spec, value), "mood")
        lines = spec.field_type in ("textarea", "html")
        return Shown(spec.name, spec.label, self.text(object_type, spec, value), "lines" if lines else "plain")

    def text(self, object_type: PortalObjectType, spec: Property, value: str) -> str:
        """A value in words: of an owner the name, of a stage or another choice its label."""
        if not value:
            return ""
        if spec.is_owner:
            return self._owner(value)
        if spec.name in (object_type.pipeline, object_type.stage):
            return self._place(object_type, spec.name, value)
        if spec.field_type == "html":
            return _plain(value)
        if spec.options:
            labels = {option.value: option.label for option in spec.options}
            return ", ".join(labels.get(option, option) for option in value.split(";"))
        if spec.type in ("date", "datetime"):
            return self._moment(spec, value)
        if spec.type == "number" and not spec.name.endswith("_id"):
            return f"{float(number_text(value) or 0):,.15g}"
        return value

    def moment(self, at: datetime) -> str:
        """A moment in the portal's time zone."""
        return moment(at.astimezone(self.zone))

    def name(self, object_type: PortalObjectType, record: PortalRecord) -> str:
        """What people call a record."""
        values = record.properties
        if object_type.name == "contacts":
            full = " ".join(filter(None, (values.get("firstname"), values.get("lastname"))))
            return full or values.get("email", str(record.id))
        return values.get(_NAMES.get(object_type.name, "")) or f"{object_type.singular.capitalize()} {record.id}"

    def _owner(self, value: str) -> str:
        try:
            owner = self.portal.owners.named(value)
        except LookupError:
            return value
        return f"{owner.first} {owner.last}" + (" (deactivated)" if owner.archived else "")

    def _place(self, object_type: PortalObjectType, name: str, value: str) -> str:
        pipelines = self.portal.pipelines
        if name == object_type.stage:
            pipeline_and_stage = pipelines.of_stage(object_type.name, value)
            return pipeline_and_stage[1].label if pipeline_and_stage else value
        return next((pipeline.label for pipeline in pipelines.of(object_type.name) if pipeline.id == value), value)

    def _moment(self, spec: Property, value: str) -> str:
        ms = parse_moment(value)
        if ms is None:
            return value
        return f"{from_ms(ms):%-d %b %Y}" if spec.type == "date" else self.moment(from_ms(ms))

    def _link(self, spec: Property, object_type: PortalObjectType, record_id: str) -> Shown:
        record = self.portal.records.lookup(object_type, record_id)
        if record is None:
            return Shown(spec.name, spec.label, record_id)
        return Shown(
            spec.name, spec.label, self.name(object_type, record), "link", self.address(object_type, record.id)
        )


def _plain(formatted: str) -> str:
    """Formatted text as plain lines: it came from outside and is never shown as HTML."""
    return unescape(_TAG.sub("", _LINE.sub("\n", formatted))).strip()
