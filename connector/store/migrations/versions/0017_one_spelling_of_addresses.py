"""One spelling of addresses: domains outside ASCII as the DNS has them, so that two spellings are one person"""

import hashlib
import hmac

import idna
import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

OUTSIDE_ASCII = {"sqlite": "email GLOB '*[^ -~]*'", "postgresql": "email ~ '[^ -~]'"}
MARKS = ("opted_out_at", "opted_out_by"), ("bounced_at", "bounce")


def upgrade() -> None:
    """Change the store."""
    tx = op.get_bind()
    key = tx.execute(sa.text("SELECT value FROM setting WHERE name = 'person_key'")).scalar()
    if key is None:
        return
    for table in ("contact", "invitation"):
        found = f"SELECT DISTINCT email FROM {table} WHERE {OUTSIDE_ASCII[tx.dialect.name]}"  # noqa: S608 - no text of others
        for old in tx.execute(sa.text(found)).scalars().all():
            # Settings are JSON, which one of the databases gives as it stands, with quotation marks.
            _respell(tx, bytes.fromhex(str(key).strip('"')), table, old)


def _respell(tx: sa.Connection, key: bytes, table: str, old: str) -> None:
    new = _one_spelling(old)
    if new is None:
        return
    before, after = _person(key, old), _person(key, new)
    change = f"UPDATE {table} SET email = :new, person = :after WHERE email = :old"  # noqa: S608 - no text of others
    tx.execute(sa.text(change), {"new": new, "after": after, "old": old})
    names = {"before": before, "after": after}
    known = tx.execute(sa.text("SELECT 1 FROM person WHERE person = :after"), names).first()
    if known is None:
        tx.execute(sa.text("UPDATE person SET person = :after WHERE person = :before"), names)
        return
    for at, how in MARKS:
        take = (
            f"UPDATE person SET {at} = (SELECT {at} FROM person WHERE person = :before),"  # noqa: S608 - no text of others
            f" {how} = (SELECT {how} FROM person WHERE person = :before) WHERE person = :after AND {at} IS NULL"
        )
        tx.execute(sa.text(take), names)


def _one_spelling(email: str) -> str | None:
    local, at, domain = email.rpartition("@")
    try:
        return f"{local}{at}{idna.encode(domain, uts46=True).decode()}"
    except ValueError:
        return None


def _person(key: bytes, email: str) -> str:
    return hmac.digest(key, email.encode(), hashlib.sha256).hex()[:32]
