"""What the commands print for people."""

import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from connector.cli.output.terminal import flat, one_line
from connector.commands.plan import Hindsight
from connector.commands.reconcile import Comparison
from connector.errors import AfterwordError, Problem, SettingsError
from connector.model import FollowUpState
from connector.model.documents import JsonObject
from connector.stages.lap import Report

Told = Callable[[str, str, int], None]


def progress(console: Console, *, quiet: bool = False) -> Told:
    """Return what is told about every page of records read: a live line on a terminal, plain lines otherwise."""
    counts: dict[tuple[str, str], int] = {}
    bar = Progress(
        SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), console=console, transient=True
    )
    tasks: dict[tuple[str, str], TaskID] = {}

    def told(crm: str, object_name: str, records: int) -> None:
        key = (crm, object_name)
        counts[key] = counts.get(key, 0) + records
        if not records or quiet:
            return
        text = one_line(f"{crm}: {counts[key]:,} {object_name} read")
        if not console.is_terminal:
            console.print(text, markup=False)
            return
        bar.start()
        if key in tasks:
            bar.update(tasks[key], description=text)
        else:
            tasks[key] = bar.add_task(text)
        bar.refresh()

    return told


def problems(console: Console, found: Iterable[Problem]) -> None:
    """Print problems, each with its place and remedy."""
    for one in found:
        mark = "warning: " if one.severity == "warning" else ""
        text = f"[bold]{escape(one_line(one.where))}[/]: {mark}{escape(one_line(one.what))}"
        console.print(text, soft_wrap=not console.is_terminal)
        if one.remedy:
            line(console, f"    {one.remedy}")


def error(console: Console, one: AfterwordError) -> None:
    """Print an error with its place and remedy."""
    problems(console, [Problem(one.where or "afterword", one.what, one.remedy)])


def failure(console: Console, name: str, one: AfterwordError) -> None:
    """Print why a connection failed."""
    if isinstance(one, SettingsError):
        problems(console, one.problems)
        return
    where = one.where or name
    problems(console, [Problem(where if where.startswith(name) else f"{name}: {where}", one.what, one.remedy)])


def line(console: Console, text: str, *, indent: int = 0) -> None:
    """Print one line of plain text; on a terminal its rest goes below its beginning, further in."""
    text = one_line(text) if text.strip() else text
    if not console.is_terminal:
        console.print(text, markup=False)
        return
    behind = " " * (indent + 4)
    console.print(textwrap.fill(text, console.width, subsequent_indent=behind, break_on_hyphens=False), markup=False)


def pulled(console: Console, one: Report) -> None:
    """Print what a lap read."""
    for name, found in sorted(one.pulled.items()):
        read = sum(counts.read for counts in found.counts.values())
        changed = sum(counts.changed for counts in found.counts.values())
        deleted = sum(counts.deleted for counts in found.counts.values())
        console.print(
            f"{name}: read {read:,}, changed {changed:,}, deleted {deleted:,}; {one.calls.get(name, 0)} calls",
            markup=False,
        )


def not_invited(one: Report) -> str:
    """Return why others were not invited, in brackets; empty when nobody was left out."""
    reasons = ", ".join(f"{_words(reason)} {count}" for reason, count in sorted(one.not_invited.items()))
    return f" (not: {reasons})" if reasons else ""


def report(console: Console, one: Report) -> None:
    """Print what a lap led to."""
    pulled(console, one)
    for name, written in sorted(one.written.items()):
        text = f"created {written.created}, updated {written.updated}, refused {written.refused}"
        console.print(f"{name}: {text}", markup=False)
    doubt = f", in doubt {one.in_doubt}" if one.in_doubt else ""
    console.print(f"invited {one.invited}{not_invited(one)}, sent {one.sent}{doubt}")
    console.print(f"answers {one.responses}, accounts scored {one.scored}, follow-ups {one.follow_ups}")
    if one.left_due:
        console.print(
            f"{many(one.left_due, 'mail')} will go out in the next laps: the mail server took long over the others."
        )
    if one.unmatched:
        console.print(f"{many(one.unmatched, 'bounce report')} match no message: `afterword status` says more.")
    if one.refused:
        console.print("Some records were refused: `afterword status` says which, why, and what to do.")


def hindsight(console: Console, seen: Hindsight) -> None:
    """Print what the rules would have done to past interactions."""
    problems(console, seen.left_out)
    for name, error in seen.unreached.items():
        console.print(f"{name} could not be read, so nothing is said of it: {one_line(str(error))}", markup=False)
    console.print(f"Since {seen.since.date()}, had everything been live:", markup=False)
    told = flat(seen.as_json())
    for name, survey in told["surveys"].items():
        console.print(
            f"\n{name}: {survey['ended']} ended, {people(survey['would_ask'])} would have been asked", markup=False
        )
        for reason, count in sorted(survey["not_asked"].items(), key=lambda one: -one[1]):
            console.print(f"    {count:>6} not asked: {_words(reason)}", markup=False)
    if seen.by_week:
        console.print("\nmails in each week, by its Monday:")
        for week, count in seen.by_week.items():
            console.print(f"    {week}  {count}", markup=False)
    if seen.examples:
        console.print("\nfor example:")
    for example in flat(seen.examples):
        console.print(
            f"    {example['on']}: {example['contact']} ({example['account']}) about {example['about']}",
            markup=False,
        )
    console.print("\nNothing was sent or written.")


def status(console: Console, found: JsonObject) -> None:
    """Print where everything stands."""
    found = flat(found)
    if found["paused"]:
        console.print(f"[bold]PAUSED[/] since {_moment(found['paused']['at'])}: {escape(found['paused']['reason'])}")
    for name, crm in found["crm"].items():
        _crm(console, name, crm)
    _counts(console, "waiting", found["queues"])
    for follow_up in found["follow_ups"]:
        console.print(_follow_up(follow_up), markup=False)
    for text in owed_follow_ups(found["owed_follow_ups"]):
        line(console, text)
    if found["unassigned"]:
        orphaned = many(found["unassigned"]["follow_ups"], "open follow-up")
        console.print(f"nobody is assigned: {orphaned}\n    {found['unassigned']['remedy']}", markup=False)
    if found["mail_error"]:
        failed = found["mail_error"]
        console.print(f"mail failed at {_moment(failed['at'])}: {failed['what']}\n    {failed['remedy']}", markup=False)
    if reports := found.get("bounce_reports"):
        console.print(
            f"{many(reports['unmatched'], 'bounce report')} match no message, the last at {_moment(reports['at'])}: "
            f"{reports['message_id']}\n    {reports['remedy']}",
            markup=False,
        )
    for message in found["untold"]:
        doubt = "may not have been told" if message["state"] == "in_doubt" else "was not told"
        console.print(
            f"{message['to']} {doubt} ({message['kind']}) at {_moment(message['at'])}: {message['what']}\n    {message['remedy']}",
            markup=False,
        )
    for title in ("in doubt", "bounced"):
        for mail in found[title.replace(" ", "_")]:
            about = f"{mail['purpose']} to {mail['to']} about {mail['about']} at {_moment(mail['at'])}"
            console.print(f"{title}: {about}\n    {mail['remedy']}", markup=False)
    for refusal in found["refused"]:
        console.print(
            f"set aside: {refusal['crm']} {refusal['record']} ({refusal['direction']}): {refusal['what']}\n    {refusal['remedy']}",
            markup=False,
        )
    for lap_row in found["laps"]:
        console.print(f"lap {_moment(lap_row['started'])}: {_ending(lap_row)}", markup=False)
    _kept(console, found["kept"])


def owed_follow_ups(owed: Mapping[str, int]) -> Iterator[str]:
    """Yield how many people whose answer was in somebody else's follow-up are to get one of their own, and how many have got it."""
    if owed["people"]:
        yield f"follow-ups of their own: {people(owed['people'])} whose answer is in somebody else's will get one in the next live lap"
    if owed.get("got"):
        yield f"follow-ups of their own: {people(owed['got'])} whose answer was in somebody else's got one in the last 30 days"


def _ending(one: JsonObject) -> str:
    if one["ended"] is None:
        return "under way"
    return "cut off" if one["exit"] is None else f"exit {one['exit']}"


def _kept(console: Console, kept: JsonObject) -> None:
    """Say how much is kept of what goes after a while, and what went last."""
    rows = ", ".join(f"{_words(name)} {one['rows']:,} of {one['days']} days" for name, one in kept["tables"].items())
    gone = sum(kept["removed"].values())
    last = f"{many(gone, 'row')} went on {_moment(kept['pruned_at'])}" if kept["pruned_at"] else "nothing went yet"
    console.print(f"kept: {rows}; {last}", markup=False)


def _follow_up(one: JsonObject) -> str:
    """Return what is to be done about somebody, by whom and by when, or that nobody has said how it ended."""
    who = ", ".join(name for name in (one["contact"], one["account"]) if name)
    whose = one["owner"] or "nobody"
    if one["state"] == FollowUpState.WAITING_FOR_OUTCOME:
        return f"no outcome noted: {who} ({whose}), done since {_moment(one['waiting_since'])}"
    title = "late" if one["late"] else "follow-up"
    tried = f", tried {many(one['attempts'], 'time')}" if one["attempts"] else ""
    return f"{title}: {who} ({whose}), due {_moment(one['due'])}{tried}"


def _crm(console: Console, name: str, crm: JsonObject) -> None:
    paused = f", paused: {crm['pause_reason']}" if crm["paused_since"] else ""
    console.print(f"[bold]{escape(name)}[/] ({crm['mode']}{escape(paused)}): {_calls(crm)}")
    if crm["calls"]["none_until"]:
        until = _moment(crm["calls"]["none_until"])
        console.print(f"    no more calls until {until}: {crm['calls']['none_why']}", markup=False)
    if crm["refused"]:
        since = _moment(crm["refused"]["since"])
        until = crm["refused"]["until"]
        how = "so it is not called" if until is None else f"and is tried again at {_moment(until)}"
        console.print(f"    refused us since {since}, {how}: {crm['refused']['what']}", markup=False)
        console.print(f"    {crm['refused']['remedy']}", markup=False)
    elif crm["last_error"]:
        console.print(f"    failed at {_moment(crm['last_error_at'])}: {crm['last_error']}", markup=False)
    for object_name, cursor in crm["cursors"].items():
        until = _moment(cursor["read_until"]) or "reading for the first time"
        console.print(f"    {object_name}: read until {until}", markup=False)
    console.print(f"    {_drift(crm['drift'])}", markup=False)
    for object_name, one in crm["drift"]["objects"].items():
        if one["problem"]:
            console.print(f"    {object_name} could not be compared: {one['problem']}", markup=False)


def _calls(crm: JsonObject) -> str:
    """Say what of the budget is used, and what of the org's day everybody has used."""
    calls = crm["calls"]
    used = f"{crm['calls_today']} calls today"
    if calls["budget"] is None:
        return used
    org = f"everybody: {calls['org_used']:,} of {calls['org_allowed']:,}"
    return f"{used}, {calls['last_24h']:,} of our {calls['budget']:,} in the last 24 hours ({org})"


def _drift(found: JsonObject) -> str:
    if found["records"] is None:
        return "drift: not measured yet"
    return f"drift: {many(found['records'], 'record')}, measured {_moment(found['measured_at'])}"


def compared(console: Console, one: Comparison) -> None:
    """Print what comparing came to."""
    for name, found in sorted(one.found.items()):
        for object_name, drift in found.drift.items():
            text = f"{name}: {object_name}: compared {found.compared[object_name]:,}, put right {drift:,}"
            console.print(text, markup=False)
        if found.unfinished:
            console.print(f"{name}: not everything was compared; the next comparison goes on from here.", markup=False)


def scores(console: Console, found: JsonObject) -> None:
    """Print the scores of a file."""
    table = Table("account", "satisfaction", "likely", "people", "mood")
    for one in flat(found["accounts"]):
        known = one["satisfaction"] is not None
        figure = f"{one['satisfaction']:.0f}" if known else "no answers"
        likely = f"{one['low']:.0f}-{one['high']:.0f}" if known else ""
        table.add_row(escape(one["account"]), figure, likely, str(one["people"]), one["mood"])
    console.print(table)


def _counts(console: Console, title: str, counts: Mapping[str, int]) -> None:
    waiting = ", ".join(f"{_words(name)} {count}" for name, count in counts.items() if count)
    console.print(f"{title}: {waiting or 'nothing'}", markup=False)


def _words(name: str) -> str:
    return name.replace("_", " ")


def many(count: int, thing: str) -> str:
    """Return a number with its thing, in the plural where there is not one."""
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"


def people(count: int) -> str:
    """Return how many people."""
    return "1 person" if count == 1 else f"{count} people"


def _moment(value: str | datetime | None) -> str:
    """A moment as people read it; the seconds stay in the JSON."""
    if not value:
        return ""
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
