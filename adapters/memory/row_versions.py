"""One record of the CRM in memory and its versions: what was committed late is not seen at once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from adapters.memory.validation import stamp


@dataclass(frozen=True, slots=True)
class Version:
    """What a record held from one statement to the next. `visible_from` is when the statement's transaction committed."""

    values: Mapping[str, Any]
    modified: datetime
    edited: datetime
    visible_from: datetime
    deleted: bool = False
    merged_into: str | None = None
    edited_by: str = ""


@dataclass(slots=True)
class Row:
    """One record. The last version is the truth; earlier ones are kept as long as somebody may still see them."""

    id: str
    object: str
    created: datetime
    created_by: str = ""
    versions: list[Version] = field(default_factory=list)

    @property
    def latest(self) -> Version:
        """What was written last, visible or not."""
        return self.versions[-1]

    def put(self, version: Version, now: datetime) -> None:
        """Add a version, and forget those that nobody can see any more."""
        self.versions.append(version)
        seen = [place for place, version in enumerate(self.versions) if version.visible_from <= now]
        if seen:
            del self.versions[: seen[-1]]

    def seen_at(self, now: datetime) -> Version | None:
        """Return the version that a reader sees; None before the first commit."""
        return next((version for version in reversed(self.versions) if version.visible_from <= now), None)

    def value(self, version: Version, name: str) -> Any:
        """Return a field's value, the CRM's own ones included."""
        match name:
            case "Id":
                return self.id
            case "IsDeleted":
                return version.deleted
            case "MasterRecordId":
                return version.merged_into
            case "CreatedDate":
                return stamp(self.created)
            case "LastModifiedDate":
                return stamp(version.edited)
            case "SystemModstamp":
                return stamp(version.modified)
            case "CreatedById":
                return self.created_by
            case "LastModifiedById":
                return version.edited_by
            case "Participants":
                who = version.values.get("WhoId") or version.values.get("ContactId")
                return (who,) if who else ()
            case _:
                return version.values.get(name)
