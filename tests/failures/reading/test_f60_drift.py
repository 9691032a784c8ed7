"""What no lap can see is found by comparing everything, put right, and shown to the admin as a number."""

from environment import DAY, Environment
from incidents import names

from connector.commands import reconcile


def drift(env: Environment) -> int | None:
    """Return the number that `status` shows."""
    records: int | None = env.status()["crm"]["acme"]["drift"]["records"]
    return records


def test_a_change_without_a_stamp_and_a_deletion_without_a_trace(either: Environment) -> None:
    made = [either.account(f"Company {number}") for number in range(12)]
    either.later(2 * DAY)
    label = "Name" if either.ACCOUNT == "Account" else "name"
    either.org.update(either.ACCOUNT, made[3], {label: "Renamed"}, at=either.clock.now() - DAY)
    either.lap()
    either.org.purge(either.ACCOUNT, made[7])
    assert either.later(DAY).exit_code == 0
    assert drift(either) is None
    assert {"Company 3", "Company 7"} <= names(either)
    reconcile.run(either.installation, since=either.clock.now())
    assert names(either) == {f"Company {number}" for number in range(12)} - {"Company 3", "Company 7"} | {"Renamed"}
    assert drift(either) == 2
    either.later(DAY)
    reconcile.run(either.installation, since=either.clock.now())
    assert drift(either) == 0
