"""What waits for a CRM that cannot be asked keeps nobody of another CRM from their mail."""

from dataclasses import replace

from asking import DAY, SITE, START, LittleCrm, limits, world
from sqlalchemy import insert

from connector.errors import Unavailable
from connector.stages.context import Connected, Context
from connector.stages.deliver import stage as deliver
from connector.stages.invite import stage as invite
from connector.store import Store
from connector.store import tables as t
from connector.store.surveys.decisions import go_live

OTHER = "other"


def test_the_days_limit_is_not_filled_by_mail_that_cannot_go_out(store: Store) -> None:
    here, there = world(store), LittleCrm()
    there.values = here.crm.values
    with store.write() as tx:
        tx.execute(insert(t.connection_state).values(connection=OTHER))
        go_live(tx, "survey:after-case", OTHER, START)
    for name in ("a", "b"):
        here.person(name)
        here.case(f"case-{name}", [name])
    here.account("firm", crm=OTHER)
    here.person("olga", "firm", crm=OTHER)
    here.case("late", ["olga"], "firm", crm=OTHER)

    def context() -> Context:
        made = here.context()
        return replace(made, connected={**made.connected, OTHER: Connected(OTHER, there, there, there, live=True)})  # type: ignore[arg-type]

    invite.run(context())
    here.limits = limits(daily_sends=2)
    here.crm.down = Unavailable("no answer")
    result = deliver.run(context(), SITE)
    assert (here.mailbox.recipients, list(result.errors)) == (["olga@firm.example"], ["acme"])
    here.crm.down = None
    assert deliver.run(context(), SITE).sent == 1
    here.clock.advance(DAY)
    assert deliver.run(context(), SITE).sent == 1
