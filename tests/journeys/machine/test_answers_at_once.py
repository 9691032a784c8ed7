"""An answer is on its record while that CRM is being read for the first time, and while the other one hangs."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote_plus

from databases import BOTH_DATABASES
from environment import DAY, HOUR, wait_for
from environment_both import TwoCrmEnvironment, standing_beside_both
from sqlalchemy import delete, select

from adapters.sandbox.hubspot import HubSpot
from adapters.sandbox.salesforce import Salesforce
from adapters.sandbox.web import Request, Response
from connector.app.jobs import JobEngine
from connector.runtime.clock import SteppedClock
from connector.store.tables import account, cursor

PATIENCE = 60


@contextmanager
def held_up(crm: Salesforce | HubSpot, what: str, may_go_on: threading.Event) -> Iterator[threading.Event]:
    """Answer no call in which `what` stands before it may go on; yields what tells that such a call has come."""
    real, came = crm.handle, threading.Event()

    def handle(request: Request) -> Response:
        if what in unquote_plus(request.target):
            came.set()
            assert may_go_on.wait(PATIENCE)
        return real(request)

    crm.handle = handle  # type: ignore[method-assign]
    try:
        yield came
    finally:
        may_go_on.set()
        crm.handle = real  # type: ignore[method-assign]


@BOTH_DATABASES
def test_an_answer_is_written_while_its_crm_is_read_and_the_other_hangs(
    tmp_path: Path, store_address: str, clock: SteppedClock
) -> None:
    with standing_beside_both(tmp_path, store_address, clock) as env:
        northwind = env.account("Northwind")
        maria = env.contact(northwind, "Maria Virtanen", "maria@nw.example")
        env.lap()
        env.closed_case(northwind, maria)
        env.later(HOUR)
        env.later(DAY)
        (mail,) = env.mailbox.to("maria@nw.example")
        forget_what_was_read(env, "Contact")
        engine, may_go_on = JobEngine(env.installation), threading.Event()
        with (
            held_up(env.org, "FROM Contact", may_go_on) as reading,
            held_up(env.hub.org, "/crm/", may_go_on) as hanging,
        ):
            engine.start()
            try:
                assert reading.wait(PATIENCE)
                assert hanging.wait(PATIENCE)
                env.answer(mail, 1, "Still broken")
                engine.answered(customer_of(env, northwind))
                wait_for(lambda: env.shows("Account", northwind).get("People") == 1, PATIENCE)
                wait_for(lambda: len(env.tasks()) == 1, PATIENCE)
                assert not may_go_on.is_set()
            finally:
                may_go_on.set()
                engine.stop()
        assert env.later(HOUR).exit_code == 0
        assert len(env.tasks()) == 1


def forget_what_was_read(env: TwoCrmEnvironment, object_name: str) -> None:
    """Let an object be read from its beginning."""
    with env.installation.store.write() as tx:
        tx.execute(delete(cursor).where(cursor.c.connection == "acme", cursor.c.object == object_name))


def customer_of(env: TwoCrmEnvironment, account_id: str) -> str:
    with env.installation.store.read() as tx:
        return str(tx.execute(select(account.c.customer).where(account.c.ref == f"Account/{account_id}")).scalar_one())
