"""A store as version 0.1.0 leaves it after a year: 200 accounts, 10,000 decisions, invitations and answers, 330 open follow-ups.

It is made of plain rows for the tables of its own schema, not by the code of today, and is the same each time.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import JSON, DateTime, MetaData, Table, column, table

from connector.store import Store
from connector.store.db.migrate import migrate
from connector.store.db.types import Json, Utc
from connector.store.surveys.people import person_of

RELEASED = "0003"
"""The schema of the last version that was released."""
ASKED = 10_000
OPEN_INVITATIONS = 300
KEY = bytes(range(32))
"""By which addresses are hashed."""
DAY = timedelta(days=1)
Row = dict[str, Any]
QUESTIONS = {
    "version": 1,
    "metric": "csat",
    "language": "en",
    "questions": [
        {
            "id": "csat",
            "metric": "csat",
            "text": "Overall, how satisfied are you with how we handled this?",
            "low": 1,
            "high": 5,
            "direction": "up",
            "labels": ["Very dissatisfied", "Dissatisfied", "Neutral", "Satisfied", "Very satisfied"],
        }
    ],
    "follow_up": "What is the main reason for your answer?",
}
SCORE = {
    "score": 61.5,
    "low": 40.25,
    "high": 80.0,
    "mood": "Mixed",
    "people": 3,
    "answers": 50,
    "evidence": 20.5,
    "metrics": {"csat": None},
    "trend": None,
    "last_answer": "2026-11-01T08:24:00+00:00",
    "mood_since": "2026-10-16T08:17:00+00:00",
}


@dataclass
class Records:
    """The CRM's ids of what the rows are about."""

    owner: str
    accounts: list[str] = field(default_factory=list)
    contacts: list[list[str]] = field(default_factory=list)
    """By account."""
    tasks: dict[str, str] = field(default_factory=dict)
    """By the follow-up's key."""


def keys_of_tasks() -> list[str]:
    """Return the keys of the follow-ups that have a task in the CRM."""
    return [row["id"] for row in _follow_ups(_Year(Records("005"), datetime(2026, 11, 1)))]  # noqa: DTZ001 - only keys


def fill(store: Store, records: Records, now: datetime) -> None:
    """Make the schema of the last version that was released, and a year's rows in it."""
    migrate(store, to=RELEASED)
    with store.write() as tx:
        tables = MetaData()
        tables.reflect(tx)
        year = _Year(records, now)
        for name, rows in year.rows():
            made = [*rows]
            for start in range(0, len(made), 1000):
                tx.execute(_of(tables.tables[name]).insert(), made[start : start + 1000])


def _of(reflected: Table) -> Any:
    """Return a table by which values are written as the store writes them."""
    kinds = {JSON: Json, DateTime: Utc()}
    types = {
        name: next((kind for of, kind in kinds.items() if isinstance(one.type, of)), one.type)
        for name, one in reflected.c.items()
    }
    return table(reflected.name, *(column(name, kind) for name, kind in types.items()))


@dataclass
class _Year:
    records: Records
    now: datetime

    def rows(self) -> Iterator[tuple[str, Iterator[Row]]]:
        """Yield the tables, in an order in which each refers to earlier ones alone."""
        yield from (
            ("owner", _owners(self)),
            ("account", _accounts(self)),
            ("contact", _contacts(self)),
            ("interaction", _interactions(self)),
            ("binding", _bindings(self)),
            ("decision", _decisions(self)),
            ("decision_log", _decision_log(self)),
            ("invitation", _invitations(self)),
            ("attempt", _attempts(self)),
            ("response", _responses(self)),
            ("rating", _ratings(self)),
            ("follow_up", _follow_ups(self)),
            ("follow_up_response", _about(self)),
            ("notice", _notices(self)),
        )
        yield from _the_rest(self)

    def account_of(self, number: int) -> int:
        return number % 200

    def contact_of(self, number: int) -> str:
        return f"c{self.account_of(number):03}-{number // 200 % 3}"

    def at(self, number: int) -> datetime:
        """When the interaction with this number ended: the last 300 within the last days, the others over a year before."""
        if number >= ASKED - OPEN_INVITATIONS:
            return self.now - timedelta(days=5, minutes=number - ASKED)
        return self.now - timedelta(days=20 + (ASKED - number) // 30, minutes=number % 600)


def _owners(year: _Year) -> Iterator[Row]:
    common = {"connection": "acme", "active": True, "timezone": "Europe/Helsinki"}
    yield {"id": "o1", "ref": f"User/{year.records.owner}", "name": "Ritva Laine", "email": "r@acme.example"} | common


def _accounts(year: _Year) -> Iterator[Row]:
    for number, crm_id in enumerate(year.records.accounts):
        yield _account(f"a{number:03}", "acme", f"Account/{crm_id}", f"a{number:03}", year.records.owner)
    for number in range(10):  # the same companies in another CRM
        yield _account(f"b{number:03}", "beyond", f"companies/{number}", f"a{number:03}", "none")


def _account(key: str, connection: str, ref: str, customer: str, owner: str) -> Row:
    return {
        "id": key,
        "connection": connection,
        "ref": ref,
        "customer": customer,
        "name": f"Company {key}",
        "owner_ref": f"User/{owner}",
        "is_customer": True,
        "link": f"{customer}.example",
        "facts": {"type": "Customer", "employees": None},
    }


def _contacts(year: _Year) -> Iterator[Row]:
    for number, (account, crm_ids) in enumerate(zip(year.records.accounts, year.records.contacts, strict=True)):
        for which, crm_id in enumerate(crm_ids):
            yield {
                "id": f"c{number:03}-{which}",
                "connection": "acme",
                "ref": f"Contact/{crm_id}",
                "account_ref": f"Account/{account}",
                "name": f"Person {number}-{which}",
                "email": f"person.{number}-{which}@customer.example",
                "person": person_of(KEY, f"person.{number}-{which}@customer.example"),
                "no_surveys": False,
                "facts": {},
            }


def _interactions(year: _Year) -> Iterator[Row]:
    for number in range(ASKED):
        yield {
            "id": f"i{number:05}",
            "connection": "acme",
            "ref": f"Case/500Q{number:05}",
            "kind": "case",
            "label": f"case {number:08}",
            "account_ref": f"Account/{year.records.accounts[year.account_of(number)]}",
            "contact_refs": [f"Contact/{year.records.contacts[year.account_of(number)][number // 200 % 3]}"],
            "ended": "closed",
            "ended_at": year.at(number),
            "updated_at": year.at(number),
            "facts": {"status": "Closed"},
        }


def _bindings(year: _Year) -> Iterator[Row]:
    def bound(kind: str, row: Row) -> Row:
        return {"connection": row["connection"], "ref": row["ref"], "kind": kind, "id": row["id"], "content": "kept"}

    yield from (bound("owner", row) for row in _owners(year))
    yield from (bound("account", row) for row in _accounts(year))
    yield from (bound("contact", row) for row in _contacts(year))
    yield from (bound("interaction", row) for row in _interactions(year))
    for number in range(20):  # contacts that were merged into others
        yield {
            "connection": "acme",
            "ref": f"Contact/gone{number}",
            "kind": "contact",
            "id": f"c{number:03}-0",
            "content": "",
            "alias": True,
        }


def _decisions(year: _Year) -> Iterator[Row]:
    common = {"survey": "after-case", "connection": "acme"}
    for number in range(ASKED):
        yield common | {
            "id": f"d{number:05}",
            "interaction_id": f"i{number:05}",
            "contact_id": year.contact_of(number),
            "account_id": f"a{year.account_of(number):03}",
            "state": "invited",
            "decided_at": year.at(number),
        }
    for number in range(500):  # of another survey, that asked nobody
        yield common | {
            "id": f"n{number:05}",
            "survey": "after-call",
            "interaction_id": f"i{number:05}",
            "contact_id": "",
            "state": "refused",
            "reason": "no_contact",
            "decided_at": year.at(number),
        }


def _decision_log(year: _Year) -> Iterator[Row]:
    for row in _decisions(year):
        common = {"decision_id": row["id"], "at": row["decided_at"]}
        yield common | {"state": "waiting", "reason": "delay", "until": row["decided_at"]}
        yield common | {"state": row["state"], "reason": row.get("reason"), "until": None}


def _invitations(year: _Year) -> Iterator[Row]:
    for number in range(ASKED):
        at = year.at(number)
        yield {
            "id": f"v{number:05}",
            "decision_id": f"d{number:05}",
            "survey": "after-case",
            "connection": "acme",
            "account_id": f"a{year.account_of(number):03}",
            "contact_id": year.contact_of(number),
            "interaction_id": f"i{number:05}",
            "person": person_of(KEY, f"person.{_who(year, number)}@customer.example"),
            "email": f"person.{_who(year, number)}@customer.example",
            "name": "Maria Virtanen",
            "language": "en",
            "label": f"case {number:08}",
            "questionnaire": QUESTIONS,
            "created_at": at,
            "due_at": at,
            "expires_at": at + 14 * DAY,
            "state": "sent",
            "sent_at": at,
        }


def _who(year: _Year, number: int) -> str:
    account, which = year.contact_of(number)[1:].split("-")
    return f"{int(account)}-{which}"


def _attempts(year: _Year) -> Iterator[Row]:
    for number in range(ASKED):
        yield {
            "invitation_id": f"v{number:05}",
            "purpose": "invitation",
            "state": "in_doubt" if number % 997 == 0 else "sent",
            "message_id": f"{number}@acme.example",
            "started_at": year.at(number),
            "ended_at": year.at(number),
        }


def _responses(year: _Year) -> Iterator[Row]:
    for number in range(ASKED - OPEN_INVITATIONS):
        first = _response(year, number, 1)
        yield first | {"counts": number % 30 != 0}
        if number % 30 == 0:  # corrected a day later
            yield _response(year, number, 2) | {"at": first["at"] + DAY}


def _response(year: _Year, number: int, revision: int) -> Row:
    return {
        "id": f"r{number:05}-{revision}",
        "invitation_id": f"v{number:05}",
        "revision": revision,
        "survey": "after-case",
        "connection": "acme",
        "account_id": f"a{year.account_of(number):03}",
        "contact_id": year.contact_of(number),
        "interaction_id": f"i{number:05}",
        "label": f"case {number:08}",
        "at": year.at(number) + DAY / 2,
        "language": "en",
        "source": "page",
        "comment": "Nobody called back." if number % 5 == 0 else None,
        "counts": True,
        "after_contact": False,
        "considered_at": year.at(number) + DAY,
    }


def _ratings(year: _Year) -> Iterator[Row]:
    for row in _responses(year):
        number = int(row["id"][1:6])
        value = 1 if number < 150 else number % 5 + 1  # the first have a follow-up each
        yield {
            "response_id": row["id"],
            "metric": "csat",
            "question": "csat",
            "value": value,
            "low": 1,
            "high": 5,
            "direction": "up",
        }


def _follow_ups(year: _Year) -> Iterator[Row]:
    """150 accounts with one that is open for a bad answer, 100 of them with a second one of another rule for the same answer, 80 with
    one about the account itself; and 400 that are closed."""
    for number in range(150):
        yield _follow_up(year, "unhappy", number)
    for number in range(100):
        yield _follow_up(year, "furious", number)
    for number in range(80):
        yield _follow_up(year, "silent", number) | {"contact_id": None, "response_id": None, "interaction_id": None}
    for number in range(400):
        closed = {"state": "closed", "closed_at": year.now - 30 * DAY, "outcome": "Solved"}
        yield (
            _follow_up(year, "unhappy", number) | closed | {"id": f"f-closed-{number}", "task_ref": f"Task/old{number}"}
        )


def _follow_up(year: _Year, rule: str, number: int) -> Row:
    at = year.now - timedelta(days=2, minutes=number)
    key = f"f-{rule}-{number}"
    return {
        "id": key,
        "rule": rule,
        "customer": f"a{number % 200:03}",
        "connection": "acme",
        "account_id": f"a{number % 200:03}",
        "contact_id": year.contact_of(number),
        "response_id": f"r{number:05}-1",
        "interaction_id": f"i{number:05}",
        "state": "open",
        "priority": "high" if rule == "furious" else "normal",
        "due_at": at + DAY,
        "owner_ref": f"User/{year.records.owner}",
        "subject": f"Call Person {number} by Tue 10:12: 1 of 5, case {number:08}",
        "body": 'Why you see this: the rule "csat <= 2" holds.',
        "opened_at": at,
        "task_ref": f"Task/{year.records.tasks.get(key, key)}",
    }


def _about(year: _Year) -> Iterator[Row]:
    for row in _follow_ups(year):
        if row["response_id"] is not None:
            yield {"follow_up_id": row["id"], "response_id": row["response_id"]}


def _notices(year: _Year) -> Iterator[Row]:
    for row in _follow_ups(year):
        yield {
            "key": f"{row['id']}:r@acme.example",
            "follow_up_id": row["id"],
            "recipient": "r@acme.example",
            "state": "sent",
            "at": row["opened_at"],
        }


def _the_rest(year: _Year) -> Iterator[tuple[str, Iterator[Row]]]:
    now = year.now
    acme = {"connection": "acme"}
    accounts = [*_accounts(year)][:200]
    yield "standing", ({"customer": row["id"], "stale_at": now, "score": SCORE} for row in accounts)
    yield (
        "score_history",
        (
            {"customer": row["id"], "at": now - day * DAY, "method": "afterword-beta-grid-1", "score": SCORE}
            for row in accounts
            for day in range(15)
        ),
    )
    yield (
        "display",
        (
            acme
            | {"ref": row["ref"], "target": "account", "wanted": {"people": 3}, "shown": {"people": 3}, "written": {}}
            | {"dirty": False}
            for row in accounts
        ),
    )
    yield (
        "write_log",
        (
            acme
            | {"key": f"account:{row['ref']}", "ref": row["ref"], "at": now - day * DAY, "outcome": "updated"}
            | {"before": {"people": day}, "after": {"people": day + 1}}
            for row in accounts
            for day in range(10)
        ),
    )
    yield "setting", iter([{"name": "person_key", "value": KEY.hex()}])
    gone = [person_of(KEY, f"person.{number}-0@customer.example") for number in range(150, 170)]
    yield "person", ({"person": who, "opted_out_at": now, "opted_out_by": "link"} for who in gone)
    yield "lap", ({"started_at": now - n * DAY / 24, "exit_code": 0, "report": {"sent": n}} for n in range(500))
    yield "inbox", ({"source": "bounces", "key": str(n), "payload": {"n": n}, "received_at": now} for n in range(20))
    yield "sign_in", ({"nonce": f"n{n}", "email": "r@acme.example", "made_at": now - n * DAY} for n in range(90))
    yield "go_live", (acme | {"subject": f"survey:{name}", "at": now - 400 * DAY} for name in ("after-case",))
    yield "refused", (_refused(row["ref"], now) for row in accounts[:5])
    made = {"sentence": "Make the field.", "detail": {"action": "create", "object": "Account"}}
    yield "setup_made", (acme | {"key": f"field:Account.F{n}", "detail": _made(made, n), "at": now} for n in range(12))
    yield "call_count", (acme | {"at": now - n * DAY / 96, "calls": n} for n in range(96))
    yield "lease", iter([{"name": "crm:acme", "fence": 6, "owner": None, "beat_at": None}])
    yield "connection_state", iter([acme | {"last_ok_at": now}])
    yield "token", iter([{"connection": "beyond", "sealed": "x", "given": "y", "at": now}])


def _made(step: Row, number: int) -> Row:
    return step | {"detail": step["detail"] | {"name": f"F{number}"}}


def _refused(ref: str, now: datetime) -> Row:
    return {
        "connection": "acme",
        "key": f"account:{ref}",
        "direction": "write",
        "code": "RULE",
        "what": "a rule says no",
        "remedy": "Look at the rule.",
        "fingerprint": "f",
        "attempts": 1,
        "at": now,
    }
