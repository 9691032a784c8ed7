"""What `check` asks one CRM: whether it is reached, whether each field, right and page is as it should be, and what was read so far."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal, cast

from connector.commands import setup_crm
from connector.commands.check.conditions import conditions
from connector.domain import field_room
from connector.errors import CrmError, Problem
from connector.model import Ownership
from connector.ports import Clock, CrmMapping, FieldSpec, ObjectSchema, Org
from connector.settings.time_zones import find_zone
from connector.stages.connection import ownership, rights
from connector.stages.connection.connect import Endpoint, describe_all
from connector.stages.connection.mark_keeper import Marked, state_of
from connector.stages.deliver import recipients
from connector.stages.installation import Installation
from connector.stages.write_back import task_associations
from connector.store.crm import owners
from connector.store.crm.record_counts import Stored, stored
from connector.store.ops import call_counts, connections
from connector.store.outbox import retries

SKEW = timedelta(minutes=2)
"""How far the machine's clock may be off the CRM's before times on records look wrong."""
NOTICE = timedelta(days=120)
"""How long before the end of an API version's support an admin is told."""
UNREAD = 0.01
"""Which share of an object's records may be absent from the store before an admin is told: some change while they are counted."""
FEW = 10
"""So many absent ones are no news, however small the object."""
TASK = "task"


@dataclass(frozen=True, slots=True)
class Count:
    """The records of one object."""

    crm: int
    """How many the mapping's conditions match in the CRM."""
    store: int
    """How many of them were read and understood."""
    complete: bool
    """Whether everything has been read once."""


@dataclass(slots=True)
class CrmCheck:
    """The check of one connection; `counts` is filled by `problems`."""

    installation: Installation
    endpoint: Endpoint
    counts: dict[str, Count] = field(default_factory=dict)
    schemas: Mapping[str, ObjectSchema] = field(default_factory=dict)
    org: Org | None = None
    """Filled by `problems`; None: it could not be reached."""
    mark: str = ""
    """Filled by `problems`: how the installation's mark stands, in a sentence."""

    def problems(self) -> list[Problem]:
        """Return every problem. What cannot be asked after a failure is left out: the failure is the first to put right."""
        refused = list(self._refused_before())
        try:
            schemas = describe_all(self.endpoint.adapter, self.endpoint.mapping)
            org = self.endpoint.adapter.org()
        except CrmError as error:
            return [self._failure(error)]
        self.schemas = schemas
        mapping, fitting = self.endpoint.mapping.fit(schemas, self._ownership(schemas))
        self.org = org
        problems = [
            *refused,
            *self._addressees(org),
            *clock_and_version(self._where, org, self.installation.clock),
            *fitting,
            *self._nothing_of_ours(mapping),
            *self._surveys(mapping),
            *self._zones(),
        ]
        if call_counts.is_ready(self.installation.store):
            with self.installation.store.write() as tx:
                retries.again(tx, self.endpoint.name)  # whoever checks may have put something right
        try:
            problems += self._asked(mapping, org)
        except CrmError as error:
            problems.append(self._failure(error))
        return problems

    def _ownership(self, schemas: Mapping[str, ObjectSchema]) -> Ownership:
        """Return whose the fields are, as the next lap will know it."""
        if not call_counts.is_ready(self.installation.store):
            return Ownership()
        return ownership.seen(self.installation.store, self.endpoint.adapter, self.endpoint.mapping, schemas)

    @property
    def _where(self) -> str:
        return f"{self.installation.settings.path.name}: crm.{self.endpoint.name}"

    def _refused_before(self) -> Iterator[Problem]:
        """Yield that a lap was refused with these credentials, which let us in now."""
        if not call_counts.is_ready(self.installation.store):
            return
        with self.installation.store.write() as tx:
            refused = connections.refused(tx, self.endpoint.name, self.endpoint.credentials)
        if refused is not None:
            what = f"is not called in laps: {refused.what} Just now it let us in."
            yield Problem(self._where, what, f"Run `afterword resume --crm {self.endpoint.name}`.")

    def _addressees(self, org: Org) -> Iterator[Problem]:
        settings = self.installation.settings
        if self.endpoint.mode_live and org.test_kind and not recipients.allowed(settings):
            yield recipients.unnamed(settings, self.endpoint.name, org.test_kind)

    def _mark(self, mapping: CrmMapping) -> Iterator[Problem]:
        """Read the installation's mark. While observing, another's is none of our business but news."""
        if not call_counts.is_ready(self.installation.store):
            return
        connection = Marked(self.endpoint.name, self.endpoint.adapter, self.endpoint.adapter, mapping)
        state = state_of(
            self.installation.store, connection, self.installation.settings.base, self.installation.clock.now()
        )
        self.mark = state.sentence
        if any(True for _ in self._nothing_of_ours(mapping)):
            return  # the key of our tasks is one of them, and setup-crm makes all
        if state.error is not None and (self.endpoint.mode_live or not state.missing):
            severity: Literal["error", "warning"] = "error" if self.endpoint.mode_live else "warning"
            yield Problem(self._where, state.error.what, state.error.remedy, severity=severity)

    def _failure(self, error: CrmError) -> Problem:
        return Problem(self._where, error.what, error.remedy)

    def _asked(self, mapping: CrmMapping, org: Org) -> Iterator[Problem]:
        yield from self._mark(mapping)
        yield from self._reading(mapping, org)
        for left in mapping.foreign:
            held = ownership.filled(self.endpoint.adapter, left.object, left.field)
            yield Problem(left.where, f"{left.what} {held}", left.remedy)
        yield from self._stale(mapping)
        yield from self._room(mapping)
        for what in task_associations.unrelatable(self.endpoint.adapter, mapping).values():
            where = f"{self.endpoint.mapping_name}: task.related"
            yield Problem(where, what, task_associations.REMEDY, severity="warning")
        adapter = self.endpoint.adapter
        for right in adapter.missing_rights(rights.needs(mapping)):
            yield Problem(self._where, f"the connection lacks a right that it needs: {right.name}.", right.remedy)
        for unseen in adapter.unseen(mapping.wanted_fields()):
            what = f"{unseen.object}: the {unseen.page} do not show {', '.join(unseen.fields)}."
            yield Problem(self._where, what, f"Drag them in: {unseen.path}, Save.", severity="warning")

    def _nothing_of_ours(self, mapping: CrmMapping) -> Iterator[Problem]:
        """Yield that a live connection has nowhere to write to: answers would come in, and nobody would see them."""
        if self.endpoint.mode_live and len(self._missing(mapping)) == len(mapping.wanted_fields()) > 0:
            what = "is live, and none of our fields is there, so nobody would see a score, and no task could be made."
            yield Problem(self._where, what, "Run `afterword setup-crm`; `--dry-run` shows what it would make.")

    def _missing(self, mapping: CrmMapping) -> list[FieldSpec]:
        """Return which of our fields the CRM does not show us."""
        shown = {(name, field) for name, schema in self.schemas.items() for field in schema.fields}
        return [spec for spec in mapping.wanted_fields() if (spec.object, spec.name) not in shown]

    def _room(self, mapping: CrmMapping) -> Iterator[Problem]:
        """Yield which of our fields cannot be made, because the CRM's edition has no room for them."""
        wanted = mapping.wanted_fields()
        missing = self._missing(mapping)
        if not missing:
            return
        limits = self.endpoint.adapter.field_limits(tuple(dict.fromkeys(spec.object for spec in missing)))
        if field_room.left_out(missing, limits):  # some of those may be there, and only hidden from us
            steps = self.endpoint.adapter.plan_setup(wanted)
            for left_out in setup_crm.left_out(self.endpoint.adapter, wanted, steps):
                yield Problem(
                    f"{self.endpoint.mapping_name}: write", left_out.what, left_out.remedy, severity="warning"
                )

    def _stale(self, mapping: CrmMapping) -> Iterator[Problem]:
        """Yield fields that go on showing what was written there before a line named another: people cannot tell it from the new."""
        if not call_counts.is_ready(self.installation.store):
            return
        for stale_field in ownership.stale(self.installation.store, self.endpoint.adapter, mapping, self.schemas):
            held = ownership.filled(self.endpoint.adapter, stale_field.object, stale_field.path)
            if held.holds:
                place = f"{stale_field.object}.{stale_field.path}"
                yield Problem(
                    f"{self.endpoint.mapping_name}: write.{stale_field.target}.{stale_field.name}",
                    f"{place} is stale: what Afterword wrote there stands on, though nothing is written to it any more. {held}",
                    f"`afterword undo {self.endpoint.name} --field {place}` takes it back; or delete the field in the CRM.",
                    severity="warning",
                )

    # ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _reading(self, mapping: CrmMapping, org: Org) -> Iterator[Problem]:
        """Ask for what a lap asks for: that fields can be selected, filtered and sorted by is proven by no description."""
        known = stored(self.installation.store, self.endpoint.name, [query.object for query in mapping.queries])
        for query in mapping.queries:
            try:
                next(iter(self.endpoint.adapter.changes(query, since=org.server_time, after=None)), None)
                here = self.endpoint.adapter.count(query)
            except CrmError as error:
                yield Problem(f"{self.endpoint.mapping_name}: {query.object}", error.what, error.remedy)
                continue
            if query.object in known and TASK not in mapping.kinds(query.object):
                yield from self._compared(query.object, here, known[query.object])

    def _compared(self, object_name: str, here: int, known: Stored) -> Iterator[Problem]:
        self.counts[object_name] = Count(here, known.records, known.complete)
        absent = here - known.records
        if known.complete and absent > max(FEW, UNREAD * here):
            yield Problem(
                self._where,
                f"{absent:,} of {here:,} {object_name} records are not in the store, though all were read once.",
                "`afterword status` names those that could not be understood. If they are not there, please report it.",
                severity="warning",
            )

    # ── people ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def _zones(self) -> Iterator[Problem]:
        """Yield the users' time zones that cannot be read; each is told once, with somebody who has it."""
        if not call_counts.is_ready(self.installation.store):
            return
        with self.installation.store.read() as tx:
            users = owners.with_zones(tx, self.endpoint.name)
        names: dict[str, list[str]] = {}
        for name, timezone in users:
            if find_zone(timezone) is None:
                names.setdefault(timezone, []).append(name)
        here = self.installation.settings.company.timezone.key
        for zone, people in names.items():
            others = f" and {len(people) - 1} more" if len(people) > 1 else ""
            what = f"the time zone {zone!r} of {people[0]}{others} is not known, so theirs is the company's: {here}."
            remedy = 'Choose another in the CRM, such as "Europe/Helsinki", or leave it.'
            yield Problem(self._where, what, remedy, severity="warning")

    # ── surveys ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _surveys(self, mapping: CrmMapping) -> Iterator[Problem]:
        elsewhere = len(self.installation.endpoints) > 1
        for name, survey in self.installation.settings.surveys.items():
            where = f"{self.installation.settings.path.name}: surveys.{name}"
            if survey.on in mapping.events:
                yield from conditions(where, survey.on, cast("dict[str, Sequence[object]]", survey.where), mapping)
                continue
            yield Problem(
                f"{where}.on",
                f"{survey.on!r} cannot happen in {self.endpoint.name}: this kind is not readable there, so nobody is asked.",
                "Correct what is said about this kind in the mapping, give the integration user the right to read it, "
                "or remove the survey.",
                severity="warning" if elsewhere else "error",
            )


def clock_and_version(where: str, org: Org, clock: Clock) -> Iterator[Problem]:
    """Yield how the machine's clock is off, and whether the version of the API that is spoken comes to its end."""
    skew = clock.now() - org.server_time
    if abs(skew) > SKEW:
        minutes, side = round(abs(skew).total_seconds() / 60), "ahead of" if skew > timedelta() else "behind"
        what = f"this machine's clock is {minutes} minutes {side} the CRM's."
        yield Problem(where, what, "Let it be set by NTP.", severity="warning")
    if org.supported_until is not None and org.supported_until - clock.now() < NOTICE:
        over = org.supported_until <= clock.now()
        yield Problem(
            where,
            f"version {org.api_version} of the CRM's API {'was' if over else 'is'} supported until "
            f"{org.supported_until:%d %B %Y}.",
            "Update Afterword now." if over else "Update Afterword before then.",
            severity="warning",
        )
