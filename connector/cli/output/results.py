"""What the commands print for people."""

import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from connector.cli.output.terminal import flat, one_line
from connector.errors import AfterwordError, Problem, SettingsError
from connector.model import FollowUpState
from connector.model.documents import JsonObject

if TYPE_CHECKING:  # what only its own command has already imported
    from connector.commands.plan import Hindsight
    from connector.commands.reconcile import Comparison
    from connector.stages.report import Report

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


def problems(console: Console, all_problems: Iterable[Problem]) -> None:
    """Print problems, each with its place and remedy."""
    for problem in all_problems:
        mark = "warning: " if problem.severity == "warning" else ""
        text = f"[bold]{escape(one_line(problem.where))}[/]: {mark}{escape(one_line(problem.what))}"
        console.print(text, soft_wrap=not console.is_terminal)
        if problem.remedy:
            line(console, f"    {problem.remedy}")


def error(console: Console, exception: AfterwordError) -> None:
    """Print an error with its place and remedy."""
    problems(console, [Problem(exception.where or "afterword", exception.what, exception.remedy)])


def failure(console: Console, name: str, exception: AfterwordError) -> None:
    """Print why a connection failed."""
    if isinstance(exception, SettingsError):
        problems(console, exception.problems)
        return
    where = exception.where or name
    problems(
        console, [Problem(where if where.startswith(name) else f"{name}: {where}", exception.what, exception.remedy)]
    )


def line(console: Console, text: str, *, indent: int = 0) -> None:
    """Print one line of plain text; on a terminal its rest goes below its beginning, further in."""
    text = one_line(text) if text.strip() else text
    if not console.is_terminal:
        console.print(text, markup=False)
        return
    behind = " " * (indent + 4)
    console.print(textwrap.fill(text, console.width, subsequent_indent=behind, break_on_hyphens=False), markup=False)


def pulled(console: Console, lap_report: "Report") -> None:
    """Print what a lap read."""
    for name, result in sorted(lap_report.pulled.items()):
        read = sum(counts.read for counts in result.counts.values())
        changed = sum(counts.changed for counts in result.counts.values())
        deleted = sum(counts.deleted for counts in result.counts.values())
        console.print(
            f"{name}: read {read:,}, changed {changed:,}, deleted {deleted:,}; {lap_report.calls.get(name, 0)} calls",
            markup=False,
        )


def not_invited(lap_report: "Report") -> str:
    """Return why others were not invited, in brackets; empty when nobody was left out."""
    reasons = ", ".join(f"{_words(reason)} {count}" for reason, count in sorted(lap_report.not_invited.items()))
    return f" (not: {reasons})" if reasons else ""


def report(console: Console, lap_report: "Report") -> None:
    """Print what a lap led to."""
    pulled(console, lap_report)
    for name, written in sorted(lap_report.written.items()):
        text = f"created {written.created}, updated {written.updated}, refused {written.refused}"
        console.print(f"{name}: {text}", markup=False)
    doubt = f", in doubt {lap_report.in_doubt}" if lap_report.in_doubt else ""
    console.print(f"invited {lap_report.invited}{not_invited(lap_report)}, sent {lap_report.sent}{doubt}")
    console.print(
        f"answers {lap_report.responses}, accounts scored {lap_report.scored}, follow-ups {lap_report.follow_ups}"
    )
    if lap_report.left_due:
        console.print(
            f"{many(lap_report.left_due, 'mail')} will go out in the next laps: the mail server took long over the others."
        )
    if lap_report.unmatched:
        console.print(f"{many(lap_report.unmatched, 'bounce report')} match no message: `afterword status` says more.")
    if lap_report.refused:
        console.print("Some records were refused: `afterword status` says which, why, and what to do.")


def lap_failures(console: Console, lap_report: "Report") -> None:
    """Print what went wrong in a lap, and what it left to another process."""
    for news in lap_report.news.values():
        problems(console, news)
    for name, errors in lap_report.failures.items():
        for exception in errors:
            failure(console, name, exception)
    if lap_report.mail_error is not None:
        failure(console, "mail", lap_report.mail_error)
    for name in lap_report.busy:
        console.print(f"{name}: another process is at it; this one left it alone.", markup=False)


def hindsight(console: Console, seen: "Hindsight") -> None:
    """Print what the rules would have done to past interactions."""
    problems(console, seen.left_out)
    for name, error in seen.unreached.items():
        console.print(f"{name} could not be read, so nothing is said of it: {one_line(str(error))}", markup=False)
    console.print(f"Since {seen.since.date()}, had everything been live:", markup=False)
    document = flat(seen.as_json())
    for name, survey in document["surveys"].items():
        console.print(
            f"\n{name}: {survey['ended']} ended, {people(survey['would_ask'])} would have been asked", markup=False
        )
        for reason, count in sorted(survey["not_asked"].items(), key=lambda pair: -pair[1]):
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


def status(console: Console, overview: JsonObject) -> None:
    """Print where everything stands."""
    overview = flat(overview)
    if overview["paused"]:
        console.print(
            f"[bold]PAUSED[/] since {_moment(overview['paused']['at'])}: {escape(overview['paused']['reason'])}"
        )
    for name, crm in overview["crm"].items():
        _crm(console, name, crm)
    _counts(console, "waiting", overview["queues"])
    for follow_up in overview["follow_ups"]:
        console.print(_follow_up(follow_up), markup=False)
    for text in owed_follow_ups(overview["owed_follow_ups"]):
        line(console, text)
    if overview["unassigned"]:
        orphaned = many(overview["unassigned"]["follow_ups"], "open follow-up")
        console.print(f"nobody is assigned: {orphaned}\n    {overview['unassigned']['remedy']}", markup=False)
    if overview["mail_error"]:
        failed = overview["mail_error"]
        console.print(f"mail failed at {_moment(failed['at'])}: {failed['what']}\n    {failed['remedy']}", markup=False)
    if reports := overview.get("bounce_reports"):
        console.print(
            f"{many(reports['unmatched'], 'bounce report')} match no message, the last at {_moment(reports['at'])}: "
            f"{reports['message_id']}\n    {reports['remedy']}",
            markup=False,
        )
    for message in overview["untold"]:
        doubt = "may not have been told" if message["state"] == "in_doubt" else "was not told"
        console.print(
            f"{message['to']} {doubt} ({message['kind']}) at {_moment(message['at'])}: {message['what']}\n    {message['remedy']}",
            markup=False,
        )
    for title in ("in doubt", "bounced"):
        for mail in overview[title.replace(" ", "_")]:
            about = f"{mail['purpose']} to {mail['to']} about {mail['about']} at {_moment(mail['at'])}"
            console.print(f"{title}: {about}\n    {mail['remedy']}", markup=False)
    for refusal in overview["refused"]:
        console.print(
            f"set aside: {refusal['crm']} {refusal['record']} ({refusal['direction']}): {refusal['what']}\n    {refusal['remedy']}",
            markup=False,
        )
    for lap_row in overview["laps"]:
        work = "lap" if lap_row["job"] == "sync" else str(lap_row["job"])
        console.print(f"{work} {_moment(lap_row['started'])}: {_ending(lap_row)}", markup=False)
    _kept(console, overview["kept"])


def owed_follow_ups(owed: Mapping[str, int]) -> Iterator[str]:
    """Yield how many people whose answer was in somebody else's follow-up are to get one of their own, and how many have got it."""
    if owed["people"]:
        yield f"follow-ups of their own: {people(owed['people'])} whose answer is in somebody else's will get one in the next live lap"
    if owed.get("got"):
        yield f"follow-ups of their own: {people(owed['got'])} whose answer was in somebody else's got one in the last 30 days"


def _ending(lap_row: JsonObject) -> str:
    if lap_row["ended"] is None:
        return "under way"
    return "cut off" if lap_row["exit"] is None else f"exit {lap_row['exit']}"


def _kept(console: Console, kept: JsonObject) -> None:
    """Say how much is kept of what goes after a while, and what went last."""
    rows = ", ".join(
        f"{_words(name)} {table['rows']:,} of {table['days']} days" for name, table in kept["tables"].items()
    )
    gone = sum(kept["removed"].values())
    last = f"{many(gone, 'row')} went on {_moment(kept['pruned_at'])}" if kept["pruned_at"] else "nothing went yet"
    console.print(f"kept: {rows}; {last}", markup=False)


def _follow_up(follow_up: JsonObject) -> str:
    """Return what is to be done about somebody, by whom and by when, or that nobody has said how it ended."""
    who = ", ".join(name for name in (follow_up["contact"], follow_up["account"]) if name)
    whose = follow_up["owner"] or "nobody"
    if follow_up["state"] == FollowUpState.WAITING_FOR_OUTCOME:
        return f"no outcome noted: {who} ({whose}), done since {_moment(follow_up['waiting_since'])}"
    title = "late" if follow_up["late"] else "follow-up"
    tried = f", tried {many(follow_up['attempts'], 'time')}" if follow_up["attempts"] else ""
    return f"{title}: {who} ({whose}), due {_moment(follow_up['due'])}{tried}"


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
    for object_name, drift in crm["drift"]["objects"].items():
        if drift["problem"]:
            console.print(f"    {object_name} could not be compared: {drift['problem']}", markup=False)


def _calls(crm: JsonObject) -> str:
    """Say what of the budget is used, and what of the org's day everybody has used."""
    calls = crm["calls"]
    used = f"{crm['calls_today']} calls today"
    if calls["budget"] is None:
        return used
    org = f"everybody: {calls['org_used']:,} of {calls['org_allowed']:,}"
    return f"{used}, {calls['last_24h']:,} of our {calls['budget']:,} in the last 24 hours ({org})"


def _drift(drift: JsonObject) -> str:
    if drift["records"] is None:
        return "drift: not measured yet"
    return f"drift: {many(drift['records'], 'record')}, measured {_moment(drift['measured_at'])}"


def compared(console: Console, comparison: "Comparison") -> None:
    """Print what comparing came to."""
    for name, result in sorted(comparison.found.items()):
        for object_name, drift in result.drift.items():
            text = f"{name}: {object_name}: compared {result.compared[object_name]:,}, put right {drift:,}"
            console.print(text, markup=False)
        if result.unfinished:
            console.print(f"{name}: not everything was compared; the next comparison goes on from here.", markup=False)


def scores(console: Console, book: JsonObject) -> None:
    """Print the scores of a file."""
    table = Table("account", "satisfaction", "likely", "people", "mood")
    for account in flat(book["accounts"]):
        known = account["satisfaction"] is not None
        figure = f"{account['satisfaction']:.0f}" if known else "no answers"
        likely = f"{account['low']:.0f}-{account['high']:.0f}" if known else ""
        table.add_row(escape(account["account"]), figure, likely, str(account["people"]), account["mood"])
    console.print(table)


def _counts(console: Console, title: str, counts: Mapping[str, int]) -> None:
    waiting = ", ".join(f"{_words(name)} {count}" for name, count in counts.items() if count)
    console.print(f"{title}: {waiting or 'nothing'}", markup=False)


def _words(name: str) -> str:
    return name.replace("_", " ")


def many(count: int, noun: str) -> str:
    """Return a number with its thing, in the plural where there is not one."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def people(count: int) -> str:
    """Return how many people."""
    return "1 person" if count == 1 else f"{count} people"


def _moment(value: str | datetime | None) -> str:
    """A moment as people read it; the seconds stay in the JSON."""
    if not value:
        return ""
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
