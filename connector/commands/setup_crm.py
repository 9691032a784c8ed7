"""`setup-crm`: makes the fields, rights and layout places that the mapping names, and remembers what it made for undo."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from connector.domain import field_room
from connector.domain.field_room import LeftOut
from connector.errors import (
    AfterwordError,
    AuthRevoked,
    NoRoom,
    NotPermitted,
    QuotaSpent,
    RateLimited,
    RecordRejected,
    SchemaChanged,
    Unavailable,
)
from connector.ports import (
    Clock,
    Condition,
    CrmAdapter,
    CrmReader,
    CrmSetup,
    FieldSchema,
    FieldSpec,
    Query,
    SetupResult,
    SetupStep,
)
from connector.stages.connection.connect import Endpoint, describe_all, describe_one
from connector.stages.connection.mark_keeper import Marked, MarkState, look, remove, state_of
from connector.stages.connection.mark_keeper import make as make_mark
from connector.store import Store
from connector.store.ops import setup_log
from connector.store.outbox import retries

HOPELESS = (NotPermitted, AuthRevoked, Unavailable, RateLimited, QuotaSpent)
"""After one of these no further step is tried: what kept this one from being done keeps the others too."""


NO_ROOM = "no_room:"
"""How the key of a step begins that says which fields the CRM has no room for."""
OPTIONS = "options:"
"""How the key of a step begins that adds options to a picklist."""
_BUILT_IN = "afterword"
_LABEL_IN_SENTENCE = re.compile(r"“(.+)” \(")
"""How the sentence of a step that made a field has told its label, in every version."""


def plan(
    endpoint: Endpoint, adapter: CrmAdapter, *, store: Store | None = None, full: frozenset[str] = frozenset()
) -> list[SetupStep]:
    """Return what is missing; nothing on a CRM that is set up. `adapter` may act with an admin's token.

    What the CRM's edition has no room for is told in a step by hand. `full`: objects that have refused another field.

    Options are added to lists of ours alone: to fields that bear our name, or that we made, as `store` tells.
    """
    mapping, _problems = endpoint.mapping.fit(describe_all(endpoint.adapter, endpoint.mapping))
    wanted = field_room.in_order(mapping.wanted_fields())
    ours = {(spec.object, spec.name) for spec in wanted}
    hidden = [*mapping.lacking, *_seen_by(adapter, mapping.absent)]
    others = [hidden_field for hidden_field in dict.fromkeys(hidden) if hidden_field not in ours]
    labels = labels_given(store, endpoint)
    steps = adapter.plan_setup(wanted, others, labels)
    if left := left_out(adapter, wanted, steps, full=full):
        gone = {(spec.object, spec.name) for omission in left for spec in omission.fields}
        steps = adapter.plan_setup([spec for spec in wanted if (spec.object, spec.name) not in gone], others, labels)
        steps += [
            SetupStep(f"{NO_ROOM}{omission.limit.objects}", f"{omission.what} {omission.remedy}", manual=True)
            for omission in left
        ]
    return [step for step in steps if not step.key.startswith(OPTIONS) or _is_ours(store, endpoint, step)]


def labels_given(store: Store | None, endpoint: Endpoint) -> dict[str, str]:
    """Return what we called the fields that we made, by the keys of the steps that made them; an earlier version's too."""
    labels: dict[str, str] = {}
    if store is None:
        return labels
    with store.read() as tx:
        for result in setup_log.results(tx, endpoint.name):
            kind, _, named = result.step.key.partition(":")
            if kind == "field" and (label := _LABEL_IN_SENTENCE.search(result.step.sentence)):
                labels[result.step.key] = label[1]
            if kind == "label":
                labels[f"field:{named}"] = str(result.detail["label"])
    return labels


def left_out(
    setup: CrmSetup, wanted: Sequence[FieldSpec], steps: Sequence[SetupStep], *, full: frozenset[str] = frozenset()
) -> list[LeftOut]:
    """Return which of the fields that these steps would make have no room in the CRM."""
    new = {step.makes for step in steps}
    missing = [spec for spec in wanted if (spec.object, spec.name) in new]
    if not missing:
        return []
    limits = setup.field_limits(tuple(dict.fromkeys(spec.object for spec in missing)))
    return field_room.left_out(missing, [*limits, *field_room.full(full)])


def _is_ours(store: Store | None, endpoint: Endpoint, step: SetupStep) -> bool:
    named = step.key.removeprefix(OPTIONS)
    if named.partition(".")[2].lower().startswith(_BUILT_IN):
        return True
    if store is None:
        return False
    with store.read() as tx:
        return f"field:{named}" in {result.step.key for result in setup_log.results(tx, endpoint.name)}


def _seen_by(reader: CrmReader, fields: Sequence[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Yield those of the fields that the adapter's own user can read: an opt-out that is hidden from us would count for nothing."""
    schemas = {name: describe_one(reader, name) for name in dict.fromkeys(name for name, _ in fields)}
    for name, field in fields:
        schema = schemas[name]
        if schema is not None and field in schema.fields:
            yield name, field


def apply(
    store: Store, endpoint: Endpoint, adapter: CrmAdapter, steps: Sequence[SetupStep], *, clock: Clock
) -> Iterator[SetupResult]:
    """Carry out steps up to the first hopeless one, remembering each at once. The next lap asks for the schema anew.

    A CRM that has no room for a field, whatever it said before, gets none of those that come after it on that object; what is left
    is planned anew, so that no right and no page names a field that is not there.
    """
    full: frozenset[str] = frozenset()
    todo: Sequence[SetupStep] = steps
    try:
        while todo:
            crowded = None
            for result in _until_hopeless(adapter, todo):
                if result.done:
                    with store.write() as tx:
                        setup_log.remember(tx, endpoint.name, result.step, result.detail, at=clock.now())
                if isinstance(result.error, NoRoom) and result.step.makes is not None:
                    crowded = result.step.makes[0]
                    break
                yield result
            if crowded is None:
                return
            full |= {crowded}
            todo = plan(endpoint, adapter, store=store, full=full)
    finally:
        _schema_has_changed(store, endpoint)


def plan_undo(store: Store, endpoint: Endpoint, setup: CrmSetup) -> list[SetupStep]:
    """Return the steps that take away what we made, newest first, and nothing else."""
    with store.read() as tx:
        results = setup_log.results(tx, endpoint.name)
    return setup.plan_undo(results)


def undo(store: Store, endpoint: Endpoint, setup: CrmSetup, steps: Sequence[SetupStep]) -> Iterator[SetupResult]:
    """Take away what we made, up to the first hopeless step, forgetting each thing at once."""
    try:
        for result in _until_hopeless(setup, steps):
            if result.done:
                with store.write() as tx:
                    setup_log.forget(tx, endpoint.name, result.step.key)
            yield result
    finally:
        _schema_has_changed(store, endpoint)


def left_after(result: SetupResult, steps: Sequence[SetupStep]) -> int:
    """Return how many steps that are not done by hand come after this one, and were not tried when it was the last."""
    if result.step not in steps:
        return 0
    return sum(not step.manual for step in steps[steps.index(result.step) + 1 :])


# ── the installation's mark ──────────────────────────────────────────────────────────────────────────────────────────


def marked(endpoint: Endpoint) -> Marked:
    """Return the connection with its mapping as it fits by now, for its mark."""
    mapping, _problems = endpoint.mapping.fit(describe_all(endpoint.adapter, endpoint.mapping))
    return Marked(endpoint.name, endpoint.adapter, endpoint.adapter, mapping)


def mark(store: Store, endpoint: Endpoint, *, base: Path, clock: Clock, take_over: bool = False) -> MarkState:
    """Mark the CRM as this installation's, where nobody has yet, or by the admin's word; returns how the mark stands then.

    It is made by the integration user, with the rights that our tasks need. Raises any `CrmError`.
    """
    connection = marked(endpoint)
    if connection.has_key:
        make_mark(store, connection, base, clock.now(), take_over=take_over)
    return state_of(store, connection, base, clock.now())


def mark_state(store: Store, endpoint: Endpoint, *, base: Path, clock: Clock) -> MarkState:
    """Return how the mark stands. Reads only. Raises any `CrmError`."""
    return state_of(store, marked(endpoint), base, clock.now())


def remove_mark(store: Store, endpoint: Endpoint, *, base: Path, clock: Clock) -> bool:
    """Take our mark away; returns whether it was there and ours. Raises any `CrmError`."""
    return remove(store, marked(endpoint), base, clock.now())


# ── values that undo would lose ──────────────────────────────────────────────────────────────────────────────────────


def values_held(reader: CrmReader, steps: Sequence[SetupStep]) -> dict[str, int | None]:
    """Return by the step's key how many records have a value in a field that the step takes away; those without are left out.

    None: the field is hidden from us, so nobody knows. `reader` acts as the integration user: a field of ours is hidden even from
    an administrator to whom it was not granted.
    """
    fields = {
        name: schema.fields if (schema := describe_one(reader, name)) else {}
        for name in dict.fromkeys(step.holds[0] for step in steps if step.holds)
    }
    held = {}
    for step in steps:
        if step.holds is not None:
            object_name, name = step.holds
            count = _count(reader, object_name, fields[object_name].get(name))
            if count != 0:
                held[step.key] = count
    return held


def without_mark(endpoint: Endpoint, steps: Sequence[SetupStep], held: dict[str, int | None]) -> dict[str, int | None]:
    """Leave the task that is the installation's mark out of the records that have values: it goes along."""
    connection = marked(endpoint)
    if not connection.has_key or look(connection).task is None:
        return held
    key = (connection.mapping.object_of("task"), connection.mapping.crm_field("task", "key"))
    left = {step.key: (held[step.key] or 0) - 1 for step in steps if step.holds == key and held.get(step.key)}
    return {name: left.get(name, count) for name, count in held.items() if left.get(name, count) != 0}


def refuse_loss(crm: str) -> AfterwordError:
    """Return the refusal to take away fields that hold values."""
    return AfterwordError(
        "nothing was removed, because values would be lost.",
        where=f"{crm}: --undo",
        remedy="Export what you need. Then add --with-values: the fields are removed with the values in them.",
    )


def _count(reader: CrmReader, object_name: str, field: FieldSchema | None) -> int | None:
    if field is None:
        return None
    filled = Condition(field.name, "=", (True,)) if field.type == "boolean" else Condition(field.name, "!=", (None,))
    try:
        return reader.count(Query(object_name, (field.name,), ((filled,),)))
    except (SchemaChanged, RecordRejected):
        return None


# ── helpers ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _until_hopeless(setup: CrmSetup, steps: Sequence[SetupStep]) -> Iterator[SetupResult]:
    for result in setup.apply_setup(steps):
        yield result
        if isinstance(result.error, HOPELESS):
            return


def _schema_has_changed(store: Store, endpoint: Endpoint) -> None:
    with store.write() as tx:
        retries.again(tx, endpoint.name)
