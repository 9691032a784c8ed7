"""Salesforce's ids tell capitals from small letters, and come in two lengths: each names its own record everywhere.

HubSpot's are numbers; there it is their order that text would get wrong.
"""

from environment import DAY, HOUR, Environment
from environment_hubspot import HubSpotEnvironment
from incidents import names, people

from adapters.sandbox.salesforce.org.ids import to_18

ALIKE = {"Small": "001Kx0000000abc", "Large": "001Kx0000000ABC"}


def test_two_records_whose_ids_differ_in_case_are_two(acme: Environment) -> None:
    ids = {name: to_18(short) for name, short in ALIKE.items()}
    acme.org.load("Account", [{"Id": ids[name], "Name": name, "Type": "Customer"} for name in ids])
    for name, account in ids.items():
        acme.closed_case(account, acme.contact(account, name, f"{name.lower()}@nw.example"))
    acme.later(HOUR)
    acme.later(DAY)
    assert names(acme) == set(ids)
    (mail,) = acme.mailbox.to("small@nw.example")
    acme.answer(mail, 4)
    acme.lap()
    assert (people(acme, ids["Small"]), people(acme, ids["Large"])) == (1, 0)
    assert (acme.why(ALIKE["Small"]), acme.why(ALIKE["Large"])) == (acme.why(ids["Small"]), acme.why(ids["Large"]))
    assert acme.why(ALIKE["Small"]) != acme.why(ALIKE["Large"])


def test_a_longer_number_comes_behind_a_shorter_one_over_pages_too(hub: HubSpotEnvironment) -> None:
    hub.advance(HOUR)
    made = {f"Company {number}": str(number) for number in range(95, 300)}
    then = {"modified": hub.clock.now(), "created": hub.clock.now(), "lifecyclestage": "customer"}
    hub.org.load("companies", [{"id": record_id, "name": name, **then} for name, record_id in made.items()])
    hub.later(HOUR)
    assert names(hub) == set(made)
