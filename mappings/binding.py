"""Fitting a mapping file to the schema of a live CRM."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

from connector.errors import Problem
from connector.model import EMAIL_BOUNCED, ForeignField, Ownership
from connector.ports import Condition, FieldSchema, FieldSpec, ObjectSchema, Query
from mappings import fingerprints
from mappings.bound import BoundPart, FittedMapping
from mappings.check import Section, find, known, unmade, writable
from mappings.conditions import Holds, all_of, for_query
from mappings.converters import fact_type
from mappings.fields import Facts, Test, WonDeal
from mappings.fingerprints import KindTypes
from mappings.ownership import foreign, is_ours, is_shared
from mappings.readers import (
    EMAIL_INVALID,
    Build,
    account_builder,
    carries,
    contact_builder,
    interaction_builder,
    owner_builder,
    task_builder,
)
from mappings.spec import InteractionMap, Spec, WriteMap
from mappings.writers import Written, converter_for, form_of, spec_of

TASK = "task"


@dataclass(frozen=True, slots=True)
class MappingFile:
    """A mapping as its file says it."""

    file: str
    spec: Spec

    def with_causes(self, causes: Mapping[str, str]) -> "MappingFile":
        """Return the mapping whose field for causes has these options, by our keys; without causes it has none such field."""
        lines = [line for line in self.spec.write["task"] if line.name != "cause" or causes]
        written = [
            line.model_copy(update={"options": tuple(causes), "values": {**causes, **line.values}})
            if line.name == "cause"
            else line
            for line in lines
        ]
        write = {**self.spec.write, "task": tuple(written)}
        return replace(self, spec=self.spec.model_copy(update={"write": write}))

    @property
    def objects(self) -> tuple[str, ...]:
        """Return the CRM objects whose schemas `fit` needs, in the order in which they are read."""
        spec = self.spec
        names = [spec.owner.object, spec.account.object, spec.contact.object]
        names += [interaction.object for interaction in spec.interactions] + [spec.task.object]
        return tuple(dict.fromkeys(names))

    @property
    def events(self) -> frozenset[str]:
        """Return what surveys can be triggered by, e.g. ``case.closed``."""
        return frozenset(event for interaction in self.spec.interactions for event in interaction.events)

    def facts_for(self, event: str) -> frozenset[str]:
        """Return the names that the `where` of a survey on this event can use: facts of the interaction, its account, its contact."""
        spec = self.spec
        interactions = [interaction for interaction in spec.interactions if event in interaction.events]
        named = [spec.account.facts, spec.contact.facts, *(interaction.facts for interaction in interactions)]
        return frozenset({name for facts in named for name, _field in facts} | {EMAIL_INVALID, EMAIL_BOUNCED})

    @property
    def identity(self) -> str:
        """Return what changes with every edit that means something."""
        return fingerprints.of_text(repr(self.spec) + "".join(map(repr, self.spec.who())))

    @property
    def triggers(self) -> str:
        """Return what changes when an admin edits what ends, or who is a customer: what might make history look new."""
        return fingerprints.of_triggers(self.spec)

    @property
    def won_deal_within(self) -> timedelta | None:
        """Return within which time a won deal makes an account a customer; None where the account itself says who is one."""
        return _won_deal_within(self.spec)

    def fit(
        self, schemas: Mapping[str, ObjectSchema], ours: Ownership | None = None
    ) -> tuple[FittedMapping, list[Problem]]:
        """Return the mapping for these live schemas, and what does not fit.

        An object that is not in `schemas` is hidden from us or does not exist. With an error among the problems the mapping still
        describes and writes what it can, but not everything that the admin wants. Fields that are not `ours` are left alone; without
        it nobody is asked.
        """
        cause = self.spec.written("task", "cause")
        spec = self.spec if cause is None or cause.options else self.with_causes({}).spec
        return _Fitting(self.file, spec, schemas, ours).run()


@dataclass(slots=True)
class _Fitted:
    """One section that is there, ready to be read."""

    kind: str
    section: Section
    tests: tuple[Test, ...]
    build: Build

    @property
    def keyed(self) -> bool:
        """Whether it is recognised by our key."""
        return self.kind == TASK


@dataclass(slots=True)
class _Fitting:
    file: str
    spec: Spec
    schemas: Mapping[str, ObjectSchema]
    ours: Ownership | None
    problems: list[Problem] = field(default_factory=list)
    fitted: list[_Fitted] = field(default_factory=list)
    choices: dict[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    fact_types: dict[tuple[str, str], str] = field(default_factory=dict)
    lacking: list[tuple[str, str]] = field(default_factory=list)
    absent: list[tuple[str, str]] = field(default_factory=list)
    foreign: list[ForeignField] = field(default_factory=list)

    def run(self) -> tuple[FittedMapping, list[Problem]]:
        self._owner()
        self._account()
        self._contact()
        for interaction in self.spec.interactions:
            self._interaction(interaction)
        self._task()
        self._customers()
        queries = tuple(
            self._query(name) for name in dict.fromkeys(fitted.section.schema.name for fitted in self.fitted)
        )
        kinds = {fitted.kind for fitted in self.fitted}
        written = {target: self._written(target) for target in self.spec.write}
        mapping = FittedMapping(
            fingerprint=fingerprints.of_mapping(self.spec, queries, self._types(self.fitted), self._read_back()),
            form=form_of(written),
            fingerprints={query.object: self._fingerprint_of(query) for query in queries},
            queries=queries,
            events=frozenset(
                event
                for interaction in self.spec.interactions
                if interaction.kind in kinds
                for event in interaction.events
            ),
            parts={query.object: self._parts(query.object) for query in queries},
            targets=self._targets(),
            related_kinds=frozenset(self.spec.task.related),
            written=written,
            specs=tuple(self._specs()),
            choices=self.choices,
            fact_types=self.fact_types,
            lacking=tuple(dict.fromkeys(self.lacking)),
            absent=tuple(dict.fromkeys(self.absent)),
            foreign=tuple(self.foreign),
            won_deal_within=_won_deal_within(self.spec),
            others={target: self._others(target, fields) for target, fields in written.items()},
        )
        return mapping, self.problems

    # ── sections ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _schema(self, object_name: str) -> ObjectSchema | None:
        """Return an object's schema; None where the CRM calls it otherwise: its records would not be found by our name."""
        schema = self.schemas.get(object_name)
        return schema if schema is not None and schema.name == object_name else None

    def _section(self, key: str, object_name: str, *, optional: bool = False) -> Section | None:
        schema = self._schema(object_name)
        if schema is not None:
            return Section(self.file, key, self.schemas, schema, optional=optional)
        what, severity = f"the CRM shows us no object {object_name}.", "warning" if optional else "error"
        remedy = "Correct the name, or give the integration user the right to read it."
        if object_name in self.schemas:
            called = self.schemas[object_name].name
            what, severity = f"the CRM calls {object_name} {called}.", "error"
            remedy = f"Write {called}: capitals count here."
        self.problems.append(Problem(f"{self.file}: {key}.object", what, remedy, severity))
        return None

    def _keep(self, kind: str, section: Section, tests: tuple[Test, ...], make: Callable[[], Build]) -> None:
        """Take up a section in which nothing is missing that it needs: then its reader can be composed."""
        self.problems += section.problems
        self.lacking += [(section.schema.name, name) for name in section.lacking]
        self.absent += [(section.schema.name, name) for name in section.absent]
        if section.usable:
            self.fitted.append(_Fitted(kind, section, tests, make()))

    def _owner(self) -> None:
        spec = self.spec.owner
        section = self._section("owner", spec.object)
        if section is None:
            return
        section.one_of(spec.name, "owner.name")
        section.need([spec.email], purpose="address")
        section.need([spec.timezone])
        section.need([spec.manager], purpose="record")
        section.compare(spec.active)
        section.compare(spec.standard or ())
        section.compare(spec.where, asked=True)
        self._keep("owner", section, spec.where, lambda: owner_builder(spec, section.types))

    def _account(self) -> None:
        spec = self.spec.account
        section = self._section("account", spec.object)
        if section is None:
            return
        section.one_of(spec.name, "account.name")
        section.need([spec.owner, spec.parent], purpose="record")
        section.need([spec.link])
        if not isinstance(spec.is_customer, WonDeal):
            section.compare(spec.is_customer)
        section.compare(spec.where, asked=True)
        self._facts("account", section, spec.facts)
        shown = self._shown("account", section)
        users = self.spec.owner.object
        self._keep("account", section, spec.where, lambda: account_builder(spec, section.types, shown, users))

    def _contact(self) -> None:
        spec = self.spec.contact
        section = self._section("contact", spec.object)
        if section is None:
            return
        section.one_of(spec.name, "contact.name")
        section.need([*spec.account, spec.owner], purpose="record")
        section.need([spec.email], purpose="address")
        section.need([spec.role, spec.language])
        section.compare(spec.no_surveys)
        # Not every org keeps bounces: an optional condition on a field that is not there is nothing to tell.
        section.compare(test for test in spec.bounced if not test.field.optional or section.has(test.field.path))
        section.compare(spec.where, asked=True)
        self._facts("contact", section, spec.facts)
        shown = self._shown("contact", section)
        if "no_surveys" in shown:  # an opt-out that we offer counts without being named twice
            own = shown["no_surveys"].compared("is", True)
            spec = spec.model_copy(update={"no_surveys": (*spec.no_surveys, own)})
            section.compare([own])
        lead = {"accounts": self.spec.account.object, "users": self.spec.owner.object}
        self._keep("contact", section, spec.where, lambda: contact_builder(spec, section.types, shown, **lead))

    def _facts(self, kind: str, section: Section, facts: Facts) -> None:
        section.need((fact for _, fact in facts), lenient=True)
        for name, fact in facts:
            if (field := find(self.schemas, section.schema, fact.path)) is not None:
                self.choices[kind, name] = field.options
                self.fact_types[kind, name] = fact_type(fact.converter or field.type)

    def _interaction(self, spec: InteractionMap) -> None:
        key = f"interaction.{spec.kind}"
        section = self._section(key, spec.object, optional=spec.optional)
        if section is None:
            return
        section.need([*spec.account, *spec.contact, spec.owner], purpose="record")
        section.need([spec.updated], purpose="moment")
        section.need([spec.updated_by], purpose="record")
        section.compare(spec.where, asked=True)
        for end in spec.ended:
            section.compare(end.tests)
            section.one_of(end.at, f"{key}.ended.at", purpose="moment")
            section.need([end.all_day])
        self._facts(spec.kind, section, spec.facts)
        lead = {"accounts": self.spec.account.object, "contacts": self.spec.contact.object}
        users = self.spec.owner.object
        self._keep(
            spec.kind, section, spec.where, lambda: interaction_builder(spec, section.types, users=users, **lead)
        )

    def _task(self) -> None:
        spec = self.spec.task
        section = self._section("task", spec.object)
        if section is None:
            return
        section.need([spec.closed], purpose="moment")
        section.need([spec.owner, spec.made_by], purpose="record")
        section.compare(spec.open)
        shown = self._shown("task", section)
        if "key" not in shown:  # none of our tasks can be there yet; the missing field is reported where it is written
            self.problems += section.problems
            return
        tests = (shown["key"].compared("empty", False),)
        section.compare(tests, asked=True)
        users = self.spec.owner.object
        self._keep(TASK, section, tests, lambda: task_builder(spec, section.types, shown, users=users))

    def _customers(self) -> None:
        """Note where deals are to say who is a customer, and none can be read."""
        kinds = self.spec.winnable
        if _won_deal_within(self.spec) is None or {fitted.kind for fitted in self.fitted} & set(kinds):
            return
        what = f"goes by deals that were won, and none can be read ({', '.join(kinds)}), so nobody becomes a customer."
        remedy = "Give the integration user the right to read them, or say by a field who is a customer."
        self.problems.append(Problem(f"{self.file}: account.is_customer", what, remedy))

    def _shown(self, target: str, section: Section) -> dict[str, WriteMap]:
        """Take up what we write and can also see; of a task neither its text, which is long, nor what it hangs on."""
        shown = {}
        for line in self.spec.write[target]:
            field = section.schema.fields.get(line.path)
            if field is not None and self._reads_back(target, line, field):
                section.types[line.path] = field.type
                shown[line.name] = line
        return shown

    def _reads_back(self, target: str, line: WriteMap, field: FieldSchema) -> bool:
        """Tell if what stands in a field that we write is of interest; somebody's no to surveys is, whosever box it stands in."""
        if target == TASK:
            return line.name not in ("body", "contact", "account")
        return line.name == "no_surveys" or self._is_ours(target, line, field)

    # ── what is asked and how it is read ─────────────────────────────────────────────────────────────────────────────

    def _of(self, object_name: str) -> list[_Fitted]:
        """Return what records of an object can be: our own tasks first."""
        sections = [fitted for fitted in self.fitted if fitted.section.schema.name == object_name]
        return sorted(sections, key=lambda fitted: not fitted.keyed)

    def _key_on(self, object_name: str) -> str | None:
        """Return the field that holds our key, if this object has it: then the record is ours, whatever it looks like."""
        key = self.spec.written("task", "key")
        return key.path if key and key.path in self.schemas[object_name].fields else None

    def _query(self, object_name: str) -> Query:
        sections = self._of(object_name)
        paths = dict.fromkeys(path for fitted in sections for path in fitted.section.types)
        key = self._key_on(object_name)
        if key is not None:
            paths[key] = None
        where: list[tuple[Condition, ...]] = [for_query(fitted.tests, fitted.section.types) for fitted in sections]
        return Query(object_name, tuple(paths), tuple(dict.fromkeys(where)) if all(where) else ())

    def _parts(self, object_name: str) -> tuple[BoundPart, ...]:
        key = self._key_on(object_name)
        ours = carries(key) if key else None
        return tuple(BoundPart(part.kind, _recognise(part, ours), part.build) for part in self._of(object_name))

    def _types(self, fitted: Iterable[_Fitted]) -> list[KindTypes]:
        return [(section.kind, known(section.section.types)) for section in fitted]

    def _fingerprint_of(self, query: Query) -> str:
        back = [field for field in self._read_back() if self._targets()[field[0]] == query.object]
        return fingerprints.of_object(self.spec, query, self._types(self._of(query.object)), back)

    def _read_back(self) -> list[tuple[str, str, str]]:
        """Return which of the fields that we write are read, and as what."""
        types = {fitted.kind: fitted.section.types for fitted in self.fitted}
        return [
            (target, line.name, line.path)
            for target, lines in self.spec.write.items()
            for line in lines
            if line.path in types.get(target, {})
        ]

    # ── what is written ──────────────────────────────────────────────────────────────────────────────────────────────

    def _targets(self) -> dict[str, str]:
        spec = self.spec
        return {"account": spec.account.object, "contact": spec.contact.object, "task": spec.task.object}

    def _written(self, target: str) -> dict[str, Written]:
        schema = self._schema(self._targets()[target])
        if schema is None:
            return {}
        section = Section(self.file, f"write.{target}", self.schemas, schema)
        unmade(section, self.spec.write[target])
        written = {}
        for line in self.spec.write[target]:
            field = writable(section, line, create=target == TASK)
            if field is None:
                continue
            if self._is_ours(target, line, field):
                written[line.name] = Written(line, field, converter_for(line, field))
            else:
                self.foreign.append(foreign(section, target, line))
        self.problems += section.problems
        return written

    def _is_ours(self, target: str, line: WriteMap, field: FieldSchema) -> bool:
        """Tell if a field may be written. Our tasks are records that we made: all that is in them is ours."""
        return target == TASK or self.ours is None or is_ours(line, field, self._targets()[target], self.ours)

    def _others(self, target: str, written: Mapping[str, Written]) -> frozenset[str]:
        if target == TASK or self.ours is None:
            return frozenset()
        place = self._targets()[target]
        return frozenset(name for name, field in written.items() if is_shared(field.field, place, self.ours))

    def _specs(self) -> Iterator[FieldSpec]:
        for target, lines in self.spec.write.items():
            for line in lines:
                wanted = spec_of(line, self._targets()[target])
                if wanted is not None:
                    yield replace(wanted, key=f"write.{target}.{line.name}")


def _won_deal_within(spec: Spec) -> timedelta | None:
    who = spec.account.is_customer
    return who.within if isinstance(who, WonDeal) else None


def _recognise(fitted: _Fitted, ours: Holds | None) -> Holds | None:
    if fitted.keyed:
        return ours
    holds = all_of(fitted.tests, fitted.section.types) if fitted.tests else None
    if ours is None:
        return holds
    if holds is None:
        return lambda fields: not ours(fields)
    return lambda fields: not ours(fields) and holds(fields)
