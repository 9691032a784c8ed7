"""The place in a listing is stored with the records before it, or not at all."""

from typing import Any

import pytest
from environment import Environment
from incidents import names

from connector.store.crm import cursors


class PowerCut(Exception):
    """The process dies here."""


def test_a_power_cut_between_the_records_and_their_place_loses_neither(
    either: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    either.account("Northwind")
    real = cursors.save

    def cut_before(connection: Any, crm: str, object_name: str, *rest: Any, **more: Any) -> None:
        if object_name in ("Account", "companies"):
            raise PowerCut
        real(connection, crm, object_name, *rest, **more)

    def cut_after(connection: Any, crm: str, object_name: str, *rest: Any, **more: Any) -> None:
        real(connection, crm, object_name, *rest, **more)
        if object_name in ("Account", "companies"):
            raise PowerCut

    for save in (cut_before, cut_after):
        with monkeypatch.context() as patched:
            patched.setattr(cursors, "save", save)
            with pytest.raises(PowerCut):
                either.lap()
        assert names(either) == set()
    report = either.lap()
    assert names(either) == {"Northwind"}
    assert report.pulled["acme"].counts["account"].changed == 1
