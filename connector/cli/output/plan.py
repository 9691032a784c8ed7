"""What `plan` prints: a diff that people can read, record by record."""

from collections.abc import Iterator

from rich.console import Console
from rich.markup import escape

from connector.cli.output.results import line, many, not_invited, owed_follow_ups, problems, pulled
from connector.cli.output.terminal import flat, one_line
from connector.commands.plan import Plan
from connector.commands.why import in_words
from connector.model import visible
from connector.ports import Write
from connector.ports.mail import Message
from connector.stages.installation import Installation
from connector.stages.lap import Report

_INDENT = " " * 4


def plan(console: Console, planned: Plan, installation: Installation) -> None:
    """Print what the next sync would do, as a diff."""
    problems(console, planned.left_out)
    for name, reason in planned.paused.items():
        console.print(
            f"[bold]{escape(name)} is paused[/] ({escape(one_line(reason))}): "
            f"nothing is sent or written for it until `afterword resume`. This is what it would be then."
        )
    for text in owed_follow_ups({"people": planned.owed.people}):
        line(console, text)
    for writes in _by_record(planned):
        _record(console, planned, writes)
    for left in planned.foreign:
        console.print(f"[bold]! refused[/] {escape(left.crm)}: {escape(one_line(f'{left.field.what} {left.filled}'))}")
        console.print(f"{_INDENT}{one_line(f'{left.field.where}: {left.field.remedy}')}", markup=False)
    for gone in flat(planned.cancelled):
        who = f"{gone['contact'] or 'nobody'} ({gone['account']}) about {gone['about']}"
        because = in_words(gone["reason"]) if gone["reason"] else "it was cancelled"
        console.print(f"[bold]- not asked after all[/] {escape(who)}, {escape(gone['survey'])}: {because}")
    for message in planned.noted.messages:
        console.print(f"[bold]+ mail[/] {escape(one_line(_addressed(message)))}")
    if not any(endpoint.mode_live for endpoint in installation.endpoints):
        console.print("Observing: nothing would be sent or written.")
    elif not planned.noted.writes and not planned.noted.messages and not planned.paused:
        console.print("Nothing would be sent or written.")
    console.print()
    _totals(console, planned, planned.report)


def _by_record(planned: Plan) -> Iterator[list[tuple[str, Write]]]:
    """Yield the writes to each record together, in the order in which the records come first."""
    groups: dict[tuple[str, ...], list[tuple[str, Write]]] = {}
    for crm, write in planned.owed.first(planned.noted.writes):
        groups.setdefault((crm, write.object, write.id or f"new {write.key}"), []).append((crm, write))
    yield from groups.values()


def _record(console: Console, planned: Plan, writes: list[tuple[str, Write]]) -> None:
    crm, first = writes[0]
    sign, place = ("~", first.id) if first.id else ("+", "new")
    name = planned.names.of(crm, first)
    title = one_line(f"{first.object} {name}" if name else first.object)
    console.print(f"[bold]{sign} {escape(crm)}: {escape(title)}[/] ({place})")
    before = planned.before.get((crm, first.object, first.id or ""), {})
    for _, write in writes:
        for field, value in write.fields.items():
            label = one_line(planned.names.label(crm, write.object, field) or "")
            place = f"{label} ({field})" if label and label != field else field
            old = f" {one_line(_shown(before.get(field)))} ->" if write.id else ""
            console.print(f"{_INDENT}{place}:{old}{_below(_shown(value))}", markup=False)


def _addressed(message: Message) -> str:
    to = f"{message.to_name} <{message.to}>" if message.to_name else message.to
    return f"to {to}: {message.subject}"


def _totals(console: Console, planned: Plan, lap: Report) -> None:
    pulled(console, lap)
    console.print(
        f"would create {planned.creates}, update {planned.updates}; would send {many(len(planned.noted.messages), 'mail')}"
    )
    console.print(
        f"would invite {lap.invited}{not_invited(lap)}, take in {many(lap.responses, 'answer')}, "
        f"score {many(lap.scored, 'account')}, open {many(lap.follow_ups, 'follow-up')}"
    )
    if lap.refused:
        console.print(
            "Some records would be set aside: `afterword status` says of those that already are why, and what to do."
        )


def _shown(value: object) -> str:
    return "(empty)" if value in (None, "") else str(value)


def _below(text: str) -> str:
    """Return a text to stand after what comes before it; one of several lines stands under it."""
    lines = visible(text).split("\n")
    return f" {lines[0]}" if len(lines) == 1 else "".join(f"\n{_INDENT * 2}{line}".rstrip(" ") for line in lines)
