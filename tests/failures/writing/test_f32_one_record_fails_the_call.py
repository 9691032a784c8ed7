"""A call that is refused as a whole because of one record is divided: only that record stays unwritten, and no other gets its error."""

from collections.abc import Iterator
from contextlib import contextmanager

from environment import DAY, HOUR, Environment
from incidents import rows, words

from adapters.sandbox.web import Request, Response, json_response
from connector.ports import Write
from connector.stages.write_back.outbox import batches
from connector.store import tables

NAMES = ("ann", "bea", "cyd", "dee", "eve")


@contextmanager
def refusing_whole_calls(env: Environment, record: str) -> Iterator[list[int]]:
    """Refuse, without doing any of it, every change that holds this account; yields the numbers of records in refused calls."""
    real, refused = env.org.handle, list[int]()
    path, said = "composite/sobjects", "Cannot deserialize instance"
    body: object = [{"errorCode": "JSON_PARSER_ERROR", "message": said}]
    if env.ADAPTER == "hubspot":
        path, body = "companies/batch/update", {"status": "error", "category": "VALIDATION_ERROR", "message": said}

    def handle(request: Request) -> Response:
        if path in request.target and f'"{record}"'.encode() in request.body:
            refused.append(request.body.count(b'"id"'))
            return json_response(body, 400)
        return real(request)

    env.org.handle = handle  # type: ignore[method-assign]
    try:
        yield refused
    finally:
        env.org.handle = real  # type: ignore[method-assign]


def test_the_neighbours_of_a_record_that_fails_its_call_are_written(either: Environment) -> None:
    accounts = {name: either.account(f"Company of {name}") for name in NAMES}
    for name, account in accounts.items():
        either.closed_case(account, either.contact(account, name.title(), f"{name}@nw.example"))
    either.later(HOUR)
    either.later(DAY)
    for mail in either.mailbox.mails:
        either.answer(mail, 5)
    with refusing_whole_calls(either, accounts["bea"]) as refused:
        report = either.lap()
    assert refused[0] == len(NAMES)
    assert refused[-1] == 1
    assert report.written["acme"].refused == 1
    shown = {
        name for name, account in accounts.items() if "people" in either.figures(words(either, "Account"), account)
    }
    assert shown == set(NAMES) - {"bea"}
    (row,) = rows(either, tables.refused_record, direction="write")
    assert accounts["bea"] in row.key
    assert "Cannot deserialize instance" in row.what


def test_two_writes_to_one_record_go_out_in_calls_of_their_own() -> None:
    writes = [Write(key=f"{n}", object="Account", fields={"Name": n}, id=record) for n, record in enumerate("ABACA")]
    sent = list(batches(writes, 200))
    assert [[write.id for write in batch] for batch in sent] == [["A", "B", "C"], ["A"], ["A"]]
    assert [batch[0].key for batch in sent] == ["0", "2", "4"]
