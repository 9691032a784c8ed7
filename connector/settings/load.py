"""config.toml and the environment -> one `Settings`, or one error with everything that is wrong."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from connector.domain.config.toml_text import read_toml_file
from connector.errors import SettingsError
from connector.ports import AdapterPackage
from connector.settings.connections import judge_connections
from connector.settings.fields import FieldContext, surrounded
from connector.settings.model import Settings
from connector.settings.raw_values import Values
from connector.settings.source import ConfigSource
from connector.settings.validation import judge_details, judge_whole, live_connections


def load(path: Path, *, environ: Mapping[str, str], adapters: Mapping[str, AdapterPackage[Any]]) -> Settings:
    """Read the settings. `adapters` are those that are installed, by their names.

    Raises SettingsError with every problem found. No secret is in it, nor in any error that it is chained to.
    """
    crms = " or ".join(sorted(adapters)) or "CRM"
    values = read_toml_file(path, str(path), absent=f"Make one with: afterword init --crm {crms}.")
    source = ConfigSource(path, values, environ, adapters)
    found = source.written
    judge_whole(found)
    judge_connections(found, adapters)
    settings = _validate(source, adapters)
    if settings is None or found.problems:
        raise SettingsError(sorted(found.problems, key=lambda problem: problem.where))
    return settings


def _validate(source: ConfigSource, adapters: Collection[str]) -> Settings | None:
    found = source.written
    with surrounded(FieldContext(source, found.base, adapters)):
        settings, details = _attempt()
        if _mail_is_unfinished(found.values):
            details = [detail for detail in details if not _is_missing_mail(detail)]
            if not details:
                source.ignores_mail = True
                settings, details = _attempt()
    judge_details(found, [*details, *source.wrong_in_connections])
    return settings


def _attempt() -> tuple[Settings | None, list[ErrorDetails]]:
    try:
        return Settings.model_validate({}), []  # the source adds the values
    except ValidationError as error:
        return None, error.errors(include_url=False, include_input=False)


def _mail_is_unfinished(values: Values) -> bool:
    """While nothing is live, [email] may hold as little as a password from the environment."""
    email = values.get("email")
    return isinstance(email, dict) and not {"host", "from"} & set(email) and not live_connections(values)


def _is_missing_mail(detail: ErrorDetails) -> bool:
    return detail["type"] == "missing" and detail["loc"] in {("email", "host"), ("email", "from")}
