"""Salesforce gives up on a question that takes too long: it is asked for ever shorter spans of time, and nothing is left out.

HubSpot's searches take a page each and know no such end.
"""

from datetime import datetime, timedelta
from urllib.parse import unquote

from environment import Environment
from incidents import accounts, answering, names

from adapters.sandbox.web import Request, Response, json_response

TOO_LONG = [{"errorCode": "QUERY_TIMEOUT", "message": "Your query request was running for too long."}]
DAYS = 8
WORKS = timedelta(days=2, hours=6)


def test_a_listing_of_many_days_is_read_in_parts_of_a_width_that_worked(acme: Environment) -> None:
    first = acme.clock.now()
    made = {f"Company {day}" for day in range(DAYS)}
    for day in range(DAYS):
        acme.account(f"Company {day}")
        acme.advance(timedelta(days=1))
    spans = list[timedelta]()

    def only_short_ones(_page: int, request: Request, _right: Response) -> Response | None:
        if "queryAll" not in request.target:
            return None
        query = unquote(request.target).replace("+", " ")
        until = query.partition("SystemModstamp < ")[2].split(")")[0].split(" ")[0]
        since = query.partition("SystemModstamp >= ")[2].split(")")[0].split(" ")[0]
        start = datetime.fromisoformat(since) if since else first
        spans.append((datetime.fromisoformat(until) if until else acme.clock.now()) - start)
        return json_response(TOO_LONG, 500) if spans[-1] > WORKS else None

    with answering(acme, accounts(acme), only_short_ones):
        assert acme.lap().exit_code == 0
    assert names(acme) == made
    too_wide = [span for span in spans if span > WORKS]
    assert len(too_wide) == 2
