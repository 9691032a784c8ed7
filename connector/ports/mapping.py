"""What the records of a CRM mean: a mapping turns them into the model, and values into writes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Protocol

from connector.errors import MappingError, Problem
from connector.model import FieldValue, ForeignField, Ownership, Pulled
from connector.ports.reader import ObjectSchema, Query, Record
from connector.ports.setup import FieldSpec


@dataclass(frozen=True, slots=True)
class Reading:
    """What a record means. `value` is None for a record that the mapping passes over; `error` parks it."""

    kind: str
    """account, contact, owner, task, or the interaction's kind."""
    value: Pulled | None
    error: MappingError | None = None


class CrmMapping(Protocol):
    """A mapping fitted to a live schema: optional fields that are not there are left out, lengths are the CRM's."""

    @property
    def fingerprint(self) -> str:
        """Changes when what is read, or how it is understood, changes: then everything is read again."""

    @property
    def form(self) -> str:
        """Changes when what is written, or its form, changes: then all is compared again, and what was refused is tried once more."""

    def fingerprint_of(self, object_name: str) -> str:
        """Changes when what is read of one object, or how it is understood, changes: then this object is read again."""

    @property
    def queries(self) -> Sequence[Query]:
        """What a lap reads: one query for each object, owners first, then accounts, contacts, interactions and tasks."""

    @property
    def events(self) -> frozenset[str]:
        """What surveys can be triggered by, e.g. ``case.closed``."""

    @property
    def won_deal_within(self) -> timedelta | None:
        """Within which time a won deal (an interaction that ended by ``won``) makes an account a customer; None: none does."""

    def options(self, event: str, fact: str) -> tuple[str, ...]:
        """Return the values that a fact of an event's records can have, as far as the CRM lists them; () for any."""

    def fact_type(self, event: str, fact: str) -> str:
        """Return as what a fact of an event's records is read: text, number, boolean, date, datetime; empty: it is not there."""

    def kinds(self, object_name: str) -> tuple[str, ...]:
        """Return the kinds that records of this object can be read as."""

    def read(self, connection: str, record: Record) -> Reading:
        """Return what the record means. Never raises for a bad value: that is the reading's `error`."""

    @property
    def related_kinds(self) -> frozenset[str]:
        """The kinds of interaction that a task about one is associated with, beside account and contact."""

    def object_of(self, target: str) -> str:
        """Return the CRM object that holds our ``account``, ``contact`` or ``task`` fields."""

    def names(self, target: str) -> frozenset[str]:
        """Return which of our fields are mapped (and there) on a target, by our names."""

    def render(self, target: str, values: Mapping[str, FieldValue | date]) -> dict[str, FieldValue]:
        """Return the values in the CRM's own form, by our names; those that are not mapped are left out.

        Text is cut to the field's length on a character; numbers get the field's scale; None stays None (clear).
        """

    def differs(self, target: str, name: str, desired: FieldValue, actual: FieldValue) -> bool:
        """Compare two values in the CRM's form as the CRM does: by number, trimmed, '' = empty, instants not texts."""

    def crm_field(self, target: str, name: str) -> str:
        """Return the CRM's name of one of our fields."""

    def wanted_fields(self) -> Sequence[FieldSpec]:
        """Return the fields of ours that should exist in the CRM (with those that are missing now)."""

    @property
    def foreign(self) -> Sequence[ForeignField]:
        """Fields that it names for writing, and that are not ours: they are in no other way part of what is written."""

    def shared(self, target: str) -> frozenset[str]:
        """Return which of our names on a target are written to fields that others write too: of those the CRM is asked what stands
        there in the moment of writing."""

    @property
    def lacking(self) -> Sequence[tuple[str, str]]:
        """Fields, as (object, field), that it cannot do without, and that the CRM does not show us."""

    @property
    def absent(self) -> Sequence[tuple[str, str]]:
        """All fields that it would read, and that the CRM does not show us."""


class MappingSource(Protocol):
    """A mapping file as it was loaded, before it has met a CRM."""

    @property
    def objects(self) -> Sequence[str]:
        """The CRM objects whose schema `fit` needs."""

    @property
    def identity(self) -> str:
        """Changes with every edit that means something."""

    @property
    def triggers(self) -> str:
        """Changes when what ends an interaction, or who is a customer, is read in another way: what might make history look new."""

    @property
    def won_deal_within(self) -> timedelta | None:
        """As in `CrmMapping`."""

    def fit(
        self, schemas: Mapping[str, ObjectSchema], ours: Ownership | None = None
    ) -> tuple[CrmMapping, Sequence[Problem]]:
        """Fit the mapping to a live schema; problems of severity ``error`` mean that it cannot be used as it is.

        Without `ours` nobody is asked whose a field is, and every field counts as ours: nothing may be written by it.
        """
