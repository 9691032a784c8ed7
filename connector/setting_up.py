"""`setup-crm`: makes the fields, rights and layout places that the mapping names, and remembers what it made for undo."""

from collections.abc import Iterator, Sequence

from connector.errors import NotPermitted
from connector.ports import Clock, CrmAdapter, SetupResult, SetupStep
from connector.stages.connect import Endpoint, describe_all
from connector.store import Store, connecting, made


def plan(endpoint: Endpoint, adapter: CrmAdapter) -> list[SetupStep]:
    """Return what is missing; nothing on a CRM that is set up. `adapter` may act with an admin's token."""
    mapping, _problems = endpoint.mapping.fit(describe_all(endpoint))
    return adapter.plan_setup(mapping.wanted_fields())


def apply(
    store: Store, endpoint: Endpoint, adapter: CrmAdapter, steps: Sequence[SetupStep], *, clock: Clock
) -> Iterator[SetupResult]:
    """Carry out steps up to the first that we have no right to, remembering each one at once. The next lap asks for the schema anew."""
    for result in _permitted(adapter, steps):
        if result.done:
            with store.write() as connection:
                made.remember(connection, endpoint.name, result.step, result.detail, at=clock.now())
        yield result
    _schema_has_changed(store, endpoint)


def plan_undo(store: Store, endpoint: Endpoint, adapter: CrmAdapter) -> list[SetupStep]:
    """Return the steps that take away what we made, newest first, and nothing else."""
    with store.read() as connection:
        results = made.results(connection, endpoint.name)
    return adapter.plan_undo(results)


def undo(store: Store, endpoint: Endpoint, adapter: CrmAdapter, steps: Sequence[SetupStep]) -> Iterator[SetupResult]:
    """Take away what we made, up to the first thing that we have no right to, forgetting each at once."""
    for result in _permitted(adapter, steps):
        if result.done:
            with store.write() as connection:
                made.forget(connection, endpoint.name, result.step.key)
        yield result
    _schema_has_changed(store, endpoint)


def left_after(result: SetupResult, steps: Sequence[SetupStep]) -> int:
    """Return how many steps that are not done by hand come after this one, and were not tried when it was the last."""
    return sum(not step.manual for step in steps[steps.index(result.step) + 1 :])


def _permitted(adapter: CrmAdapter, steps: Sequence[SetupStep]) -> Iterator[SetupResult]:
    """Yield results up to the first refusal for want of a right: who may not make one field may not make the next."""
    for result in adapter.apply_setup(steps):
        yield result
        if isinstance(result.error, NotPermitted):
            return


def _schema_has_changed(store: Store, endpoint: Endpoint) -> None:
    with store.write() as connection:
        connecting.state(connection, endpoint.name)
        connecting.forget_schema(connection, endpoint.name)
