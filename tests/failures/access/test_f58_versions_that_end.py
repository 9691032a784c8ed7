"""The version of a CRM's API is one, and known to end: an admin hears of it months before, and what to do when it has ended."""

from datetime import timedelta

from environment import DAY, Environment
from incidents import answering, asked

from adapters.hubspot.http import version as hubspot
from adapters.salesforce.http import version as salesforce
from adapters.sandbox.web import Request, Response
from connector.commands.check.crm import CrmCheck

VERSIONS = {"salesforce": salesforce, "hubspot": hubspot}
WITHOUT_VERSION = {"/services/oauth2/token", hubspot.TOKEN_INFO}


def told(env: Environment) -> list[str]:
    """Return what `check` says about the version."""
    problems = CrmCheck(env.installation, env.installation.endpoints[0]).problems()
    return [str(problem) for problem in problems if "version" in problem.what]


def test_check_warns_four_months_before_the_end(either: Environment) -> None:
    version = VERSIONS[either.ADAPTER]
    either.advance(version.SUPPORTED_UNTIL - timedelta(days=121) - either.clock.now())
    assert told(either) == []
    either.advance(2 * DAY)
    (warning,) = told(either)
    assert version.API_VERSION in warning
    assert f"{version.SUPPORTED_UNTIL:%d %B %Y}" in warning
    assert "Update Afterword before then." in warning
    either.advance(120 * DAY)
    assert "Update Afterword now." in told(either)[0]


def test_everything_speaks_one_version(either: Environment) -> None:
    version = VERSIONS[either.ADAPTER].API_VERSION
    paths = set[str]()

    def note(_page: int, request: Request, _right: Response) -> None:
        paths.add(request.path)

    with answering(either, "", note):
        asked(either, 1)
        told(either)
    assert paths
    assert {path for path in paths if version not in path} <= WITHOUT_VERSION


def test_when_the_version_has_ended_the_lap_says_so(either: Environment) -> None:
    either.org.faults.fail(410, [{"errorCode": "UNSUPPORTED_API_VERSION", "message": "retired"}], times=None)
    report = either.later(DAY)
    assert report.exit_code == 3
    (failure,) = report.failures["acme"]
    assert "update Afterword" in failure.remedy
