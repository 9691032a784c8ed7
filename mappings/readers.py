"""Functions that turn a record's fields into the model, composed once so that reading a record only calls them.

A field that was asked for and not given is an error of the record, not an empty value: we may have lost the right to see it. Only
facts do without.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from connector.domain.machine_addresses import is_machine
from connector.errors import MappingError
from connector.model import CUSTOMER_LABEL, EMAIL_BOUNCED, Account, Contact, Interaction, Owner, Pulled, Ref, SeenTask
from mappings.conditions import Holds, all_of, any_of, no
from mappings.converters import (
    Read,
    fact,
    read_boolean,
    read_datetime,
    read_email,
    read_id,
    read_language,
    read_moment_of_day,
    read_shown,
    read_shown_box,
    read_text,
)
from mappings.fields import Facts, FieldMap, Tests, WonDeal
from mappings.labels import label_of
from mappings.record_values import Fields, Get, Types, named, value
from mappings.spec import AccountMap, ContactMap, Ended, InteractionMap, OwnerMap, TaskMap, WriteMap

Errors = list[MappingError]
Build = Callable[[str, Ref, Fields, Errors], Pulled]
GetRef = Callable[[str, Fields], Ref | None]
GetRefs = Callable[[str, Fields], tuple[Ref, ...]]
EARLIER_OUTCOMES: Mapping[str, str] = {"Reached, still open": "Reached, not solved yet"}
"""What an outcome was called in earlier versions, and is called now: what people chose then is read for ever."""
EMAIL_INVALID = "email_invalid"
"""The fact of a contact whose address is none, or none that anybody reads. Its name is promised to admins."""


def _nothing(_: Fields) -> None:
    return None


def _maybe(field: FieldMap | None, types: Types, read: Read) -> Get:
    return value(field.path, read) if field and field.path in types else _nothing


def _present(fields: tuple[FieldMap, ...], types: Types) -> tuple[FieldMap, ...]:
    return tuple(field for field in fields if field.path in types)


def _name(fields: tuple[FieldMap, ...], types: Types) -> Callable[[Fields], str]:
    getters = [value(field.path, read_text) for field in _present(fields, types)]
    if len(getters) == 1:
        only = getters[0]
        return lambda fields: only(fields) or ""
    return lambda fields: " ".join(part for get in getters if (part := get(fields)))


# ── lookups ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _read_ids(value: Any) -> tuple[str, ...]:
    if not value:
        return ()
    if type(value) is str:
        return (read_id(value) or "",)
    if isinstance(value, (list, tuple)):
        return tuple(text for part in value if (text := read_id(part)))
    return (read_id(value) or "",)


def _refs(fields: tuple[FieldMap, ...], object_name: str, types: Types) -> GetRefs:
    getters = [(value(field.path, _read_ids), field.prefix) for field in _present(fields, types)]

    def get(connection: str, fields: Fields) -> tuple[Ref, ...]:
        ids = [id_ for read, prefix in getters for id_ in read(fields) if id_.startswith(prefix)]
        return tuple(Ref(connection, object_name, id_) for id_ in dict.fromkeys(ids))

    return get


def _ref(fields: tuple[FieldMap, ...], object_name: str, types: Types) -> GetRef:
    """Return the first that leads anywhere."""
    present = _present(fields, types)
    if len(present) != 1:
        several = _refs(present, object_name, types)
        return lambda connection, fields: next(iter(several(connection, fields)), None)
    read, prefix = value(present[0].path, _read_ids), present[0].prefix

    def get(connection: str, fields: Fields) -> Ref | None:
        for id_ in read(fields):
            if id_.startswith(prefix):
                return Ref(connection, object_name, id_)
        return None

    return get


def _one(field: FieldMap | None) -> tuple[FieldMap, ...]:
    return (field,) if field else ()


# ── facts, what is shown, labels ─────────────────────────────────────────────────────────────────────────────────────


def _facts(facts: Facts, types: Types) -> Callable[[Fields, Errors], dict[str, Any]]:
    readers = [
        (name, field.path, fact(field.converter or types[field.path])) for name, field in facts if field.path in types
    ]

    def get(fields: Fields, errors: Errors) -> dict[str, Any]:
        values = {}
        for name, path, read in readers:
            if path not in fields:
                continue
            try:
                values[name] = read(fields[path])
            except MappingError as error:
                errors.append(named(error, path))
        return values

    return get


def _shown(written: Mapping[str, WriteMap], types: Types) -> Callable[[Fields], dict[str, Any]]:
    """Return what our fields hold. Every contact has a checkbox: one that is not ticked holds nothing that needs to be kept."""
    readers = [
        (name, line.path, read_shown_box if types.get(line.path) == "boolean" else read_shown)
        for name, line in written.items()
    ]
    return lambda fields: {name: read(fields[path]) for name, path, read in readers if path in fields}


# ── the kinds ────────────────────────────────────────────────────────────────────────────────────────────────────────


def owner_builder(spec: OwnerMap, types: Types) -> Build:
    """Compose the reader of owners."""
    name, email = _name(spec.name, types), _maybe(spec.email, types, read_email)
    active, zone = all_of(spec.active, types), _maybe(spec.timezone, types, read_text)
    manager, standard = _ref(_one(spec.manager), spec.object, types), all_of(spec.standard or (), types, missing=no)

    def build(connection: str, ref: Ref, fields: Fields, _: Errors) -> Owner:
        return Owner(
            ref,
            name(fields),
            email(fields),
            active(fields),
            zone(fields),
            manager=manager(connection, fields),
            standard=standard(fields),
        )

    return build


def account_builder(spec: AccountMap, types: Types, written: Mapping[str, WriteMap], users: str) -> Build:
    """Compose the reader of accounts. `users` is the object of owners."""
    name, is_customer = _name(spec.name, types), _is_customer(spec.is_customer, types)
    owner, parent = _ref(_one(spec.owner), users, types), _ref(_one(spec.parent), spec.object, types)
    link, facts, shown = _maybe(spec.link, types, _read_link), _facts(spec.facts, types), _shown(written, types)

    def build(connection: str, ref: Ref, fields: Fields, errors: Errors) -> Account:
        return Account(
            ref,
            name(fields),
            owner(connection, fields),
            parent(connection, fields),
            is_customer(fields),
            link(fields),
            facts(fields, errors),
            shown(fields),
        )

    return build


def _is_customer(who: Tests | WonDeal, types: Types) -> Holds:
    """Return what an account says itself; where its deals say it, that is looked up when somebody is to be asked."""
    return no if isinstance(who, WonDeal) else all_of(who, types, missing=no)


def _read_link(value: Any) -> str | None:
    """Return a shared key without the differences that people make: case, scheme, www, a slash at the end."""
    key = read_text(value)
    if key is None:
        return None
    return key.lower().removeprefix("https://").removeprefix("http://").removeprefix("www.").rstrip("/") or None


def contact_builder(
    spec: ContactMap, types: Types, written: Mapping[str, WriteMap], *, accounts: str, users: str
) -> Build:
    """Compose the reader of contacts. `accounts` and `users` are the objects that the lookups lead to."""
    name, account = _name(spec.name, types), _ref(spec.account, accounts, types)
    email, raw_email = _maybe(spec.email, types, read_email), _maybe(spec.email, types, read_text)
    role, language = _maybe(spec.role, types, read_text), _maybe(spec.language, types, read_language)
    owner, no_surveys = _ref(_one(spec.owner), users, types), any_of(spec.no_surveys, types)
    facts_of, shown = _facts(spec.facts, types), _shown(written, types)
    bounced = any_of(spec.bounced, types)

    def build(connection: str, ref: Ref, fields: Fields, errors: Errors) -> Contact:
        facts, address = facts_of(fields, errors), email(fields)
        if address is not None and is_machine(address):
            address = None
        if address is None and raw_email(fields) is not None:
            facts[EMAIL_INVALID] = True
        if bounced(fields):
            facts[EMAIL_BOUNCED] = True
        return Contact(
            ref,
            name(fields),
            account(connection, fields),
            address,
            role(fields),
            language(fields),
            owner(connection, fields),
            no_surveys(fields),
            facts,
            shown(fields),
        )

    return build


def interaction_builder(spec: InteractionMap, types: Types, *, accounts: str, contacts: str, users: str) -> Build:
    """Compose the reader of one kind of interaction."""
    kind, label, facts_of = spec.kind, label_of(spec.label), _facts(spec.facts, types)
    customer_label = label_of(spec.customer_label) if spec.customer_label else None
    account, people = _ref(spec.account, accounts, types), _refs(spec.contact, contacts, types)
    owner, updated = _ref(_one(spec.owner), users, types), _maybe(spec.updated, types, read_datetime)
    updated_by = _maybe(spec.updated_by, types, read_text)
    endings = [
        (ended.event, all_of(ended.tests, types, missing=no), _moment(ended, types), ended.tests)
        for ended in spec.ended
    ]

    def end(fields: Fields) -> tuple[str | None, tuple[datetime | None, bool]]:
        for event, holds, at, tests in endings:
            if holds(fields):
                moment, all_day = at(fields)
                if moment is not None or tests:
                    return event, (moment, all_day)
        return None, (None, False)

    def build(connection: str, ref: Ref, fields: Fields, errors: Errors) -> Interaction:
        facts = facts_of(fields, errors)
        if customer_label is not None and (called := customer_label(facts)) is not None:
            facts[CUSTOMER_LABEL] = called
        event, (moment, all_day) = end(fields)
        return Interaction(
            ref,
            kind,
            label(facts) or kind,  # which says more than a gap
            account(connection, fields),
            people(connection, fields),
            owner(connection, fields),
            event,
            moment,
            updated(fields),
            facts,
            updated_by(fields),
            all_day,
        )

    return build


def _moment(ended: Ended, types: Types) -> Callable[[Fields], tuple[datetime | None, bool]]:
    """Return the first of the fields that is filled, and whether only its day is meant: 00:00 UTC then stands for the day."""
    getters = [_time(field, types) for field in _present(ended.at, types)]
    flag = _maybe(ended.all_day, types, read_boolean)

    def get(fields: Fields) -> tuple[datetime | None, bool]:
        for read, is_day in getters:
            moment = read(fields)
            if moment is not None and flag(fields):
                return read_moment_of_day(moment.date()), True
            if moment is not None:
                return moment, is_day
        return None, False

    return get


def _time(field: FieldMap, types: Types) -> tuple[Get, bool]:
    is_day = (field.converter or types[field.path]) == "date"
    return value(field.path, read_moment_of_day if is_day else read_datetime), is_day


def task_builder(spec: TaskMap, types: Types, written: Mapping[str, WriteMap], *, users: str) -> Build:
    """Compose the reader of our follow-up tasks; `written` are the fields of ours that are there, the key among them."""
    is_open, owner = all_of(spec.open, types, missing=no), _ref(_one(spec.owner), users, types)
    closed, key_of = _maybe(spec.closed, types, read_datetime), value(written["key"].path, read_text)
    outcome, cause = _word(written.get("outcome"), EARLIER_OUTCOMES), _word(written.get("cause"), {})
    shown = _shown({name: line for name, line in written.items() if name != "key"}, types)
    made_by = _maybe(spec.made_by, types, read_text)

    def build(connection: str, ref: Ref, fields: Fields, _: Errors) -> SeenTask:
        return SeenTask(
            ref,
            key_of(fields) or "",
            is_open(fields),
            outcome(fields),
            closed(fields),
            owner(connection, fields),
            cause(fields),
            shown(fields),
            made_by(fields),
        )

    return build


def _word(field: WriteMap | None, earlier: Mapping[str, str]) -> Get:
    """Return a reader of our word for an option: the admin may have renamed it, and an earlier version may have called it otherwise.

    An option that stands for none of our words is read as it is.
    """
    if field is None:
        return _nothing
    words = {word.casefold(): word for word in field.options} | {word.casefold(): word for word in earlier}
    words |= {option.casefold(): word for word, option in field.values.items()}
    raw = value(field.path, read_text)

    def get(fields: Fields) -> str | None:
        option = raw(fields)
        if option is None:
            return None
        word = words.get(str(option).casefold(), str(option))
        return earlier.get(word, word)

    return get


def carries(path: str) -> Holds:
    """Tell if a record carries our key."""
    key_of = value(path, read_text)
    return lambda fields: key_of(fields) is not None
