"""An adapter that is a package of its own, found as an installed one is, goes through a whole lap: nothing of ours knows of it."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from asking import Mailbox
from told_undo import told

from connector.app import wiring
from connector.app.adapter_packages import installed_adapters
from connector.cli.app import app
from connector.commands import setup_crm, why
from connector.commands import undo as commands_undo
from connector.commands.check import crm as crm_check
from connector.errors import SettingsError
from connector.model import Rating
from connector.runtime.clock import SteppedClock
from connector.stages import lap
from connector.stages.installation import Installation
from connector.store import tables
from connector.store.db.migrate import migrate
from connector.store.surveys import answers

PACKAGES = Path(__file__).parent
NOON = datetime(2026, 3, 3, 10, tzinfo=UTC)
"""A Tuesday, in working hours."""
SERVER = "https://tiny.example"
LIVE = """
[email]
host = "localhost"
security = "none"
from = "Acme Care <care@acme.example>"
"""


@pytest.fixture(autouse=True)
def _installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Installed is what lies on Python's path with its metadata."""
    monkeypatch.syspath_prepend(str(PACKAGES))
    installed_adapters.cache_clear()
    yield
    installed_adapters.cache_clear()


def run_command(*words: str) -> int:
    """Return the exit code of a command of ours."""
    with pytest.raises(SystemExit) as left:
        app(words)
    return int(left.value.code or 0)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The folder as `init` leaves it."""
    assert run_command("init", str(tmp_path), "--crm", "tinycrm") == 0
    return tmp_path


class Tiny:
    """An installation on TinyCRM, live, and the people on both sides."""

    def __init__(self, project: Path, clock: SteppedClock) -> None:
        from afterword_tinycrm.crm import TinyCrm, servers  # noqa: PLC0415 - installed by the fixture above

        self.clock = clock
        self.crm = servers[SERVER] = TinyCrm(clock.now)
        self.mailbox = Mailbox()
        self.clerk = self.crm.insert("clerks", name="Ritva Laine", mail="ritva@acme.example")
        self.firm = self.crm.insert("firms", name="Northwind", clerk=self.clerk)
        self.person = self.crm.insert("people", name="Maria Virtanen", mail="maria@nw.example", firm=self.firm)
        config = project / "config.toml"
        text = config.read_text(encoding="utf-8").replace('mode = "observe"', 'mode = "live"')
        config.write_text(text.replace('delay = "24h"', 'delay = "0s"') + LIVE, encoding="utf-8")
        environ = {
            "AFTERWORD_CRM__TINYCRM__DOOR_KEY": "open sesame",
            "AFTERWORD_WEB__PUBLIC_URL": "https://feedback.acme.example",
        }
        settings = wiring.read_settings(config, environ)
        self.installation: Installation = wiring.build(settings, clock=clock, channel=self.mailbox)
        migrate(self.installation.store)
        (self.endpoint,) = self.installation.endpoints

    def set_up(self) -> None:
        """Do what `setup-crm` does."""
        store, adapter = self.installation.store, self.endpoint.adapter
        steps = setup_crm.plan(self.endpoint, adapter, store=store)
        assert all(result.done for result in setup_crm.apply(store, self.endpoint, adapter, steps, clock=self.clock))
        setup_crm.mark(store, self.endpoint, base=self.installation.settings.base, clock=self.clock)

    def lap(self) -> lap.Report:
        """Let a few minutes pass, and run a lap."""
        self.clock.advance(timedelta(minutes=5))
        report = lap.run(self.installation)
        assert report.failures == {}
        return report

    def rows(self, table: Any) -> list[Any]:
        """Return a table of the store."""
        with self.installation.store.read() as tx:
            return list(tx.execute(table.select()))


@pytest.fixture
def tiny(project: Path) -> Iterator[Tiny]:
    world = Tiny(project, SteppedClock(NOON))
    with closing(world.installation.store):
        yield world


def test_init_writes_what_the_package_brings(project: Path) -> None:
    config = (project / "config.toml").read_text(encoding="utf-8")
    assert '[crm.tinycrm]\nadapter = "tinycrm"' in config
    assert 'server = "https://tiny.example"' in config
    assert 'object = "firms"' in (project / "mappings" / "tinycrm.toml").read_text(encoding="utf-8")


def test_its_keys_are_known_and_wrong_ones_are_named(project: Path) -> None:
    environ = {"AFTERWORD_CRM__TINYCRM__WORKSPCE": "x", "AFTERWORD_CRM__TINYCRM__ACCESS_TOKEN": "t"}
    with pytest.raises(SettingsError) as caught:
        wiring.read_settings(project / "config.toml", environ)
    said = {problem.where.removeprefix(f"{project}/"): problem for problem in caught.value.problems}
    # ACCESS_TOKEN is a key of other adapters, and passed over.
    assert set(said) == {"config.toml: crm.tinycrm.door_key", "environment: AFTERWORD_CRM__TINYCRM__WORKSPCE"}
    assert 'Did you mean "workspace"?' in said["environment: AFTERWORD_CRM__TINYCRM__WORKSPCE"].remedy
    missing = said["config.toml: crm.tinycrm.door_key"]
    assert missing.what == "is missing."
    assert missing.remedy.startswith("The workspace is locked. Add door_key (or door_key_file) under [crm.tinycrm]")


def test_it_goes_through_a_whole_lap(tiny: Tiny) -> None:
    tiny.set_up()
    errors = [
        problem
        for problem in crm_check.CrmCheck(tiny.installation, tiny.endpoint).problems()
        if problem.severity == "error"
    ]
    assert errors == []
    tiny.lap()
    ticket = tiny.crm.insert("tickets", number="17", firm=tiny.firm, person=tiny.person, clerk=tiny.clerk, state="open")
    tiny.lap()
    tiny.crm.update("tickets", ticket, {"state": "closed", "ended": tiny.clock.now().isoformat()})
    tiny.lap()
    assert tiny.mailbox.recipients == ["maria@nw.example"]
    (invitation,) = tiny.rows(tables.invitation)
    with tiny.installation.store.write() as tx:
        rating = Rating("csat", "csat", 1, 1, 5)
        assert answers.record(tx, invitation.id, [rating], comment="never again", now=tiny.clock.now()) is not None
    before = tiny.clock.now()
    tiny.lap()
    firm = tiny.crm.records["firms"][tiny.firm]
    assert firm["afterword_mood"] == "Last answer bad"
    assert "Maria" in firm["afterword_attention"]
    (todo,) = [todo for todo in tiny.crm.records["todos"].values() if todo["firm"] == tiny.firm]
    assert (todo["state"], todo["clerk"]) == ("open", tiny.clerk)
    assert "never again" in todo["text"]
    normalisers = [tiny.endpoint.normalise_id]
    assert any(
        ": asked (" in line for line in why.explain(tiny.installation.store, ticket.lower(), normalisers=normalisers)
    )
    undone = told(commands_undo.carry_out, tiny.installation, before)
    assert undone.refused == []
    assert tiny.crm.records["firms"][tiny.firm]["afterword_mood"] is None
