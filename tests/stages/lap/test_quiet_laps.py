"""A lap in which nothing has happened writes next to nothing: each write waits for the disk, 288 times a day and more."""

from lap_world import LapWorld
from sqlalchemy import Connection, event

MOST = 14
"""Its own row at both ends, three leases, how far was read, how it went, and what looks at open follow-ups."""


def test_a_lap_in_which_nothing_has_happened_writes_next_to_nothing(world: LapWorld) -> None:
    account = world.account()
    world.answer(world.ask(account, world.crm.contact(account, "Maria Virtanen")), 2)
    for _ in range(3):
        world.lap()
    begun: list[bool] = []

    @event.listens_for(world.store.engine, "begin")
    def _note(connection: Connection) -> None:
        begun.append(bool(connection.get_execution_options().get("afterword_writes")))

    report = world.lap()
    assert (report.exit_code, report.calls) == (0, {"acme": 7})
    assert sum(begun) <= MOST
