"""Merging records: what survives, under which id, and how the old ids lead to it."""

from dataclasses import replace
from typing import TYPE_CHECKING

from adapters.sandbox.hubspot.errors import HubSpotError, bad_request
from adapters.sandbox.hubspot.portal.schema import PortalObjectType
from adapters.sandbox.hubspot.portal.store import PortalRecord, Revision
from adapters.sandbox.hubspot.records import PortalWriter

if TYPE_CHECKING:
    from adapters.sandbox.hubspot.portal.portal import Portal

MOST_IDENTITIES = 250


def merge(portal: "Portal", object_type: PortalObjectType, pair: tuple[str, str], writer: PortalWriter) -> PortalRecord:
    """Merges the second of a pair of ids into the first and returns what remains; raises HubSpotError.

    The first one's values win. Both old ids, or the second alone when the first stays, answer with the survivor from then on.
    """
    primary, other = (portal.records.existing(object_type, record_id) for record_id in pair)
    if primary.id == other.id:
        raise bad_request(f"Cannot merge object {pair[1]} into itself")
    new_id = portal.records.next_id(object_type) if object_type.name in portal.merges_make_new_ids else primary.id
    merged = portal.records.derived(object_type, _joined(object_type, primary, other, new_id, writer), primary)
    table = portal.store.table(object_type.name)
    for gone in {primary.id, other.id} - {new_id}:
        portal.store.purge(object_type.name, gone)
        table.aliases[gone] = new_id
    portal.records.put(object_type, merged)
    for old in (primary, other):
        if old.id != new_id:
            portal.links.move(object_type.name, old.id, new_id)
    return table.rows[new_id]


def _joined(
    object_type: PortalObjectType, primary: PortalRecord, other: PortalRecord, new_id: int, writer: PortalWriter
) -> PortalRecord:
    values = {**other.properties, **primary.properties, "hs_updated_by_user_id": str(writer.user)}
    values["hs_merged_object_ids"] = ";".join(_ids(primary, other, new_id))
    if object_type.name == "contacts":
        values |= _contact(primary, other, new_id, writer.at)
    revision = Revision(writer.at, values, "MERGE_OBJECTS", writer.user)
    created = min(primary.created, other.created)
    history = (*primary.history, revision)
    return replace(primary, id=new_id, properties=values, created=created, modified=writer.at, history=history)


def _ids(primary: PortalRecord, other: PortalRecord, new_id: int) -> list[str]:
    earlier = [record.properties.get("hs_merged_object_ids", "").split(";") for record in (primary, other)]
    both = [str(record.id) for record in (primary, other) if record.id != new_id]
    ids = list(dict.fromkeys(filter(None, [*earlier[0], *earlier[1], *both])))
    if len(ids) >= MOST_IDENTITIES:
        words = f"Cannot have more than {MOST_IDENTITIES} identities on a profile"
        raise HubSpotError(words, status=414)
    return ids


def _contact(primary: PortalRecord, other: PortalRecord, new_id: int, at: int) -> dict[str, str]:
    """What contacts tell of their merges; merges of merges are missing from the vids, as with the vendor."""
    earlier_vids = primary.properties.get("hs_calculated_merged_vids", "")
    vids = [
        *filter(None, earlier_vids.split(";")),
        *(f"{record.id}:{at}" for record in (primary, other) if record.id != new_id),
    ]
    contact_ids = dict.fromkeys([str(new_id), str(primary.id), str(other.id)])
    values = {"hs_calculated_merged_vids": ";".join(vids), "hs_all_contact_vids": ";".join(contact_ids)}
    spare = [record.properties.get("hs_additional_emails", "") for record in (primary, other)]
    kept = primary.properties.get("email") or other.properties.get("email")
    mails = dict.fromkeys(filter(None, [*spare[0].split(";"), *spare[1].split(";"), other.properties.get("email")]))
    mails.pop(kept or "", None)
    return values | ({"hs_additional_emails": ";".join(mails)} if mails else {})
