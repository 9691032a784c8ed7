"""A backup is taken while everything goes on, and brings an installation back on another machine, where it asks nobody twice."""

import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from databases import NewStore
from environment import AFTER_CASE, DAY, HOUR, UNHAPPY, Environment
from processes import Command

from connector.app import wiring
from connector.commands import setup_crm, undo, why
from connector.commands.backup import Backup, back_up
from connector.commands.restore import Restored, restore
from connector.errors import AfterwordError
from connector.runtime.installation_id import FILE
from connector.stages import lap
from connector.stages.lap import Installation, Stage
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


@HAS_MOVED
def test_what_was_restored_elsewhere_knows_what_it_knew_and_asks_nobody_twice(
    env: Environment, elsewhere: Machine
) -> None:
    env.configure(RULES)
    env.set_up()
    env.lap()
    account = env.account("Northwind")
    people = {name: env.contact(account, f"{name} Virtanen", f"{name.lower()}@nw.example") for name in NAMES}
    cases = {name: env.closed_case(account, people[name]) for name in ("Maria", "Anna")}
    env.later(DAY)
    env.answer(env.mailbox.to("maria@nw.example")[0], 1, "Nobody called.")
    cases["Cleo"] = env.closed_case(account, people["Cleo"])
    env.later(HOUR)
    env.advance(DAY - HOUR * 2)
    cases["Ben"] = env.closed_case(account, people["Ben"])
    env.advance(HOUR)
    env.lap(
        (Stage.PULL, Stage.INVITE)
    )  # Cleo's mail lies ready, Ben waits for the survey's delay, Anna will be reminded

    with env.installation.store.read() as tx:
        runs = marks.own_runs(tx, "acme")
    late = threading.Thread(target=env.answer, args=(env.mailbox.to("anna@nw.example")[0], 5, "Fine."))
    late.start()  # an answer comes in meanwhile
    made = take(env, env.folder / "backup.zip")
    late.join()
    assert stat.S_IMODE(made.path.stat().st_mode) == 0o600
    assert {"config.toml", FILE} <= set(made.files)

    cases["Dora"] = env.closed_case(account, people["Dora"])
    for _ in range(2):  # the original goes on
        env.later(DAY)
    addresses = {f"{name.lower()}@nw.example" for name in NAMES}
    assert addresses <= {mail.to for mail in env.mailbox.mails}

    observing = elsewhere()
    with observing.store.read() as tx:
        assert marks.own_runs(tx, "acme").run not in {None, runs.run, runs.previous}
    env.mark()
    assert lap.run(observing).exit_code == 0
    assert (env.mailbox.mails, env.writes) == ([], [])
    told = "\n".join(why.explain(observing.store, cases["Maria"]))
    assert "Nobody called." in told
    assert undo.plan(observing, observing.endpoints[0], show=lambda _undone, _page: None).due
    undone = undo.carry_out(observing, observing.endpoints[0], show=lambda _undone, _page: None)
    assert undone.failure is not None and "a copy of this installation" in undone.failure.what
    assert env.writes == []
    observing.store.change(lambda tx: connections.resume(tx, "acme"))
    assert (env.folder / "elsewhere" / FILE).read_text() == (env.folder / FILE).read_text()

    config = env.folder / "elsewhere" / "config.toml"
    config.write_text(config.read_text().replace('mode = "observe"', 'mode = "live"'))
    going_on = elsewhere()
    env.advance(DAY * 3)
    assert lap.run(going_on).exit_code == 2  # however long the original has been silent
    assert "asked since" in "\n".join(why.explain(going_on.store, cases["Ben"]))
    env.advance(HOUR)
    state = setup_crm.mark(going_on.store, going_on.endpoints[0], base=config.parent, clock=env.clock, take_over=True)
    assert state.error is None
    for _ in range(2):
        env.advance(HOUR)
        assert lap.run(going_on).exit_code == 0
    env.closed_case(account, people["Dora"])
    env.advance(DAY)
    lap.run(going_on)
    assert [mail.to for mail in env.mailbox.mails if mail.to in addresses] == ["dora@nw.example"]
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
    for damaged in (whole[: len(whole) // 2], whole.replace(whole[2000:2040], bytes(40)), b"no archive"):
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
