"""Everybody who took part in an activity, a case or a deal, as one field: Salesforce keeps them in several places.

`WhoId` names one of them. With Shared Activities, and for the invitees of an event, the others stand in `TaskRelation` and
`EventRelation`; whoever declined took no part. A person account is an account and its contact in one: where only the account is
named, its contact took part. The people of an opportunity stand in its contact roles, of which one may be the primary one.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import Any, Final, cast

from adapters.salesforce.records import soql
from adapters.salesforce.records.reader import SalesforceReader
from connector.errors import SchemaChanged
from connector.ports import Condition, FieldSchema, ObjectSchema, Page, Position, Query, Record

PARTICIPANTS: Final = "Participants"
"""Holds the ids of contacts, leads and users, the one that the record itself names first, the others by their ids."""
_WHO: Final[Mapping[str, str]] = {"Task": "WhoId", "Event": "WhoId", "Case": "ContactId"}
_RELATIONS: Final[Mapping[str, tuple[str, str]]] = {
    "Task": ("TaskRelation", "TaskId"),
    "Event": ("EventRelation", "EventId"),
    "Opportunity": ("OpportunityContactRole", "OpportunityId"),
}
_PERSON: Final[Mapping[str, str]] = {"OpportunityContactRole": "ContactId"}
"""Which field of a relation names the person, where it is not ``RelationId``."""
_MORE: Final[Mapping[str, tuple[str, ...]]] = {"EventRelation": ("Status",), "OpportunityContactRole": ("IsPrimary",)}
"""What whoever was invited has said to it, and who comes first."""
_STAYED_AWAY: Final = frozenset({"Declined", "Uninvited"})
_ACCOUNT: Final = "AccountId"
_HAS_ROLES: Final = frozenset({"Opportunity"})
"""Objects without a field for a person and without a count of people: of each record the others are looked for."""
_SEVERAL: Final[Mapping[str, tuple[str, ...]]] = {"Task": ("WhoCount",), "Event": ("WhoCount", "IsGroupEvent")}
"""What tells that there are others: without it they would have to be looked for behind every activity."""
_IDS_IN_A_QUERY: Final = 150
"""Keeps a condition below the 4,000 characters that Salesforce allows."""

Row = dict[str, Any]


def fields_for(object_name: str) -> tuple[str, ...]:
    """Return the fields from which the participants are found out; none where an object has no participants."""
    if object_name in _HAS_ROLES:
        return (_ACCOUNT,)
    who = _WHO.get(object_name)
    return (who, _ACCOUNT) if who else ()


def described(schema: ObjectSchema) -> ObjectSchema:
    """Return the schema with the field, where what it is found out from is visible."""
    needed = fields_for(schema.name)
    if not needed or not set(needed) <= set(schema.fields):
        return schema
    leads_to = ("Contact", "Lead", "User")
    field = FieldSchema(
        PARTICIPANTS,
        PARTICIPANTS,
        "reference",
        createable=False,
        updateable=False,
        filterable=False,
        references=leads_to,
    )
    return replace(schema, fields={**schema.fields, PARTICIPANTS: field})


def _wanted(object_name: str, asked: Sequence[str]) -> bool:
    return PARTICIPANTS in asked and bool(fields_for(object_name))


def _has_several(object_name: str, fields: Mapping[str, Any]) -> bool:
    """Tell by the hints; an org without Shared Activities counts nobody, and its tasks have one person at most."""
    if object_name in _HAS_ROLES:
        return True
    hints = _SEVERAL.get(object_name, ())
    counted = fields.get("WhoCount") if "WhoCount" in hints else 0
    return (isinstance(counted, int | float) and counted > 1) or (
        "IsGroupEvent" in hints and bool(fields.get("IsGroupEvent"))
    )


class Participants:
    """Reads as the reader does, and finds out the participants a page at a time. Remembers what this org does not have."""

    def __init__(self, reader: SalesforceReader) -> None:
        self._reader = reader
        self._absent: set[str] = set()

    def changes(self, query: Query, *, since: datetime | None, after: Position | None) -> Iterator[Page]:
        """Yield pages as the port says."""
        while True:
            wire = self._on_the_wire(query.object, query.fields)
            try:
                for page in self._reader.changes(replace(query, fields=wire), since=since, after=after):
                    self._complete(query.object, query.fields, page.records)
                    after = page.last or after
                    yield page
            except SchemaChanged as error:
                self._do_without(error, wire, query.fields)
            else:
                return

    def fetch(self, object_name: str, ids: Sequence[str], fields: Sequence[str]) -> dict[str, Record]:
        """Return the present state of live records."""
        while True:
            wire = self._on_the_wire(object_name, fields)
            try:
                records = self._reader.fetch(object_name, ids, wire)
            except SchemaChanged as error:
                self._do_without(error, wire, fields)
            else:
                self._complete(object_name, fields, list(records.values()))
                return records

    def _on_the_wire(self, object_name: str, asked: Sequence[str]) -> tuple[str, ...]:
        """Return what to ask Salesforce for."""
        if not _wanted(object_name, asked):
            return tuple(asked)
        hints = [name for name in _SEVERAL.get(object_name, ()) if name not in self._absent]
        own = [name for name in asked if name != PARTICIPANTS]
        return tuple(dict.fromkeys([*own, *fields_for(object_name), *hints]))

    def _do_without(self, error: SchemaChanged, wire: Sequence[str], asked: Sequence[str]) -> None:
        """Remember that a hint is not there; raises the error where it is about anything else."""
        hints = {name for names in _SEVERAL.values() for name in names} - set(asked)
        if error.field not in hints & set(wire):
            raise error
        self._absent.add(error.field)

    def _complete(self, object_name: str, asked: Sequence[str], records: Sequence[Record]) -> None:
        """Put the participants among the fields, and take out what was not asked for."""
        if not _wanted(object_name, asked):
            return
        who, account = _WHO.get(object_name, ""), _ACCOUNT
        values = {record.id: cast(dict[str, Any], record.fields) for record in records}
        living = {record.id: values[record.id] for record in records if not record.deleted}
        others = self._others(
            object_name, [living_id for living_id, fields in living.items() if _has_several(object_name, fields)]
        )
        alone = (soql.known_id(fields.get(account)) for fields in living.values() if not fields.get(who))
        persons = self._persons(account_id for account_id in alone if account_id)
        surplus = {*fields_for(object_name), *_SEVERAL.get(object_name, ())} - set(asked)
        for record_id, fields in values.items():
            first = soql.known_id(fields.get(who)) or persons.get(soql.known_id(fields.get(account)) or "")
            ids = [*([first] if first else []), *others.get(record_id, ())]
            fields[PARTICIPANTS] = tuple(dict.fromkeys(ids))
            for name in surplus:
                fields.pop(name, None)

    def _others(self, object_name: str, ids: Iterable[str]) -> dict[str, list[str]]:
        """Return who else took part in each record: a primary one first, then in the order of their ids."""
        relation, of = _RELATIONS.get(object_name, ("", ""))
        persons: dict[str, list[str]] = {}
        if relation:
            person = _PERSON.get(relation, "RelationId")
            columns = (of, person, *_MORE.get(relation, ()))
            rows = self._rows(relation, columns, (of, ids), "IsDeleted = false")
            for row in sorted(rows, key=lambda row: (not row.get("IsPrimary"), row[person] or "")):
                if row[person] and row.get("Status") not in _STAYED_AWAY:
                    persons.setdefault(row[of], []).append(row[person])
        return persons

    def _persons(self, accounts: Iterable[str]) -> dict[str, str]:
        """Return the contacts of those accounts that are persons."""
        rows = self._rows("Account", ("Id", "PersonContactId"), ("Id", accounts), "IsPersonAccount = true")
        return {row["Id"]: row["PersonContactId"] for row in rows}

    def _rows(
        self, object_name: str, fields: Sequence[str], among: tuple[str, Iterable[str]], only: str
    ) -> Sequence[Row]:
        """Return nothing of what this org does not have: Shared Activities and person accounts are features of their own."""
        name, ids = among
        rows: list[Row] = []
        left = iter(dict.fromkeys(ids))
        while object_name not in self._absent and (chunk := tuple(islice(left, _IDS_IN_A_QUERY))):
            text = soql.select(fields, object_name, soql.condition(Condition(name, "in", chunk)), only)
            try:
                rows += self._reader.rows(text, call=f"participants: {object_name}")
            except SchemaChanged:
                self._absent.add(object_name)
        return rows
