"""A pytest plugin for machines that must have everything: a skipped test fails the run.

Enable it with ``-p tests.plugins.no_skips``. A skip whose reason says "not applicable" stands: there the test has no meaning, rather
than the machine no means. An expected failure is no skip.
"""

import pytest

ALLOWED = "not applicable"


class NoSkips:
    """Collects skips and turns a run that has any into a failed one."""

    def __init__(self) -> None:
        self.skipped: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Look at one test's outcome."""
        if report.skipped and not hasattr(report, "wasxfail"):
            self._note(report.nodeid, report.longrepr)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Look at a file that was passed over as a whole."""
        if report.skipped:
            self._note(report.nodeid, report.longrepr)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Fail a run that was green but for its skips."""
        if self.skipped and session.exitstatus in {pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED}:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say which, and why."""
        if not self.skipped:
            return
        terminalreporter.section("skipped, which counts as failed here", red=True)
        for line in self.skipped:
            terminalreporter.line(line)

    def _note(self, nodeid: str, reason: object) -> None:
        text = str(reason[2]) if isinstance(reason, tuple) else str(reason)
        line = f"{nodeid}: {text}"
        if ALLOWED not in text and line not in self.skipped:
            self.skipped.append(line)


def pytest_configure(config: pytest.Config) -> None:
    """Register the collector where results come together: in the controlling process, not in its workers."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(NoSkips(), "no-skips")
