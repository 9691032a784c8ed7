"""What happens to an installation from outside, and what it holds afterwards."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from default_mappings import packaged
from environment import DAY, HOUR, Environment, mapping_line
from sqlalchemy import Table, select

from adapters.sandbox.hubspot import HubSpot
from adapters.sandbox.hubspot.portal.schema import Property
from adapters.sandbox.salesforce.org.schema import Field
from adapters.sandbox.web import Request, Response
from connector.store import tables


@contextmanager
def answering(
    env: Environment, listing: str, with_: Callable[[int, Request, Response], Response | None]
) -> Iterator[list[int]]:
    """Answer each page of a listing as `with_` says, told its number from 1 and the right answer; None lets that stand.

    Yields the numbers so far. `listing` is a regular expression that is looked for in the address and in the answer.
    """
    real, pages = env.org.handle, list[int]()

    def handle(request: Request) -> Response:
        right = real(request)
        if not (re.search(listing, request.target) or re.search(listing.encode(), right.body)):
            return right
        pages.append(len(pages) + 1)
        return with_(pages[-1], request, right) or right

    env.org.handle = handle  # type: ignore[method-assign]
    try:
        yield pages
    finally:
        env.org.handle = real  # type: ignore[method-assign]


@contextmanager
def during(env: Environment, listing: str, do: Callable[[], None], *, nth: int = 1) -> Iterator[None]:
    """Do something when the CRM has worked out the `nth` page of a listing, before it sends that page; it must come to that."""

    def with_(page: int, _request: Request, _right: Response) -> None:
        if page == nth:
            do()

    with answering(env, listing, with_) as pages:
        yield
    assert len(pages) >= nth


def rows(env: Environment, table: Table, **equal: Any) -> list[Any]:
    """Return what the store holds."""
    query = select(table).where(*(table.c[name] == value for name, value in equal.items()))
    with env.installation.store.read() as tx:
        return list(tx.execute(query))


def names(env: Environment, table: Table = tables.account) -> set[str]:
    """Return the names of the records that the store has and the CRM has not deleted."""
    return {row.name for row in rows(env, table) if row.deleted_at is None}


def rename(env: Environment, account: str, name: str) -> None:
    """Change an account in the CRM."""
    if isinstance(env.org, HubSpot):
        env.org.update("companies", account, {"name": name})
    else:
        env.org.update("Account", account, {"Name": name})


def accounts(env: Environment) -> str:
    """Return by what pages of accounts are known, be it in the address or in the answer: living ones, and archived ones."""
    return r"companies(/search|\?.*archived)" if isinstance(env.org, HubSpot) else r"/sobjects/Account/"


def tiny_pages(env: Environment) -> None:
    """Let a listing take more than one call, where the CRM decides about the size of its pages."""
    if not isinstance(env.org, HubSpot):
        env.org.rows_per_page = 1


def asked(env: Environment, rating: int | None = None, *, name: str = "Northwind", comment: str = "") -> dict[str, str]:
    """Let a case of a new customer be closed, its contact be asked and, with a rating, answer; returns who they are.

    The address is the same for the same name.
    """
    account = env.account(name)
    who = f"maria@{name.lower().replace(' ', '-')}.customer.example"
    contact = env.contact(account, "Maria Virtanen", who)
    case = env.case(account, contact)
    env.close_case(case)
    env.later(HOUR)
    env.later(DAY)
    (mail,) = env.mailbox.to(who)
    if rating is not None:
        env.answer(mail, rating, comment)
        env.lap()
    return {"account": account, "contact": contact, "case": case, "email": who}


def delete(env: Environment, kind: str, record_id: str) -> None:
    """Let a user delete a record; `kind` is Salesforce's word for it."""
    env.org.delete(words(env, kind), record_id)


def merge(env: Environment, kind: str, winner: str, loser: str) -> str:
    """Let a user merge two records; returns the id of what remains."""
    return env.org.merge(words(env, kind), winner, [loser]) or winner


def words(env: Environment, kind: str) -> str:
    """Return what the CRM calls what Salesforce calls `kind`."""
    in_hubspot = {"Account": "companies", "Contact": "contacts", "Case": "tickets", "Task": "tasks"}
    return in_hubspot[kind] if isinstance(env.org, HubSpot) else kind


def people(env: Environment, account: str) -> int:
    """Return how many people the account's record says have answered."""
    shown = env.shows(words(env, "Account"), account)
    return int(float(shown.get("People") or shown.get("people") or 0))


def new_field(env: Environment, name: str, kind: str) -> str:
    """Let an admin of the CRM add a field to accounts, text, number or date; returns what the CRM calls it."""
    if isinstance(env.org, HubSpot):
        env.org.new_property("companies", Property(name, *_HUBSPOT_TYPES[kind]))
        return name
    spec = Field(f"{name}__c", _SALESFORCE_TYPES[kind], name, length=255, precision=18, scale=2)
    env.org.new_field("Account", spec, grant=True)
    return spec.name


_HUBSPOT_TYPES = {"text": ("string", "text"), "number": ("number", "number"), "date": ("date", "date")}
_SALESFORCE_TYPES = {"text": "string", "number": "double", "date": "date"}


def edit_mapping(env: Environment, old: str, new: str) -> None:
    """Let the admin of the installation put some text of the mapping in place of another, and start again."""
    text = packaged(env.ADAPTER)
    assert text.count(old) == 1
    env.configure(extra=mapping_line(env, text.replace(old, new)))


def fact_of_accounts(env: Environment, name: str, field: str) -> None:
    """Let the admin of the installation map one more fact of accounts."""
    edit_mapping(env, "[account.facts]\n", f"[account.facts]\n{name} = {field}\n")


def take_away(env: Environment, field: str) -> None:
    """Let an admin of the CRM hide a field of accounts from us, or delete it."""
    if isinstance(env.org, HubSpot):
        env.org.object("companies").archive(field, env.org.now())
    else:
        env.org.hide("Account", field)


def give_back(env: Environment, field: str) -> None:
    """Let the admin make it readable again."""
    if isinstance(env.org, HubSpot):
        held = env.org.object("companies")
        held.properties[field] = held.archived_properties.pop(field)
        return
    for parent in env.org.rows("PermissionSet", IsOwnedByProfile=True):
        env.org.grant(parent["Id"], "Account", field)
