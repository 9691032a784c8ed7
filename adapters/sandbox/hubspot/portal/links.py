"""Associations between records: their types, with a direction each, and which records they join."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any

from adapters.sandbox.hubspot.errors import HubSpotError
from adapters.sandbox.hubspot.portal.schema import PortalObjectType, PortalSchema

HUBSPOT_DEFINED, USER_DEFINED = "HUBSPOT_DEFINED", "USER_DEFINED"
PRIMARY = "Primary"
PARENT = "Parent Company"
Pair = tuple[str, str]
TypeIds = tuple[int, ...]


@dataclass(frozen=True)
class LinkType:
    """A type of association from one object to another; `inverse` is the id of its other direction.

    The usual type of a pair has no label.
    """

    type_id: int
    inverse: int
    source: str
    target: str
    name: str
    label: str | None = None
    category: str = HUBSPOT_DEFINED

    def as_json(self) -> dict[str, Any]:
        """The type on the wire."""
        return {"category": self.category, "typeId": self.type_id, "label": self.label}


class PortalLinks:
    """All associations of a portal; both directions are kept, so that either end finds the other.

    `changed` is told of every change: between which objects, and of which record of the first.
    """

    def __init__(self, schema: PortalSchema) -> None:
        self._schema = schema
        self._types: dict[Pair, dict[int, LinkType]] = defaultdict(dict)
        self._joined: dict[Pair, dict[int, dict[int, TypeIds]]] = defaultdict(dict)
        self._last_own = 0
        self._journals: list[list[tuple[Pair, int, int, TypeIds]]] = []
        self.changed: Callable[[Pair, int], None] = lambda *_: None
        self._furnish()

    # Types

    def types(self, source: PortalObjectType, target: PortalObjectType) -> list[LinkType]:
        """The types that lead from one object to another."""
        return list(self._types[source.name, target.name].values())

    def type(self, source: PortalObjectType, target: PortalObjectType, category: str, type_id: int) -> LinkType:
        """The type with an id; raises HubSpotError when it does not lead from `source` to `target`."""
        link_type = self._types[source.name, target.name].get(type_id)
        if link_type is None or link_type.category != category:
            words = f"Association type {category}:{type_id} from {source.type_id} to {target.type_id} doesn't exist"
            raise HubSpotError(words, sub_category="crm.associations.INVALID_ASSOCIATION_TYPE")
        return link_type

    def leading(self, source: PortalObjectType, category: str, type_id: int) -> LinkType:
        """The type with an id, wherever it leads from `source`; raises HubSpotError."""
        for (start, _), types in self._types.items():
            if start == source.name and type_id in types and types[type_id].category == category:
                return types[type_id]
        raise HubSpotError(f"Association type {category}:{type_id} doesn't exist for {source.word}")

    def named(self, source: PortalObjectType, target: PortalObjectType, name: str) -> LinkType:
        """The type with a name or, in digits, an id; raises HubSpotError."""
        for link_type in self._types[source.name, target.name].values():
            if name in (link_type.name, str(link_type.type_id)):
                return link_type
        raise HubSpotError(f"Association type {name} from {source.name} to {target.name} doesn't exist")

    def default(self, source: PortalObjectType, target: PortalObjectType) -> LinkType:
        """The type without a label; raises HubSpotError when the two objects cannot be associated."""
        for link_type in self._types[source.name, target.name].values():
            if link_type.label is None:
                return link_type
        raise HubSpotError(f"No association types exist between {source.name} and {target.name}")

    def add_label(
        self,
        source: PortalObjectType,
        target: PortalObjectType,
        name: str,
        label: str,
        inverse_label: str | None = None,
    ) -> list[LinkType]:
        """Makes a label, in both directions; returns the types that it brings."""
        there = self._new_number(source, target)
        back = there if source is target and inverse_label is None else self._new_number(source, target)
        back_label = inverse_label or label
        link_types = [LinkType(there, back, source.name, target.name, name, label, USER_DEFINED)]
        if back != there:
            link_types.append(LinkType(back, there, target.name, source.name, name, back_label, USER_DEFINED))
        for link_type in link_types:
            self._types[link_type.source, link_type.target][link_type.type_id] = link_type
        return link_types

    def _new_number(self, source: PortalObjectType, target: PortalObjectType) -> int:
        """Counts labels from 1 on, as accounts do: HubSpot's types between other objects may have the same numbers."""
        taken = {*self._types[source.name, target.name], *self._types[target.name, source.name]}
        self._last_own = next(number for number in count(self._last_own + 1) if number not in taken)
        return self._last_own

    def rename_label(
        self, source: PortalObjectType, target: PortalObjectType, type_id: int, labels: Sequence[str | None]
    ) -> None:
        """Gives a label and its other direction new words; raises HubSpotError."""
        there = self.type(source, target, USER_DEFINED, type_id)
        back = self._types[target.name, source.name][there.inverse]
        for link_type, label in zip((there, back), labels, strict=True):
            renamed = LinkType(
                link_type.type_id,
                link_type.inverse,
                link_type.source,
                link_type.target,
                link_type.name,
                label or link_type.label,
                USER_DEFINED,
            )
            self._types[link_type.source, link_type.target][link_type.type_id] = renamed

    def drop_label(self, source: PortalObjectType, target: PortalObjectType, type_id: int) -> None:
        """Takes a label away, from the records too; raises HubSpotError."""
        there = self.type(source, target, USER_DEFINED, type_id)
        for pair, gone in (((source.name, target.name), type_id), ((target.name, source.name), there.inverse)):
            self._types[pair].pop(gone, None)
            for record_id, ends in list(self._joined[pair].items()):
                for other in list(ends):
                    self._subtract(pair, record_id, other, {gone})

    # Records

    def of(self, source: str, record_id: int, target: str) -> Mapping[int, TypeIds]:
        """The records of `target` that a record is associated with, and by which types."""
        return self._joined[source, target].get(record_id, {})

    def all_of(self, source: str, record_id: int) -> dict[str, list[int]]:
        """Everything that a record is associated with, by object."""
        return {
            target: list(joined[record_id])
            for (start, target), joined in list(self._joined.items())
            if start == source and record_id in joined
        }

    def join(
        self,
        source: PortalObjectType,
        record_id: int,
        target: PortalObjectType,
        other_id: int,
        types: Iterable[LinkType] = (),
    ) -> list[LinkType]:
        """Associates two records and returns the types that they hold then.

        The type without a label always comes along; the first company of a record becomes its primary one, and a new primary
        one takes the place of the old.
        """
        wanted = {link_type.type_id: link_type for link_type in (*types, self.default(source, target))}
        primary = self._primary(source.name, target.name)
        if primary and self._first(source, record_id, target):
            wanted[primary.type_id] = primary
        back = self._primary(target.name, source.name)
        if back and self._first(target, other_id, source):
            opposite = self._types[source.name, target.name][back.inverse]
            wanted[opposite.type_id] = opposite
        for link_type in wanted.values():
            self._replace_primary(link_type, record_id, other_id)
            self._add(link_type, record_id, other_id)
        type_ids = self.of(source.name, record_id, target.name)[other_id]
        return [self._types[source.name, target.name][type_id] for type_id in type_ids]

    def part(
        self, source: str, record_id: int, target: str, other_id: int, type_ids: Iterable[int] | None = None
    ) -> None:
        """Ends associations between two records: all of them, or those of some types."""
        present = self.of(source, record_id, target).get(other_id)
        if present is None:
            return
        gone = set(present if type_ids is None else type_ids)
        inverse = {
            self._types[source, target][type_id].inverse for type_id in gone if type_id in self._types[source, target]
        }
        self._subtract((source, target), record_id, other_id, gone)
        self._subtract((target, source), other_id, record_id, inverse)

    def move(self, name: str, old: int, new: int) -> None:
        """Gives the associations of a record to another, which keeps its own primary ones."""
        object_type = self._schema.objects[name]
        for target_name, others in self.all_of(name, old).items():
            target = self._schema.objects[target_name]
            for other in others:
                types = [self._types[name, target_name][type_id] for type_id in self.of(name, old, target_name)[other]]
                self.part(name, old, target_name, other)
                taken = any(link_type.label == PRIMARY for link_type in types) and not self._first(
                    object_type, new, target
                )
                if (target_name, other) != (name, new):
                    self.join(
                        object_type,
                        new,
                        target,
                        other,
                        [link_type for link_type in types if not (taken and link_type.label == PRIMARY)],
                    )

    def drop(self, name: str, record_id: int) -> None:
        """Ends all associations of a record."""
        for target, others in self.all_of(name, record_id).items():
            for other in others:
                self.part(name, record_id, target, other)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Undoes the changes of records' associations in the block when it raises."""
        journal: list[tuple[Pair, int, int, TypeIds]] = []
        self._journals.append(journal)
        try:
            yield
        except BaseException:
            self._journals.pop()
            for change in reversed(journal):
                self._set(*change)
            raise
        self._journals.pop()
        if self._journals:
            self._journals[-1].extend(journal)

    def _furnish(self) -> None:
        for source, target, there, back, *labels in self._schema.associations["pairs"]:
            self._define(source, target, (there, back), labels)
        for target, activities in self._schema.associations["activities"]:
            for source, type_id in activities.items():
                self._define(source, target, (type_id, type_id - 1), [])

    def _define(self, source: str, target: str, ids: tuple[int, int], labels: Sequence[str]) -> None:
        first, other = self._schema.objects[source].singular, self._schema.objects[target].singular
        label, back = labels or (None, None)
        plain = label is None and bool(self._types[source, target]) and source != target
        suffix = "_unlabeled" if plain else ""
        names = (f"{first}_to_{other}{suffix}", f"{other}_to_{first}{suffix}")
        if label and label != PRIMARY:
            names = ("parent_to_child_company", "child_to_parent_company")
        self._types[source, target][ids[0]] = LinkType(*ids, source, target, names[0], label)
        self._types[target, source][ids[1]] = LinkType(ids[1], ids[0], target, source, names[1], back)

    def _primary(self, source: str, target: str) -> LinkType | None:
        if target != "companies":
            return None
        return next(
            (link_type for link_type in self._types[source, target].values() if link_type.label == PRIMARY), None
        )

    def _first(self, source: PortalObjectType, record_id: int, target: PortalObjectType) -> bool:
        return not self.of(source.name, record_id, target.name)

    def _replace_primary(self, kind: LinkType, record_id: int, other_id: int) -> None:
        """One company at most is primary, whichever end the association was made from."""
        if kind.label != PRIMARY:
            return
        if kind.target == "companies":
            ends, type_id, company = (kind.source, record_id), kind.type_id, other_id
        else:
            ends, type_id, company = (kind.target, other_id), kind.inverse, record_id
        for linked, types in list(self.of(*ends, "companies").items()):
            if linked != company and type_id in types:
                self.part(*ends, "companies", linked, [type_id])

    def _add(self, kind: LinkType, record_id: int, other_id: int) -> None:
        self._put((kind.source, kind.target), record_id, other_id, kind.type_id)
        self._put((kind.target, kind.source), other_id, record_id, kind.inverse)

    def _put(self, pair: Pair, record_id: int, other_id: int, type_id: int) -> None:
        present = self._joined[pair].get(record_id, {}).get(other_id, ())
        if type_id not in present:
            self._change(pair, record_id, other_id, tuple(sorted((*present, type_id))))

    def _subtract(self, pair: Pair, record_id: int, other_id: int, gone: set[int]) -> None:
        present = self._joined[pair].get(record_id, {}).get(other_id, ())
        self._change(pair, record_id, other_id, tuple(type_id for type_id in present if type_id not in gone))

    def _change(self, pair: Pair, record_id: int, other_id: int, types: TypeIds) -> None:
        if self._journals:
            before = self._joined[pair].get(record_id, {}).get(other_id, ())
            self._journals[-1].append((pair, record_id, other_id, before))
        self._set(pair, record_id, other_id, types)

    def _set(self, pair: Pair, record_id: int, other_id: int, types: TypeIds) -> None:
        joined = self._joined[pair]
        ends = joined.setdefault(record_id, {})
        if types:
            ends[other_id] = types
        else:
            ends.pop(other_id, None)
        if not ends:
            del joined[record_id]
        self.changed(pair, record_id)
