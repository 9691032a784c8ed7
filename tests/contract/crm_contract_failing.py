"""What failures promise: one error for each kind of trouble, and nothing read from silence."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from crm_contract_writing import change
from crm_world import Breakage, World

from connector.errors import AuthRevoked, CrmError, NotPermitted, QuotaSpent, Unavailable

ERRORS: list[tuple[Breakage, type[CrmError]]] = [
    ("down", Unavailable),
    ("page", Unavailable),
    ("forbidden", NotPermitted),
    ("quota", QuotaSpent),
]


class FailingContract:
    """Errors of whole calls, the token, and the count of calls."""

    def calls_of(self, world: World, record_id: str) -> list[Callable[[], object]]:
        """Return one call of each kind."""
        adapter, names = world.adapter, world.names
        return [
            lambda: list(adapter.changes(world.query(), since=None, after=None)),
            lambda: adapter.fetch(names.company, [record_id], [names.name]),
            lambda: adapter.count(world.query()),
            lambda: adapter.write([change(world, record_id, score=1)]),
        ]

    @pytest.mark.parametrize(("how", "error"), ERRORS)
    def test_every_call_raises_what_went_wrong(self, world: World, how: Breakage, error: type[CrmError]) -> None:
        record_id = world.company()
        world.adapter.count(world.query())
        world.break_all(how)
        for call in self.calls_of(world, record_id):
            with pytest.raises(error) as caught:
                call()
            assert caught.value.where
        assert world.of(record_id, "score") in (None, "")

    def test_trouble_passes(self, world: World) -> None:
        record_id = world.company()
        world.break_all("down")
        with pytest.raises(Unavailable) as caught:
            world.adapter.count(world.query())
        assert not caught.value.permanent
        world.mend()
        for call in self.calls_of(world, record_id):
            call()

    def test_a_spent_quota_says_until_when(self, world: World) -> None:
        world.break_all("quota")
        with pytest.raises(QuotaSpent) as caught:
            world.adapter.count(world.query())
        assert caught.value.until is not None
        assert caught.value.until > world.clock.now()

    def test_a_token_that_expires_is_renewed_unseen(self, world: World) -> None:
        record_id = world.company()
        for call in self.calls_of(world, record_id):
            world.expire_token()
            call()
        assert float(world.of(record_id, "score")) == 1

    def test_a_token_that_expires_between_pages_costs_no_record(self, world: World) -> None:
        size = world.small_pages()
        made = world.companies(2 * size)
        listing = world.adapter.changes(world.query(), since=None, after=None)
        first = next(listing)
        world.expire_token()
        rest = world.read(after=first.last)
        assert {record.id for record in [*first.records, *rest]} == set(made)

    def test_several_threads_may_read_at_once_though_the_token_expires(self, world: World) -> None:
        made = set(world.companies(20))
        world.adapter.count(world.query())
        world.expire_token()
        with ThreadPoolExecutor(4) as threads:
            found = list(threads.map(lambda _: {record.id for record in world.read()}, range(8)))
        assert found == [made] * 8

    def test_revoked_credentials_are_told_apart(self, world: World) -> None:
        record_id = world.company()
        world.revoke()
        for call in self.calls_of(world, record_id):
            with pytest.raises(AuthRevoked):
                call()

    def test_the_first_call_may_meet_revoked_credentials(self, world: World) -> None:
        world.revoke()
        with pytest.raises(AuthRevoked) as caught:
            world.adapter.org()
        assert caught.value.permanent

    def test_usage_counts_the_calls(self, world: World) -> None:
        record_id = world.company()
        world.adapter.count(world.query())
        before, seen = world.adapter.usage(), world.calls("read") + world.calls("write")
        world.read()
        world.adapter.write([change(world, record_id, score=1)])
        after, now_seen = world.adapter.usage(), world.calls("read") + world.calls("write")
        assert after.calls - before.calls == now_seen - seen
        assert now_seen - seen >= 2

    def test_usage_asks_nothing(self, world: World) -> None:
        before = world.calls("read")
        world.adapter.usage()
        assert world.calls("read") == before

    def test_closing_twice_is_fine(self, world: World) -> None:
        world.adapter.count(world.query())
        world.adapter.close()
        world.adapter.close()
