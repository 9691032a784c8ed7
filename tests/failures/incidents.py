"""What happens to an installation from outside, and what it holds afterwards."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from house import DAY, HOUR, House, mapping_line
from sqlalchemy import Table, select

from adapters.sandbox.hubspot import HubSpot
from adapters.sandbox.hubspot.schema import Property
from adapters.sandbox.salesforce.schema import Field
from adapters.sandbox.web import Request, Response
from connector.store import tables
from mappings.loading import packaged


@contextmanager
def answering(
    house: House, listing: str, with_: Callable[[int, Request, Response], Response | None]
) -> Iterator[list[int]]:
    """Answer each page of a listing as `with_` says, told its number from 1 and the right answer; None lets that stand.

    Yields the numbers so far. `listing` is a regular expression that is looked for in the address and in the answer.
    """
    real, pages = house.org.handle, list[int]()

    def handle(request: Request) -> Response:
        right = real(request)
        if not (re.search(listing, request.target) or re.search(listing.encode(), right.body)):
            return right
        pages.append(len(pages) + 1)
        return with_(pages[-1], request, right) or right

    house.org.handle = handle  # type: ignore[method-assign]
    try:
        yield pages
    finally:
        house.org.handle = real  # type: ignore[method-assign]


@contextmanager
def during(house: House, listing: str, do: Callable[[], None], *, nth: int = 1) -> Iterator[None]:
    """Do something when the CRM has worked out the `nth` page of a listing, before it sends that page; it must come to that."""

    def with_(page: int, _request: Request, _right: Response) -> None:
        if page == nth:
            do()

    with answering(house, listing, with_) as pages:
        yield
    assert len(pages) >= nth


def rows(house: House, table: Table, **equal: Any) -> list[Any]:
    """Return what the store holds."""
    query = select(table).where(*(table.c[name] == value for name, value in equal.items()))
    with house.installation.store.read() as connection:
        return list(connection.execute(query))


def names(house: House, table: Table = tables.account) -> set[str]:
    """Return the names of the records that the store has and the CRM has not deleted."""
    return {row.name for row in rows(house, table) if row.deleted_at is None}


def rename(house: House, account: str, name: str) -> None:
    """Change an account in the CRM."""
    if isinstance(house.org, HubSpot):
        house.org.update("companies", account, {"name": name})
    else:
        house.org.update("Account", account, {"Name": name})


def accounts(house: House) -> str:
    """Return by what pages of accounts are known, be it in the address or in the answer: living ones, and archived ones."""
    return r"companies(/search|\?.*archived)" if isinstance(house.org, HubSpot) else r"/sobjects/Account/"


def tiny_pages(house: House) -> None:
    """Let a listing take more than one call, where the CRM decides about the size of its pages."""
    if not isinstance(house.org, HubSpot):
        house.org.rows_per_page = 1


def asked(house: House, rating: int | None = None, *, name: str = "Northwind", comment: str = "") -> dict[str, str]:
    """Let a case of a new customer be closed, its contact be asked and, with a rating, answer; returns who they are.

    The address is the same for the same name.
    """
    account = house.account(name)
    who = f"maria@{name.lower().replace(' ', '-')}.customer.example"
    contact = house.contact(account, "Maria Virtanen", who)
    case = house.case(account, contact)
    house.close_case(case)
    house.later(HOUR)
    house.later(DAY)
    (mail,) = house.mailbox.to(who)
    if rating is not None:
        house.answer(mail, rating, comment)
        house.lap()
    return {"account": account, "contact": contact, "case": case, "email": who}


def delete(house: House, kind: str, record_id: str) -> None:
    """Let a user delete a record; `kind` is Salesforce's word for it."""
    house.org.delete(words(house, kind), record_id)


def merge(house: House, kind: str, winner: str, loser: str) -> str:
    """Let a user merge two records; returns the id of what remains."""
    return house.org.merge(words(house, kind), winner, [loser]) or winner


def words(house: House, kind: str) -> str:
    """Return what the CRM calls what Salesforce calls `kind`."""
    in_hubspot = {"Account": "companies", "Contact": "contacts", "Case": "tickets", "Task": "tasks"}
    return in_hubspot[kind] if isinstance(house.org, HubSpot) else kind


def people(house: House, account: str) -> int:
    """Return how many people the account's record says have answered."""
    shown = house.shows(words(house, "Account"), account)
    return int(float(shown.get("People") or shown.get("people") or 0))


def new_field(house: House, name: str, kind: str) -> str:
    """Let an admin of the CRM add a field to accounts, text, number or date; returns what the CRM calls it."""
    if isinstance(house.org, HubSpot):
        house.org.new_property("companies", Property(name, *_HUBSPOT_TYPES[kind]))
        return name
    spec = Field(f"{name}__c", _SALESFORCE_TYPES[kind], name, length=255, precision=18, scale=2)
    house.org.new_field("Account", spec, grant=True)
    return spec.name


_HUBSPOT_TYPES = {"text": ("string", "text"), "number": ("number", "number"), "date": ("date", "date")}
_SALESFORCE_TYPES = {"text": "string", "number": "double", "date": "date"}


def edit_mapping(house: House, old: str, new: str) -> None:
    """Let the admin of the installation put some text of the mapping in place of another, and start again."""
    text = packaged(house.ADAPTER)
    assert text.count(old) == 1
    house.configure(extra=mapping_line(house, text.replace(old, new)))


def fact_of_accounts(house: House, name: str, field: str) -> None:
    """Let the admin of the installation map one more fact of accounts."""
    edit_mapping(house, "[account.facts]\n", f"[account.facts]\n{name} = {field}\n")


def take_away(house: House, field: str) -> None:
    """Let an admin of the CRM hide a field of accounts from us, or delete it."""
    if isinstance(house.org, HubSpot):
        house.org.object("companies").archive(field, house.org.now())
    else:
        house.org.hide("Account", field)


def give_back(house: House, field: str) -> None:
    """Let the admin make it readable again."""
    if isinstance(house.org, HubSpot):
        held = house.org.object("companies")
        held.properties[field] = held.archived_properties.pop(field)
        return
    for parent in house.org.rows("PermissionSet", IsOwnedByProfile=True):
        house.org.grant(parent["Id"], "Account", field)
