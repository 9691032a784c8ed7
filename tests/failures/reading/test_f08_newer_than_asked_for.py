"""A lagging index answers with rows newer than the place where they stand: they say nothing about how far reading has got."""

import json
from datetime import timedelta

from environment_hubspot import HubSpotEnvironment
from incidents import accounts, answering, names

from adapters.sandbox.web import Request, Response, json_response
from connector.stages.order import Stage


def test_a_row_that_has_just_changed_does_not_carry_the_place_past_its_neighbours(hub: HubSpotEnvironment) -> None:
    made = {f"Company {number}" for number in range(401)}
    for name in made:
        hub.account(name)
        hub.advance(timedelta(seconds=1))
    hub.advance(timedelta(minutes=30))

    def with_a_new_stamp(page: int, _request: Request, right: Response) -> Response | None:
        body = json.loads(right.body)
        if page > 1 or not body["results"]:
            return None
        body["results"][-1]["properties"]["hs_lastmodifieddate"] = hub.clock.now().isoformat().replace("+00:00", "Z")
        return json_response(body, right.status, right.headers)

    with answering(hub, accounts(hub), with_a_new_stamp):
        hub.lap((Stage.PULL,))
    assert names(hub) == made
