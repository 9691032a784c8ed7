"""A lap that is stopped halfway keeps what it has read, so that laps which fail at the same place still get on."""

from environment import Environment
from incidents import accounts, answering, names

from adapters.sandbox.web import Request, Response, json_response


def test_laps_that_fail_after_one_page_each_get_through(acme: Environment) -> None:
    acme.org.rows_per_page = 1
    made = {f"Account {number}" for number in range(4)}
    for name in made:
        acme.account(name)

    def one_page(page: int, _request: Request, _right: Response) -> Response | None:
        return json_response([{"errorCode": "SERVER_UNAVAILABLE", "message": "try later"}], 503) if page > 1 else None

    for done in range(1, 4):
        with answering(acme, accounts(acme), one_page):
            assert acme.lap().exit_code == 3
        assert len(names(acme)) == done
    acme.lap()
    assert names(acme) == made


def test_hubspot_refuses_in_the_middle_and_reading_goes_on_there(hub: Environment) -> None:
    made = {f"Company {number}" for number in range(450)}
    for name in made:
        hub.account(name)

    right_ones = list[Response]()  # the first search may come too soon after those for other objects

    def two_pages(_page: int, _request: Request, right: Response) -> Response | None:
        right_ones.extend([right] if right.status == 200 else [])
        return json_response({"status": "error", "message": "busy"}, 503) if len(right_ones) > 2 else None

    with answering(hub, accounts(hub), two_pages):
        assert hub.lap().exit_code == 3
    kept = len(names(hub))
    assert 0 < kept < 450
    report = hub.lap()
    assert names(hub) == made
    assert report.pulled["acme"].counts["account"].read == 450 - kept
