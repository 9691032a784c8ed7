"""The commands that look at one thing: `why` at a record, `score` at a file, `export` at a table."""

from datetime import UTC, datetime
from pathlib import Path

from connector.cli import installation as installations
from connector.cli.output import results
from connector.cli.output.terminal import err, one_line, out, print_json
from connector.commands import export as exports
from connector.commands import why as survey_log
from connector.commands.score_file import read_ratings
from connector.exports.table_names import TableName
from connector.runtime.clock import SystemClock
from connector.scoring.all_accounts import ScoreSettings, book_json, score_book


def why(config: Path, record: str) -> None:
    """Say who was asked about a record or not."""
    installation = installations.build(config)
    with installations.closing(installation), installations.reading(installation) as readable:
        observing = [endpoint.name for endpoint in installation.endpoints if not endpoint.mode_live]
        normalisers = [endpoint.normalise_id for endpoint in installation.endpoints]
        sentences = survey_log.explain(
            readable.store,
            record,
            tz=installation.settings.company.timezone,
            observing=observing,
            normalisers=normalisers,
            surveys=installation.settings.events,
        )
        for sentence in sentences:
            out.print(one_line(sentence), markup=False)


def score(file: Path, as_of: datetime | None, *, as_json: bool) -> int:
    """Score a file of ratings; returns the exit code."""
    ratings = read_ratings(file)
    for problem in ratings.problems:
        err.print(one_line(str(problem)), markup=False)
    moment = SystemClock().now() if as_of is None else as_of.replace(tzinfo=as_of.tzinfo or UTC)
    book = book_json(score_book(ratings.answers, moment, ScoreSettings(), accounts=ratings.accounts), moment)
    print_json(book) if as_json else results.scores(out, book)
    return 1 if ratings.problems else 0


def export(config: Path, table: TableName, file: Path, period: str | None) -> None:
    """Write a table to a file."""
    with installations.opened(config) as installation:
        rows = exports.export(installation, table, file, period)
    out.print(one_line(f"wrote {rows} rows to {file}"), markup=False)
