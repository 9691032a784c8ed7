"""Before the stages: reach a CRM, and fit its mapping to the schema that it has today."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from connector.errors import CrmError, Problem, SchemaChanged, SettingsError, Unavailable
from connector.model import MissingRight
from connector.ports import Clock, CrmAdapter, CrmMapping, CrmReader, CrmWriter, MappingSource, ObjectSchema
from connector.runtime.call_budget import CallBudget
from connector.runtime.read_times import StoredReadTimes
from connector.stages.connection import rights
from connector.stages.connection.ownership import ownership
from connector.stages.context import Connected
from connector.store import Store, Transaction
from connector.store.ops import connections
from connector.store.ops.connections import ConnectionState, StoredSchema
from connector.store.outbox import fields, foreign_fields, written_fields
from connector.store.outbox.written_fields import WrittenField
from connector.store.surveys import decisions

SCHEMA_LASTS = timedelta(hours=24)
"""The schema is asked for again after this, and at once when a field turns out to be missing or the mapping was edited."""


_CHECK_ADDRESS = (
    "Check the url of this connection: what answers there is something else. If it is right, the user whom we sign in as sees no "
    "records."
)

NECESSARY = frozenset({"account", "contact"})
"""Kinds without which nothing is sent or written."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One configured connection, not yet tried."""

    name: str
    adapter: CrmAdapter
    mapping: MappingSource
    mode_live: bool
    mapping_name: str
    read_times: StoredReadTimes | None = None
    """Where its adapter notes what it reads only now and then."""
    budget: CallBudget | None = None
    """What its adapter asks before each call; None: nothing is held back."""
    credentials: str = field(default="", repr=False)
    """Hash of what it signs in with, by which the admin's new credentials are told from old ones."""
    normalise_id: Callable[[str], str] = str
    """See `AdapterPackage`."""
    recorder: CrmWriter | None = None
    """Keeps what would be written, in place of the adapter; None: it is written."""

    @property
    def writer(self) -> CrmWriter:
        """What a lap writes by."""
        return self.recorder or self.adapter


def connect(
    store: Store, clock: Clock, endpoint: Endpoint, *, by_known: bool = False
) -> tuple[Connected, Sequence[Problem]]:
    """Return the connection ready for a lap, with the problems. `SettingsError`: the mapping cannot be used with this CRM as it is.

    With a mapping that has fitted before, the CRM was changed: what no longer fits is left out, the rest goes on. Without accounts
    or contacts, nothing is sent or written meanwhile: what they say now, an opt-out too, is not known.

    Nothing is sent or written either while a right to write is missing: a customer who is asked must not answer into the void.

    `CrmError`: it could not be reached. `AuthRevoked`: it refused these credentials before, so it is not called again;
    `NotLetIn`: it gave no token before, so it is not called yet.
    Costs no call while the stored schema is fresh and the mapping the same; nor, `by_known`, while there is one, however old.
    """
    known = store.write_where_needed(lambda tx: _known(tx, endpoint, clock.now()))
    if known.refused is not None:
        raise known.refused
    now = clock.now()
    known_schemas = _fresh(endpoint, known.schema, now, lasting=by_known)
    asked = known_schemas is None
    test_kind = _test_kind(store, endpoint, ask=asked) if endpoint.mode_live else ""
    schemas = _describe(store, endpoint, now) if known_schemas is None else known_schemas
    mapping, problems = endpoint.mapping.fit(schemas, ownership(store, endpoint.adapter, endpoint.mapping, schemas))
    errors = [problem for problem in problems if problem.severity == "error"]
    if not store.write_where_needed(lambda tx: _is_usable(tx, endpoint, fits=not errors)):
        raise SettingsError(errors)
    kinds = {kind for query in mapping.queries for kind in mapping.kinds(query.object)}
    live = endpoint.mode_live and not known.is_paused and kinds >= NECESSARY
    lacking: Sequence[MissingRight] = ()
    if live:
        lacking = rights.missing(store, endpoint.adapter, mapping, credentials=endpoint.credentials, ask=asked)
    _note_mapping(store, endpoint, known.state, now)
    left_alone = store.write_where_needed(lambda tx: _note_fields(tx, endpoint.name, mapping, now))
    crm = Connected(
        endpoint.name,
        endpoint.adapter,
        endpoint.writer,
        mapping,
        live=live and not lacking,
        test_kind=test_kind,
        read_times=endpoint.read_times,
        left_alone=left_alone,
        lacking=lacking,
    )
    return crm, problems


@dataclass(frozen=True, slots=True)
class _Known:
    """What the store knows of a connection before it is reached."""

    state: ConnectionState
    refused: CrmError | None
    is_paused: bool
    schema: StoredSchema | None
    """None, too, where the mapping was edited since it was asked for."""


def _known(tx: Transaction, endpoint: Endpoint, now: datetime) -> _Known:
    state = connections.state(tx, endpoint.name)
    fitted = connections.fitted_before(tx, endpoint.name, endpoint.mapping.identity)
    return _Known(
        state=state,
        refused=connections.not_to_be_called(tx, endpoint.name, endpoint.credentials, now),
        is_paused=state.paused_at is not None or connections.all_paused(tx) is not None,
        schema=connections.stored_schema(tx, endpoint.name) if fitted else None,
    )


def _is_usable(tx: Transaction, endpoint: Endpoint, *, fits: bool) -> bool:
    """Note whether a mapping fits, and tell whether it does, or has done before."""
    if fits:
        connections.note_fitted(tx, endpoint.name, endpoint.mapping.identity)
    else:
        connections.forget_schema(tx, endpoint.name)
    return fits or connections.fitted_before(tx, endpoint.name, endpoint.mapping.identity)


def _note_fields(tx: Transaction, crm: str, mapping: CrmMapping, now: datetime) -> int:
    """Note where things of ours are written from now on; returns how many fields are newly left alone."""
    written_fields.set_form(tx, crm, mapping.form)
    written_fields.note(tx, crm, _written(mapping))
    return foreign_fields.note_foreign(tx, crm, mapping.foreign, now)


def _test_kind(store: Store, endpoint: Endpoint, *, ask: bool) -> str:
    """Return what the vendor calls the org where it is kept for tests. It is asked with each schema, and when credentials are new."""
    with store.read() as tx:
        known = None if ask else connections.org_known(tx, endpoint.name, endpoint.credentials)
    if known is not None:
        return known
    org = endpoint.adapter.org()
    with store.write() as tx:
        connections.note_org(tx, endpoint.name, endpoint.credentials, org)
    return org.test_kind


def _written(mapping: CrmMapping) -> Iterator[WrittenField]:
    """Yield where the fields that are ours stand."""
    for target in ("account", "contact"):
        for name in sorted(mapping.names(target)):
            yield WrittenField(target, name, mapping.object_of(target), mapping.crm_field(target, name))


def _fresh(
    endpoint: Endpoint, stored: StoredSchema | None, now: datetime, *, lasting: bool
) -> Mapping[str, ObjectSchema] | None:
    if stored is None or stored.at is None:
        return None
    if not lasting and not timedelta() <= now - stored.at <= SCHEMA_LASTS:
        return None
    return stored.objects if stored.asked.issuperset(endpoint.mapping.objects) else None


def _describe(store: Store, endpoint: Endpoint, now: datetime) -> Mapping[str, ObjectSchema]:
    schemas = describe_all(endpoint.adapter, endpoint.mapping)
    with store.write() as tx:
        schema = connections.schema_json(schemas, endpoint.mapping.objects)
        connections.remember(tx, endpoint.name, {"schema": schema, "schema_at": now})
    return schemas


def describe_all(reader: CrmReader, mapping: MappingSource) -> dict[str, ObjectSchema]:
    """Ask the CRM for the schema of every object that the mapping names; one that is hidden from us is left out.

    `Unavailable`: it knows none of them. No CRM is without accounts, so what answers is something else.
    """
    schemas = {}
    for name in mapping.objects:
        schema = describe_one(reader, name)
        if schema is not None:
            schemas[name] = schema
    missing = [name for name in mapping.objects if name not in schemas]
    if len(missing) > 1 and len(schemas) <= 1:  # users may be known without a call
        raise Unavailable(f"the CRM knows none of {', '.join(missing)}.", remedy=_CHECK_ADDRESS)
    return schemas


def describe_one(reader: CrmReader, name: str) -> ObjectSchema | None:
    """Return the schema of one object; None when it does not exist for us."""
    try:
        return reader.describe(name)
    except SchemaChanged:
        return None


def _note_mapping(store: Store, endpoint: Endpoint, state: ConnectionState, now: datetime) -> None:
    """What ended before an edit of what ends, or of who is a customer, is history: nobody is asked about it who was not to be asked
    before. Those who wait are decided on anew at once, and not only when their time has come."""
    triggers = endpoint.mapping.triggers
    if state.mapping_fingerprint == triggers:
        return
    since = endpoint.adapter.org().server_time if state.mapping_fingerprint is not None else None
    with store.write() as tx:
        connections.remember(tx, endpoint.name, {"mapping_fingerprint": triggers, "mapping_since": since})
        fields.compare_again(tx, endpoint.name)
        if since is not None:
            decisions.decide_waiting(tx, endpoint.name, now)
