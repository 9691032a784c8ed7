"""The commands `init` and `check`: a project's files, and its settings."""

from pathlib import Path

from connector.app.adapter_packages import installed_adapters
from connector.cli import installation as installations
from connector.cli.guard import EXIT_PROBLEMS
from connector.cli.output import check as output_check
from connector.cli.output.terminal import one_line, out, print_json
from connector.commands import init as commands_init
from connector.commands.check import checks
from connector.errors import Problem, SettingsError


def init(directory: Path, crm: str) -> None:
    """Write a project's files, and say what comes next. `SettingsError`: no adapter for this CRM is installed."""
    adapters = installed_adapters()
    if crm not in adapters:
        raise SettingsError([Problem("--crm", f"{crm!r} is not known.", f"Write {' or '.join(adapters)}.")])
    for path in commands_init.write_project(directory, crm, adapters[crm]):
        out.print(one_line(f"wrote {path}"), markup=False)
    config = one_line(str(directory / "config.toml"))
    out.print(f"\nNext: put the CRM's address and its credentials into {config}, then `afterword check`.", markup=False)


def check(config: Path, *, as_json: bool) -> int:
    """Tell everything that is wrong; returns the exit code."""
    try:
        installation = installations.build(config)
        with installations.closing(installation):
            findings = checks.check(installation)
    except SettingsError as error:
        findings = checks.Findings(list(error.problems))
    print_json(output_check.as_json(findings)) if as_json else output_check.findings(out, findings)
    return EXIT_PROBLEMS if any(problem.severity == "error" for problem in findings.problems) else 0
