"""The command `setup-crm`: with whose rights it acts, and what it prints while it does."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console

from connector.app import wiring
from connector.cli import installation as installations
from connector.cli.output import results as output_results
from connector.cli.output import setup
from connector.cli.output.terminal import err, one_line, out
from connector.commands import setup_crm
from connector.domain.config.credentials import unsendable
from connector.errors import NotPermitted, Problem, SettingsError
from connector.ports import AdapterTools, AdminToken, CrmAdapter, SetupResult, SetupStep
from connector.stages.connection.connect import Endpoint
from connector.stages.connection.mark_keeper import MarkState
from connector.stages.installation import Installation

REFUSED = 1
PROBLEMS = 2
UNREACHABLE = 3


@dataclass(frozen=True, slots=True)
class SetupRequest:
    """What is to be done."""

    dry_run: bool
    undo: bool
    take_over: bool
    with_values: bool
    """Take fields away though records have values in them."""


def run(config: Path, crm: str | None, request: SetupRequest, *, admin_token_file: Path | None) -> int:
    """Set up one CRM or all, or take away what an earlier run made; returns the exit code."""
    installation = installations.build(config)
    code = 0
    with installations.closing(installation):
        installations.bring_to_this_version(installation)
        endpoints = installations.chosen(installation, crm)
        token = token_in(admin_token_file, endpoints) if admin_token_file is not None else None
        for endpoint in endpoints:
            with setter(installation, endpoint, token) as adapter:
                set_up = SetUp(
                    out, installation, endpoint, adapter, dry_run=request.dry_run, take_over=request.take_over
                )
                code = max(code, set_up.undo(with_values=request.with_values) if request.undo else set_up.run())
    if code == 1 and admin_token_file is None:
        err.print("If Afterword's user may not do this, pass an administrator's token once: --admin-token-file FILE.")
    return code


def token_in(file: Path, endpoints: Sequence[Endpoint]) -> str:
    """Return the token in a file. It opens one CRM, and must never be shown to another. `SettingsError`: it cannot be used."""
    if len(endpoints) > 1:
        names = ", ".join(endpoint.name for endpoint in endpoints)
        raise _wrong_token(f"belongs to one CRM, and there are several: {names}.", "Say which: add --crm NAME.")
    try:
        token = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeError):
        token = ""
    if not token:
        raise _wrong_token(f"{str(file)!r} holds no token.", "Name a text file with a token in it.")
    if odd := unsendable(token):
        raise _wrong_token(f"{str(file)!r} holds a character that no token has ({odd}).", "Copy the token once more.")
    return token


@contextmanager
def setter(installation: Installation, endpoint: Endpoint, token: str | None) -> Iterator[CrmAdapter]:
    """Give the adapter that changes the CRM: the connection's own, or one that acts by an admin's token, which is not kept."""
    if token is None:
        yield endpoint.adapter
        return
    user = endpoint.adapter.org().user
    connection = installation.settings.connection(endpoint.name)
    tools = AdapterTools(installation.clock, budget=endpoint.budget, admin=AdminToken(token, user))
    with closing(wiring.adapter_for(endpoint.name, connection, tools)) as adapter:
        yield adapter


@dataclass(frozen=True, slots=True)
class SetUp:
    """Setting up one CRM, told on a console. Its methods return the exit code."""

    console: Console
    installation: Installation
    endpoint: Endpoint
    adapter: CrmAdapter
    """Acts with the rights of whoever sets up."""
    dry_run: bool = field(kw_only=True)
    take_over: bool = field(kw_only=True, default=False)
    """The admin says that this installation replaces whichever has marked the CRM."""

    def run(self) -> int:
        """Make what is missing."""
        planned = setup_crm.plan(self.endpoint, self.adapter, store=self.installation.store)
        if self.dry_run or not planned:
            setup.steps(self.console, self.endpoint.name, planned)
            return self._mark() if not self.dry_run else self._foresee_mark()
        results = setup_crm.apply(
            self.installation.store, self.endpoint, self.adapter, planned, clock=self.installation.clock
        )
        by_hand: dict[str, SetupStep] = {}
        code = self._told(_keeping(results, by_hand), planned)
        shown = [step for key, step in by_hand.items() if not code or key.startswith(setup_crm.NO_ROOM)]
        setup.by_hand(self.console, shown)
        if not code:
            code = self._mark()
        return code

    def _mark(self) -> int:
        """Make the installation's mark, or take it over; say how it stands."""
        base, clock = self.installation.settings.base, self.installation.clock
        state = setup_crm.mark(self.installation.store, self.endpoint, base=base, clock=clock, take_over=self.take_over)
        return self._tell_mark(state)

    def _foresee_mark(self) -> int:
        base, clock = self.installation.settings.base, self.installation.clock
        state = setup_crm.mark_state(self.installation.store, self.endpoint, base=base, clock=clock)
        if state.missing or self.take_over:
            self.console.print(f"  would mark {self.endpoint.name} as this installation's", markup=False)
            return 0
        return self._tell_mark(state)

    def _tell_mark(self, state: MarkState) -> int:
        if state.error is not None:
            output_results.error(self.console, state.error)
            return PROBLEMS
        if state.sentence:
            self.console.print(one_line(state.sentence), markup=False)
        return 0

    def undo(self, *, with_values: bool) -> int:
        """Take away what we made. `AfterwordError`: records have values in it, and nobody said that they may be lost."""
        store = self.installation.store
        planned = setup_crm.plan_undo(store, self.endpoint, self.adapter)
        held = setup_crm.values_held(self.endpoint.adapter, planned)
        if planned:
            held = setup_crm.without_mark(self.endpoint, planned, held)
        lossy = bool(held) and not with_values
        if self.dry_run or not planned or lossy:
            setup.steps(self.console, self.endpoint.name, planned)
            setup.values(self.console, planned, held)
        if self.dry_run or not planned:
            return 0
        if lossy:
            raise setup_crm.refuse_loss(self.endpoint.name)
        base, clock = self.installation.settings.base, self.installation.clock
        if setup_crm.remove_mark(store, self.endpoint, base=base, clock=clock):
            self.console.print(f"removed: the installation's mark in {self.endpoint.name}", markup=False)
        return self._told(setup_crm.undo(store, self.endpoint, self.adapter, planned), planned)

    def _told(self, results: Iterator[SetupResult], planned: Sequence[SetupStep]) -> int:
        """Print results as they come."""
        code = 0
        for result in setup.results(self.console, results):
            if result.error is None:
                continue
            missing = isinstance(result.error, NotPermitted)
            hopeless = isinstance(result.error, setup_crm.HOPELESS)
            code = max(code, UNREACHABLE if hopeless and not missing else REFUSED)
            if hopeless and (left := setup_crm.left_after(result, planned)):
                why = "which need the same right" if missing else "which the next run takes up"
                self.console.print(f"  stopped: {output_results.many(left, 'step')} left, {why}.", markup=False)
        return code


def _keeping(results: Iterator[SetupResult], by_hand: dict[str, SetupStep]) -> Iterator[SetupResult]:
    """Yield results; keeps what is left to the admin, as it was told last."""
    for result in results:
        if result.step.manual:
            by_hand[result.step.key] = result.step
        yield result


def _wrong_token(what: str, remedy: str) -> SettingsError:
    return SettingsError([Problem("--admin-token-file", what, remedy)])
