"""Reads and renews the installation's mark: nothing is sent or written where it is another's. What follows from what is read is pure,
and stands in `connector.domain.installation_mark`."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Final

import structlog

from connector.domain.installation_mark import (
    RENEWED_EVERY,
    SUBJECT,
    Mark,
    MarkVerdict,
    OwnRuns,
    confirms,
    judge,
    read_text,
    renewed,
    text_of,
    wait_left,
)
from connector.errors import (
    AfterwordError,
    CrmError,
    MappingError,
    MarkError,
    SchemaChanged,
    SettingsError,
    Unavailable,
)
from connector.model import MARK_KEY, FieldValue
from connector.ports import Clock, CrmMapping, CrmReader, CrmWriter, Write
from connector.runtime.cancellation import CancellationToken
from connector.runtime.installation_id import ensure_id, read_id
from connector.store import Store, new_id
from connector.store.db.location import place_of
from connector.store.ops import leases, marks

FRESH: Final = timedelta(minutes=1)
"""So long a look at the mark is good for what is sent and written after it."""
_LOOK_AGAIN_SECONDS: Final = 0.1
_SLICE_SECONDS: Final = 5.0
"""How long a wait goes on before it is looked whether the lap is to end."""

log = structlog.get_logger("afterword")


@dataclass(frozen=True, slots=True)
class Marked:
    """One connection whose mark is kept."""

    name: str
    reader: CrmReader
    writer: CrmWriter
    mapping: CrmMapping

    @property
    def has_key(self) -> bool:
        """Whether the key of our tasks can be written."""
        return "key" in self.mapping.names("task")

    @property
    def wants_key(self) -> bool:
        """Whether the mapping names it. An admin who took the line away, and so wants none of our tasks, has no mark either."""
        tasks = {self.mapping.object_of("task")} if self.mapping.names("task") else set()
        return any(spec.unique and (spec.object in tasks or not tasks) for spec in self.mapping.wanted_fields())


@dataclass(frozen=True, slots=True)
class Seen:
    """What the CRM shows."""

    mark: Mark | None
    task: str | None
    """The id of the task; with it and no mark: somebody has changed its text, or it is not read."""
    in_body: bool = False
    """Whether the mark stands in the task's body, which is not read: the mapping or the CRM has dropped that field since."""


@dataclass(slots=True)
class MarkKeeper:
    """The marks of one lap's live connections."""

    store: Store
    clock: Clock
    base: Path
    """The folder of config.toml."""
    stop: CancellationToken = field(default_factory=CancellationToken)
    may_wait: bool = True
    """Whether a lap waits for the CRM's lag before it sends; else what is to be sent is left to a later one."""
    acts: bool = True
    """False: reads, and changes nothing (`plan`)."""
    connections: Mapping[str, Marked] = field(default_factory=dict)
    errors: dict[str, CrmError] = field(default_factory=dict)
    """By connection: why nothing is sent or written there."""
    unread: set[str] = field(default_factory=set)
    """The connections whose mark was not seen to be ours when it was last looked for: they wait for whoever looks."""
    held: dict[str, datetime] = field(default_factory=dict)
    """By connection: until when mail waits in this lap."""
    _looked: dict[str, datetime] = field(default_factory=dict)
    _waiting: set[str] = field(default_factory=set)
    """The connections whose store was somewhere else when the mark was renewed."""

    def begin(self, connections: Mapping[str, Marked], *, looks: bool = True) -> None:
        """Take over the live connections of a lap; those whose mark was not read for an hour are looked at now.

        Where nobody `looks`, what was last seen holds: so that who neither sends nor writes waits for no CRM.
        """
        self.connections = {name: connection for name, connection in connections.items() if connection.has_key}
        self.errors = {
            name: keyless(name)
            for name, connection in connections.items()
            if connection.wants_key and not connection.has_key
        }
        for name in self.connections:
            with self.store.read() as tx:
                read_at = marks.read_at(tx, name)
            if not looks:
                if read_at is None:
                    self.unread.add(name)
            elif read_at is None or not timedelta() <= self.clock.now() - read_at < RENEWED_EVERY:
                self._look(name)

    def may_write(self, name: str) -> bool:
        """Tell whether something may be written to a connection now."""
        if not self._is_ours(name):
            return False
        return self._own(name).firm or name in self._waiting or not self.acts or self._has_waited(name)

    def may_send(self, name: str) -> bool:
        """Tell whether mail to customers of a connection may be sent now; where a later lap will, `held` says from when on."""
        if not self._is_ours(name):
            return False
        if name in self._waiting:
            self.held[name] = self.clock.now() + RENEWED_EVERY
            return False
        return not self.acts or self._has_waited(name)

    def require(self, name: str) -> None:
        """Raise why nothing may be written to a connection now, if so: a `CrmError`."""
        if self.may_write(name):
            return
        if name in self.errors:
            raise self.errors[name]
        raise _not_yet(name)

    # ── looking ──

    def _is_ours(self, name: str) -> bool:
        if name not in self.connections:
            return True
        looked = self._looked.get(name)
        if name not in self.errors and (looked is None or not timedelta() <= self.clock.now() - looked < FRESH):
            self._look(name)
        return name not in self.errors

    def _look(self, name: str) -> None:
        """Read the mark, and renew it where that is due; what stands in the way is kept in `errors`."""
        connection = self.connections[name]
        try:
            with self._alone(name):
                self._follow(connection, look(connection), self.clock.now())
        except CrmError as error:
            self.errors[name] = error
        except SettingsError as error:
            first = error.problems[0]
            self.errors[name] = MarkError(first.what, where=first.where, remedy=first.remedy)
        except AfterwordError as error:
            self.errors[name] = MarkError(error.what, where=error.where, remedy=error.remedy)
        if name in self.errors and self.acts:
            with self.store.write() as tx:
                marks.note_read(tx, name, None)

    @contextmanager
    def _alone(self, name: str) -> Iterator[None]:
        """Look while nobody else of this installation does: two that renew at once would each take the other for a copy."""
        if not self.acts:
            yield
            return
        while (lease := leases.acquire(self.store, f"mark:{name}")) is None:
            if self.stop.wait(_LOOK_AGAIN_SECONDS):
                raise Unavailable("the lap was stopped before the installation's mark was read.", where=name)
        with leases.kept(self.store, lease):
            yield

    def _follow(self, connection: Marked, seen: Seen, now: datetime) -> None:
        own = self._own(connection.name)
        place = place_of(self.store.url) if self.acts else (*own.places, "")[0]  # `plan` works on a copy of the store
        if seen.task is not None and seen.mark is None:
            raise _unreadable(connection.name, seen)
        installation = (ensure_id if self.acts else _read_or_none)(self.base)
        verdict = judge(seen.mark, own, installation=installation, place=place, now=now)
        if verdict is MarkVerdict.FOREIGN:
            assert seen.mark is not None  # noqa: S101 - without one there is nobody else
            raise foreign(connection.name, seen.mark, installation)
        self._waiting.discard(connection.name)
        if verdict is MarkVerdict.WAIT:
            self._waiting.add(connection.name)
        elif verdict is not MarkVerdict.OURS and self.acts:
            renew(
                self.store,
                connection,
                seen,
                installation=installation,
                now=now,
                firm=verdict is MarkVerdict.RENEW,
                adopted=verdict is MarkVerdict.TAKE_OVER,
            )
        self._looked[connection.name] = now
        if self.acts:
            self._note(connection, seen, now)

    def _note(self, connection: Marked, seen: Seen, now: datetime) -> None:
        own = self._own(connection.name)
        with self.store.write() as tx:
            if not own.confirmed and seen.mark is not None and confirms(seen.mark, own, connection.reader.lag, now):
                marks.confirm(tx, connection.name)
            marks.note_read(tx, connection.name, now)

    # ── waiting ──

    def _has_waited(self, name: str) -> bool:
        """Wait until the newest run is confirmed. False: it is not, and a later lap will know."""
        if name not in self.connections:
            return True
        lag = self.connections[name].reader.lag
        if self._own(name).confirmed:
            return True
        left = wait_left(self._own(name), lag, self.clock.now())
        if left and not self.may_wait:
            self.held[name] = self.clock.now() + left
            return False
        if left:
            log.info(
                "waiting to see that no other installation works on this CRM", crm=name, seconds=left.total_seconds()
            )
            self._sleep(left)
        if self.stop.is_set():
            return False
        self._look(name)
        return name not in self.errors and self._own(name).confirmed

    def _sleep(self, left: timedelta) -> None:
        until = self.clock.now() + left
        while not self.stop.is_set() and (seconds := (until - self.clock.now()).total_seconds()) > 0:
            self.clock.sleep(min(seconds, _SLICE_SECONDS))

    def _own(self, name: str) -> OwnRuns:
        with self.store.read() as tx:
            return marks.own_runs(tx, name)


def look(connection: Marked) -> Seen:
    """Read the mark. Raises any `CrmError`."""
    mapping = connection.mapping
    names = [name for name in ("body", "subject") if name in mapping.names("task")]
    fields = [mapping.crm_field("task", name) for name in names]
    record = connection.reader.find(mapping.object_of("task"), mapping.crm_field("task", "key"), MARK_KEY, fields)
    if record is None:
        return Seen(None, None)
    texts = [str(record.fields.get(name) or "") for name in fields]
    mark = next((mark for text in texts if (mark := read_text(text)) is not None), None)
    return Seen(mark, record.id, in_body="body" not in names and SUBJECT in texts)


def renew(
    store: Store, connection: Marked, seen: Seen, *, installation: str, now: datetime, firm: bool, adopted: bool = False
) -> None:
    """Write a new run into the mark, or make it: into the store first, so that it is ours whatever becomes of the answer.

    Raises any `CrmError`: it was refused, or nobody knows.
    """
    with store.write() as tx:
        own = renewed(
            marks.own_runs(tx, connection.name),
            seen.mark,
            new_id(),
            place=place_of(store.url),
            now=now,
            firm=firm,
            adopted=adopted,
        )
        marks.keep(tx, connection.name, own)
    write = _write(connection, seen, Mark(installation, str(own.run), now))
    (result,) = connection.writer.write([write])
    if result.error is not None:
        raise _refused(connection.name, result.error)


@dataclass(frozen=True, slots=True)
class MarkState:
    """What is told of a mark, in a sentence, by `check` and `setup-crm`."""

    sentence: str
    error: MarkError | None = None
    """Why nothing would be sent or written."""
    missing: bool = False
    """It is still to be made."""


def state_of(store: Store, connection: Marked, base: Path, now: datetime) -> MarkState:
    """Return how a mark stands. Reads only. Raises any `CrmError`."""
    if not connection.has_key:
        return MarkState("", keyless(connection.name), missing=True) if connection.wants_key else MarkState("")
    seen = look(connection)
    if seen.task is not None and seen.mark is None:
        return MarkState("", _unreadable(connection.name, seen))
    if seen.mark is None:
        return MarkState(
            f"{connection.name}: nobody has marked this CRM as theirs yet; `setup-crm` or the first live lap does.",
            missing=True,
        )
    with store.read() as tx:
        own = marks.own_runs(tx, connection.name)
    installation, place = _read_or_none(base), place_of(store.url)
    verdict = judge(seen.mark, own, installation=installation, place=place, now=now)
    if verdict is MarkVerdict.FOREIGN:
        return MarkState("", foreign(connection.name, seen.mark, installation))
    waits = (
        " Its mail waits until it is known that the store is in use here alone." if verdict is MarkVerdict.WAIT else ""
    )
    return MarkState(
        f"{connection.name}: marked as this installation's, last on {seen.mark.at:%Y-%m-%d %H:%M} UTC.{waits}"
    )


def make(store: Store, connection: Marked, base: Path, now: datetime, *, take_over: bool = False) -> None:
    """Mark a CRM as this installation's, where nobody has, or by the admin's word whoever has.

    Raises any `CrmError`, and `AfterwordError` where the installation's id cannot be kept.
    """
    if not connection.has_key:
        raise keyless(connection.name)
    seen = look(connection)
    if seen.task is None or take_over:
        renew(store, connection, seen, installation=ensure_id(base), now=now, firm=False, adopted=True)


def remove(store: Store, connection: Marked, base: Path, now: datetime) -> bool:
    """Take our mark away; returns whether it was there and ours. Raises any `CrmError`."""
    if not connection.has_key:
        return False
    seen = look(connection)
    with store.read() as tx:
        own = marks.own_runs(tx, connection.name)
    if seen.task is None or seen.mark is None:
        return False
    if (
        judge(seen.mark, own, installation=_read_or_none(base), place=place_of(store.url), now=now)
        is MarkVerdict.FOREIGN
    ):
        return False
    connection.writer.delete(connection.mapping.object_of("task"), seen.task)
    with store.write() as tx:
        marks.forget(tx, connection.name)
    return True


def _write(connection: Marked, seen: Seen, mark: Mark) -> Write:
    """Its due date moves on with it: a CRM may put old activities into an archive, where they cannot be changed."""
    mapping, text = connection.mapping, text_of(mark)
    has_body = "body" in mapping.names("task")
    values: dict[str, FieldValue | date] = {
        "key": MARK_KEY,
        "subject": SUBJECT if has_body else text,
        "body": text,
        "status": "closed",
        "due": mark.at.date(),
        "due_at": mark.at,
    }
    try:
        rendered = mapping.render("task", values)
    except MappingError as error:
        raise _refused(connection.name, SchemaChanged(f"{error.field}: {error.what}", remedy=error.remedy)) from error
    fields = {mapping.crm_field("task", name): raw for name, raw in rendered.items() if name != "key"}
    external = (mapping.crm_field("task", "key"), MARK_KEY) if seen.task is None else None
    return Write(MARK_KEY, mapping.object_of("task"), fields, id=seen.task, external=external)


def _read_or_none(base: Path) -> str:
    return read_id(base) or ""


# ── what is said ─────────────────────────────────────────────────────────────────────────────────────────────────────


def foreign(crm: str, mark: Mark, installation: str) -> MarkError:
    """Return that another installation works on the CRM."""
    who = "a copy of this installation" if mark.installation == installation else "another installation"
    return MarkError(
        f"{who} (id {mark.installation}) works on this CRM; it last said so on {mark.at:%Y-%m-%d %H:%M} UTC. "
        "So that customers do not get everything twice, nothing is sent or written here.",
        where=f"{crm}: the installation's mark",
        remedy=f"Stop one of them. If this one is to go on, run `afterword setup-crm --crm {crm} --take-over`.",
    )


def keyless(crm: str) -> MarkError:
    """Return that the mark cannot be kept, because the key of our tasks is not there."""
    return MarkError(
        "the field with the key of our tasks is not there, or may not be written. Without it nothing would tell whether another "
        "installation works on this CRM too, so nothing is sent or written here.",
        where=f"{crm}: the installation's mark",
        remedy=f"Run `afterword setup-crm --crm {crm}`.",
    )


def _unreadable(crm: str, seen: Seen) -> MarkError:
    if seen.in_body:
        return MarkError(
            "which installation works on this CRM stands in the body of a task, and the task's body is not mapped, or not shown "
            "to us, any more, so nothing is sent or written here.",
            where=f"{crm}: the installation's mark",
            remedy="Put `body` back into [write.task], and let the integration user edit its field; or, if no other installation "
            f"works on this CRM, run `afterword setup-crm --crm {crm} --take-over`.",
        )
    return MarkError(
        "somebody has changed the text of the task that says which installation works on this CRM, so nothing is sent or written here.",
        where=f"{crm}: the installation's mark",
        remedy=f"If no other installation works on it, run `afterword setup-crm --crm {crm} --take-over`.",
    )


def _refused(crm: str, error: CrmError) -> CrmError:
    error.what = f"the task that says which installation works on this CRM could not be written, so nothing is sent: {error.what}"
    error.where = f"{crm}: the installation's mark"
    error.remedy = (
        error.remedy or "Let the integration user create and change tasks, and set the fields in [write.task]."
    )
    return error


def _not_yet(crm: str) -> CrmError:
    error = MarkError(
        "it is not certain yet that no other installation works on this CRM, so nothing was written.",
        where=f"{crm}: the installation's mark",
        remedy="The next lap does it.",
    )
    error.permanent = False
    return error
