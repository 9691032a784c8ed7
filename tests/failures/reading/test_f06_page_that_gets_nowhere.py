"""A listing that gives the same page again must end in an error, not in reading for ever."""

from environment import Environment
from incidents import accounts, answering, names

from adapters.sandbox.web import Request, Response


def test_a_crm_that_answers_with_the_same_page_for_ever_fails_the_lap(acme: Environment) -> None:
    acme.org.rows_per_page = 1
    for name in ("One", "Two", "Three"):
        acme.account(name)
    second = list[Response]()

    def again(page: int, _request: Request, right: Response) -> Response | None:
        if page == 2:
            second.append(right)
        return second[0] if second else None

    with answering(acme, accounts(acme), again) as pages:
        report = acme.lap()
    assert report.exit_code == 3
    assert len(pages) < 100
    assert acme.lap().exit_code == 0
    assert names(acme) == {"One", "Two", "Three"}
