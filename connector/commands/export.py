"""`afterword export`: a table out of the store, into a file."""

from pathlib import Path

from connector.errors import Problem, SettingsError
from connector.exports import files, tables
from connector.exports.period import Period, parse_period
from connector.exports.table_names import TableName
from connector.stages.installation import Installation


def export(installation: Installation, table: TableName, path: Path, period: str | None) -> int:
    """Write a table; returns the number of its rows. Raises `SettingsError` for a period or a file that cannot be meant."""
    tz = installation.settings.schedule.timezone
    span = None if period is None else _period(period, installation)
    with installation.store.read() as tx:
        return files.write_file(path, tables.sheet(tx, table, span), tz)


def _period(text: str, installation: Installation) -> Period:
    try:
        return parse_period(text, installation.settings.schedule.timezone)
    except ValueError as error:
        remedy = "Write a month as 2026-10, a quarter as 2026-Q4, a week as 2026-W45, a year as 2026."
        raise SettingsError([Problem("--period", f"{error}.", remedy)]) from None
