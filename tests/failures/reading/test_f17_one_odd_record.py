"""One record that cannot be understood is set aside with its reason; the page around it is stored."""

from environment import Environment
from incidents import answering, rows

from adapters.sandbox.web import Request, Response
from connector.store import tables


def test_the_neighbours_of_an_odd_record_are_stored(acme: Environment) -> None:
    account = acme.account("Northwind")
    contact = acme.contact(account, "Maria Virtanen", "maria@nw.example")
    cases = [acme.closed_case(account, contact) for _ in range(5)]

    def spoiled(_page: int, _request: Request, right: Response) -> Response:
        odd = right.body.find(cases[2].encode())
        at = right.body.index(b'"ClosedDate":', odd)
        end = right.body.index(b",", at)
        body = right.body[:at] + b'"ClosedDate":"the day before yesterday"' + right.body[end:]
        return Response(right.status, body, right.headers)

    with answering(acme, r"/sobjects/Case/", spoiled):
        report = acme.lap()
    counts = report.pulled["acme"].counts["case"]
    assert (counts.read, counts.changed, counts.refused) == (5, 4, 1)
    assert len(rows(acme, tables.interaction)) == 4
    (refused,) = rows(acme, tables.refused_record)
    assert cases[2] in refused.key
    assert report.exit_code == 1
    assert len(acme.status()["refused"]) == 1
