"""To whom mail about the records of a connection may go.

A vendor's sandbox or test account is often a full copy, which holds the addresses of real customers and colleagues. What is sent about
its records, surveys, reminders and alerts, goes to the addresses of `[email] only_to` alone; while there are none, nothing is sent.
"""

from collections.abc import Collection

from connector.errors import Problem
from connector.settings import Settings
from connector.stages.context import Context
from connector.store import Transaction
from connector.store.ops import connections


def allowed(settings: Settings) -> frozenset[str]:
    """Return the normalised addresses that mail about test orgs may go to."""
    return frozenset(address.lower() for address in settings.email.only_to) if settings.email else frozenset()


def may_mail(context: Context, crm: str, address: str) -> bool:
    """Tell whether mail about this connection's records may go to an address."""
    return not context.connected[crm].test_kind or address.strip().lower() in allowed(context.settings)


def may_post(context: Context, crm: str) -> bool:
    """Tell whether a chat may be told of this connection's records: a chat is no address that `only_to` could name."""
    return not context.connected[crm].test_kind


def sends_nothing(context: Context, crm: str) -> bool:
    """Tell whether nothing at all may be sent about this connection's records."""
    return bool(context.connected[crm].test_kind) and not allowed(context.settings)


def may_send_now(context: Context, tx: Transaction) -> list[str]:
    """Return the live connections about whose records mail may go out now: neither paused, nor with nobody to send to."""
    return [name for name in context.live if not sends_nothing(context, name) and not connections.is_paused(tx, name)]


def unnamed(settings: Settings, crm: str, test_kind: str) -> Problem:
    """Return that a live test org has nobody to send to."""
    return Problem(
        f"{settings.path.name}: email.only_to",
        f"{crm} is {test_kind}, whose records may be copies of real customers', and no address is named that its mail may go to. "
        "So nothing is sent.",
        'Name your own: only_to = ["me@acme.example"].',
    )


def not_held_back(settings: Settings, crms: Collection[str]) -> Problem:
    """Return the warning that mail of these live production orgs goes to everybody."""
    many = len(crms) > 1
    return Problem(
        f"{settings.path.name}: email.only_to",
        f"{' and '.join(sorted(crms))} {'are production orgs' if many else 'is a production org'}: mail about "
        f"{'their' if many else 'its'} customers goes to all of them, not to these addresses alone.",
        'It holds for sandboxes and test accounts. To send nothing to customers yet, set mode = "observe".',
        severity="warning",
    )


def unreachable(context: Context) -> dict[str, Problem]:
    """Return the live connections about which nothing may be sent, each with the reason."""
    return {
        name: unnamed(context.settings, name, crm.test_kind)
        for name, crm in context.connected.items()
        if crm.live and sends_nothing(context, name)
    }
