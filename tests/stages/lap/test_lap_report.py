"""What a lap remembers for `status`."""

from typing import Any

from databases import BOTH_DATABASES
from lap_world import LapWorld

from connector.commands import status
from connector.errors import Unavailable
from connector.stages import lap
from connector.stages.order import AFTER_AN_ANSWER


def connection(world: LapWorld) -> dict[str, Any]:
    shown: dict[str, Any] = status.status(world.installation)["crm"]["acme"]
    return shown


@BOTH_DATABASES
def test_a_lap_that_did_not_call_the_crm_does_not_say_that_it_is_well_again(world: LapWorld) -> None:
    world.crm.faults.fail(Unavailable("down"), times=None)
    assert world.lap().exit_code == 3
    broken = connection(world)
    assert "down" in broken["last_error"]
    world.crm.faults.clear()
    assert lap.run(world.installation, stages=AFTER_AN_ANSWER).calls == {"acme": 0}
    assert connection(world) == broken
    world.lap()
    assert connection(world)["last_error"] is None
    assert connection(world)["last_ok"] > broken["last_ok"]
