"""Who was spoken with: a call, a meeting or a mail with the person after the answer counts as first contact."""

from connector.stages.context import Context
from connector.store.results import follow_ups, tasks

SPOKEN_KINDS = ("call", "meeting", "email", "mail")
"""Kinds of interaction, by their names in mappings, in which somebody speaks with the customer."""


def note_first_contacts(context: Context) -> None:
    """Note when the people of unsettled follow-ups were first spoken with. What is planned counts when it has been held."""
    with context.store.read() as tx:
        contacts = tasks.first_contacts(tx, SPOKEN_KINDS, context.clock.now())
    if not contacts:
        return
    with context.write() as tx:
        for follow_up_id, at in contacts.items():
            follow_ups.change(tx, follow_up_id, {"first_contact_at": at})
