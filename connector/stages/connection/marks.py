"""What a lap does with the installation's marks of its connections."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from connector.errors import CrmError
from connector.stages.connection.mark_keeper import Marked
from connector.stages.context import Connected, Context


def begin(context: Context, *, looks: bool = True) -> None:
    """Hand the lap's live connections to what keeps their marks; `looks`: see `MarkKeeper.begin`."""
    if context.mark is not None:
        context.mark.begin({name: marked(context.connected[name]) for name in context.live}, looks=looks)


def marked(crm: Connected) -> Marked:
    """Return a connection whose mark is to be kept."""
    return Marked(crm.name, crm.reader, crm.writer, crm.mapping)


def all_ours(context: Context, crms: Iterable[str]) -> bool:
    """Tell whether no other installation works on any of these connections that was reached. It would tell them too."""
    return all(name not in context.connected or context.may_write(name) for name in crms)


def held(context: Context) -> dict[str, datetime]:
    """Return until when mail of a connection waits, so that it is certain that no other installation sends it."""
    return dict(context.mark.held) if context.mark is not None else {}


def errors(context: Context) -> Mapping[str, CrmError]:
    """Return by connection why nothing was sent or written there."""
    return context.mark.errors if context.mark is not None else {}
