"""Who has said no to surveys: it holds for the record, with whatever address, and for the one that it is merged into."""

from collections.abc import Collection, Mapping

from sqlalchemy import Connection, and_, func, or_, select

from connector.model import OptOutWay
from connector.store.db.among import among
from connector.store.tables import contact, outbox_record, person


def said_no(tx: Connection, ids: Collection[str]) -> Mapping[str, str]:
    """Return by whom or what no was said, of those of these contacts (our ids) who want no surveys.

    A contact without an address is nobody whose opt-out could be kept: there the record alone says it, as it was last read, or as we
    are to show it.
    """
    if not ids:
        return {}
    shown = and_(outbox_record.c.connection == contact.c.connection, outbox_record.c.ref == contact.c.ref)
    says = or_(
        person.c.opted_out_at.is_not(None),
        contact.c.no_surveys.is_(True),
        outbox_record.c.desired["no_surveys"].as_boolean().is_(True),
    )
    rows = (
        select(contact.c.id, func.coalesce(person.c.opted_out_by, OptOutWay.CRM).label("by"))
        .outerjoin(person, person.c.person == contact.c.person)
        .outerjoin(outbox_record, shown)
        .where(among(tx, contact.c.id, ids), says)
    )
    return {row.id: row.by for row in tx.execute(rows)}
