"""A backup is taken while everything goes on, and brings an installation back on another machine, where it asks nobody twice."""

import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from databases import NewStore
from environment import AFTER_CASE, DAY, HOUR, UNHAPPY, Environment
from processes import Command

from connector.app import wiring
from connector.commands import setup_crm, undo, why
from connector.commands.backup import Backup, back_up
from connector.commands.restore import Restored, restore
from connector.domain.installation_mark import OwnRuns
from connector.errors import AfterwordError
from connector.runtime.installation_id import FILE
from connector.stages import lap
from connector.stages.installation import Installation
from connector.stages.order import Stage
from connector.store.ops import connections, marks

RULES = AFTER_CASE + 'reminder_after = "2d"\n' + UNHAPPY
NAMES = ("Maria", "Anna", "Ben", "Cleo", "Dora")
HAS_MOVED = pytest.mark.parametrize(
    ("store_address", "new_store"),
    [("sqlite", "postgresql"), ("postgresql", "sqlite")],
    indirect=True,
    ids=["from SQLite", "from PostgreSQL"],
)
"""Each database is read once and written once."""
Machine = Callable[[], Installation]


def take(env: Environment, out: Path) -> Backup:
    """Take a backup as the command does, on the world's clock."""
    return back_up(env.installation.settings, out, environ={}, version="1.2.3", now=env.clock.now())


def bring_back(env: Environment, file: Path, store_url: str, folder: Path | None = None) -> Restored:
    """Restore into a folder and a database of their own."""
    config = (folder or env.folder / "elsewhere") / "config.toml"
    environ = {"AFTERWORD_STORE__URL": store_url}
    return restore(file, config, read_settings=lambda path: wiring.read_settings(path, environ), now=env.clock.now())


@pytest.fixture
def elsewhere(env: Environment, new_store: NewStore) -> Iterator[Machine]:
    """Begin with what was restored, on the other machine."""
    with ExitStack() as stack:
        target = new_store()
        file = env.folder / "backup.zip"

        def start() -> Installation:
            config = env.folder / "elsewhere" / "config.toml"
            if not config.exists():
                bring_back(env, file, target.url)
            settings = wiring.read_settings(config, {"AFTERWORD_STORE__URL": target.url})
            installation = wiring.build(settings, clock=env.clock)
            stack.callback(installation.store.close)
            stack.callback(installation.endpoints[0].adapter.close)
            if installation.channel is not None:
                stack.callback(installation.channel.close)
            return installation

        yield start


@dataclass
class Story:
    """What happened around the original: its people, their cases, and the runs that its mark showed when the backup was made."""

    env: Environment
    account: str
    people: dict[str, str]
    cases: dict[str, str] = field(default_factory=dict)
    runs: OwnRuns = field(default_factory=OwnRuns)

    def close_case(self, name: str) -> None:
        """Let a case of somebody end."""
        self.cases[name] = self.env.closed_case(self.account, self.people[name])

    @property
    def asked(self) -> list[str]:
        """Whom mail has gone to, of these people."""
        return [mail.to for mail in self.env.mailbox.mails if mail.to in map(address_of, NAMES)]


def address_of(name: str) -> str:
    return f"{name.lower()}@nw.example"


def begun(env: Environment) -> Story:
    """Let an installation work until Maria has answered, Cleo's mail lies ready, Ben waits, and Anna will be reminded."""
    env.configure(RULES)
    env.set_up()
    env.lap()
    account = env.account("Northwind")
    people = {name: env.contact(account, f"{name} Virtanen", address_of(name)) for name in NAMES}
    story = Story(env, account, people)
    story.close_case("Maria")
    story.close_case("Anna")
    env.later(DAY)
    env.answer(env.mailbox.to(address_of("Maria"))[0], 1, "Nobody called.")
    story.close_case("Cleo")
    env.later(HOUR)
    env.advance(DAY - HOUR * 2)
    story.close_case("Ben")
    env.advance(HOUR)
    env.lap((Stage.PULL, Stage.INVITE))
    with env.installation.store.read() as tx:
        story.runs = marks.own_runs(tx, "acme")
    return story


def backed_up(story: Story) -> None:
    """Make a backup while an answer comes in; the original goes on, and asks everybody."""
    env = story.env
    late = threading.Thread(target=env.answer, args=(env.mailbox.to(address_of("Anna"))[0], 5, "Fine."))
    late.start()
    made = take(env, env.folder / "backup.zip")
    late.join()
    assert stat.S_IMODE(made.path.stat().st_mode) == 0o600
    assert {"config.toml", FILE} <= set(made.files)
    story.close_case("Dora")
    for _ in range(2):
        env.later(DAY)
    assert set(map(address_of, NAMES)) <= set(story.asked)


def observes_and_knows(story: Story, observing: Installation) -> None:
    """It is told from the original, sends and writes nothing, and knows what was answered and written."""
    env = story.env
    with observing.store.read() as tx:
        assert marks.own_runs(tx, "acme").run not in {None, story.runs.run, story.runs.previous}
    env.mark()
    assert lap.run(observing).exit_code == 0
    assert (env.mailbox.mails, env.writes) == ([], [])
    assert "Nobody called." in "\n".join(why.explain(observing.store, story.cases["Maria"]))
    assert undo.plan(observing, observing.endpoints[0], show=lambda _undone, _page: None).due
    undone = undo.carry_out(observing, observing.endpoints[0], show=lambda _undone, _page: None)
    assert undone.failure is not None and "a copy of this installation" in undone.failure.what
    assert env.writes == []
    observing.store.change(lambda tx: connections.resume(tx, "acme"))
    assert (env.folder / "elsewhere" / FILE).read_text() == (env.folder / FILE).read_text()


@HAS_MOVED
def test_what_was_restored_elsewhere_knows_what_it_knew_and_asks_nobody_twice(
    env: Environment, elsewhere: Machine
) -> None:
    story = begun(env)
    backed_up(story)
    observes_and_knows(story, elsewhere())

    config = env.folder / "elsewhere" / "config.toml"
    config.write_text(config.read_text().replace('mode = "observe"', 'mode = "live"'))
    going_on = elsewhere()
    env.advance(DAY * 3)
    assert lap.run(going_on).exit_code == 2  # however long the original has been silent
    assert "asked since" in "\n".join(why.explain(going_on.store, story.cases["Ben"]))
    env.advance(HOUR)
    state = setup_crm.mark(going_on.store, going_on.endpoints[0], base=config.parent, clock=env.clock, take_over=True)
    assert state.error is None
    for _ in range(2):
        env.advance(HOUR)
        assert lap.run(going_on).exit_code == 0
    story.close_case("Dora")
    env.advance(DAY)
    lap.run(going_on)
    assert story.asked == [address_of("Dora")]
    assert env.lap().exit_code == 2  # the original, should it come back


def test_nothing_is_replaced_and_nothing_is_left_of_what_failed(env: Environment, tmp_path: Path) -> None:
    file = take(env, tmp_path / "backup.zip").path
    with pytest.raises(AfterwordError, match="there already"):
        take(env, file)
    with pytest.raises(AfterwordError, match=r"nowhere.b\.zip: the backup could not be written"):
        take(env, tmp_path / "nowhere" / "b.zip")
    with pytest.raises(AfterwordError, match="there already"):
        bring_back(env, file, "sqlite:///new.db", env.folder)
    with pytest.raises(AfterwordError, match="there already"):
        bring_back(env, file, env.store_url)
    folder = tmp_path / "elsewhere"
    assert not folder.exists()

    whole = file.read_bytes()
    for damaged in (
        whole[: len(whole) // 2],
        whole.replace(whole[60:80], bytes(20)),
        whole.replace(whole[2000:2040], bytes(40)),
        b"no archive",
    ):
        file.write_bytes(damaged)
        with pytest.raises(AfterwordError, match="nothing can be restored from it"):
            bring_back(env, file, "sqlite:///new.db")
        assert not folder.exists()


def test_what_config_toml_names_is_in_it_and_what_lies_elsewhere_is_named(env: Environment, tmp_path: Path) -> None:
    (env.folder / "keys").mkdir()
    (env.folder / "keys" / "web.key").write_text("k" * 40)
    text = env.config.read_text(encoding="utf-8").replace('secret = "', 'secret_file = "keys/../keys/web.key"\n# "')
    env.write_config(text.replace(str(env.crm["ca_bundle"]), str(tmp_path.parent / "ours.pem")))
    (tmp_path.parent / "ours.pem").write_text((env.folder / "certificates" / "ca.pem").read_text())
    linked = tmp_path.parent / f"{tmp_path.name}-link"
    linked.symlink_to(env.folder)
    settings = wiring.read_settings(linked / "config.toml", {})
    made = back_up(settings, tmp_path / "b.zip", environ={"AFTERWORD_X": "y"}, version="1", now=env.clock.now())
    assert set(made.files) == {"config.toml", FILE, "keys/web.key"}
    assert made.left_out == (f"the file {tmp_path.parent / 'ours.pem'}", "the variable AFTERWORD_X")


def test_the_commands_take_a_backup_into_a_folder_and_bring_it_back(today: Environment) -> None:
    today.write_config(today.config.read_text(encoding="utf-8").replace(today.store_url, "sqlite:///own.db"))
    today.command("migrate")
    assert "There is nothing to do." in today.command("migrate", "--dry-run").out
    (today.folder / "nightly").mkdir()
    made = today.command("backup", "nightly")
    assert made.code == 0, made.err
    (file,) = (today.folder / "nightly").iterdir()
    assert str(file) in made.out or file.name in made.out

    config = today.folder / "elsewhere" / "config.toml"
    back = Command(today.folder, ["restore", str(file), "-c", str(config)]).done()
    assert back.code == 0, back.err
    assert "--take-over" in back.out
    assert 'mode = "observe"' in config.read_text(encoding="utf-8")
    assert {stat.S_IMODE(path.stat().st_mode) for path in (config, config.parent / "own.db")} == {0o600}
    assert Command(config.parent, ["status"]).done().code == 0
