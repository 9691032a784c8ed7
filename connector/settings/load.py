"""config.toml and the environment -> one `Settings`, or one error with everything that is wrong."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from connector.domain.config.paths import paths_from
from connector.errors import Problem, SettingsError
from connector.ports import AnyAdapterPackage
from connector.settings.fields import Surroundings, surrounded
from connector.settings.model import Settings
from connector.settings.problems import SettingsProblems
from connector.settings.sources import ConfigFile, Variables, laid_over


def load(path: Path, *, environ: Mapping[str, str], adapters: Mapping[str, AnyAdapterPackage]) -> Settings:
    """Read the settings. `adapters` are those that are installed, by their names.

    Raises SettingsError with every problem found. No secret is in it, nor in any error that it is chained to.
    """
    crms = " or ".join(sorted(adapters)) or "CRM"
    file = ConfigFile(Settings, path, absent=f"Make one with: afterword init --crm {crms}.")
    variables = Variables(Settings, environ, file, adapters)
    file.give_way(variables.origins)
    settings, problems = _read(file, variables, adapters)
    problems = list(dict.fromkeys([*problems, *variables.problems]))
    if settings is None or problems:
        raise SettingsError(sorted(problems, key=lambda problem: problem.where))
    return settings


def _read(
    file: ConfigFile, variables: Variables, adapters: Mapping[str, AnyAdapterPackage]
) -> tuple[Settings | None, list[Problem]]:
    """Return problems instead of raising them: pydantic's error holds what was written, secrets among it."""
    path = file.path.absolute()
    try:
        with paths_from(path.parent), surrounded(Surroundings((variables, file), adapters)):
            return Settings.at(path), []
    except ValidationError as error:
        written = laid_over(file(), variables())
        return None, SettingsProblems(str(file.path), written, variables.keys, variables.origins).of(error)
