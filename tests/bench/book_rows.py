"""The rows of a large book: accounts with two people each, who have rated ten times over a year."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from connector.store import Store, tables
from connector.store.db.upsert import insert_lines

CRM: Final = "acme"
NOW: Final = datetime(2026, 11, 30, 9, 30, tzinfo=UTC)
PEOPLE = 2
RATINGS = 10
ASKED = 2
"""How many of an account's ratings answer a mail of ours; the others were imported."""
_PART = 1_000
_UNHAPPY = 0.05
"""The share of accounts whose last answer, of these days, is a bad one."""
_COMMENTS = ("", "", "Quick and friendly.", "It took three calls until somebody understood what was broken.")


def fill(store: Store, accounts: int) -> None:
    """Store so many accounts, each waiting to be scored. The figures are the same every time."""
    chance = random.Random(20)  # noqa: S311 - figures that repeat
    lines = _Lines()
    with store.write() as tx:
        tx.execute(tables.owner.insert(), [_owner(number) for number in range(20)])
        live = [{"subject": subject, "connection": CRM, "at": NOW - timedelta(days=30)} for subject in _SUBJECTS]
        tx.execute(tables.go_live.insert(), live)
    for start in range(0, accounts, _PART):
        for number in range(start, min(start + _PART, accounts)):
            lines.add_account(number, chance)
        with store.write() as tx:
            for table, names, rows in lines.taken():
                insert_lines(tx, table, names, rows)


_SUBJECTS: Final = ("survey:after-case", "follow_up:unhappy")


def _owner(number: int) -> dict[str, object]:
    return {
        "id": f"o{number}",
        "connection": CRM,
        "ref": f"User/o{number}",
        "name": f"Rep {number}",
        "email": f"rep{number}@acme.example",
        "active": True,
        "timezone": "Europe/Helsinki",
        "standard": True,
    }


_NAMES: Final = {
    tables.account: ("id", "connection", "ref", "customer", "name", "owner_ref", "is_customer", "facts"),
    tables.binding: ("connection", "ref", "id", "kind", "content_hash"),
    tables.contact: (
        "id",
        "connection",
        "ref",
        "account_ref",
        "name",
        "email",
        "person",
        "owner_ref",
        "no_surveys",
        "facts",
    ),
    tables.decision: (
        "id",
        "survey",
        "connection",
        "interaction_id",
        "contact_id",
        "account_id",
        "state",
        "decided_at",
    ),
    tables.invitation: (
        "id",
        "decision_id",
        "survey",
        "connection",
        "account_id",
        "contact_id",
        "interaction_id",
        "person",
        "email",
        "name",
        "language",
        "label",
        "questionnaire",
        "created_at",
        "due_at",
        "expires_at",
        "state",
        "sent_at",
    ),
    tables.response: (
        "id",
        "invitation_id",
        "revision",
        "survey",
        "connection",
        "account_id",
        "contact_id",
        "interaction_id",
        "label",
        "at",
        "source",
        "comment",
        "counts",
        "after_contact",
    ),
    tables.rating: ("response_id", "metric", "question", "value", "low", "high", "direction"),
    tables.customer_score: ("customer", "stale_at"),
}


class _Lines:
    """Rows that wait to be stored together."""

    def __init__(self) -> None:
        self._rows: dict[object, list[tuple[object, ...]]] = {}

    def add_account(self, number: int, chance: random.Random) -> None:
        id_, ref, owner = f"a{number:08}", f"Account/a{number:08}", f"User/o{number % 20}"
        self._add(tables.account, id_, CRM, ref, id_, f"Company {number}", owner, True, "{}")
        self._add(tables.binding, CRM, ref, id_, "account", "x")
        for person in range(PEOPLE):
            contact, email = f"c{number:08}{person}", f"p{person}@company{number}.example"
            contact_ref = f"Contact/{contact}"
            name = f"Maria {number} Virtanen {person}"
            self._add(
                tables.contact, contact, CRM, contact_ref, ref, name, email, f"person-{contact}", owner, False, "{}"
            )
            self._add(tables.binding, CRM, contact_ref, contact, "contact", "x")
        typical = chance.uniform(2.0, 5.0)
        unhappy = chance.random() < _UNHAPPY
        for turn in range(RATINGS):
            value = float(min(max(round(chance.gauss(typical, 0.9)), 1), 5))
            at = NOW - timedelta(days=8 + 36 * turn, seconds=chance.randrange(20 * 86_400))
            if turn == 0 and unhappy:
                value, at = 1.0, NOW - timedelta(seconds=chance.randrange(3 * 86_400))
            self._add_rating(number, turn, value, at, chance.choice(_COMMENTS))
        self._add(tables.customer_score, id_, NOW)

    def _add_rating(self, number: int, turn: int, value: float, at: datetime, comment: str) -> None:
        key, contact = f"{number:08}-{turn}", f"c{number:08}{turn % PEOPLE}"
        account, invitation, label = f"a{number:08}", None, f"case {number:06}{turn}"
        if turn < ASKED:
            invitation, sent = f"i{key}", at - timedelta(hours=20)
            interaction = f"x{key}"
            self._add(tables.decision, f"d{key}", "after-case", CRM, interaction, contact, account, "invited", sent)
            person, email = f"person-{contact}", f"p{turn % PEOPLE}@company{number}.example"
            asked = (person, email, "Maria", "en", label, "{}", sent, sent, sent + timedelta(days=14), "sent", sent)
            self._add(
                tables.invitation, invitation, f"d{key}", "after-case", CRM, account, contact, interaction, *asked
            )
        source = "import" if invitation is None else "page"
        response = (f"r{key}", invitation, 1, "after-case", CRM, account, contact, None, label, at, source)
        self._add(tables.response, *response, comment or None, True, False)
        self._add(tables.rating, f"r{key}", "csat", "csat", value, 1.0, 5.0, "up")

    def _add(self, table: object, *values: object) -> None:
        self._rows.setdefault(table, []).append(values)

    def taken(self) -> Iterator[tuple[object, tuple[str, ...], list[tuple[object, ...]]]]:
        """Yield what is waiting, each table after those that it refers to, and forget it."""
        for table, names in _NAMES.items():
            yield table, names, self._rows.pop(table, [])
